# SPDX-License-Identifier: Apache-2.0
"""The scenario of logins: no true pair is missed, and the most probable flows are right more often than any join."""

from bench.accuracy import compare
from tools.scenarios import logins


def test_flowlagmatch_misses_no_true_pair_and_joins_do(app):
    """All of the truth is in what flowlagmatch gives; each plain join misses some; five minutes give most false pairs."""
    truth = logins.read_truth()
    found = {join.name: join.pairs for join in compare.joins(app)}
    assert len(truth) == len(logins.MODES) * logins.CONNECTIONS
    assert truth <= found["`flowlagmatch`"]
    plain = [pairs for name, pairs in found.items() if name.startswith("join")]
    assert all(truth - pairs for pairs in plain)
    assert len(plain[-1] - truth) > 2 * len(found["`flowlagmatch`"] - truth)
    opening, probable = found["`flowlagmatch` of opening records"], list(found.values())[-1]
    assert truth <= opening < found["`flowlagmatch`"]
    nearest = compare_nearest(truth)
    assert len(probable & truth) > nearest + 10
    assert len(probable & truth) > len(found["nearest start of opening records"] & truth) > nearest


def compare_nearest(truth):
    """How often the record whose start is nearest is right."""
    right = 0
    for login in logins.read_logins():
        mine = [flow for flow in logins.read_flows() if flow["dest_ip"] == login["dest"]]
        best = min(mine, key=lambda flow: abs(float(flow["_time"]) - float(login["_time"])))
        right += (login["login"], best["flow"]) in truth
    return right
