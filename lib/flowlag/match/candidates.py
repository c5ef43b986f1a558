# SPDX-License-Identifier: Apache-2.0
"""The flows of one key, arranged so that those possible for an anchor are found without a scan of all.

A flow [fe, fl] is possible if fe is not too late and fl is not too early. Flows are sorted by fe, and `reach` holds the
latest fl so far, so bisection finds both limits: a range of flows. A long flow would stretch that range over short ones
after it, so flows are grouped by length, within a factor of two, and by their lags. If a range has more flows than are
wanted, a best-first search over blocks finds the best: no flow in a block is better than the bound of the block, so
blocks are opened only while they can still hold one of the best. Thousands of flows of one batch can have the same
stamps; the row, which ranks these, is therefore part of the order and of a bound.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import accumulate
from operator import itemgetter, sub
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional, Protocol

from flowlag.match.relation import Target, share_of

if TYPE_CHECKING:
    from flowlag.lag_density import LagDensity

#: Flows are in one group if the longest is at most so many times as long as the shortest.
SIMILAR = 2
#: Flows, or blocks of the level below, in one block.
FANOUT = 16
#: In a range of up to so many flows, each one is looked at, which is faster than blocks.
SMALL_RANGE = 200
#: Flows whose lags were learned are in one group for each of their interfaces, if these are no more.
MOST_KINDS = 16


class Flow(NamedTuple):
    """A flow: its envelope and its start, in microseconds since the epoch, and the caller's row.

    `learned` is how likely its lags are, if that was learned of its interface. Rows that are equal have the same one.
    """

    earliest_us: int
    latest_us: int
    start_us: int
    row: str
    learned: Optional[LagDensity] = None

    @property
    def opens_us(self) -> int:
        """Where the stamps begin: the start or, if that is not within the bounds (of a connection), the earliest."""
        return self.start_us if self.earliest_us <= self.start_us < self.latest_us else self.earliest_us


class Anchor(NamedTuple):
    """When an anchor happened, tolerance included, in microseconds since the epoch."""

    earliest_us: int
    latest_us: int


_EARLIEST, _LATEST = itemgetter(0), itemgetter(1)  # at C speed

#: What orders the flows of an anchor, the best first: -share, |2 x gap midpoint|, start, row.
Rank = tuple[float, int, int, str]


class Choice(NamedTuple):
    """The flows of an anchor: how many are possible, the best of them with their ranks, and the probability of none.

    Ranks end as Rank does; `none` is None where no probability was asked for.
    """

    possible: int
    best: list[tuple[Any, Flow]]
    none: Optional[float] = None


class Block(NamedTuple):
    """The bounds of the flows in a block: of envelopes and their length, starts, rows, lags and lengths of records.

    `learned` is that of all flows; it is empty if they differ.
    """

    earliest_min: int
    earliest_max: int
    latest_min: int
    latest_max: int
    length_min: int
    start_min: int
    row_min: str
    lag_min: int
    lag_max: int
    record_min: int
    learned: tuple[Optional[LagDensity], ...]


class Order(Protocol):
    """What orders the flows of an anchor: the least rank is the best."""

    def rank(self, flow: Flow, anchor: Anchor) -> Any:
        """The rank of a possible flow. A tuple that ends with the row, so that the order of arrival changes nothing."""

    def bound(self, block: Block, anchor: Anchor) -> Any:
        """A rank that no possible flow in a block can beat."""


class ShareOrder:
    """The order by the share of the possible gaps for which the relation holds."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def rank(self, flow: Flow, anchor: Anchor) -> Rank:
        """The rank of a possible flow."""
        return rank_flow(flow, anchor, self._target)

    def bound(self, block: Block, anchor: Anchor) -> Rank:
        """A rank that no possible flow in a block can beat."""
        return bound_rank(block, anchor, self._target)


