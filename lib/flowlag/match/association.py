# SPDX-License-Identifier: Apache-2.0
"""Whose flow is whose, one to one: marginals of the association of anchors and flows by belief propagation.

An anchor has at most one flow, and a flow at most one anchor. `weight` says how much likelier a pair is than neither
having a partner. Messages go to and fro between anchors and flows until they rest; they always do (J. Williams and
R. Lau, "Approximate evaluation of marginal association probabilities with belief propagation", IEEE Transactions on
Aerospace and Electronic Systems 50(4), 2014). Anchors that share no flow have nothing to tell each other, so each group
that hangs together is solved by itself, and an anchor alone in closed form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, repeat
from math import exp
from operator import mul, truediv
from typing import NamedTuple

#: Messages rest if none of them changes by more than this part of itself in one round (small ones belong to large
#: weights); for an expectation less exactness will do.
REST, NEAR_REST = 1e-7, 1e-5
#: Rounds after which messages are taken as they are: as many as MOST_LOOKS at pairs allow, but within these limits.
FEWEST_ROUNDS, MOST_ROUNDS, MOST_LOOKS = 60, 10_000, 1_000_000
#: After each BALANCE_EVERY of the first BALANCE_UNTIL rounds, messages are made to balance.
BALANCE_EVERY, BALANCE_UNTIL = 8, 40
#: Halvings of the interval that holds the logarithm of a factor, which is within _WIDEST of 0.
_HALVINGS, _WIDEST = 32, 50.0


class Pair(NamedTuple):
    """An edge of the association: the number of a flow, and how dense its opening is at the anchor."""

    flow: int
    density: float


class Association:
    """Anchors with their pairs, and the last messages, because the next scale is close to the last one.

    The weight of a pair is its density times a scale, which is given with each question.
    """

    def __init__(self, pairs: Sequence[Sequence[Pair]]) -> None:
        self._pairs = pairs
        self._alone: list[int] = []
        self._groups: list[_Group] = []
        for members in _connected(pairs):
            if len(members) == 1:
                self._alone += members
            else:
                self._groups.append(_Group(members, [pairs[i] for i in members]))
        self._densities = [sum(pair.density for pair in pairs[i]) for i in self._alone]

    def free(self, scale: float) -> float:
        """How many of the anchors are expected to have no flow."""
        unpaired = len(self._pairs) - len(self._alone) - sum(len(group.members) for group in self._groups)
        alone = sum(1 / (1 + scale * density) for density in self._densities)
        grouped = sum(sum(1 / total for total in group.solve(scale, NEAR_REST)[0]) for group in self._groups)
        return unpaired + alone + grouped

    def chances(self, scale: float) -> list[tuple[list[float], float]]:
        """For each anchor the probabilities of its pairs, in their order, and that of none."""
        found: list[tuple[list[float], float]] = [([], 1.0)] * len(self._pairs)
        for i, density in zip(self._alone, self._densities):
            total = 1 + scale * density
            found[i] = [scale * pair.density / total for pair in self._pairs[i]], 1 / total
        for group in self._groups:
            totals, products = group.solve(scale, REST)
            for i, total, some in zip(group.members, totals, group.slices):
                found[i] = [product / total for product in products[some]], 1 / total
        return found


def _connected(pairs: Sequence[Sequence[Pair]]) -> Iterable[list[int]]:
    """The numbers of the anchors with pairs, those together that are connected by common flows."""
    owners: dict[int, int] = {}  # a forest of flows

    def root(flow: int) -> int:
        while owners.setdefault(flow, flow) != flow:
            owners[flow] = flow = owners[owners[flow]]
        return flow

    for some in pairs:
        for pair in some[1:]:
            owners[root(pair.flow)] = root(some[0].flow)
    groups: dict[int, list[int]] = {}
    for anchor, some in enumerate(pairs):
        if some:
            groups.setdefault(root(some[0].flow), []).append(anchor)
    return groups.values()


class _Group:
    """Anchors that are connected by common flows; what belongs to pairs is kept flat, anchor by anchor."""

    def __init__(self, members: list[int], pairs: list[Sequence[Pair]]) -> None:
        self.members = members
        self._sizes = list(map(len, pairs))
        ends = list(accumulate(self._sizes))
        self.slices = list(map(slice, [0, *ends], ends))
        flat = list(chain.from_iterable(pairs))
        numbers = {flow: i for i, flow in enumerate(dict.fromkeys(pair.flow for pair in flat))}
        self._flows = len(numbers)
        self._places = [numbers[pair.flow] for pair in flat]
        self._densities = [pair.density for pair in flat]
        self._messages = [1.0] * len(flat)  # from flows to anchors
        self._most_rounds = max(FEWEST_ROUNDS, min(MOST_ROUNDS, MOST_LOOKS // len(flat)))

    def solve(self, scale: float, rest: float) -> tuple[list[float], list[float]]:
        """For each anchor the weight of none, which is 1, and all its pairs; and for each pair its part of it."""
        weights = [scale * density for density in self._densities]
        for done in range(1, self._most_rounds + 1):
            messages, heard = self._exchange(weights)
            changes = list(map(truediv, messages, self._messages))
            self._messages = messages
            if done % BALANCE_EVERY == 0 and done <= BALANCE_UNTIL:
                factor = _balance(self._weigh(weights)[0], heard)
                self._messages = [factor * message for message in messages]
            elif 1 - rest <= min(changes) and max(changes) <= 1 + rest:
                break
        return self._weigh(weights)

    def _weigh(self, weights: list[float]) -> tuple[list[float], list[float]]:
        products = list(map(mul, weights, self._messages))
        return [1 + sum(products[some]) for some in self.slices], products

    def _exchange(self, weights: list[float]) -> tuple[list[float], list[float]]:
        """One round of messages, from anchors to flows and back; and for each flow 1 and all messages to it."""
        totals, products = self._weigh(weights)
        spread: Iterator[float] = chain.from_iterable(map(repeat, totals, self._sizes))
        # what is left is at least 1, but for rounding; no weight is so large that this matters
        sent = [weight / (total - own) for weight, total, own in zip(weights, spread, products)]
        heard = [1.0] * self._flows
        for place, message in zip(self._places, sent):
            heard[place] += message
        return [1 / (heard[place] - message) for place, message in zip(self._places, sent)], heard


def _balance(totals: Sequence[float], heard: Sequence[float]) -> float:
    """The factor of all messages with which as many flows have an anchor as anchors have a flow.

    Messages that rest have it. Where weights are large and flows too few, each round goes but a small part of the way
    to the factor, though it gets the proportions right.
    """
    low, high = -_WIDEST, _WIDEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        factor = exp(middle)
        anchors = sum([1 - 1 / (1 + factor * (total - 1)) for total in totals])
        flows = sum([1 - factor / (factor + total - 1) for total in heard])
        if anchors > flows:
            high = middle
        else:
            low = middle
    return exp((low + high) / 2)
