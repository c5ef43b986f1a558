# SPDX-License-Identifier: Apache-2.0
"""CSV with a header line to rows: AWS names, or CloudWatch's `timestamp,message`, in the header."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any, Optional

from flowlag.errors import LimitError
from flowlag.files.batches import Batch, Cells, gather
from flowlag.files.limits import LONGEST_LINE, MOST_COLUMNS
from flowlag.files.line_source import LineSource
from flowlag.files.rows import FOR_CSV, FROM_CSV, Row, RowReader, name_columns
from flowlag.words import names_columns, normalise_name, strip_blanks

#: The names of values that a row has beyond its header; the first is `surplus_1`.
SURPLUS = "surplus_"
#: Rows that are read at once; fewer if not all of them are alike, down to so many, which are then read one by one.
MOST_ROWS, FEWEST_ROWS = 4096, 16
_END = "\x01"  # a line behind the last one: if it is not a row of its own, a quote is open


def read_csv(source: LineSource, reader: RowReader) -> Iterator[Batch]:
    """The rows of CSV with a header; a repeated header, or another one with AWS names, is not a row.

    A row with another number of cells keeps all of them, but is not a record in this layout: its status is `other`.
    """
    table = _Table(reader)
    cells = _split_csv(source)
    most = MOST_ROWS
    while source.count():
        batch, taken = table.read_alike(source.look(most))
        if batch is not None:
            source.take(taken)
            yield batch
            most = min(2 * most, MOST_ROWS)
        elif most > FEWEST_ROWS:
            most //= 4
        else:
            yield from gather(table.read_rows(cells, source, most))
            most = 4 * FEWEST_ROWS


class _Table:
    """Reads the rows below the header that came last."""

    def __init__(self, reader: RowReader) -> None:
        self._reader = reader
        self._first: list[str] = []
        self._names: list[str] = []
        self._is_spaced = False  # a blank after each comma, in the header and so in the rows

    def read_rows(self, cells: Iterator[Any], source: LineSource, most: int) -> Iterator[Row]:
        """So many rows, one by one; fewer if no line is held behind one of them."""
        for _ in range(most):
            row = next(cells, None)
            if row is not None:
                yield from self._read_row(row)
            if row is None or not source.is_held:
                return

    def _read_row(self, cells: Any) -> Iterator[Row]:
        if isinstance(cells, str):
            yield Row({"_raw": cells}, is_other=True)
        elif _is_no_record(cells, self._first):
            return
        elif not self._names or _is_header_row(cells):
            self._set_header(cells)
        else:
            values = [cell.removeprefix(" ") for cell in cells] if self._is_spaced else cells
            row = self._reader.read_fields(_name_cells(self._names, values))
            if row is not None:
                yield row if len(cells) == len(self._names) else row._replace(values=None, is_other=True)

    def _set_header(self, cells: list[str]) -> None:
        if len(cells) > MOST_COLUMNS:
            raise LimitError(
                f"its header has {len(cells)} columns, and only {MOST_COLUMNS} can be read; leave some out"
            )
        self._first, self._names = [strip_blanks(cell) for cell in cells], name_columns(cells)
        self._is_spaced = len(cells) > 1 and all(cell.startswith(" ") for cell in cells[1:])

    def read_alike(self, lines: list[str]) -> tuple[Optional[Cells], int]:
        """The columns of lines whose rows are all records as wide as the header, and how many lines they have.

        None if that does not show: these are to be read row by row.
        """
        found = _split_alike(lines) if self._names and not self._is_spaced else None
        rows, taken = found or ([], 0)
        width = len(self._names)
        if not rows or set(map(len, rows)) != {width}:
            return None, 0
        columns = list(map(list, zip(*rows)))
        if not self._are_records(columns):
            return None, 0
        return Cells(self._reader, dict(zip(self._names, columns))), taken

    def _are_records(self, columns: list[list[str]]) -> bool:
        """Whether no row is blank or a header: there is a column in which only the header has what can be a name.

        In a header all are names of columns, or the first one is `version`.
        """
        if "version" in normalise_name(",".join(columns[0])):
            return False
        return any(
            not _is_no_name(name) and all(map(_is_no_name, set(column))) for name, column in zip(self._first, columns)
        )


def _is_no_name(cell: str) -> bool:
    """Whether a cell is certainly no name of a column: it begins with a digit, or has a blank in it."""
    return cell[:1].isdigit() or " " in strip_blanks(cell)


def _split_alike(lines: list[str]) -> Optional[tuple[list[list[str]], int]]:
    """The cells of whole rows, and how many lines these have; None for what the csv module does not read as it is."""
    text = "".join(lines)
    is_crlf = "\r" in text
    if "\0" in text or (is_crlf and not text.count("\r") == text.count("\r\n") == len(lines)):
        return None
    try:
        rows = list(csv.reader([*(lines if not is_crlf else [line[:-2] + "\n" for line in lines]), _END]))
    except csv.Error:
        return None
    last = rows.pop()
    left = 0 if last == [_END] else sum(cell.count("\n") for cell in last)
    if is_crlf and len(rows) + left != len(lines):  # a line end in a cell
        return None
    return rows, len(lines) - left


def _name_cells(names: list[str], cells: list[str]) -> dict[str, str]:
    """The cells of a row by name; cells beyond the header get their own names, missing ones are empty."""
    surplus = (f"{SURPLUS}{i}" for i in range(1, len(cells) - len(names) + 1))
    return dict(zip([*names, *surplus], [*cells, *[""] * (len(names) - len(cells))]))


def _is_no_record(cells: list[str], first: list[str]) -> bool:
    """Whether a row is a blank line, a comment before the header `first`, or this header again."""
    if len(cells) < 2 and not strip_blanks("".join(cells)):
        return True
    return cells[0].startswith("#") if not first else [strip_blanks(cell) for cell in cells] == first


def _is_header_row(cells: list[str]) -> bool:
    names = [normalise_name(cell) for cell in cells]
    return names[0] == "version" or names_columns(names)


def _split_csv(lines: Iterable[str]) -> Iterator[Any]:
    """The cells of each CSV record; text that the csv module cannot read comes line by line, each a str."""
    taken: list[str] = []
    length = 0

    def take() -> Iterator[str]:
        nonlocal length
        for line in lines:
            taken.append(line)
            length += len(line)
            if length > LONGEST_LINE:
                size = f"{LONGEST_LINE >> 20} MB"
                raise LimitError(f"one of its rows is longer than {size}; look for a quote that is never closed")
            yield line.translate(FOR_CSV)

    source = take()
    reader = csv.reader(source)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a field above csv.field_size_limit(), mostly because a quote is never closed
            yield from [line.rstrip("\r\n") for line in taken]
            reader = csv.reader(source)
        else:
            if cells and taken[-1].endswith("\r\n"):
                cells[-1] = cells[-1][:-1]
            yield [cell.translate(FROM_CSV) for cell in cells]
        taken.clear()
        length = 0
