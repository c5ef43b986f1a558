# SPDX-License-Identifier: Apache-2.0
"""Matcher: against an oracle that tries every pair, whatever the order of arrival; and what takes no part."""

import random
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowlag.match import candidates
from flowlag.match.fields import MATCH_FIELDS
from flowlag.match.matcher import Matcher
from flowlag.match.options import parse_match_settings
from tests.support.oracle import expected_pairs

T = 1602397440


def flow(start, end, key="k", lag=60, name=None, **fields):
    """A flow as flowlagenrich leaves it, times as seconds after T."""
    return {
        "flowlag_status": "ok", "flowlag_start": str(T + start), "flowlag_earliest": str(T + start - lag),
        "flowlag_latest": str(T + end + 1), "key": key, "row": name or f"flow {start}-{end}", **fields,
    }  # fmt: skip


def anchor(time, key="k", name=None, **fields):
    return {"_time": str(T + time), "key": key, "row": name or f"anchor {time}", **fields}


def run(events, **options):
    matcher = Matcher(parse_match_settings({"by": "key", **options}.items()))
    for event in events:
        matcher.feed(event.get, event["row"])
    return list(matcher.close()), matcher


def pairs(events, **options):
    """anchor, flow, certainty of each row."""
    return [(match.anchor, match.flow, match.tags[0]) for match in run(events, **options)[0]]


half_seconds = st.integers(-240, 240).map(lambda n: Fraction(n, 2))
made_flows = st.builds(
    lambda start, length, key, lag, mark: (int(start), int(start) + length, key, lag, mark),
    half_seconds, st.sampled_from([0, 1, 2, 5, 31, 59, 60, 119, 600]), st.sampled_from("ab"), st.sampled_from([0, 60]), st.booleans(),
)  # fmt: skip
made_anchors = st.tuples(half_seconds, st.sampled_from([0, 0, 1, 40]), st.sampled_from("abc"), st.booleans())


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(made_flows, max_size=25), st.lists(made_anchors, max_size=8), st.sampled_from(["overlap", "before", "after"]),
    st.sampled_from([0, 1, 5, 90]), st.sampled_from([0, 2]), st.sampled_from([1, 2, 3, 100]), st.booleans(), st.booleans(),
    st.sampled_from([(2, 0), (3, 1), (16, 200)]), st.randoms(use_true_random=False),
)  # fmt: skip
def test_matcher_equals_the_oracle_whatever_the_order(
    flows, anchors, relation, within, tolerance, most, marker, unmatched, sizes, rng
):
    """Every relation, tolerances, intervals and flows as anchors, cuts; few flows in a block, so that blocks are used."""
    events = [
        flow(start, end, key, lag, f"f{i:02}", **({"mark": "yes"} if marked else {}))
        for i, (start, end, key, lag, marked) in enumerate(flows)
    ]
    for i, (time, length, key, marked) in enumerate(anchors):
        until = {"until": "end", "end": str(float(T + time + length))}
        events.append(
            {"_time": str(float(T + time)), "key": key, "row": f"a{i}", **until, **({"mark": "yes"} if marked else {})}
        )
    expected = expected_pairs(events, relation, within, tolerance, most, marker, unmatched)
    options = {"anchors": "mark=yes"} if marker else {}
    rng.shuffle(events)
    before = candidates.FANOUT, candidates.SMALL_RANGE
    candidates.FANOUT, candidates.SMALL_RANGE = sizes
    try:
        rows, matcher = run(
            events, relation=relation, within=str(within), tolerance=str(tolerance), maxmatches=str(most),
            unmatched=str(unmatched), anchor_end="end", **options,
        )  # fmt: skip
    finally:
        candidates.FANOUT, candidates.SMALL_RANGE = before
    found = [(m.anchor, m.flow, m.tags[0], int(m.tags[5]), int(m.tags[6])) for m in rows]
    assert found == expected
    assert matcher.cut == len({row[0] for row in expected if row[4]})


