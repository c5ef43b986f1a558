# SPDX-License-Identifier: Apache-2.0
"""Owns the times of SPL in the tests: time modifiers such as -4h@h, spans, and the variables of strftime and strptime.

Authority: Splunk's Search Reference, Time modifiers and Date and time format variables. All times are UTC; weeks that
snap, months and years are left out.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Callable, Optional

from tests.spl.values import SplError

UNITS = {
    **dict.fromkeys("s sec secs second seconds".split(), 1),
    **dict.fromkeys("m min mins minute minutes".split(), 60),
    **dict.fromkeys("h hr hrs hour hours".split(), 3600),
    **dict.fromkeys("d day days".split(), 86400),
}
STEP = re.compile(r"([+-])(\d*)([a-z]+)|@([a-z]+)")
EPOCH = re.compile(r"\d+(?:\.\d+)?")


def unit_length(unit: str) -> int:
    if unit not in UNITS:
        raise SplError(f"unknown unit of time {unit!r}")
    return UNITS[unit]


def shift(time: float, modifier: str) -> float:
    """Return the time that a relative modifier such as -1d@d+2h names; snapping always goes back."""
    position = 0
    while position < len(modifier):
        step = STEP.match(modifier, position)
        if step is None:
            raise SplError(f"unknown time modifier {modifier!r}")
        sign, count, unit, snap = step.groups()
        if snap:
            time = time - time % unit_length(snap)
        else:
            time += int(f"{sign}{count or 1}") * unit_length(unit)
        position = step.end()
    return time


def parse_bound(text: str, now: float) -> Optional[float]:
    """Return a bound of a search's time range; None for all time."""
    if text == "":
        return None
    if text in ("now", "now()"):
        return now
    if EPOCH.fullmatch(text):
        return float(text)
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?(Z|[+-]\d\d:\d\d)", text):
        return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    return shift(now, text)


def parse_span(text: str) -> int:
    """Return a span of bin in whole seconds; a plain number counts in the unit of the field."""
    match = re.fullmatch(r"(\d+)([a-z]*)", text)
    if match is None or int(match[1]) == 0:
        raise SplError(f"unknown span {text!r}")
    return int(match[1]) * (unit_length(match[2]) if match[2] else 1)


def day_format(code: str) -> Callable[[datetime, Decimal], str]:
    return lambda moment, _: moment.strftime(code)


def subsecond(digits: int) -> Callable[[datetime, Decimal], str]:
    """Digits behind the point, cut and not rounded, so that a second never becomes the next one."""
    return lambda _, time: f"{int(time % 1 * 10**digits):0{digits}d}"


VARIABLES: dict[str, Callable[[datetime, Decimal], str]] = {
    **{f"%{letter}": day_format(f"%{letter}") for letter in "HIMSpYymdbBaAj"},
    "%F": day_format("%Y-%m-%d"),
    "%T": day_format("%H:%M:%S"),
    "%e": lambda moment, _: f"{moment.day:2d}",
    "%z": lambda *_: "+0000",
    "%:z": lambda *_: "+00:00",
    "%Z": lambda *_: "UTC",
    "%s": lambda _, time: str(math.floor(time)),
    "%%": lambda *_: "%",
    "%Q": subsecond(3),
    **{f"%{digits}{letter}": subsecond(digits) for digits in (3, 6, 9) for letter in "NQ"},
}


def format_time(time: float, pattern: str) -> str:
    """Return what strftime gives."""
    exact = Decimal(repr(float(time)))
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=math.floor(exact))
    return re.sub(r"%(?:\d|:)?.?", lambda match: variable(match[0])(moment, exact), pattern, flags=re.S)


def variable(code: str) -> Callable[[datetime, Decimal], str]:
    if code not in VARIABLES:
        raise SplError(f"unknown or unsupported time variable {code!r}")
    return VARIABLES[code]


PARSED = {
    **{f"%{letter}": f"%{letter}" for letter in "HMSYmdbBjz%"},
    "%F": "%Y-%m-%d",
    "%T": "%H:%M:%S",
    **{f"%{digits}{letter}": "%f" for digits in ("", "3", "6") for letter in "NQ"},
}


def parse_time(text: str, pattern: str) -> Optional[float]:
    """Return what strptime gives, None for a text of another form; without a zone it is UTC, the zone of the tests."""
    codes = re.findall(r"%(?:\d|:)?.", pattern)
    if not set(codes) <= set(PARSED):
        raise SplError(f"unknown or unsupported time variable in {pattern!r}")
    translated = re.sub(r"%(?:\d|:)?.", lambda match: PARSED[match[0]], pattern)
    if not all(code in translated for code in ("%Y", "%d")):
        raise SplError(f"a time without its date: {pattern!r}")
    try:
        moment = datetime.strptime(text, translated)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
