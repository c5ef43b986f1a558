# SPDX-License-Identifier: Apache-2.0
"""Raw text: header lines, known layouts by exact shape, JSON objects; anything else gives nothing."""

import json

import pytest

from flowlag.fields import Names, Values
from flowlag.layouts import LAYOUTS, Layout
from flowlag.lines import HEADER, read_raw
from flowlag.recognition import match_layout
from flowlag.words import is_header, split_words, status_of

LINE = "2 123456789012 eni-0ff9 198.51.100.7 10.255.1.22 52233 22 6 1 136 1602397446 1602397505 ACCEPT OK"
VALUES = Values("1602397446", "1602397505", "1", "eni-0ff9", "OK")


def line_in(name, **values):
    """A line in a named layout; columns that are not given are `-`."""
    given = {"version": "5", "start": "1602397446", "end": "1602397505", "packets": "1", "log-status": "OK", **values}
    return " ".join(given.get(column, "-") for column in LAYOUTS[name].columns)


HEADERS = {
    "aws": "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status",
    "first-word-decides": "version 5 of something",
    "no-version": "account-id srcaddr dstaddr",
    "commas": "account_id,srcaddr,dstaddr,start,end",
    "quotes-and-case": '"Account-ID", "SRCADDR" \'start\'',
    "byte-order-mark": "\ufeffversion account-id",
    "one-new-name": "start end packets brand-new-2",
    "v11": "next-hop-vpc-id asg-tag-2 ecs-task-id tgw-id",
}
NO_HEADERS = {
    "two-words": "start end",
    "one-unknown": "start end colour",
    "half-unknown": "start end packets colour shape taste",
    "not-well-formed": "start end packets colour?",
    "record": LINE,
    "versions": "versions start end",
    "empty": "",
    "json": '{"version": 2}',
}


@pytest.mark.parametrize("line", HEADERS.values(), ids=HEADERS)
def test_header(line):
    assert is_header(line) and read_raw(line) == HEADER


@pytest.mark.parametrize("line", NO_HEADERS.values(), ids=NO_HEADERS)
def test_no_header(line):
    assert not is_header(line)


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("status", ["OK", "NODATA", "SKIPDATA", "skipdata"])
def test_known_layouts_by_shape(name, status):
    line = line_in(name, **{"log-status": status})
    assert match_layout(line) is LAYOUTS[name]
    assert read_raw(line)._replace(interface=None) == Values("1602397446", "1602397505", "1", None, status)


NO_MATCH = {
    "a-column-more": LINE + " x",
    "a-column-less": LINE[2:],
    "version-no-number": "v" + LINE,
    "version-unicode-digit": "²" + LINE[1:],
    "version-decimal": "2.0" + LINE[1:],
    "start-before-2014": LINE.replace("1602397446", "602397446"),
    "start-missing": LINE.replace("1602397446", "-"),
    "end-no-time": LINE.replace("1602397505", "x"),
    "status-unknown": LINE[:-2] + "FINE",
    "status-missing": LINE[:-2] + "-",
    "commas": LINE.replace(" ", ","),
    "two-records": LINE + "\n" + LINE,
    "newline-inside": LINE.replace("ACCEPT OK", "ACCEPT\nOK"),
    "no-break-space": LINE.replace(" ", "\xa0"),
    "a-number-in-front": "1602397446 " + LINE,
    "time-without-zone-in-front": "2020-10-11T06:24:06 " + LINE,
    "three-words-in-front": "1602397446000 stream x " + LINE,
    "prose": "Failed password for invalid user admin from 203.0.113.9 port 22 ssh2 [preauth]",
    "aws-v5-example-order": "5 " + " ".join("-" * 28),
}


@pytest.mark.parametrize("line", NO_MATCH.values(), ids=NO_MATCH)
def test_nothing_else_is_guessed(line):
    assert match_layout(line) is None and read_raw(line) is None


