# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag enrich` as a process: arguments, exit codes, what goes to stdout and what to stderr."""

import csv
import gzip
import io
import json
import os
import subprocess
import sys

import pytest

from flowlag import __version__
from flowlag.cli import main as cli
from flowlag.cli import terminal as shell
from flowlag.cli.output import CSV_SAMPLE, write_csv, write_json, write_table
from flowlag.enrich_options import ENRICH_OPTIONS, parse_settings
from flowlag.tags import TAG_FIELDS
from tools.places import ROOT

LIB = ROOT / "lib"
A = "2 123456789012 eni-1 10.0.0.1 10.0.0.2 52233 22 6 85 8216 1602397806 1602397865 ACCEPT OK"
B = "2 123456789012 eni-1 10.0.0.2 10.0.0.1 22 52233 6 1 136 1602397706 1602397745 ACCEPT OK"
TAGS = [f"flowlag_{name}" for name in TAG_FIELDS]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(LIB), "LC_ALL": "C", "PYTHONUTF8": "0", "COLUMNS": "200"}
COMMAND = [sys.executable, "-W", "error", "-m", "flowlag"]


def run(*arguments, data=b"", folder=None, command=COMMAND):
    """The finished process: bytes in, (code, stdout bytes, stderr text) out."""
    done = subprocess.run([*command, *arguments], input=data, capture_output=True, env=ENVIRONMENT, cwd=folder)
    return done.returncode, done.stdout, done.stderr.decode()


def enrich(*arguments, data=b"", **more):
    return run("enrich", *arguments, data=data.encode() if isinstance(data, str) else data, **more)


def read_json(out):
    return [json.loads(line) for line in out.decode("ascii").splitlines()]


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "flow.log"
    path.write_text(f"{A}\n{B}\n")
    return str(path)


# --- what comes out ---


def test_csv_has_the_fields_then_the_tags(log):
    code, out, err = enrich("--output", "csv", log)
    rows = list(csv.reader(io.StringIO(out.decode(), newline="")))
    assert (code, err) == (0, "") and b"\r" not in out
    assert rows[0][:3] == ["_time", "_raw", "version"] and rows[0][-14:] == TAGS
    assert rows[1][0] == "1602397806" and rows[1][1] == A
    assert rows[2][-14:] == "ok 1602397706 1602397745 39 1602397646 1602397746 1602397696 50".split() + [""] * 5 + [
        "batch"
    ]


def test_json_has_the_same_as_csv(log):
    _, out, _ = enrich("--output=csv", log)
    assert read_json(enrich("--output=json", log)[1]) == list(csv.DictReader(io.StringIO(out.decode())))


def test_the_table_shows_the_tags_as_they_are(log):
    code, out, err = enrich(log, "--phase", "6", "--epoch")
    lines = out.decode().splitlines()
    assert (code, err) == (0, "")
    assert lines[0].split()[:6] == ["interface", "src", "dst", "port", "status", "start"] and "±" in lines[0]
    assert (
        lines[2].split()
        == (
            "eni-1 10.0.0.2 10.0.0.1 52233 ok 1602397706 1602397745 39 1602397646 1602397746 1602397696 50 tail 20 option batch"
        ).split()
    )
    assert [line.index("1602397") for line in lines[1:]] == [lines[0].index("start")] * 2


def test_options_may_stand_between_and_behind_files(log):
    code, out, _ = enrich("--lag=0", log, "--output", "json", log, "--time", "latest")
    rows = read_json(out)
    assert code == 0 and [row["_time"] for row in rows] == ["1602397866", "1602397746"] * 2
    assert rows[0]["flowlag_earliest"] == "1602397806"


def test_time_is_kept_and_tags_are_replaced_where_they_were():
    content = "start,flowlag_status,_time,end\n1602397446,old,7,1602397505\n1602397446,old,,1602397505\n"
    _, out, _ = enrich("-", "--output=csv", data=content)
    rows = list(csv.reader(io.StringIO(out.decode())))
    assert rows[0] == ["start", "_time", "end", *TAGS]
    assert [row[1:4] for row in rows[1:]] == [["7", "1602397505", "ok"], ["1602397446", "1602397505", "ok"]]


