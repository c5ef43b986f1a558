# SPDX-License-Identifier: Apache-2.0
"""The packaged search command as a process, over the real protocol: dialogues, options, hostile events; faults are in test_faults.py."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
from pathlib import Path

import pytest

from flowlag.enrich_options import ENRICH_OPTIONS, parse_settings
from flowlag.tags import TAG_FIELDS
from tests.support.splunkd import Splunkd, getinfo_metadata, refusal, run_command, write_body
from tools.places import ROOT

SEED = [line.split() for line in (ROOT / "samples" / "seed.log").read_text().splitlines()]
FIELDS = [
    {"start_time": line[10], "end_time": line[11], "packets": line[8], "log_status": line[13], "_chunked_idx": str(i)}
    for i, line in enumerate(SEED)
]
RAWS = [{"_raw": " ".join(line), "_time": "", "_chunked_idx": str(i)} for i, line in enumerate(SEED)]
EXPECTED = ["1602397746 1602397866 60 full", "1602397386 1602397506 60 full", "1602397646 1602397746 50 "]


def bounds(rows):
    names = ("earliest", "latest", "uncertainty", "window_position")
    return [" ".join(row[f"flowlag_{name}"] for name in names) for row in rows]


@pytest.fixture
def search(script, python):
    """One whole search over the given bodies."""
    return lambda arguments, *bodies, **options: run_command(script, python, arguments, bodies, **options)


@pytest.mark.parametrize("events", [FIELDS, RAWS], ids=["fields", "raw"])
def test_the_seed_records(search, events):
    _, (reply,) = search([], write_body(events))
    assert bounds(reply.rows) == EXPECTED
    assert [row["_chunked_idx"] for row in reply.rows] == ["0", "1", "2"]
    assert [row["_time"] for row in reply.rows] == [line[10] for line in SEED]


def test_the_third_record_with_a_phase(search):
    _, (reply,) = search(["phase=6"], write_body(FIELDS))
    assert [(row["flowlag_window_position"], row["flowlag_window_offset"]) for row in reply.rows] == [
        ("full", "0"),
        ("full", "0"),
        ("tail", "20"),
    ]


def test_getinfo(search):
    """Distributable streaming, and nothing that splunkd would log a warning about."""
    info, _ = search([], write_body(FIELDS))
    assert info.metadata == {"type": "streaming", "required_fields": parse_settings([]).input_fields}
    assert info.body == b""


@pytest.mark.parametrize(
    ("arguments", "asked", "unasked"),
    [
        ([], {"_raw", "_time", "start_time", "log_status"}, {"duration"}),
        (["format=none"], {"_time", "end"}, {"_raw"}),
        ([], {"packets"}, {"src_ip", "srcaddr", "dest_port", "protocol"}),
        (["community=true"], {"_raw", "src_ip", "srcaddr", "dest_ip", "src_port", "dest_port", "protocol"}, {"bytes"}),
        (["start=begin", "duration=duration"], {"begin", "duration", "end_time", "_raw"}, {"start_time", "start"}),
    ],
)
def test_required_fields_are_what_the_options_need(search, arguments, asked, unasked):
    info, _ = search(arguments, write_body(FIELDS))
    fields = set(info.metadata["required_fields"])
    assert asked <= fields and not unasked & fields and not any(name.startswith("flowlag_") for name in fields)


def test_a_recorded_dialogue(script, python):
    """getinfo; selected fields with the indices of splunkd; a header-only chunk mid-stream and at the end; end of input."""
    head = b'"start_time","end_time",packets,"_time","_chunked_idx","__mv_start_time","__mv_end_time","__mv_packets","__mv__time","__mv__chunked_idx"\n'
    with Splunkd(script, python) as splunkd:
        assert splunkd.getinfo().metadata["type"] == "streaming"
        first = splunkd.execute(
            head
            + b'1602397446,1602397505,1,"1602397446.000",0,,,,,\n1602397706,1602397745,"-","1602397706.000",7,,,,,\n'
        )
        empty = splunkd.execute(head)
        last = splunkd.execute(head, finished=True)
        assert splunkd.close() == 0
    assert first.metadata == {"finished": False} and (empty.metadata, empty.body) == ({"finished": False}, b"")
    assert last.body == b"" and "(1 missing)" in last.metadata["inspector"]["messages"][0][1]
    lines = first.body.split(b"\n")
    assert lines[0].startswith(head.rstrip(b"\n") + b',"flowlag_status"')
    assert (
        lines[2] == b'1602397706,1602397745,"-","1602397706.000",7,,,,,,missing,1602397706,1602397745,,,,,,,,,,,'
    )  # no log status, and packets that nobody counted
    assert [row["_chunked_idx"] for row in first.rows] == ["0", "7"]


def test_a_finished_chunk_without_a_body(script, python):
    with Splunkd(script, python) as splunkd:
        splunkd.getinfo()
        assert splunkd.execute(b"", finished=True) == ({"finished": True}, b"")
        assert splunkd.close() == 0


def test_splunkd_may_start_the_command_and_go(script, python):
    """It starts the script several times for one search, for getinfo alone."""
    with Splunkd(script, python) as splunkd:
        splunkd.getinfo("lag=30")
        assert splunkd.close() == 0
    assert splunkd.stderr == b""


def test_cutting_the_stream_changes_nothing(search):
    events = [*FIELDS, *RAWS, {"user": "root"}] * 3
    columns = sorted({name for event in events for name in event})
    _, (whole,) = search(["phase=6"], write_body(events, columns))
    _, parts = search(["phase=6"], *(write_body([event], columns) for event in events))
    assert [row for part in parts for row in part.rows] == whole.rows
    assert {part.body.split(b"\n")[0] for part in parts} == {whole.body.split(b"\n")[0]}


EFFECTS = {
    # argument -> the field that shows it, and its value for the third seed record
    "lag=30": ("flowlag_earliest", "1602397676"),
    "lag=0.5": ("flowlag_uncertainty", "20.25"),
    "interval=41s": ("flowlag_window_position", "full"),
    "phase=6": ("flowlag_window_offset", "20"),
    "windows=assumed": ("flowlag_window_basis", "assumed"),
    "time=estimate": ("_time", "1602397696"),
    "start=end_time": ("flowlag_duration", "0"),
    "end=start_time": ("flowlag_duration", "0"),
    "packets=nothing": ("flowlag_stamps", ""),
    "interface=nothing": ("flowlag_status", "ok"),
    "status=nothing": ("flowlag_status", "ok"),
    "duration=packets": ("flowlag_end", "1602397745"),
    "format=none": ("flowlag_status", "ok"),
    "prefix=t_": ("t_earliest", "1602397646"),
    "confidence=99": ("flowlag_likely_basis", "envelope"),  # nothing was learned
    "community=true": ("flowlag_community_id", ""),  # these records have no addresses
}


@pytest.mark.parametrize("argument", EFFECTS)
def test_every_option_works(search, argument):
    field, value = EFFECTS[argument]
    _, (reply,) = search([argument], write_body(FIELDS))
    assert reply.rows[2][field] == value


def test_every_option_is_tried():
    assert {argument.partition("=")[0] for argument in EFFECTS} == {option.name for option in ENRICH_OPTIONS}


def test_a_format_string(search):
    _, (reply,) = search(["format=${end} ${start} ${packets}"], write_body([{"_raw": "1602397745 1602397706 1"}]))
    assert reply.rows[0]["flowlag_earliest"] == "1602397646"


@pytest.mark.parametrize(
    "arguments",
    [["lag=-5"], ["interval=0"], ["phase=60"], ["windows=x"], ["time=x"], ["start="], ["format=${foo}"], ["prefix=1"], ["lagg=5"],
     ["lag"], ["lag=1", "lag=2"], ["record=true"], ["logging_level=DEBUG"], ["lag={0}"], ["format=${start} {x}"], ["lag=é"],
     ["community=maybe"], ["confidence=90"], ["time=likely"]],
    ids=str,
)  # fmt: skip
def test_a_wrong_option_ends_the_search_in_getinfo(script, python, arguments):
    """One sentence for the user that names the option, the value and what is allowed; no traceback, no second message."""
    with Splunkd(script, python) as splunkd:
        reply = splunkd.getinfo(*arguments)
        assert splunkd.close() == 1
    sentence = refusal(reply, "flowlagenrich")
    name, _, value = arguments[-1].partition("=")
    assert sentence.endswith(".")
    assert name in sentence and value in sentence
    assert "Traceback" not in sentence and ".py" not in sentence and b"Traceback" not in splunkd.stderr


HOSTILE = [
    "", "\x00", "a\x00b", "\ufeff", "\u2028", "\x85", "a\nb", "a\r\nb", "\r", '"', '""', ",", "\udc80\udcff", "\udced\udca0\udc80",
    "$a$;$b$", "=1+1", "{", '{"start":', "[" * 50_000, '{"a":' * 50_000, "version", "9" * 5000, "-", "nan", "x" * 1_000_000,
]  # fmt: skip


def test_hostile_events_come_back_as_they_were(search):
    """NUL bytes, lone surrogates, invalid UTF-8, broken JSON, line breaks of every kind, in every field."""
    names = ["start_time", "end", "packets", "log_status", "interface_id", "_raw", "user"]
    events = [{name: text, "_chunked_idx": str(i)} for i, text in enumerate(HOSTILE) for name in names]
    body = write_body([*events, {**FIELDS[0], "_time": "5"}], [*names, "_chunked_idx", "end_time", "_time"])
    _, (reply,) = search([], body)
    sent, received = body.split(b"\n"), reply.body.split(b"\n")
    assert len(received) == len(sent)
    tags = re.compile(rb"(header|other|invalid|missing|reversed)(,[0-9.]*){2},{11}$|(ok|nodata|skipdata),.*$")
    assert [line for line, back in zip(sent, received) if not back.startswith(line)] == []
    assert sum(1 for line in received[1:] if tags.search(line)) == len(events) + 1


@pytest.mark.slow
def test_a_raw_of_twelve_megabytes(search):
    raw = "a,\n" * 4_000_000
    body = write_body([{"_raw": raw, **FIELDS[0]}, {"_raw": raw}])
    _, (reply,) = search([], body)
    assert [row["flowlag_status"] for row in _light(reply)] == ["ok", "other"]


def _light(reply):
    """Rows without `_raw`, which the csv module would refuse to read."""
    body = reply.body.replace(b"a,\n" * 4_000_000, b"")
    return reply._replace(body=body).rows


def test_one_warning_when_the_search_is_finished(search):
    bad = [
        {"start_time": "x", "end_time": "1602397505"},
        {"start_time": "1602397505"},
        {"start_time": "1602397505", "end_time": "1602397446"},
    ]
    _, replies = search([], write_body([*FIELDS, *bad]), write_body(bad[:1]), write_body(FIELDS))
    assert [reply.messages for reply in replies[:2]] == [[], []]
    ((level, sentence),) = replies[2].messages
    assert level == "WARN" and "4 of 10 events" in sentence and "(2 invalid, 1 missing, 1 reversed)" in sentence
    assert replies[2].metadata["finished"] is True


def test_foreign_events_pass_in_silence_unless_there_was_nothing_else(search):
    foreign = {"_raw": "Accepted publickey for root", "user": "root"}
    _, (mixed,) = search([], write_body([*FIELDS, foreign]))
    _, (alone,) = search([], write_body([foreign]))
    assert mixed.messages == [] and [level for level, _ in alone.messages] == ["WARN"]
    assert "no flow log event was recognised" in alone.messages[0][1] and "format=" in alone.messages[0][1]


@pytest.mark.parametrize(
    "variables", [{"PYTHONUNBUFFERED": "1"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "ascii"}], ids=str
)
def test_the_environment_does_not_matter(search, variables):
    """With PYTHONUNBUFFERED, stdout is raw and takes a pipe's buffer at a time."""
    _, (reply,) = search([], write_body([{**FIELDS[0], "user": "é" * 3000}] * 500), env={**os.environ, **variables})
    assert [row["user"] for row in reply.rows] == ["é" * 3000] * 500


