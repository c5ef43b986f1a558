# SPDX-License-Identifier: Apache-2.0
"""Live: what splunkd does with the fields that it keeps back, with multivalues, and with the order of columns."""

from __future__ import annotations

import pytest

from flowlag.match.fields import MATCH_FIELDS
from flowlag.profile.profiler import PROFILE_FIELDS
from flowlag.tags import TAG_FIELDS
from tests.live.samples import MULTIVALUE, seed_rows
from tests.live.searches import lost_fields, own_fields, place, texts

pytestmark = pytest.mark.live

TAGS = [f"flowlag_{name}" for name in TAG_FIELDS]
KEPT = "n note many src_ip dest_port interface_id source sourcetype host index _raw"
SPLIT = 'makemv delim=";" many'


@pytest.mark.parametrize(
    "options", ["", "format=none", "windows=none", "time=keep prefix=lag_", "confidence=99 community=true"]
)
def test_fields_that_are_kept_back_come_back_unchanged(search, flows, options):
    """The command asks for a dozen fields; splunkd merges its reply with all the others, row by row."""
    before = search(place(f"`flowlag_index` | table {KEPT} _time", flows("seed")))
    after = search(
        place(f"`flowlag_index` | flowlagenrich {options} | table *,{KEPT.replace(' ', ',')},_time", flows("seed"))
    )
    assert len(before.rows) == 3 and all(row["note"] for row in before.rows)
    assert lost_fields(before.rows, after.rows, "n") == []
    prefix = "lag_" if "lag_" in options else "flowlag_"
    assert {row[f"{prefix}status"] for row in after.rows} == {"ok"}


def test_tags_are_beside_the_kept_fields_of_their_own_event(search, flows):
    """A reply that was merged with the wrong rows would give tags of another record; n is a field that is kept back."""
    outcome = search(place("`flowlag_index` | flowlagenrich | table n flowlag_start flowlag_end", flows("seed")))
    expected = [[row["n"], row["start_time"], row["end_time"]] for row in seed_rows()]
    assert texts(outcome.rows, ["n", "flowlag_start", "flowlag_end"]) == expected


def test_rows_of_many_chunks_keep_their_fields(search):
    """The rows are numbered by splunkd; after thousands of rows the numbers still lead to the right ones."""
    text = "| makeresults count=12000 | streamstats count as n | eval start_time=1602397000+n, end_time=start_time+9, note=n"
    outcome = search(f"{text} | flowlagenrich format=none | table n note start_time flowlag_start")
    assert [row["n"] for row in outcome.rows] == [str(n) for n in range(1, 12001)]
    assert all((row["note"], row["flowlag_start"]) == (row["n"], row["start_time"]) for row in outcome.rows)


def test_multivalues_survive(search, flows):
    """A field of several values that the command does not ask for, and new columns without `__mv_` twins beside it."""
    outcome = search(place(f"`flowlag_index` | {SPLIT} | flowlagenrich | table n many flowlag_status", flows("seed")))
    assert [row["many"] for row in outcome.rows] == [MULTIVALUE.split(";")] * 3
    assert {row["flowlag_status"] for row in outcome.rows} == {"ok"}


def test_multivalues_of_an_anchor_survive_a_transforming_command(search, flows):
    """flowlagmatch gets every field and gives them all back itself."""
    text = f'`flowlag_index` | {SPLIT} | flowlagenrich | flowlagmatch by="src_ip" anchors="n=0" maxmatches=1 | table many flow_many'
    outcome = search(place(text, flows("seed")))
    assert outcome.rows == [{"many": MULTIVALUE.split(";"), "flow_many": MULTIVALUE.split(";")}]


def test_table_of_all_has_every_tag_once(search, flows, record_property):
    """`table *` sorts as Splunk likes; the order is noted in the report, and no column is missing or there twice."""
    outcome = search(place("`flowlag_index` | flowlagenrich | table *", flows("seed")))
    record_property("order of the tags in table *", " ".join(own_fields(outcome.fields)))
    assert len(outcome.fields) == len(set(outcome.fields))
    given = {name for row in outcome.rows for name in row if name.startswith("flowlag_")}
    assert given <= set(TAGS) and set(own_fields(outcome.fields)) == set(TAGS)


def test_named_table_keeps_the_order_of_its_names(search, flows):
    names = [*reversed(TAGS), "n"]
    assert search(place(f"`flowlag_index` | flowlagenrich | table {' '.join(names)}", flows("seed"))).fields == names


def test_columns_of_the_profile_come_in_their_order(search, flows):
    outcome = search(place("`flowlag_index` | flowlagprofile", flows("profile")))
    assert outcome.fields == list(PROFILE_FIELDS)


def test_columns_of_a_match_come_behind_the_events(search, flows):
    """The fields of the pair end with those of the match, in their order."""
    text = '`flowlag_index` | flowlagenrich | flowlagmatch by="interface_id" within=1h anchors="n=0"'
    outcome = search(place(text, flows("seed")))
    assert [name for name in outcome.fields if name in MATCH_FIELDS] == list(MATCH_FIELDS)
    assert texts(outcome.rows, ["match_count"]) == [["2"]] * 2
