# SPDX-License-Identifier: Apache-2.0
"""Dates with a time of day to a point in time: ISO 8601, RFC 3339, and full dates in other notations.

instants.py imports this module when it meets the first text that is not a number, so that a search over epoch numbers,
the usual one, starts without calendars. Nothing is filled in: `May`, `12:30` or a date without a time of day is not a
time. Authority: docs/enrich.md, Times; python-dateutil 2.9.0 (its parser fills missing parts from a default date, takes
the zone names of the machine on which it runs, and drops unknown zones: all three are refused here).
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Optional

_ISO = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}|[0-9]{4}-?W[0-9]{2}-?[0-9]|[0-9]{4}-?[0-9]{3})[Tt ]"
    r"[0-9]{2}:?[0-9]{2}(:?[0-9]{2}([.,][0-9]+)?)? ?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
_YEAR_FIRST = re.compile(r"(?<![0-9./-])([0-9]{4}([-/. ]?)[0-9]{1,2}\2[0-9]{1,2}|[0-9]{12}|[0-9]{14})(?![0-9])")
_MONTH_NAME = re.compile(r"(?<![a-z])(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*", re.IGNORECASE)
_SIGNED_ZONE = re.compile(r"(utc|gmt|z) ?[+-]", re.IGNORECASE)  # UTC+3: east by custom, west by POSIX, so refused
# more than a week apart, because dateutil moves the day that it fills in to a weekday named in the text
_FILLERS = (datetime(2001, 1, 1, 1, 1), datetime(2002, 2, 15, 2, 2))
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def parse_date(text: str) -> Optional[int]:
    """A date with a time of day as microseconds since the epoch, UTC if it names no zone; None if it is not one."""
    if text != text.strip() or "\n" in text:
        return None
    moment = _parse_iso(text) if _ISO.fullmatch(text) else _parse_full_date(text)
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _parse_iso(text: str) -> Optional[datetime]:
    from dateutil.parser import isoparse  # here, since most words are not dates

    moment = text.upper()
    if "T" not in moment:
        moment = moment.replace(" ", "T", 1)
    try:
        return isoparse(moment.replace(" ", ""))  # a blank may stand before the zone
    except (ValueError, OverflowError):
        return None


def _parse_full_date(text: str) -> Optional[datetime]:
    """The moment in a notation with a clear order, if dateutil reads the same one whatever default it is given."""
    if not (_YEAR_FIRST.search(text) or _MONTH_NAME.search(text)) or _SIGNED_ZONE.search(text):
        return None
    from dateutil.parser import parse

    try:
        moment, other = (parse(text, default=filler, tzinfos=_allowed_zone) for filler in _FILLERS)
        return moment if moment == other and _names_year(text, moment) else None
    # besides ValueError, dateutil's lexer raises these on text that is not a date (its issues 1071, 1191)
    except (ValueError, OverflowError, TypeError, IndexError, AttributeError, ArithmeticError):
        return None


def _names_year(text: str, moment: datetime) -> bool:
    """Whether the text has the four digits of the year: `13 Sep 21 10:00` leaves the century to a guess."""
    return re.search(rf"(?<![0-9]){moment.year}", text) is not None


def _allowed_zone(name: Optional[str], offset_s: Optional[int]) -> Optional[tzinfo]:
    """The zone for dateutil: an offset, UTC or GMT, and UTC if there is none; any other name is refused."""
    if name is None:
        return timezone.utc if offset_s is None else timezone(timedelta(seconds=offset_s))
    if name.upper() in ("UTC", "GMT", "Z") and not offset_s:
        return timezone.utc
    raise ValueError(f"unknown time zone {name!r}")