def snapshot(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if "__pycache__" not in path.parts)


def test_nothing_is_written(script, python, app, tmp_path):
    """No recordings, no logs, no dispatch files: getinfo and execute leave every folder as it was."""
    before = snapshot(app)
    home = tmp_path / "splunk"
    dispatch = home / "dispatch"
    dispatch.mkdir(parents=True)
    metadata = getinfo_metadata([])
    metadata["searchinfo"]["dispatch_dir"] = str(dispatch)
    with Splunkd(script, python, cwd=home, env={**os.environ, "SPLUNK_HOME": str(home)}) as splunkd:
        splunkd.request(json.dumps(metadata).encode())
        splunkd.execute(write_body(FIELDS), finished=True)
        splunkd.close()
    assert snapshot(app) == before and snapshot(home) == ["dispatch"]


def replicate(app, bundle):
    """What reaches an indexer: Splunk's default bundle, and what default/distsearch.conf allows beside it."""
    conf = (app / "default" / "distsearch.conf").read_text()
    patterns = re.findall(r"^\s*\w+\s*=\s*(\S+)\s*$", conf.partition("[replicationAllowlist]")[2], re.MULTILINE)
    allowed = [
        re.compile(re.escape(p).replace(re.escape("..."), ".*").replace(re.escape("*"), "[^/]*")) for p in patterns
    ]
    types = r"(app|commands|props|transforms|macros|eventtypes|tags|collections|fields|distsearch)\.conf"
    default = re.compile(rf"apps/flowlag/(bin/.*|lookups/.*|metadata/.*|(default|local)/{types})")
    for path in sorted(app.rglob("*")):
        name = f"apps/flowlag/{path.relative_to(app).as_posix()}"
        if path.is_file() and "__pycache__" not in name and any(p.fullmatch(name) for p in (default, *allowed)):
            target = bundle / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return bundle / "apps" / "flowlag"


