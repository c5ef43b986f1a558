# SPDX-License-Identifier: Apache-2.0
"""flowlagconnect on the wire: CSV bytes of chunks in, CSV bytes of all connections out.

splunkd sends every column that the command may read, most of them empty. So events are read by columns, a batch at a
time: a column without a value in the batch is left aside, instead of being looked up for each event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat
from typing import Optional

from flowlag.connect import CONNECT_FIELDS, MULTIVALUES, Connector, Row
from flowlag.connect_options import Roles
from flowlag.fields import has_value
from flowlag.splunk.columns import TWIN, Header, split_header
from flowlag.splunk.csv_bytes import decode, quote, read_records

#: Events that are read by columns at a time.
BATCH = 1000

_PLACES = tuple(map(CONNECT_FIELDS.index, MULTIVALUES))


class ConnectTable:
    """Feeds the events of chunks to a Connector, and writes its rows."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector

    def feed(self, body: bytes) -> None:
        """Take the events of one request body (CSV with a header line, or empty)."""
        line, text = split_header(body)
        header = Header(line)
        places = [header.places_of(names) for names in self._connector.settings.roles]
        rows = (values for values, _ in read_records(decode(text), 0))
        while batch := list(islice(rows, BATCH)):
            for texts in self._read_columns(_turn(batch, len(header)), places):
                self._connector.take(texts)

    def close(self) -> bytes:
        """The reply body with all rows; empty if there are none."""
        lines = list(self._connector.close(_write_row))
        if not lines:
            return b""
        header = ",".join([*CONNECT_FIELDS, *(TWIN + name for name in MULTIVALUES)])
        return "\n".join([header, *lines, ""]).encode("utf-8", "replace")

    def _read_columns(
        self, columns: Sequence[Sequence[str]], places: Iterable[Sequence[int]]
    ) -> Iterator[tuple[Optional[str], ...]]:
        """The texts of each event, in the order of Roles."""
        roles: list[Iterable[Optional[str]]] = []
        for role, wanted in zip(Roles._fields, places):
            given = [columns[place] for place in wanted if any(columns[place])]
            if len(given) == 1:
                roles.append(given[0])
            elif given:
                roles.append(map(self._connector.pick_protocol if role == "protocol" else _pick, *given))
            else:
                roles.append(repeat(None))
        return zip(*roles)


def _turn(rows: Sequence[Sequence[str]], width: int) -> list[Sequence[str]]:
    """The columns of some rows; a row that is not as wide as the header is cut, or filled with empty texts."""
    if any(len(row) != width for row in rows):
        rows = [[*row, *[""] * width][:width] for row in rows]
    return list(zip(*rows))


def _pick(*texts: str) -> Optional[str]:
    """The first text that is a value."""
    return next(filter(has_value, texts), None)


def _write_row(row: Row) -> str:
    """A line of the reply, with the twin of each multivalue at its end."""
    return ",".join([*map(quote, row), *(quote(_write_twin(row[place])) for place in _PLACES)])


def _write_twin(text: str) -> str:
    """The values of a multivalue in the notation of its twin column; empty if there is only one."""
    if "\n" not in text:
        return ""
    return ";".join(f"${value.replace('$', '$$')}$" for value in text.split("\n"))
