# SPDX-License-Identifier: Apache-2.0
"""flowlagconnect on the wire: CSV bytes of chunks in, CSV bytes of all connections out.

splunkd sends every column that the command may read, most of them empty. So events are read by columns, a block at a
time (blocks.py): a column that has no value in the block is left aside, instead of being looked up for each event.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from operator import itemgetter
from typing import Callable, Optional

from flowlag.connect.connector import Connector
from flowlag.connect.options import ConnectSettings, Roles
from flowlag.connect.rows import CONNECT_FIELDS, MULTIVALUES, Row
from flowlag.fields import NO_VALUES, pick_text
from flowlag.splunk.blocks import BLOCK_SIZE, Blocks, ReadRecords, Records, Splitter
from flowlag.splunk.columns import TWIN, Header, split_header
from flowlag.splunk.csv_bytes import decode, quote, unquote

#: In capital and small letters.
_NO_VALUES = frozenset(
    "".join(letters) for word in NO_VALUES for letters in product(*((c, c.upper()) for c in word))
)  # fmt: skip
#: The fields whose text comes from events; no other needs quotes.
_FREE = tuple(map(CONNECT_FIELDS.index, ("src", "dest", "home", *MULTIVALUES)))
_COMMAS, _NO_TWINS = len(CONNECT_FIELDS) - 1, "," * len(MULTIVALUES)
_take_multivalues = itemgetter(*map(CONNECT_FIELDS.index, MULTIVALUES))


class ConnectTable:
    """Feeds the events of chunks to a Connector, and writes its rows."""

    def __init__(self, connector: Connector, block_size: int = BLOCK_SIZE) -> None:
        self._connector = connector
        self._block_size = block_size
        self._plan: Optional[_Plan] = None

    def feed(self, body: bytes) -> None:
        """Take the events of one request body (CSV with a header line, or empty)."""
        line, _ = split_header(body)
        if self._plan is None or self._plan.header.line != line:
            self._plan = _Plan(Header(line), self._connector.settings)
        size = self._block_size
        blocks = Blocks((body[i : i + size] for i in range(len(line), len(body), size)), size)
        for block in blocks:
            columns = self._plan.read(block, blocks)
            if columns.count:
                self._connector.take(self._find_columns(self._plan, columns))

    def close(self) -> bytes:
        """The reply body with all rows; empty if there are none."""
        lines = list(self._connector.close(_write_row))
        if not lines:
            return b""
        header = ",".join([*CONNECT_FIELDS, *(TWIN + name for name in MULTIVALUES)])
        return b"\n".join([header.encode(), *lines, b""])

    def _find_columns(self, plan: _Plan, columns: _Columns) -> list[Sequence[str]]:
        """The text of each record for each of Roles: that of its first column with a value."""
        found = []
        for role, places in zip(Roles._fields, plan.places):
            texts = columns.read(places, self._is_complete_protocol if role == "protocol" else _is_complete)
            if len(texts) > 1:
                pick = self._connector.pick_protocol if role == "protocol" else pick_text
                texts = [list(map(pick, *texts))]
            found.append(texts[0] if texts else [""] * columns.count)
        return found

    def _is_complete_protocol(self, texts: Sequence[str]) -> bool:
        return all(map(self._connector.pick_protocol, set(texts)))


class _Plan:
    """What follows from one header: how blocks are split, and the columns that are tried for each of Roles."""

    def __init__(self, header: Header, settings: ConnectSettings) -> None:
        self.header = header
        self.places = [header.places_of(names) for names in settings.roles]
        self._splitter = Splitter(header)

    def read(self, block: bytes, blocks: Blocks) -> _Columns:
        """The records of a block; the beginning of one that goes on in the next block is put back."""
        text = block.decode("latin-1")
        split = self._splitter.split(block, text)
        if split is not None:
            return _Columns(split, _unquote_ascii if block.isascii() else _unquote)
        records = ReadRecords(self.header, text, blocks.is_last)
        blocks.put_back(records.rest.encode("latin-1"))
        return _Columns(records, _decode_all)


class _Columns:
    """The records of a block by columns; `decode` makes values of their texts."""

    def __init__(self, records: Records, decode: Callable[[list[str]], list[str]]) -> None:
        self.count = len(records.lines)
        self._records = records
        self._decode = decode

    def read(self, places: Sequence[int], is_complete: Callable[[Sequence[str]], bool]) -> list[Sequence[str]]:
        """The columns of some places that have values, up to the first in which every record has one."""
        columns: list[Sequence[str]] = []
        for place in places:
            texts = self._records.column(place)
            if any(texts):
                columns.append(self._decode(texts))
                if len(places) == 1 or is_complete(columns[-1]):
                    break
        return columns


def _unquote(raw: list[str]) -> list[str]:
    """The values of raw texts without line ends."""
    text = "\n".join(raw)
    return decode(text).split("\n") if '"' not in text else list(map(decode, _unquote_ascii(raw)))


def _unquote_ascii(raw: list[str]) -> list[str]:
    """The same if all are ASCII: all at once if quotes do nothing but enclose values."""
    text = "\n".join(raw)
    quotes = text.count('"')
    if not quotes:
        return raw
    values = text[1:-1].split('"\n"')
    if quotes == 2 * len(values) and len(values) == len(raw) and text[0] == text[-1] == '"':
        return values
    enclosing = f"\n{text}\n"
    if '""' not in text and quotes == enclosing.count('\n"') + enclosing.count('"\n'):
        return text.replace('"', "").split("\n")
    return list(map(unquote, raw))


def _decode_all(texts: list[str]) -> list[str]:
    return list(map(decode, texts))


def _is_complete(texts: Sequence[str]) -> bool:
    """Whether every text is a value."""
    return _NO_VALUES.isdisjoint(texts)


def _write_row(row: Row) -> bytes:
    """A line of the reply, with the twin of each multivalue at its end."""
    line = ",".join(row)
    if line.count(",") == _COMMAS and not ('"' in line or "\n" in line or "\r" in line):  # as nearly all are
        return f"{line}{_NO_TWINS}".encode("utf-8", "replace")
    cells = [*row, *map(_write_twin, _take_multivalues(row))]
    for place in _FREE:
        cells[place] = quote(cells[place])
    return ",".join(cells).encode("utf-8", "replace")


def _write_twin(text: str) -> str:
    """The values of a multivalue in the notation of its twin column; empty if there is only one."""
    if "\n" not in text:
        return ""
    return quote(";".join([f"${value.replace('$', '$$')}$" for value in text.split("\n")]))