@pytest.mark.parametrize(
    "text",
    [
        LINE,
        LINE.replace(" ", "  "),
        LINE.replace(" ", "\t"),
        f"  {LINE} \t",
        f"{LINE}\r\n",
        f"\ufeff{LINE}",
        LINE.replace(" ", " \t "),
    ],
)
def test_blanks_between_and_around_do_not_matter(text):
    assert read_raw(text) == VALUES


def test_ipv6_and_milliseconds():
    line = LINE.replace("198.51.100.7", "2001:db8::1").replace("1602397446 1602397505", "1602397446000 1602397505000")
    assert read_raw(line).start == "1602397446000"


def test_an_explicit_layout_counts_columns_only():
    """A line with a damaged stamp is a damaged record there, and not another kind of event."""
    line = LINE.replace("1602397446", "x")
    assert read_raw(line, [LAYOUTS["default"]]) == VALUES._replace(start="x")
    assert read_raw(line + " y", [LAYOUTS["default"]]) is None
    assert read_raw('{"start": 1602397446}', [LAYOUTS["default"]]) is None


JSON = {
    "numbers": ('{"start": 1602397446, "end": 1602397505, "packets": 5.0}', Values("1602397446", "1602397505", "5.0")),
    "underscores": ('{"start_time": "1", "end_time": "2", "interface_id": "eni-1", "log_status": "OK"}', Values("1", "2", None, "eni-1", "OK")),
    "nested": ('{"start_time": 1, "end_time": 2, "traffic": {"packets": 7}, "src_endpoint": {"interface_uid": null}, '
               '"dst_endpoint": {"interface_uid": "eni-2"}}', Values("1", "2", "7", "eni-2")),
    "dotted": ('{"start": "1", "end": "2", "traffic.packets": "7"}', Values("1", "2", "7")),
    "nulls": ('{"start": null, "end": 2, "traffic": null}', Values(None, "2")),
    "status-alone": ('{"log-status": "NODATA"}', Values(status="NODATA")),
    "message": (f'{{"message": "{LINE}", "timestamp": 1}}', VALUES),
    "message-beside-a-status": (f'{{"log_status": "NODATA", "message": "{LINE}"}}', VALUES),
    "message-beside-a-start": (f'{{"start_time": "2021", "message": "{LINE}"}}', VALUES),
    "message-other-beside-a-status": ('{"log_status": "NODATA", "message": "hello"}', Values(status="NODATA")),
    "message-as-a-list": (f'{{"message": ["{LINE}"]}}', VALUES),
    "message-with-white-space": (f'{{"message": "{LINE}\\n"}}', VALUES),
    "multivalue": ('{"start": ["1", "2"], "end": 3}', Values("1\n2", "3")),
    "list-of-numbers": ('{"start": [1], "end": 3}', Values("1", "3")),
    "list-of-objects": ('{"start": [{}], "end": 3}', Values("[{}]", "3")),
    "huge-number": ('{"start": %s, "end": 3}' % ("9" * 5000), Values("9" * 5000, "3")),
    "header-in-message": ('{"message": "version account-id"}', HEADER),
    "no-names": ('{"user": "root"}', None),
    "other-status": ('{"status_code": "200"}', None),
    "message-other": ('{"message": "hello"}', None),
    "message-no-text": ('{"message": 5}', None),
    "broken": ('{"start": 1602397446', None),
    "array": ("[1]", None),
    "deep": ('{"a":' * 100_000, None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), JSON.values(), ids=JSON)
def test_json(text, expected):
    assert read_raw(text) == expected


def test_json_by_names_of_ones_own_or_else_by_the_known_ones():
    names = Names(start=("begin",), duration=("lasts",))
    assert read_raw('{"begin": 1, "start": 5, "end": 2}', (), names) == Values("1", "2")
    assert read_raw('{"start": 5, "end": 2}', (), names) == Values("5", "2")
    assert read_raw('{"begin": 1, "lasts": 3}', (), names) == Values("1", duration="3")