def rank_flow(flow: Flow, anchor: Anchor, target: Target) -> Rank:
    """The rank of a possible flow among those of an anchor; if tied, the row decides, not the order of arrival."""
    earliest, latest, start, row, _ = flow
    gap_min, gap_max = earliest - anchor.latest_us, latest - anchor.earliest_us
    return (-share_of(gap_min, gap_max, target), abs(gap_min + gap_max), start, row)


class Candidates:
    """All flows of one key, for one target."""

    def __init__(self, flows: Sequence[Flow], target: Target) -> None:
        self._groups = [] if target.is_empty else [_Group(group) for group in _group_alike(flows)]
        self._target = target
        self._by_share = ShareOrder(target)

    def best(self, anchor: Anchor, most: int, order: Optional[Order] = None) -> Choice:
        """At most `most` of the flows that are possible for an anchor, the best first, by share or by another order."""
        order = order or self._by_share
        found = self.few(anchor, max(SMALL_RANGE, most))
        if found is None:
            return Choice(self.count(anchor), self._search(anchor, most, order))
        ranked = [(order.rank(flow, anchor), flow) for flow in found]
        ranked.sort()
        return Choice(len(ranked), ranked[:most])

    def few(self, anchor: Anchor, most: int) -> Optional[list[Flow]]:
        """The flows that are possible for an anchor, always in one order; None if there may be more than `most`."""
        ranges, first = self._ranges(anchor), self._limits(anchor)[0]
        if sum(stop - start for _, start, stop in ranges) > most:
            return None
        return [flow for group, start, stop in ranges for flow in group.flows[start:stop] if flow[1] >= first]

    def _ranges(self, anchor: Anchor) -> list[tuple[_Group, int, int]]:
        """The part of each group that has all flows that are possible for an anchor."""
        first, last = self._limits(anchor)
        found = ((group, *group.find_range(first, last)) for group in self._groups)
        return [(group, start, stop) for group, start, stop in found if start < stop]

    def count(self, anchor: Anchor) -> int:
        """How many flows are possible for an anchor."""
        first, last = self._limits(anchor)
        return sum(group.count(first, last) for group in self._groups)

    def _limits(self, anchor: Anchor) -> tuple[int, int]:
        """A flow is possible if its latest is not below the first limit, and its earliest not above the last."""
        return anchor[0] + self._target.first_us, anchor[1] + self._target.last_us

    def _search(self, anchor: Anchor, most: int, order: Order) -> list[tuple[Any, Flow]]:
        """The best flows: open the most promising block, or take the most promising flow, until there are enough."""
        first, last = self._limits(anchor)
        heap: list[tuple[Any, int, Optional[Flow], tuple[int, int, int]]] = []
        for number, group in enumerate(self._groups):
            top = len(group.levels) - 1
            for index, block in enumerate(group.levels[top]):
                if block.earliest_min <= last and block.latest_max >= first:
                    heap.append((order.bound(block, anchor), len(heap), None, (number, top, index)))
        heapify(heap)
        pushed = len(heap)
        found: list[tuple[Any, Flow]] = []
        while heap and len(found) < most:
            rank, _, flow, (number, level, index) = heappop(heap)
            if flow is not None:
                found.append((rank, flow))
                continue
            for entry in self._open(number, level, index, anchor, order):
                pushed += 1
                heappush(heap, (entry[0], pushed, *entry[1:]))
        return found

    def _open(
        self, number: int, level: int, index: int, anchor: Anchor, order: Order
    ) -> Iterator[tuple[Any, Optional[Flow], tuple[int, int, int]]]:
        """The possible parts of a block: flows, or blocks with their bounds."""
        first, last = self._limits(anchor)
        group, start = self._groups[number], index * FANOUT
        if level == 0:
            for flow in group.flows[start : start + FANOUT]:
                if flow.earliest_us <= last and flow.latest_us >= first:
                    yield order.rank(flow, anchor), flow, (number, -1, 0)
            return
        for inner, block in enumerate(group.levels[level - 1][start : start + FANOUT], start):
            if block.earliest_min <= last and block.latest_max >= first:
                yield order.bound(block, anchor), None, (number, level - 1, inner)


