# SPDX-License-Identifier: Apache-2.0
"""The columns of a body: its header line, and the events below it. All three tables use it.

A text has one character for each byte (Latin-1); names and values are decoded from UTF-8 only when they are needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Callable, Optional

from flowlag.fields import TWIN as TWIN  # for those that read columns
from flowlag.splunk.csv_bytes import (
    close_record,
    cut_line_end,
    decode,
    read_records,
    scan_record,
    split_record,
    unquote,
)


class Header:
    """The header line of a body, with or without its line end."""

    def __init__(self, line: str) -> None:
        text, self.line_end = cut_line_end(line)
        self.line = line
        self.cells = split_record(text)
        self.names = [decode(unquote(cell)) for cell in self.cells]
        #: name -> the number of its column; the first one if two have the same name
        self.places: dict[str, int] = {}
        for place, name in enumerate(self.names):
            self.places.setdefault(name, place)

    def __len__(self) -> int:
        return len(self.cells)

    def places_of(self, names: Sequence[str]) -> tuple[int, ...]:
        """The numbers of the columns with these names, in the order of the names; missing ones are left out."""
        return tuple(self.places[name] for name in names if name in self.places)

    def fit(self, line: str) -> str:
        """A record's line with as many fields as the header has."""
        return ",".join([*split_record(line), *[""] * len(self)][: len(self)])


#: One event of a body: what gives a field's value by its name (until the next event is taken), its values in the order
#: of the columns, and its original text, line end included. A plain tuple, because one is made for each event.
Event = tuple[Callable[[str], Optional[str]], list[str], str]


def split_header(body: bytes) -> tuple[str, str]:
    """The header line of a body with its line end, and the text after it."""
    text = body.decode("latin-1")
    start = scan_record(text, 0)
    return text[:start], text[start:]


def read_events(text: str, header: Header) -> Iterator[Event]:
    """The events in the text of a body below its header; if a quote is open at the end, the last record closes it."""
    places, left = header.places, len(text)

    def get(name: str) -> Optional[str]:
        place = places.get(name)
        return None if place is None or place >= len(values) else decode(values[place])

    for values, record in read_records(text, 0):
        left -= len(record)
        yield get, values, record if left else close_record(record)
