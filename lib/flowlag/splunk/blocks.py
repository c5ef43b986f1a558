# SPDX-License-Identifier: Apache-2.0
"""A body in blocks of whole records, and the records of a block by columns.

A block is handled in one of two ways:

- split: in a block that is proven to hold no comma and no line end inside quotes (`Splitter`), cutting at commas finds
  the fields, several times faster than csv.reader;
- read: csv.reader finds the values, and tells how far each record reaches. Always right.

Either way the original lines are kept, since what goes out is these with something behind them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Optional, Union

from flowlag.memo import Memo
from flowlag.splunk.columns import TWIN, Header
from flowlag.splunk.csv_bytes import (
    close_record,
    cut_line_end,
    is_whole,
    read_records,
    split_record,
    unquote,
)

#: Bytes handled at a time: few enough for the processor's cache, many enough that what a block costs is nothing.
BLOCK_SIZE = 128 * 1024

#: How many quotes find_cut steps over before it gives up: some milliseconds' work.
MOST_STEPS = 10_000

_CONTENT = bytes(set(range(256)) - set(b',"\r\n'))  # what the shape of a line leaves out
_MOST_SHAPES = 4096
_LONGEST_SHAPE = 4096


class Blocks:
    """A body that comes in pieces of any cut, as blocks that end where a record seems to end.

    Counting quotes misjudges a stray quote in a bare field. Whoever reads a block notices that its last record goes on,
    and puts it back. A block that has no end, or was put back, doubles before it is looked at again, so that the work
    stays in proportion to the body, however long a record is.
    """

    def __init__(self, pieces: Iterable[bytes], size: int) -> None:
        self._pieces = iter(pieces)
        self._size = size
        self._rest = b""
        self.is_last = False  # whether the block given out is the end of the body

    def __iter__(self) -> Iterator[bytes]:
        while not self.is_last:
            block = self._next_block()
            if block:
                yield block

    def put_back(self, rest: bytes) -> None:
        """The end of the block given out, which belongs to the next."""
        self._rest = rest + self._rest

    def _next_block(self) -> bytes:
        held, length = [self._rest], len(self._rest)
        self._rest = b""
        wanted = max(self._size, 2 * length)
        for piece in self._pieces:
            held.append(piece)
            length += len(piece)
            if length < wanted:
                continue
            block = b"".join(held)
            end = find_cut(block)
            if end:
                self._rest = block[end:]
                return block[:end]
            held, wanted = [block], 2 * length
        self.is_last = True
        return b"".join(held)


def find_cut(block: bytes) -> int:
    """Behind the last LF that has an even number of quotes before it, 0 when there is none within MOST_STEPS quotes.

    It goes back quote by quote, not LF by LF, since a quoted field may hold millions of them.
    """
    end = len(block)
    is_odd = block.count(b'"') % 2 == 1
    for _ in range(MOST_STEPS):
        quote = block.rfind(b'"', 0, end)
        line_end = -1 if is_odd else block.rfind(b"\n", quote + 1, end)
        if line_end >= 0:
            return line_end + 1
        if quote < 0:
            return 0
        end, is_odd = quote, not is_odd
    return 0


class Splitter:
    """Proves, for the bodies of one header, that a block can be cut at its commas.

    splunkd sends the twins of multivalues last, and empty on most events: with them each line ends in the same tail,
    which is cut off with the line end. `width` is the number of columns before it.
    """

    def __init__(self, header: Header) -> None:
        self.width = max(1, 1 + max((i for i, name in enumerate(header.names) if not name.startswith(TWIN)), default=0))
        self._tail = "," * (len(header) - self.width) + "\n"
        self._columns = len(header)
        self._plain = Memo(self._is_plain, len)

    def split(self, block: bytes, text: str) -> Optional[SplitRecords]:
        """The records of a block, if each is as wide as the header and none hides a comma or a line end; else None.

        A line's shape is what stays of it without all but commas, quotes and line ends. Lines have few shapes, so each
        is looked at once.
        """
        lines = text.split(self._tail)
        if lines.pop():  # there is no tail at the end
            return None
        bare = block.translate(None, _CONTENT)
        first = bare[: bare.index(b"\n") + 1]
        if bare == first * len(lines):
            shapes = {first[:-1]}
        elif bare.count(b"\n") == len(lines):
            shapes = set(bare[:-1].split(b"\n"))
        else:  # some line has another tail
            return None
        return SplitRecords(lines, self.width) if all(map(self._plain.__getitem__, shapes)) else None

    def _is_plain(self, shape: bytes) -> bool:
        """Whether no field can hold the comma behind it: each has an even number of quotes."""
        quotes = shape.split(b",")
        is_even = all(len(run) % 2 == 0 for run in quotes)
        return len(quotes) == self._columns and is_even and b"\r" not in shape and len(shape) <= _LONGEST_SHAPE


class SplitRecords:
    """The records of a plain block; `lines` are without the tail, which is the same in all."""

    def __init__(self, lines: list[str], width: int) -> None:
        self.lines = lines
        self._cells = ",".join(lines).split(",")
        self._width = width

    def column(self, place: int) -> list[str]:
        """The raw texts of a column."""
        return self._cells[place :: self._width] if place < self._width else [""] * len(self.lines)

    def has_empty(self, place: int) -> bool:
        """Whether a column is empty in some record."""
        column = self.column(place)
        return "" in column or '""' in column

    def value(self, i: int, place: int) -> str:
        """A value of record i."""
        return unquote(self._cells[i * self._width + place]) if place < self._width else ""

    def fields(self, i: int) -> list[str]:
        """The raw texts of record i's fields, as far as they are in its line."""
        return self.lines[i].split(",")

    def end_lines(self, endings: list[str]) -> list[str]:
        """What stands behind the lines, with the line ends that the records had: here LF, as it is written."""
        return endings


class ReadRecords:
    """The records of any block; `rest` is the last one's text if it goes on in the next block."""

    def __init__(self, header: Header, text: str, is_last: bool) -> None:
        self.lines: list[str] = []
        self.rest = ""
        self._rows: list[list[str]] = []
        self._ends: list[str] = []
        record = ""
        for values, record in read_records(text, 0):
            line, line_end = cut_line_end(record)
            if len(values) != len(header):
                values, line = [*values, *[""] * len(header)][: len(header)], header.fit(line)
            self._rows.append(values)
            self.lines.append(line)
            self._ends.append(line_end)
        if record and not is_whole(record):
            if is_last:
                self.lines[-1], self._ends[-1] = cut_line_end(close_record(record))
                self.lines[-1] = header.fit(self.lines[-1])
            else:
                self.rest = record
                del self._rows[-1], self.lines[-1], self._ends[-1]

    def column(self, place: int) -> list[str]:
        """The values of a column."""
        return [row[place] for row in self._rows]

    def has_empty(self, place: int) -> bool:
        """Whether a column is empty in some record."""
        return "" in self.column(place)

    def value(self, i: int, place: int) -> str:
        """A value of record i."""
        return self._rows[i][place]

    def fields(self, i: int) -> list[str]:
        """The raw texts of record i's fields."""
        return split_record(self.lines[i])

    def end_lines(self, endings: list[str]) -> list[str]:
        """What stands behind the lines, with the line ends that the records had; one that is missing is added."""
        return [text if end == "\n" else text[:-1] + (end or "\n") for text, end in zip(endings, self._ends)]


Records = Union[SplitRecords, ReadRecords]