def test_running_twice_changes_nothing(log):
    once = enrich("--output=csv", log)[1]
    assert enrich("--output=csv", "-", data=once)[1] == once


ID = "1:qzTKdqhmHTUADk2XCUafmO3R31I="


def test_community_ids_are_in_every_output(log):
    rows = read_json(enrich("--community", "true", "--output=json", log)[1])
    assert list(rows[0])[-1] == "flowlag_community_id" and {row["flowlag_community_id"] for row in rows} == {ID}
    out = enrich("--community", "true", "--output=csv", log)[1]
    assert rows == list(csv.DictReader(io.StringIO(out.decode())))
    lines = enrich("--community", "true", log)[1].decode().splitlines()
    assert "stamps  community id" in lines[0] and all(line.endswith(f" {ID}") for line in lines[1:])
    assert ID.encode() not in enrich(log)[1] and b"community" not in enrich("--output=csv", log)[1]


def test_community_ids_come_from_the_line_and_not_from_fields_around_it():
    events = [
        {"message": A, "src_ip": "10.9.9.9", "protocol": "17"},
        {"start": 1602397446, "end": 1602397505, "srcaddr": "10.0.0.2", "dstaddr": "10.0.0.1", "srcport": 22, "dstport": 52233,
         "protocol": 6},
        {"message": B.replace(" 6 1 ", " 1 1 ")},
    ]  # fmt: skip
    data = "".join(map(json.dumps, events))
    rows = read_json(enrich("--community=true", "--output=json", "-", data=data)[1])
    assert [row["flowlag_community_id"] for row in rows] == [ID, ID, ""]


def test_community_ids_of_a_layout_that_a_header_gives():
    data = "version pkt-srcaddr pkt-dstaddr srcport dstport protocol start end\n2 10.0.0.1 10.0.0.2 52233 22 6 1602397446 1602397505\n"
    (row,) = read_json(enrich("--community=true", "--output=json", "-", data=data)[1])
    assert row["flowlag_community_id"] == ID


def test_prefix_names_the_tags(log):
    (row, _) = read_json(enrich("--prefix", "x_", "--output=json", log)[1])
    assert row["x_status"] == "ok" and "flowlag_status" not in row


def test_bytes_come_back_in_csv_and_json_stays_ascii():
    content = b"start,end,x\n1602397446,1602397505,\xff\xc3\xa9\n"
    assert b"1602397446,1602397446,1602397505,\xff\xc3\xa9,ok," in enrich("-", "--output=csv", data=content)[1]
    assert read_json(enrich("-", "--output=json", data=content)[1])[0]["x"] == "\udcffé"
    enrich("-", data=content)[1].decode("utf-8")


def test_stdin_in_gzip():
    code, out, err = enrich("-", "--output=json", data=gzip.compress(gzip.compress(A.encode())))
    assert (code, err) == (0, "") and read_json(out)[0]["_raw"] == A


def test_no_record_gives_the_csv_header_and_nothing_else(tmp_path):
    (tmp_path / "empty").touch()
    assert enrich("--output=csv", "empty", folder=tmp_path) == (0, (",".join(["_time", *TAGS]) + "\n").encode(), "")
    assert enrich("empty", folder=tmp_path) == enrich("empty", "--output=json", folder=tmp_path) == (0, b"", "")


def test_the_shared_seed(shared_data):
    rows = read_json(enrich("--output=json", str(shared_data / "seed-records.log"))[1])
    assert [(row["flowlag_time"], row["flowlag_uncertainty"], row["flowlag_stamps"]) for row in rows] == [
        ("1602397806", "60", "unclear"),
        ("1602397446", "60", "batch"),
        ("1602397696", "50", "batch"),
    ]


