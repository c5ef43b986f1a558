# SPDX-License-Identifier: Apache-2.0
"""The columns of a body: its header line, read once, and the events below it. All three tables stand on it.

Text holds one character per byte (Latin-1); names and values are decoded from UTF-8 where somebody looks at them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Callable, NamedTuple, Optional

from flowlag.splunk.csv_bytes import (
    close_record,
    cut_line_end,
    decode,
    read_records,
    scan_record,
    split_record,
    unquote,
)

#: A multivalue field's values stand in a second column, whose name begins with this.
TWIN = "__mv_"


class Header:
    """The header line of a body, without or with its line end."""

    def __init__(self, line: str) -> None:
        text, self.line_end = cut_line_end(line)
        self.line = line
        self.cells = split_record(text)
        self.names = [decode(unquote(cell)) for cell in self.cells]
        #: name -> its column; of two columns with one name, the first
        self.places: dict[str, int] = {}
        for place, name in enumerate(self.names):
            self.places.setdefault(name, place)

    def __len__(self) -> int:
        return len(self.cells)

    def places_of(self, names: Sequence[str]) -> tuple[int, ...]:
        """The columns of those names that are here, in the order of the names."""
        return tuple(self.places[name] for name in names if name in self.places)

    def fit(self, line: str) -> str:
        """A record's line with as many fields as the header has."""
        return ",".join([*split_record(line), *[""] * len(self)][: len(self)])


class Event(NamedTuple):
    """One event of a body: `get` gives a field's value by its name, `record` is the original text, line end included.

    `get` serves until the next event is taken.
    """

    get: Callable[[str], Optional[str]]
    values: list[str]
    record: str


def split_header(body: bytes) -> tuple[str, str]:
    """The header line of a body, line end included, and the text of all that follows."""
    text = body.decode("latin-1")
    start = scan_record(text, 0)
    return text[:start], text[start:]


def read_events(text: str, header: Header) -> Iterator[Event]:
    """The events of a body's text below its header; a quote that is open at the end is closed in the last record."""
    places, left = header.places, len(text)

    def get(name: str) -> Optional[str]:
        place = places.get(name)
        return None if place is None or place >= len(values) else decode(values[place])

    for values, record in read_records(text, 0):
        left -= len(record)
        yield Event(get, values, record if left else close_record(record))
