# SPDX-License-Identifier: Apache-2.0
"""The packaged flowlagprofile as a process over the real protocol, the way back into flowlagenrich, and the shell's."""

import csv
import io
import json
import shutil
from functools import partial

import pytest

from flowlag.profile.options import parse_profile_settings
from flowlag.profile.profiler import PROFILE_FIELDS
from tests.support.processes import run_shell
from tests.support.splunkd import Splunkd, refusal, run_command, write_body
from tools.places import ROOT
from tools.scenarios.modes import MODES, play

SEED = (ROOT / "samples" / "seed.log").read_text().splitlines()
NAMES = "version account_id interface_id src_ip dest_ip src_port dest_port protocol packets bytes start_time end_time action log_status"


def seed_events():
    """The seed records with the fields that the add-on extracts, indexed 22, 24 and 26 seconds after their end."""
    return [
        {
            "_raw": line,
            "_time": line.split()[10],
            "_indextime": str(int(line.split()[11]) + 22 + 2 * i),
            **dict(zip(NAMES.split(), line.split())),
        }
        for i, line in enumerate(SEED)
    ]


EXPECTED = {
    "interface_id": "eni-0ff9b2e1f8edb8688", "records": "3", "ok": "3", "nodata": "0", "skipdata": "0", "unreadable": "0",
    "timing_mode": "grid", "mode_support": "1", "interval": "60", "phase": "6", "window_p50": "60", "window_max": "60",
    "single_packet": "2", "single_packet_long": "2", "first_start": "1602397446", "last_end": "1602397865",
    "index_lag_p50": "24", "index_lag_p95": "26", "index_lag_p99": "26", "index_lag_max": "26", "suggest_delay": "26",
    "suggest_lookback": "146",
}  # fmt: skip


@pytest.fixture(scope="session")
def profile_script(app):
    return app / "bin" / "flowlagprofile.py"


def test_the_seed(profile_script, python):
    info, (reply,) = run_command(profile_script, python, [], [write_body(seed_events())])
    assert info.metadata == {"type": "reporting", "required_fields": parse_profile_settings([]).input_fields}
    assert info.body == b"" and reply.metadata == {"finished": True}
    assert reply.rows == [EXPECTED] and list(reply.rows[0]) == list(PROFILE_FIELDS)


def test_behind_flowlagenrich(profile_script, script, python):
    _, (tagged,) = run_command(script, python, [], [write_body(seed_events())])
    _, (reply,) = run_command(profile_script, python, [], [tagged.body])
    assert reply.rows == [EXPECTED]


def test_one_reply_at_the_end_whatever_the_cuts_and_the_order(profile_script, python):
    events = [{"_raw": played.line(), "_indextime": ""} for mode in MODES for played in play(mode, 2)] + seed_events()
    columns = sorted({name for event in events for name in event})
    _, (whole,) = run_command(profile_script, python, [], [write_body(events, columns)])
    cut = [*(write_body(events[i : i + 7]) for i in reversed(range(0, len(events), 7))), b""]
    _, replies = run_command(profile_script, python, [], cut)
    assert {reply.body for reply in replies[:-1]} == {b""} and replies[-1].body == whole.body
    assert len(whole.rows) == len(MODES) + 1


def test_options(profile_script, python):
    arguments = ["lag=30", "interval=10m", "minrecords=4", "prefix=x_"]
    _, (reply,) = run_command(profile_script, python, arguments, [write_body(seed_events())])
    assert (reply.rows[0]["timing_mode"], reply.rows[0]["suggest_lookback"]) == ("unknown", "656")


def test_splunkd_may_start_the_command_and_go(profile_script, python):
    with Splunkd(profile_script, python) as splunkd:
        splunkd.getinfo("lag=30")
        assert splunkd.close() == 0
    assert splunkd.stderr == b""