def test_an_indexers_bundle(app, python, tmp_path):
    """On a peer there are only bin/, lib/ and some conf files, read-only, under another path, from another folder."""
    peer = replicate(app, tmp_path / "var" / "run" / "searchpeers" / "sh1-1700000000")
    assert not (peer / "README.md").exists() and not (peer / "static").exists()
    for path in [*peer.rglob("*"), peer]:
        path.chmod(stat.S_IRUSR | (stat.S_IXUSR if path.is_dir() else 0))
    before = snapshot(peer)
    elsewhere = tmp_path / "cwd"
    elsewhere.mkdir()
    metadata = getinfo_metadata(["phase=6"])
    metadata["searchinfo"]["sid"] = "remote_sh1_1700000000.12"
    try:
        with Splunkd(
            peer / "bin" / "flowlagenrich.py", python, cwd=elsewhere, env={"PATH": os.environ["PATH"]}
        ) as splunkd:
            assert splunkd.request(json.dumps(metadata).encode()).metadata["type"] == "streaming"
            reply = splunkd.execute(write_body(RAWS), finished=True)
            assert splunkd.close() == 0
    finally:
        for path in [peer, *peer.rglob("*")]:
            path.chmod(0o700)
    assert [row["flowlag_window_position"] for row in reply.rows] == ["full", "full", "tail"]
    assert snapshot(peer) == before and snapshot(elsewhere) == []


