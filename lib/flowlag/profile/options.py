# SPDX-License-Identifier: Apache-2.0
"""The options of flowlagprofile, each declared once, and the settings that are made of them.

Authority: docs/profile.md, Options. `lag`, `interval` and `prefix` are read as for flowlagenrich.
"""

from collections.abc import Iterable  # and no annotations as strings: see options.py
from typing import NamedTuple

from flowlag.enrich_options import INTERVAL, LAG, Settings, make_settings
from flowlag.interval import SECOND_US
from flowlag.options import Option, count, gather_options, prefix, split_arguments

MINRECORDS = count(
    "minrecords",
    "3",  # two records agree too easily
    "The number of `ok` records below which the mode of an interface is `unknown`.",
)

#: In the order of the docs.
PROFILE_OPTIONS = (
    LAG._replace(meaning="The longest time between a packet and its stamp. It is part of `suggest_lookback` only."),
    INTERVAL._replace(
        meaning="The aggregation interval whose grid is looked for. Give `10m` if your flow logs aggregate in ten "
        "minutes."
    ),
    MINRECORDS,
    prefix("The prefix that flowlagenrich was given."),
)


class ProfileSettings(NamedTuple):
    """What flowlagprofile was asked for; `reading` tells how records are read, and has lag, interval and prefix."""

    reading: Settings = Settings()
    minrecords: int = MINRECORDS.initial

    @property
    def interval_s(self) -> int:
        """The interval of the grid that is looked for, in seconds."""
        return self.reading.interval_us // SECOND_US

    @property
    def input_fields(self) -> list[str]:
        """Every event field that may be read, each once, for Splunk to extract."""
        tags = [self.reading.prefix + name for name in ("status", "start", "end")]
        return list(dict.fromkeys([*self.reading.input_fields, "_indextime", *tags]))


def parse_profile_settings(
    pairs: Iterable[tuple[str, str]], command: str = "flowlagprofile", options: Iterable[Option] = PROFILE_OPTIONS
) -> ProfileSettings:
    """Settings from (option, value) pairs as the user typed them, unquoted; raises SettingsError, one sentence."""
    given = gather_options(pairs, options, command)
    minrecords = MINRECORDS.read(given["minrecords"]) if "minrecords" in given else MINRECORDS.initial
    return ProfileSettings(make_settings(given), minrecords)


def parse_profile_arguments(arguments: Iterable[str], command: str = "flowlagprofile") -> ProfileSettings:
    """Settings from a search command's arguments, each `name=value` with quotes taken off as splunkd sends them."""
    return parse_profile_settings(split_arguments(arguments, command), command)
