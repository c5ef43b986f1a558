# SPDX-License-Identifier: Apache-2.0
"""Options of flowlagmatch: what each may be, and that a refusal names option, value and what is allowed."""

import pytest

from flowlag.errors import SettingsError
from flowlag.match.options import MATCH_OPTIONS, MatchSettings, parse_match_arguments, parse_match_settings

S = 1_000_000
BY = ("by", "src")

WRONG = {
    "by": ["", ",", "a,", "=", "a=", "=b", "a=b=c", "a,,b", "a,a", " "],
    "relation": ["", "during", "Overlap", "BEFORE"],
    "within": ["", "-1", "x", "1e3", "0.0000001", " 1", "1 m"],
    "tolerance": ["", "-1", "x", "nan"],
    "anchors": ["", "a", "a=", "=b", " =b"],
    "anchor_time": ["", " "],
    "anchor_end": [""],
    "maxmatches": ["", "0", "-1", "1.5", "x", "all", "²"],
    "unmatched": ["", "maybe", "2"],
    "prefix": ["", "_x", "a-b"],
    "starts": ["", " "],
    "rank": ["", "certainty", "Share"],
    "exclusive": ["", "maybe", "only"],
}


def test_defaults():
    assert parse_match_settings([BY]) == MatchSettings(
        ("src",), ("src",), "overlap", S, 0, None, "_time", None, 100, True, "flowlag_"
    )


def test_keys():
    settings = parse_match_settings([("by", "src_ip=src, dest_ip = host_ip ,instance_id")])
    assert settings.flow_keys == ("src_ip", "dest_ip", "instance_id")
    assert settings.anchor_keys == ("src", "host_ip", "instance_id")


@pytest.mark.parametrize(
    ("option", "text", "name", "value"),
    [
        ("within", "5m", "within_us", 300 * S),
        ("within", "0", "within_us", 0),
        ("within", "86400", "within_us", 86400 * S),
        ("tolerance", "0.5", "tolerance_us", S // 2),
        ("anchors", "action=a=b", "marker", ("action", "a=b")),
        ("anchor_time", "when", "anchor_time", "when"),
        ("anchor_end", "until", "anchor_end", "until"),
        ("maxmatches", "1", "maxmatches", 1),
        ("unmatched", "F", "unmatched", False),
        ("unmatched", "1", "unmatched", True),
        ("prefix", "x_", "prefix", "x_"),
        ("relation", "overlap", "relation", "overlap"),
        ("starts", "tcp_flags", "starts", "tcp_flags"),
        ("rank", "probability", "rank", "probability"),
    ],
)
def test_option(option, text, name, value):
    assert getattr(parse_match_settings([BY, (option, text)]), name) == value


@pytest.mark.parametrize(("option", "value"), [(o, v) for o, values in WRONG.items() for v in values])
def test_refuses_in_one_sentence(option, value):
    """The sentence names the option and the value, says what is allowed, and ends."""
    with pytest.raises(SettingsError) as caught:
        parse_match_settings(dict([BY, (option, value)]).items())
    sentence = str(caught.value)
    assert f'option {option}: "{value}" is not allowed; give ' in sentence and sentence.endswith(".")


def test_every_option_has_a_refusal():
    assert set(WRONG) == {option.name for option in MATCH_OPTIONS}


def test_by_is_required():
    with pytest.raises(SettingsError, match=r"option by is missing; give flowlagmatch field names .* for example by="):
        parse_match_settings([])


@pytest.mark.parametrize("relation", ["before", "after"])
def test_before_and_after_need_within(relation):
    with pytest.raises(
        SettingsError, match=rf"option within is missing: relation={relation} needs it; .* within=300\."
    ):
        parse_match_settings([BY, ("relation", relation)])
    assert parse_match_settings([BY, ("relation", relation), ("within", "5")]).within_us == 5 * S


@pytest.mark.parametrize("relation", ["before", "after"])
def test_probability_needs_overlap(relation):
    """The densities are those of one time, and there is none for a gap."""
    given = [BY, ("rank", "probability"), ("relation", relation), ("within", "5")]
    with pytest.raises(SettingsError, match=rf'^option rank: "probability" is not allowed with relation={relation};'):
        parse_match_settings(given)


def test_exclusive_needs_probability():
    with pytest.raises(
        SettingsError, match=r'^option exclusive: "true" is not allowed with rank=share; give rank=prob'
    ):
        parse_match_settings([BY, ("exclusive", "true")])
    assert parse_match_settings([BY, ("exclusive", "t"), ("rank", "probability")]).exclusive
    assert not parse_match_settings([BY, ("exclusive", "false")]).exclusive


def test_arguments_as_splunkd_sends_them():
    assert parse_match_arguments(["by=src_ip=src,dest_ip", "within=5"]).anchor_keys == ("src", "dest_ip")
    with pytest.raises(SettingsError, match='there is no option "lag"'):
        parse_match_arguments(["by=a", "lag=5"])


@pytest.mark.parametrize(
    ("arguments", "is_hinted"),
    [
        (["by=src_ip", "dest_ip"], True),
        (["by=src_ip,", "dest_ip"], True),
        (["by=src_ip=src", "dest_ip=dest"], True),
        (["dest_ip", "by=src_ip"], False),
        (["by=src_ip", "within=5", "dest_ip=dest"], False),
    ],
    ids=str,
)
def test_a_list_without_quotes(arguments, is_hinted):
    """Splunk splits by=src_ip,dest_ip at the comma, so that its rest comes as an argument of its own."""
    with pytest.raises(SettingsError, match="dest_ip") as refused:
        parse_match_arguments(arguments)
    sentence = str(refused.value)
    assert sentence.endswith('put all of that in quotes: by="...".') is is_hinted
