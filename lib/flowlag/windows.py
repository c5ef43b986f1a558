# SPDX-License-Identifier: Apache-2.0
"""The aggregation window in which a record sat, if that is known: given, learned, filled by the record, or assumed.

A rule says how windows lie for a record. It is chosen in one place (`Rules`), and everything else follows from it: the
record's window (`place_window`), and which records have the same place in theirs (`moves_with`). Nothing is clock
aligned at AWS, so a window is never guessed unless the user asks for it. Authority: docs/model.md, Windows.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Optional

from flowlag.enrich_options import RESOLUTION_US, TOLERANCE_US, Settings
from flowlag.interval import Interval


class Window(NamedTuple):
    """A record's window and its place in it; everything is empty or None if nothing is known."""

    basis: str = ""
    position: str = ""
    bounds: Optional[Interval] = None
    offset_us: Optional[int] = None


class Rule(NamedTuple):
    """How windows lie for a record, and how that is known (`basis`: option, profile, or empty).

    `kind` is one of:
    - grid: windows open at `phase_us` of every interval;
    - batch: the record's own span is its window;
    - flow: every flow has stamps of its own, so there is no window;
    - record: a record that is as long as the interval fills a window;
    - assumed: the same, and the end of a shorter record closes one;
    - none.
    """

    basis: str
    kind: str
    interval_us: int = 0
    phase_us: int = 0


#: (interface, start, end in microseconds since the epoch) -> what was learned for the record, None if nothing was.
FindLearned = Callable[[Optional[str], int, int], Optional[Rule]]

UNKNOWN = Window()


class Rules:
    """The rules of a search: an option's, else a learned one, else what the record itself can tell.

    `all_move` says that the tags of every two records of one length differ in their times alone (see `moves_with`).
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


def _give_rule(settings: Settings) -> Rule:
    """The rule by the options alone."""
    if settings.windows == "none":
        return Rule("", "none")
    if settings.phase_us is not None:
        return Rule("option", "grid", settings.interval_us, settings.phase_us)
    return Rule("", "assumed" if settings.windows == "assumed" else "record", settings.interval_us)


def moves_with(rule: Rule, start_us: int) -> Any:
    """What two records of one length have in common if their tags differ in their times alone, under rules like this.

    By how much one record was moved against the other, by so much are the times in its tags. A window that the record
    itself tells moves along; on a grid the record's place in its window decides, wherever the windows open.
    """
    if rule.kind == "grid":
        return (rule.kind, rule.interval_us, (start_us - rule.phase_us) % rule.interval_us)
    return rule.kind


def place_window(recorded: Interval, rule: Rule) -> Window:
    """A record's window under a rule; UNKNOWN if the rule does not tell."""
    if rule.kind == "grid":
        return _locate(rule.basis, recorded, _grid_window(recorded, rule))
    if rule.kind == "batch":
        return Window(rule.basis, "full", Interval(recorded.start_us, recorded.end_us + RESOLUTION_US), 0)
    if rule.kind == "flow":
        return Window(rule.basis)
    return UNKNOWN if rule.kind == "none" else _own_window(recorded, rule)


def _own_window(recorded: Interval, rule: Rule) -> Window:
    """The window that a record fills by itself, or whose close its end is assumed to be."""
    if recorded.length_us > rule.interval_us:
        return Window("record", "multi")
    closed_us = recorded.end_us + RESOLUTION_US
    own = Interval(closed_us - rule.interval_us, closed_us)
    if recorded.length_us >= rule.interval_us - 2 * TOLERANCE_US:
        return Window("record", "full", own, _offset(recorded, own))
    return _locate("assumed", recorded, own) if rule.kind == "assumed" else UNKNOWN


def _grid_window(recorded: Interval, rule: Rule) -> Interval:
    """The grid's window that contains start + 1 s: busy interfaces start at the previous window's last second."""
    inside_us = recorded.start_us + TOLERANCE_US
    opened_us = inside_us - (inside_us - rule.phase_us) % rule.interval_us
    return Interval(opened_us, opened_us + rule.interval_us)


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
