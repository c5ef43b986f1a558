# SPDX-License-Identifier: Apache-2.0
"""Options of flowlagconnect: defaults, what is read, and the sentence that refuses the rest."""

import pytest

from flowlag.connect.options import CONNECT_OPTIONS, ConnectSettings, parse_connect_arguments
from flowlag.errors import SettingsError
from flowlag.five_tuple import SRC_NAMES


def test_defaults():
    assert parse_connect_arguments([]) == ConnectSettings()
    assert parse_connect_arguments(["gap=5m", "rtt=1s", "lag=60", "prefix=flowlag_"]) == ConnectSettings()
    assert (ConnectSettings().gap_us, ConnectSettings().rtt_us, ConnectSettings().lag_us) == (
        300_000_000,
        1_000_000,
        60_000_000,
    )


def test_what_is_read():
    settings = parse_connect_arguments(
        ["gap=0.5", "rtt=20ms", "lag=30s", "prefix=x_", "src=from", "interface=eni", "bytes=b"]
    )
    assert (settings.gap_us, settings.rtt_us, settings.lag_us) == (500_000, 20_000, 30_000_000)
    assert settings.input_fields[:3] == ["x_status", "x_start", "x_end"]
    assert {"from", "eni", "b", "packets", "tcp-flags", "action"} <= set(settings.input_fields)
    assert not set(SRC_NAMES) & set(settings.input_fields)


def test_every_option_of_a_field_replaces_the_known_names():
    fields = [option.name for option in CONNECT_OPTIONS if option.form == "<field>"]
    assert len(fields) == 9
    for name in fields:
        roles = parse_connect_arguments([f"{name}=own"]).roles._asdict()
        assert {role for role, names in roles.items() if tuple(names) == ("own",)} == {name}


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("gap=-1", ["gap", '"-1"', "0 to 999999999 seconds"]),
        ("gap=1000000000", ["gap", "0 to 999999999 seconds"]),
        ("rtt=277778h", ["rtt", "0 to 999999999 seconds"]),
        ("gap=x", ["gap", '"x"']),
        ("rtt=", ["rtt", '""', "0 to 999999999 seconds"]),
        ("lag=2h", ["lag", '"2h"', "0 to 3600"]),
        ("prefix=1", ["prefix", '"1"']),
        ("src= ", ["src", "the name of a field"]),
        ("interval=60", ["flowlagconnect takes", "flags, src, dest, src_port, dest_port, protocol"]),
        ("start=begin", ["flowlagconnect takes"]),
        ("lag", ["lag", "name=value"]),
    ],
)
def test_what_is_refused(argument, words):
    with pytest.raises(SettingsError) as caught:
        parse_connect_arguments([argument])
    assert all(word in str(caught.value) for word in words) and str(caught.value).endswith(".")


def test_twice():
    with pytest.raises(SettingsError, match="given twice"):
        parse_connect_arguments(["gap=3", "gap=4"])
