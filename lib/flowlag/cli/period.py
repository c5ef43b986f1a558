# SPDX-License-Identifier: Apache-2.0
"""The options `--since` and `--until` of the shell: only records that start in a period.

A record without a readable start stays, so that nothing that cannot be read is lost. Authority: docs/shell.md, Period.
"""

from __future__ import annotations

from argparse import Namespace
from typing import Callable, NamedTuple, Optional

from flowlag.cli.command import given_options
from flowlag.errors import SettingsError
from flowlag.instants import parse_instant, parse_seconds
from flowlag.options import NotAllowed, Option, gather_options, read_options

_ALLOWED = "a time from 2014 to 2100: seconds since the epoch, or a date with time of day, such as 2025-10-14T19:22:49Z"


def _parse_time(text: str) -> int:
    time_us = parse_instant(text)
    if time_us is None:
        raise NotAllowed
    return time_us


SINCE = Option("since", "<time>", None, _ALLOWED, "Only records that start at this time or later.", _parse_time)
UNTIL = Option("until", "<time>", None, _ALLOWED, "Only records that start before this time.", _parse_time)
PERIOD_OPTIONS = (SINCE, UNTIL)

Get = Callable[[str], Optional[str]]


class Period(NamedTuple):
    """The times, in microseconds, from which on and before which records start; None without a limit."""

    since_us: Optional[int] = None
    until_us: Optional[int] = None

    def holds(self, start: str) -> bool:
        """Whether a record with this start (epoch seconds as text) is in the period, or has none."""
        start_us = parse_seconds(start)
        if start_us is None:
            return True
        return (self.since_us is None or start_us >= self.since_us) and (
            self.until_us is None or start_us < self.until_us
        )


def read_period(args: Namespace, command: str) -> Optional[Period]:
    """The period that was asked for, None without one; raises SettingsError."""
    values = read_options(gather_options(given_options(args, PERIOD_OPTIONS), PERIOD_OPTIONS, command), PERIOD_OPTIONS)
    period = Period(values["since"], values["until"])
    if period.since_us is not None and period.until_us is not None and period.since_us >= period.until_us:
        raise SettingsError("--until is not after --since; give a later --until.")
    return None if period == Period() else period
