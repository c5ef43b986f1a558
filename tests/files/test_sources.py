# SPDX-License-Identifier: Apache-2.0
"""Files in every shape AWS delivers: the rows that come out of them, whatever they are wrapped in."""

import gzip
import io
import json
import sys
import zlib
from collections import Counter
from types import SimpleNamespace

import pytest

from flowlag.cli.enrich import tag_rows
from flowlag.enrich import Enricher
from flowlag.enrich_options import parse_settings
from flowlag.errors import SourceError
from flowlag.files.json_rows import BLOCK_BYTES
from flowlag.files.sources import MOST_GZIP_LAYERS, read_source, read_sources

A = "2 123456789012 eni-1 10.0.0.1 10.0.0.2 52233 22 6 85 8216 1602397806 1602397865 ACCEPT OK"
B = "2 123456789012 eni-1 10.0.0.2 10.0.0.1 22 52233 6 1 136 1602397446 1602397505 ACCEPT OK"
NODATA = "2 123456789012 eni-1 - - - - - - - 1602397446 1602397505 - NODATA"
HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
NAMES = HEADER.replace("-", "_").split()


def fields_of(line):
    return {"_raw": line, **dict(zip(NAMES, line.split()))}


def settings(**options):
    return parse_settings(options.items())


def rows_of(tmp_path, content, **options):
    """The rows of a file with that content."""
    path = tmp_path / "input"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_source(str(path), settings(**options), lambda count: None))


def events_of(tmp_path, content, **options):
    return list(tag_rows(Enricher(settings(**options)), rows_of(tmp_path, content, **options)))


def statuses(tmp_path, content, **options):
    return [event["flowlag_status"] for event in events_of(tmp_path, content, **options)]


def parquet(rows, **types):
    pa = pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow, which is not installed")
    from pyarrow.parquet import write_table

    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: pa.array([row.get(name) for row in rows], types.get(name)) for name in names})
    out = io.BytesIO()
    write_table(table, out)
    return out.getvalue()


def subscription(*lines, kind="DATA_MESSAGE"):
    events = [{"id": str(i), "timestamp": 1602397806000, "message": line} for i, line in enumerate(lines)]
    return {"messageType": kind, "owner": "1", "logStream": "eni-1-all", "logEvents": events}


RECORDS = [dict(zip(NAMES, line.split())) for line in (A, B)]

#: shape -> a file of the records A and B
SHAPES = {
    "text": f"{A}\n{B}\n",
    "text-crlf-bom": f"\ufeff{A}\r\n{B}",
    "text-header": f"{HEADER}\n{A}\n{B}\n",
    "csv-message": f'timestamp,message\n1602397806000,{A}\n1602397446000,"{B}"\n',
    "csv-insights": f"@timestamp,@message\n2020-10-11,{A}\n2020-10-11,{B}\n",
    "csv-names": "".join(",".join(line.split()) + "\r\n" for line in (HEADER, A, B)),
    "csv-underscores": "\ufeff" + "".join(",".join(line.split()) + "\n" for line in (" ".join(NAMES), A, B)),
    "csv-raw": f"_time,_raw\n7,{A}\n7,{B}\n",
    "json-lines": "".join(json.dumps(record) + "\n" for record in RECORDS),
    "json-pretty": json.dumps(RECORDS, indent=2),
    "json-back-to-back": "".join(json.dumps(subscription(line)) for line in (A, B)),
    "json-subscription": json.dumps(subscription(A, B)),
    "json-filter-log-events": json.dumps({"events": subscription(A, B)["logEvents"], "nextToken": "x"}, indent=1),
    "json-message": "".join(json.dumps({"message": line}) + "\n" for line in (A, B)),
    "json-array-of-lines": json.dumps([A, B]),
}


def wrap_plain(data):
    return data


def wrap_gzip(data):
    return gzip.compress(data)


def wrap_members(data):
    return b"".join(gzip.compress(data[i : i + 50]) for i in range(0, len(data), 50))


def wrap_twice(data):
    return gzip.compress(wrap_members(data))


def wrap_three_times(data):
    return gzip.compress(gzip.compress(gzip.compress(data)))


WRAPPERS = [wrap_plain, wrap_gzip, wrap_members, wrap_twice, wrap_three_times]


