# SPDX-License-Identifier: Apache-2.0
"""Window position: given, filled by the record itself, assumed, or nothing (contract section 1)."""

import pytest

from flowlag.enrich_options import parse_settings
from flowlag.interval import Interval
from flowlag.windows import Rule, Rules, moves_with, place_window

S = 1_000_000
T = 1602397440  # a multiple of 60


def find(start, end, learned=None, **options):
    """The window of a record from T + start to T + end, its bounds and offset as seconds after T."""
    settings = parse_settings((name, str(value)) for name, value in options.items())
    recorded = Interval(int((T + start) * S), int((T + end) * S))
    window = place_window(recorded, Rules(settings, learned).find("eni-1", *recorded))
    bounds = window.bounds and tuple(us / S - T for us in window.bounds)
    return window.basis, window.position, bounds, window.offset_us if window.offset_us is None else window.offset_us / S


#: start, end as seconds after a multiple of 60; windows open at second 6
GRID = {
    "exact": (6, 65, "full", (6, 66), 0),
    "previous-windows-last-second": (5, 65, "full", (6, 66), 0),
    "a-second-late-and-early": (7, 64, "full", (6, 66), 1),
    "a-second-over": (6, 66, "full", (6, 66), 0),
    "head": (6, 30, "head", (6, 66), 0),
    "head-by-two": (7, 63, "head", (6, 66), 1),
    "tail": (26, 65, "tail", (6, 66), 20),
    "tail-by-two": (8, 65, "tail", (6, 66), 2),
    "inside": (26, 45, "inside", (6, 66), 20),
    "multi": (6, 67, "multi", (6, 66), 0),
    "multi-late": (26, 130, "multi", (6, 66), 20),
    "last-second-belongs-to-the-next": (65, 66, "head", (66, 126), 0),
    "last-but-one": (64, 65, "tail", (6, 66), 58),
    "decimals": (6.5, 64.5, "full", (6, 66), 0.5),
}


@pytest.mark.parametrize(("start", "end", "position", "bounds", "offset"), GRID.values(), ids=GRID)
def test_grid_by_phase(start, end, position, bounds, offset):
    assert find(start, end, phase=6) == ("option", position, bounds, offset)


def test_grid_of_ten_minutes():
    assert find(0, 10, interval="10m", phase=((T % 600) + 595) % 600)[2] == (-5, 595)


#: what a record says of itself, interval 60
OWN = {
    "full-59": (0, 59, "full", (0, 60), 0),
    "full-60": (0, 60, "full", (1, 61), 0),
    "full-58": (0, 58, "full", (-1, 59), 1),
    "longer": (0, 61, "multi", None, None),
    "much-longer": (0, 600, "multi", None, None),
}


@pytest.mark.parametrize(("start", "end", "position", "bounds", "offset"), OWN.values(), ids=OWN)
@pytest.mark.parametrize("windows", ["auto", "assumed"])
def test_a_record_that_fills_a_window(start, end, position, bounds, offset, windows):
    assert find(start, end, windows=windows) == ("record", position, bounds, offset)


def test_nothing_is_guessed_unasked():
    assert find(0, 57) == ("", "", None, None)
    assert find(0, 39, interval=600) == ("", "", None, None)


def test_assumed_lays_the_window_back_from_the_end():
    assert find(0, 39, windows="assumed") == ("assumed", "tail", (-20, 40), 20)
    assert find(0, 0, windows="assumed", interval=600) == ("assumed", "tail", (-599, 1), 599)


@pytest.mark.parametrize("options", [{}, {"phase": 6}])
def test_none_leaves_everything_empty(options):
    assert find(0, 59, windows="none", **options) == ("", "", None, None)


def test_learned_windows_come_between_option_and_record():
    learned = {"eni-1": Rule("profile", "flow")}.get
    assert find(0, 59, learned=lambda interface, start_us, end_us: learned(interface))[0] == "profile"
    assert find(0, 59, learned=lambda interface, start_us, end_us: learned(interface), phase=6)[0] == "option"
    assert find(0, 59, learned=lambda interface, start_us, end_us: learned(interface), windows="none")[0] == ""
    assert find(0, 59, learned=lambda interface, start_us, end_us: None)[0] == "record"


RULES = {
    "option": ({"phase": 6}, None),
    "ten-minutes": ({"phase": 66, "interval": 600}, None),
    "record": ({}, None),
    "assumed": ({"windows": "assumed"}, None),
    "none": ({"windows": "none"}, None),
    "learned-grid": ({}, Rule("profile", "grid", 30 * S, 7 * S)),
    "learned-batch": ({}, Rule("profile", "batch", 60 * S)),
    "learned-flow": ({}, Rule("profile", "flow", 60 * S)),
}


@pytest.mark.parametrize(("options", "learned"), RULES.values(), ids=RULES)
def test_records_that_move_together_have_the_same_place(options, learned):
    """What has length and `moves_with` in common has the same window, moved along; the same law twice would drift."""
    rules = Rules(parse_settings((name, str(value)) for name, value in options.items()), lambda *_: learned)
    seen = {}
    for length in (0, 1, 20, 57, 58, 59, 60, 61, 130, 599, 600):
        for start in range(700):
            recorded = Interval((T + start) * S, (T + start + length) * S)
            rule = rules.find("eni-1", *recorded)
            window = place_window(recorded, rule)
            moved = window._replace(bounds=window.bounds and tuple(us - recorded.start_us for us in window.bounds))
            assert seen.setdefault((length, moves_with(rule, recorded.start_us)), moved) == moved
    assert len(seen) < 11 * 700


@pytest.mark.parametrize("length", [0, 1, 2])
def test_an_interval_of_a_second(length):
    assert find(0, length, interval=1)[:2] == ("record", "full" if length <= 1 else "multi")
