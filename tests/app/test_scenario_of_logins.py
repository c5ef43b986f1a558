# SPDX-License-Identifier: Apache-2.0
"""The scenario of logins: no true pair is missed."""

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
