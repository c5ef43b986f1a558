# SPDX-License-Identifier: Apache-2.0
"""Envelopes, codes, folders and pipes: the shapes in which records reach a file."""

import base64
import gzip
import io
import json
import os
import sys

import pytest

from flowlag.cli.main import main

LINE = "2 123456789012 eni-0a1b2c3d 2001:db8::7 2001:db8:1::5 52233 22 6 85 9000 1760469769 1760469799 ACCEPT OK"
NODATA = "2 123456789012 eni-0a1b2c3d - - - - - - - 1760469800 1760469829 - NODATA"
LOGIN = {"eventTime": "2025-10-14T19:22:50Z", "sourceIPAddress": "2001:db8::7", "eventName": "ConsoleLogin"}


def pack(text, layers=0):
    content = text.encode()
    for _ in range(layers):
        content = gzip.compress(content)
    return base64.b64encode(content).decode()


def message(line):
    return json.dumps({"message": line})


def subscription(*lines):
    return json.dumps({"messageType": "DATA_MESSAGE", "logEvents": [{"message": line} for line in lines]})


def enrich(capsys, *paths):
    code = main(["enrich", *map(str, paths), "--output", "json"])
    out, err = capsys.readouterr()
    return code, [json.loads(line) for line in out.splitlines()], err


ENVELOPES = {
    "Splunk's export": "\n".join(
        json.dumps({"preview": False, "offset": i, "result": {"_raw": line, "host": "a"}}) for i, line in enumerate((LINE, NODATA))
    ) + '\n{"preview":false,"lastrow":true}',
    "Splunk's results": json.dumps({"preview": False, "results": [{"_raw": LINE}, {"_raw": NODATA}]}),
    "Firehose to an HTTP endpoint": json.dumps({"requestId": "r", "timestamp": 1, "records": [{"data": pack(message(line))} for line in (LINE, NODATA)]}),
    "Firehose, two documents in a record": json.dumps({"records": [{"data": pack(message(LINE) + message(NODATA))}]}),
    "Firehose, lines": json.dumps({"records": [{"data": pack(LINE + "\n" + NODATA)}]}),
    "Firehose, gzip of a subscription": json.dumps({"records": [{"data": pack(subscription(LINE, NODATA), 2)}]}),
    "Kinesis to Lambda": json.dumps({"Records": [{"kinesis": {"data": pack(subscription(LINE, NODATA), 1)}}]}),
    "a subscription to Lambda": json.dumps({"awslogs": {"data": pack(subscription(LINE, NODATA), 1)}}, indent=1),
    "Logs Insights": json.dumps({"status": "Complete", "statistics": {}, "results": [[{"field": "@message", "value": line}] for line in (LINE, NODATA)]}),
    "Athena": json.dumps({"ResultSet": {"Rows": [
        {"Data": [{"VarCharValue": name} for name in ("start", "end", "log_status", "packets")]},
        {"Data": [{"VarCharValue": "1760469769"}, {"VarCharValue": "1760469799"}, {"VarCharValue": "OK"}, {}]},
        {"Data": [{"VarCharValue": "1760469800"}, {"VarCharValue": "1760469829"}, {"VarCharValue": "NODATA"}, {}]},
    ]}}),
}  # fmt: skip


@pytest.mark.parametrize("name", ENVELOPES)
def test_envelopes(tmp_path, capsys, name):
    (tmp_path / "in").write_text(ENVELOPES[name])
    code, rows, err = enrich(capsys, tmp_path / "in")
    assert (code, [row["flowlag_status"] for row in rows], err) == (0, ["ok", "nodata"], "")


@pytest.mark.parametrize(
    "document",
    [
        {"records": [{"data": "no base64!"}]},
        {"awslogs": {"data": base64.b64encode(gzip.compress(b"x" * 100)[:-9]).decode()}},
        {"awslogs": {"data": pack(json.dumps({"awslogs": {"data": pack(LINE)}}))}},
        {"results": "none"},
        {"result": 5, "other": 1},
    ],
)
def test_what_cannot_be_opened_is_one_record(tmp_path, capsys, document):
    (tmp_path / "in").write_text(json.dumps(document))
    code, rows, _ = enrich(capsys, tmp_path / "in")
    assert (code, [row["flowlag_status"] for row in rows]) == (0, ["other"])


def test_fields_of_an_export_stay_and_those_of_its_raw_are_added(tmp_path, capsys):
    (tmp_path / "in").write_text(json.dumps({"result": {"_raw": LINE, "action": "allowed", "host": "a"}}))
    _, (row,), _ = enrich(capsys, tmp_path / "in")
    assert (row["action"], row["host"], row["dstport"], row["flowlag_start"]) == ("allowed", "a", "22", "1760469769")


