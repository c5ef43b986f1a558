# SPDX-License-Identifier: Apache-2.0
"""The generator knows the truth: every packet it plays lies inside its record's envelope, in every timing mode."""

from hypothesis import given, settings
from hypothesis import strategies as st

from flowlag.enrich import Enricher
from flowlag.enrich_options import parse_settings
from tools.scenarios.modes import MODES, play


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(MODES), st.integers(0, 10**6))
def test_every_true_packet_time_is_inside_the_envelope(mode, seed):
    tagger = Enricher(parse_settings([]))
    records = play(mode, seed)
    assert records
    for record in records:
        tags = tagger.tag({"_raw": record.line()}.get)
        assert tags.status == "ok"
        assert all(float(tags.earliest) <= passed < float(tags.latest) for passed in record.passed)


def test_a_lag_below_the_truth_leaves_packets_outside():
    """The test above can fail: with no lag allowed, the envelope is too narrow for packets that were received late."""
    tagger = Enricher(parse_settings([("lag", "0")]))
    outside = [
        passed
        for record in play("batch", 1)
        for passed in record.passed
        if passed < float(tagger.tag({"_raw": record.line()}.get).earliest)
    ]
    assert outside


def test_the_modes_look_like_themselves():
    ends = {mode: {record.end % 60 for record in play(mode, 5)} for mode in MODES}
    assert len(ends["grid"]) == 1 and len(ends["quiet-grid"]) == 1 and len(ends["batch"]) > 1
    assert max(record.end - record.start for record in play("flow", 5)) <= 1
