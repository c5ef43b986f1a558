# SPDX-License-Identifier: Apache-2.0
"""What the live suite reads from the environment, and each sentence with which it refuses."""

from __future__ import annotations

import pytest

from tests.live.settings import INDEX, Refusal, read_settings

GIVEN = {"SPLUNK_URL": "https://splunk.example:8089/", "SPLUNK_TOKEN": "a.b.c"}


def test_two_variables_are_enough():
    """The index is the test index, HEC is on the same host, and certificates are verified."""
    settings = read_settings(GIVEN)
    assert (settings.url, settings.token, settings.index) == ("https://splunk.example:8089", "a.b.c", INDEX)
    assert settings.hec_url == "https://splunk.example:8088"
    assert (settings.hec_token, settings.ca, settings.insecure, settings.writes_lookup) == (None, None, False, False)


def test_every_variable_counts(tmp_path):
    ca = tmp_path / "ca.pem"
    ca.write_text("", encoding="utf-8")
    more = {
        "SPLUNK_INDEX": "other_test", "SPLUNK_HEC_URL": "http://indexer:8088", "SPLUNK_HEC_TOKEN": "t", "SPLUNK_CA": str(ca),
        "SPLUNK_INSECURE": "1", "SPLUNK_WRITE_LOOKUP": "1",
    }  # fmt: skip
    settings = read_settings({**GIVEN, **more})
    assert settings[2:] == ("other_test", "http://indexer:8088", "t", str(ca), True, True)


def test_address_of_ipv6_keeps_its_brackets():
    assert read_settings({**GIVEN, "SPLUNK_URL": "https://[2001:db8::1]:8089"}).hec_url == "https://[2001:db8::1]:8088"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param({"SPLUNK_URL": ""}, "SPLUNK_URL is not set: give the management address", id="no address"),
        pytest.param(
            {"SPLUNK_URL": "splunk:8089"}, "SPLUNK_URL=splunk:8089 is no address: give scheme", id="no scheme"
        ),
        pytest.param({"SPLUNK_URL": "https://x?y=1"}, "SPLUNK_URL=https://x.y=1 is no address", id="a query"),
        pytest.param({"SPLUNK_TOKEN": ""}, "SPLUNK_TOKEN is not set: give a token of Settings > Tokens", id="no token"),
        pytest.param({"SPLUNK_HEC_URL": "x"}, "SPLUNK_HEC_URL=x is no address", id="HEC"),
        pytest.param({"SPLUNK_CA": "nowhere.pem"}, "SPLUNK_CA=nowhere.pem: there is no such file; give", id="no CA"),
        pytest.param({"SPLUNK_INDEX": "a OR b"}, "SPLUNK_INDEX=a OR b is no name of an index", id="index"),
        pytest.param(
            {"SPLUNK_INSECURE": "yes"}, "SPLUNK_INSECURE=yes is not allowed: give 1, or leave it out", id="flag"
        ),
    ],
)
def test_what_is_missing_or_wrong_is_said_in_one_sentence(changed, words):
    with pytest.raises(Refusal, match=words) as refusal:
        read_settings({**GIVEN, **changed})
    assert str(refusal.value).endswith(".") and "\n" not in str(refusal.value)
