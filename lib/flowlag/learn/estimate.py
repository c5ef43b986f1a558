# SPDX-License-Identifier: Apache-2.0
"""The density of lags, estimated from anchors: each tells a range in which the lag of its record lies.

A record stamped [start, end + 1) that holds a packet of time t had a lag from start - t up to end + 1 - t. The density
is the one under which such ranges are likeliest (interval-censored; B. Turnbull, "The empirical distribution function
with arbitrarily grouped, censored and truncated data", Journal of the Royal Statistical Society B 38(3), 1976), with a
few pseudo-anchors of a prior, so that some anchors alone do not make a spike. It only ranks flows; no bound rests on
it. Authority: docs/learn.md, Density.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from math import floor, fsum

from flowlag.interval import SECOND_US
from flowlag.lag_density import BINS, FIRST_LAG_US

#: Rounds of expectation and maximization.
ROUNDS = 60
#: How many of the latest anchors count, and how many pseudo-anchors the prior is worth.
ESTATE_ANCHORS, ESTATE_PRIOR = 2000, 2.0
INTERFACE_ANCHORS, INTERFACE_PRIOR = 500, 5.0
#: What every lag gets, since the next one may be like none that was seen.
EVEN_SHARE = 0.02
#: In what the bins are written: parts of 1.
PARTS = 10_000

#: Lags in microseconds, from the first up to the second.
Range = tuple[int, int]


def estimate_estate(ranges: Sequence[Range]) -> list[float]:
    """The mass of each bin by the anchors of all interfaces, in the order of time."""
    even = [1 / BINS] * BINS
    return _finish(_estimate(ranges[-ESTATE_ANCHORS:], even, ESTATE_PRIOR))


def estimate(ranges: Sequence[Range], prior: Sequence[float]) -> list[float]:
    """The mass of each bin by the anchors of one interface, in the order of time; `prior` is the estate's."""
    return _finish(_estimate(ranges[-INTERFACE_ANCHORS:], prior, INTERFACE_PRIOR))


def write_density(masses: Sequence[float]) -> str:
    """Whole numbers with blanks between, as many as bins, that make PARTS together."""
    exact = [mass * PARTS for mass in masses]
    parts = list(map(floor, exact))
    by_rest = sorted(range(len(exact)), key=lambda i: (parts[i] - exact[i], i))
    for i in by_rest[: PARTS - sum(parts)]:
        parts[i] += 1
    return " ".join(map(str, parts))


def _estimate(ranges: Iterable[Range], prior: Sequence[float], weight: float) -> list[float]:
    """The masses after all rounds; a range beyond the bins tells nothing."""
    edges = [edge for edge in map(_place, ranges) if edge[0] < edge[1]]
    masses = list(prior)
    for _ in range(ROUNDS):
        expected = _expect(edges, masses)
        masses = [(weight * before + share * mass) / (weight + len(edges))
                  for before, share, mass in zip(prior, expected, masses)]  # fmt: skip
    return masses


def _place(lags: Range) -> tuple[float, float]:
    """Where a range begins and ends, in bins."""
    begin, end = ((lag_us - FIRST_LAG_US) / SECOND_US for lag_us in lags)
    return max(begin, 0.0), min(end, float(BINS))


def _expect(edges: Iterable[tuple[float, float]], masses: Sequence[float]) -> list[float]:
    """For each bin how many anchors have their lag in it, per mass of the bin.

    An anchor gives 1 / (mass of its range) to each bin in it, and of the bins at both ends the part that is in it. So
    it is enough to say where this begins and where it ends.
    """
    below = list(accumulate(masses, initial=0.0))
    steps = [0.0] * (BINS + 2)
    for begin, end in edges:
        first, last = int(begin), min(int(end), BINS - 1)
        first_part, last_part = begin - first, end - last
        mass = below[last] + last_part * masses[last] - below[first] - first_part * masses[first]
        if mass <= 0:
            continue
        share = 1 / mass
        steps[first] += share * (1 - first_part)
        steps[first + 1] += share * first_part
        steps[last] -= share * (1 - last_part)
        steps[last + 1] -= share * last_part
    return list(accumulate(steps[:BINS]))


def _finish(masses: Sequence[float]) -> list[float]:
    """Smoothed over three bins, with a little for every bin."""
    padded = [masses[0], *masses, masses[-1]]
    smooth = [fsum(padded[i : i + 3]) / 3 for i in range(BINS)]  # `sum` rounds otherwise since Python 3.12
    total = fsum(smooth)
    return [(1 - EVEN_SHARE) * mass / total + EVEN_SHARE / BINS for mass in smooth]
