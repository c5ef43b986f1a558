# SPDX-License-Identifier: Apache-2.0
"""Text to a point in time: epoch numbers in any unit, and dates (by dates.py).

Times are whole microseconds since the epoch, UTC. Authority: docs/enrich.md, Times.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Optional

from flowlag.interval import SECOND_US

#: Flow logs began after 2014, and none is stamped after 2100: a number outside this range is not a stamp.
FIRST_US = 1_388_534_400 * SECOND_US
LAST_US = 4_102_444_800 * SECOND_US

_MOST_DIGITS = 19  # nanoseconds in 2100 have 19
_LONGEST_DATE = 64  # the longest notation has about 40 characters; this bounds what a hostile event can cost
_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?")


def parse_seconds(text: str) -> Optional[int]:
    """A plain number of seconds, whole or decimal and not negative, as microseconds; None if it is not one.

    Digits after the sixth decimal are cut.
    """
    if len(text) <= _MOST_DIGITS and text.isascii() and text.isdigit():  # nearly always so
        return int(text) * SECOND_US
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    digits = match.group(1).lstrip("0")[: _MOST_DIGITS + 1]
    return int(digits or "0") * SECOND_US + _micros(match.group(2))


def parse_instant(text: str) -> Optional[int]:
    """A time as microseconds since the epoch; None if `text` is not a time from 2014-01-01 to 2100-01-01."""
    if text.isascii() and len(text) <= _LONGEST_DATE:
        return _parse_short(text)
    return _in_range(_parse_epoch(text)) if text.isascii() else None


def is_far(text: str) -> bool:
    """Whether `text` is a time, but not from 2014-01-01 to 2100-01-01."""
    time_us = _parse_any(text) if text.isascii() and len(text) <= _LONGEST_DATE else None
    return time_us is not None and _in_range(time_us) is None


@lru_cache(maxsize=4096)
def _parse_short(text: str) -> Optional[int]:
    return _in_range(_parse_any(text))


def _parse_any(text: str) -> Optional[int]:
    time_us = _parse_epoch(text)
    if time_us is not None:
        return time_us
    from flowlag.dates import parse_date  # here, so that a search over epoch numbers does not pay for it

    return parse_date(text)


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
