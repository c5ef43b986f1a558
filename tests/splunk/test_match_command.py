# SPDX-License-Identifier: Apache-2.0
"""The packaged flowlagmatch as a process over the real protocol, behind the packaged flowlagenrich; and the shell's."""

import csv
import io
import json
from functools import partial

import pytest

from tests.support.processes import run_shell
from tests.support.splunkd import Splunkd, refusal, run_command, write_body
from tools.places import ROOT

SEED = (ROOT / "samples" / "seed.log").read_text().splitlines()
LOGINS = [
    # (time, user): the first can belong to the third seed record only, the second to none
    ("1602397670.25", "root"),
    ("1602399999", "mallory"),
]
BY = "src_ip=src,dest_ip=host_ip"


def flows():
    """The seed records with the fields that the add-on extracts."""
    names = "version account_id interface_id src_ip dest_ip src_port dest_port protocol packets bytes start_time end_time action log_status"
    return [{"_raw": line, "_time": line.split()[10], **dict(zip(names.split(), line.split()))} for line in SEED]


def logins():
    return [{"_time": time, "src": "198.51.100.7", "host_ip": "10.255.1.22", "user": user} for time, user in LOGINS]


@pytest.fixture
def match_script(app):
    return app / "bin" / "flowlagmatch.py"


@pytest.fixture
def enriched(script, python):
    """The mixed stream as it leaves flowlagenrich."""
    _, (reply,) = run_command(script, python, [], [write_body([*flows(), *logins()])])
    return reply.body


def summary(rows):
    return [(row["user"], row["match_certainty"], row["flow__time"], row["match_count"]) for row in rows]


EXPECTED = [("root", "possible", "1602397706", "1"), ("mallory", "none", "", "0")]


def test_behind_flowlagenrich(match_script, python, enriched):
    info, (reply,) = run_command(match_script, python, [f"by={BY}"], [enriched])
    assert info.metadata == {"type": "reporting", "required_fields": ["*"]} and info.body == b""
    assert summary(reply.rows) == EXPECTED
    assert (reply.rows[0]["match_gap_min"], reply.rows[0]["match_gap_max"]) == ("-24.25", "75.75")
    assert reply.metadata == {"finished": True}


def test_pairs_come_with_the_last_chunk_whatever_the_cuts(match_script, python, script):
    chunks = [write_body([event]) for event in (*logins(), *flows())]
    _, tagged = run_command(script, python, [], chunks)
    _, replies = run_command(match_script, python, [f"by={BY}"], [*(reply.body for reply in tagged), b""])
    assert [reply.body for reply in replies[:-1]] == [b""] * 5
    assert summary(replies[-1].rows) == EXPECTED


def test_splunkd_may_start_the_command_and_go(match_script, python):
    with Splunkd(match_script, python) as splunkd:
        splunkd.getinfo("by=a")
        assert splunkd.close() == 0
    assert splunkd.stderr == b""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["option by is missing"]),
        (["by="], ["by", "field names"]),
        (["by=a", "relation=during"], ["relation", '"during"', "overlap, before, after"]),
        (["by=a", "relation=after"], ["within", "relation=after"]),
        (["by=a", "maxmatches=0"], ["maxmatches", '"0"']),
        (["by=a", "phase=map"], ["phase", "there is no option"]),
        (["by=a", "nonsense"], ["nonsense", "name=value"]),
    ],
    ids=str,
)
def test_a_wrong_option_ends_the_search_in_getinfo(match_script, python, arguments, words):
    with Splunkd(match_script, python) as splunkd:
        reply = splunkd.getinfo(*arguments)
        assert splunkd.close() == 1
    sentence = refusal(reply, "flowlagmatch")
    assert sentence.endswith(".")
    assert all(word in sentence for word in words) and b"Traceback" not in splunkd.stderr


def test_one_warning_at_the_end(match_script, python, enriched):
    _, replies = run_command(match_script, python, ["by=no_such_field"], [enriched, b""])
    assert replies[0].messages == []
    ((level, sentence),) = replies[1].messages
    assert level == "WARN" and "no flow has a value in no_such_field: check by" in sentence
    assert "flows without a value for a key of by: 3" in sentence


def test_flows_that_were_never_enriched(match_script, python):
    _, (reply,) = run_command(match_script, python, [f"by={BY}"], [write_body([*flows(), *logins()])])
    assert "put flowlagenrich before flowlagmatch" in reply.messages[0][1]


def test_hostile_events_stop_nothing(match_script, python):
    hostile = ["\x00", "\udcff", '"', "a\nb", "\r", "$", "x" * 200_000, "\u2028", "-", "9" * 400, "nan"]
    rows = [
        {"flowlag_status": "ok", "flowlag_earliest": text, "flowlag_latest": "1602397506", "k": "1", "_time": text}
        for text in hostile
    ]
    rows += [{"_time": text, "k": "1"} for text in hostile] + [{"_time": "1602397450", "k": text} for text in hostile]
    _, (reply,) = run_command(match_script, python, ["by=k"], [write_body(rows)])
    assert reply.body.count(b",none,overlap,,,,0,0\n") == len(hostile) - 1  # a dash is no value
    assert "flows without readable bounds: 11" in reply.messages[0][1]


