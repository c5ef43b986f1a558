# SPDX-License-Identifier: Apache-2.0
"""The law of flowlagmatch, case by case: gaps in seconds against the target (docs/match.md, How a pair is decided)."""

import pytest

from flowlag.match.relation import is_certain, is_possible, share_of, target_of

S = 1_000_000

#: relation, within, gap from, gap to (seconds) -> verdict, share where it is possible
CASES = {
    "overlap-inside": ("overlap", 1, -1, 1, "certain", 1),
    "overlap-wider": ("overlap", 1, -74, 26, "possible", 0.02),
    "overlap-touches-above": ("overlap", 1, 1, 50, "possible", 0),
    "overlap-touches-below": ("overlap", 1, -50, -1, "possible", 0),
    "overlap-just-past": ("overlap", 1, 1.000001, 50, "none", None),
    "overlap-just-before": ("overlap", 1, -50, -1.000001, "none", None),
    "overlap-half": ("overlap", 5, 0, 10, "possible", 0.5),
    "overlap-a-point-in-time": ("overlap", 0, -60, 60, "possible", 0),
    "overlap-a-gap-of-one-value": ("overlap", 0, 0, 0, "certain", 1),
    "overlap-a-point-at-the-edge": ("overlap", 1, 1, 1, "certain", 1),
    "before-all-of-it": ("before", 300, -200, -100, "certain", 1),
    "before-up-to-the-edge": ("before", 300, -300, -0.000001, "certain", 1),
    "before-reaches-zero": ("before", 300, -100, 0, "possible", 1),
    "before-half": ("before", 300, -50, 50, "possible", 0.5),
    "before-touches-zero-only": ("before", 300, 0, 50, "none", None),
    "before-touches-the-far-end": ("before", 300, -400, -300, "possible", 0),
    "before-too-far": ("before", 300, -400, -301, "none", None),
    "before-within-nothing": ("before", 0, -10, 10, "none", None),
    "after-all-of-it": ("after", 300, 100, 200, "certain", 1),
    "after-from-zero": ("after", 300, 0, 100, "possible", 1),
    "after-half": ("after", 300, -50, 50, "possible", 0.5),
    "after-touches-zero-only": ("after", 300, -50, 0, "none", None),
    "after-touches-the-far-end": ("after", 300, 300, 400, "possible", 0),
    "after-too-far": ("after", 300, 301, 400, "none", None),
    "after-within-nothing": ("after", 0, -10, 10, "none", None),
}


@pytest.mark.parametrize(("relation", "within", "low", "high", "verdict", "share"), CASES.values(), ids=CASES)
def test_law(relation, within, low, high, verdict, share):
    target, gap = target_of(relation, within * S), (round(low * S), round(high * S))
    possible = is_possible(*gap, target)
    assert ("certain" if possible and is_certain(*gap, target) else "possible" if possible else "none") == verdict
    if share is not None:
        assert share_of(*gap, target) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize("relation", ["overlap", "before", "after"])
def test_what_is_certain_is_possible(relation):
    target = target_of(relation, 3)
    for low in range(-6, 7):
        for high in range(low, 7):
            assert is_possible(low, high, target) or not is_certain(low, high, target)
            if is_possible(low, high, target):
                assert 0 <= share_of(low, high, target) <= 1
