# SPDX-License-Identifier: Apache-2.0
"""The blocks of whole records that a body is cut into, and the records of a block by columns.

A block is handled in one of two ways:

- split: if a block provably has no comma and no line end inside quotes (`Splitter`), it is cut at its commas, which is
  several times faster than csv.reader;
- read: csv.reader finds the values and the end of each record. This is always right.

Both keep the original lines, because these go out again, with something added at their end.
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

#: Bytes handled at a time: few enough for the processor's cache, many enough that the cost of a block is nothing.
BLOCK_SIZE = 64 * 1024

_CONTENT = bytes(set(range(256)) - set(b',"\r\n'))  # the bytes that are not part of the shape of a line
_MOST_SHAPES = 4096
_LONGEST_SHAPE = 4096


class Blocks:
    """A body that arrives in pieces cut anywhere, as blocks that end with a line.

    The line may end inside quotes. The reader of a block then notices that the last record goes on, and puts it back:
    nearly all blocks prove that none of their lines does, so that nobody has to count quotes to find a better end. A
    block that has no end, or was put back, doubles before it is examined again, so the work stays proportional to the
    body, however long a record is.
    """

    def __init__(self, pieces: Iterable[bytes], size: int) -> None:
        self._pieces = iter(pieces)
        self._size = size
        self._rest = b""
        self.is_last = False  # whether the current block is the end of the body

    def __iter__(self) -> Iterator[bytes]:
        while not self.is_last:
            block = self._next_block()
            if block:
                yield block

    def put_back(self, rest: bytes) -> None:
        """Put back the end of the current block, which belongs to the next one."""
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
    """The offset after the last LF, 0 if there is none."""
    return block.rfind(b"\n") + 1


class Splitter:
    """Proves that blocks below one header can be cut at their commas.

    splunkd sends the twin columns of multivalues last, and they are empty on most events, so lines end in the same
    tail, which is cut off with the line end. `width` is the number of columns before the tail.
    """

    def __init__(self, header: Header) -> None:
        self.width = max(1, 1 + max((i for i, name in enumerate(header.names) if not name.startswith(TWIN)), default=0))
        self._tail = "," * (len(header) - self.width) + "\n"
        self._columns = len(header)
        self._plain = Memo(self._is_plain, len, _MOST_SHAPES, _LONGEST_SHAPE)

    def split(self, block: bytes, text: str) -> Optional[SplitRecords]:
        """The records of a block if each is as wide as the header and none has a quoted comma or line end; else None.

        The shape of a line is its commas, quotes and line ends. Lines have few shapes, so each shape is examined once.
        """
        lines = text.split(self._tail)
        if lines.pop():  # the block does not end in the tail
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
        """Whether no field can contain the comma after it, because each has an even number of quotes."""
        quotes = shape.split(b",")
        is_even = all(len(run) % 2 == 0 for run in quotes)
        return len(quotes) == self._columns and is_even and b"\r" not in shape and len(shape) <= _LONGEST_SHAPE


class SplitRecords:
    """The records of a block that was split; `lines` do not have the tail, which is the same in all."""

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
        """The raw texts of record i's fields, without those in the tail."""
        return self.lines[i].split(",")

    def end_lines(self, endings: list[str]) -> list[str]:
        """The texts to add to the lines, with the line ends that the records had: here LF, which they have already."""
        return endings


class ReadRecords:
    """The records of any block; `rest` is the text of the last one if it goes on in the next block."""

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
        """The texts to add to the lines, with the line ends that the records had; a missing one becomes LF."""
        return [text if end == "\n" else text[:-1] + (end or "\n") for text, end in zip(endings, self._ends)]


Records = Union[SplitRecords, ReadRecords]
