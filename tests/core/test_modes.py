# SPDX-License-Identifier: Apache-2.0
"""Timing modes and changes of phase, case by case: what is said, and what is not said for want of evidence."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlag.profile.modes import Mode, Span, Tally, ends_needed, find_changes, judge_mode

T = 1_764_500_040  # a multiple of 60


def windows(*rows):
    """(start, end) or (start, end, records) or (start, end, records, single-packet records), seconds after T."""
    return {Span(T + start, T + end): Tally(*rest or (1,)) for start, end, *rest in rows}


def judge(*rows, interval=60, minrecords=3):
    mode = judge_mode(windows(*rows), interval, minrecords)
    return (mode.name, mode.agreeing, mode.phase_s)


GRID = {
    "the-seed": ([(6, 65, 1, 1), (266, 305, 1, 1), (366, 425)], 3, 6),
    "ends-in-the-first-second-of-the-next-window-too": ([(6, 65), (66, 126), (127, 185)], 3, 6),
    "over-midnight-of-the-minute": ([(0, 59), (60, 120), (121, 179)], 3, 0),
    "own-starts-shared-end": ([(6, 65), (10, 65), (30, 65), (70, 125), (150, 185)], 5, 6),
    "one-of-five-is-off": ([(6, 65), (66, 125), (126, 185), (186, 245), (246, 300)], 4, 6),
    "long-records-end-on-the-grid": ([(6, 65), (66, 125), (126, 305)], 3, 6),
    "busy-starts-a-second-early": ([(5, 65), (65, 125), (125, 185)], 3, 6),
}


@pytest.mark.parametrize(("rows", "agreeing", "phase"), GRID.values(), ids=GRID)
def test_a_grid_and_its_phase(rows, agreeing, phase):
    assert judge(*rows) == ("grid", agreeing, phase)


def test_a_grid_of_ten_minutes_is_found_when_it_is_looked_for():
    rows = [(600 * i + 7, 600 * (i + 1) + 6, 3) for i in range(5)]
    assert judge(*rows, interval=600)[::2] == ("grid", (T + 7) % 600)
    assert judge(*rows)[0] != "grid", "its records are longer than the windows would be"


OTHERS = {
    "batch-shared": ([(0, 27, 3), (28, 50, 2), (51, 79, 4)], ("batch", 9, None)),
    "batch-of-two-windows": ([(0, 27, 3), (28, 50, 2)], ("batch", 5, None)),
    "batch-that-touches": ([(0, 28, 3), (28, 50, 2), (50, 79, 2)], ("batch", 7, None)),
    "batch-of-single-packets": ([(0, 27, 1, 1), (28, 50, 1, 1), (51, 79, 1, 1)], ("batch", 3, None)),
    "batch-with-lone-flows": ([(0, 27, 3), (28, 50, 1), (51, 79, 1), (80, 99, 2), (100, 128, 1)], ("batch", 8, None)),
    "flow": ([(0, 0), (17, 18), (40, 40)], ("flow", 3, None)),
    "flow-every-minute": ([(17, 17), (77, 78), (137, 137)], ("flow", 3, None)),
    "flow-one-of-five-is-not": ([(0, 0), (17, 18), (40, 40), (50, 51), (60, 80)], ("flow", 4, None)),
    "mixed-flow-and-batch": ([(0, 0), (17, 18), (40, 40), (50, 70, 2), (71, 99, 2)], ("mixed", 3, None)),
    "mixed-own-stamps-that-are-long": ([(0, 30), (10, 47), (20, 66), (25, 90)], ("mixed", 1, None)),
    "too-few-records": ([(6, 65), (66, 125)], ("unknown", None, None)),
    "one-window": ([(0, 27, 50)], ("unknown", None, None)),
    "two-ends-of-a-grid": ([(6, 65, 20), (66, 125, 20)], ("unknown", None, None)),
    "ends-that-are-one-close": ([(6, 65), (30, 66), (66, 125)], ("unknown", None, None)),
    "batch-or-sparse-grid": ([(0, 27, 3), (300, 350, 2), (900, 913, 4), (2000, 2030, 2)], ("unknown", None, None)),
    "nothing": ([], ("unknown", None, None)),
}


@pytest.mark.parametrize(("rows", "expected"), OTHERS.values(), ids=OTHERS)
def test_other_modes(rows, expected):
    name, agreeing, phase = judge(*rows)
    assert (name, phase) == expected[::2] and (agreeing == expected[1] or name == "mixed" or expected[0] == "unknown")


def test_minrecords():
    assert judge((6, 65), (66, 125), (126, 185), minrecords=4)[0] == "unknown"
    assert judge((0, 0), (2, 2), minrecords=1)[0] == "flow"


@pytest.mark.parametrize(("interval", "ends"), [(60, 3), (600, 3), (30, 4), (10, 5), (1, 1_000_000_000)])
def test_a_short_interval_takes_more_ends(interval, ends):
    assert ends_needed(interval) == ends


def changes(*ends, interval=60):
    return [end - T for end in find_changes([T + end for end in ends], interval)]


CHANGES = {
    "none": ([65, 125, 185], []),
    "one": ([65, 125, 185, 210, 270, 330], [210]),
    "a-second-is-no-change": ([65, 125, 185, 246, 306, 366], []),
    "two-seconds-are": ([65, 125, 185, 247, 307, 367], [247]),
    "seen-on-two-ends-only": ([65, 125, 185, 210, 270], []),
    "a-stray-end": ([65, 125, 140, 185, 245], []),
    "a-stray-end-at-the-change": ([65, 125, 185, 200, 210, 270, 330], [210]),
    "back-again": ([65, 125, 185, 210, 270, 330, 365, 425, 485], [210, 365]),
    "no-phase-at-all": ([10, 45, 71, 103, 131, 160], []),
    "a-phase-after-noise": ([10, 45, 71, 125, 185, 245], []),
}


@pytest.mark.parametrize(("ends", "expected"), CHANGES.values(), ids=CHANGES)
def test_changes_of_phase(ends, expected):
    assert changes(*ends) == expected


def best_by_brute_force(rows):
    """The most records in windows that do not overlap, by trying all sets of windows."""
    best = 0
    for chosen in range(1 << len(rows)):
        some = [row for i, row in enumerate(rows) if chosen >> i & 1]
        if all(a[1] <= b[0] or b[1] <= a[0] for i, a in enumerate(some) for b in some[:i]):
            best = max(best, sum(row[2] for row in some))
    return best


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(2, 12), st.integers(1, 5)), max_size=8))
def test_the_windows_that_do_not_overlap_are_the_most(rows):
    from flowlag.profile.modes import _count_disjoint

    spans = {(start, start + length): count for start, length, count in rows}
    distinct = [(*span, count) for span, count in spans.items()]
    assert _count_disjoint(windows(*distinct)) == best_by_brute_force(distinct)


def test_chance_gives_no_grid():
    """Ends without a phase are called a grid in less than 1 of 100 cases, whatever the number of windows."""
    rng = random.Random(1)
    grids = 0
    for _ in range(3000):
        rows = []
        start = 0
        for _ in range(rng.choice((3, 4, 6, 10, 30))):
            length = rng.randint(4, 31)
            rows.append((start, start + length, 2))
            start += length + 1 + rng.choice((0, 0, 0, 60, 600)) * rng.randrange(3)
        grids += judge(*rows)[0] == "grid"
    assert grids < 30


def test_modes_are_compared_by_what_they_say():
    assert Mode("unknown") == Mode("unknown", None, None)