def test_no_event(profile_script, python):
    _, replies = run_command(profile_script, python, [], [write_body([], ["_raw"]), b""])
    assert [(reply.body, reply.messages) for reply in replies] == [(b"", [])] * 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["minrecords=0"], ["minrecords", '"0"', "whole number"]),
        (["lag=-5"], ["lag", '"-5"', "0 to 3600"]),
        (["phase=6"], ["phase", "there is no option", "lag, interval, minrecords, prefix"]),
        (["nonsense"], ["nonsense", "name=value"]),
    ],
    ids=str,
)
def test_a_wrong_option_ends_the_search_in_getinfo(profile_script, python, arguments, words):
    with Splunkd(profile_script, python) as splunkd:
        reply = splunkd.getinfo(*arguments)
        assert splunkd.close() == 1
    sentence = refusal(reply, "flowlagprofile")
    assert sentence.endswith(".")
    assert all(word in sentence for word in words) and b"Traceback" not in splunkd.stderr


def test_one_warning_at_the_end(profile_script, python):
    _, replies = run_command(profile_script, python, [], [write_body([{"start_time": "x"}, {"start_time": "1"}]), b""])
    assert replies[0].messages == []
    ((level, sentence),) = replies[1].messages
    assert level == "WARN" and "2 of 2 events" in sentence and "2 invalid" in sentence


def test_hostile_events_stop_nothing(profile_script, python):
    hostile = ["\x00", "\udcff", '"', "a\nb", "\r", "$", "x" * 100_000, "\u2028", "9" * 400, "a,b", "é"]
    rows = [{"interface_id": text, "start_time": "1602397446", "end_time": "1602397505"} for text in hostile]
    rows += [{"start_time": text, "end_time": text, "_indextime": text, "flowlag_status": text} for text in hostile]
    rows += [{"flowlag_status": "ok", "flowlag_start": text, "flowlag_end": text} for text in hostile]
    _, (reply,) = run_command(profile_script, python, [], [write_body(rows)])
    found = list(csv.DictReader(io.StringIO(reply.body.replace(b"\0", b"NUL").decode(), newline="")))
    assert sum(int(row["ok"]) for row in found) == len(hostile)
    assert {"a,b", "a\nb", "é", '"', "NUL", "\ufffd"} <= {row["interface_id"] for row in found}


# --- the way back: outputlookup, then flowlagenrich windows=auto ---


@pytest.fixture
def own_app(app, tmp_path):
    """A copy of the packaged app into whose lookups a test may write."""
    shutil.copytree(app, tmp_path / "flowlag")
    (tmp_path / "flowlag" / "lookups").mkdir()
    return tmp_path / "flowlag"


def positions(reply):
    names = ("window_position", "window_offset", "window_basis")
    return [" ".join(row[f"flowlag_{name}"] for name in names).strip() for row in reply.rows]


def test_what_was_learned_is_used(own_app, profile_script, python):
    _, (reply,) = run_command(profile_script, python, [], [write_body(seed_events())])
    (own_app / "lookups" / "flowlag_windows.csv").write_bytes(reply.body)
    enrich = own_app / "bin" / "flowlagenrich.py"
    body = write_body(seed_events())
    expected = ["full 0 profile", "full 0 profile", "tail 20 profile"]
    _, (tagged,) = run_command(enrich, python, [], [body])
    assert positions(tagged) == expected and tagged.messages == []
    _, (raw,) = run_command(enrich, python, [], [write_body([{"_raw": line} for line in SEED])])
    assert positions(raw) == expected
    _, (given,) = run_command(enrich, python, ["phase=7"], [body])
    assert {position.split()[-1] for position in positions(given)} == {"option"}
    _, (none,) = run_command(enrich, python, ["windows=none"], [body])
    assert positions(none) == ["", "", ""]
    _, (assumed,) = run_command(enrich, python, ["windows=assumed"], [body])
    assert positions(assumed) == expected


