# SPDX-License-Identifier: Apache-2.0
"""Whole events: where values come from, what is counted, what `_time` becomes."""

import pytest

from flowlag.enrich import Enricher
from flowlag.enrich_options import parse_settings
from flowlag.tags import TAG_FIELDS, Tags

LINE = "2 123456789012 eni-1 198.51.100.7 10.255.1.22 52233 22 6 1 136 1602397446 1602397505 ACCEPT OK"
HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
FIELDS = {"start_time": "1602397706", "end_time": "1602397745", "packets": "1", "log_status": "OK"}

# The worked examples of docs/model.md, The bounds (lag 60, interval 60): start, end, packets -> the tags in order.
WORKED = {
    "85-packets": ("1602397806", "1602397865", "85", {}, "ok 1602397806 1602397865 59 1602397746 1602397866 1602397806 60 "
                   "1602397806 1602397866 full 0 record unclear"),
    "one-packet": ("1602397446", "1602397505", "1", {}, "ok 1602397446 1602397505 59 1602397386 1602397506 1602397446 60 "
                   "1602397446 1602397506 full 0 record batch"),
    "third": ("1602397706", "1602397745", "1", {}, "ok 1602397706 1602397745 39 1602397646 1602397746 1602397696 50 . . . . . batch"),
    "third-with-phase": ("1602397706", "1602397745", "1", {"phase": "6"}, "ok 1602397706 1602397745 39 1602397646 1602397746 "
                         "1602397696 50 1602397686 1602397746 tail 20 option batch"),
}  # fmt: skip


def enricher(**options):
    return Enricher(parse_settings(options.items()))


def tag(event, **options):
    return enricher(**options).tag(event.get)


@pytest.mark.parametrize(("start", "end", "packets", "options", "expected"), WORKED.values(), ids=WORKED)
@pytest.mark.parametrize("form", ["add-on", "aws", "raw", "json", "milliseconds"])
def test_worked_cases_through_every_form(start, end, packets, options, expected, form):
    events = {
        "add-on": {"start_time": start, "end_time": end, "packets": packets, "log_status": "OK"},
        "aws": {"start": start, "end": end, "packets": packets, "log-status": "OK"},
        "raw": {"_raw": f"2 1 eni-1 a b 1 2 6 {packets} 136 {start} {end} ACCEPT OK"},
        "json": {"_raw": f'{{"start": {start}, "end": {end}, "packets": {packets}}}'},
        "milliseconds": {"start_time": start + "000", "end_time": end + "000", "traffic.packets": packets},
    }
    assert list(tag(events[form], **options)) == [*expected.replace(".", "").split(" "), *[""] * 4]


def test_tags_are_the_documented_fields():
    likely = ("likely_earliest", "likely_basis", "likely_anchors")
    assert Tags._fields == (*TAG_FIELDS, *likely, "community_id")
    assert enricher(prefix="x_").fields == tuple("x_" + name for name in TAG_FIELDS)
    assert enricher(community="yes").fields[14:] == ("flowlag_community_id",)
    assert enricher(prefix="x_", community="yes", confidence="95").fields == tuple("x_" + name for name in Tags._fields)


