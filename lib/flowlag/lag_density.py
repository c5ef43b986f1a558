# SPDX-License-Identifier: Apache-2.0
"""How likely each lag is: a density that is constant between knots, and its integrals.

Where nothing was learned, all lags up to the longest are alike. Authority: docs/match.md, Probability.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from operator import sub, truediv

from flowlag.interval import SECOND_US
from flowlag.timing import RESOLUTION_US

#: Stamps are sometimes before the packet, since a batch may begin before it. So much of the mass is on lags below 0 ...
EARLY_SHARE = 0.02
#: ... down to so many seconds.
EARLY_US = 20 * SECOND_US
#: What is learned is the mass of so many bins of one second, from FIRST_LAG_US on.
BINS, FIRST_LAG_US = 81, -EARLY_US


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
    """A density of lags, constant between knots (microseconds); `shares` are the masses between them, 1 in all.

    Two are equal if they are the same object, so each is made once.
    """

    def __init__(self, knots_us: Sequence[int], shares: Sequence[float]) -> None:
        self.knots_us = tuple(knots_us)
        widths = ((after - before) / SECOND_US for before, after in zip(knots_us, knots_us[1:]))
        #: The density behind each knot, per second.
        self.slopes: tuple[float, ...] = (*map(truediv, shares, widths), 0.0)
        self.peak = max(self.slopes)
        #: Each knot, and how the slope changes there.
        self.bends = list(zip(self.knots_us, map(sub, self.slopes, (0.0, *self.slopes))))
        mass = Pieces(self.knots_us, tuple(accumulate(shares, initial=0.0)), self.slopes)
        #: The mass of the lags below a lag, 0 to 1, and the integral of that.
        self.below, self.area = mass.at, mass.area

    def slope_at(self, lag_us: int) -> float:
        """The density just behind a lag, per second."""
        i = bisect_right(self.knots_us, lag_us) - 1
        return self.slopes[i] if i >= 0 else 0.0


@lru_cache(maxsize=64)
def uniform(lag_us: int) -> LagDensity:
    """All lags from 0 to `lag_us` alike, and a little mass below 0; no lag at all counts as one of up to a second."""
    return LagDensity((-EARLY_US, 0, lag_us or RESOLUTION_US), (EARLY_SHARE, 1 - EARLY_SHARE))
