# SPDX-License-Identifier: Apache-2.0
"""Owns what the macros flowlag_mark_sides and flowlag_reply_keys tie together: the two records of one connection."""

from __future__ import annotations

import pytest

from flowlag.match.options import parse_match_arguments
from tests.rules.scenarios import START, Stage, case_pairs, join
from tests.support.saved_searches import command_arguments

FOLDER = "both-directions"
MARKED = "`flowlag_index` | flowlagenrich | `flowlag_mark_sides`"
MATCH = 'flowlagmatch `{}` anchors="connection_side=request"'


@pytest.mark.parametrize("keys", ["flowlag_reply_keys", "flowlag_reply_keys(interface_id)"])
def test_request_and_reply_are_tied(keys: str, stage: Stage) -> None:
    """Ping, SSH and NTP, each with windows that differ; no other client, no later session, and each pair once."""
    pairs = stage.engine(FOLDER, START).search(f"{MARKED} | {MATCH.format(keys)}")
    assert sorted(case_pairs(pairs)) == [
        ("ping", "ping's reply"),
        ("ssh, first minute", "ssh's answer, first minute"),
        ("ssh, third minute", "ssh's answer, third minute"),
        ("time service's answer", "time service"),
    ]
    assert {row["case"] for row in pairs if row["match_certainty"] == "none"} == {
        "another client",
        "ssh, a later session on the same port",
    }


def test_joins_on_time_do_not_tie_them(stage: Stage) -> None:
    """The same second has none of the pairs; five minutes tie every minute of the session to every other."""
    rows = stage.engine(FOLDER, START).search(MARKED)
    settings = parse_match_arguments(command_arguments(MATCH.format("flowlag_reply_keys")))
    assert join(rows, settings, lambda gap: abs(gap) <= 1) == set()
    wide = join(rows, settings, lambda gap: abs(gap) <= 300)
    assert ("ssh, first minute", "ssh's answer, third minute") in wide
