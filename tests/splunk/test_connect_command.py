# SPDX-License-Identifier: Apache-2.0
"""The packaged flowlagconnect as a process over the real protocol, after flowlagenrich, and the shell's."""

import csv
import io
import json

import pytest

from flowlag.connect.options import parse_connect_settings
from flowlag.connect.rows import CONNECT_FIELDS
from tests.support.processes import run_shell
from tests.support.splunkd import Splunkd, refusal, run_command, write_body

T = 1_764_500_000
NAMES = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags"
OUT, BACK = "2001:DB8::9 2001:db8:1::10 52233 22 6", "2001:db8:1:0::10 2001:db8::9 22 52233 6"
#: A connection inside, which two interfaces saw in both directions, and one from outside without its opening record.
LINES = [
    f"2 123456789012 eni-client {OUT} 6 400 {T} {T + 30} ACCEPT OK 2",
    f"2 123456789012 eni-client {BACK} 5 900 {T + 1} {T + 55} ACCEPT OK 18",
    f"2 123456789012 eni-server {OUT} 6 400 {T + 4} {T + 59} ACCEPT OK 3",
    f"2 123456789012 eni-server {BACK} 5 900 {T + 2} {T + 58} ACCEPT OK 19",
    f"2 123456789012 eni-server 198.51.100.7 10.0.0.22 40001 22 6 1 40 {T} {T + 9} REJECT OK 4",
    f"2 123456789012 eni-server - - - - - - - {T} {T + 59} - NODATA -",
]
INSIDE = {
    "src": "2001:db8::9", "src_port": "52233", "dest": "2001:db8:1::10", "dest_port": "22", "protocol": "6",
    "direction_basis": "syn", "start_earliest": str(T - 56), "start_latest": str(T + 32), "start_basis": "syn",
    "end_earliest": str(T - 56), "end_latest": str(T + 60), "end_basis": "fin", "home": "eni-server",
    "interfaces": "eni-client\neni-server", "records": "4", "duplicates": "0", "packets_out": "6", "bytes_out": "400",
    "packets_in": "5", "bytes_in": "900", "tcp_flags": "19", "action": "ACCEPT", "first_start": str(T),
    "last_end": str(T + 59), "community_id": "1:WuDeo0dercsNoCRJ/RFe4sBVCv8=",
}  # fmt: skip


def events():
    return [{"_raw": line, "_time": str(T), **dict(zip(NAMES.split(), line.split()))} for line in LINES]


@pytest.fixture(scope="session")
def connect_script(app):
    return app / "bin" / "flowlagconnect.py"


@pytest.fixture
def tagged(script, python):
    _, (reply,) = run_command(script, python, [], [write_body(events())])
    return reply.body


def test_after_flowlagenrich(connect_script, tagged, python):
    info, (reply,) = run_command(connect_script, python, [], [tagged])
    assert info.metadata == {"type": "reporting", "required_fields": parse_connect_settings([]).input_fields}
    outside, inside = reply.rows
    assert inside == INSIDE and list(inside) == list(CONNECT_FIELDS)
    assert (outside["src"], outside["direction_basis"], outside["start_basis"]) == ("198.51.100.7", "port", "none")
    assert (outside["end_basis"], outside["action"], outside["packets_in"]) == ("fin", "REJECT", "0")
    assert reply.messages == [("WARN", "flowlagconnect: events that took no part: 1 (flowlag_status=nodata: 1).")]
    assert b"$eni-client$;$eni-server$" in reply.body


def test_one_reply_at_the_end_whatever_the_cuts_and_the_order(connect_script, script, tagged, python):
    _, (whole,) = run_command(connect_script, python, [], [tagged])
    head, *lines = tagged.splitlines(keepends=True)
    cut = [*(head + line for line in reversed(lines)), head, b""]
    _, replies = run_command(connect_script, python, [], cut)
    assert {reply.body for reply in replies[:-1]} == {b""} and replies[-1].body == whole.body
    assert [reply.messages for reply in replies] == [[]] * (len(replies) - 1) + [whole.messages]


def test_options(connect_script, script, python):
    _, (tagged,) = run_command(script, python, ["prefix=x_", "lag=30"], [write_body(events())])
    arguments = ["prefix=x_", "lag=30s", "rtt=0", "gap=1m", "src=srcaddr", "flags=tcp-flags", "interface=account-id"]
    _, (reply,) = run_command(connect_script, python, arguments, [tagged.body])
    row = reply.rows[1]
    assert (row["home"], row["start_basis"], row["start_earliest"]) == ("123456789012", "doubt", str(T - 30))


def test_without_flowlagenrich_it_says_what_to_do(connect_script, python):
    _, (reply,) = run_command(connect_script, python, [], [write_body(events())])
    ((level, sentence),) = reply.messages
    assert (reply.body, level) == (b"", "WARN") and "put flowlagenrich before flowlagconnect" in sentence


def test_splunkd_may_start_the_command_and_go(connect_script, python):
    with Splunkd(connect_script, python) as splunkd:
        splunkd.getinfo("gap=30")
        assert splunkd.close() == 0
    assert splunkd.stderr == b""