def test_without_the_allow_list_the_command_could_not_start(app, python, tmp_path):
    """The simulation is sharp: lib/ reaches an indexer through distsearch.conf alone."""
    copy = tmp_path / "app"
    shutil.copytree(app, copy)
    (copy / "default" / "distsearch.conf").write_text("")
    peer = replicate(copy, tmp_path / "bundle")
    with (
        Splunkd(peer / "bin" / "flowlagenrich.py", python, cwd=tmp_path) as splunkd,
        pytest.raises(EOFError, match="ModuleNotFoundError"),
    ):
        splunkd.getinfo()


def test_the_vendored_packages_are_used(app, python):
    """Not what happens to be installed in the interpreter, and not a module of bin/ that has the command's name."""
    import subprocess

    code = (
        "import runpy, sys, json; sys.argv = [sys.argv[1]]; runpy.run_path(sys.argv[0], run_name='x');"
        "import flowlag, splunklib, dateutil; print(json.dumps([m.__file__ for m in (flowlag, splunklib, dateutil)]))"
    )
    out = subprocess.run(
        [python, "-c", code, str(app / "bin" / "flowlagenrich.py")],
        cwd=app / "bin",
        capture_output=True,
        check=True,
        text=True,
    )
    assert all(Path(name).is_relative_to(app / "lib") for name in json.loads(out.stdout))


