# SPDX-License-Identifier: Apache-2.0
"""The shell for people: clock times, the terminal's width, a period, learned windows, help and hints."""

from datetime import timezone

import pytest

from flowlag.cli.main import main
from flowlag.cli.view import View, lay_out
from tools.places import ROOT

UTC = View(timezone.utc)
MODES = str(ROOT / "samples" / "modes.log")


def shell(capsys, *args):
    try:
        code = main(list(args))
    except SystemExit as stop:
        code = stop.code
    return (code, *capsys.readouterr())


def test_times_of_a_row_have_their_date_once():
    rows = [("1760469769", "1760469799.5", "x"), ("", "1760486399", "1760486400"), ("-", "5", "")]
    assert list(lay_out(("start", "end", "next"), rows, UTC, ("start", "end", "next"))) == [
        "start               end                 next",
        "2025-10-14 19:22:49 19:23:19.5          x",
        "                    2025-10-14 23:59:59 2025-10-15 00:00:00",
        "-                   5",
    ]


def test_a_narrow_terminal_leaves_out_the_least():
    row = ("aaaa", "bbbb", "cccc")
    tables = [list(lay_out(("a", "b", "c"), [row], View(None, width), (), ("b",))) for width in (14, 13, 8, 3)]
    assert [table[1] for table in tables] == ["aaaa bbbb cccc", "aaaa cccc", "aaaa", "aa…"]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], "2025-11-30 10:53:05 10:54:04"),
        (["--epoch"], "1764499985 1764500044"),
        (["--tz", "utc"], "2025-11-30 10:53:05 10:54:04"),
    ],
)
def test_times_of_the_table(capsys, options, shown):
    code, out, _ = shell(capsys, "enrich", *options, MODES)
    assert code == 0 and shown in " ".join(out.splitlines()[1].split())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tz", "Mars"], 'option --tz: "Mars" is not a time zone that this machine knows'),
        (["--tz", "UTC", "--epoch"], "--tz is not allowed with --epoch"),
        (["--since", "99"], 'option --since: "99" is not allowed; give a time from 2014 to 2100'),
        (["--since", "1764500180", "--until", "1764500180"], "--until is not after --since"),
        (["--windows", "asumed"], 'option --windows: "asumed" is not allowed; give one of auto, assumed, none.'),
        (["--windows", "a.csv", "--windows", "b.csv"], "given with two files"),
        (["--windows", "a.csv", "--windows", "none"], '"none" is not allowed with a file'),
        (["--windows", "a.csv", "--phase", "9"], "a file is not allowed with --phase"),
        (["--sinc", "99"], "did you mean --since?"),
    ],
)
def test_wrong_usage(capsys, options, says):
    code, out, err = shell(capsys, "enrich", *options, MODES)
    assert (code, out) == (2, "") and says in err and err.count("\n") == 1


def test_a_period_is_by_start_and_keeps_what_has_none(tmp_path, capsys):
    line = "2 1 eni-0a1b2c3d - - - - 6 1 9 {0} {0} ACCEPT OK\n"
    (tmp_path / "in").write_text("".join(map(line.format, range(1760469769, 1760469773))) + "hello\n")
    period = ("--since", "2025-10-14T19:22:50Z", "--until", "1760469772")
    _, out, _ = shell(capsys, "enrich", "--output", "csv", *period, str(tmp_path / "in"))
    assert [row.split(",")[0] for row in out.splitlines()[1:]] == ["1760469770", "1760469771", ""]
    _, out, _ = shell(capsys, "profile", "--output", "csv", *period, str(tmp_path / "in"))
    assert out.splitlines()[1].startswith("eni-0a1b2c3d,2,")


def test_windows_of_a_file(tmp_path, capsys):
    _, profile, _ = shell(capsys, "profile", "--output", "csv", MODES)
    (tmp_path / "windows.csv").write_text(profile)
    _, out, err = shell(capsys, "enrich", "--output", "csv", "--windows", str(tmp_path / "windows.csv"), MODES)
    assert ",profile," in out and not err
    assert ",profile," not in shell(capsys, "enrich", "--output", "csv", MODES)[1]
    code, out, err = shell(capsys, "enrich", "--windows", MODES, MODES)
    assert (code, out) == (3, "") and "it is no profile, since it has no column interface_id" in err
    assert shell(capsys, "enrich", "--windows", "no.csv", MODES)[0] == 3


def test_help_has_an_example_of_each_command(capsys):
    code, out, _ = shell(capsys, "--help")
    assert code == 0
    for command in ("enrich", "match", "connect", "profile", "learn"):
        assert f"\n  {command} " in out and f"flowlag {command} " in out


def test_did_you_mean(tmp_path, capsys):
    assert "did you mean match?" in shell(capsys, "macth")[2]
    assert "flowlag enrich " + MODES in shell(capsys, MODES)[2]