# --- exit codes and complaints ---


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (A, 0),
        (A.replace("ACCEPT OK", "- NODATA"), 0),
        (A.replace("1602397865", "soon"), 1),
        (A.replace("1602397865", "-"), 1),
        (A.replace("1602397865", "1602397805"), 1),
        ("hello", 1),
    ],
    ids=["ok", "nodata", "invalid", "missing", "reversed", "other"],
)
def test_strict_fails_on_unreadable_records(line, code):
    data = f"{A}\n{line}\n"
    assert enrich("-", data=data)[0] == 0
    assert enrich("--strict", "-", data=data)[0] == code


def test_the_warning_of_the_command_is_given_once():
    code, _, err = enrich("-", data=f"{A}\n" + A.replace("1602397865", "soon") + "\n" + A.replace("1602397806", "-"))
    assert code == 0
    assert err == (
        "flowlag: 2 of 3 events look like flow log records but could not be tagged (1 invalid, 1 missing); "
        "search for flowlag_status to see them.\n"
    )
    assert enrich("-", data="hello\n")[2].startswith("flowlag: no flow log event was recognised among 1 events;")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "the following arguments are required: command; "),
        (["nonsense"], "there is no command nonsense; the commands are enrich, match, "),
        (["enrch"], "there is no command enrch; did you mean enrich?"),
        (["enrich", "--lag", "-5", "x"], 'option --lag: "-5" is not allowed; give 0 to 3600 seconds'),
        (["enrich", "--lag=", "x"], 'option --lag: "" is not allowed; '),
        (["enrich", "--lag", "1", "--lag", "2", "x"], 'option --lag is given twice, "1" and "2"; give it once.'),
        (["enrich", "--format", "${start}", "x"], 'option --format: "${start}" is not allowed; '),
        (["enrich", "--interv", "60", "x"], "unrecognized arguments: --interv (did you mean --interval?);"),
        (["enrich", "--output", "xml", "x"], "argument --output: invalid choice: 'xml'"),
    ],
)
def test_wrong_usage_is_one_sentence(arguments, sentence):
    code, out, err = run(*arguments)
    assert (code, out) == (2, b"") and err.startswith(f"flowlag: {sentence}") and err.count("\n") == 1


def test_a_missing_file_does_not_stop_the_others(log, tmp_path):
    code, out, err = enrich("--strict", "--output=json", "none", log, "/proc/self/fdinfo/none", folder=tmp_path)
    assert code == 3 and len(read_json(out)) == 2
    assert err.splitlines() == [
        "flowlag: none: there is no such file; check its name",
        "flowlag: /proc/self/fdinfo/none: there is no such file; check its name",
    ]


def test_a_truncated_gzip_gives_what_it_has(tmp_path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(os.urandom(1) + f"\n{A}".encode() * 20_000, 0)[:-1000])
    code, out, err = enrich("x.gz", "--output=json", folder=tmp_path)
    assert code == 3 and len(out.splitlines()) > 19_000
    assert err.splitlines()[0].startswith("flowlag: x.gz: the compressed data end too early")


def test_help_names_every_option_with_its_default():
    code, out, _ = run("enrich", "--help")
    text = out.decode()
    assert all(f"\n  --{option.name} " in text for option in ENRICH_OPTIONS)
    assert (
        code == 0 and " ".join(text.split()).count("Default: ") == len(ENRICH_OPTIONS) + 3 and "\n  --lags FILE" in text
    )
    assert run("--version") == (0, f"flowlag {__version__}\n".encode(), "")
    assert run("-h")[0] == 0


def test_neither_splunklib_nor_the_optional_packages_are_imported(log):
    script = (
        "import sys; from flowlag.cli.main import main; code = main(['enrich', sys.argv[1]]);"
        "print(code, sorted({'splunklib', 'pyarrow', 'tqdm', 'dateutil', 'pandas'} & set(sys.modules)), file=sys.stderr)"
    )
    assert run(log, command=[sys.executable, "-W", "error", "-c", script])[2] == "0 []\n"