def test_no_event(connect_script, python):
    _, replies = run_command(connect_script, python, [], [write_body([], ["_raw"]), b""])
    assert [(reply.body, reply.messages) for reply in replies] == [(b"", [])] * 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["gap=-1"], ["gap", '"-1"', "0 to 999999999 seconds"]),
        (["lag=2h"], ["lag", '"2h"', "0 to 3600"]),
        (["interval=60"], ["interval", "there is no option", "gap, rtt, lag, prefix"]),
        (["nonsense"], ["nonsense", "name=value"]),
    ],
    ids=str,
)
def test_a_wrong_option_ends_the_search_in_getinfo(connect_script, python, arguments, words):
    with Splunkd(connect_script, python) as splunkd:
        reply = splunkd.getinfo(*arguments)
        assert splunkd.close() == 1
    sentence = refusal(reply, "flowlagconnect")
    assert sentence.endswith(".")
    assert all(word in sentence for word in words) and b"Traceback" not in splunkd.stderr


def test_hostile_events_stop_nothing(connect_script, python):
    hostile = ["\x00", "\udcff", '"', "a\nb", "\r", "$", "x" * 100_000, "\u2028", "9" * 400, "a,b", "é"]
    good = {
        "flowlag_status": "ok",
        "flowlag_start": str(T),
        "flowlag_end": str(T),
        "src_ip": "a",
        "dest_ip": "b",
        "protocol": "1",
    }
    rows = [
        {**good, name: text} for text in hostile for name in ("src_ip", "interface_id", "action", "tcp_flags", "bytes")
    ]
    rows += [
        {**good, name: text}
        for text in hostile
        for name in ("flowlag_start", "flowlag_end", "protocol", "flowlag_status")
    ]
    _, (reply,) = run_command(connect_script, python, [], [write_body(rows)])
    found = list(csv.DictReader(io.StringIO(reply.body.replace(b"\0", b"NUL").decode(), newline="")))
    assert sum(int(row["records"]) + int(row["duplicates"]) for row in found) == 5 * len(hostile)
    assert {"a,b", "a\nb", "é", '"', "NUL", "\ufffd"} <= {text for row in found for text in (row["src"], row["dest"])}


# --- the shell ---


@pytest.fixture
def flow_log(tmp_path):
    (tmp_path / "flow.log").write_text("\n".join([NAMES, *LINES, "not a flow log", ""]))
    return str(tmp_path / "flow.log")


def test_the_shell_gives_what_the_command_gives(connect_script, tagged, python, flow_log):
    _, (reply,) = run_command(connect_script, python, [], [tagged])
    code, out, err = run_shell("connect", flow_log, "--output", "csv")
    found = list(csv.DictReader(io.StringIO(out.decode(), newline="")))
    assert (code, found, list(found[0])) == (0, reply.rows, list(CONNECT_FIELDS))
    assert "events that took no part: 2 (flowlag_status=nodata: 1, flowlag_status=other: 1)" in err
    code, out, _ = run_shell("connect", flow_log, "--output", "json")
    assert (code, [json.loads(line) for line in out.splitlines()]) == (0, reply.rows)


def test_the_table(flow_log):
    code, out, _ = run_shell("connect", "--epoch", "--gap", "60", "--src-port", "srcport", flow_log)
    heading, _, inside = out.decode().splitlines()
    assert (code, heading.split()[:5]) == (0, ["src", "port", "dst", "port", "proto"])
    assert inside.split()[:9] == [
        "2001:db8::9",
        "52233",
        "2001:db8:1::10",
        "22",
        "6",
        "syn",
        str(T - 56),
        str(T + 32),
        "syn",
    ]


def test_strict(flow_log, tmp_path):
    assert run_shell("connect", flow_log)[0] == 0
    assert run_shell("connect", "--strict", flow_log)[0] == 1
    (tmp_path / "flow.log").write_text("\n".join([NAMES, *LINES, ""]))
    assert run_shell("connect", "--strict", flow_log)[0] == 0
    (tmp_path / "flow.log").write_text("\n".join([NAMES, LINES[0].replace(" 22 6 ", " - 6 "), ""]))
    code, _, err = run_shell("connect", "--strict", flow_log)
    assert code == 1 and "records without a readable port: 1" in err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["f", "--gap", "x"], 2, 'option --gap: "x" is not allowed'),
        (["f", "--lag=1", "--lag=2"], 2, "option --lag is given twice"),
        (["f", "--phase", "6"], 2, "unrecognized arguments: --phase"),
        (["missing"], 3, "missing: there is no such file"),
    ],
)
def test_wrong_usage_of_the_shell(arguments, code, sentence, tmp_path):
    exit_code, _, err = run_shell("connect", *arguments, cwd=tmp_path)
    assert exit_code == code and err.startswith(f"flowlag: {sentence}") and "Traceback" not in err


def test_nothing_to_connect():
    code, out, err = run_shell("connect", "--output", "csv", "-", data=b"\n")
    assert (code, out.decode(), err) == (0, ",".join(CONNECT_FIELDS) + "\n", "")
    assert run_shell("connect", "-", data=b"\n")[:2] == (0, b"")