#: event -> status, and the start that was taken
SOURCES = {
    "fields-win-over-raw": ({**FIELDS, "_raw": LINE}, "ok", "1602397706"),
    "add-on-misreads-a-v5-line": ({"start_time": "471", "end_time": "123456789012", "_raw": LINE}, "ok", "1602397446"),
    "unknown-of-the-add-on": ({"start_time": "unknown", "end_time": "unknown", "log_status": "unknown", "_raw": LINE}, "ok", "1602397446"),
    "reversed-fields": ({"start": "1602397745", "end": "1602397706", "_raw": LINE}, "ok", "1602397446"),
    "missing-end": ({"start": "1602397745", "_raw": LINE}, "ok", "1602397446"),
    "both-bad-fields-stand": ({"start": "x", "_raw": LINE.replace("1602397505", "1602397005")}, "invalid", ""),
    "no-fields-raw-verdict-stands": ({"_raw": LINE.replace("1602397505", "1602397005")}, "reversed", "1602397446"),
    "no-fields-json-verdict-stands": ({"_raw": '{"start": 1602397446}'}, "missing", "1602397446"),
    "status-alone-raw-reversed": ({"log_status": "OK", "_raw": LINE.replace("1602397505", "1602397005")}, "reversed", "1602397446"),
    "status-alone-raw-foreign": ({"log_status": "OK", "_raw": "hello world"}, "missing", ""),
    "raw-header": ({"_raw": HEADER}, "header", ""),
    "raw-header-beats-invalid-fields": ({"start_time": "bytes", "end_time": "start", "_raw": HEADER}, "header", ""),
    "field-header": ({"start_time": "start", "end_time": "end"}, "header", ""),
    "field-header-but-valid-raw": ({"start": "start", "_raw": LINE}, "ok", "1602397446"),
    "foreign": ({"_raw": "Accepted publickey for root from 203.0.113.9", "user": "root"}, "other", ""),
    "nothing": ({}, "other", ""),
    "nodata": ({"_raw": LINE.replace("ACCEPT OK", "- NODATA")}, "nodata", "1602397446"),
    "skipdata": ({"_raw": LINE.replace("ACCEPT OK", "- SKIPDATA")}, "skipdata", "1602397446"),
    "ocsf-v1": ({"start_time": "1602397446000", "end_time": "1602397505000", "status_code": "OK", "traffic.packets": "1"}, "ok", "1602397446"),
    "ocsf-v2": ({"start_time_dt": "2020-10-11T06:24:06Z", "end_time_dt": "2020-10-11T06:25:05Z"}, "ok", "1602397446"),
}  # fmt: skip


@pytest.mark.parametrize(("event", "status", "start"), SOURCES.values(), ids=SOURCES)
def test_where_values_come_from(event, status, start):
    tags = tag(event)
    assert (tags.status, tags.start) == (status, start)


def test_format_none_never_reads_raw():
    assert tag({"_raw": LINE}, format="none").status == "other"


def test_a_custom_format():
    form = "${end} ${interface-id} ${start}"
    assert tag({"_raw": "1602397505 eni-1 1602397446"}, format=form)[:3] == ("ok", "1602397446", "1602397505")
    assert tag({"_raw": "1602397505 eni-1 1602397446 6"}, format=form).status == "other"
    assert tag({"_raw": "- eni-1 1602397446"}, format=form).status == "missing"
    assert tag({"_raw": "x eni-1 1602397446"}, format=form)[:2] == ("invalid", "1602397446")


def test_a_line_without_evidence_of_a_record_is_none_in_any_layout():
    login = "Oct 11 06:24:06 host sshd[1]: Accepted publickey for admin from 2001:db8::7 port 52233 ssh2"
    assert len(login.split()) == 14 and tag({"_raw": login}, format="default").status == "other"
    assert tag({"_raw": "- eni-1 -"}, format="${end} ${interface-id} ${start}").status == "other"
    assert tag({"_raw": "- - NODATA"}, format="${end} ${start} ${log-status}").status == "missing"


def test_several_layouts_are_tried_in_order():
    form = "${start} ${end} ${packets};${end} ${start} ${packets};default"
    assert tag({"_raw": "1602397446 1602397505 1"}, format=form)[:3] == ("ok", "1602397446", "1602397505")
    assert tag({"_raw": "1602397505 1602397446 1"}, format=form)[:3] == ("ok", "1602397446", "1602397505")
    assert tag({"_raw": "1602397505 x 1"}, format=form)[:3] == ("invalid", "1602397505", "")
    assert tag({"_raw": "2 1 eni-1 - - - - - 1 1 1602397446 1602397505 - OK"}, format=form).status == "ok"


def test_columns_to_skip_and_columns_that_this_release_does_not_know():
    enricher = Enricher(parse_settings([("format", "${start} * ${end} * ${shiny-new-field}")]))
    assert enricher.tag({"_raw": "1602397446 a 1602397505 b c"}.get).status == "ok"
    assert "shiny-new-field" in enricher.warning()


