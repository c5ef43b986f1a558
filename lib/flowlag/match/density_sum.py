# SPDX-License-Identifier: Apache-2.0
"""The sum of the densities of many flows at any time, without a look at each flow.

The density of one flow's opening is made of straight pieces (opening_density.py), so the sum is too. It is held as what
changes at each time, and its value, slope and integral are added up once. Where a record opens and where it closes, the
density of its lags begins, once with each sign; so those of one time are counted together before the density is laid
out, which has up to 82 knots. Stamps are whole seconds, so there are no more such times than seconds.

That helps little if the flows have many densities, as those of a key can that thousands of interfaces see. Then each
density is laid out by fewer knots, which leaves every mass of lags within COARSE of what it is.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, repeat
from operator import add, mul
from typing import NamedTuple, Optional

from flowlag.interval import SECOND_US
from flowlag.lag_density import LagDensity, Pieces, uniform
from flowlag.match.candidates import Anchor, Flow
from flowlag.match.opening_density import find_record

#: Records are added second by second if so many seconds have one record or more.
DENSE = 10

#: So many different densities are laid out as they are.
MOST_DENSITIES = 8
#: If there are more, the mass of the lags below any lag may be wrong by so much.
COARSE = 0.01

#: Time in microseconds -> a sum.
Weights = dict[int, float]


class _Shape(NamedTuple):
    """What flows have in common whose records are equally long, and whose lags are equally likely.

    `opening`, `closing` and `rest` count records by the time where they do: time -> weight. At the cuts, where the flow
    becomes possible and where it no longer is, its density and the slope of that change by a jump and a bend.
    """

    weight: float
    opening: Weights
    rest: Optional[Weights]
    closing: Weights
    first: Optional[tuple[float, float]]
    last: tuple[float, float]


class DensitySum:
    """The sum for some flows; `within_us` is how far from its bounds a flow is still possible."""

    def __init__(self, flows: Sequence[Flow], within_us: int) -> None:
        self._is_coarse = len({flow.learned for flow in flows}) > MOST_DENSITIES
        self._within_us = within_us
        self._beyond_us = within_us + 1  # microseconds: possible up to within_us behind the end, and there too
        #: (density, first and last of its knots) -> where these are laid out, and how often
        self._laid: dict[tuple[LagDensity, int, int], Weights] = {}
        jumps, bends = self._count(flows)
        for (density, first, last), weights in self._laid.items():
            _lay_out(density.bends[first:last], weights, bends)
        times_us = sorted({*jumps, *bends})
        slopes = list(accumulate(bends.get(time_us, 0.0) for time_us in times_us))
        widths = [(after - before) / SECOND_US for before, after in zip(times_us, times_us[1:])]
        rises = [0.0, *map(mul, slopes, widths)]
        values = list(accumulate(rise + jumps.get(time_us, 0.0) for rise, time_us in zip(rises, times_us)))
        self._sum = Pieces(times_us, values, slopes)

    def at(self, anchor: Anchor) -> float:
        """The sum at the time of an anchor, or its average over the anchor's interval, per second."""
        begin_us, end_us = anchor
        if begin_us == end_us:
            return max(self._sum.at(begin_us), 0.0)
        return max(self._sum.area(end_us) - self._sum.area(begin_us), 0.0) / ((end_us - begin_us) / SECOND_US)

    def _count(self, flows: Iterable[Flow]) -> tuple[Weights, Weights]:
        """Count the records; the jumps and bends at their cuts."""
        jumps: Weights = {}
        bends: Weights = {}
        shapes: dict[tuple[object, int, int], _Shape] = {}
        for flow in flows:
            opens_us, closes_us = find_record(flow)
            key = (flow.learned, opens_us - flow.earliest_us, flow.latest_us - opens_us)
            if key not in shapes:
                density = flow.learned or uniform(key[1])
                shapes[key] = self._shape(
                    coarsen(density) if self._is_coarse else density, key[1], key[2], closes_us - opens_us
                )
            weight, opening, rest, closing, first, last = shapes[key]
            opening[opens_us] = opening.get(opens_us, 0.0) - weight
            if rest is not None:
                rest[opens_us] = rest.get(opens_us, 0.0) + weight
            closing[closes_us] = closing.get(closes_us, 0.0) + weight
            _change(flow.latest_us + self._beyond_us, last, jumps, bends)
            if first is not None:
                _change(flow.earliest_us - self._within_us, first, jumps, bends)
        return jumps, bends

    def _shape(self, density: LagDensity, lag_us: int, possible_us: int, length_us: int) -> _Shape:
        """Where the density is laid out: between the cuts, so of the opening less the rest that is behind the last.

        `possible_us` is how long after the opening the flow is possible, but for what is beyond.
        """
        weight = SECOND_US / length_us
        first_us, last_us = lag_us + self._within_us, -possible_us - self._beyond_us  # from the cuts to the opening
        before_opening, before_closing, behind_opening, behind_closing = (
            bisect_right(density.knots_us, lag)
            for lag in (first_us, first_us + length_us, last_us, last_us + length_us)
        )
        opening = self._laid.setdefault((density, 0, before_opening), {})
        rest = self._laid.setdefault((density, 0, behind_opening), {}) if behind_opening else None
        closing = self._laid.setdefault((density, behind_closing, before_closing), {})
        (rise, bend), (fall, unbend) = (_state(density, lag, lag + length_us, weight) for lag in (first_us, last_us))
        return _Shape(weight, opening, rest, closing, (rise, bend) if rise or bend else None, (-fall, -unbend))