class Trickle(io.RawIOBase):
    """A pipe that gives seven bytes at a time and cannot seek."""

    def __init__(self, data):
        self.data = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        piece = self.data.read(min(7, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


def tell(events):
    return [(e["flowlag_status"], e["flowlag_start"], e["flowlag_end"], e["flowlag_stamps"]) for e in events]


EXPECTED = [("ok", "1602397806", "1602397865", "unclear"), ("ok", "1602397446", "1602397505", "batch")]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_in_every_wrapper(shape, wrapper, tmp_path):
    assert tell(events_of(tmp_path, wrapper(SHAPES[shape].encode()))) == EXPECTED


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_through_a_pipe(shape, wrapper, tmp_path, monkeypatch):
    data = wrapper(SHAPES[shape].encode())
    from_file = rows_of(tmp_path, data)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(Trickle(data), 1)))
    assert list(read_source("-", settings(), lambda count: None)) == from_file
    assert not sys.stdin.buffer.closed


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_parquet_in_every_wrapper_and_through_a_pipe(wrapper, tmp_path, monkeypatch):
    rows = [{**record, "start": int(record["start"]), "packets": float(record["packets"])} for record in RECORDS]
    data = wrapper(parquet(rows))
    found = rows_of(tmp_path, data)
    assert [row.fields for row in found] == RECORDS
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(Trickle(data))))
    assert list(read_source("-", settings(), lambda count: None)) == found


@pytest.mark.parametrize("content", ["", "\n\n", "# x\n", HEADER, "\ufeff", "timestamp,message\n", "[]"])
def test_a_file_without_records_has_no_rows(content, tmp_path):
    assert rows_of(tmp_path, content) == []


def test_a_line_of_a_nul_is_a_line(tmp_path):
    assert rows_of(tmp_path, "\0") == [({"_raw": "\0"}, None, True)]


# --- text: the layout settles ---


def test_a_line_keeps_its_text_and_gives_its_columns(tmp_path):
    (row,) = rows_of(tmp_path, f"  {A.replace(' ', '   ')}\t\r\n")
    assert row.fields == {**fields_of(A), "_raw": f"  {A.replace(' ', '   ')}\t"}


def test_the_first_line_that_fits_settles_the_layout(tmp_path):
    damaged = A.replace("1602397806", "x").replace("OK", "MAYBE")
    content = f"what\n{damaged}\n{A}\n{damaged}\n{A} more\n\n#{A}\n{NODATA}\n"
    found = rows_of(tmp_path, content)
    assert [row.is_other for row in found] == [True, True, False, False, True, False]
    assert statuses(tmp_path, content) == ["other", "other", "ok", "invalid", "other", "nodata"]


def test_what_another_layout_would_read_is_other_in_a_settled_file(tmp_path):
    assert statuses(tmp_path, f"version start end x\n5 1602397446 1602397505 x\n{A}\n") == ["ok", "other"]


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
    (row,) = rows_of(tmp_path, b"\xff\xfe\x00x\n")
    assert row.fields["_raw"].encode("utf-8", "surrogateescape") == b"\xff\xfe\x00x"
    assert statuses(tmp_path, b"\xff" + A.encode() + b"\n" + A.encode() + b"\0\n" + A.encode()) == [
        "other",
        "other",
        "ok",
    ]


# --- CSV ---


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
    assert other == ({"timestamp": "6", "region": "us", "_raw": "hello"}, None, True)


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


# --- JSON ---


def test_a_broken_line_costs_that_line_only(tmp_path):
    good = json.dumps(RECORDS[0])
    broken = ['{"start": 1602397446, "end": ', '{"a": "', '{"a":1]', "plain text", "]", "5", '"text"', "{'a': 1}"]
    content = "\n".join([good, *(line for bad in broken for line in (bad, good))])
    found = rows_of(tmp_path, content)
    assert [row.fields["_raw"] for row in found if row.is_other] == broken
    assert [row.fields for row in found if not row.is_other] == [RECORDS[0]] * 9


def test_a_line_of_text_among_documents_is_read_as_text(tmp_path):
    assert statuses(tmp_path, f"{{}}\n{A}\n{A} more\n{HEADER}\n") == ["other", "ok", "other"]


