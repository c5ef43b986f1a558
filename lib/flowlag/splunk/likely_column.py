# SPDX-License-Identifier: Apache-2.0
"""The likely bounds of each record, added to the text of its other tags.

They differ by interface, and nearly every record has an interface and stamps of its own; to judge each would cost more
than all other tags. But at one interface they are the start moved by the same time, for as long as the same was learned
of it. So each interface has a memo from the text of a start to the text of the bounds, and a block is done with two C
loops over its columns. Records for which this does not hold are judged by their other tags (docs/enrich.md, Likely
bounds).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from operator import getitem
from typing import Callable, Optional

from flowlag.enrich import Enricher
from flowlag.fields import has_value
from flowlag.interval import SECOND_US, write_seconds
from flowlag.lags import ENVELOPE, INTERFACE, Span
from flowlag.memo import Memo, longest_of
from flowlag.splunk.blocks import Records
from flowlag.splunk.columns import Header
from flowlag.splunk.endings import Ending
from flowlag.splunk.replies import Keys, first_texts, remember
from flowlag.timing import RESOLUTION_US

#: Texts kept of all interfaces together.
_MOST_TEXTS = 32_768
#: The longest text of other tags is far shorter.
_LONGEST = 400

#: The first and last start for which it holds, the seconds from the likely bound to the start, and what is behind it.
_Move = tuple[int, int, int, str]
_NO_MOVE = (0, -1, 0, "")


class _Moved(dict[str, str]):
    """The likely bounds of the records of an interface, by the text of their start.

    `find` says how they follow from a start in whole seconds, and from which to which: (first, last, shift, tail).
    "" is not kept, but noted in `odd`: the start is no whole second, or does not decide alone.
    """

    __slots__ = ("_find", "_first_s", "_last_s", "_odd", "_seconds", "_shift_s", "_tail")

    def __init__(self, seconds: Mapping[str, Optional[int]], find: Callable[[int], _Move], odd: list[str]) -> None:
        super().__init__()
        self._seconds, self._find, self._odd = seconds, find, odd
        self._first_s, self._last_s, self._shift_s, self._tail = _NO_MOVE

    def __missing__(self, text: str) -> str:
        start_s = self._seconds[text]
        if start_s is not None:
            if not self._first_s <= start_s <= self._last_s:
                self._first_s, self._last_s, self._shift_s, self._tail = self._find(start_s)
            if self._tail:
                found = self[text] = str(start_s - self._shift_s) + self._tail
                return found
        self._odd.append(text)
        return ""


class LikelyColumn:
    """Adds likely bounds to the texts of records.

    `value` turns the text of a field into its value, and `seconds` that of a start into whole seconds, if it is some.
    """

    def __init__(
        self, header: Header, enricher: Enricher, keys: Keys, ending: Ending, value: Callable[[str], str],
        seconds: Mapping[str, Optional[int]],
    ) -> None:  # fmt: skip
        self._enricher = enricher
        self._ending = ending
        self._interfaces = keys.interfaces
        names = enricher.settings.names
        self._is_value = remember(has_value, value)
        self._start_places = header.places_of(names.start)
        self._places = () if enricher.lags is None else header.places_of(names.interface)
        self._seconds = seconds
        self._moved = Memo(self._open, len)
        self._odd: list[str] = []
        self._most_texts = _MOST_TEXTS
        self._judged = Memo(self._judge, longest_of, longest=_LONGEST)

    def complete(self, records: Records, texts: list[Optional[str]], all_ok: bool) -> list[list[Optional[str]]]:
        """One or two columns, which are the texts with their likely bounds; None stays. Only ok records have some."""
        none, judged = ",," + self._ending.likely_end, self._judged
        if self._ending.needs_likely:
            interfaces = first_texts(records, self._places, self._is_value)
            return [[text and judged[text, interface] for text, interface in zip(texts, interfaces)]]
        self._make_room(len(texts))
        starts = self._first_column(records, self._start_places)
        interfaces = self._first_column(records, self._places)
        likely = self._look_up(interfaces, starts)
        if self._odd:  # other columns may have what these lack
            starts = first_texts(records, self._start_places, self._is_value)
            interfaces = first_texts(records, self._places, self._is_value)
            likely = self._look_up(interfaces, starts)
        if all_ok and not self._odd:
            return [texts, likely]  # type: ignore[list-item]
        return [[
            text and (text + none if ",ok," not in text else text + end if end else judged[text, interface])
            for text, end, interface in zip(texts, likely, interfaces)
        ]]  # fmt: skip

    @staticmethod
    def _first_column(records: Records, places: Sequence[int]) -> list[str]:
        return records.column(places[0]) if places else [""] * len(records.lines)

    def _look_up(self, interfaces: list[str], starts: list[str]) -> list[str]:
        """The likely bounds by the texts of interfaces and starts; "" for those that are noted in `_odd`."""
        self._odd.clear()
        return list(map(getitem, map(self._moved.__getitem__, interfaces), starts))

    def _make_room(self, texts: int) -> None:
        """Forget all texts if there were so many records that too many may be kept."""
        self._most_texts -= texts
        if self._most_texts < 0:
            self._most_texts = _MOST_TEXTS
            for moved in self._moved.values():
                moved.clear()

    def _open(self, text: str) -> _Moved:
        """The memo of an interface. Without one, another column may have it."""
        is_last = len(self._places) < 2 or self._is_value[text]
        find = partial(self._find_move, self._interfaces[text]) if is_last else _find_nothing
        return _Moved(self._seconds, find, self._odd)

    def _find_move(self, interface: Optional[str], start_s: int) -> _Move:
        """How likely bounds of an interface follow from starts around this one."""
        lags = self._enricher.lags
        span = Span() if lags is None else lags.find_span(interface, start_s * SECOND_US)
        lag_us, basis, anchors = self._enricher.settings.lag_us, ENVELOPE, ""
        first_s, last_s = -(-span.first_us // SECOND_US), span.last_us // SECOND_US
        if span.bound is not None:
            if span.bound.lag_us <= -RESOLUTION_US:  # the end of a record decides what it leaves
                return first_s, last_s, 0, ""
            lag_us, basis, anchors = min(span.bound.lag_us, lag_us), INTERFACE, span.bound.anchors
        shift_s = -(-lag_us // SECOND_US)
        decimals = write_seconds(shift_s * SECOND_US - lag_us)[1:]  # of "0.5" or "0"
        return first_s, last_s, shift_s, f"{decimals},{basis},{anchors}" + self._ending.likely_end

    def _judge(self, key: tuple[str, str]) -> str:
        text, interface = key
        tags = self._ending.read_first(text)
        return self._ending.write_likely(self._enricher.add_likely(tags, self._interfaces[interface]))


def _find_nothing(start_s: int) -> _Move:
    return _NO_MOVE
