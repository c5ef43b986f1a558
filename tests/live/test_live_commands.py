# SPDX-License-Identifier: Apache-2.0
"""Live: the searches of the documents, and each command against the same packaged command here."""

from __future__ import annotations

import re

import pytest

from flowlag.connect.rows import CONNECT_FIELDS, MULTIVALUES
from flowlag.learn.rows import LEARN_FIELDS
from flowlag.profile.profiler import PROFILE_FIELDS
from flowlag.tags import TAG_FIELDS
from tests.live.samples import profile_rows, seed_rows
from tests.live.searches import own_fields, place, texts
from tests.support.pages import REFUSED, SHOWN, first_words

pytestmark = pytest.mark.live

PAIR = ("login_time", "user", "flow_start_time", "match_certainty", "match_share", "match_count")
LAG_FIELDS = [name for name in PROFILE_FIELDS if name.startswith(("index_lag", "suggest"))]
#: A stream of its own: 225 flows and 225 anchors of one key, all of them possible.
MANY = (
    "| makeresults count=450 | streamstats count as n "
    '| eval key="k", flowlag_status=if(n>225,"ok","other"), flowlag_start=1602397706, flowlag_earliest=1602397646, '
    "flowlag_latest=1602397746, flowlag_time=1602397696, _time=1602397700 "
    "| flowlagmatch by=key maxmatches=1000"
)


@pytest.mark.parametrize(("text", "shown"), SHOWN, ids=first_words)
def test_search_of_the_documents_gives_its_table(search, flows, text, shown):
    outcome = search(place(text, flows("seed")))
    assert outcome.fields == shown[0]
    assert texts(outcome.rows, shown[0]) == shown[1:]


def test_lines_are_read_from_raw(search, flows):
    """Flow log lines as AWS writes them, whether or not an add-on extracts fields: the same tags."""
    names = [f"flowlag_{name}" for name in TAG_FIELDS]
    text = f"`flowlag_index` | flowlagenrich | table {' '.join(names)}"
    lines, seed = (search(place(text, flows(name))) for name in ("lines", "seed"))
    assert len(lines.rows) == 3 and texts(lines.rows, names) == texts(seed.rows, names)


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[str(n) for n, _ in enumerate(REFUSED)])
def test_wrong_option_ends_the_search_with_its_sentence(splunk, flows, text, message):
    outcome = splunk.search(place(text, flows("seed")))
    assert outcome.failed and outcome.rows == []
    assert not any("exited unexpectedly" in said for said in outcome.said("ERROR", "FATAL")), outcome.messages
    assert any(message.strip() in said for said in outcome.said("ERROR", "FATAL")), outcome.messages


def test_unreadable_events_are_warned_about_once(search, flows):
    """One warning of each process that saw some, with the counts by reason."""
    outcome = search(place("`flowlag_index` | flowlagenrich | stats count by flowlag_status", flows("unreadable")))
    assert texts(outcome.rows, ["flowlag_status", "count"]) == [["invalid", "1"], ["ok", "1"], ["reversed", "1"]]
    counts = [re.search(r"(\d+) of \d+ events .*(?:invalid|reversed)", said) for said in outcome.said("WARN")]
    found = [int(count[1]) for count in counts if count]
    assert sum(found) == 2 and len(found) <= 2, outcome.messages


def test_enrich_moves_time(search, flows):
    outcome = search(place("`flowlag_index` | flowlagenrich time=estimate | eval t=_time | table n t", flows("seed")))
    estimates = {"0": "1602397806", "1": "1602397696", "2": "1602397446"}
    assert {row["n"]: str(row["t"]).split(".")[0] for row in outcome.rows} == estimates


def test_match_gives_the_pairs_of_the_packaged_command(search, flows, packaged, sets):
    """120 logins and 200 flows: the same pairs with the same values, in the same order of anchors."""
    options = ["by=src_ip=src,dest_ip=dest", "anchors=kind=login", "anchor_time=login_time"]
    quoted = " ".join('{}="{}"'.format(*option.split("=", 1)) for option in options)
    text = f"`flowlag_index` | flowlagenrich | flowlagmatch {quoted}"
    outcome = search(place(text, flows("pairs")))
    rows = [{"_time": f"{event.time:.3f}", **event.body} for event in sets["pairs"]]
    expected = packaged(rows, ["flowlagenrich"], ["flowlagmatch", *options])
    assert len(outcome.rows) == len(expected) == 312
    assert sorted(texts(outcome.rows, PAIR)) == sorted(texts(expected, PAIR))
    times = [float(str(row["login_time"])) for row in outcome.rows]
    assert times == sorted(times)