def test_text_behind_a_document_is_a_row(tmp_path):
    assert [row.fields for row in rows_of(tmp_path, '{"a": 1} rest\n{"a": 2},\n\x1e{"a": 3}')] == [
        {"a": "1"},
        {"_raw": "rest"},
        {"a": "2"},
        {"a": "3"},
    ]


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_documents_may_be_cut_by_blocks_anywhere(size, tmp_path, monkeypatch):
    documents = [
        {"text": 'é"\\\u20ac\U0001f600', "number": -1.5e300, "word": [True, None], "end": "1602397505"},
        subscription(A, B),
    ]
    content = "".join(json.dumps(d, indent=i, ensure_ascii=i is None) for d in documents for i in (None, 1))
    whole = rows_of(tmp_path, content)
    assert len(whole) == 6 and not any(row.is_other for row in whole)
    monkeypatch.setattr("flowlag.files.json_rows.BLOCK_BYTES", size)
    assert rows_of(tmp_path, content) == whole


def test_a_document_larger_than_a_block(tmp_path):
    lines = [A] * (4 * BLOCK_BYTES // len(A))
    assert Counter(statuses(tmp_path, json.dumps(subscription(*lines)) * 2)) == {"ok": 2 * len(lines)}


def test_numbers_keep_their_text_and_null_is_empty(tmp_path):
    (row,) = rows_of(
        tmp_path,
        '{"a": 1.50, "b": 12345678901234567890123, "c": null, "d": true, "e": {"f": {"g": 1e3}}, "h": ["x", "y"]}',
    )
    assert row.fields == {
        "a": "1.50",
        "b": "12345678901234567890123",
        "c": "",
        "d": "true",
        "e.f.g": "1e3",
        "h": "x\ny",
    }


def test_a_control_message_is_no_record(tmp_path):
    content = (
        json.dumps(subscription("CWL CONTROL MESSAGE", kind="CONTROL_MESSAGE")) + '{"messageType":"CONTROL_MESSAGE"}'
    )
    assert rows_of(tmp_path, content) == []


def test_an_event_keeps_what_cloudwatch_says_of_it(tmp_path):
    (row,) = rows_of(tmp_path, json.dumps(subscription(A)))
    common = {"messageType": "DATA_MESSAGE", "owner": "1", "logStream": "eni-1-all"}
    assert row.fields == {**common, "id": "0", "timestamp": "1602397806000", **fields_of(A)}


def test_extracted_fields_fill_what_the_line_lacks(tmp_path):
    event = {"message": A, "extractedFields": {"start": "5", "windowend": "7"}}
    (row,) = rows_of(tmp_path, json.dumps(event))
    assert row.fields == {**fields_of(A), "windowend": "7"}
    event = {"message": "odd", "extractedFields": {"start": "1602397446", "end": "1602397505"}}
    assert statuses(tmp_path, json.dumps(event)) == ["ok"]


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
def test_endless_nesting_is_a_row(content, tmp_path):
    assert statuses(tmp_path, f'{content}\n{{"start": 1602397446, "end": 1602397505}}') == ["other", "ok"]


@pytest.mark.parametrize("depth", [300, 600, 900, 980])
def test_deep_nesting_is_no_crash(depth, tmp_path):
    assert statuses(tmp_path, '{"a":' * depth + "1" + "}" * depth) == ["other"]


# --- Parquet ---


def test_parquet_values_become_text(tmp_path):
    pa = pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow, which is not installed")
    data = parquet(
        [
            {
                "start_time_dt": 1602397446_500_000_000,
                "end_time_dt": 1602397505,
                "traffic": {"packets": 1, "deep": {"x": None}},
                "whole": 5.0,
                "part": 5.25,
                "bytes": b"a\xff",
                "list": ["a", "b"],
                "map": [("k", "v")],
                "flag": True,
            },
            {"whole": float("nan"), "traffic": None},
        ],
        start_time_dt=pa.timestamp("ns"),
        end_time_dt=pa.timestamp("s", "Asia/Tokyo"),
        map=pa.map_(pa.string(), pa.string()),
    )
    first, second = rows_of(tmp_path, data)
    assert first.fields == {
        "start_time_dt": "2020-10-11T06:24:06.500000Z",
        "end_time_dt": "2020-10-11T06:25:05Z",
        "traffic.packets": "1",
        "traffic.deep.x": "",
        "whole": "5",
        "part": "5.25",
        "bytes": "a\udcff",
        "list": "a\nb",
        "map": '[["k", "v"]]',
        "flag": "true",
    }
    assert set(second.fields) == set(first.fields) and not any(second.fields.values())
    assert tell(events_of(tmp_path, data))[0] == ("ok", "1602397446.5", "1602397505", "batch")


def test_without_pyarrow_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SourceError, match=r"^\S+input: .*`pip install pyarrow`"):
        rows_of(tmp_path, b"PAR1xxxxPAR1")