def test_a_damaged_lookup_is_one_warning(own_app, python):
    (own_app / "lookups" / "flowlag_windows.csv").write_bytes(b"\xff\xfe\n")
    bodies = [write_body(seed_events()), b"", b""]
    _, replies = run_command(own_app / "bin" / "flowlagenrich.py", python, [], bodies)
    assert positions(replies[0]) == ["full 0 record", "full 0 record", ""]
    ((level, sentence),) = [message for reply in replies for message in reply.messages]
    assert level == "WARN" and sentence.startswith("flowlagenrich: lookups/flowlag_windows.csv: it is damaged")


def test_the_package_has_no_lookup_file(app):
    """It would overwrite at each upgrade what was learned."""
    assert not (app / "lookups").exists() and (app / "default" / "transforms.conf").is_file()


# --- the shell ---


shell = partial(run_shell, "profile")


def test_the_shell_gives_the_commands_bytes(tmp_path, profile_script, python):
    """From CSV with the index time in it; as JSON, the same values."""
    with (tmp_path / "export.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(seed_events()[0]))
        writer.writeheader()
        writer.writerows(seed_events())
    _, (reply,) = run_command(profile_script, python, [], [write_body(seed_events())])
    assert shell(str(tmp_path / "export.csv"), "--output", "csv") == (0, reply.body, "")
    code, out, err = shell(str(tmp_path / "export.csv"), "--output=json")
    assert (code, err, json.loads(out)) == (0, "", EXPECTED)


def test_the_shell_reads_layouts_and_options(tmp_path):
    lines = "".join(f"eni-1 {line.split()[10]} {line.split()[11]}\n" for line in SEED)
    form = "${interface-id} ${start} ${end}"
    code, out, err = shell("-", "--format", form, "--minrecords", "3", "--output", "csv", data=lines.encode())
    (row,) = csv.DictReader(io.StringIO(out.decode()))
    assert (code, err, row["timing_mode"], row["phase"], row["interface_id"]) == (0, "", "grid", "6", "eni-1")


def test_the_table():
    code, out, err = shell(str(ROOT / "samples" / "seed.log"))
    heading, row = out.decode().splitlines()
    assert (code, err, heading.split()[:4]) == (0, "", ["interface", "records", "ok", "mode"])
    assert row.split()[:7] == ["eni-0ff9b2e1f8edb8688", "3", "3", "grid", "1", "60", "6"]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["f", "--minrecords", "0"], 2, 'option --minrecords: "0" is not allowed'),
        (["f", "--lag=1", "--lag=2"], 2, "option --lag is given twice"),
        (["f", "--phase", "6"], 2, "unrecognized arguments: --phase"),
        (["missing"], 3, "missing: there is no such file"),
    ],
)
def test_wrong_usage_of_the_shell(arguments, code, sentence, tmp_path):
    exit_code, _, err = shell(*arguments, cwd=tmp_path)
    assert exit_code == code and err.startswith(f"flowlag: {sentence}") and "Traceback" not in err


def test_strict():
    assert shell("-", data=b"not a flow log\n")[0] == 0
    code, out, err = shell("-", "--strict", data=b"not a flow log\n")
    assert (code, out) == (1, b"") and "no flow log event was recognised" in err


SAMPLES = {
    "seed-records.log": {"grid": 1},
    "v2-s3-header/cribl-two-interfaces.log": {"batch": 2},
    "v2-text/aws-docs-default.log": {"mixed": 1, "unknown": 1},
    "v2-text/panther-analysis.log": {"mixed": 1},
    "v2-text/ktranslate.log": {"unknown": 2},
    "custom-layouts/aws-docs-v3-tcp-flags.log": {"unknown": 1},
    "cloudwatch-json/made-firehose-gzip-in-gzip.gz": {"unknown": 1},
}


@pytest.mark.parametrize(("name", "modes"), SAMPLES.items(), ids=SAMPLES)
def test_real_samples(name, modes, shared_data):
    """What it says of records that were seen in the wild: two modes, and mostly that there are too few of them."""
    code, out, err = shell(str(shared_data / name), "--output", "json")
    found = [json.loads(line)["timing_mode"] for line in out.splitlines()]
    assert (code, err) == (0, "") and {mode: found.count(mode) for mode in found} == modes
