# SPDX-License-Identifier: Apache-2.0
"""The text that is added to a record's line; each distinct text is made once.

The key of a record has only the texts on which its tags depend, so records with the same key get the same text. For new
keys there are patterns: if a record is moved by whole seconds, only the times in its tags change, and move with it (by
whole intervals, if windows lie on a grid). So one judged record stands for all that last as long or, if windows were
learned, for all that also have the same position in a window of the same kind. A Community ID depends on other texts,
nearly all of them distinct, so it is found by them alone and added to what the key gives (id_column.py). So are the
likely bounds, which differ by interface (likely_column.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Callable, NamedTuple, Optional, Protocol, TypeVar

from flowlag.enrich import Enricher
from flowlag.fields import UNCOUNTED, Values, has_value
from flowlag.instants import FIRST_US, LAST_US
from flowlag.interval import SECOND_US
from flowlag.memo import LONGEST, Bounded, Memo, longest_of
from flowlag.record import VALID, count_packets
from flowlag.splunk.blocks import Records
from flowlag.splunk.csv_bytes import decode
from flowlag.tags import Tags

T = TypeVar("T")

_TIMES = ("start", "end", "earliest", "latest", "time", "window_start", "window_end")
_FIRST, _LAST = str(FIRST_US // SECOND_US), str(LAST_US // SECOND_US)
_OFFSET = re.compile("<(-?[0-9]+)>")

#: The texts on which the tags of a record depend, one for each role; start and end come first.
Key = tuple[str, ...]
#: A text (or None) with `%d` for the whole seconds of each time in it, and the offset of each time from the start.
Pattern = tuple[Optional[str], tuple[int, ...]]


class Columns(Protocol):
    """What knows where columns are: a header, or the layout of lines."""

    def places_of(self, names: Sequence[str], /) -> tuple[int, ...]:
        """The numbers of the columns with these names, in the order of the names; missing ones are left out."""


class Table(Protocol):
    """The records of a block, or of many lines."""

    @property
    def lines(self) -> Sequence[str]:
        """As many as there are records."""

    def column(self, place: int, /) -> Sequence[str]:
        """The texts of a column."""


class Writer(Protocol):
    """What makes the text that is added to a record."""

    def write(self, tags: Tags, /) -> str:
        """The text for these tags, in which a time may be a number of seconds in `<` and `>`."""


class _Role(NamedTuple):
    """The name of a timing value in Values, and the columns that may have it."""

    name: str
    places: tuple[int, ...]


class Keys:
    """The keys of records, and their values. `value` turns the text of a field into its value."""

    def __init__(self, header: Columns, roles: Mapping[str, Sequence[str]], value: Callable[[str], str]) -> None:
        found = [_Role(name, header.places_of(names)) for name, names in roles.items()]
        self._roles = [role for role in found if role.places or role.name in ("start", "end")]
        self._value = value
        #: key -> its values
        self.values = Memo(self._read_values, longest_of)
        self._packets = Memo(self._class_packets, len)
        #: text -> interface, None if it names none
        self.interfaces = Memo(self._read, len)
        names = [role.name for role in self._roles]
        #: the text of a key that names the interface, None if no tag depends on it
        self.interface_place = names.index("interface") if "interface" in names else None
        self._packets_place = names.index("packets") if "packets" in names else None

    def of(self, records: Table) -> Iterator[Key]:
        """The key of each record."""
        return zip(*(self._texts(records, role) for role in self._roles))

    def _texts(self, records: Table, role: _Role) -> Iterable[str]:
        """For each record, the text of the first column of a role that has a value."""
        columns = [records.column(place) for place in role.places]
        columns = columns[:1] + [column for column in columns[1:] if any(column)]
        if not columns:
            return [""] * len(records.lines)
        texts = columns[0] if len(columns) == 1 else map(self._first_text, *columns)
        return map(self._packets.__getitem__, texts) if role.name == "packets" else texts

    def _read_values(self, key: Key) -> Values:
        read = ((role.name, self._read(text)) for role, text in zip(self._roles, key))
        values = Values(**{name: value for name, value in read if value is not None})
        place = self._packets_place
        return values if place is None or key[place] != UNCOUNTED else values._replace(packets=UNCOUNTED)

    def _first_text(self, *texts: str) -> str:
        """The first text that is a value; else one that says of packets that there are none."""
        found = next((text for text in texts if has_value(self._value(text))), None)
        return next((text for text in texts if self._value(text) == UNCOUNTED), "") if found is None else found

    def _read(self, text: str) -> Optional[str]:
        value = decode(self._value(text))
        return value if has_value(value) else None

    def _class_packets(self, text: str) -> str:
        """Whether the number of packets is none, one, several or unknown. Only this matters, and gives fewer keys."""
        value = self._value(text)
        if value == UNCOUNTED:
            return UNCOUNTED
        count = count_packets(value) if has_value(value) else None
        return "" if count is None else str(count)


def first_texts(records: Records, places: tuple[int, ...], is_value: Memo[str, bool]) -> list[str]:
    """For each record, the text of the first column that has a value, mostly that of the first column of all."""
    columns = [records.column(place) for place in places]
    columns = columns[:1] + [column for column in columns[1:] if any(column)]
    if not columns:
        return [""] * len(records.lines)
    if len(columns) == 1 or all(map(is_value.__getitem__, set(columns[0]))):
        return columns[0]
    return [next(filter(is_value.__getitem__, texts), "") for texts in zip(*columns)]


def remember(find: Callable[[str], T], value: Callable[[str], str]) -> Memo[str, T]:
    """`find` of a field's value, by the text of the field."""
    return Memo(lambda text: find(decode(value(text))), len)