def _state(density: LagDensity, opening_us: int, closing_us: int, weight: float) -> tuple[float, float]:
    """The density of a flow's opening, and its slope, where it has these lags to the record's ends."""
    value = density.below(closing_us) - density.below(opening_us)
    return value * weight, (density.slope_at(opening_us) - density.slope_at(closing_us)) * weight


def _change(time_us: int, change: tuple[float, float], jumps: Weights, bends: Weights) -> None:
    jumps[time_us] = jumps.get(time_us, 0.0) + change[0]
    bends[time_us] = bends.get(time_us, 0.0) + change[1]


@lru_cache(maxsize=4096)
def coarsen(density: LagDensity) -> LagDensity:
    """A density by as few of its knots as leave the mass of the lags below any lag within COARSE of what it is."""
    knots_us = density.knots_us
    masses = list(map(density.below, knots_us))
    kept, last = [0], len(knots_us) - 1
    while kept[-1] < last:
        first = kept[-1]
        kept.append(next(i for i in range(last, first, -1) if _is_near(knots_us, masses, first, i)))
    return LagDensity(
        [knots_us[i] for i in kept], [masses[after] - masses[before] for before, after in zip(kept, kept[1:])]
    )


def _is_near(knots_us: Sequence[int], masses: Sequence[float], first: int, last: int) -> bool:
    """Whether a straight line from one knot to another is near the masses at all between them."""
    slope = (masses[last] - masses[first]) / (knots_us[last] - knots_us[first])
    return all(
        abs(masses[first] + slope * (knots_us[i] - knots_us[first]) - masses[i]) <= COARSE
        for i in range(first + 1, last)
    )


def _lay_out(knots: Sequence[tuple[int, float]], weights: Weights, bends: Weights) -> None:
    """Add the bends at some knots of a density, wherever these are laid out."""
    knots = [(knot_us, bend) for knot_us, bend in knots if bend]
    if not knots or not weights:
        return
    first_us, last_us = min(weights), max(weights)
    seconds = (last_us - first_us) // SECOND_US + 1
    if DENSE * len(weights) > seconds and _are_whole(first_us, weights, knots):
        _lay_out_densely(knots, [weights.get(first_us + i * SECOND_US, 0.0) for i in range(seconds)], first_us, bends)
        return
    for knot_us, bend in knots:
        for time_us, weight in weights.items():
            at_us = time_us - knot_us
            bends[at_us] = bends.get(at_us, 0.0) + bend * weight


def _are_whole(first_us: int, weights: Weights, knots: Sequence[tuple[int, float]]) -> bool:
    """Whether all times, and all knots, are whole seconds apart."""
    return not any((time_us - first_us) % SECOND_US for time_us in weights) and not any(
        (knot_us - knots[0][0]) % SECOND_US for knot_us, _ in knots
    )


def _lay_out_densely(
    knots: Sequence[tuple[int, float]], weights: Sequence[float], first_us: int, bends: Weights
) -> None:
    """The same for one weight a second from `first_us` on, with C loops over all of them."""
    last_knot_us = knots[-1][0]
    total = [0.0] * (len(weights) + (last_knot_us - knots[0][0]) // SECOND_US)
    for knot_us, bend in knots:
        i = (last_knot_us - knot_us) // SECOND_US
        part = slice(i, i + len(weights))
        total[part] = map(add, total[part], map(mul, weights, repeat(bend)))
    for i, bend in enumerate(total):
        if bend:
            at_us = first_us - last_knot_us + i * SECOND_US
            bends[at_us] = bends.get(at_us, 0.0) + bend
