# SPDX-License-Identifier: Apache-2.0
"""Every option of flowlagprofile, and every threshold by which it judges, each with its reason.

Authority: contract section 4. `lag`, `interval` and `prefix` mean what they mean for flowlagenrich, and are read alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flowlag.enrich_options import Settings, gather_options, parse_settings, refuse, split_arguments
from flowlag.interval import SECOND_US

#: Option names in the contract's order.
PROFILE_OPTIONS = ("lag", "interval", "minrecords", "prefix")

#: With fewer ok records nothing is said of an interface: two records agree too easily.
DEFAULT_MINRECORDS = 3
#: Distinct ends without which nothing is said: one window shows neither a phase nor that there is none.
MIN_WINDOWS = 2
#: Distinct ends that make a phase. Two share one of a minute by chance in 1 of 20 cases, three in 1 of 300.
MIN_ENDS = 3
#: Short intervals take more ends, so that chance gives them a common phase in less than 1 of 100 cases.
MOST_BY_CHANCE = 0.01
#: The share of ok records, and of distinct ends, that have to agree. One in five may disagree: records of a window that
#: was cut off, of a second flow log, of a new phase that is not yet seen on three ends.
MIN_SUPPORT = 0.8
#: A record of at most so many seconds has stamps of its own: none in the data seen shares them with another record.
LONGEST_OWN_S = 1
#: Ends nearer than the interval, which no grid has; a change of phase makes one, so that two are asked for a batch
#: (one where there are two ends in all, of which each phase would have seen one).
MIN_SHORT_GAPS = 2
#: The share of records that show a batch by themselves: they share their whole window, or have one packet and are long.
MIN_SHARED = 0.5
#: Ends without a phase fall together by chance, on this many and this share of them at most. More is a grid in part.
CHANCE_ENDS, CHANCE_SHARE = 1.5, 0.25
#: Windows longer than the interval, above this share: then the grid has another interval.
MOST_LONG = 0.5


class ProfileSettings(NamedTuple):
    """What flowlagprofile was asked for; `reading` tells how records are read, and has lag, interval and prefix."""

    reading: Settings = Settings()
    minrecords: int = DEFAULT_MINRECORDS

    @property
    def interval_s(self) -> int:
        """The interval of the grid that is looked for, in seconds."""
        return self.reading.interval_us // SECOND_US

    @property
    def input_fields(self) -> list[str]:
        """Every event field that may be read, for Splunk to extract."""
        tags = [self.reading.prefix + name for name in ("status", "start", "end")]
        return [*self.reading.input_fields, "_indextime", *tags]


def parse_profile_settings(
    pairs: Iterable[tuple[str, str]], command: str = "flowlagprofile", known: Sequence[str] = PROFILE_OPTIONS
) -> ProfileSettings:
    """Settings from (option, value) pairs as the user typed them, unquoted; raises SettingsError, one sentence."""
    given = gather_options(pairs, known, command)
    minrecords = _parse_minrecords(given.pop("minrecords", str(DEFAULT_MINRECORDS)))
    return ProfileSettings(parse_settings(given.items(), command), minrecords)


def parse_profile_arguments(arguments: Iterable[str], command: str = "flowlagprofile") -> ProfileSettings:
    """Settings from a search command's arguments, each `name=value` with quotes taken off as splunkd sends them."""
    return parse_profile_settings(split_arguments(arguments, command), command)


def _parse_minrecords(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise refuse("minrecords", text, "a whole number from 1 to 999999999")
    return int(text)
