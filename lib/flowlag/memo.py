# SPDX-License-Identifier: Apache-2.0
"""Memos: bounded stores of what a function returned, so that it is computed once.

A memo is bounded in two ways. It forgets everything when it is full, because the events of a search come in order of
time; and it keeps nothing for keys that are too long, because long values are damaged or hostile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable, Optional, TypeVar

#: Entries of a memo, at most about 1 kB each.
SIZE = 8192
#: The longest key, in characters, for which a value is kept.
LONGEST = 100

K = TypeVar("K")
V = TypeVar("V")


class Bounded(dict[K, V]):
    """A dict of at most `size` entries."""

    def __init__(self, size: Optional[int] = None) -> None:
        super().__init__()
        self._size = SIZE if size is None else size

    def keep(self, key: K, value: V) -> None:
        """Add an entry; if there is no room for it, all others are forgotten."""
        if len(self) >= self._size:
            self.clear()
        self[key] = value


class Memo(Bounded[K, V]):
    """`memo[key]` is `find(key)`, computed once; `measure` gives the length of a key."""

    def __init__(
        self, find: Callable[[K], V], measure: Callable[[K], int], size: Optional[int] = None, longest: int = LONGEST
    ) -> None:
        super().__init__(size)
        self._find = find
        self._measure = measure
        self._longest = longest

    def __missing__(self, key: K) -> V:
        value = self._find(key)
        if self._measure(key) <= self._longest:
            self.keep(key, value)
        return value


def longest_of(texts: Sequence[Optional[str]]) -> int:
    """The length of the longest text."""
    return max(map(len, filter(None, texts)), default=0)
