# SPDX-License-Identifier: Apache-2.0
"""How probable it is that a flow is that of an anchor, for all anchors of one key.

The weight of a pair compares two stories: that the anchor has a flow, and it is this one; and that it has none, and
this one is a rival that came by chance. With p the share of anchors without a flow, r the rate of rival flows and d the
density of the flow's opening at the anchor (opening_density.py):

    weight = (1 - p) / p * d / r

p and r are estimated from the key itself. Authority: docs/match.md, Probability.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain
from typing import Callable, NamedTuple, Optional

from flowlag.interval import SECOND_US
from flowlag.lag_density import LagDensity, uniform
from flowlag.match.association import Association, Pair
from flowlag.match.candidates import SMALL_RANGE, Anchor, Block, Candidates, Choice, Flow, bound_rank, rank_flow
from flowlag.match.density_sum import DensitySum
from flowlag.match.opening_density import density_at, enclose
from flowlag.match.relation import Target

#: The share of anchors without a flow that is expected, and how many anchors that is worth.
NONE_SHARE = 0.05
NONE_ANCHORS = 20
#: Rounds in which both are estimated anew.
ROUNDS = 8
#: The shortest time over which flows are counted.
LEAST_SPAN_US = 600 * SECOND_US
#: A rate is never below that of half a flow.
LEAST_FLOWS = 0.5
#: One-to-one association takes so many anchors and pairs at once.
MOST_ANCHORS = 2000
MOST_PAIRS = 200_000

#: If flows are in so few pairs each, the density of each pair takes less time than the sum of all.
MOST_PAIRS_OF_FLOW = 4

DECIMALS = 6
#: More than rounding can take from a bound.
_SLACK = 1 + 1e-9


#: What orders the flows of an anchor: -probability, rounded as it is written, then as without it.
ProbableRank = tuple[float, float, int, int, str]


class _Rivals(NamedTuple):
    """The flows that are possible for some anchor: how many there are, and over how many seconds."""

    flows: float
    time: float

    def scale(self, none: float, taken: float) -> float:
        """What makes weights of densities if `none` anchors have no flow and `taken` flows are no rivals."""
        return (1 - none) / none * self.time / max(self.flows - taken, LEAST_FLOWS)


class _Order:
    """The order by probability: a density times `scale`, then by share."""

    def __init__(self, target: Target, scale: float, enclose: Callable[[], LagDensity]) -> None:
        self._target = target
        self._scale = scale
        self._enclose = enclose

    def rank(self, flow: Flow, anchor: Anchor) -> ProbableRank:
        density = density_at(flow, anchor, -self._target.first_us)
        return (-round(self._scale * density, DECIMALS), *rank_flow(flow, anchor, self._target))

    def bound(self, block: Block, anchor: Anchor) -> ProbableRank:
        """A rank that no possible flow in a block can beat."""
        (lag,) = block.learned or (self._enclose(),)
        is_known = lag is not None or block.lag_min == block.lag_max
        lag = lag or uniform(block.lag_min)
        density = lag.peak
        if is_known and block.record_min > 0:  # else a flow counts as longer than it is
            opens_us = block.earliest_min + block.lag_min
            mass = lag.below(block.latest_max - anchor.earliest_us) - lag.below(opens_us - anchor.latest_us)
            density = min(density, mass * SECOND_US / block.record_min)
        return (-round(self._scale * density * _SLACK, DECIMALS), *bound_rank(block, anchor, self._target))


class KeyedPairs:
    """The flows and the anchors of one key, sorted by time. At most `most` flows are given for an anchor."""

    def __init__(self, flows: Sequence[Flow], anchors: Sequence[Anchor], target: Target, most: int) -> None:
        self._flows = flows
        self._anchors = anchors
        self._target = target
        self._most = most
        self._candidates = Candidates(flows, target)
        self._enclosed: Optional[LagDensity] = None
        self._pairs = list(accumulate(map(self._candidates.count, anchors), initial=0))

    def choose(self) -> list[Choice]:
        """The choice of each anchor if a flow may belong to several."""
        lengths = [
            flow.latest_us - flow.earliest_us
            for flow, (first, last) in zip(self._flows, self._reaches())
            if first <= last
        ]
        rivals = self._rivals(range(len(self._anchors)), lengths)
        densities = self._densities()
        scale = rivals.scale(NONE_SHARE, 1)
        for _ in range(ROUNDS):
            none = _none_share(sum(1 / (1 + scale * density) for density in densities), len(densities))
            scale = rivals.scale(none, 1)
        choices: list[Choice] = []
        for i, (anchor, density) in enumerate(zip(self._anchors, densities)):
            is_same = i > 0 and anchor == self._anchors[i - 1]  # many clocks count whole seconds
            choices.append(choices[-1] if is_same else self._choose(anchor, scale, density))
        return choices

    def _choose(self, anchor: Anchor, scale: float, density: float) -> Choice:
        total = 1 + scale * density
        choice = self._candidates.best(anchor, self._most, _Order(self._target, scale / total, self._enclose))
        return choice._replace(none=1 / total)

    def _enclose(self) -> LagDensity:
        """A bound on the densities of all flows, for blocks whose flows have different ones."""
        if self._enclosed is None:
            self._enclosed = enclose(self._flows)
        return self._enclosed

    def choose_one_to_one(self) -> Optional[list[Choice]]:
        """The choice of each anchor if a flow belongs to at most one; None if there is too much to associate."""
        spans = list(self._spans())
        if any(map(self._is_too_much, spans)):
            return None
        return list(chain.from_iterable(map(self._associate, spans)))

    def _associate(self, span: range) -> Iterator[Choice]:
        found = [self._candidates.few(self._anchors[i], len(self._flows)) or [] for i in span]
        numbers: dict[int, int] = {}
        lengths: list[int] = []
        pairs = []
        for i, flows in zip(span, found):
            for flow in flows:
                if numbers.setdefault(id(flow), len(lengths)) == len(lengths):
                    lengths.append(flow.latest_us - flow.earliest_us)
            pairs.append(
                [Pair(numbers[id(flow)], density_at(flow, self._anchors[i], -self._target.first_us)) for flow in flows]
            )
        rivals = self._rivals(span, lengths)
        association = Association(pairs)
        scale = rivals.scale(NONE_SHARE, 0)
        for _ in range(ROUNDS):
            free = association.free(scale)
            scale = rivals.scale(_none_share(free, len(span)), len(span) - free)
        for i, flows, (chances, none) in zip(span, found, association.chances(scale)):
            anchor = self._anchors[i]
            best = [
                ((-round(chance, DECIMALS), *rank_flow(flow, anchor, self._target)), flow)
                for flow, chance in zip(flows, chances)
            ]
            best.sort()
            yield Choice(len(flows), best[: self._most], none)

    def _rivals(self, span: range, lengths: Sequence[int]) -> _Rivals:
        """The rivals in a span, by the lengths of the envelopes of its flows."""
        if not lengths:
            return _Rivals(0, 1)
        begin_us = self._anchors[span.start].earliest_us
        end_us = max(anchor.latest_us for anchor in self._anchors[span.start : span.stop])
        time_us = end_us - begin_us + sum(lengths) / len(lengths)
        return _Rivals(len(lengths), max(time_us, LEAST_SPAN_US) / SECOND_US)

    def _densities(self) -> list[float]:
        """For each anchor the sum of the densities of its flows."""
        within_us = -self._target.first_us
        overall: Optional[DensitySum] = None
        densities = []
        most = len(self._flows) if self._pairs[-1] <= MOST_PAIRS_OF_FLOW * len(self._flows) else SMALL_RANGE
        for anchor in self._anchors:
            flows = self._candidates.few(anchor, most)
            if flows is not None:
                densities.append(sum(density_at(flow, anchor, within_us) for flow in flows))
                continue
            if overall is None:
                overall = DensitySum(self._flows, within_us)
            densities.append(overall.at(anchor))
        return densities

    def _reaches(self) -> Iterator[tuple[int, int]]:
        """For each flow the first and the last anchor for which it can be possible; the other way round if none is."""
        earliest = [anchor.earliest_us for anchor in self._anchors]
        latest = list(accumulate((anchor.latest_us for anchor in self._anchors), max))
        for flow in self._flows:
            last = bisect_right(earliest, flow.latest_us - self._target.first_us) - 1
            yield bisect_left(latest, flow.earliest_us - self._target.last_us), last

    def _is_too_much(self, span: range) -> bool:
        return len(span) > MOST_ANCHORS or self._pairs[span.stop] - self._pairs[span.start] > MOST_PAIRS

    def _spans(self) -> Iterator[range]:
        """The anchors, cut where no flow is possible on both sides, into spans that are not too much where possible."""
        whole = range(len(self._anchors))
        if not self._is_too_much(whole):
            yield whole
            return
        bridges = [0] * (len(whole) + 1)
        for first, last in self._reaches():
            if first < last:
                bridges[first] += 1
                bridges[last] -= 1
        cuts = [i + 1 for i, across in enumerate(accumulate(bridges[:-1])) if not across]
        start = stop = 0
        for cut in cuts:  # the last one is the end
            if self._is_too_much(range(start, cut)) and stop > start:
                yield range(start, stop)
                start = stop
            stop = cut
        yield range(start, stop)


def _none_share(free: float, anchors: int) -> float:
    """The share of anchors without a flow, if so many are expected to be without one."""
    return (NONE_SHARE * NONE_ANCHORS + free) / (NONE_ANCHORS + anchors)
