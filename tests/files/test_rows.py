# SPDX-License-Identifier: Apache-2.0
"""Lines of text: which layout a file settles, and what becomes of lines of another one."""

from tests.files.made import HEADER, NODATA, A, B, events_of, fields_of, rows_of, statuses


def test_a_line_keeps_its_text_and_gives_its_columns(tmp_path):
    (row,) = rows_of(tmp_path, f"  {A.replace(' ', '   ')}\t\r\n")
    assert row.fields == {**fields_of(A), "_raw": f"  {A.replace(' ', '   ')}\t"}


def test_the_first_line_that_fits_settles_the_layout(tmp_path):
    damaged = A.replace("1602397806", "x").replace("OK", "MAYBE")
    content = f"what\n{damaged}\n{A}\n{damaged}\n{A} more\n\n#{A}\n{NODATA}\n"
    found = rows_of(tmp_path, content)
    assert [row.is_other for row in found] == [True, True, False, False, True, False]
    assert statuses(tmp_path, content) == ["other", "other", "ok", "invalid", "other", "nodata"]


def test_a_line_of_another_width_is_read_as_format_auto_reads_it(tmp_path):
    content = f"version start end x\n5 1602397446 1602397505 x\n{A}\n5 1602397446 1602397505\n1602397446000 {A}\n"
    found = rows_of(tmp_path, content)
    assert statuses(tmp_path, content) == ["ok", "ok", "other", "ok"]
    assert found[1].fields["srcaddr"] == found[3].fields["srcaddr"] == fields_of(A)["srcaddr"]


def test_lines_below_a_header_without_times_are_read_as_format_auto_reads_them(tmp_path):
    assert statuses(tmp_path, f"interface-id srcaddr dstaddr\n{A}\n") == ["ok"]


def test_a_header_settles_the_layout_anew_each_time(tmp_path):
    content = f"{A}\nversion end start brand-new-field\n5 1602397505 1602397446 a-b\n{HEADER}\n{B}\n5 1602397505 1602397446 c\n"
    found = rows_of(tmp_path, content)
    assert statuses(tmp_path, content) == ["ok", "ok", "ok", "other"]
    assert found[1].fields == {
        "_raw": "5 1602397505 1602397446 a-b",
        "version": "5",
        "end": "1602397505",
        "start": "1602397446",
        "brand_new_field": "a-b",
    }


def test_a_header_without_times_makes_its_lines_records_that_miss_them(tmp_path):
    assert statuses(tmp_path, "interface-id srcaddr dstaddr\neni-1 10.0.0.1 10.0.0.2\n") == ["missing"]


def test_format_describes_the_lines(tmp_path):
    content = "1602397505 eni-9 1602397446\n1602397505 eni-9\n"
    assert statuses(tmp_path, content) == ["other", "other"]
    assert statuses(tmp_path, content, format="${end} ${interface-id} ${start}") == ["ok", "other"]
    assert rows_of(tmp_path, content, format="${end} ${interface-id} ${start}")[0].fields["interface_id"] == "eni-9"


def test_format_none_reads_no_line_without_a_header(tmp_path):
    assert statuses(tmp_path, f"{A}\n{HEADER}\n{A}\n", format="none") == ["other", "ok"]


def test_columns_that_options_name_come_first(tmp_path):
    content = "version start end first last\n5 1602397446 1602397505 1602397447 1602397448\n"
    (event,) = events_of(tmp_path, content, start="first", end="last")
    assert (event["flowlag_start"], event["flowlag_end"]) == ("1602397447", "1602397448")
    assert statuses(tmp_path, A, start="first") == ["ok"]


def test_a_column_that_is_there_twice_has_its_first_value(tmp_path):
    (row,) = rows_of(tmp_path, "version start start end\n5 1602397446 x 1602397505\n")
    assert row.fields["start"] == "1602397446" == row.values.start


def test_bytes_that_are_no_utf8_stay(tmp_path):
    (row,) = rows_of(tmp_path, b"\xff\x00\xfex\n")
    assert row.fields["_raw"].encode("utf-8", "surrogateescape") == b"\xff\x00\xfex"
    assert statuses(tmp_path, b"\xff" + A.encode() + b"\n" + A.encode() + b"\0\n" + A.encode()) == [
        "other",
        "other",
        "ok",
    ]
