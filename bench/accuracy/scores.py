# SPDX-License-Identifier: Apache-2.0
"""How good a list of pairs is, by the truth: what is first, what is false, and whether a claim is honest.

A way to pair lists candidates for each login, the best first, each with a score that orders pairs of all logins. The
truth gives the candidate that is the login's own, or None. Nothing here is shared with the product.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from math import ceil
from typing import NamedTuple, Optional


class Candidate(NamedTuple):
    """What could belong to a login, and how likely the way thinks that it does."""

    name: Hashable
    score: float


Listed = Mapping[int, Sequence[Candidate]]  # login -> its candidates, the best first
Truth = Mapping[int, Optional[Hashable]]  # login -> its own candidate


class Scores(NamedTuple):
    """Counts of one list, which add up over lists; false pairs by the recall asked for, in percents."""

    logins: int
    owned: int
    first: int
    listed: int
    false: tuple[int, ...]


def add_up(all_scores: Iterable[Scores]) -> Scores:
    """The counts of several lists."""
    held = list(all_scores)
    return Scores(
        sum(each.logins for each in held),
        sum(each.owned for each in held),
        sum(each.first for each in held),
        sum(each.listed for each in held),
        tuple(map(sum, zip(*(each.false for each in held)))),
    )


RECALLS = (1.0, 0.99, 0.95)


def score(listed: Listed, truth: Truth) -> Scores:
    """Count what is right and what is false in a list."""
    own = {login: name for login, name in truth.items() if name is not None}
    first = sum(bool(listed.get(login)) and listed[login][0].name == name for login, name in own.items())
    right = sorted(_scores(listed, truth, is_right=True), reverse=True)
    wrong = _scores(listed, truth, is_right=False)
    false = tuple(count_false(right, wrong, recall) for recall in RECALLS)
    return Scores(len(truth), len(own), first, len(right), false)


def count_false(right: Sequence[float], wrong: Iterable[float], recall: float) -> int:
    """How many wrong pairs score at least as high as what keeps that share of the right ones (highest first)."""
    if not right:
        return 0
    threshold = right[ceil(round(recall * len(right), 6)) - 1]
    return sum(each >= threshold for each in wrong)


def _scores(listed: Listed, truth: Truth, is_right: bool) -> list[float]:
    return [score for score, right in claims(listed, truth) if right == is_right]


def claims(listed: Listed, truth: Truth) -> Iterator[tuple[float, bool]]:
    """(score, whether it is right) of each pair."""
    for login, candidates in listed.items():
        for candidate in candidates:
            yield candidate.score, truth[login] is not None and candidate.name == truth[login]


BINS = ((0.5, 0.7), (0.7, 0.9), (0.9, 0.97), (0.97, 1.000001))


class Bin(NamedTuple):
    """The pairs claimed within a range: how many, the sum of what was claimed, and how many are right."""

    pairs: int
    claimed: float
    right: int

    @property
    def excess(self) -> float:
        """Claimed less observed share; what is above 0.03 is dishonest."""
        return (self.claimed - self.right) / self.pairs if self.pairs else 0.0


def gather_bin(pairs: Iterable[tuple[float, bool]], low: float, high: float = 1.000001) -> Bin:
    """The claims from `low` up to `high`, which is exclusive."""
    within = [(claimed, right) for claimed, right in pairs if low <= claimed < high]
    return Bin(len(within), sum(claimed for claimed, _ in within), sum(right for _, right in within))
