# SPDX-License-Identifier: Apache-2.0
"""Quantiles of lags against counting by hand, their promise on lags of any kind, and what drifts."""

import random
from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlag.learn.quantiles import Judged, count_misses, judge, pick_quantile

S = 1_000_000
LAG = 60 * S
SHARES = [(1, 2), (95, 100), (99, 100), (999, 1000)]


def by_hand(scores, share):
    """The least score that is not below k of the scores."""
    rank = ceil((len(scores) + 1) * Fraction(*share))
    return next((score for score in sorted(scores) if sum(other <= score for other in scores) >= rank), None)


@given(st.lists(st.integers(-30, 90), max_size=120), st.sampled_from(SHARES))
def test_the_quantile_is_counted_by_hand(scores, share):
    assert pick_quantile(sorted(scores), share) == by_hand(scores, share)


@pytest.mark.parametrize(("share", "least"), [((1, 2), 1), ((95, 100), 19), ((99, 100), 99), ((999, 1000), 999)])
def test_so_many_anchors_are_needed(share, least):
    assert pick_quantile(range(least), share) is not None
    assert pick_quantile(range(least - 1), share) is None


def test_no_quantile_is_above_the_lag_and_one_may_be_below_0():
    assert judge([90 * S] * 19, LAG)[:2] == (LAG, LAG)
    assert judge([-3 * S] * 19, LAG)[:2] == (-3 * S, -3 * S)
    assert judge([], LAG) == Judged(None, None, None, None, 0, "few")
    assert judge([S], LAG) == Judged(S, None, None, None, 0, "few")


def misses_by_hand(scores):
    earlier, recent = scores[: max(len(scores) - 50, 0)], scores[max(len(scores) - 50, 0) :]
    highest = by_hand(earlier, (99, 100))
    return len([score for score in recent if highest is not None and score > highest])


@given(st.integers(0, 200), st.integers(1, 9), st.integers(0, 50), st.randoms(use_true_random=False))
def test_misses_are_counted_by_hand(count, spread, late, rng):
    scores = [rng.randrange(spread) + (5 if i > count - late else 0) for i in range(count)]
    assert count_misses(scores) == misses_by_hand(scores)


def test_the_earlier_scores_are_not_cut_at_the_lag():
    """Scores above the lag, as clocks that are wrong give, are no misses if they were seen before."""
    assert judge([70 * S] * 200, LAG).state == "ok"


def test_a_jump_drifts_and_so_does_slow_growth():
    rng = random.Random(4)
    steady = [rng.randrange(20 * S) for _ in range(400)]
    assert judge(steady, LAG).state == "ok"
    assert judge([*steady, *(score + 20 * S for score in steady[:10])], LAG).state == "drifting"
    assert judge([score + i * S // 10 for i, score in enumerate(steady)], LAG).state == "drifting"


def test_drift_is_forgotten_when_the_new_lags_are_many():
    old, new = [S] * 200, [9 * S] * 60
    assert judge(old + new[:3], LAG)[-2:] == (3, "ok")
    assert judge(old + new[:4], LAG)[-2:] == (4, "drifting")
    assert judge(old + new, LAG).state == "ok"


def test_too_few_earlier_anchors_tell_no_drift():
    assert judge([S] * 99 + [9 * S] * 50, LAG)[-2:] == (50, "drifting")
    assert judge([S] * 98 + [9 * S] * 50, LAG)[-2:] == (0, "ok")


@pytest.mark.parametrize("draw", [
    lambda rng: rng.uniform(0, 60), lambda rng: min(rng.expovariate(0.1), 60), lambda rng: rng.choice([2, 3, 40]),
    lambda rng: 7,
], ids=["uniform", "exponential", "jumpy", "constant"])  # fmt: skip
def test_the_next_score_is_below_the_quantile_as_often_as_promised(draw):
    """On average over calibrations. With 800 calibrations the standard error at 95 % is .008, at 99 % .0035."""
    for share, anchors, error in (((95, 100), 40, 0.04), ((99, 100), 120, 0.018)):
        rng = random.Random(f"{share}")
        covered = 0
        for _ in range(800):
            highest = pick_quantile(sorted(draw(rng) for _ in range(anchors)), share)
            covered += draw(rng) <= highest
        assert covered / 800 >= share[0] / share[1] - error
