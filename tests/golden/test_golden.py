# SPDX-License-Identifier: Apache-2.0
"""Golden cases: golden/<case>/ holds in.log (raw lines) or in.csv (extracted fields), args.txt (an argument a line),
expected.csv (every tag of every event) and WHY.md; in cases whose name begins with `profile`, `connect` or `learn`,
expected.csv is what flowlagprofile, flowlagconnect or flowlaglearn gives. A lookup.csv (windows) or
lags.csv is put where the app finds what was learned. They run through the packaged commands; `make golden` writes expected.csv anew, and its diff is the review.
"""

import csv
import io
import shutil
from pathlib import Path

import pytest

from flowlag.enrich_options import parse_arguments
from flowlag.tags import asked_fields
from tests.support.splunkd import run_command, write_body

CASES = sorted(path.parent for path in Path(__file__).parent.glob("*/WHY.md"))


def read_events(case):
    """The case's events: a `_raw` each, or the columns of a table."""
    log = case / "in.log"
    if log.exists():
        return [{"_raw": line} for line in log.read_text(encoding="utf-8").splitlines()]
    with (case / "in.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tagged(case, script, python):
    """The tags of the case's events, one CSV line each, as the packaged command gives them."""
    arguments = (case / "args.txt").read_text(encoding="utf-8").splitlines()
    settings = parse_arguments(arguments)
    names = asked_fields(settings)
    _, (reply,) = run_command(script, python, arguments, [write_body(read_events(case))])
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(names)
    rows.writerows([row[settings.prefix + name] for name in names] for row in reply.rows)
    return out.getvalue()


def tabled(case, script, python):
    """The table of the case's events, as the packaged command gives it."""
    arguments = (case / "args.txt").read_text(encoding="utf-8").splitlines()
    _, (reply,) = run_command(script, python, arguments, [write_body(read_events(case))])
    return reply.body.decode()


def run_case(case, app, python, folder):
    kind = case.name.partition("-")[0]
    if kind in ("profile", "connect", "learn"):
        return tabled(case, app / "bin" / f"flowlag{kind}.py", python)
    lookups = {case / "lookup.csv": "flowlag_windows.csv", case / "lags.csv": "flowlag_lags.csv"}
    if any(lookup.exists() for lookup in lookups):
        app = Path(shutil.copytree(app, folder / "flowlag"))
        (app / "lookups").mkdir()
    for lookup, name in lookups.items():
        if lookup.exists():
            shutil.copy(lookup, app / "lookups" / name)
    return tagged(case, app / "bin" / "flowlagenrich.py", python)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_golden(case, app, python, request, tmp_path):
    expected = case / "expected.csv"
    found = run_case(case, app, python, tmp_path)
    if request.config.getoption("--update-golden"):
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")


def test_every_case_says_why():
    assert CASES and all((case / "WHY.md").read_text(encoding="utf-8").strip() for case in CASES)
