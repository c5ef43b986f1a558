# SPDX-License-Identifier: Apache-2.0
"""What a function gives, kept: each answer is computed when it is first asked for.

A memo is bounded in both directions: it forgets everything when it is full, since a search's events come in order of
time; and it keeps no answer for a key that is too long, since long values are damaged or hostile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable, Optional, TypeVar

#: Entries of a memo, at most about 1 kB each.
SIZE = 8192
#: Characters of a value beyond which it is computed each time anew.
LONGEST = 100

K = TypeVar("K")
V = TypeVar("V")


class Bounded(dict[K, V]):
    """A dict of at most `size` entries."""

    def __init__(self, size: Optional[int] = None) -> None:
        super().__init__()
        self._size = SIZE if size is None else size

    def keep(self, key: K, value: V) -> None:
        """Add an entry; everything before it is forgotten if there is no room for it."""
        if len(self) >= self._size:
            self.clear()
        self[key] = value


class Memo(Bounded[K, V]):
    """`memo[key]` is `find(key)`, computed once; `is_short` tells the keys that are kept."""

    def __init__(self, find: Callable[[K], V], is_short: Callable[[K], bool], size: Optional[int] = None) -> None:
        super().__init__(size)
        self._find = find
        self._is_short = is_short

    def __missing__(self, key: K) -> V:
        value = self._find(key)
        if self._is_short(key):
            self.keep(key, value)
        return value


def is_short(text: str) -> bool:
    """Whether a text is short enough to be kept."""
    return len(text) <= LONGEST


def are_short(texts: Sequence[Optional[str]]) -> bool:
    """Whether all texts are short enough to be kept."""
    return all(text is None or len(text) <= LONGEST for text in texts)
