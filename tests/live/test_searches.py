# SPDX-License-Identifier: Apache-2.0
"""What the live suite compares: macros in place, kept fields, previews, peers; and the events that it sends."""

from __future__ import annotations

import json

import pytest

from tests.live.fake import extracted
from tests.live.samples import ISO, RULE_SETS, Run, hec_events, move_iso, nest, sets_of
from tests.live.searches import (
    calls,
    differing,
    lost_fields,
    own_fields,
    peers,
    place,
    previewed,
    site,
    texts,
    without_lookup,
)
from tests.support.conf import MACROS, SEARCHES
from tests.support.saved_searches import LEARN

RUN = Run("1a2b", 1_790_000_000, "flowlag_test")


def test_site_macros_are_placed_and_others_left():
    text = place("(`flowlag_index` `flowlag_accepted`) | where `flowlag_outside(src)`", site(RUN, "login"))
    assert text.startswith('(index=flowlag_test source="flowlag-live/1a2b/login" kind="flow" `flowlag_accepted`)')
    assert 'cidrmatch("10.0.0.0/8",src)' in text and "$" not in text


#: The suite runs no search over the accelerated data model: an event gets into it by tags of the site.
RUN_LIVE = [name for name, keys in SEARCHES.items() if "`flowlag_traffic(" not in keys["search"]]


@pytest.mark.parametrize("name", RUN_LIVE)
def test_no_saved_search_reaches_for_events_of_others(name):
    """With the macros of a run in place, no macro is left that looks for events by itself."""
    left = calls(place(SEARCHES[name]["search"], site(RUN, "login")))
    assert [macro for macro in left if "sourcetype" in MACROS[macro]["definition"]] == []
    assert "flowlag-live/1a2b/login" in place(SEARCHES[name]["search"], site(RUN, "login"))


def test_macros_that_the_site_changed_are_named():
    shipped = {name: macro["definition"] for name, macro in MACROS.items()}
    text = "`flowlag_index` | flowlagenrich `flowlag_options` | where `flowlag_outside(src)`"
    assert differing(text, shipped) == []
    assert differing(text, {**shipped, "flowlag_options": "lag=30"}) == ["flowlag_options"]
    assert differing(text, {}) == ["flowlag_index", "flowlag_options", "flowlag_outside(1)"]


def test_learning_without_its_lookup_is_all_the_rest():
    text = without_lookup(SEARCHES[LEARN]["search"])
    assert "lookup" not in text and text.count("|") == SEARCHES[LEARN]["search"].count("|") - 2


def test_lost_fields_are_named():
    before = [{"n": "0", "note": "a", "many": ["x", "y"]}, {"n": "1", "note": "b"}]
    assert lost_fields(before, [{**row, "flowlag_status": "ok"} for row in reversed(before)], "n") == []
    assert lost_fields(before, [{"n": "0", "note": "A", "many": ["x", "y"]}], "n") == [
        "row 1 is gone",
        "note: 'a' became 'A'",
    ]
    assert lost_fields(before, [{"n": "0", "note": "a", "many": "x"}, {"n": "1"}], "n") == [
        "many: ['x', 'y'] became 'x'",
        "note: 'b' became None",
    ]


def test_previews_may_lack_tags_but_not_lie():
    final = {"0": {"n": "0", "flowlag_status": "ok"}}
    assert (
        previewed([{"n": "0"}, {"n": "0", "flowlag_status": ""}, {"n": "0", "flowlag_status": "ok"}], final, "n") == []
    )
    assert previewed([{"n": "0", "flowlag_status": "other"}], final, "n") == [
        "flowlag_status: 'other' in a preview, 'ok' at the end"
    ]
    assert previewed([{"n": "9", "flowlag_status": "ok"}], final, "n") != []


def test_peers_are_read_from_the_costs():
    costs = {
        "dispatch.stream.remote": {},
        "dispatch.stream.remote.idx-2": {},
        "dispatch.stream.remote.idx.1": {},
        "command.x": {},
    }
    assert peers({"performance": costs}) == ["idx-2", "idx.1"]
    assert peers({"performance": {"dispatch.stream.local": {}}}) == peers({}) == []


def test_texts_and_own_fields():
    assert texts([{"a": "1", "b": ["x", "y"]}], ["b", "a", "c"]) == [["x\ny", "1", ""]]
    assert own_fields(["n", "flowlag_end", "flowlag_start"]) == ["flowlag_end", "flowlag_start"]


# -- the events


def test_nested_names_are_what_splunk_extracts():
    flat = {"a": "1", "detail.id": "2", "detail.net{}.name": "3", "detail.net{}.other": "4"}
    assert nest(flat) == {"a": "1", "detail": {"id": "2", "net": [{"name": "3", "other": "4"}]}}
    assert extracted(nest(flat)) == flat


def test_times_are_moved_by_whole_seconds():
    assert move_iso("2026-03-01T12:00:00.000Z", 86_399) == "2026-03-02T11:59:59.000Z"
    assert ISO.fullmatch("2026-03-01T12:00:00.000Z")


def test_events_are_of_this_run_only_and_can_be_sent():
    """Each has its run's source and the test index, a recent time that is not ahead, and is JSON."""
    events = hec_events(RUN, sets_of(RUN.now))
    assert len(events) > 400
    assert {event["index"] for event in events} == {"flowlag_test"}
    assert all(event["source"].startswith("flowlag-live/1a2b/") for event in events)
    assert all(RUN.now - 4 * 86_400 < float(event["time"]) <= RUN.now for event in events)
    assert json.loads(json.dumps(events)) == events


def test_every_event_has_a_time_and_every_rule_its_set():
    sets = sets_of(RUN.now)
    assert set(RULE_SETS.values()) < set(sets)
    assert all({"flow", "event"} >= {event.body["kind"] for event in sets[name]} for name in RULE_SETS.values())
    assert all(len(events) >= 3 for events in sets.values())


def test_order_of_the_seed_is_that_of_the_readme():
    """Splunk gives the newest event first."""
    times = [event.time for event in sets_of(RUN.now)["seed"]]
    assert times == sorted(times, reverse=True) and len(set(times)) == 3
