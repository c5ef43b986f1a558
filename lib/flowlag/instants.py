# SPDX-License-Identifier: Apache-2.0
"""Text to event time: epoch numbers of any unit, ISO 8601/RFC 3339, and full dates that python-dateutil reads.

Times are whole microseconds since the epoch, UTC. Nothing is ever filled in: `May`, `12:30` or a lone date is no time.
Authority: contract section 2, "Times"; python-dateutil 2.9.0 (its parser fills missing parts from a default date, takes
zone names of the machine it runs on, and drops unknown zones: all three are refused here).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Optional

from flowlag.interval import SECOND_US

#: The service is younger than 2014, and nothing is stamped past 2100: outside, a number is not a stamp.
FIRST_US = 1_388_534_400 * SECOND_US
LAST_US = 4_102_444_800 * SECOND_US

_MOST_DIGITS = 19  # nanoseconds in 2100 have 19
_LONGEST_DATE = 64  # the longest notation has about 40 characters; bounds what a hostile event can cost
_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}|[0-9]{4}-?W[0-9]{2}-?[0-9]|[0-9]{4}-?[0-9]{3})[Tt ]"
    r"[0-9]{2}:?[0-9]{2}(:?[0-9]{2}([.,][0-9]+)?)? ?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
_YEAR_FIRST = re.compile(r"(?<![0-9./-])[0-9]{4}([-/. ]?)[0-9]{1,2}\1[0-9]{1,2}(?![0-9])")
_MONTH_NAME = re.compile(r"(?<![a-z])(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*", re.IGNORECASE)
_SIGNED_ZONE = re.compile(r"(utc|gmt|z) ?[+-]", re.IGNORECASE)  # UTC+3: east by custom, west by POSIX, so no time
_FILLERS = (datetime(2001, 1, 1, 1, 1), datetime(2002, 2, 2, 2, 2))
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def parse_seconds(text: str) -> Optional[int]:
    """A plain number of seconds, whole or decimal and not negative, as microseconds; None when it is none.

    Digits behind the sixth decimal are cut.
    """
    if len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit():  # nearly always
        return int(text) * SECOND_US
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    digits = match.group(1).lstrip("0")[: _MOST_DIGITS + 1]
    return int(digits or "0") * SECOND_US + _micros(match.group(2))


def parse_instant(text: str) -> Optional[int]:
    """A time as microseconds since the epoch, None when `text` is no time between 2014-01-01 and 2100-01-01."""
    if text.isascii() and len(text) <= _LONGEST_DATE:
        return _parse_short(text)
    return _in_range(_parse_epoch(text)) if text.isascii() else None


@lru_cache(maxsize=4096)
def _parse_short(text: str) -> Optional[int]:
    time_us = _parse_epoch(text)
    return _in_range(_parse_date(text) if time_us is None else time_us)


def _in_range(time_us: Optional[int]) -> Optional[int]:
    return time_us if time_us is not None and FIRST_US <= time_us <= LAST_US else None


def _micros(decimals: Optional[str]) -> int:
    return int((decimals or "")[:6].ljust(6, "0"))


def _parse_epoch(text: str) -> Optional[int]:
    """Seconds, milli-, micro- or nanoseconds since the epoch, told apart by magnitude."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    digits = match.group(1).lstrip("0")
    if len(digits) > _MOST_DIGITS:
        return None
    count, micros = int(digits or "0"), _micros(match.group(2))
    if count < 10**11:
        return count * SECOND_US + micros
    if count < 10**14:
        return count * 1000 + micros // 1000
    return count if count < 10**17 else count // 1000


def _parse_date(text: str) -> Optional[int]:
    if text != text.strip() or "\n" in text:
        return None
    moment = _parse_iso(text) if _ISO.fullmatch(text) else _parse_full_date(text)
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _parse_iso(text: str) -> Optional[datetime]:
    from dateutil.parser import isoparse  # here, so that a search over epoch numbers does not pay for the import

    try:
        return isoparse(text.upper().replace(" ", "T", 1).replace(" ", ""))
    except (ValueError, OverflowError):
        return None


def _parse_full_date(text: str) -> Optional[datetime]:
    """What dateutil reads to the same moment whatever default it may fill in, from a notation with a clear order."""
    if not (_YEAR_FIRST.search(text) or _MONTH_NAME.search(text)) or _SIGNED_ZONE.search(text):
        return None
    from dateutil.parser import parse

    try:
        moment, other = (parse(text, default=filler, tzinfos=_allowed_zone) for filler in _FILLERS)
        return moment if moment == other and _names_year(text, moment) else None
    # dateutil's lexer raises these, beside ValueError, on text that is no date (its issues 1071, 1191)
    except (ValueError, OverflowError, TypeError, IndexError, AttributeError, ArithmeticError):
        return None


def _names_year(text: str, moment: datetime) -> bool:
    """Whether the four digits of the year stand in the text: `13 Sep 21 10:00` leaves the century to a guess."""
    return re.search(rf"(?<![0-9]){moment.year}", text) is not None


def _allowed_zone(name: Optional[str], offset_s: Optional[int]) -> Optional[tzinfo]:
    """The zone for dateutil: an offset, UTC, GMT or none (which is UTC); any other name is refused."""
    if name is None:
        return timezone.utc if offset_s is None else timezone(timedelta(seconds=offset_s))
    if name.upper() in ("UTC", "GMT", "Z") and not offset_s:
        return timezone.utc
    raise ValueError(f"unknown time zone {name!r}")
