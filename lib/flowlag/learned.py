# SPDX-License-Identifier: Apache-2.0
"""The windows that flowlagprofile learned, as rows of a table -> the window of a record.

A row counts for records of its interface that lie in its span of time, or less than an interval away from it; of
several the nearest one, then the later. Rows of mode mixed or unknown do not count. Authority: contract sections 1, 4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from types import MappingProxyType
from typing import Optional

from flowlag.instants import FIRST_US, LAST_US
from flowlag.interval import SECOND_US, Interval
from flowlag.timing import RESOLUTION_US
from flowlag.windows import Window, grid_window, locate

#: The columns that are read; others may be there.
COLUMNS = ("interface_id", "timing_mode", "interval", "phase", "first_start", "last_end")
#: Rows kept of one interface, the latest. The shipped searches write about 30 a day; bounds what a record can cost.
MOST_ROWS = 1000

_FIRST_S, _LAST_S, _LONGEST_INTERVAL_S = FIRST_US // SECOND_US, LAST_US // SECOND_US, 3600
_HOUR_US = 3600 * SECOND_US
_MOST_HOURS = 8192  # of all interfaces; forgotten all at once
_COUNTING = frozenset(("grid", "batch", "flow"))
_IGNORED = frozenset(("mixed", "unknown"))


#: What was learned of one interface for a span of time: last_s, first_s, mode, interval_s, phase_s. A plain tuple,
#: since making thousands of them is what a search waits for; of two rows the later is greater.
_Row = tuple[int, int, str, int, int]
#: The part of a row that says where windows lie: mode, interval_s, phase_s.
Lesson = tuple[str, int, int]


class LearnedWindows:
    """Looks up what was learned. `complaint` is the one sentence about what could not be used."""

    def __init__(self, rows: Mapping[str, list[_Row]] = MappingProxyType({}), complaint: Optional[str] = None) -> None:
        self.complaint = complaint
        self._rows = rows
        self._by_hour: dict[tuple[str, int], list[_Row]] = {}

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

    def __call__(self, interface: Optional[str], recorded: Interval) -> Optional[Window]:
        """The window of a record, None where nothing was learned."""
        lesson = self.find(interface, recorded.start_us, recorded.end_us)
        return _window(lesson, recorded) if lesson else None

    def find(self, interface: Optional[str], start_us: int, end_us: int) -> Optional[Lesson]:
        """What was learned that counts for a record, None where nothing was."""
        best: Optional[tuple[int, _Row]] = None
        for row in self._near(interface or "", end_us):
            last_s, first_s, _, interval_s, _ = row
            # how far the record reaches out of the row's span
            distance_us = max(0, first_s * SECOND_US - start_us, end_us - last_s * SECOND_US)
            if distance_us <= interval_s * SECOND_US and (best is None or distance_us <= best[0]):
                best = (distance_us, row)  # rows ascend: of two as near, the later
        return best[1][2:] if best else None

    def _near(self, interface: str, end_us: int) -> list[_Row]:
        """The rows of an interface that can count for a record ending in this hour; kept, since events share hours."""
        hour = end_us // _HOUR_US
        found = self._by_hour.get((interface, hour))
        if found is None:
            opened_s, closed_s = hour * 3600, (hour + 1) * 3600
            rows = self._rows.get(interface, ())
            found = [row for row in rows if row[0] + row[3] >= opened_s and row[1] - row[3] <= closed_s]
            if len(self._by_hour) >= _MOST_HOURS:
                self._by_hour.clear()
            self._by_hour[interface, hour] = found
        return found


def _window(lesson: Lesson, recorded: Interval) -> Window:
    """The window of a record in the mode that was learned."""
    mode, interval_s, phase_s = lesson
    if mode == "grid":
        return locate("profile", recorded, grid_window(recorded, interval_s * SECOND_US, phase_s * SECOND_US))
    if mode == "batch":
        own = Interval(recorded.start_us, recorded.end_us + RESOLUTION_US)
        return Window("profile", "full", own, 0)
    return Window("profile")
