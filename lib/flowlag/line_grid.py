# SPDX-License-Identifier: Apache-2.0
"""Many lines at once: lines of equally many words as one grid, whose columns are slices.

To split each line costs more than everything else that is done with it. So lines are joined and split together; a word
that no line can have stands between them, and shows at the right distances that every line has the same width. Lines
with anything unusual in them are left to who reads line by line.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Optional

from flowlag.words import MOST_COLUMNS, is_header

#: What stands between lines: a line has no line end in it.
_BETWEEN = " \n "
_HEADS = frozenset("vV,")  # a header line begins with one of these
_UNUSUAL = ("  ", "\t", "\r", "\f", "\v", '"', "'", "{")


class Grid:
    """Lines of `width` words each, and the numbers of these lines."""

    def __init__(self, lines: Sequence[str], rows: Sequence[int], words: list[str], width: int) -> None:
        self.lines = lines
        self.rows = rows
        self.width = width
        self._words = words

    def column(self, place: int) -> list[str]:
        """The words of a column."""
        return self._words[place :: self.width + 1]

    def take(self, places: Sequence[int]) -> Grid:
        """The grid of some of the lines, by their places in this one."""
        if len(places) == len(self.rows):
            return self
        lines = [self.lines[place] for place in places]
        return Grid(lines, [self.rows[place] for place in places], _BETWEEN.join(lines).split(" "), self.width)

    def count(self, word: str) -> int:
        """How often a word stands in the lines."""
        return self._words.count(word)

    def words(self, place: int) -> list[str]:
        """The words of the line at a place in this grid."""
        first = place * (self.width + 1)
        return self._words[first : first + self.width]


class Picked:
    """Lines of equally many words between single blanks, and the columns from a first to a last place alone."""

    def __init__(self, lines: Sequence[str], width: int, first: int, last: int) -> None:
        self.lines = lines
        self._first = first
        if last < width - first:
            self._columns = list(zip(*[line.split(" ", last + 1) for line in lines]))[first : last + 1]
        else:
            self._columns = list(zip(*[line.rsplit(" ", width - first) for line in lines]))[first > 0 :]

    def column(self, place: int) -> Sequence[str]:
        """The words of a column."""
        return self._columns[place - self._first]


def find_width(lines: Sequence[str]) -> int:
    """How many words lines have, if all have as many, with single blanks between them, and none is a header; else 0."""
    blanks = {line.count(" ") for line in lines}
    width = blanks.pop() + 1 if len(blanks) == 1 else 0
    return width if width <= MOST_COLUMNS and _is_usual(lines, _BETWEEN.join(lines)) else 0


def make_grids(lines: Sequence[str]) -> Iterator[Grid]:
    """The grids of lines, one for each width, without header lines and lines that cannot be split at single blanks."""
    rows: Sequence[int] = range(len(lines))
    text = _BETWEEN.join(lines)
    if not _is_usual(lines, text):
        rows = [row for row in rows if _is_usual([lines[row]], lines[row])]
        lines = [lines[row] for row in rows]
        text = _BETWEEN.join(lines)
    grid = _make_grid(lines, rows, text) if lines else None
    if grid is not None:
        yield grid
        return
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for place, line in enumerate(lines):
        groups[line.count(" ")].append(place)
    for places in groups.values():
        part = [lines[place] for place in places]
        grid = _make_grid(part, [rows[place] for place in places], _BETWEEN.join(part))
        if grid is not None:
            yield grid


def _is_usual(lines: Sequence[str], text: str) -> bool:
    """Whether lines, joined in `text`, have single blanks only, no quotes and no braces, and none is a header line.

    A header line that does not begin with `version` has no stamp, so it is in no layout anyway.
    """
    if not text or not text.isascii() or text.count("\n") != len(lines) - 1 or any(mark in text for mark in _UNUSUAL):
        return False
    if text[0] == " " or text[-1] == " ":
        return False
    return _HEADS.isdisjoint({line[:1] for line in lines}) or not any(map(is_header, lines))


def _make_grid(lines: Sequence[str], rows: Sequence[int], text: str) -> Optional[Grid]:
    """The grid of lines, which `text` has with what stands between them, if all have the width of the first one."""
    width = lines[0].count(" ") + 1
    words = text.split(" ")
    if len(words) != len(lines) * (width + 1) - 1 or width > MOST_COLUMNS:
        return None
    is_even = words[width :: width + 1].count("\n") == len(lines) - 1
    return Grid(lines, rows, words, width) if is_even else None