def test_a_reply_larger_than_a_chunk_is_one_reply(match_script, python):
    """Splunk asks once for each reply, so that all pairs come in one, however many there are."""
    flow = {"flowlag_status": "ok", "flowlag_earliest": "1602397386", "flowlag_latest": "1602397506", "k": "1"}
    rows = [{**flow, "n": str(i)} for i in range(700)] + [
        {"k": "1", "_time": "1602397450", "a": str(i)} for i in range(100)
    ]
    _, (reply,) = run_command(match_script, python, ["by=k", "maxmatches=700"], [write_body(rows)])
    assert len(reply.rows) == 70_000 and reply.messages == []


# --- the shell ---


shell = partial(run_shell, "match")


@pytest.fixture
def files(tmp_path):
    (tmp_path / "flow.log").write_text("\n".join(SEED))
    with (tmp_path / "logins.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["_time", "src", "host_ip", "user"])
        writer.writeheader()
        writer.writerows(logins())
    (tmp_path / "logins.json").write_text("".join(json.dumps(login) + "\n" for login in logins()))
    return ["--flows", str(tmp_path / "flow.log"), "--by", "srcaddr=src,dstaddr=host_ip", "--anchors"]


@pytest.mark.parametrize("name", ["logins.csv", "logins.json"])
def test_the_shell_gives_the_same(files, tmp_path, name):
    code, out, err = shell(*files, str(tmp_path / name), "--output", "csv")
    rows = list(csv.DictReader(io.StringIO(out.decode(), newline="")))
    assert (code, err) == (0, "") and summary(rows) == EXPECTED
    assert [
        json.loads(line) for line in shell(*files, str(tmp_path / name), "--output", "json")[1].splitlines()
    ] == rows


def test_the_shell_gives_the_commands_bytes(files, tmp_path, match_script, script, python):
    """What the two commands make of the same fields; in Splunk, flowlagenrich has marked the logins as `other`."""
    names = "version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action log_status"
    events = [{"_time": "", "_raw": line, **dict(zip(names.split(), line.split()))} for line in SEED]
    _, (tagged,) = run_command(script, python, [], [write_body([*events, *logins()])])
    _, (reply,) = run_command(match_script, python, ["by=srcaddr=src,dstaddr=host_ip"], [tagged.body])
    rows = list(csv.DictReader(io.StringIO(shell(*files, str(tmp_path / "logins.csv"), "--output=csv")[1].decode())))
    assert rows == [{name: row[name] for name in row if name != "flowlag_status"} for row in reply.rows]


def test_the_table(files, tmp_path):
    lines = (
        shell(*files, str(tmp_path / "logins.csv"), "--tolerance", "5", "--lag=30", "--epoch")[1].decode().splitlines()
    )
    assert lines[0].split()[:6] == ["anchor", "time", "key", "certainty", "share", "gap"]
    assert lines[1].split()[:6] == [
        "1602397670.25",
        "198.51.100.7",
        "10.255.1.22",
        "possible",
        "0.003125",
        "0.75",
    ]  # (1 - 0.75) / 80
    assert lines[2].split() == ["1602399999", "198.51.100.7", "10.255.1.22", "none", "0"]


def test_anchors_from_stdin_and_an_own_time_field(files):
    code, out, err = shell(
        *files, "-", "--anchor-time", "when", "--output=json", data=b"when,src,host_ip\n2020-10-11T06:27:50Z,198.51.100.7,10.255.1.22\n"
    )  # fmt: skip
    assert (code, err) == (0, "") and json.loads(out)["match_certainty"] == "possible"


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--by", "a"], 2, "the following arguments are required: --anchors"),
        (["--flows", "f", "--anchors", "a"], 2, "option --by is missing"),
        (["--flows", "f", "--anchors", "a", "--by", "x", "--lag", "-1"], 2, 'option --lag: "-1" is not allowed'),
        (
            ["--flows", "f", "--anchors", "a", "--by", "x", "--relation", "x"],
            2,
            'option --relation: "x" is not allowed',
        ),
        (["--flows", "no", "--anchors", "none", "--by", "x"], 3, "no: there is no such file"),
    ],
)
def test_wrong_usage_of_the_shell(arguments, code, sentence, tmp_path):
    exit_code, _, err = shell(*arguments, cwd=tmp_path)
    assert exit_code == code and err.startswith(f"flowlag: {sentence}") and "Traceback" not in err


def test_strict(files, tmp_path):
    (tmp_path / "bad.csv").write_text("_time,src,host_ip\nsoon,198.51.100.7,10.255.1.22\n")
    assert shell(*files, str(tmp_path / "bad.csv"))[0] == 0
    assert shell(*files, str(tmp_path / "bad.csv"), "--strict")[0] == 1
    assert shell(*files, str(tmp_path / "logins.csv"), "--strict")[0] == 0
