# SPDX-License-Identifier: Apache-2.0
"""Options of flowlagprofile: defaults, what is read, and the sentence that refuses the rest."""

import pytest

from flowlag.enrich_options import Settings
from flowlag.errors import SettingsError
from flowlag.profile.options import ProfileSettings, parse_profile_arguments


def test_defaults():
    assert parse_profile_arguments([]) == ProfileSettings() == ProfileSettings(Settings(), 3)
    assert parse_profile_arguments(["lag=60", "interval=1m", "minrecords=3", "prefix=flowlag_"]) == ProfileSettings()


def test_what_is_read():
    settings = parse_profile_arguments(["lag=30s", "interval=10m", "minrecords=7", "prefix=x_"])
    assert (settings.reading.lag_us, settings.interval_s, settings.minrecords) == (30_000_000, 600, 7)
    assert {"x_status", "x_start", "x_end", "_raw", "_indextime", "start_time"} <= set(settings.input_fields)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("minrecords=0", ["minrecords", '"0"', "a whole number from 1"]),
        ("minrecords=x", ["minrecords", '"x"']),
        ("lag=-5", ["lag", '"-5"', "0 to 3600"]),
        ("interval=0", ["interval", '"0"', "1 to 3600"]),
        ("prefix=1", ["prefix", '"1"']),
        ("phase=6", ["flowlagprofile takes", "lag, interval, minrecords, prefix"]),
        ("start=begin", ["flowlagprofile takes"]),
        ("lag", ["lag", "name=value"]),
    ],
)
def test_what_is_refused(argument, words):
    with pytest.raises(SettingsError) as caught:
        parse_profile_arguments([argument])
    assert all(word in str(caught.value) for word in words) and str(caught.value).endswith(".")


def test_twice():
    with pytest.raises(SettingsError, match="given twice"):
        parse_profile_arguments(["minrecords=3", "minrecords=4"])
