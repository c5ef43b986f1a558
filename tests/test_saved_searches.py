# SPDX-License-Identifier: Apache-2.0
"""The saved searches that are no correlation searches: their conf text, and what they give on events of known lag.

As in test_rules.py, our commands run as packaged processes, and the rest of a search is written in Python under its text.
"""

from __future__ import annotations

import csv

import pytest
from test_app import read_conf
from test_rules import RULES, SEARCHES, arguments_of, commands_of, expand, seconds, split_outside_quotes

from flowlag.learned import COLUMNS
from flowlag.profile import PROFILE_FIELDS
from flowlag.profile_settings import parse_profile_arguments
from flowlag.settings import parse_arguments
from generate import BEGIN, play
from scp import run_command, write_body

LEARN, DELIVERY = "Flow Logs - Learn Windows", "Flow Logs - Delivery Lag"
OURS = {name: keys for name, keys in SEARCHES.items() if name not in RULES}
KEYS = {
    "description", "search", "disabled", "enableSched", "is_visible", "realtime_schedule", "schedule_window",
    "cron_schedule", "dispatch.earliest_time", "dispatch.latest_time",
}  # fmt: skip
INDEX_TIME_KEYS = {"dispatch.index_earliest", "dispatch.index_latest"}


def test_these_and_no_other():
    assert list(OURS) == [LEARN, DELIVERY]


@pytest.mark.parametrize("stanza", OURS)
def test_search_is_off_and_well_formed(stanza):
    """Off, scheduled, no key misspelt; macros balanced, no dollar, and our commands take their options."""
    search = OURS[stanza]
    assert set(search) == KEYS | (INDEX_TIME_KEYS if stanza == DELIVERY else set())
    assert search["disabled"] == search["enableSched"] == "1"
    assert "HOW TO IMPLEMENT: set flowlag_index" in search["description"]
    assert "$" not in expand(search["search"])
    assert all(split_outside_quotes(expand(search["search"]), "|"))
    for command in commands_of(stanza):
        if command.startswith("flowlagenrich"):
            parse_arguments(arguments_of(command))
        if command.startswith("flowlagprofile"):
            parse_profile_arguments(arguments_of(command))


def test_fields_are_those_of_the_command():
    for stanza in OURS:
        for command in commands_of(stanza):
            if command.startswith(("table ", "fields ")):
                assert set(command.split()[1:]) <= set(PROFILE_FIELDS)
    assert "fields " + " ".join(COLUMNS) in commands_of(LEARN)


def test_the_lookup_is_the_one_that_flowlagenrich_reads():
    from flowlag.lookup import PLACE

    (name,) = {command.split()[-1] for command in commands_of(LEARN) if "lookup" in command}
    assert read_conf("default/transforms.conf")[name] == {"filename": PLACE.name}


def test_every_minute_is_learned_from():
    """The range of event time is longer than the schedule; and the day of index time is a whole one."""
    search = OURS[LEARN]
    assert search["cron_schedule"].split()[1:] == ["*"] * 4  # hourly
    assert seconds(search["dispatch.earliest_time"]) - seconds(search["dispatch.latest_time"]) > 3600
    assert (OURS[DELIVERY]["dispatch.index_earliest"], OURS[DELIVERY]["dispatch.index_latest"]) == ("-1d@d", "@d")


@pytest.fixture
def run(app, python):
    """Our command as the conf text has it, on rows."""

    def call(command, rows):
        script = app / "bin" / f"{command.split()[0]}.py"
        _, (reply,) = run_command(script, python, arguments_of(command), [write_body(rows)])
        assert reply.messages == []
        return reply.rows

    return call


def pick(rows, command):
    return [{name: row[name] for name in command.split()[1:]} for row in rows]


def test_learning_hourly(run, app, python, tmp_path):
    """Two hours, each as the search would see it: the second appends, old rows go, and flowlagenrich uses the rest."""
    search, fields, append, where, store = commands_of(LEARN)[3:]
    assert (search, append) == (
        "search timing_mode=grid OR timing_mode=batch OR timing_mode=flow",
        "inputlookup append=true flowlag_windows",
    )
    assert (where, store) == ("where last_end>=now()-`flowlag_windows_age`", "outputlookup flowlag_windows")
    kept = []
    for hour in (0, 1):
        records = [r for mode in ("grid", "batch", "flow") for r in play(mode, 5, 7200, 100)]
        records = [r for r in records if hour * 3600 <= r.start - BEGIN < hour * 3600 + 3600]
        rows = [{"_raw": record.line(), "_time": str(record.start)} for record in records]
        for command in commands_of(LEARN)[1:3]:
            rows = run(command, rows)
        now = BEGIN + hour * (int(expand("`flowlag_windows_age`")) - 600) + 3600
        rows = pick([row for row in rows if row["timing_mode"] in ("grid", "batch", "flow")], fields) + kept
        kept = [row for row in rows if int(row["last_end"]) >= now - int(expand("`flowlag_windows_age`"))]
    assert len(kept) == 6
    import shutil

    shutil.copytree(app, tmp_path / "flowlag")
    (tmp_path / "flowlag" / "lookups").mkdir()
    with (tmp_path / "flowlag" / "lookups" / "flowlag_windows.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(kept[0]))
        writer.writeheader()
        writer.writerows(kept)
    body = write_body([{"_raw": record.line()} for record in records])
    _, (reply,) = run_command(tmp_path / "flowlag" / "bin" / "flowlagenrich.py", python, [], [body])
    assert {row["flowlag_window_basis"] for row in reply.rows} == {"profile"} and reply.messages == []


def test_delivery_lag(run):
    """Records that came 20 to 400 s after their end: the report says so, the latest interface first."""
    search, table, sort = commands_of(DELIVERY)[3:]
    assert (search, sort) == ("search index_lag_max=*", "sort 0 -suggest_lookback")
    rows = []
    for mode, first in (("grid", 20), ("batch", 301)):
        rows += [
            {"_raw": record.line(), "_indextime": str(record.end + first + i % 100)}
            for i, record in enumerate(play(mode, 1, 3600, 100))
        ]
    rows += [{"_raw": record.line(), "_indextime": ""} for record in play("flow", 1)]
    for command in commands_of(DELIVERY)[1:3]:
        rows = run(command, rows)
    rows = pick([row for row in rows if row["index_lag_max"]], table)
    rows.sort(key=lambda row: -float(row["suggest_lookback"]))
    assert [(row["interface_id"][:9], row["suggest_delay"], row["suggest_lookback"]) for row in rows] == [
        ("eni-batch", "399", "520"),
        ("eni-grid0", "118", "239"),
    ]
