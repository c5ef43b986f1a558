# SPDX-License-Identifier: Apache-2.0
"""The lags that flowlaglearn learned: the rows of a table in, what a record may take from them out.

A row counts for records of its interface that do not start before its first anchor, nor more than a day after its last
one; of several, the later one. What it says is taken or nothing is: never the lag of another interface, nor that of
several together. Authority: docs/enrich.md, Likely bounds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from operator import itemgetter
from types import MappingProxyType
from typing import NamedTuple, Optional

from flowlag.instants import FIRST_US, LAST_US, parse_instant, parse_seconds
from flowlag.interval import SECOND_US, write_seconds
from flowlag.lag_density import BINS, FIRST_LAG_US, LagDensity
from flowlag.memo import Memo
from flowlag.tags import Tags

#: Confidence in percent -> the column with the lag that so many openings do not exceed.
COLUMN_OF = {"95": "lag_95", "99": "lag_99", "99.9": "lag_999"}
#: The columns that are read; a table may have others.
COLUMNS = ("interface_id", "anchors", *COLUMN_OF.values(), "density", "learned_from", "learned_to", "state")
#: Rows kept of one interface, the latest ones. The shipped search writes one. Bounds the cost of a record.
MOST_ROWS = 1000
#: So long after its last anchor a row still counts.
FRESH_US = 24 * 3600 * SECOND_US

_STATES = frozenset(("ok", "few", "drifting"))
_HOUR_US = _LONGEST_US = 3600 * SECOND_US
INTERFACE, ENVELOPE = "interface", "envelope"


class Bound(NamedTuple):
    """The lag that so many openings do not exceed, in microseconds, and from how many anchors it was learned."""

    lag_us: int
    anchors: str


class Span(NamedTuple):
    """The bound of an interface's records that start from the first time to the last; None if there is none."""

    first_us: int = FIRST_US
    last_us: int = LAST_US
    bound: Optional[Bound] = None


class _Row(NamedTuple):
    """What is held of a row: its last and first anchor, the bound asked for, and the text of the density."""

    to_us: int
    from_us: int
    bound: Optional[Bound]
    density: str


