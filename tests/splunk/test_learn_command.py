# SPDX-License-Identifier: Apache-2.0
"""The packaged flowlaglearn as a process over the real protocol, after flowlagenrich, and the shell's."""

import csv
import io
import json

import pytest

from flowlag.learn.options import parse_learn_settings
from flowlag.learn.rows import LEARN_FIELDS
from tests.support.processes import run_shell
from tests.support.splunkd import Splunkd, run_command, write_body

T = 1_764_500_000
NAMES = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags"
BY = "srcaddr=client,srcport=client_port,dstaddr=server,dstport=port"
LAGS = [7, 9.5, 8, 12, 30]


def flow_line(interface, number, start, flags=2):
    return f"2 123456789012 {interface} 2001:db8::9 2001:db8:1::10 {40000 + number} 22 6 6 400 {start} {start + 20} ACCEPT OK {flags}"


#: Five connections: the server's interface stamps them late, that of the client at once; one anchor has no record.
LINES = [
    *(flow_line("eni-server", i, int(T + 100 * i + lag)) for i, lag in enumerate(LAGS)),
    *(flow_line("eni-client", i, T + 100 * i) for i in range(5)),
    flow_line("eni-server", 0, T, flags=18),
    f"2 123456789012 eni-server - - - - - - - {T} {T + 59} - NODATA -",
]
ANCHORS = [
    {"_time": str(T + 100 * i + lag % 1), "client": "2001:db8::9",
     "client_port": str(40000 + i), "server": "2001:db8:1::10", "port": "22"}
    for i, lag in enumerate([*LAGS, 0])
]  # fmt: skip
WARNING = "events that took no part: 3 (anchors without a record that can hold them: 1, flowlag_status=nodata: 1, flows that open no connection: 1)."


def events():
    return [{"_raw": line, "_time": str(T), **dict(zip(NAMES.split(), line.split()))} for line in LINES] + [
        {**anchor, "_raw": "a connection"} for anchor in ANCHORS
    ]


@pytest.fixture(scope="session")
def learn_script(app):
    return app / "bin" / "flowlaglearn.py"


@pytest.fixture
def tagged(script, python):
    _, (reply,) = run_command(script, python, [], [write_body(events())])
    return reply.body


ARGUMENTS = [f"by={BY}", "flags=tcp-flags"]


def test_after_flowlagenrich(learn_script, tagged, python):
    info, (reply,) = run_command(learn_script, python, ARGUMENTS, [tagged])
    settings = parse_learn_settings([("by", BY), ("flags", "tcp-flags")])
    assert info.metadata == {"type": "reporting", "required_fields": settings.input_fields}
    client, server = reply.rows
    assert list(server) == list(LEARN_FIELDS)
    assert [server[name] for name in ("interface_id", "anchors", "lag_p50", "lag_95", "state")] == [
        "eni-server", "5", "8.5", "", "few",
    ]  # fmt: skip
    assert [server[name] for name in ("learned_from", "learned_to", "misses")] == [str(T), str(T + 400), "0"]
    assert [client[name] for name in ("interface_id", "anchors", "lag_p50")] == ["eni-client", "5", "0"]
    assert reply.messages == [("WARN", f"flowlaglearn: {WARNING}")]


def test_one_reply_at_the_end_whatever_the_cuts_and_the_order(learn_script, tagged, python):
    _, (whole,) = run_command(learn_script, python, ARGUMENTS, [tagged])
    head, *lines = tagged.splitlines(keepends=True)
    cut = [*(head + line for line in reversed(lines)), head, b""]
    _, replies = run_command(learn_script, python, ARGUMENTS, cut)
    assert {reply.body for reply in replies[:-1]} == {b""} and replies[-1].body == whole.body
    assert [reply.messages for reply in replies] == [[]] * (len(replies) - 1) + [whole.messages]


def test_options(learn_script, script, python):
    """Another prefix, a marker, a field for the time, and no flags."""
    marked = [
        {**event, "kind": "open", "when": event["_time"], "n": "1"} if "client" in event else {**event, "packets": "1"}
        for event in events()
    ]
    _, (tagged,) = run_command(script, python, ["prefix=x_"], [write_body(marked)])
    arguments = [
        f"by={BY}", "flags=none", "prefix=x_", "anchors=kind=open", "anchor_time=when", "anchor_packets=n", "tolerance=0",
        "lag=10s",
    ]  # fmt: skip
    _, (reply,) = run_command(learn_script, python, arguments, [tagged.body])
    assert [row["anchors"] for row in reply.rows] == ["5", "5"]


def test_without_flowlagenrich_it_says_what_to_do(learn_script, python):
    _, (reply,) = run_command(learn_script, python, ARGUMENTS, [write_body(events())])
    ((level, sentence),) = reply.messages
    assert (reply.body, level) == (b"", "WARN") and "put flowlagenrich before flowlaglearn" in sentence


def test_splunkd_may_start_the_command_and_go(learn_script, python):
    with Splunkd(learn_script, python) as splunkd:
        splunkd.getinfo("by=a")
        assert splunkd.close() == 0
    assert splunkd.stderr == b""


