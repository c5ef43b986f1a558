# SPDX-License-Identifier: Apache-2.0
"""The text that a record's timing values add to its line, each distinct answer computed once.

Two memos, both bounded. One holds answers by their values. The other holds patterns, for values that the first has not
seen: move a record by whole seconds, and its tags stay the same but for the times in them, which move along (by whole
intervals, where windows lie on a grid). So one judged record answers for all that last as long, and where windows were
learned, for all that lie in a window of the same kind at the same place.
"""

from __future__ import annotations

import re
from typing import Any, Callable, Optional, TypeVar

from flowlag.enrich import Enricher
from flowlag.instants import FIRST_US, LAST_US
from flowlag.interval import SECOND_US
from flowlag.tags import Tags

#: Entries of a memo, at most about 600 bytes each; forgotten all at once, as a search's events come in order of time.
MEMO_SIZE = 8192
#: Longer values are damaged or hostile: looked at each time anew, so that memos stay small.
LONGEST_KEY = 100

_TIMES = ("start", "end", "earliest", "latest", "time", "window_start", "window_end")
_FIRST, _LAST = str(FIRST_US // SECOND_US), str(LAST_US // SECOND_US)
_OFFSET = re.compile("<(-?[0-9]+)>")

Key = tuple[str, ...]
#: An answer with `%d` for the whole seconds of each time in it, and how far behind the start each of them lies.
Pattern = tuple[str, tuple[int, ...]]
V = TypeVar("V")


class Memo(dict[str, V]):
    """What a function of a text gives, computed when first asked for."""

    def __init__(self, find: Callable[[str], V]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, text: str) -> V:
        value = self._find(text)
        if len(text) <= LONGEST_KEY:
            if len(self) >= MEMO_SIZE:
                self.clear()
            self[text] = value
        return value


class Answers(dict[Key, str]):
    """Key -> answer. A key begins with start and end; the rest is what else the tags depend on.

    `judge` gives the tags of a key, `write` the text of tags, and `interface` the value of a key's text at `place`,
    where the interface stands if tags depend on it.
    """

    def __init__(
        self,
        enricher: Enricher,
        judge: Callable[[Key], Tags],
        write: Callable[[Tags], str],
        interface: Callable[[str], Optional[str]],
        place: Optional[int],
    ) -> None:
        super().__init__()
        self._likeness = enricher.likeness
        self._judge = judge
        self._write = write
        self._place = place
        self._seconds: Memo[Optional[int]] = Memo(_read_seconds)
        self._interfaces: Memo[Optional[str]] = Memo(interface)
        self._patterns: dict[tuple[Any, ...], Pattern] = {}

    def __missing__(self, key: Key) -> str:
        start_s, end_s = self._seconds[key[0]], self._seconds[key[1]]
        is_short = len("".join(key)) <= LONGEST_KEY
        if is_short and start_s is not None and end_s is not None:
            likeness = self._find_likeness(key, start_s, end_s)
            text, offsets_s = self._patterns.get(likeness) or self._add_pattern(likeness, key, start_s)
            answer = text % tuple([start_s + offset_s for offset_s in offsets_s])
        else:
            answer = self._write(self._judge(key))
        if is_short:
            if len(self) >= MEMO_SIZE:
                self.clear()
            self[key] = answer
        return answer

    def _find_likeness(self, key: Key, start_s: int, end_s: int) -> tuple[Any, ...]:
        """What keys of one pattern have in common: length, what the windows make of it, and all but the interface."""
        place = self._place
        if place is None:
            return (end_s - start_s, self._likeness(start_s, end_s, None), key[2:])
        alike = self._likeness(start_s, end_s, self._interfaces[key[place]])
        return (end_s - start_s, alike, key[2:place], key[place + 1 :])

    def _add_pattern(self, likeness: tuple[Any, ...], key: Key, start_s: int) -> Pattern:
        tags = self._judge(key)
        text = self._write(tags._replace(**{name: _relate(getattr(tags, name), start_s) for name in _TIMES}))
        pattern = _OFFSET.sub("%d", text), tuple(map(int, _OFFSET.findall(text)))
        if len(self._patterns) >= MEMO_SIZE:
            self._patterns.clear()
        self._patterns[likeness] = pattern
        return pattern


def _relate(time: str, start_s: int) -> str:
    whole, dot, decimals = time.partition(".")
    return f"<{int(whole) - start_s}>{dot}{decimals}" if whole else ""


def _read_seconds(text: str) -> Optional[int]:
    """A time in whole seconds, written as AWS does; None for anything else."""
    is_whole = len(text) == 10 and text.isdecimal() and text.isascii() and _FIRST <= text <= _LAST
    return int(text) if is_whole else None
