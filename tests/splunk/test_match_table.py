# SPDX-License-Identifier: Apache-2.0
"""flowlagmatch on the wire: fields come back as the raw bytes they were, under the names of docs/match.md, Output fields."""

import csv
import io
import random

import pytest

from flowlag.match.fields import MATCH_FIELDS
from flowlag.match.matcher import Matcher
from flowlag.match.options import parse_match_settings
from flowlag.splunk.match_table import MatchTable
from tests.support.splunkd import write_body

FLOW = {
    "flowlag_status": "ok", "flowlag_start": "1602397446", "flowlag_earliest": "1602397386", "flowlag_latest": "1602397506",
    "_time": "1602397446", "_raw": "a flow", "src_ip": "198.51.100.7",
}  # fmt: skip
LOGIN = {"_time": "1602397450", "_raw": "a login", "src": "198.51.100.7", "user": "root"}


def table(**options):
    return MatchTable(Matcher(parse_match_settings({"by": "src_ip=src", **options}.items())))


def pair(*bodies, **options):
    pairs = table(**options)
    for body in bodies:
        pairs.feed(body)
    return pairs.close()


def rows(reply):
    return list(csv.DictReader(io.StringIO(reply.decode("utf-8", "surrogateescape"), newline="")))


def test_one_pair():
    (row,) = rows(pair(write_body([FLOW, LOGIN])))
    match = {
        "match_certainty": "possible", "match_relation": "overlap", "match_gap_min": "-64", "match_gap_max": "56",
        "match_share": "0.016667", "match_count": "1", "match_truncated": "0",
    }  # fmt: skip
    assert row == {**LOGIN, **{f"flow_{name}": value for name, value in FLOW.items()}, **match}
    assert list(row)[-7:] == list(MATCH_FIELDS)


def test_no_pair_no_body():
    assert pair(b"", write_body([FLOW])) == b"" == pair(write_body([FLOW, {**LOGIN, "src": "x"}]), unmatched="f")


def test_an_unmatched_anchor_has_empty_flow_fields():
    row, _ = rows(pair(write_body([FLOW, {**LOGIN, "src": "x", "_time": "1602397400"}, LOGIN])))
    assert row["match_certainty"] == "none" and row["flow__raw"] == row["flow_src_ip"] == row["match_share"] == ""


def test_columns_that_a_side_never_fills_do_not_go_out():
    """The mixed stream has the columns of both sides; a login has no `src_ip`, a flow has no `user`."""
    (row,) = rows(pair(write_body([{**FLOW, "bytes": ""}, LOGIN])))
    assert not {"src_ip", "flowlag_status", "flow_user", "flow_src", "flow_bytes"} & set(row)


def test_internal_fields_of_flows_stay_behind_but_for_two():
    (row,) = rows(
        pair(write_body([{**FLOW, "_cd": "1", "_indextime": "2", "_chunked_idx": "3"}, {**LOGIN, "_cd": "9"}]))
    )
    assert {name for name in row if name.startswith("flow__")} == {"flow__time", "flow__raw"} and row["_cd"] == "9"


def test_a_flow_field_wins_over_an_anchors_field_of_that_name():
    (row,) = rows(pair(write_body([{**FLOW, "x": "flow"}, {**LOGIN, "flow_x": "anchor", "match_count": "old"}])))
    assert (row["flow_x"], row["match_count"]) == ("flow", "1")
    assert list(row).count("match_count") == 1


def test_multivalues_keep_their_twins():
    reply = pair(write_body([{**FLOW, "tag": ["network", "communicate"]}, {**LOGIN, "tag": ["a;$", "b"]}]))
    (row,) = rows(reply)
    assert (row["flow_tag"], row["__mv_flow_tag"]) == ("network\ncommunicate", "$network$;$communicate$")
    assert (row["tag"], row["__mv_tag"]) == ("a;$\nb", "$a;$$$;$b$")


RAW = {
    "quoted-plain": b'"x"', "comma": b'"a,b"', "quotes": b'"say ""hi"""', "newlines": b'"a\n\nb"', "crlf": b'"a\r\nb"', "nul": b"a\x00b",
    "invalid-utf8": b"\xff\xfe", "utf8": "é\u2028".encode(), "stray-quote": b'a"b', "large": b'"' + b"x,\n" * 100_000 + b'"',
}  # fmt: skip


@pytest.mark.parametrize("field", RAW.values(), ids=RAW)
def test_values_go_out_as_the_bytes_they_were(field):
    head = b'"flowlag_status","flowlag_earliest","flowlag_latest",k,"_time",x\n'
    body = head + b"ok,1602397386,1602397506,1,," + field + b"\n,,,1,1602397450," + field + b"\n"
    reply = pair(body, by="k")
    assert reply.split(b"\n")[0].startswith(b'k,"_time",x,"flow_flowlag_status"')
    assert reply.endswith(b"\n") and reply.count(field) == 2


def test_headers_may_change_from_chunk_to_chunk():
    late = {"user": "root", "src": "198.51.100.7", "_time": "1602397451", "extra": "é"}
    first, second = rows(pair(write_body([LOGIN]), write_body([late]), write_body([FLOW])))
    assert (first["_raw"], second["_raw"], second["extra"]) == ("a login", "", "é")
    assert first["flow__raw"] == second["flow__raw"] == "a flow"


def test_cuts_and_order_of_the_stream_change_nothing():
    events = [{**FLOW, "src_ip": str(i % 3), "_raw": f"flow {i}"} for i in range(20)]
    events += [{**LOGIN, "src": str(i % 4), "_time": str(1602397440 + i)} for i in range(20)]
    columns = sorted({name for event in events for name in event})
    expected = pair(write_body(events, columns), maxmatches="3")
    for seed in range(5):
        random.Random(seed).shuffle(events)
        bodies = [write_body(events[i : i + 7], columns) for i in range(0, len(events), 7)]
        assert pair(*bodies, maxmatches="3") == expected


def test_short_and_long_rows_are_read_as_far_as_they_go():
    body = (
        b"k,flowlag_status,flowlag_earliest,flowlag_latest,_time,x\n1,ok,1602397386,1602397506\n1,,,,1602397450,y,z\n"
    )
    (row,) = rows(pair(body, by="k"))
    assert row["x"] == "y" and row["match_count"] == "1" and "flow__time" not in row


def test_a_side_may_be_given():
    pairs = table()
    pairs.feed(write_body([FLOW, {"flowlag_status": "other", "src_ip": "x"}]), "flow")
    pairs.feed(write_body([{**LOGIN, "flowlag_status": "nodata"}]), "anchor")
    (row,) = rows(pairs.close())
    assert row["match_count"] == "1"
