# SPDX-License-Identifier: Apache-2.0
"""The density of lags: against the definition, bin by bin; what it finds of lags that are known; how it is written."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlag.learn.estimate import BINS, estimate, estimate_estate, write_density

S = 1_000_000
EVEN = [1 / BINS] * BINS


def overlap(range_, i):
    """The part of bin i that is in a range, both in seconds from -20 on."""
    begin, end = ((lag / S + 20) for lag in range_)
    return max(min(end, i + 1) - max(begin, i), 0.0)


def by_definition(ranges, prior, weight):
    parts = [row for row in ([overlap(range_, i) for i in range(BINS)] for range_ in ranges) if any(row)]
    masses = list(prior)
    for _ in range(60):
        expected = [0.0] * BINS
        for row in parts:
            total = sum(part * mass for part, mass in zip(row, masses))
            for i, part in enumerate(row):
                expected[i] += part * masses[i] / total
        masses = [(weight * p + e) / (weight + len(parts)) for p, e in zip(prior, expected)]
    smooth = [(masses[max(i - 1, 0)] + masses[i] + masses[min(i + 1, BINS - 1)]) / 3 for i in range(BINS)]
    return [0.98 * mass / sum(smooth) + 0.02 / BINS for mass in smooth]


RANGES = st.lists(
    st.tuples(st.integers(-30_000, 70_000), st.integers(1, 90_000)).map(
        lambda pair: (pair[0] * 1000, sum(pair) * 1000)
    ),
    max_size=8,
)


@settings(deadline=None, max_examples=40)
@given(RANGES)
def test_the_density_is_that_of_the_definition(ranges):
    estate = estimate_estate(ranges)
    assert estate == pytest.approx(by_definition(ranges, EVEN, 2), abs=1e-9)
    assert estimate(ranges, estate) == pytest.approx(by_definition(ranges, estate, 5), abs=1e-9)
    assert sum(estate) == pytest.approx(1) and min(estate) > 0


def test_without_anchors_it_is_the_prior():
    assert estimate_estate([]) == pytest.approx(EVEN)
    prior = estimate_estate([(5 * S, 6 * S)] * 100)
    assert sum(estimate([], prior)[24:27]) > 0.6


def ranges_of(draw, count, seed=1, length=10):
    """What anchors tell of lags that are drawn: the packet is received somewhere in a record of `length` seconds."""
    rng = random.Random(seed)
    for _ in range(count):
        lag, into = draw(rng), rng.uniform(0, length)
        yield (int((lag - into) * S), int((lag - into + length) * S))


def test_a_lag_that_is_known_is_found_through_records_that_blur_it():
    """Records are ten seconds long, and the lag is 25 to 27 s: most of the mass is in five seconds around it."""
    found = estimate(list(ranges_of(lambda rng: rng.uniform(25, 27), 500)), EVEN)
    assert sum(found[44:49]) > 0.8
    two = estimate(list(ranges_of(lambda rng: rng.choice([5.5, 45.5]), 500)), EVEN)
    assert sum(two[23:28]) > 0.35 and sum(two[63:68]) > 0.35 and sum(two[35:55]) < 0.1


def test_only_the_latest_anchors_count():
    old, new = [(2 * S, 3 * S)] * 3000, [(50 * S, 51 * S)]
    assert estimate(old + new * 500, EVEN) == pytest.approx(estimate(new * 500, EVEN))
    assert estimate_estate(old + new * 2000) == pytest.approx(estimate_estate(new * 2000))
    assert estimate(old + new * 499, EVEN)[22] > 2 * estimate(new * 499, EVEN)[22]


@given(st.lists(st.floats(0, 1), min_size=BINS, max_size=BINS).filter(any))
def test_what_is_written_makes_ten_thousand_parts(numbers):
    masses = [number / sum(numbers) for number in numbers]
    parts = list(map(int, write_density(masses).split(" ")))
    assert len(parts) == BINS and sum(parts) == 10_000 and min(parts) >= 0
    assert all(abs(part - mass * 10_000) < 1 for part, mass in zip(parts, masses))


def test_every_python_writes_the_same():
    """The rests of these masses are nearly alike: with `sum`, 3.11 and earlier wrote 390 and 879 for 389 and 880."""
    found = write_density(estimate_estate([(58 * S, 70 * S), (14 * S, 19 * S)]))
    around = "226 389 553 553 553 389 226"
    assert found == " ".join([*["63"] * 33, around, *["63"] * 37, "335 607 880 879"])
