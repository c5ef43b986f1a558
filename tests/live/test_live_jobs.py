# SPDX-License-Identifier: Apache-2.0
"""Live: where a search runs, and what can be seen of it before it ends."""

from __future__ import annotations

import pytest

from tests.live.client import patience
from tests.live.searches import peers, place, previewed, text_of

pytestmark = pytest.mark.live

# Long enough for a look before its end: many events of which each keeps its number.
LONG = "| makeresults count=200000 | streamstats count as n | eval start_time=1602397000+n, end_time=start_time+9"


@pytest.fixture(scope="module")
def distributed(splunk, sent):
    """The properties of a job on an instance with search peers; run twice, since the first may push the bundle."""
    if not splunk.entries("/services/search/distributed/peers"):
        pytest.skip("the instance has no search peers: distributed execution cannot be seen on a single one")
    text = f"{sent.base('profile')} | flowlagenrich | table interface_id flowlag_status splunk_server"
    splunk.search(text)
    return splunk.search(text)


def test_indexers_run_flowlagenrich(distributed):
    """The part of the search that the peers got has the command in it, a peer took part, and every event has tags."""
    assert "flowlagenrich" in distributed.properties["remoteSearch"]
    assert peers(distributed.properties)
    assert distributed.rows and {row["flowlag_status"] for row in distributed.rows} == {"ok"}


def test_no_peer_lacks_the_library(distributed):
    """A bundle without lib/ would show here: an error of the command for each peer."""
    assert [said for said in distributed.said("ERROR", "FATAL", "WARN") if "flowlag" in said or "Error" in said] == []


def test_events_keep_the_name_of_their_indexer(distributed):
    """splunk_server is a field that the command never saw."""
    assert all(row.get("splunk_server") for row in distributed.rows)


@pytest.mark.parametrize("command", ['flowlagmatch by="src_ip" anchors="n=0"', "flowlagconnect", "flowlagprofile"])
def test_gathering_commands_run_on_the_search_head(splunk, sent, command):
    """They need all events: the part for the peers ends before them."""
    outcome = splunk.search(f"{sent.base('seed')} | flowlagenrich | {command}")
    assert outcome.rows
    if not outcome.properties.get("remoteSearch"):
        pytest.skip("the job says nothing about the part for the peers")
    assert command.split()[0] not in outcome.properties["remoteSearch"]


def test_previews_show_right_tags_or_none(splunk):
    """By its specification the command is not run for previews: rows may lack tags, but none may have wrong ones."""
    sid, refused = splunk.dispatch(f"{LONG} | flowlagenrich format=none | head 1000", preview=1, status_buckets=0)
    assert refused is None
    looks = []
    for _, _ in zip(patience(), range(50)):
        looks.append(splunk.preview(sid))
        if splunk.properties(sid).get("isDone"):
            break
    splunk.wait(sid)
    final = {text_of(row["n"]): row for page in splunk.pages(sid) for row in page.body["results"]}
    assert len(final) == 1000 and {row["flowlag_status"] for row in final.values()} == {"ok"}
    assert [wrong for look in looks for wrong in previewed(look.rows, final, "n")] == []
    assert len(splunk.preview(sid).rows) == 1000


def test_preview_of_a_gathering_command_has_no_half_pairs(splunk, sent):
    """What a preview of flowlagmatch shows, if anything, are rows of the final result."""
    text = f'{sent.base("seed")} | flowlagenrich | flowlagmatch by="interface_id" within=1h anchors="n=0" | table n flow_n match_count'
    sid, refused = splunk.dispatch(text, preview=1)
    assert refused is None
    looks = [splunk.preview(sid) for _ in range(5)]
    splunk.wait(sid)
    final = [row for page in splunk.pages(sid) for row in page.body["results"]]
    assert len(final) == 2
    assert all(row in final for look in looks for row in look.rows if row.get("match_count"))


def test_time_range_of_the_search_selects_by_event_time(splunk, sent, sets):
    """The range of the job, not the stamps in the record, decides what the command gets."""
    newest = max(event.time for event in sets["seed"])
    text = place("`flowlag_index` | flowlagenrich | table n flowlag_status", {"flowlag_index": sent.base("seed")})
    found = splunk.search(text, earliest_time=f"{newest - 0.5:.3f}", latest_time=f"{newest + 0.5:.3f}")
    assert found.rows == [{"n": "0", "flowlag_status": "ok"}]