def test_damaged_parquet(tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow, which is not installed")
    with pytest.raises(SourceError, match=r"^\S+input: the Parquet data are damaged \(.*fetch the file again$"):
        rows_of(tmp_path, b"PAR1xxxxPAR1")


# --- files that cannot be read ---


def collect(path, **options):
    """What a file gives, and the error at its end."""
    found, errors = [], []
    for row in read_sources([str(path)], settings(**options), lambda count: None, errors.append):
        found.append(row)
    return found, [str(error) for error in errors]


@pytest.mark.parametrize(
    "content",
    [
        f"{A}\n" * 5000,
        "id,message\n" + f"1,{A}\n" * 5000,
        f'{{"message": "{A}"}}\n' * 5000,
        json.dumps(subscription(A)) * 5000,
    ],
    ids=["text", "csv", "json", "back-to-back"],
)
def test_what_stands_before_the_damage_is_read(content, tmp_path):
    packer = zlib.compressobj(wbits=31)
    data = packer.compress(content.encode()) + packer.flush(zlib.Z_FULL_FLUSH)
    path = tmp_path / "cut.gz"
    path.write_bytes(data)
    found, errors = collect(path)
    assert len(found) == 5000 and all(row.values for row in found)
    assert errors == [
        f"{path}: the compressed data end too early, so its last records are missing; fetch the file again"
    ]


def test_damaged_gzip(tmp_path):
    data = bytearray(gzip.compress(f"{A}\n".encode() * 100))
    data[-6] ^= 255  # the checksum
    path = tmp_path / "x"
    path.write_bytes(data)
    found, (error,) = collect(path)
    assert error.startswith(f"{path}: the compressed data are damaged (") and all(row.values for row in found)


def test_more_layers_than_are_read(tmp_path):
    data = A.encode()
    for _ in range(MOST_GZIP_LAYERS + 1):
        data = gzip.compress(data)
    with pytest.raises(SourceError, match=r"more than 3 layers of gzip; unpack it first"):
        rows_of(tmp_path, data)


@pytest.mark.parametrize(("magic", "kind"), [(b"PK\x03\x04..", "zip"), (b"\x28\xb5\x2f\xfd..", "zstd")])
def test_other_archives_are_named(magic, kind, tmp_path):
    with pytest.raises(SourceError, match=f"this is a {kind} archive"):
        rows_of(tmp_path, magic)


def test_a_file_that_fails_does_not_stop_the_others(tmp_path):
    good, errors = tmp_path / "good", []
    good.write_text(A)
    paths = [str(tmp_path / "none"), str(tmp_path), str(good)]
    found = list(read_sources(paths, settings(), lambda count: None, errors.append))
    assert [row.fields for row in found] == [fields_of(A)]
    assert [str(error) for error in errors] == [
        f"{tmp_path}/none: there is no such file; check its name",
        f"{tmp_path}: this is a folder; name the files in it",
    ]


def test_each_file_settles_its_own_layout(tmp_path):
    (tmp_path / "one").write_text("version end start\n5 1602397505 1602397446\n")
    (tmp_path / "two").write_text("5 1602397505 1602397446\n")
    paths = [str(tmp_path / "one"), str(tmp_path / "two")]
    assert [row.is_other for row in read_sources(paths, settings(), lambda count: None, pytest.fail)] == [False, True]


def test_progress_counts_the_bytes_of_the_file(tmp_path):
    counts = []
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(f"{A}\n".encode() * 10_000))
    assert len(list(read_source(str(path), settings(), counts.append))) == 10_000
    assert sum(counts) == path.stat().st_size


# --- the shared samples ---

