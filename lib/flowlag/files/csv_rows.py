# SPDX-License-Identifier: Apache-2.0
"""CSV with a header line to rows: AWS names, or CloudWatch's `timestamp,message`, in the header."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from flowlag.errors import LimitError
from flowlag.files.limits import LONGEST_LINE, MOST_COLUMNS
from flowlag.files.rows import FOR_CSV, FROM_CSV, Row, RowReader, name_columns
from flowlag.words import names_columns, normalise_name, strip_blanks

#: The names of values that a row has beyond its header; the first is `surplus_1`.
SURPLUS = "surplus_"


def read_csv(lines: Iterable[str], reader: RowReader) -> Iterator[Row]:
    """The rows of CSV with a header; a repeated header, or another one with AWS names, is not a row.

    A row with another number of cells keeps all of them, but is not a record in this layout: its status is `other`.
    """
    first: list[str] = []
    names: list[str] = []
    is_spaced = False  # a blank after each comma, in the header and so in the rows
    for cells in _split_csv(lines):
        if isinstance(cells, str):
            yield Row({"_raw": cells}, is_other=True)
        elif _is_no_record(cells, first):
            continue
        elif not names or _is_header_row(cells):
            if len(cells) > MOST_COLUMNS:
                raise LimitError(
                    f"its header has {len(cells)} columns, and only {MOST_COLUMNS} can be read; leave some out"
                )
            first, names = [strip_blanks(cell) for cell in cells], name_columns(cells)
            is_spaced = len(cells) > 1 and all(cell.startswith(" ") for cell in cells[1:])
        else:
            values = [cell.removeprefix(" ") for cell in cells] if is_spaced else cells
            row = reader.read_fields(_name_cells(names, values))
            if row is not None:
                yield row if len(cells) == len(names) else row._replace(values=None, is_other=True)


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
