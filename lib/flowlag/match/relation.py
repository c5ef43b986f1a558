# SPDX-License-Identifier: Apache-2.0
"""THE law of flowlagmatch: whether a flow and an anchor can belong together, if both times are intervals.

The flow lies in [fe, fl], the anchor in [ae, al]; both are closed, so that nothing is missed at an edge. The signed gap
"flow minus anchor" then lies somewhere in G. A relation holds for the gaps in its target range T (w = within):

      fe - al                       fl - ae
        [============= G ==============]                  overlap  T = [-w, w]
                 [==== T ====]                            before   T = [-w, 0)    the flow before the anchor
        ---------+-----+-----+--------------> gap         after    T = (0, w]     the flow after the anchor
                -w     0     w

possible: G meets T.  certain: G lies within T, so the relation holds wherever in their intervals the two happened.
share = |G and T| / |G|: the part of the possible gaps for which the relation holds; it ranks, it is no probability.

All numbers are whole microseconds, so an open end is one microsecond further in. Authority: docs/match.md, How a pair
is decided.
"""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """The range T: `first` and `last` are the outermost gaps in it, `low` and `high` its ends when it is measured."""

    first_us: int
    last_us: int
    low_us: int
    high_us: int

    @property
    def is_empty(self) -> bool:
        """Whether no gap lies in it, as for before and after within 0 seconds."""
        return self.first_us > self.last_us


def target_of(relation: str, within_us: int) -> Target:
    """The range of gaps of a relation: overlap, before or after."""
    if relation == "before":
        return Target(-within_us, -1, -within_us, 0)
    if relation == "after":
        return Target(1, within_us, 0, within_us)
    return Target(-within_us, within_us, -within_us, within_us)


def is_possible(gap_min_us: int, gap_max_us: int, target: Target) -> bool:
    """Whether the gaps from `gap_min_us` to `gap_max_us` meet the target."""
    return not target.is_empty and gap_min_us <= target.last_us and gap_max_us >= target.first_us


def is_certain(gap_min_us: int, gap_max_us: int, target: Target) -> bool:
    """Whether every gap from `gap_min_us` to `gap_max_us` lies in the target."""
    return gap_min_us >= target.first_us and gap_max_us <= target.last_us


def share_of(gap_min_us: int, gap_max_us: int, target: Target) -> float:
    """The share of possible gaps that lie in the target, 0 to 1; 1 if there is only one gap."""
    if gap_min_us == gap_max_us:
        return 1.0
    common_us = min(gap_max_us, target.high_us) - max(gap_min_us, target.low_us)
    return common_us / (gap_max_us - gap_min_us)