def test_what_looks_like_a_record_is_counted_whatever_else_was_read():
    enricher = Enricher(parse_settings([]))
    for raw in ("1602397446 1602397505 OK", "hello", "1602397446 1602397505 1602397506 eni-0a1b2c3d4e5f60718 OK"):
        assert enricher.tag({"_raw": raw}.get).status == "other"
    assert enricher.tag(FIELDS.get).status == "ok"
    assert enricher.warning().startswith("2 of 4 events look like flow log records of an unknown layout")


def test_named_fields_replace_the_known_ones():
    event = {**FIELDS, "begin": "1602397446", "finish": "1602397505"}
    assert tag(event, start="begin", end="finish")[1:3] == ("1602397446", "1602397505")
    assert tag(event, start="nothing").status == "missing"
    assert tag({**FIELDS, "state": "NODATA"}, status="state").status == "nodata"
    assert tag({**FIELDS, "count": "7"}, packets="count").stamps == "unclear"


def test_nodata_has_bounds_but_no_stamps():
    tags = tag({**FIELDS, "log_status": "NODATA"})
    assert (tags.earliest, tags.latest, tags.stamps) == ("1602397646", "1602397746", "")


def test_untaggable_records_give_the_times_they_have():
    assert list(tag({"start": "1602397745", "end": "1602397706"}))[:4] == ["reversed", "1602397745", "1602397706", ""]
    assert set(tag({"start": "1602397745", "end": "x"})[2:]) == {""}


TIMES = {
    ("keep", "5"): "",
    ("keep", ""): "1602397706",
    ("start", "5"): "1602397706",
    ("end", "5"): "1602397745",
    ("estimate", "5"): "1602397696",
    ("earliest", "5"): "1602397646",
    ("latest", "5"): "1602397746",
}


@pytest.mark.parametrize(("option", "current"), TIMES)
def test_what_time_becomes(option, current):
    tagger = enricher(time=option)
    assert tagger.new_time(tagger.tag(FIELDS.get), current) == TIMES[option, current]


@pytest.mark.parametrize("option", ["keep", "start", "estimate"])
def test_time_stays_where_the_wanted_value_is_unknown(option):
    tagger = enricher(time=option)
    assert tagger.new_time(tagger.tag({}.get), "5") == ""


def test_rows_keep_order_and_set_the_tags_last():
    rows = list(enricher().rows([{"flowlag_status": "old", **FIELDS}, {"user": "root", "_time": "5"}]))
    assert [row["flowlag_status"] for row in rows] == ["ok", "other"]
    assert [list(row)[-14:] for row in rows] == [list(enricher().fields)] * 2
    assert [row["_time"] for row in rows] == ["1602397706", "5"]


def test_multivalues_of_the_sdk_are_invalid():
    assert (
        next(enricher().rows([{**FIELDS, "start_time": ["1602397706", "1602397707"]}]))["flowlag_status"] == "invalid"
    )


def test_one_warning_with_the_reasons():
    tagger = enricher()
    for event in ({"start": "x"}, {"start": "y"}, {"start": "1602397706"}, FIELDS, {}):
        tagger.tag(event.get)
    assert "3 of 5 events" in tagger.warning() and "(2 invalid, 1 missing)" in tagger.warning()


def test_a_warning_when_nothing_was_recognised():
    tagger = enricher()
    assert tagger.warning() is None
    tagger.tag({}.get)
    assert "format=" in tagger.warning() and "no flow log event" in tagger.warning()
    tagger.tag(FIELDS.get)
    assert tagger.warning() is None


def test_header_lines_pass_in_silence():
    tagger = enricher()
    tagger.tag({"_raw": HEADER}.get)
    assert tagger.warning() is None


def test_the_memo_stays_small(monkeypatch):
    """However many distinct values there are, and however long: an event of 12 MB is not kept."""
    monkeypatch.setattr("flowlag.memo.SIZE", 10)
    tagger = enricher()
    for i in range(25):
        assert tagger.tag({**FIELDS, "packets": str(i)}.get).status == "ok"
        assert tagger.tag({**FIELDS, "packets": "9" * 1000 + str(i)}.get).status == "ok"
        assert len(tagger._judged) <= 10
    assert max(len(values.packets) for values, _ in tagger._judged) < 100