ENDS = {
    "src_ip": "198.51.100.7",
    "dest_ip": "10.255.1.22",
    "src_port": "52233",
    "dest_port": "22",
    "protocol_code": "6",
}
HOSTILE_ENDS = [
    {"src_ip": "999.1.1.1"}, {"dest_port": "70000"}, {"src_ip": "2001:db8::1"}, {"src_ip": "fe80::1%eth0"}, {"dest_ip": "-"},
    {"src_ip": ["198.51.100.7", "10.0.0.1"]}, {"protocol_code": "1"}, {"protocol_code": "\xff"}, {"src_ip": "9" * 100_000},
]  # fmt: skip


@pytest.mark.parametrize("events", [[{**event, **ENDS} for event in FIELDS], RAWS], ids=["fields", "raw"])
def test_community_ids(search, events):
    _, (reply,) = search(["community=t", "prefix=x_"], write_body(events))
    assert [row["x_community_id"] for row in reply.rows] == ["1:nNepjjcauVbiEDXmyXKmsLU1ooQ="] * 3
    assert list(reply.rows[0])[-2:] == ["x_stamps", "x_community_id"]


def test_hostile_flows_have_no_id(search):
    _, (reply,) = search(["community=1"], write_body([{**FIELDS[0], **ENDS, **changes} for changes in HOSTILE_ENDS]))
    assert [(row["flowlag_status"], row["flowlag_community_id"]) for row in reply.rows] == [("ok", "")] * len(
        HOSTILE_ENDS
    )


def test_flows_of_a_firewall_have_the_ids_that_the_docs_promise(search):
    """As docs/enrich.md renames them: the times by name, the protocol in capitals."""
    event = {"netflow.start": "2020-10-11T06:28:26.007515+0000", "netflow.end": "2020-10-11T06:28:27.5+0000", **ENDS}
    event["transport"] = "TCP"
    del event["protocol_code"]
    arguments = "community=true start=netflow.start end=netflow.end lag=0 prefix=firewall_".split()
    _, (reply,) = search(arguments, write_body([event]))
    (row,) = reply.rows
    assert row["firewall_community_id"] == "1:nNepjjcauVbiEDXmyXKmsLU1ooQ="
    assert (row["firewall_start"], row["firewall_end"]) == ("1602397706.007515", "1602397707.5")


def test_fields_that_the_docs_name(search):
    _, (reply,) = search([], write_body(FIELDS))
    assert list(reply.rows[0])[-14:] == [f"flowlag_{name}" for name in TAG_FIELDS]


@pytest.mark.slow
def test_many_events_in_one_chunk(search):
    """As large as splunkd sends them, on either interpreter."""
    events = [{**FIELDS[i % 3], "user": f"u{i}", "_chunked_idx": str(i)} for i in range(50_000)]
    _, (reply,) = search([], write_body(events))
    rows = reply.rows
    assert len(rows) == 50_000 and rows[-1]["_chunked_idx"] == "49999" and sys.version_info[:2] >= (3, 9)
    assert {row["flowlag_status"] for row in rows} == {"ok"}