def test_a_hot_key_gives_the_best_of_many():
    """Ten thousand flows of one key are possible for each anchor: the nearest are given, and all are counted."""
    flows = [flow(i, i + 1, lag=0) for i in range(10_000)]
    anchors = [anchor(20_000), anchor(5000.5)]
    rows, matcher = run([*flows, *anchors], relation="before", within="30000", maxmatches="3")
    assert [m.flow for m in rows] == ["flow 4998-4999", "flow 4997-4998", "flow 4996-4997",
                                      "flow 9999-10000", "flow 9998-9999", "flow 9997-9998"]  # fmt: skip
    assert {m.tags[5] for m in rows[3:]} == {"10000"} and matcher.cut == 2


# --- the rows ---


def test_a_login_and_its_flows():
    """A login at second 40 and a flow stamped from second 26 to 65 of the minute before may well be one connection."""
    ((anchor_row, flow_row, tags),), _ = run([flow(266, 305), anchor(280.5)])
    assert (anchor_row, flow_row) == ("anchor 280.5", "flow 266-305")
    assert dict(zip(MATCH_FIELDS, tags)) == {
        "match_certainty": "possible", "match_relation": "overlap", "match_gap_min": "-74.5", "match_gap_max": "25.5",
        "match_share": "0.02", "match_count": "1", "match_truncated": "0",
    }  # fmt: skip


def test_certain_possible_and_none():
    events = [flow(0, 9, "a", lag=0), anchor(5, "a"), flow(0, 59, "b"), anchor(70, "b"), anchor(5, "c")]
    assert pairs(events, within="10") == [("anchor 5", "flow 0-9", "certain"), ("anchor 5", None, "none"),
                                          ("anchor 70", "flow 0-59", "possible")]  # fmt: skip


def test_unmatched_false_leaves_them_out():
    assert pairs([anchor(5), flow(500, 501)], unmatched="false") == []


def test_an_anchor_without_a_flow_has_empty_fields():
    ((_, flow_row, tags),), _ = run([anchor(5)])
    assert flow_row is None and tags == ("none", "overlap", "", "", "", "0", "0")


def test_several_keys_and_other_names():
    events = [flow(0, 59, a="x", b="y"), anchor(5, A="x", b="y"), anchor(6, A="x", b="z")]
    assert pairs(events, by="a=A, b") == [("anchor 5", "flow 0-59", "possible"), ("anchor 6", None, "none")]


def test_a_marked_flow_is_an_anchor_only_with_its_own_envelope():
    events = [flow(0, 5, name="reject"), flow(300, 305, name="accept", action="ACCEPT")]
    assert pairs(events, anchors="action=ACCEPT", relation="before", within="600") == [("accept", "reject", "certain")]
    assert pairs(events, anchors="action=ACCEPT") == [("accept", None, "none")]


def test_a_mark_may_be_one_of_several_values():
    assert pairs([anchor(0, tag="network\nlogin"), anchor(1, tag="network")], anchors="tag=login") == [
        ("anchor 0", None, "none")
    ]


def test_events_of_status_other_are_anchors():
    assert pairs([anchor(5, flowlag_status="other")]) == [("anchor 5", None, "none")]


def test_another_prefix():
    event = {
        "x_status": "ok",
        "x_earliest": str(T),
        "x_latest": str(T + 9),
        "x_start": str(T),
        "key": "k",
        "row": "flow",
    }
    assert pairs([event, anchor(5)], prefix="x_", within="9") == [("anchor 5", "flow", "certain")]


def test_times_that_are_read():
    events = [
        flow(0, 59),
        anchor(0, name="iso", when="2020-10-11T06:24:05Z"),
        anchor(0, name="ms", when="1602397445000"),
    ]
    assert [row[2] for row in pairs(events, anchor_time="when")] == ["possible", "possible"]


# --- what takes no part ---

