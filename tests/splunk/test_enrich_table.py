# SPDX-License-Identifier: Apache-2.0
"""The byte path: what is sent comes back byte for byte with the tags behind it, whatever it holds."""

import csv

import pytest

from flowlag.enrich import Enricher
from flowlag.enrich_options import parse_settings
from flowlag.splunk.enrich_table import EnrichTable
from tests.support.splunkd import write_body

OK = b"ok,1602397446,1602397505,59,1602397386,1602397506,1602397446,60,1602397446,1602397506,full,0,record,batch"
OTHER = b"other" + b"," * 13
INVALID = b"invalid,,1602397505" + b"," * 11
TAGS = b",".join(b'"flowlag_%s"' % name.encode() for name in (
    "status", "start", "end", "duration", "earliest", "latest", "time", "uncertainty", "window_start", "window_end",
    "window_position", "window_offset", "window_basis", "stamps"))  # fmt: skip
RECORD = b'1602397446,1602397505,1,"1602397446"'
HEAD = b'"start_time","end_time",packets,"_time"'


def tag(body, **options):
    return EnrichTable(Enricher(parse_settings(options.items()))).tag(body)


@pytest.mark.parametrize("body", [b"", b"a\n", b'"a","b"\r\n', b"a"], ids=["empty", "header", "crlf", "no-line-end"])
def test_no_event_no_body(body):
    assert tag(body) == b""


#: what stands in a further column: bytes that must come back untouched
UNTOUCHED = {
    "plain": b"x",
    "quoted-plain": b'"x"',
    "quoted-number": b'"5"',
    "empty-quoted": b'""',
    "comma": b'"a,b"',
    "quotes": b'"say ""hi"""',
    "only-quotes": b'""""""',
    "newlines": b'"a\nb\n\nc"',
    "crlf-inside": b'"a\r\nb"',
    "comma-counts-that-fool": b'"\n,,,,,,\n"',
    "quote-newline-quote": b'"""\n"""',
    "nul": b"a\x00b",
    "nul-quoted": b'"a\x00b"',
    "bare-cr": b"a\rb",
    "quoted-cr": b'"a\rb"',
    "invalid-utf8": b"\xff\xfe\x80",
    "surrogate-bytes": b"\xed\xa0\x80",
    "utf8": "é\u2028\u0085\ufeff".encode(),
    "next-line-bytes": b"\x85\xa0\x1c\x1d\x0b\x0c",
    "stray-quote": b'a"b',
    "text-behind-quote": b'"a"b',
    "multivalue-twin": b'"$a$;$b$$c$"',
    "large": b'"' + b"x\n" * 400_000 + b'"',
    "large-bare": b"x" * 300_000,
}


@pytest.mark.parametrize("field", UNTOUCHED.values(), ids=UNTOUCHED)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_other_columns_come_back_byte_for_byte(field, line_end):
    body = line_end.join([HEAD + b",user", RECORD + b"," + field, RECORD + b",z", b""])
    expected = line_end.join([HEAD + b",user," + TAGS, RECORD + b"," + field + b"," + OK, RECORD + b",z," + OK, b""])
    assert tag(body) == expected


def test_a_missing_final_line_end_is_added():
    assert tag(HEAD + b"\n" + RECORD) == HEAD + b"," + TAGS + b"\n" + RECORD + b"," + OK + b"\n"


@pytest.mark.parametrize(
    "value", [b'"1602397446\n1602397447"', b"\xd9\xa3", b'"1602397446\x00"', b'" 5"', b"1_0", b"+5"]
)
def test_needed_columns_are_read_as_they_are(value):
    """A multivalue is never glued together, and what int() would take is no time."""
    body = HEAD + b"\n" + value + b",1602397505,1,5\n"
    assert tag(body) == HEAD + b"," + TAGS + b"\n" + value + b",1602397505,1,5," + INVALID + b"\n"


def test_quoted_and_decimal_numbers_are_read():
    row = b'"1602397446","1602397505.0","1.0",5'
    assert tag(HEAD + b"\n" + row + b"\n").endswith(b"\n" + row + b"," + OK + b"\n")


def test_a_row_that_is_too_short_or_too_long_keeps_the_columns_in_place():
    reply = tag(HEAD + b"\n1602397446,1602397505\n\n" + RECORD + b",surplus\n")
    assert reply.split(b"\n")[1:4] == [
        b"1602397446,1602397505,,1602397446," + OK.replace(b"batch", b""),
        b",,,," + OTHER,
        RECORD + b"," + OK,
    ]


@pytest.mark.parametrize("other", [b"x", b'"a\nb"', b'x"y'], ids=["plain", "line-break", "stray-quote"])
def test_a_lone_cr_is_a_part_of_the_value_at_the_end_too(other):
    """Not a line end, as in the middle of a body; found by fuzzing."""
    for end in (b"\r", b"\r\r\n", b"\r\r\nx,,\n"):
        body = b"user,end_time,start_time\n%b,1602397505,1602397446" % other + end
        assert b",invalid,,1602397505," in tag(body)


