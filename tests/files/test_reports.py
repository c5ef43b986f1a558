# SPDX-License-Identifier: Apache-2.0
"""What people reported about other readers, tried here: inputs and right values, which are beside the repository."""

import json
import re

import pytest

from flowlag.cli.main import main
from flowlag.enrich import Enricher
from flowlag.enrich_options import parse_settings
from flowlag.errors import SettingsError
from flowlag.options import split_arguments

CASES = (
    "01a 01b 01c 04a 04b 14a 14b 14c 14d 14e 14f 20a 20b 20c 20d 22 26 29 29b 30 32 34a 34b 34c".split()
)  # fmt: skip


@pytest.fixture(scope="module")
def reports(shared_data):
    folder = shared_data / "reports"
    lines = (folder / "expected.jsonl").read_text().splitlines()
    return folder, {case["case"]: case for case in map(json.loads, lines)}


def run_events(folder, case):
    """Rows, what is said, and whether the options were refused."""
    text = (folder / case["file"]).read_text()
    events = json.loads(text) if case["fed"] == "events" else [{"_raw": line} for line in text.splitlines()]
    try:
        enricher = Enricher(parse_settings(split_arguments(case["args"], "flowlagenrich")))
    except SettingsError as error:
        return [], str(error), True
    return list(enricher.rows(events)), enricher.warning() or "", False


@pytest.mark.parametrize("name", CASES)
def test_reports(reports, name, capsys, monkeypatch):
    folder, cases = reports
    case = cases[name]
    if case["fed"] == "cli":
        monkeypatch.chdir(folder)
        code = main([*case["args"], "--output", "json"])
        out, said = capsys.readouterr()
        rows, refused = [json.loads(line) for line in out.splitlines()], code == 2
    else:
        rows, said, refused = run_events(folder, case)
    expected, key = case.get("expected", []), case.get("key")
    if key:
        rows = [row for one in expected for row in rows if row[key] == one[key]]
    assert refused == case.get("refused", False)
    assert [{field: row.get(field) for field in one} for row, one in zip(rows, expected)] == expected
    assert len(rows) == len(expected)
    assert all(re.search(pattern, said, re.IGNORECASE) for pattern in case.get("says", [])), said


def test_no_report_is_left_out(reports):
    assert set(reports[1]) == set(CASES)