class LearnedLags:
    """Finds learned lags. `complaint` is one sentence about rows or a table that cannot be used."""

    def __init__(self, rows: Mapping[str, list[_Row]] = MappingProxyType({}), complaint: Optional[str] = None) -> None:
        self.complaint = complaint
        self._rows = rows
        self._near = Memo(self._find_near, lambda key: len(key[0]))
        self._edges = Memo(self._find_edges, len)
        self._densities: dict[str, LagDensity] = {}

    @classmethod
    def from_rows(cls, table: Iterable[Sequence[str]], confidence: Optional[str] = None) -> LearnedLags:
        """The lags in a table (header first): the bounds of this confidence or, without one, the densities."""
        lines = iter(table)
        header = list(next(lines, []))
        missing = find_missing(header)
        if missing:
            return cls(complaint=f"it has no column {', '.join(missing)}, so no learned lag is used")
        pick = itemgetter(*map(header.index, COLUMNS))
        rows: dict[str, list[_Row]] = {}
        damaged = 0
        for cells in lines:
            try:
                interface, row = _read_row(dict(zip(COLUMNS, pick(cells))), confidence)
            except (IndexError, ValueError):
                damaged += any(cells)  # an empty line is not a row
                continue
            if interface:
                rows.setdefault(interface, []).append(row)
        for interface, found in rows.items():
            found.sort(key=itemgetter(0, 1))
            rows[interface] = found[-MOST_ROWS:]
        return cls(rows, f"rows that cannot be read and are left out: {damaged}" if damaged else None)

    def find_bound(self, interface: Optional[str], start_us: int) -> Optional[Bound]:
        """The bound that was learned for a record, None if there is none or its interface's lags drift."""
        row = self._find(interface, start_us)
        return None if row is None else row.bound

    def find_span(self, interface: Optional[str], start_us: int) -> Span:
        """The bound that was learned for a record, and between which starts it is that of its interface."""
        edges_us = self._edges[interface or ""]
        i = bisect_right(edges_us, start_us)
        first_us = edges_us[i - 1] if i else FIRST_US
        last_us = edges_us[i] - 1 if i < len(edges_us) else LAST_US
        return Span(first_us, last_us, self.find_bound(interface, start_us))

    def _find_edges(self, interface: str) -> list[int]:
        """Where rows of an interface begin to count, and where they no longer do."""
        rows = self._rows.get(interface, ())
        return sorted({edge_us for row in rows for edge_us in (row.from_us, row.to_us + FRESH_US + 1)})

    def find_density(self, interface: Optional[str], start_us: int) -> Optional[LagDensity]:
        """The density that was learned for a record, always the same object for the same text; None if there is none.

        Lags that drift are no longer as they were learned, so they have none.
        """
        row = self._find(interface, start_us)
        if row is None or not row.density:
            return None
        if row.density not in self._densities:
            self._densities[row.density] = _make_density(row.density)
        return self._densities[row.density]

    def _find(self, interface: Optional[str], start_us: int) -> Optional[_Row]:
        for row in self._near[interface or "", start_us // _HOUR_US]:
            if row[1] <= start_us <= row[0] + FRESH_US:
                return row
        return None

    def _find_near(self, key: tuple[str, int]) -> list[_Row]:
        """The rows of an interface that can count for a record that starts in this hour, the latest first."""
        interface, hour = key
        begin_us, end_us = hour * _HOUR_US, (hour + 1) * _HOUR_US
        rows = reversed(self._rows.get(interface, ()))
        return [row for row in rows if row.to_us + FRESH_US >= begin_us and row.from_us < end_us]


def find_missing(header: Sequence[str]) -> list[str]:
    """The columns that a table lacks; a table that lacks one is none of learned lags."""
    return [name for name in COLUMNS if name not in header]


def add_likely(tags: Tags, interface: Optional[str], lags: Optional[LearnedLags]) -> Tags:
    """The tags of an ok record with its likely bounds: start - lag, if that leaves anything of the bounds; else these.

    The lag is that of its interface alone; where nothing holds that was learned of it, the hard bounds stay.
    """
    times_us = [parse_seconds(text) or 0 for text in (tags.start, tags.earliest, tags.latest)]
    start_us, earliest_us, latest_us = times_us
    bound = None if lags is None else lags.find_bound(interface, start_us)
    if bound is None or start_us - bound.lag_us >= latest_us:
        return tags._replace(likely_earliest=tags.earliest, likely_basis=ENVELOPE)
    earliest = write_seconds(max(start_us - bound.lag_us, earliest_us))
    return tags._replace(likely_earliest=earliest, likely_basis=INTERFACE, likely_anchors=bound.anchors)


def _read_row(cells: Mapping[str, str], confidence: Optional[str]) -> tuple[str, _Row]:
    """The interface of a row, and the row; raises ValueError if a cell is not as flowlaglearn writes it."""
    from_us, to_us = parse_instant(cells["learned_from"]), parse_instant(cells["learned_to"])
    state, anchors, density = cells["state"], cells["anchors"], cells["density"]
    if from_us is None or to_us is None or from_us > to_us or state not in _STATES or not _is_count(anchors):
        raise ValueError
    lags_us = {asked: _read_lag(cells[column]) for asked, column in COLUMN_OF.items()}
    holds = state != "drifting"
    if confidence is None:
        _read_masses(density)
        return cells["interface_id"], _Row(to_us, from_us, None, density if holds else "")
    lag_us = lags_us[confidence]
    bound = Bound(lag_us, str(int(anchors))) if lag_us is not None and holds else None
    return cells["interface_id"], _Row(to_us, from_us, bound, "")


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 15


def _read_lag(text: str) -> Optional[int]:
    if not text:
        return None
    lag_us = parse_seconds(text[1:] if text[0] == "-" else text)
    if lag_us is None or lag_us > _LONGEST_US:
        raise ValueError
    return -lag_us if text[0] == "-" else lag_us


def _read_masses(text: str) -> list[int]:
    parts = text.split()
    if len(parts) != BINS or not all(map(_is_count, parts)):
        raise ValueError
    masses = list(map(int, parts))
    if not any(masses):
        raise ValueError
    return masses


def _make_density(text: str) -> LagDensity:
    masses = _read_masses(text)
    total = sum(masses)
    knots_us = accumulate([SECOND_US] * BINS, initial=FIRST_LAG_US)
    return LagDensity(list(knots_us), [mass / total for mass in masses])
