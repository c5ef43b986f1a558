# SPDX-License-Identifier: Apache-2.0
"""The aggregation window of a record, if it is known: given, learned, filled by the record, or assumed.

A rule says how windows lie for a record. Only `Rules` chooses it, and all else follows from it: the window of the
record (`place_window`), and which records have the same position in theirs (`Rules.moves_with`). AWS aligns nothing to
the clock, so a window is never guessed unless the user asks for that. Authority: docs/model.md, Windows.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Optional

from flowlag.enrich_options import Settings
from flowlag.interval import SECOND_US, Interval
from flowlag.timing import RESOLUTION_US

#: Window positions have a tolerance of one second both ways (docs/model.md, Window position).
TOLERANCE_US = SECOND_US


class Window(NamedTuple):
    """A record's window and its position in it; everything is empty or None if nothing is known."""

    basis: str = ""
    position: str = ""
    bounds: Optional[Interval] = None
    offset_us: Optional[int] = None


class Rule(NamedTuple):
    """How windows lie for a record, and how that is known (`basis`: option, profile, or empty).

    `kind` is one of:
    - grid: windows open at `phase_s` of every interval;
    - batch: the window is the span of the record itself;
    - flow: every flow has its own stamps, so there is no window;
    - record: a record that is as long as the interval fills a window;
    - assumed: the same, and the end of a shorter record closes a window;
    - none.
    """

    basis: str
    kind: str
    interval_s: int = 0
    phase_s: int = 0


#: (interface, start, end in microseconds since the epoch) -> the rule learned for the record, None if there is none.
FindLearned = Callable[[Optional[str], int, int], Optional[Rule]]

UNKNOWN = Window()


class Rules:
    """The rules of a search: the one given by options, else a learned one, else the record decides.

    `all_move` says that the tags of any two records of the same length differ only in their times (see `moves_with`).
    """

    def __init__(self, settings: Settings, find_learned: Optional[FindLearned] = None) -> None:
        self._given = _give_rule(settings)
        self._find_learned = find_learned if self._given.kind in ("record", "assumed") else None
        self.all_move = self._find_learned is None and self._given.kind != "grid"

    def find(self, interface: Optional[str], start_us: int, end_us: int) -> Rule:
        """The rule for a record by its interface and its stamps in microseconds since the epoch."""
        if self._find_learned is None:
            return self._given
        return self._find_learned(interface, start_us, end_us) or self._given

    def moves_with(self, interface: Optional[str], start_s: int, end_s: int) -> Any:
        """A value that is equal for two records of the same length if their tags differ only in their times.

        Stamps are whole seconds here. The times in the tags differ by as much as the starts of the records. A window
        that follows from the record itself moves with it; on a grid, the position of the record in its window decides,
        wherever the windows open.
        """
        rule = self._given
        if self._find_learned is not None:
            rule = self._find_learned(interface, start_s * SECOND_US, end_s * SECOND_US) or rule
        _, kind, interval_s, phase_s = rule  # one look at the tuple, since this runs for each distinct record
        return (interval_s, (start_s - phase_s) % interval_s) if kind == "grid" else kind


def _give_rule(settings: Settings) -> Rule:
    """The rule that the options give."""
    interval_s = settings.interval_us // SECOND_US
    if settings.windows == "none":
        return Rule("", "none")
    if settings.phase_us is not None:
        return Rule("option", "grid", interval_s, settings.phase_us // SECOND_US)
    return Rule("", "assumed" if settings.windows == "assumed" else "record", interval_s)


def place_window(recorded: Interval, rule: Rule) -> Window:
    """A record's window by a rule; UNKNOWN if the rule gives none."""
    if rule.kind == "grid":
        return _locate(rule.basis, recorded, _grid_window(recorded, rule))
    if rule.kind == "batch":
        return Window(rule.basis, "full", Interval(recorded.start_us, recorded.end_us + RESOLUTION_US), 0)
    if rule.kind == "flow":
        return Window(rule.basis)
    return UNKNOWN if rule.kind == "none" else _own_window(recorded, rule)


def _own_window(recorded: Interval, rule: Rule) -> Window:
    """The window that a record fills by itself, or that its end is assumed to close."""
    interval_us, closed_us = rule.interval_s * SECOND_US, recorded.end_us + RESOLUTION_US
    if recorded.length_us > interval_us:
        return Window("record", "multi")
    own = Interval(closed_us - interval_us, closed_us)
    if recorded.length_us >= interval_us - 2 * TOLERANCE_US:
        return Window("record", "full", own, _offset(recorded, own))
    return _locate("assumed", recorded, own) if rule.kind == "assumed" else UNKNOWN


def _grid_window(recorded: Interval, rule: Rule) -> Interval:
    """The grid's window that contains start + 1 s: busy interfaces begin in the last second of the window before."""
    interval_us, inside_us = rule.interval_s * SECOND_US, recorded.start_us + TOLERANCE_US
    opened_us = inside_us - (inside_us - rule.phase_s * SECOND_US) % interval_us
    return Interval(opened_us, opened_us + interval_us)


def _locate(basis: str, recorded: Interval, bounds: Interval) -> Window:
    """The record's position in its window: full, head, tail, inside or multi."""
    beyond_us = recorded.end_us + RESOLUTION_US - bounds.end_us
    at_opening = recorded.start_us - bounds.start_us <= TOLERANCE_US
    at_close = abs(beyond_us) <= TOLERANCE_US
    if beyond_us > TOLERANCE_US:
        position = "multi"
    elif at_close:
        position = "full" if at_opening else "tail"
    else:
        position = "head" if at_opening else "inside"
    return Window(basis, position, bounds, _offset(recorded, bounds))


def _offset(recorded: Interval, bounds: Interval) -> int:
    return max(0, recorded.start_us - bounds.start_us)
