# SPDX-License-Identifier: Apache-2.0
"""How likely each lag is, and with it how dense the opening of a flow is at the time of an anchor.

A flow whose record is stamped [s, L) and whose lag was y opened at a time t with s <= t + y < L. So the density of its
opening at t is the mass of the lags from s - t to L - t, over the length of the record:

    density(t) = (below(L - t) - below(s - t)) / (L - s)

An anchor that is an interval gets the average over it. The density is 0 where the flow is impossible.
Authority: docs/match.md, Probability.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from operator import truediv

from flowlag.candidates import Anchor, Flow
from flowlag.interval import SECOND_US
from flowlag.timing import RESOLUTION_US

#: Stamps are sometimes before the packet, since a batch may begin before it. So much of the mass is on lags below 0 ...
EARLY_SHARE = 0.02
#: ... down to so many seconds.
EARLY_US = 20 * SECOND_US


class Pieces:
    """A function of time that is made of straight pieces, and its integral; 0 before the first knot (microseconds).

    `values` and `slopes` (per second) are those at each knot and behind it.
    """

    def __init__(self, knots_us: Sequence[int], values: Sequence[float], slopes: Sequence[float]) -> None:
        self._knots_us = knots_us
        self._values = values
        self._slopes = slopes
        widths = ((after - before) / SECOND_US for before, after in zip(knots_us, knots_us[1:]))
        areas = (width * (value + slope * width / 2) for width, value, slope in zip(widths, values, slopes))
        self._areas: list[float] = list(accumulate(areas, initial=0.0))

    def at(self, time_us: int) -> float:
        """The value at a time."""
        i = bisect_right(self._knots_us, time_us) - 1
        return self._values[i] + self._slopes[i] * (time_us - self._knots_us[i]) / SECOND_US if i >= 0 else 0.0

    def area(self, time_us: int) -> float:
        """The integral up to a time, in seconds."""
        i = bisect_right(self._knots_us, time_us) - 1
        if i < 0:
            return 0.0
        rest = (time_us - self._knots_us[i]) / SECOND_US
        return self._areas[i] + rest * (self._values[i] + self._slopes[i] * rest / 2)


class LagDensity:
    """A density of lags, constant between knots (microseconds); `shares` are the masses between them, 1 in all."""

    def __init__(self, knots_us: Sequence[int], shares: Sequence[float]) -> None:
        self.knots_us = tuple(knots_us)
        widths = ((after - before) / SECOND_US for before, after in zip(knots_us, knots_us[1:]))
        #: The density behind each knot, per second.
        self.slopes: tuple[float, ...] = (*map(truediv, shares, widths), 0.0)
        self.peak = max(self.slopes)
        mass = Pieces(self.knots_us, tuple(accumulate(shares, initial=0.0)), self.slopes)
        #: The mass of the lags below a lag, 0 to 1, and the integral of that.
        self.below, self.area = mass.at, mass.area


@lru_cache(maxsize=64)
def uniform(lag_us: int) -> LagDensity:
    """All lags from 0 to `lag_us` alike, and a little mass below 0; no lag at all counts as one of up to a second."""
    return LagDensity((-EARLY_US, 0, lag_us or RESOLUTION_US), (EARLY_SHARE, 1 - EARLY_SHARE))


def density_at(flow: Flow, anchor: Anchor, within_us: int) -> float:
    """The density of a flow's opening at the time of an anchor, per second.

    `within_us` is how far from its bounds the flow is still possible.
    """
    begin_us, end_us = anchor
    opens_us, closes_us = flow.opens_us, flow.latest_us
    last_us = min(end_us, closes_us + within_us)
    if begin_us > last_us:
        return 0.0
    density = uniform(opens_us - flow.earliest_us)
    length = max(closes_us - opens_us, 1) / SECOND_US
    if begin_us == end_us:
        return (density.below(closes_us - begin_us) - density.below(opens_us - begin_us)) / length
    area = density.area
    over = area(closes_us - begin_us) - area(closes_us - last_us) - area(opens_us - begin_us) + area(opens_us - last_us)
    return max(over, 0.0) / length / ((end_us - begin_us) / SECOND_US)