def test_no_event(learn_script, python):
    _, replies = run_command(learn_script, python, ARGUMENTS, [write_body([], ["_raw"]), b""])
    assert [(reply.body, reply.messages) for reply in replies] == [(b"", [])] * 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["option by is missing", "give flowlaglearn"]),
        (["by=a,,b"], ["by", '"a,,b"', "field names with commas"]),
        (["by=a", "tolerance=x"], ["tolerance", '"x"', "0 or more seconds"]),
        (["by=a", "relation=before"], ["relation", "there is no option", "anchor_packets, tolerance, lag, "]),
        (["by=a", "anchors=x"], ["anchors", '"x"', "field=value"]),
        (["nonsense"], ["nonsense", "name=value"]),
    ],
    ids=str,
)
def test_a_wrong_option_ends_the_search_in_getinfo(learn_script, python, arguments, words):
    with Splunkd(learn_script, python) as splunkd:
        reply = splunkd.getinfo(*arguments)
        assert splunkd.close() == 1
    ((level, sentence),) = reply.messages
    assert level == "ERROR" and sentence.startswith("flowlaglearn: ") and sentence.endswith(".")
    assert all(word in sentence for word in words) and b"Traceback" not in splunkd.stderr


def test_names_of_interfaces_come_back_as_they_are(learn_script, python):
    names = ["a,b", 'q"', "é", "a\nb", "x" * 100_000, "$"]
    base = {
        "flowlag_status": "ok",
        "flowlag_start": "9",
        "flowlag_earliest": "0",
        "flowlag_latest": "99",
        "tcp_flags": "2",
    }
    rows = [{**base, "key": str(i), "interface_id": name} for i, name in enumerate(names)]
    rows += [{"_time": str(T), "key": str(i)} for i in range(len(names))]
    for row in rows[: len(names)]:
        row.update(flowlag_start=str(T + 9), flowlag_earliest=str(T - 51), flowlag_latest=str(T + 20))
    _, (reply,) = run_command(learn_script, python, ["by=key"], [write_body(rows)])
    found = [row["interface_id"] for row in csv.DictReader(io.StringIO(reply.body.decode(), newline=""))]
    assert found == sorted(names)


# --- the shell ---


@pytest.fixture
def files(tmp_path):
    (tmp_path / "flow.log").write_text("\n".join([NAMES, *LINES, ""]))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(ANCHORS[0]))
    writer.writeheader()
    writer.writerows(ANCHORS)
    (tmp_path / "anchors.csv").write_text(out.getvalue())
    return ["--flows", str(tmp_path / "flow.log"), "--anchors", str(tmp_path / "anchors.csv")]


def test_the_shell_gives_what_the_command_gives(learn_script, tagged, python, files):
    _, (reply,) = run_command(learn_script, python, ARGUMENTS, [tagged])
    code, out, err = run_shell("learn", *files, "--by", BY, "--output", "csv")
    assert (code, out.decode()) == (0, reply.body.decode())
    assert WARNING in err
    code, out, _ = run_shell("learn", *files, "--by", BY, "--output", "json")
    assert (code, [json.loads(line) for line in out.splitlines()]) == (0, reply.rows)


def test_the_table(files):
    code, out, _ = run_shell("learn", *files, "--by", BY, "--tolerance", "0")
    heading, client, server = out.decode().splitlines()
    assert (code, heading.split()[:4]) == (0, ["interface", "anchors", "lag", "p50"])
    assert (client.split()[:3], server.split()[:3]) == (["eni-client", "5", "0"], ["eni-server", "5", "8.5"])


def test_strict(files, tmp_path):
    assert run_shell("learn", *files, "--by", BY, "--strict")[0] == 0
    (tmp_path / "anchors.csv").write_text("_time,client\nx,a\n")
    code, _, err = run_shell("learn", *files, "--by", "srcaddr=client", "--strict")
    assert code == 1 and "anchors without a readable time: 1" in err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ([], 2, "the following arguments are required: --anchors"),
        (["--flows", "f", "--anchors", "a"], 2, "option --by is missing; give flowlag learn"),
        (["--flows", "f", "--anchors", "a", "--by", "k", "--lag", "x"], 2, 'option --lag: "x" is not allowed'),
        (
            ["--flows", "f", "--anchors", "a", "--by", "k", "--relation", "before"],
            2,
            "unrecognized arguments: --relation",
        ),
        (["--flows", "missing", "--anchors", "a", "--by", "k"], 3, "missing: there is no such file"),
    ],
)
def test_wrong_usage_of_the_shell(arguments, code, sentence, tmp_path):
    exit_code, _, err = run_shell("learn", *arguments, cwd=tmp_path)
    assert exit_code == code and err.startswith(f"flowlag: {sentence}") and "Traceback" not in err


def test_nothing_to_learn(tmp_path):
    (tmp_path / "empty").write_text("\n")
    arguments = ["learn", "--flows", "empty", "--anchors", "empty", "--by", "k"]
    code, out, err = run_shell(*arguments, "--output", "csv", cwd=tmp_path)
    assert (code, out.decode(), err) == (0, ",".join(LEARN_FIELDS) + "\n", "")
    assert run_shell(*arguments, cwd=tmp_path)[:2] == (0, b"")