def test_without_dateutil_one_sentence_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "dateutil", None)
    monkeypatch.delitem(sys.modules, "dateutil.parser", raising=False)
    (tmp_path / "x.csv").write_text("start,end\n2020-10-11T06:24:59Z,2020-10-11T06:25:05Z\n")
    assert cli.main(["enrich", str(tmp_path / "x.csv")]) == 3
    assert capsys.readouterr().err == (
        "flowlag: a time that is no number is read with python-dateutil; run `pip install python-dateutil`\n"
    )


# --- the progress bar ---


class Terminal(io.StringIO):
    def isatty(self):
        return True


def bar_for(monkeypatch, stderr, limit, paths):
    """The bar behind the function that counts, None where nothing is shown."""
    monkeypatch.setattr(shell.sys, "stderr", stderr)
    monkeypatch.setattr(shell, "LONG_INPUT_BYTES", limit)
    with shell.progress_bar(paths) as progress:
        return getattr(progress, "__self__", None)


def test_a_bar_is_for_long_input_on_a_terminal(log, monkeypatch):
    pytest.importorskip("tqdm", reason="the progress bar is tqdm's, which is not installed")
    assert bar_for(monkeypatch, Terminal(), 10, [log]).total == os.path.getsize(log)
    assert bar_for(monkeypatch, Terminal(), 10, [log, "-"]).total is None
    assert bar_for(monkeypatch, Terminal(), 10, [log]).delay == 0
    assert bar_for(monkeypatch, Terminal(), 10_000, [log]).delay == shell.BAR_DELAY_S
    assert bar_for(monkeypatch, io.StringIO(), 10, [log]) is None


def test_a_file_that_vanishes_before_it_is_measured_is_complained_about_by_its_reader(monkeypatch):
    monkeypatch.setattr(shell.os.path, "isfile", lambda path: True)
    assert bar_for(monkeypatch, Terminal(), 10, ["gone"]).total == 0
    monkeypatch.setattr(shell.sys, "stderr", None)
    assert bar_for(monkeypatch, None, 10, ["gone"]) is None


def test_without_tqdm_there_is_no_bar(log, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert bar_for(monkeypatch, Terminal(), 10, [log]) is None


# --- the writers ---

SETTINGS = parse_settings([])


def event(**fields):
    return {"_time": "", **fields, **dict.fromkeys(TAGS, ""), "flowlag_status": "other"}


def test_csv_takes_its_columns_from_the_first_rows_and_names_what_it_leaves_out():
    warnings = []
    events = [event(a="1"), *[event(b="2")] * (CSV_SAMPLE - 1), event(c=""), event(a="3", late="x", later="y")]
    lines = list(write_csv([events], SETTINGS, warnings.append))
    assert lines[0] == ",".join(["_time", "a", "b", *TAGS])
    assert len(lines) == len(events) + 1 and lines[-1].startswith(",3,,other")
    (warning,) = warnings
    assert ": late, later; --output json keeps them." in warning
    assert [json.loads(line) for line in write_json([events], SETTINGS, warnings.append)] == events


@pytest.mark.parametrize("value", ["a,b", 'a"b', "a\nb", "a\rb", " a ", "é", "'", ""])
def test_csv_values_come_back(value):
    text = "\n".join(write_csv([[event(a=value)]], SETTINGS, pytest.fail)) + "\n"
    assert next(csv.DictReader(io.StringIO(text, newline="")))["a"] == value


def test_a_table_is_safe_for_a_terminal_and_cuts_no_value():
    rows = [
        event(srcaddr="\x1b[2J\x07", dstaddr="x" * 100, _raw="\u202e\udcff" + "y" * 100),
        event(interface_id="eni-1"),
    ]
    heading, first, second = write_table([rows], SETTINGS, pytest.fail)
    assert r"\x1b[2J\x07" in first and "x" * 100 in first and r"\u202e\udcff" in first and first.isprintable()
    assert second.startswith("eni-1") and second.index("other") == heading.index("status")


@pytest.mark.parametrize(
    ("text", "data"), [("é", b"\xc3\xa9\n"), ("\udcff", b"\xff\n"), ("a\ud800b", b"a\xef\xbf\xbdb\n")]
)
def test_every_line_can_be_written(text, data):
    assert shell.encode_line(text) == data
