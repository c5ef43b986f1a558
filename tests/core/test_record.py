# SPDX-License-Identifier: Apache-2.0
"""Timing values to one verdict: the first of docs/enrich.md, Status that applies."""

import pytest

from flowlag.fields import Values
from flowlag.record import Record, count_packets, judge_values

S = 1_000_000
START, END = 1602397446, 1602397505
OK = Values(str(START), str(END), "1", "eni-1", "OK")

VERDICTS = {
    "ok": (OK, "ok"),
    "no-status-counts-as-ok": (OK._replace(status=None), "ok"),
    "status-blank": (OK._replace(status="  "), "ok"),
    "status-any-case": (OK._replace(status=" ok "), "ok"),
    "nodata": (OK._replace(status="NODATA", packets=None), "nodata"),
    "nodata-with-counters": (OK._replace(status="nodata"), "nodata"),
    "skipdata": (OK._replace(status="SKIPDATA"), "skipdata"),
    "header-value": (Values("start", "end", "packets", "interface-id", "log-status"), "header"),
    "header-value-quoted": (Values('"Start"', "end"), "header"),
    "nothing": (Values(), "other"),
    "foreign-status-alone": (Values(status="200"), "other"),
    "packets-alone": (Values(packets="5", interface="eni-1"), "other"),
    "status-alone": (Values(status="OK"), "missing"),
    "start-alone": (Values(start=str(START)), "missing"),
    "end-alone": (Values(end=str(END), status="OK"), "missing"),
    "start-unreadable": (OK._replace(start="x"), "invalid"),
    "end-unreadable": (OK._replace(end=" 5"), "invalid"),
    "unreadable-before-missing": (Values(end="x"), "invalid"),
    "start-multivalue": (OK._replace(start="5\n6"), "invalid"),
    "start-9-digits": (OK._replace(start="160239744"), "invalid"),
    "foreign-status": (OK._replace(status="FINE"), "invalid"),
    "foreign-status-one-time": (Values(start=str(START), status="200"), "invalid"),
    "too-long": (OK._replace(end=str(START + 3601)), "invalid"),
    "too-long-nodata": (OK._replace(end=str(START + 3601), status="NODATA"), "invalid"),
    "an-hour": (OK._replace(end=str(START + 3600)), "ok"),
    "reversed": (OK._replace(end=str(START - 1)), "reversed"),
    "reversed-by-years": (OK._replace(end="1402397446"), "reversed"),
    "reversed-nodata": (OK._replace(end=str(START - 1), status="NODATA"), "reversed"),
    "equal": (OK._replace(end=str(START)), "ok"),
}


@pytest.mark.parametrize(("values", "status"), VERDICTS.values(), ids=VERDICTS)
def test_verdict(values, status):
    assert judge_values(values).status == status


def test_each_valid_time_is_given_whatever_the_verdict():
    assert judge_values(OK) == Record("ok", START * S, END * S, 1, "eni-1")
    assert judge_values(OK._replace(end="x"))[:3] == ("invalid", START * S, None)
    assert judge_values(OK._replace(status="FINE"))[:3] == ("invalid", START * S, END * S)
    assert judge_values(OK._replace(end=str(START + 9999)))[:3] == ("invalid", START * S, (START + 9999) * S)
    assert judge_values(Values(end=str(END)))[:3] == ("missing", None, END * S)


DURATIONS = {
    "whole": ("59", "ok", END),
    "decimal": ("59.0", "ok", END),
    "zero": ("0", "ok", START),
    "negative-is-absent": ("-5", "missing", None),
    "unreadable-is-absent": ("1m", "missing", None),
    "too-long": ("3601", "invalid", START + 3601),
    "milliseconds-of-ocsf": ("59000", "invalid", START + 59000),
    "past-2100": ("9" * 30, "invalid", None),
}


@pytest.mark.parametrize(("duration", "status", "end"), DURATIONS.values(), ids=DURATIONS)
def test_a_missing_end_is_made_from_a_duration(duration, status, end):
    record = judge_values(Values(start=str(START), duration=duration))
    assert (record.status, record.end_us) == (status, None if end is None else end * S)


def test_an_end_made_past_the_last_time_is_invalid():
    assert judge_values(Values(start="4102444790", duration="9"))[0] == "ok"
    assert judge_values(Values(start="4102444790", duration="11"))[:3] == ("invalid", 4102444790 * S, None)


def test_a_duration_never_replaces_an_end():
    assert judge_values(OK._replace(duration="5")).end_us == END * S
    assert judge_values(OK._replace(end="x", duration="5")).status == "invalid"
    assert judge_values(Values(duration="5")).status == "other"


def test_a_recognised_line_without_times_is_a_record():
    """A layout without start and end gives flow log records that lack their times, not foreign events."""
    assert judge_values(Values(), recognised=True).status == "missing"
    assert judge_values(Values(status="x"), recognised=True).status == "missing"


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("0.0", 0), ("000", 0), ("1", 1), ("01", 1), ("1.0", 1), ("2", 2), ("10", 2), ("100.0", 2), ("9" * 6000, 2),
     (None, None), ("1.5", None), ("1.00", None), ("-1", None), ("1e3", None), (" 1", None), ("1\n2", None), ("²", None), ("x", None)],
)  # fmt: skip
def test_packets(text, count):
    assert count_packets(text) == count
