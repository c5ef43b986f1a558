# SPDX-License-Identifier: Apache-2.0
"""The lags that flowlaglearn learned: the rows of a table in, what a record may take from them out.

A row counts for records of its interface that do not start before its first anchor, nor more than a day after its last
one; of several, the later one. What it says is taken or nothing is: never the lag of another interface, nor that of
several together. Authority: docs/enrich.md, Likely bounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Optional

from flowlag.instants import parse_instant
from flowlag.interval import SECOND_US, Interval
from flowlag.lag_estimate import BINS, FIRST_US
from flowlag.memo import Memo

if TYPE_CHECKING:
    from flowlag.lag_density import LagDensity

#: Confidence in percent -> the column with the lag that so many openings do not exceed.
COLUMN_OF = {"95": "lag_95", "99": "lag_99", "99.9": "lag_999"}
#: The columns that are read; a table may have others.
COLUMNS = ("interface_id", "anchors", *COLUMN_OF.values(), "density", "learned_from", "learned_to", "state")
#: Rows kept of one interface, the latest ones. The shipped search writes one. Bounds the cost of a record.
MOST_ROWS = 1000
#: So long after its last anchor a row still counts.
FRESH_US = 24 * 3600 * SECOND_US

_STATES = frozenset(("ok", "few", "drifting"))
_LAG = re.compile(r"-?[0-9]{1,4}(?:\.[0-9]{1,12})?")
_HOUR_US = 3600 * SECOND_US
INTERFACE, ENVELOPE = "interface", "envelope"


class Bound(NamedTuple):
    """The lag that so many openings do not exceed, in microseconds, and from how many anchors it was learned."""

    lag_us: int
    anchors: str


class Likely(NamedTuple):
    """Since when a packet that opened a connection is likely to have passed, and how that is known."""

    earliest_us: int
    basis: str
    anchors: str


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
        self._densities: dict[str, LagDensity] = {}

    @classmethod
    def from_rows(cls, table: Iterable[Sequence[str]], confidence: Optional[str] = None) -> LearnedLags:
        """The lags in a table (header first): the bounds of this confidence or, without one, the densities."""
        lines = iter(table)
        header = list(next(lines, []))
        missing = [name for name in COLUMNS if name not in header]
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


def place_likely(start_us: int, envelope: Interval, bound: Optional[Bound]) -> Likely:
    """The likely earliest time of a record: start - lag, if that leaves anything of its envelope; else the envelope."""
    if bound is None or start_us - bound.lag_us >= envelope.end_us:
        return Likely(envelope.start_us, ENVELOPE, "")
    return Likely(max(start_us - bound.lag_us, envelope.start_us), INTERFACE, bound.anchors)


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
    if not _LAG.fullmatch(text):
        raise ValueError
    return round(float(text) * SECOND_US)


def _read_masses(text: str) -> list[int]:
    parts = text.split()
    if len(parts) != BINS or not all(map(_is_count, parts)):
        raise ValueError
    masses = list(map(int, parts))
    if not any(masses):
        raise ValueError
    return masses


def _make_density(text: str) -> LagDensity:
    from flowlag.lag_density import LagDensity  # only a search that ranks by it pays for the import

    masses = _read_masses(text)
    total = sum(masses)
    knots_us = accumulate([SECOND_US] * BINS, initial=FIRST_US)
    return LagDensity(list(knots_us), [mass / total for mass in masses])
