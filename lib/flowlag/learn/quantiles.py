# SPDX-License-Identifier: Apache-2.0
"""Which part of the lags is below what, by the scores of one interface's anchors; and whether that still holds.

The score of an anchor is the start of its record less its time. The k-th smallest of n scores, k = ceil((n + 1) q), is
at least the next one with a probability of q or more, whatever the lags are, if the next one is like these (split
conformal prediction; V. Vovk, A. Gammerman and G. Shafer, "Algorithmic Learning in a Random World", 2005). Lags that
change are not: so the latest anchors are compared with all earlier ones. Authority: docs/learn.md, Quantiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Optional

#: Shares as fractions: 50, 95, 99 and 99.9 %.
HALF, MOST, NEARLY_ALL, ALL_BUT_ONE = (1, 2), (95, 100), (99, 100), (999, 1000)
#: So many of the latest anchors are compared with the earlier ones; so many misses among them say that the lags drift.
RECENT, DRIFTING_MISSES = 50, 4

OK, FEW, DRIFTING = "ok", "few", "drifting"

Share = tuple[int, int]


class Judged(NamedTuple):
    """The quantiles of an interface's lags in microseconds (None: too few anchors), and its state."""

    p50: Optional[int]
    q95: Optional[int]
    q99: Optional[int]
    q999: Optional[int]
    misses: int
    state: str


def judge(scores_us: Sequence[int], lag_us: int) -> Judged:
    """Judge the scores of an interface, in the order of its anchors by time; no quantile is above `lag_us`."""
    ordered = sorted(scores_us)
    found = [pick_quantile(ordered, share) for share in (HALF, MOST, NEARLY_ALL, ALL_BUT_ONE)]
    p50, q95, q99, q999 = [None if score is None else min(score, lag_us) for score in found]
    misses = count_misses(scores_us)
    state = DRIFTING if misses >= DRIFTING_MISSES else FEW if q95 is None else OK
    return Judged(p50, q95, q99, q999, misses, state)


def pick_quantile(ordered: Sequence[int], share: Share) -> Optional[int]:
    """The k-th smallest of n scores, k = ceil((n + 1) share); None if there are fewer than k."""
    rank = -(-(len(ordered) + 1) * share[0] // share[1])
    return ordered[rank - 1] if rank <= len(ordered) else None


def count_misses(scores: Sequence[int]) -> int:
    """How many of the RECENT last scores are above the 99 % quantile of all that were before them; 0 if it has none."""
    highest = pick_quantile(sorted(scores[:-RECENT]), NEARLY_ALL)
    return 0 if highest is None else sum(score > highest for score in scores[-RECENT:])