def test_time_is_set_where_it_is_empty_and_its_twin_cleared():
    body = b'start,end,"_time","__mv__time"\n1602397446,1602397505,,"$a$;$b$"\n1602397446,1602397505,7,\n'
    lines = tag(body).split(b"\n")
    assert lines[1].startswith(b"1602397446,1602397505,1602397446,,ok,")
    assert lines[2].startswith(b"1602397446,1602397505,7,,ok,")
    assert tag(body, time="latest").split(b"\n")[2].startswith(b"1602397446,1602397505,1602397506,,ok,")


def test_time_is_added_where_there_is_none():
    assert tag(b"start,end\n1602397446,1602397505\n,\n").split(b"\n")[:3] == [
        b'start,end,"_time",' + TAGS,
        b"1602397446,1602397505,1602397446," + OK.replace(b"batch", b""),
        b",,," + OTHER,
    ]


def test_tag_columns_that_exist_are_replaced_and_never_doubled():
    body = b'"flowlag_stamps",start,"__mv_flowlag_stamps",end,"_time"\nold,1602397446,"$a$;$b$",1602397505,7\n'
    assert tag(body) == b'start,end,"_time",' + TAGS + b"\n1602397446,1602397505,7," + OK.replace(b"batch", b"") + b"\n"


def test_running_twice_gives_the_same_body():
    once = tag(HEAD + b",user\n" + RECORD + b',"a,b"\n,,,,\n')
    assert tag(once) == once


def test_an_own_prefix_leaves_other_tags_alone():
    reply = tag(b'"flowlag_status",start,end,"_time"\nkept,1602397446,1602397505,7\n', prefix="x_")
    assert (
        reply.startswith(b'"flowlag_status",start,end,"_time","x_status"')
        and b"\nkept,1602397446,1602397505,7,ok," in reply
    )


FLOW = b"128.232.110.120,34855,66.35.250.204,80,6,1602397446,1602397505,1602397446"
FLOW_HEAD = b'src_ip,src_port,dest_ip,dest_port,protocol,start,end,"_time"'
ID = b"1:LQU9qZlK+B5F3KDmev6m5PMibrg="


def test_ids_are_the_last_column_and_on_records_that_are_ok():
    bad = FLOW.replace(b"1602397505", b"1602397405")
    reply = tag(b"\n".join([FLOW_HEAD, FLOW, bad, b"", b""]), community="true").split(b"\n")
    assert reply[0] == FLOW_HEAD + b"," + TAGS + b',"flowlag_community_id"'
    assert reply[1].startswith(FLOW + b",ok,") and reply[1].endswith(b"," + ID)
    assert reply[2].startswith(bad + b",reversed,") and reply[2].endswith(b",,")
    assert reply[3] == b"," * 8 + OTHER + b","


def test_an_id_is_replaced_only_if_it_is_asked_for():
    body = b"\n".join([b"flowlag_community_id," + FLOW_HEAD, b"old," + FLOW, b""])
    assert tag(body, community="true").split(b"\n")[1].endswith(ID) and b"old" not in tag(body, community="true")
    assert tag(body).startswith(b"flowlag_community_id,") and tag(body).split(b"\n")[1].startswith(b"old,")
    once = tag(b"\n".join([FLOW_HEAD, FLOW, b""]), community="true")
    assert tag(once, community="true") == once


def test_of_two_columns_with_one_name_the_first_counts():
    assert b",invalid," in tag(b"start,start,end\nx,1602397446,1602397505\n")


def test_field_names_beyond_ascii():
    assert b",ok,1602397446," in tag("début,end\n1602397446,1602397505\n".encode(), start="début")


def test_the_header_may_change_from_chunk_to_chunk():
    tagger = EnrichTable(Enricher(parse_settings([])))
    assert b",ok," in tagger.tag(b"start,end\n1602397446,1602397505\n")
    assert b",ok," in tagger.tag(b"end,start\n1602397505,1602397446\n")


def test_raw_of_twelve_megabytes_is_read_around():
    raw = b'"' + b"a,\n" * 4_000_000 + b'"'
    reply = tag(b'"_raw",start,end\n' + raw + b",1602397446,1602397505\n,,\n")
    assert reply.count(raw) == 1 and reply.endswith(b"," + OTHER + b"\n") and b",ok,1602397446," in reply


@pytest.mark.slow
def test_raw_of_twelve_megabytes_is_read():
    """It is no known layout: looked at, found to be something else, passed on."""
    for raw in (
        b"a " * 6_000_000,
        b"start " * 2_000_000,
        b'"{""a"":' + b"[" * 12_000_000 + b'"',
        b'"' + b'""' * 6_000_000 + b'"',
    ):
        reply = tag(b'"_raw"\n' + raw + b"\n")
        assert raw in reply


def test_the_csv_limit_of_the_process_is_left_alone():
    before = csv.field_size_limit()
    tag(b'"_raw",start\n' + b"x" * 200_000 + b",5\n")
    assert csv.field_size_limit() == before


def test_what_splunkd_sends_comes_back():
    """Names and values quoted as splunkd quotes them, with twins behind the plain columns."""
    body = write_body(
        [{"start_time": "1602397446", "end_time": "1602397505", "packets": "-", "_chunked_idx": "0", "tag": ["a", "b"]}]
    )
    reply = tag(body)
    assert reply.startswith(body.split(b"\n")[0] + b',"_time",' + TAGS) and b'"$a$;$b$"' in reply
