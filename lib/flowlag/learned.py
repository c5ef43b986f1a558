# SPDX-License-Identifier: Apache-2.0
"""The windows that flowlagprofile learned: the rows of a table in, the rule for a record's window out.

A row counts for records of its interface that lie in its time span, or at most one interval outside it. The nearest row
wins; if tied, the later one. Rows of mode mixed or unknown do not count. Authority: docs/profile.md, Learned windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import Optional

from flowlag.instants import FIRST_US, LAST_US
from flowlag.interval import SECOND_US
from flowlag.memo import Memo
from flowlag.windows import Rule

#: The columns that are read; a table may have others.
COLUMNS = ("interface_id", "timing_mode", "interval", "phase", "first_start", "last_end")
#: Rows kept of one interface, the latest ones, which bounds the cost of a record. The shipped search writes one for
#: each change.
MOST_ROWS = 1000

_FIRST_S, _LAST_S, _LONGEST_INTERVAL_S = FIRST_US // SECOND_US, LAST_US // SECOND_US, 3600
_HOUR_US = 3600 * SECOND_US
_COUNTING = frozenset(("grid", "batch", "flow"))
_IGNORED = frozenset(("mixed", "unknown"))


#: One row of an interface: last_s, first_s, mode, interval_s, phase_s. A plain tuple, because each search waits until
#: thousands of them are made; the later of two rows is greater.
_Row = tuple[int, int, str, int, int]


class LearnedWindows:
    """Finds learned rules. `complaint` is one sentence about rows or a table that cannot be used."""

    def __init__(self, rows: Mapping[str, list[_Row]] = MappingProxyType({}), complaint: Optional[str] = None) -> None:
        self.complaint = complaint
        self._rows = rows
        self._near = Memo(self._find_near, lambda key: len(key[0]))

    @classmethod
    def from_rows(cls, table: Iterable[Sequence[str]], interval_us: int) -> LearnedWindows:
        """The windows in a table (header first); rows without an interval (batch, flow) get `interval_us`."""
        lines = iter(table)
        header = list(next(lines, []))
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            return cls(complaint=f"it has no column {', '.join(missing)}, so no learned window is used")
        pick = itemgetter(*map(header.index, COLUMNS))
        default_s = interval_us // SECOND_US
        rows: dict[str, list[_Row]] = {}
        damaged = 0
        for cells in lines:  # one loop without calls, because each search waits for it
            try:
                interface, mode, interval, phase, first, last = pick(cells)
                if mode in _IGNORED:
                    continue
                interval_s, phase_s = (int(interval), int(phase)) if mode == "grid" else (default_s, 0)
                first_s, last_s = int(first), int(last)
            except (IndexError, ValueError):
                damaged += any(cells)  # an empty line is not a row
                continue
            is_span = _FIRST_S <= first_s <= last_s <= _LAST_S
            if not (is_span and mode in _COUNTING and 0 <= phase_s < interval_s <= _LONGEST_INTERVAL_S):
                damaged += 1
                continue
            row = (last_s, first_s, mode, interval_s, phase_s)
            if interface in rows:
                rows[interface].append(row)
            elif interface:
                rows[interface] = [row]
        for interface, found in rows.items():
            found.sort()
            rows[interface] = found[-MOST_ROWS:]
        return cls(rows, f"rows that cannot be read and are left out: {damaged}" if damaged else None)

    def find(self, interface: Optional[str], start_us: int, end_us: int) -> Optional[Rule]:
        """The rule learned for a record, None if there is none."""
        found, nearest_us = None, 0
        for first_us, last_us, reach_us, rule in self._near[interface or "", end_us // _HOUR_US]:
            # how far the record extends beyond the row's time span
            distance_us = max(0, first_us - start_us, end_us - last_us)
            if distance_us <= reach_us and (found is None or distance_us <= nearest_us):
                found, nearest_us = rule, distance_us  # rows ascend: if tied, the later one
        return found

    def _find_near(self, key: tuple[str, int]) -> list[tuple[int, int, int, Rule]]:
        """The rows of an interface that can count for a record that ends in this hour: span, reach beyond it, rule."""
        interface, hour = key
        opened_s, closed_s = hour * 3600, (hour + 1) * 3600
        return [
            (
                first_s * SECOND_US,
                last_s * SECOND_US,
                interval_s * SECOND_US,
                Rule("profile", mode, interval_s, phase_s),
            )
            for last_s, first_s, mode, interval_s, phase_s in self._rows.get(interface, ())
            if last_s + interval_s >= opened_s and first_s - interval_s <= closed_s
        ]
