# SPDX-License-Identifier: Apache-2.0
"""flowlagmatch on the wire: CSV bytes of chunks in, CSV bytes of all pairs out.

An event is held as its original text, and goes out as the raw texts of its fields, so that values, quoting and the
`__mv_` twins of multivalues stay as they came. A column goes out only if some event of its side has a value in it: the
mixed stream has the columns of both sides, and a table with all of them twice would be mostly empty.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Callable, Optional

from flowlag.match.fields import ALL_FIELDS, fields_of
from flowlag.match.matcher import Matcher
from flowlag.splunk.columns import TWIN, Header, read_events, split_header
from flowlag.splunk.csv_bytes import cut_line_end, enquote, split_record

#: The fields of a flow go out with this prefix; of those that begin with `_`, only these two do.
FLOW_PREFIX = "flow_"
_INTERNAL = ("_time", "_raw")
#: For the names of columns, the names under which some are read too: other name -> name of the column.
FindAliases = Callable[[Sequence[str]], Mapping[str, str]]
_BARE = re.compile(r"[A-Za-z0-9]*")


class _Used:
    """The names of the columns in which some event of a side has a value."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._open: dict[int, list[tuple[str, int]]] = {}

    def note(self, number: int, header: Header, values: list[str]) -> None:
        """Check the columns of header `number` that had no value so far."""
        still_open = self._open.setdefault(number, list(header.places.items()))
        found = [name for name, place in still_open if place < len(values) and values[place]]
        if found:
            self.names.update(found)
            self._open[number] = [column for column in still_open if column[0] not in self.names]


class MatchTable:
    """Feeds the events of chunks to a Matcher, and writes its pairs."""

    def __init__(self, matcher: Matcher, find_aliases: Optional[Mapping[str, FindAliases]] = None) -> None:
        """`find_aliases` finds for each side, by the names of columns, those that are read under another name."""
        self._matcher = matcher
        self._find_aliases = find_aliases
        self._headers: list[Header] = []
        self._numbers: dict[str, int] = {}
        self._used = {"flow": _Used(), "anchor": _Used()}

    def feed(self, body: bytes, side: Optional[str] = None) -> None:
        """Take the events of one request body (CSV with a header line, or empty); `side` says what all of them are."""
        line, text = split_header(body)
        if not text:
            return
        number = self._number_of(cut_line_end(line)[0])
        feed = {None: self._matcher.feed, "flow": self._matcher.feed_flow, "anchor": self._matcher.feed_anchor}[side]
        for get, values, record in read_events(text, self._add_aliases(self._headers[number], side)):
            # the number of the header comes last, so that rows are ordered by their values
            taken = feed(get, f"{cut_line_end(record)[0]}\n{number}")
            if taken is not None:
                self._used[taken].note(number, self._headers[number], values)

    def _add_aliases(self, header: Header, side: Optional[str]) -> Header:
        """The header to read by, in which columns have other names too."""
        if self._find_aliases is None or side is None:
            return header
        aliases = self._find_aliases[side](header.names)
        reading = copy(header)
        reading.places = {**header.places, **{name: header.places[actual] for name, actual in aliases.items()}}
        return reading

    def close(self) -> bytes:
        """The reply body with all pairs; empty if there are none."""
        flows = [name for name in self._columns("flow") if _goes_out(name)]
        renamed = list(map(_rename, flows))
        taken = set(renamed)  # there may be thousands
        anchors = [name for name in self._columns("anchor") if name not in taken and not _is_match_field(name)]
        lines = list(self._lines(anchors, flows))
        if not lines:
            return b""
        header = ",".join(map(_quote, [*anchors, *renamed, *fields_of(self._matcher.settings)]))
        return "\n".join([header, *lines, ""]).encode("latin-1")

    def _columns(self, side: str) -> list[str]:
        """The used columns of a side, in the order of the headers."""
        names = dict.fromkeys(name for header in self._headers for name in header.places)
        return [name for name in names if name in self._used[side].names]

    def _lines(self, anchors: list[str], flows: list[str]) -> Iterator[str]:
        cells = {side: _Cells(self._headers, names) for side, names in (("anchor", anchors), ("flow", flows))}
        none = "," * len(flows)
        for match in self._matcher.close():
            anchor = cells["anchor"].of(match.anchor)
            flow = none if match.flow is None else cells["flow"].of(match.flow)
            yield (anchor + flow + "," + ",".join(match.tags))[1:]

    def _number_of(self, line: str) -> int:
        """The number of a header; a new one is read."""
        if line not in self._numbers:
            self._headers.append(Header(line))
            self._numbers[line] = len(self._headers) - 1
        return self._numbers[line]


class _Cells:
    """Reads the raw fields of one side's columns from a held row, each with a comma before it."""

    def __init__(self, headers: list[Header], names: list[str]) -> None:
        self._headers = headers
        self._names = names
        self._places: dict[int, list[Optional[int]]] = {}
        self._row = ""
        self._text = ""

    def of(self, row: str) -> str:
        """The fields of a row; the last ones are kept, because an anchor comes many times in a row."""
        if row != self._row or not self._row:
            record, _, number = row.rpartition("\n")
            fields = split_record(record)
            chosen = ("" if i is None or i >= len(fields) else fields[i] for i in self._places_in(int(number)))
            self._row, self._text = row, "".join("," + field for field in chosen)
        return self._text

    def _places_in(self, number: int) -> list[Optional[int]]:
        """The numbers of the columns under a header; found only for headers of rows that go out."""
        if number not in self._places:
            self._places[number] = list(map(self._headers[number].places.get, self._names))
        return self._places[number]


def _goes_out(name: str) -> bool:
    plain = name[len(TWIN) :] if name.startswith(TWIN) else name
    return not plain.startswith("_") or plain in _INTERNAL


def _rename(name: str) -> str:
    return TWIN + FLOW_PREFIX + name[len(TWIN) :] if name.startswith(TWIN) else FLOW_PREFIX + name


def _is_match_field(name: str) -> bool:
    return (name[len(TWIN) :] if name.startswith(TWIN) else name) in ALL_FIELDS


def _quote(name: str) -> str:
    """A name as splunkd writes it, with its UTF-8 bytes as Latin-1."""
    text = name.encode("utf-8", "surrogateescape").decode("latin-1")
    return text if _BARE.fullmatch(text) else enquote(text)
