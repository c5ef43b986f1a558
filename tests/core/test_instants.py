# SPDX-License-Identifier: Apache-2.0
"""Text to event time, case by case (docs/enrich.md, Times)."""

import pytest

from flowlag.instants import FIRST_US, LAST_US, parse_instant, parse_seconds

S = 1_000_000
SEED = 1602397446 * S  # 2020-10-11T06:24:06Z

READ = {
    "seconds": ("1602397446", SEED),
    "leading-zero": ("01602397446", SEED),
    "decimals": ("1602397446.5", SEED + 500_000),
    "six-decimals": ("1602397446.123456", SEED + 123_456),
    "further-decimals-are-cut": ("1602397446.1234569", SEED + 123_456),
    "milliseconds": ("1602397446123", SEED + 123_000),
    "milliseconds-decimals": ("1602397446123.4567", SEED + 123_456),
    "microseconds": ("1602397446123456", SEED + 123_456),
    "nanoseconds-are-cut": ("1602397446123456999", SEED + 123_456),
    "first-second": ("1388534400", FIRST_US),
    "last-second": ("4102444800", LAST_US),
    "last-in-ns": ("4102444800000000000", LAST_US),
    "iso-z": ("2020-10-11T06:24:06Z", SEED),
    "iso-lower-case": ("2020-10-11t06:24:06z", SEED),
    "iso-no-zone-is-utc": ("2020-10-11T06:24:06", SEED),
    "iso-offset": ("2020-10-11T15:24:06+09:00", SEED),
    "iso-offset-short": ("2020-10-11T15:24:06+0900", SEED),
    "iso-offset-hours": ("2020-10-11T15:24:06+09", SEED),
    "iso-blank": ("2020-10-11 06:24:06", SEED),
    "iso-blank-before-zone": ("2020-10-11 15:24:06 +0900", SEED),
    "iso-comma": ("2020-10-11T06:24:06,5Z", SEED + 500_000),
    "iso-nine-decimals-are-cut": ("2020-10-11T06:24:06.123456789Z", SEED + 123_456),
    "iso-no-seconds": ("2020-10-11T06:24Z", SEED - 6 * S),
    "iso-basic": ("20201011T062406Z", SEED),
    "iso-week": ("2020-W41-7T06:24:06Z", SEED),
    "iso-ordinal": ("2020-285T06:24:06Z", SEED),
    "slashes": ("2020/10/11 06:24:06", SEED),
    "slashes-no-seconds": ("2021/09/02 10:00", 1630576800 * S),
    "utc-word": ("2020-10-11 06:24:06 UTC", SEED),
    "gmt-word": ("Sun, 11 Oct 2020 06:24:06 GMT", SEED),
    "ctime": ("Sun Oct 11 06:24:06 2020", SEED),
    "iso-t-and-blank-before-zone": ("2020-10-11T15:24:06 +09:00", SEED),
    "iso-t-and-blank-before-z": ("20201011T062406 Z", SEED),
    "fourteen-digits-and-zone": ("20201011062406Z", SEED),
    "unix-date": ("Sun Oct 11 06:24:06 UTC 2020", SEED),
    "month-name": ("Oct 11, 2020 6:24:06 AM", SEED),
    "month-name-long": ("11 October 2020 06:24:06 +0000", SEED),
}

REFUSED = [
    "", "-", " ", " 5", "5", "+5", "-5", "1_0", "0x1", "nan", "inf", "1e9", "1602397446.", ".5", "1,602,397,446", "1602397446s",
    " 1602397446", "1602397446 ", "1602397446\n", "1602397446\n1602397447", "1602397446\x00", "１６０２３９７４４６", "²",
    "1388534399", "1388534399.999999", "4102444800.000001", "4102444801", "999999999", "9" * 20, "9" * 5000,
    "May", "12:30", "Sunday", "today", "2020", "2020-10", "2020-10-11", "20201011", "11 Oct 2020", "Oct 11 06:24:06",
    "2020-10-11T06", "2020-10-11T06Z", "Oct 2020 06:24:06", "13.09.2021 10:00", "09/13/2021 10:00", "13-09-2021 10:00",
    "13 Sep 21 10:00", "Thu Sep 2021 10:00", "2021 Thu Sep 10:00", "Fri Oct 2020 06:24:06 GMT", "2021/13/09 10:00", "2020-10-11T06:24:06 JST", "2020-10-11 06:24:06 EST", "2020-10-11 06:24:06 CET",
    "2020-10-11T06:24:06+99:00", "2020-10-11 06:24:06 UTC+3", "2020-10-11 06:24:60", "2020-02-30 06:24:06", "2013-12-31T23:59:59Z",
    "2100-01-01T00:00:01Z", "9999-12-31T23:59:59-12:00", "0000-01-01T00:00:00Z", "2020-10-11T06:24:06Z\n", " 2020-10-11T06:24:06Z",
    "２０２０-10-11T06:24:06Z", "2020-10-11T06:24:06Z" + " " * 60, "x" * 100_000, "Oct " * 20_000,
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), READ.values(), ids=READ)
def test_reads(text, expected):
    assert parse_instant(text) == expected


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text[:30]))
def test_refuses(text):
    """Nothing is filled in, guessed or taken for more than it is."""
    assert parse_instant(text) is None


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York"])
def test_ignores_the_zone_of_the_machine(zone, monkeypatch):
    """dateutil would take a zone name that the machine happens to use."""
    import time

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert parse_instant("2020/10/11 06:24:06") == SEED
        assert parse_instant(f"2020/10/11 06:24:07 {time.tzname[0]}") is None
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("39", 39 * S),
        ("0.25", 250_000),
        ("1.2345678", 1_234_567),
        ("-1", None),
        ("", None),
        ("1e3", None),
        ("3s", None),
    ],
)
def test_seconds(text, expected):
    assert parse_seconds(text) == expected


def test_seconds_of_any_length():
    """A number of five thousand digits is a number, and too large for anything."""
    assert parse_seconds("9" * 5000) > LAST_US
