# SPDX-License-Identifier: Apache-2.0
"""The timing mode of an interface: how it stamps its records, judged by the windows of its ok records.

      grid    ends lie on one second of the interval, its phase:     |-------|   |---|-------|-------|
      batch   flows share whole windows, which follow each other     |----|---|------||-----|  |---|
              without a phase and are shorter than the interval
      flow    every record has its own stamps, 0 or 1 s apart         ||   |     | ||      |    ||   |

Two mistakes are possible: to say too little, and to claim a window that is none. The thresholds avoid the second:
what is not clear is `mixed`, and what is not seen often enough is `unknown`.

Times are whole seconds, as AWS stamps them. Authority: docs/profile.md, Timing modes; 263 public records of 2016 to
2026, which have examples of every mode. Read 2026-11-25.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Optional

MODES = ("grid", "batch", "flow", "mixed", "unknown")

#: Distinct ends without which nothing is said: one window shows neither a phase nor that there is none.
MIN_WINDOWS = 2
#: Distinct ends that make a phase. Two share one of a minute by chance in 1 of 20 cases, three in 1 of 300.
MIN_ENDS = 3
#: Short intervals take more ends, so that chance gives them a common phase in less than 1 of 100 cases.
MOST_BY_CHANCE = 0.01
#: The share of ok records, and of distinct ends, that have to agree. One in five may disagree: records of a window that
#: was cut off, of a second flow log, of a new phase that is not yet seen on three ends.
MIN_SUPPORT = 0.8
#: A record of at most so many seconds has stamps of its own: none in the data seen shares them with another record.
LONGEST_OWN_S = 1
#: Ends nearer than the interval, which no grid has; a change of phase makes one, so that two are asked for a batch
#: (one where there are two ends in all, of which each phase would have seen one).
MIN_SHORT_GAPS = 2
#: The share of records that show a batch by themselves: they share their whole window, or have one packet and are long.
MIN_SHARED = 0.5
#: Ends without a phase fall together by chance, on this many and this share of them at most. More is a grid in part.
CHANCE_ENDS, CHANCE_SHARE = 1.5, 0.25
#: Windows longer than the interval, above this share: then the grid has another interval.
MOST_LONG = 0.5


class Span(NamedTuple):
    """The stamps of a record, or of a window that several records share."""

    start_s: int
    end_s: int

    @property
    def duration_s(self) -> int:
        """end - start, as AWS counts it."""
        return self.end_s - self.start_s


class Tally(NamedTuple):
    """How many ok records one window has, and how many of them have one packet."""

    records: int
    single: int = 0


Windows = Mapping[Span, Tally]


class Mode(NamedTuple):
    """A timing mode, the number of ok records that agree with it (None if nothing is known), and its phase."""

    name: str
    agreeing: Optional[int] = None
    phase_s: Optional[int] = None


UNKNOWN = Mode("unknown")


def judge_mode(windows: Windows, interval_s: int, minrecords: int) -> Mode:
    """The mode of an interface with these windows, whatever their order."""
    records = _count(windows)
    ends = sorted({span.end_s for span in windows})
    if records < minrecords or len(ends) < MIN_WINDOWS:
        return UNKNOWN
    own = _count({span: tally for span, tally in windows.items() if span.duration_s <= LONGEST_OWN_S})
    if own / records >= MIN_SUPPORT:
        return Mode("flow", own)
    phase_s = _best_phase(Counter(end % interval_s for end in ends), interval_s)
    on_grid = [end for end in ends if _is_on_phase(end, phase_s, interval_s)]
    grid_ends = set(on_grid)
    agreeing = _count({span: tally for span, tally in windows.items() if span.end_s in grid_ends})
    has_support = min(agreeing / records, len(on_grid) / len(ends)) >= MIN_SUPPORT
    if has_support and sum(span.duration_s > interval_s for span in windows) / len(windows) <= MOST_LONG:
        is_seen = _count_closes(on_grid, phase_s, interval_s) >= ends_needed(interval_s)
        return Mode("grid", agreeing, phase_s) if is_seen else UNKNOWN
    too_few = UNKNOWN if len(ends) < MIN_ENDS else Mode("mixed", max(own, agreeing))
    return _judge_batch(windows, ends, len(on_grid), interval_s) or too_few


def _judge_batch(windows: Windows, ends: Sequence[int], on_grid: int, interval_s: int) -> Optional[Mode]:
    """Batch if that is clear, unknown if only too few windows follow each other closely, else None."""
    records = _count(windows)
    long = {span: tally for span, tally in windows.items() if span.duration_s > LONGEST_OWN_S}
    agreeing = _count_disjoint(long)
    shared = sum(tally.records if tally.records > 1 else tally.single for tally in long.values())
    has_phase = on_grid > CHANCE_ENDS + CHANCE_SHARE * len(ends)
    if agreeing / records < MIN_SUPPORT or shared / records < MIN_SHARED or has_phase:
        return None
    short_gaps = sum(later - earlier < interval_s - 1 for earlier, later in zip(ends, ends[1:]))
    return Mode("batch", agreeing) if short_gaps >= min(MIN_SHORT_GAPS, len(ends) - 1) else UNKNOWN


def ends_needed(interval_s: int) -> int:
    """How many windows must end on one phase: n do so by chance with probability n * (2 / interval) ** (n - 1)."""
    if interval_s <= 2:
        return 1_000_000_000  # every end lies on the phase or a second before it
    count = MIN_ENDS
    while count * (2 / interval_s) ** (count - 1) >= MOST_BY_CHANCE:
        count += 1
    return count


def find_changes(ends: Iterable[int], interval_s: int) -> list[int]:
    """The ends at which another phase begins; each phase is seen on enough windows in a row (`ends_needed`).

    `ends` are distinct and ascending. Ends off the phase that do not make a new one belong to the phase before them.
    """
    if interval_s <= 2:  # every end lies on the phase
        return []
    needed = ends_needed(interval_s)
    changes: list[int] = []
    current: set[int] = set()  # residues of the current phase: one, or two neighbours
    run: list[int] = []  # the last ends off it that share a phase
    for end in ends:
        if current and _share_phase({*current, end % interval_s}, interval_s):
            current.add(end % interval_s)
            run = []
            continue
        run.append(end)
        while not _share_phase({other % interval_s for other in run}, interval_s):
            run.pop(0)
        residues = Counter(other % interval_s for other in run)
        if _count_closes(run, _best_phase(residues, interval_s), interval_s) >= needed:
            if current:
                changes.append(run[0])
            current, run = set(residues), []
    return changes


def _count(windows: Windows) -> int:
    return sum(tally.records for tally in windows.values())


def _best_phase(residues: Counter[int], interval_s: int) -> int:
    """The phase on which most ends lie: an end is stamped in the last second of a window, or a second later."""
    phases = {(residue + late) % interval_s for residue in residues for late in (0, 1)}
    return max(phases, key=lambda p: (residues[p] + residues[(p - 1) % interval_s], residues[(p - 1) % interval_s], -p))


def _is_on_phase(end_s: int, phase_s: int, interval_s: int) -> bool:
    return (end_s - phase_s) % interval_s in (0, interval_s - 1)


def _count_closes(ends: Iterable[int], phase_s: int, interval_s: int) -> int:
    """How many windows of the grid these ends close: two ends a second apart close the same window."""
    return len({(end + 1 - phase_s) // interval_s for end in ends})


def _share_phase(residues: set[int], interval_s: int) -> bool:
    """Whether ends at these seconds of the interval can share a phase: it is one second, or two neighbours."""
    if len(residues) < 2:
        return True
    low, high = min(residues), max(residues)
    return len(residues) == 2 and (high - low == 1 or high - low == interval_s - 1)


def _count_disjoint(windows: Windows) -> int:
    """The greatest number of records in windows that do not overlap (they may touch): batches follow each other."""
    spans = sorted(windows, key=lambda span: (span.end_s, span.start_s))
    ends = [span.end_s for span in spans]
    best = [0]  # best[i]: among the first i windows
    for i, span in enumerate(spans):
        before = bisect_right(ends, span.start_s, 0, i)
        best.append(max(best[i], best[before] + windows[span].records))
    return best[-1]
