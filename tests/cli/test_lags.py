# SPDX-License-Identifier: Apache-2.0
"""--lags of the shell: what `learn` wrote goes into `enrich` and `match`, and a file that is none is refused."""

import csv
import gzip
import io
import json

import pytest

from flowlag.cli.main import main
from flowlag.learn.rows import LEARN_FIELDS

T = 1_602_397_440
HEADER = "interface-id srcaddr dstaddr srcport dstport protocol packets start end tcp-flags\n"
#: Times of anchors, and lags of 2, 3 and 4 s in turn.
OPENED = [(T + i * 60, i % 3 + 2) for i in range(120)]


def record(i, start, interface="eni-1"):
    return f"{interface} 2001:db8::9 2001:db8::22 {40_000 + i} 22 6 1 {start} {start} 2\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flow.log").write_text(
        HEADER + "".join(record(i, time + lag) for i, (time, lag) in enumerate(OPENED)) + record(1, T, "eni-2")
    )
    lines = [f"2001:db8::9,{40_000 + i},{time}" for i, (time, _) in enumerate(OPENED)]
    (tmp_path / "anchors.csv").write_text("\n".join(["src,src_port,_time", *lines, ""]))
    return tmp_path


@pytest.fixture
def run(capfdbinary):
    def call(*arguments):
        code = main(arguments)
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return call


def learn(run, output="csv"):
    code, out, err = run(
        "learn", "--flows", "flow.log", "--anchors", "anchors.csv", "--by", "srcaddr=src,srcport=src_port", "--output", output
    )  # fmt: skip
    assert (code, err) == (0, "")
    return out


def read_csv(out):
    return list(csv.DictReader(io.StringIO(out.decode(), newline="")))


@pytest.mark.parametrize(("output", "pack"), [("csv", bytes), ("json", bytes), ("csv", gzip.compress)])
def test_what_was_learned_narrows_the_bounds(folder, run, output, pack):
    (folder / "lags").write_bytes(pack(learn(run, output)))
    code, out, err = run("enrich", "--lags", "lags", "--confidence", "99", "--output", "csv", "flow.log")
    rows = read_csv(out)
    assert (code, err, len(rows)) == (0, "", 121)
    for row, (time, lag) in zip(rows, OPENED):
        assert row["flowlag_likely_earliest"] == str(time + lag - 4) and row["flowlag_likely_basis"] == "interface"
        assert (row["flowlag_earliest"], row["flowlag_likely_anchors"]) == (str(time + lag - 60), "120")
    assert (rows[-1]["flowlag_likely_basis"], rows[-1]["flowlag_likely_anchors"]) == ("envelope", "")
    assert list(rows[0])[-4:] == [
        f"flowlag_{name}" for name in ("stamps", "likely_earliest", "likely_basis", "likely_anchors")
    ]


def test_without_a_file_the_bounds_stay(folder, run):
    code, out, err = run("enrich", "--confidence", "99", "--output", "json", "flow.log")
    assert {json.loads(line)["flowlag_likely_basis"] for line in out.splitlines()} == {"envelope"}
    assert (code, err) == (0, "")
    assert b"likely basis" in run("enrich", "--confidence", "99", "flow.log")[1].splitlines()[0]


def test_what_was_learned_ranks(folder, run):
    """Of two records, the one that is as late as its interface always is."""
    (folder / "lags.csv").write_bytes(learn(run))
    (folder / "two.log").write_text(HEADER + record(0, T + 7203) + record(0, T + 7230))
    (folder / "one.csv").write_text(f"src,_time\n2001:db8::9,{T + 7200}\n")
    ask = (
        "match",
        "--flows",
        "two.log",
        "--anchors",
        "one.csv",
        "--by",
        "srcaddr=src",
        "--rank",
        "probability",
        "--output",
        "csv",
    )
    (first, second), (_, *_) = read_csv(run(*ask, "--lags", "lags.csv")[1]), read_csv(run(*ask)[1])
    assert first["flow_start"] == str(T + 7203) and float(first["match_probability"]) > 0.9
    likely = read_csv(run(*ask, "--lags", "lags.csv", "--confidence", "95")[1])
    assert {row["flow_flowlag_likely_earliest"] for row in likely} == {str(T + 7199), str(T + 7226)}
    plain = read_csv(run(*ask)[1])
    assert {row["match_probability"] for row in plain} != {first["match_probability"], second["match_probability"]}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "lags.csv: there is no such file; check its name"),
        ("", "lags.csv: it has no row, so nothing was learned; give another file, or leave --lags out"),
        (
            ",".join(LEARN_FIELDS),
            "lags.csv: it has no row, so nothing was learned; give another file, or leave --lags out",
        ),
        (
            "interface_id,timing_mode\neni-1,grid\n",
            "lags.csv: it is no table of learned lags, since it has no column anchors, ",
        ),
    ],
)
@pytest.mark.parametrize("command", ["enrich", "match"])
def test_a_file_that_is_none_is_refused(folder, run, command, content, sentence):
    if content is not None:
        (folder / "lags.csv").write_text(content)
    arguments = {
        "enrich": ("--confidence", "99", "flow.log"),
        "match": ("--flows", "flow.log", "--anchors", "anchors.csv", "--by", "srcaddr=src", "--rank", "probability"),
    }[command]
    code, out, err = run(command, "--lags", "lags.csv", *arguments)
    assert (code, out) == (3, b"") and err.startswith(f"flowlag: {sentence}") and err.count("\n") == 1


def test_rows_that_are_damaged_are_counted(folder, run):
    row = ["eni-1", "x", *[""] * 9]
    (folder / "lags.csv").write_text("\n".join([",".join(LEARN_FIELDS), ",".join(row), ""]))
    code, out, err = run("enrich", "--confidence", "99", "--lags", "lags.csv", "flow.log", "--output", "json")
    assert code == 0 and len(out.splitlines()) == 121
    assert err == "flowlag: lags.csv: rows that cannot be read and are left out: 1.\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("enrich", "--lags", "x", "flow.log"), 'option --lags: "x" is not allowed without --confidence; give --confidence too.'),
        (("enrich", "--lags", "x", "--lags", "y", "--confidence", "99", "flow.log"), 'option --lags is given twice, "x" and "y"; give it once.'),
        (("match", "--lags", "x", "--flows", "flow.log", "--anchors", "anchors.csv", "--by", "srcaddr=src"),
         'option --lags: "x" is not allowed without --rank probability; give --rank probability too.'),
        (("enrich", "--time", "likely", "flow.log"), 'option --time: "likely" is not allowed without --confidence; '),
    ],
)  # fmt: skip
def test_a_file_that_nothing_uses_is_refused(folder, run, arguments, sentence):
    code, out, err = run(*arguments)
    assert (code, out) == (2, b"") and err.startswith(f"flowlag: {sentence}") and err.count("\n") == 1


@pytest.mark.parametrize("option", ["time", "confidence", "community", "windows", "interval", "phase"])
def test_learn_takes_no_option_that_would_change_nothing(folder, capfd, option):
    """Of `enrich` it takes what says how to read a file; where `_time` is, windows and further tags change no lag."""
    with pytest.raises(SystemExit) as ended:
        main(
            ["learn", "--flows", "flow.log", "--anchors", "anchors.csv", "--by", "srcport=src_port", f"--{option}", "1"]
        )
    assert ended.value.code == 2 and f"unrecognized arguments: --{option}" in capfd.readouterr().err