def test_connect_gives_the_rows_of_the_packaged_command(search, flows, packaged, sets):
    """Every connection of the 200 flows, in the same order; of multivalues there is a test without Splunk."""
    outcome = search(place("`flowlag_index` kind=flow | flowlagenrich | flowlagconnect", flows("pairs")))
    names = [name for name in CONNECT_FIELDS if name not in MULTIVALUES]
    rows = [{"_time": f"{event.time:.3f}", **event.body} for event in sets["pairs"] if event.body["kind"] == "flow"]
    expected = packaged(rows, ["flowlagenrich"], ["flowlagconnect"])
    assert len(expected) > 50 and texts(outcome.rows, names) == texts(expected, names)


def test_likely_bounds_are_within_the_others(search, flows):
    """Whatever was learned on this instance; splunkd merges the three fields with the other ones."""
    names = [f"flowlag_{name}" for name in ("earliest", "likely_earliest", "latest", "likely_basis", "likely_anchors")]
    text = f"`flowlag_index` | flowlagenrich confidence=99 time=likely | table _time {' '.join(names)}"
    outcome = search(place(text, flows("seed")))
    assert len(outcome.rows) == 3
    for row in outcome.rows:
        earliest, likely, latest = (float(str(row[name])) for name in names[:3])
        assert earliest <= likely < latest
        assert (row[names[3]] == "interface") == bool(row.get(names[4]))


def test_learn_gives_the_rows_of_the_packaged_command(search, flows, packaged, sets):
    """Each login of the set as the opening of its connection: the same lags of the same interfaces."""
    options = ["by=src_ip=src,dest_ip=dest", "anchors=kind=login", "anchor_time=login_time", "tolerance=0"]
    quoted = " ".join('{}="{}"'.format(*option.split("=", 1)) for option in options)
    outcome = search(place(f"`flowlag_index` | flowlagenrich | flowlaglearn {quoted}", flows("pairs")))
    rows = [{"_time": f"{event.time:.3f}", **event.body} for event in sets["pairs"]]
    expected = packaged(rows, ["flowlagenrich"], ["flowlaglearn", *options])
    assert sum(int(row["anchors"]) for row in expected) > 50
    assert texts(outcome.rows, LEARN_FIELDS) == texts(expected, LEARN_FIELDS)


def test_profile_gives_the_rows_of_the_packaged_command(search, flows, packaged, run):
    """All columns but those of the lag, which only a live Splunk fills."""
    outcome = search(place("`flowlag_index` | flowlagenrich | flowlagprofile", flows("profile")))
    names = [name for name in PROFILE_FIELDS if name not in LAG_FIELDS]
    expected = packaged(profile_rows(run.now), ["flowlagenrich"], ["flowlagprofile"])
    assert len(expected) == 3 and texts(outcome.rows, names) == texts(expected, names)


def test_index_time_reaches_the_profile(search, flows, run):
    """_indextime is among what splunkd hands over: lags are there, and as long as the records are old."""
    outcome = search(place("`flowlag_index` | flowlagenrich | flowlagprofile", flows("profile")))
    oldest = run.now - min(int(row["end_time"]) for row in profile_rows(run.now))
    greatest = max(int(str(row.get("index_lag_max") or -1)) for row in outcome.rows)
    assert oldest - 600 <= greatest <= oldest + 3600, "clocks may be minutes apart, and indexing may take a while"
    for row in outcome.rows:
        assert int(str(row["suggest_lookback"])) == int(str(row["index_lag_max"])) + 120


def test_reply_of_more_rows_than_splunk_sends_itself(search):
    """50,625 pairs in one reply of flowlagmatch: all arrive, each once."""
    outcome = search(f"{MANY} | fields n flow_n match_count")
    assert len(outcome.rows) == 50_625 and int(outcome.properties["resultCount"]) == 50_625
    assert len({(row["n"], row["flow_n"]) for row in outcome.rows}) == 50_625
    assert {row["match_count"] for row in outcome.rows} == {"225"}


def test_rows_of_a_large_reply_reach_the_next_command(search):
    assert search(f"{MANY} | stats count").rows == [{"count": "50625"}]


def test_command_twice_gives_each_column_once(search, flows):
    outcome = search(place("`flowlag_index` | flowlagenrich | flowlagenrich phase=6 | table *", flows("seed")))
    names = own_fields(outcome.fields)
    assert sorted(names) == sorted(f"flowlag_{name}" for name in TAG_FIELDS)
    assert {row["flowlag_window_basis"] for row in outcome.rows} == {"option"}


def test_oneshot_gives_the_same(splunk, search, flows):
    """The other mode of execution: the same rows in the reply to the request itself."""
    text = place("`flowlag_index` | flowlagenrich | table n flowlag_status flowlag_time", flows("seed"))
    assert splunk.oneshot(text).rows == search(text).rows
    assert len(seed_rows()) == len(search(text).rows)
