# SPDX-License-Identifier: Apache-2.0
"""The sum of the densities of many flows at any time, without a look at each flow.

The density of one flow's opening is made of straight pieces (lag_density.py), so the sum is too. It is held as what
changes at each time, and its value, slope and integral are added up once. Stamps are whole seconds, so a million flows
of a day have no more than a few hundred thousand such times, and those of an hour a few thousand.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate
from operator import mul
from typing import NamedTuple

from flowlag.candidates import Anchor, Flow
from flowlag.interval import SECOND_US
from flowlag.lag_density import Pieces, uniform


class _Change(NamedTuple):
    """At `after_us` behind the opening of a record: how its density, and the slope of that, change."""

    after_us: int
    jump: float
    bend: float


class DensitySum:
    """The sum for some flows; `within_us` is how far from its bounds a flow is still possible."""

    def __init__(self, flows: Iterable[Flow], within_us: int) -> None:
        jumps: dict[int, float] = {}
        bends: dict[int, float] = {}
        known: dict[tuple[int, int], list[_Change]] = {}
        for flow in flows:
            opens_us = flow.opens_us
            shape = (opens_us - flow.earliest_us, flow.latest_us - opens_us)
            if shape not in known:
                known[shape] = _changes(*shape, within_us)
            for after_us, jump, bend in known[shape]:
                time_us = opens_us + after_us
                jumps[time_us] = jumps.get(time_us, 0.0) + jump
                bends[time_us] = bends.get(time_us, 0.0) + bend
        times_us = sorted(jumps)
        slopes = list(accumulate(bends[time_us] for time_us in times_us))
        widths = [(after - before) / SECOND_US for before, after in zip(times_us, times_us[1:])]
        rises = [0.0, *map(mul, slopes, widths)]
        values = list(accumulate(rise + jumps[time_us] for rise, time_us in zip(rises, times_us)))
        self._sum = Pieces(times_us, values, slopes)

    def at(self, anchor: Anchor) -> float:
        """The sum at the time of an anchor, or its average over the anchor's interval, per second."""
        begin_us, end_us = anchor
        if begin_us == end_us:
            return max(self._sum.at(begin_us), 0.0)
        return max(self._sum.area(end_us) - self._sum.area(begin_us), 0.0) / ((end_us - begin_us) / SECOND_US)


def _changes(lag_us: int, length_us: int, within_us: int) -> list[_Change]:
    """The changes of the density of a record as long as `length_us`, up to where the flow is no longer possible."""
    density = uniform(lag_us)
    length = max(length_us, 1) / SECOND_US
    bends: dict[int, float] = {}
    for knot_us, before, behind in zip(density.knots_us, (0.0, *density.slopes), density.slopes):
        for end_us, sign in ((length_us, 1), (0, -1)):
            bends[end_us - knot_us] = bends.get(end_us - knot_us, 0.0) + sign * (behind - before) / length
    cut_us = length_us + within_us + 1  # microseconds: possible up to within_us behind the end, and there too
    inside = {after_us: bend for after_us, bend in bends.items() if after_us < cut_us}
    value = sum(bend * (cut_us - after_us) / SECOND_US for after_us, bend in inside.items())
    changes = [_Change(after_us, 0.0, bend) for after_us, bend in inside.items()]
    return [*changes, _Change(cut_us, -value, -sum(inside.values()))]
