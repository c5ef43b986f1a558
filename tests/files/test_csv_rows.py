# SPDX-License-Identifier: Apache-2.0
"""CSV: headers, quotes, rows of another length, and lines of a flow log in a column."""

import pytest

from tests.files.made import EXPECTED, HEADER, A, B, events_of, fields_of, rows_of, statuses, tell


def test_a_header_inside_is_no_record_and_another_one_counts_from_there(tmp_path):
    content = "start,end,log_status\n1602397446,1602397505,OK\nstart,end,log_status\nend,log-status,start\n1602397505,OK,1602397446\n"
    assert tell(events_of(tmp_path, content)) == [("ok", "1602397446", "1602397505", "")] * 2
    assert statuses(tmp_path, f"\ufefftimestamp,message\n1,{A}\n\ufefftimestamp,message\n1,{HEADER}\n1,{B}\n") == [
        "ok",
        "ok",
    ]


def test_short_and_long_rows_lose_nothing(tmp_path):
    found = rows_of(tmp_path, "start,end,x\n1602397446\n\n1602397446,1602397505,a,b,c\n,,\n")
    assert [row.fields for row in found] == [
        {"start": "1602397446", "end": "", "x": ""},
        {"start": "1602397446", "end": "1602397505", "x": "a", "surplus_1": "b", "surplus_2": "c"},
        {"start": "", "end": "", "x": ""},
    ]


def test_a_row_of_another_number_of_cells_is_other(tmp_path):
    content = "start,end,packets\n1602397446,1602397505,1\n1602397446,1602397505\n1602397446,1602397505,1,x\n"
    assert statuses(tmp_path, content) == ["ok", "other", "other"]
    assert statuses(tmp_path, f"timestamp,message\n5,{A}\n5,{A},\n") == ["ok", "other"]


def test_a_blank_behind_each_comma_belongs_to_no_value(tmp_path):
    assert statuses(tmp_path, "start, end, log_status\n1602397446, 1602397505, OK\n") == ["ok"]
    assert statuses(tmp_path, "start,end\n1602397446, 1602397505\n") == ["invalid"]


def test_columns_without_a_name_of_their_own_get_one(tmp_path):
    (row,) = rows_of(tmp_path, "start,,start,end,start\n1,2,3,4,5\n")
    assert row.fields == {"start": "1", "column_2": "2", "start_2": "3", "end": "4", "start_3": "5"}


@pytest.mark.parametrize("inside", ["a\nb", "a\r\nb", "a\rb", "a\0b", 'a"b', "a,b", "\udcff", "é\u2028"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_quoted_values_come_back_as_they_are(inside, line_end, tmp_path):
    quoted = '"' + inside.replace('"', '""') + '"'
    content = line_end.join(["start,end,x", f"1602397446,1602397505,{quoted}", "1602397446,1602397505,z"])
    found = rows_of(tmp_path, content.encode("utf-8", "surrogateescape"))
    assert [row.fields["x"] for row in found] == [inside, "z"]


def test_a_field_beyond_the_csv_module_costs_its_lines_only(tmp_path):
    content = f'start,end,x\n1602397446,1602397505,"{"a" * 200_000}\n1602397446,1602397505,b\n'
    assert statuses(tmp_path, content) == ["other", "ok"]
    assert len(rows_of(tmp_path, content)[0].fields["_raw"]) > 200_000


def test_a_message_is_read_beside_its_columns(tmp_path):
    message, other = rows_of(tmp_path, f"timestamp,message,region\n5,{A},eu\n6,hello,us\n")
    assert message.fields == {"timestamp": "5", "region": "eu", **fields_of(A)}
    assert other[:3] == ({"timestamp": "6", "region": "us", "_raw": "hello"}, None, True)


def test_messages_share_the_layout_of_their_file(tmp_path):
    content = "id,message\n1,version end start\n2,5 1602397505 1602397446\n3,5 1602397446 1602397505\n"
    assert statuses(tmp_path, content) == ["ok", "reversed"]


def test_fields_that_tell_a_flow_come_before_message_and_raw_before_message(tmp_path):
    assert tell(events_of(tmp_path, f"start,end,message\n1602397447,1602397448,{A}\n")) == [
        ("ok", "1602397447", "1602397448", "packet")
    ]
    assert tell(events_of(tmp_path, f"_raw,message\n{B},{A}\n")) == [EXPECTED[1]]


def test_fields_that_lack_a_time_come_behind_a_line_in_message(tmp_path):
    assert tell(events_of(tmp_path, f"start,log_status,message\n7,OK,{A}\n")) == [EXPECTED[0]]
    assert statuses(tmp_path, "log_status,message\nOK,hello\n,hello\n") == ["missing", "other"]


def test_an_option_may_name_the_column_that_makes_a_csv(tmp_path):
    content = "begin,finish\n1602397446,1602397505\n"
    assert statuses(tmp_path, content) == ["other", "other"]
    assert statuses(tmp_path, content, start="begin", end="finish") == ["ok"]


def test_comments_before_the_header_are_no_records(tmp_path):
    assert statuses(tmp_path, "\n# made by hand, start\nstart,end\n1602397446,1602397505\n") == ["ok"]