@pytest.mark.parametrize(
    "anchors",
    [
        json.dumps({"Records": [LOGIN, {**LOGIN, "sourceIPAddress": "2001:db8::9"}]}),
        json.dumps({"results": [[{"field": name, "value": text} for name, text in LOGIN.items()]]}),
    ],
)
def test_anchors_in_envelopes(tmp_path, capsys, anchors):
    (tmp_path / "flows").write_text(LINE)
    (tmp_path / "trail.json").write_text(anchors)
    args = ["--anchor-time", "eventTime", "--by", "srcaddr=sourceIPAddress", "--unmatched", "false", "--output", "json"]
    assert main(["match", "--flows", str(tmp_path / "flows"), "--anchors", str(tmp_path / "trail.json"), *args]) == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["eventName"], row["match_count"]) == ("ConsoleLogin", "1")


@pytest.mark.parametrize("code", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text", [LINE + "\r\n" + NODATA, f"message\r\n{LINE}\r\n{NODATA}", message(LINE) + message(NODATA)]
)
def test_utf16(tmp_path, capsys, code, text):
    mark = "" if code == "utf-16" else "\ufeff"
    (tmp_path / "in").write_bytes((mark + text).encode(code))
    _, rows, _ = enrich(capsys, tmp_path / "in")
    assert [row["flowlag_status"] for row in rows] == ["ok", "nodata"] and rows[0]["_raw"] == LINE


def test_zstd(tmp_path, capsys):
    zstandard = pytest.importorskip("zstandard", reason="zstd is read with zstandard, which is not installed")
    pack_zstd = zstandard.ZstdCompressor().compress
    (tmp_path / "in").write_bytes(pack_zstd(f"{LINE}\n".encode()) + pack_zstd(NODATA.encode()))
    assert [row["flowlag_status"] for row in enrich(capsys, tmp_path / "in")[1]] == ["ok", "nodata"]
    (tmp_path / "in").write_bytes(pack_zstd(f"{LINE}\n".encode() * 5000)[:-20])
    code, _, err = enrich(capsys, tmp_path / "in")
    assert code == 3 and "end too early" in err
    (tmp_path / "in").write_bytes(b"\x28\xb5\x2f\xfd" + b"no zstd" * 9)
    code, _, err = enrich(capsys, tmp_path / "in")
    assert code == 3 and "zstd" in err
    (tmp_path / "in").write_bytes(pack_zstd(b"\n" * (65 << 20)))
    code, _, err = enrich(capsys, tmp_path / "in")
    assert code == 3 and "250 times its size" in err


def test_zstd_without_its_package(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "zstandard", None)
    (tmp_path / "in").write_bytes(b"\x28\xb5\x2f\xfd")
    code, _, err = enrich(capsys, tmp_path / "in")
    assert code == 3 and "pip install zstandard" in err


def test_a_folder_is_walked_and_its_rows_name_their_file(tmp_path, capsys):
    for name, line in (("b/2.log", NODATA), ("b/10.log", LINE), ("a.log", LINE), (".hidden/x", LINE), ("b/.x", LINE)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(line)
    _, rows, _ = enrich(capsys, tmp_path)
    assert [os.path.relpath(row["source"], tmp_path) for row in rows] == ["a.log", "b/10.log", "b/2.log"]
    assert "source" not in enrich(capsys, tmp_path / "a.log")[1][0]
    (tmp_path / "empty").mkdir()
    code, rows, err = enrich(capsys, tmp_path / "empty", tmp_path / "a.log")
    assert code == 3 and len(rows) == 1 and "there is no file in this folder" in err


def test_an_own_source_stays(tmp_path, capsys):
    for name in "ab":
        (tmp_path / name).write_text(json.dumps({"result": {"_raw": LINE, "source": "aws" if name == "a" else ""}}))
    _, rows, _ = enrich(capsys, tmp_path)
    assert [row["source"] for row in rows] == ["aws", str(tmp_path / "b")]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("s3://bucket/key.log.gz", "aws s3 cp s3://bucket/key.log.gz - | flowlag enrich"),
        ("s3://bucket/AWSLogs/", "--recursive"),
    ],
)
def test_s3_answers_with_the_pipe_to_type(capsys, path, says):
    code, rows, err = enrich(capsys, path)
    assert (code, rows) == (3, []) and says in err and err.count("\n") == 1


@pytest.fixture
def pipe(monkeypatch):
    """Standard input as a pipe with some text."""

    opened = []

    def feed(text):
        out, into = os.pipe()
        os.write(into, text.encode())
        os.close(into)
        opened.append(io.TextIOWrapper(open(out, "rb")))  # noqa: SIM115
        monkeypatch.setattr(sys, "stdin", opened[0])

    yield feed
    opened[0].close()


def test_a_pipe_is_read_without_a_dash(capsys, pipe):
    pipe(LINE)
    assert len(enrich(capsys)[1]) == 1


def test_flows_from_a_pipe(tmp_path, capsys, pipe):
    pipe(LINE)
    (tmp_path / "logins").write_text("_time,src\n1760469770,2001:db8::7\n")
    assert main(["match", "--anchors", str(tmp_path / "logins"), "--by", "srcaddr=src", "--output", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["match_count"] == "1"


def test_neither_a_file_nor_a_pipe(capsys, monkeypatch):
    with open(os.devnull) as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        code = main(["enrich"])
    assert code == 2 and "FILE" in capsys.readouterr().err
