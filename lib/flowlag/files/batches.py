# SPDX-License-Identifier: Apache-2.0
"""Batches: what is read from a file at once. Each gives its rows; lines and cells also as they are, many at a time.

The rows are the reference. Who can do without them reads the lines or the columns, and gets the same. A batch is used
before the next one is asked for, because reading rows may settle the layout of those that follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Optional, Union

from flowlag.files.paths import SOURCE
from flowlag.files.rows import Row, RowReader

#: How many rows that are read one by one are held, and how many characters they have until they are handed on.
MOST_HELD, LONGEST_HELD = 1000, 1024 * 1024
#: The texts of each column, by its name.
Columns = dict[str, list[str]]


class Rows:
    """Rows that were read one by one."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def rows(self) -> Sequence[Row]:
        """The rows."""
        return self._rows


class Lines:
    """Lines of text, each of which may be a record."""

    def __init__(self, reader: RowReader, lines: Sequence[str]) -> None:
        self.reader = reader
        self.lines = lines

    def __len__(self) -> int:
        return len(self.lines)

    def rows(self) -> Iterator[Row]:
        """The rows, read one by one."""
        return (row for row in map(self.reader.read_line, self.lines) if row is not None)

    def halves(self) -> tuple[Lines, Lines]:
        """The first lines and the last ones."""
        middle = len(self) // 2
        return Lines(self.reader, self.lines[:middle]), Lines(self.reader, self.lines[middle:])


class Cells:
    """The columns of rows with the same names, in the order of these; there is at least one column and one row."""

    def __init__(self, reader: RowReader, columns: Columns) -> None:
        self.reader = reader
        self.columns = columns

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def rows(self) -> Iterator[Row]:
        """The rows, read one by one."""
        names = list(self.columns)
        rows = (self.reader.read_fields(dict(zip(names, texts))) for texts in zip(*self.columns.values()))
        return (row for row in rows if row is not None)

    def halves(self) -> tuple[Cells, Cells]:
        """The first rows and the last ones."""
        middle = len(self) // 2
        first = {name: texts[:middle] for name, texts in self.columns.items()}
        last = {name: texts[middle:] for name, texts in self.columns.items()}
        return Cells(self.reader, first), Cells(self.reader, last)


Batch = Union[Rows, Lines, Cells]


def gather(rows: Iterable[Row]) -> Iterator[Rows]:
    """Rows in batches; if one of them cannot be read, those before it come first."""
    held: list[Row] = []
    length = 0
    try:
        for row in rows:
            held.append(row)
            length += sum(map(len, row.fields.values()))
            if len(held) >= MOST_HELD or length > LONGEST_HELD:
                yield Rows(held)
                held, length = [], 0
    except Exception:
        yield Rows(held)
        raise
    yield Rows(held)


def add_source(fields: dict[str, str], name: Optional[str]) -> dict[str, str]:
    """The fields with the file that they come from, unless they say so themselves, as Splunk's export does."""
    return fields if name is None or fields.get(SOURCE) else {**fields, SOURCE: name}


def list_rows(batches: Iterable[tuple[Batch, Optional[str]]]) -> Iterator[dict[str, str]]:
    """The fields of each row of batches, with their files."""
    return (add_source(row.fields, name) for batch, name in batches for row in batch.rows())