def test_status_words():
    assert [status_of(word) for word in ("OK", "ok", " NoData ", "SKIPDATA")] == ["ok", "ok", "nodata", "skipdata"]
    assert [status_of(word) for word in (None, "", "-", "FINE", "OK OK", "\u017fkipdata", "O\u212a")] == [None] * 7


def test_split_words_takes_one_line():
    assert split_words("a\t b  c") == ["a", "b", "c"]
    assert split_words("a\nb") == []


def test_a_long_line_with_long_blanks_is_read_and_one_of_endless_words_is_not_taken_apart():
    assert read_raw(LINE.replace(" ", " " * 100_000, 3)) == VALUES
    assert 100 < len(split_words("a " * 1_000_000)) <= 1000


IN_FRONT = ["1602397446000", "2020-10-11T06:24:06Z", "2020-10-11T06:24:06.123+00:00", "1602397446000 eni-0ff9-all"]


@pytest.mark.parametrize("front", IN_FRONT)
@pytest.mark.parametrize("layouts", [(), (LAYOUTS["default"],)], ids=["auto", "default"])
def test_a_time_in_front_of_a_record_is_skipped(front, layouts):
    assert read_raw(f"{front} {LINE}", layouts) == VALUES
    assert read_raw(f"{front} {LINE[:-2]}FINE", layouts) is None


def test_a_record_as_it_stands_is_never_cut():
    layouts = [Layout("custom", ("start", "srcaddr", "end", "action")), Layout("custom", ("srcaddr", "start", "end"))]
    assert read_raw("1602397446000 1602397450 1602397505 1602397506", layouts).start == "1602397446000"


ENI, OTHER_ENI = "eni-0a1b2c3d4e5f60718", "tgw-attach-0a1b2c3d"
BY_CONTENT = {
    "any-order": (f"x 1602397505 OK {ENI} y 1602397446 6", Values("1602397446", "1602397505", None, ENI, "OK")),
    "the-same-id-twice": (f"1602397446 1602397505 NODATA {ENI} {ENI}", Values("1602397446", "1602397505", None, ENI, "NODATA")),
    "two-ids": (f"1602397446 1602397505 OK {ENI} {OTHER_ENI}", Values("1602397446", "1602397505", None, None, "OK")),
    "an-hour": (f"1602397446 1602401046 OK {OTHER_ENI} -", Values("1602397446", "1602401046", None, OTHER_ENI, "OK")),
    "cloud-wan": (f"1602397446 1602397446 INCOMPLETEDATA {ENI} -", Values("1602397446", "1602397446", None, ENI, "INCOMPLETEDATA")),
    "more-than-an-hour": (f"1602397446 1602401047 OK {ENI} -", None),
    "three-stamps": (f"1602397446 1602397505 1602397506 OK {ENI}", None),
    "one-stamp": (f"1602397446 602397505 OK {ENI} -", None),
    "two-statuses": (f"1602397446 1602397505 OK NODATA {ENI}", None),
    "lower-case": (f"1602397446 1602397505 ok {ENI} -", None),
    "no-id": ("1602397446 1602397505 OK eni-1 -", None),
    "nine-digits-of-an-id": ("1602397446 1602397505 OK eni-0a1b2c3d4 -", None),
    "four-words": (f"1602397446 1602397505 OK {ENI}", None),
    "201-words": (f"1602397446 1602397505 OK {ENI}" + " -" * 197, None),
}  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), BY_CONTENT.values(), ids=BY_CONTENT)
def test_by_content(line, expected):
    assert read_raw(line) == expected
    assert read_raw(json.dumps({"message": line})) == expected


def test_a_line_of_a_known_layout_is_not_read_by_content():
    line = LINE.replace("eni-0ff9", ENI).replace("1602397446 1602397505", "1602397505 1602397446")
    assert read_raw(line).start == "1602397505"
