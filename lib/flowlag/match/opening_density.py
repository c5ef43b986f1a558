# SPDX-License-Identifier: Apache-2.0
"""How dense the opening of a flow is at the time of an anchor.

A flow whose record is stamped [s, L) and whose lag was y opened at a time t with s <= t + y < L. So the density of its
opening at t is the mass of the lags from s - t to L - t, over the length of the record:

    density(t) = (below(L - t) - below(s - t)) / (L - s)

An anchor that is an interval gets the average over it. The density is 0 where the flow is impossible. A record without
length, which no flow log has, counts as one of a second, the resolution of stamps.
Authority: docs/match.md, Probability.
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import mul

from flowlag.interval import SECOND_US
from flowlag.lag_density import EARLY_SHARE, EARLY_US, LagDensity, uniform
from flowlag.match.candidates import Anchor, Flow
from flowlag.timing import RESOLUTION_US


def find_record(flow: Flow) -> tuple[int, int]:
    """From when on and before when a record is stamped, in microseconds; never the same."""
    opens_us, closes_us = flow.opens_us, flow.latest_us
    return opens_us, closes_us if closes_us > opens_us else opens_us + RESOLUTION_US


def enclose(flows: Iterable[Flow]) -> LagDensity:
    """At each lag at least as dense as that of any of the flows, so its shares make more than 1 in all."""
    learned = {flow.learned for flow in flows if flow.learned is not None}
    lags_us = [flow.opens_us - flow.earliest_us for flow in flows if flow.learned is None]
    if lags_us:
        least_us, most_us = (lag_us or RESOLUTION_US for lag_us in (min(lags_us), max(lags_us)))
        shares = (EARLY_SHARE, (1 - EARLY_SHARE) * max(most_us, least_us) / least_us)
        learned.add(LagDensity((-EARLY_US, 0, max(most_us, least_us)), shares))
    knots_us = sorted({knot_us for density in learned for knot_us in density.knots_us})
    slopes = [max(density.slope_at(knot_us) for density in learned) for knot_us in knots_us]
    widths = [(after - before) / SECOND_US for before, after in zip(knots_us, knots_us[1:])]
    return LagDensity(knots_us, list(map(mul, slopes, widths)))


def density_at(flow: Flow, anchor: Anchor, within_us: int) -> float:
    """The density of a flow's opening at the time of an anchor, per second.

    `within_us` is how far from its bounds the flow is still possible.
    """
    begin_us, end_us = anchor
    opens_us, closes_us = find_record(flow)
    first_us, last_us = max(begin_us, flow.earliest_us - within_us), min(end_us, flow.latest_us + within_us)
    if first_us > last_us:
        return 0.0
    density = flow.learned or uniform(opens_us - flow.earliest_us)
    length = (closes_us - opens_us) / SECOND_US
    if begin_us == end_us:
        return (density.below(closes_us - begin_us) - density.below(opens_us - begin_us)) / length
    area = density.area
    over = area(closes_us - first_us) - area(closes_us - last_us) - area(opens_us - first_us) + area(opens_us - last_us)
    return max(over, 0.0) / length / ((end_us - begin_us) / SECOND_US)
