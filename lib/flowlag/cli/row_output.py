# SPDX-License-Identifier: Apache-2.0
"""The output of commands whose rows have fixed fields: a table of what matters most, CSV and JSON lines of all.

CSV is as the search command writes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Callable, Protocol, TypeVar

from flowlag.cli.view import EPOCH_VIEW, View, lay_out
from flowlag.splunk.csv_bytes import quote

T = TypeVar("T")
Row = Sequence[str]


class Close(Protocol):
    """Ends a command: gives what `write` makes of each row, so that no more of them is held."""

    def __call__(self, write: Callable[[Row], T], /) -> Iterator[T]:
        """These, in the order of the rows."""


class RowOutput:
    """Writes rows with these fields; `headings` are those of the table by their fields, `times` those with times."""

    def __init__(self, fields: Sequence[str], headings: Mapping[str, str], times: Sequence[str]) -> None:
        self._fields = fields
        self._headings = tuple(headings.values())
        self._places = tuple(map(fields.index, headings))
        self._times = times
        #: What `--output` may be.
        self.writers: dict[str, Callable[..., Iterator[str]]] = {
            "table": self._write_table,
            "csv": self._write_csv,
            "json": self._write_json,
        }

    def _write_csv(self, close: Close) -> Iterator[str]:
        """CSV; only a header line if there is no row."""
        yield ",".join(self._fields)
        yield from close(lambda row: ",".join(map(quote, row)))

    def _write_json(self, close: Close) -> Iterator[str]:
        """JSON lines, every value a string."""
        return close(lambda row: json.dumps(dict(zip(self._fields, row))))

    def _write_table(self, close: Close, view: View = EPOCH_VIEW) -> Iterator[str]:
        rows: Iterator[Row] = close(lambda row: [row[place] for place in self._places])
        return lay_out(self._headings, rows, view, self._times)