LEFT_OUT = {
    "nodata": ({"flowlag_status": "nodata"}, {}, "flowlag_status=nodata: 1"),
    "header": ({"flowlag_status": "header"}, {}, "flowlag_status=header: 1"),
    "foreign-status": ({"flowlag_status": "what?"}, {}, "unknown flowlag_status: 1"),
    "flow-without-key": (flow(0, 1, key=""), {}, "flows without a value for a key of by: 1"),
    "flow-with-a-dash-as-key": (flow(0, 1, key="-"), {}, "flows without a value for a key of by: 1"),
    "flow-without-bounds": (flow(0, 1, flowlag_latest=""), {}, "flows without readable bounds: 1"),
    "flow-with-wrong-bounds": (flow(0, 1, flowlag_latest="1"), {}, "flows without readable bounds: 1"),
    "anchor-without-key": (anchor(0, key=""), {}, "anchors without a value for a key of by: 1"),
    "anchor-with-unknown-key": (anchor(0, key="unknown"), {}, "anchors without a value for a key of by: 1"),
    "anchor-without-time": (anchor(0, _time=""), {}, "anchors without a readable time: 1"),
    "anchor-with-a-word-as-time": (anchor(0, _time="soon"), {}, "anchors without a readable time: 1"),
    "anchor-without-end": (anchor(0), {"anchor_end": "end"}, "anchors without a readable time: 1"),
    "anchor-that-ends-before-it-starts": (anchor(9, end=str(T)), {"anchor_end": "end"}, "anchors without a readable time: 1"),
    "unmarked": (anchor(0), {"anchors": "a=b"}, "neither marked as anchors nor flows: 1"),
}  # fmt: skip


@pytest.mark.parametrize(("event", "options", "reason"), LEFT_OUT.values(), ids=LEFT_OUT)
def test_what_takes_no_part_is_counted(event, options, reason):
    rows, matcher = run([{"row": "x", **event}], **options)
    assert rows == [] and f"events that took no part: 1 ({reason})" in matcher.warning()


def test_a_cut_is_marked_and_warned_about():
    events = [flow(i, i + 5) for i in range(3)] + [anchor(3), anchor(900)]
    rows, matcher = run(events, maxmatches="2")
    assert [match.tags[5:] for match in rows] == [("3", "1"), ("3", "1"), ("0", "0")]
    assert matcher.warning() == (
        "anchors with more than 2 possible flows: 1, of which the best 2 are given, with match_truncated=1; a higher "
        "maxmatches gives more."
    )


HINTS = {
    "never-enriched": (
        [anchor(0)],
        {},
        "no event is a flow (flowlag_status=ok): put flowlagenrich before flowlagmatch",
    ),
    "no-anchor": ([flow(0, 1)], {}, "no event is an anchor: all are flow log records"),
    "nothing-marked": ([flow(0, 1)], {"anchors": "a=b"}, "no event is an anchor: none has a=b"),
    "key-that-no-flow-has": ([flow(0, 1), anchor(0, x="y")], {"by": "kex=x"}, "no flow has a value in kex: check by"),
    "key-that-no-anchor-has": (
        [flow(0, 1), anchor(0)],
        {"by": "key,row=user"},
        "no anchor has a value in user: check by",
    ),
}


@pytest.mark.parametrize(("events", "options", "hint"), HINTS.values(), ids=HINTS)
def test_hints_at_what_is_probably_wrong(events, options, hint):
    assert hint in run(events, **options)[1].warning()


def test_nothing_to_say():
    assert run([flow(0, 59), anchor(5)])[1].warning() is None
    assert run([])[1].warning() is None


def test_arrival_decides_nothing_between_equals():
    events = [flow(0, 59, name=name) for name in "edcba"] + [anchor(5, name=name) for name in "zyx"]
    expected = pairs(events, maxmatches="2")
    assert [row[:2] for row in expected] == [(a, f) for f in "ab" for a in "xyz"]
    for seed in range(5):
        random.Random(seed).shuffle(events)
        assert pairs(events, maxmatches="2") == expected