def _group_alike(flows: Sequence[Flow]) -> Iterable[Sequence[Flow]]:
    """Groups of flows of similar length (powers of two), and of the same lags, if these are of few kinds."""
    if len(flows) <= SMALL_RANGE:
        return [flows] if flows else []
    lengths = list(map(sub, map(_LATEST, flows), map(_EARLIEST, flows)))
    kinds = {flow.learned for flow in flows}
    knows_kinds = 1 < len(kinds) <= MOST_KINDS
    if max(lengths) <= SIMILAR * min(lengths) and not knows_kinds:
        return [flows]
    groups: dict[tuple[int, Optional[LagDensity]], list[Flow]] = {}
    for length, flow in zip(lengths, flows):
        groups.setdefault((length.bit_length(), flow.learned if knows_kinds else None), []).append(flow)
    return groups.values()


class _Group:
    """Flows of similar length, sorted by their earliest time, then by all else."""

    def __init__(self, flows: Sequence[Flow]) -> None:
        self.flows = sorted(flows)
        self._earliest = list(map(_EARLIEST, self.flows))
        self._reach = list(accumulate(map(_LATEST, self.flows), max))
        self._latest: list[int] = []
        self._levels: list[list[Block]] = []

    def find_range(self, first: int, last: int) -> tuple[int, int]:
        """The range, start and stop, that has all flows with latest >= `first` and earliest <= `last`."""
        stop = bisect_right(self._earliest, last)
        return min(bisect_left(self._reach, first), stop), stop

    def count(self, first: int, last: int) -> int:
        """How many flows have latest >= `first` and earliest <= `last`; none can miss both conditions."""
        if not self._latest:
            self._latest = sorted(map(_LATEST, self.flows))
        return bisect_right(self._earliest, last) - bisect_left(self._latest, first)

    @property
    def levels(self) -> list[list[Block]]:
        """Blocks of flows, then blocks of blocks, until a level is small; made when they are first needed."""
        if not self._levels:
            single = [Block(f[0], f[0], f[1], f[1], f[1] - f[0], f[2], f[3], *_stamps(f), f[4:]) for f in self.flows]
            self._levels = [_enclose(single)]
            while len(self._levels[-1]) > FANOUT:
                self._levels.append(_enclose(self._levels[-1]))
        return self._levels


def _enclose(blocks: list[Block]) -> list[Block]:
    return [Block(*(choose(values) for choose, values in zip(_CHOOSE, zip(*blocks[i : i + FANOUT]))))
            for i in range(0, len(blocks), FANOUT)]  # fmt: skip


def _agree(learned: Sequence[tuple[Optional[LagDensity], ...]]) -> tuple[Optional[LagDensity], ...]:
    return learned[0] if learned.count(learned[0]) == len(learned) else ()


_CHOOSE: tuple[Callable[[Any], Any], ...] = (min, max, min, max, min, min, min, min, max, min, _agree)


def _stamps(flow: Flow) -> tuple[int, int, int]:
    opens_us = flow.opens_us
    return opens_us - flow.earliest_us, opens_us - flow.earliest_us, flow.latest_us - opens_us


def bound_rank(block: Block, anchor: Anchor, target: Target) -> Rank:
    """A rank that no possible flow in a block can beat."""
    common = min(block.latest_max - anchor.earliest_us, target.high_us) - max(
        block.earliest_min - anchor.latest_us, target.low_us
    )
    length = block.length_min + anchor.latest_us - anchor.earliest_us
    share = 1.0 if common >= length else common / length
    centre = anchor.earliest_us + anchor.latest_us
    nearest = max(block.earliest_min + block.latest_min - centre, centre - block.earliest_max - block.latest_max, 0)
    return (-share, nearest, block.start_min, block.row_min)