class Seconds(Bounded[str, Optional[int]]):
    """A time in whole seconds by its text, if that is written as AWS writes it; None for anything else."""

    def __missing__(self, text: str) -> Optional[int]:
        if not (len(text) == 10 and text.isdecimal() and text.isascii() and _FIRST <= text <= _LAST):
            return None
        if len(self) >= self._size:  # as `keep` does, without a call for each distinct text
            self.clear()
        second = self[text] = int(text)
        return second


class ReplyCache(Bounded[Key, Optional[str]]):
    """The text to add to a record, by its key; None if the fields do not settle it and `_raw` has to be read.

    `all_ok` says that every text so far has status ok, `settles_all` that none was None. Both hold in most searches;
    then the texts of a block need not be examined one by one.
    """

    def __init__(
        self, enricher: Enricher, keys: Keys, ending: Writer, asks_raw: bool,
        judge: Optional[Callable[[Values], Tags]] = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.all_ok = self.settles_all = True
        self._enricher = enricher
        self._judge = judge or enricher.judge
        self._moves_with = enricher.rules.moves_with
        self._interface_place, self._interfaces = keys.interface_place, keys.interfaces
        self._all_move = enricher.rules.all_move and keys.interface_place is None
        self._keys = keys
        self._ending = ending
        self._asks_raw = asks_raw
        self.seconds = Seconds()
        #: what keys of one pattern share -> the pattern
        self._patterns: Bounded[tuple[Any, ...], Pattern] = Bounded()

    def __missing__(self, key: Key) -> Optional[str]:
        """Most keys are new ones of a known pattern, so what they need comes first, and without calls."""
        start_s, end_s = self.seconds[key[0]], self.seconds[key[1]]
        if start_s is None or end_s is None or (not self._all_move and is_long(key)):
            return self._judge_alone(key)
        likeness = (end_s - start_s, key[2:]) if self._all_move else self._find_likeness(key, start_s, end_s)
        pattern = self._patterns.get(likeness)
        if pattern is None:
            if is_long(key):
                return self._judge_alone(key)
            pattern = self._add_pattern(likeness, key, start_s)
        text, offsets_s = pattern
        if text is not None:
            text %= tuple([start_s + offset_s for offset_s in offsets_s])
        if len(self) >= self._size:
            self.clear()
        self[key] = text
        return text

    def _judge_alone(self, key: Key) -> Optional[str]:
        """The text for a key without a pattern: some time is no whole second, or a text is too long."""
        text = self._write(self._judge(self._keys.values[key]))
        if not is_long(key):
            self.keep(key, text)
        return text

    def _find_likeness(self, key: Key, start_s: int, end_s: int) -> tuple[Any, ...]:
        """What keys of one pattern share: length, position in the windows, and all values but the interface."""
        place = self._interface_place
        if place is None:
            return (end_s - start_s, self._moves_with(None, start_s, end_s), key[2:])
        moves = self._moves_with(self._interfaces[key[place]], start_s, end_s)
        return (end_s - start_s, moves, key[2:place] + key[place + 1 :])

    def _add_pattern(self, likeness: tuple[Any, ...], key: Key, start_s: int) -> Pattern:
        tags = self._judge(self._keys.values[key])
        pattern = _cut_times(self._write(_relate_times(tags, start_s)))
        self._patterns.keep(likeness, pattern)
        return pattern

    def _write(self, tags: Tags) -> Optional[str]:
        self.all_ok = self.all_ok and tags.status == "ok"
        if self._asks_raw and tags.status not in VALID:
            self.settles_all = False
            return None
        return self._ending.write(tags)


def is_long(key: Key) -> bool:
    """Whether a key is too long to be kept."""
    return len("".join(key)) > LONGEST


def _relate_times(tags: Tags, start_s: int) -> Tags:
    """The tags with `<seconds after the start>` instead of the whole seconds of each time."""
    return tags._replace(**{name: _relate(getattr(tags, name), start_s) for name in _TIMES})


def _relate(time: str, start_s: int) -> str:
    whole, dot, decimals = time.partition(".")
    return f"<{int(whole) - start_s}>{dot}{decimals}" if whole else ""


def _cut_times(text: Optional[str]) -> Pattern:
    return (None, ()) if text is None else (_OFFSET.sub("%d", text), tuple(map(int, _OFFSET.findall(text))))