OK1, OK2 = {"ok": 1}, {"ok": 2}
SAMPLES = {
    "cloudwatch-json/ktranslate-kinesis-event.json": OK1,
    "cloudwatch-json/made-filter-log-events.ndjson": {"ok": 6},
    "cloudwatch-json/made-firehose-concatenated-members.gz": {"ok": 10},
    "cloudwatch-json/made-firehose-concatenated.json": {"ok": 10},
    "cloudwatch-json/made-firehose-gzip-in-gzip.gz": {"ok": 10},
    "cloudwatch-json/made-message-wrapper.ndjson": {"ok": 3},
    "cloudwatch-json/made-subscription-control-message.json": {},
    "cloudwatch-json/otel-subscription.json": OK2,
    "cloudwatch-json/streamalert-subscription-extracted-fields.json": OK2,
    "csv-export/made-mixed-export.csv": {"ok": 9, "nodata": 1, "skipdata": 1},
    "csv-export/made-seed-export.csv": {"ok": 3},
    "custom-layouts/aws-docs-no-version-no-times.log": {"missing": 6},
    "custom-layouts/aws-docs-v3-no-times.log": {"missing": 4},
    "custom-layouts/aws-docs-v3-tcp-flags.log": {"ok": 8},
    "custom-layouts/aws-docs-v5-traffic-path.log": OK2,
    "custom-layouts/flowlogs-reader-v3.log": OK2,
    "custom-layouts/flowlogs-reader-v4.log": OK2,
    "custom-layouts/flowlogs-reader-v5-alphabetical.log": {"ok": 2, "other": 1},
    "custom-layouts/flowlogs-reader-v6-no-times.log": {"missing": 1},
    "custom-layouts/ktranslate-v3.log": OK1,
    "custom-layouts/made-v10-encryption.log": OK2,
    "custom-layouts/made-v11-tags-next-hop.log": OK1,
    "custom-layouts/made-v6-tgw-default-order.log": {"ok": 2, "nodata": 1},
    "custom-layouts/made-v8-reject-reason.log": OK2,
    "custom-layouts/made-v9-regional-nat.log": OK2,
    "custom-layouts/otel-v6-tgw-custom-order.log": OK1,
    "custom-layouts/otel-v7-ecs.log": OK1,
    "json-lines/made-records.ndjson": {"ok": 9, "nodata": 1, "skipdata": 1},
    "ocsf/aws-samples-example0.parquet": OK1,
    "ocsf/aws-samples-example3-nodata.parquet": {"nodata": 1},
    "ocsf/made-v1-example0-and-3.ndjson": {"ok": 1, "nodata": 1},
    "ocsf/made-v2-datetime-profile.ndjson": {"ok": 1, "nodata": 1},
    "parquet/aws-samples-input0.parquet": OK1,
    "parquet/aws-samples-input3-nodata.parquet": {"nodata": 1},
    "parquet/flowlogs-reader-flows.parquet": {"ok": 1, "nodata": 2},
    "parquet/made-aws-types-gzip.parquet": {"ok": 26},
    "seed-records.log": {"ok": 3},
    "v2-s3-header/111111111111_vpcflowlogs_eu-west-2_fl-0dcbf7c4c2483c6b6_20220221T1955Z_7fe2e5f7.log": {"ok": 5},
    "v2-s3-header/111111111111_vpcflowlogs_eu-west-2_fl-0dcbf7c4c2483c6b6_20220221T2025Z_55a7d2af.log": {"ok": 5},
    "v2-s3-header/216782312663_vpcflowlogs_us-east-1_fl-01b07217476488e53_20210902T2145Z_c2ed8707.log.gz": {"ok": 26},
    "v2-s3-header/cribl-two-interfaces.log": {"ok": 26},
    "v2-s3-header/otel-multi.log": OK2,
    "v2-s3-header/sekoia-blank-and-comment-lines.log": {"ok": 4},
    "v2-text/aws-docs-default.log": {"ok": 5, "nodata": 1, "skipdata": 1},
    "v2-text/aws-vpc-flow-log-appender.log": {"ok": 3},
    "v2-text/flowlogs-reader.log": {"ok": 3, "nodata": 1, "skipdata": 1},
    "v2-text/go-vpcflow.log": {"ok": 8, "nodata": 1, "invalid": 4},  # four last twelve years
    "v2-text/ktranslate.log": {"ok": 6},
    "v2-text/opensearch-catalog.log": OK1,
    "v2-text/panther-analysis.log": {"ok": 6},
    "v2-text/security-content.log": OK1,
    "v2-text/vpcflowreporter.log": {"ok": 54, "nodata": 3, "skipdata": 3},
}


@pytest.mark.parametrize("name", SAMPLES)
def test_samples(name, shared_data):
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow, which is not installed")
    enricher = Enricher(settings())
    events = tag_rows(enricher, read_source(str(shared_data / name), settings(), lambda count: None))
    assert Counter(event["flowlag_status"] for event in events) == SAMPLES[name] == enricher.counts


def test_no_sample_is_left_out(shared_data):
    found = {str(path.relative_to(shared_data)) for path in shared_data.rglob("*") if path.is_file()}
    assert {name for name in found if not name.startswith(("licences/", "reports/")) and name != "README.md"} == set(
        SAMPLES
    )
