# SPDX-License-Identifier: Apache-2.0
"""The windows that flowlagprofile learned: rows of a table in, the rule for a record's window out.

A row counts for records of its interface that lie in its span of time, or at most an interval away from it. The nearest
row wins; if tied, the later one. Rows of mode mixed or unknown do not count. Authority: docs/profile.md,
Learned windows.
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

#: The columns that are read; others may be there.
COLUMNS = ("interface_id", "timing_mode", "interval", "phase", "first_start", "last_end")
#: Rows kept of one interface, the latest. The shipped searches write about 30 a day; bounds what a record can cost.
MOST_ROWS = 1000

_FIRST_S, _LAST_S, _LONGEST_INTERVAL_S = FIRST_US // SECOND_US, LAST_US // SECOND_US, 3600
_HOUR_US = 3600 * SECOND_US
_COUNTING = frozenset(("grid", "batch", "flow"))
_IGNORED = frozenset(("mixed", "unknown"))


#: What was learned of one interface for a span of time: last_s, first_s, mode, interval_s, phase_s. A plain tuple,
#: since making thousands of them is what a search waits for; of two rows the later is greater.
_Row = tuple[int, int, str, int, int]


class LearnedWindows:
    """Looks up what was learned. `complaint` is the one sentence about what could not be used."""

    def __init__(self, rows: Mapping[str, list[_Row]] = MappingProxyType({}), complaint: Optional[str] = None) -> None:
        self.complaint = complaint
        self._rows = rows
        self._near = Memo(self._find_near, lambda place: len(place[0]))
        self._rules = Memo(_rule_of, len)

    @classmethod
    def from_rows(cls, table: Iterable[Sequence[str]], interval_us: int) -> LearnedWindows:
        """What the rows of a table say, its header first; `interval_us` counts where a row has none (batch, flow)."""
        lines = iter(table)
        header = list(next(lines, []))
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            return cls(complaint=f"it has no column {', '.join(missing)}, so that no window was learned")
        pick = itemgetter(*map(header.index, COLUMNS))
        default_s = interval_us // SECOND_US
        rows: dict[str, list[_Row]] = {}
        damaged = 0
        for cells in lines:  # in one piece, since each search waits for it
            try:
                interface, mode, interval, phase, first, last = pick(cells)
                if mode in _IGNORED:
                    continue
                interval_s, phase_s = (int(interval), int(phase)) if mode == "grid" else (default_s, 0)
                first_s, last_s = int(first), int(last)
            except (IndexError, ValueError):
                damaged += any(cells)  # an empty line is none
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
        return cls(rows, f"{damaged} of its rows cannot be read and are left out" if damaged else None)

    def find(self, interface: Optional[str], start_us: int, end_us: int) -> Optional[Rule]:
        """The rule that was learned for a record, None if nothing was."""
        best: Optional[tuple[int, _Row]] = None
        for row in self._near[interface or "", end_us // _HOUR_US]:
            last_s, first_s, _, interval_s, _ = row
            # how far the record reaches out of the row's span
            distance_us = max(0, first_s * SECOND_US - start_us, end_us - last_s * SECOND_US)
            if distance_us <= interval_s * SECOND_US and (best is None or distance_us <= best[0]):
                best = (distance_us, row)  # rows ascend: of two as near, the later
        return self._rules[best[1][2:]] if best else None

    def _find_near(self, place: tuple[str, int]) -> list[_Row]:
        """The rows of an interface that can count for a record ending in this hour; kept, since events share hours."""
        interface, hour = place
        opened_s, closed_s = hour * 3600, (hour + 1) * 3600
        rows = self._rows.get(interface, ())
        return [row for row in rows if row[0] + row[3] >= opened_s and row[1] - row[3] <= closed_s]


def _rule_of(lesson: tuple[str, int, int]) -> Rule:
    """The rule of a row's mode, interval_s and phase_s."""
    mode, interval_s, phase_s = lesson
    return Rule("profile", mode, interval_s * SECOND_US, phase_s * SECOND_US)
