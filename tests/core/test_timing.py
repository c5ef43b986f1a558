# SPDX-License-Identifier: Apache-2.0
"""The model's axis, case by case, with the numbers worked out beside them (docs/model.md, The bounds)."""

import pytest

from flowlag.interval import Interval, write_half_us, write_seconds
from flowlag.timing import time_record

S = 1_000_000
T = 1602397446

#   start-60          start      end  end+1
CASES = {
    # name: (duration, lag, earliest, latest, time, uncertainty) as offsets from start, in seconds
    "one-packet-full-window": (59, 60, -60, 60, 0, 60),  # middle of [-60, 60) is 0
    "seed-third-record": (39, 60, -60, 40, -10, 50),
    "own-stamps": (0, 60, -60, 1, -29.5, 30.5),
    "no-lag": (59, 0, 0, 60, 30, 30),
    "no-lag-no-duration": (0, 0, 0, 1, 0.5, 0.5),
    "ten-minutes": (599, 60, -60, 600, 270, 330),
    "decimal-lag": (1, 0.5, -0.5, 2, 0.75, 1.25),
}


@pytest.mark.parametrize(("duration", "lag", "earliest", "latest", "time", "uncertainty"), CASES.values(), ids=CASES)
def test_envelope(duration, lag, earliest, latest, time, uncertainty):
    timing = time_record(T * S, (T + duration) * S, 1, True, int(lag * S))
    assert timing.recorded == Interval(T * S, (T + duration) * S)
    assert timing.envelope == Interval(int((T + earliest) * S), int((T + latest) * S))
    assert timing.time_halves == int((T + time) * 2 * S)
    assert timing.uncertainty_halves == int(uncertainty * 2 * S)
    assert timing.duration_us == duration * S


STAMPS = {
    # duration in seconds, packets (2 is several) -> whose stamps
    "0s-unknown": (0, None, "packet"),
    "0s-none": (0, 0, "packet"),
    "1s-one": (1, 1, "packet"),
    "1s-several": (1, 2, "packet"),
    "1.000001s-one": (1.000001, 1, "batch"),
    "59s-one": (59, 1, "batch"),
    "2s-several": (2, 2, "unclear"),
    "2s-none": (2, 0, ""),
    "2s-unknown": (2, None, ""),
}


@pytest.mark.parametrize(("duration", "packets", "stamps"), STAMPS.values(), ids=STAMPS)
def test_stamps(duration, packets, stamps):
    assert time_record(T * S, T * S + round(duration * S), packets, True, 60 * S).stamps == stamps


def test_only_ok_records_have_stamps():
    assert time_record(T * S, T * S, 1, False, 60 * S).stamps == ""


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (write_seconds(60 * S), "60"),
        (write_seconds(0), "0"),
        (write_seconds(49_500_000), "49.5"),
        (write_seconds(1), "0.000001"),
        (write_seconds(-1_500_000), "-1.5"),
        (write_seconds(10**20), "100000000000000"),
        (write_half_us(1), "0.0000005"),
        (write_half_us(2 * S), "1"),
        (write_half_us(T * 2 * S + 1), "1602397446.0000005"),
    ],
)
def test_numbers_without_exponent_or_needless_digits(text, written):
    assert text == written
