# SPDX-License-Identifier: Apache-2.0
"""The saved searches that are no correlation searches: their conf text, and what they give on events of known lag.

As in test_rules.py, our commands run as packaged processes, and the rest of a search is written in Python under its text.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from flowlag.enrich_options import parse_arguments
from flowlag.learned import COLUMNS
from flowlag.match_options import parse_match_arguments
from flowlag.profile import PROFILE_FIELDS
from flowlag.profile_options import parse_profile_arguments
from tests.app.test_conf import read_conf
from tests.rules.test_rules import RULES, SEARCHES, arguments_of, commands_of, expand, seconds, split_outside_quotes
from tests.support.splunkd import run_command, write_body
from tools.scenarios.logins import play_interface
from tools.scenarios.modes import BEGIN, play

LEARN, DELIVERY, MEASURE = "Flow Logs - Learn Windows", "Flow Logs - Delivery Lag", "Flow Logs - Measured Lag"
OURS = {name: keys for name, keys in SEARCHES.items() if name not in RULES}
KEYS = {
    "description", "search", "disabled", "enableSched", "is_visible", "realtime_schedule", "schedule_window",
    "cron_schedule", "dispatch.earliest_time", "dispatch.latest_time",
}  # fmt: skip
INDEX_TIME_KEYS = {"dispatch.index_earliest", "dispatch.index_latest"}


def test_these_and_no_other():
    assert list(OURS) == [LEARN, DELIVERY, MEASURE]


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
        if command.startswith("flowlagmatch"):
            parse_match_arguments(arguments_of(command))


def test_fields_are_those_of_the_command():
    for stanza in OURS:
        for command in commands_of(stanza):
            if command.startswith(("table ", "fields ")):
                assert set(command.split()[1:]) <= set(PROFILE_FIELDS)
    assert "fields " + " ".join(COLUMNS) in commands_of(LEARN)


def test_the_lookup_is_the_one_that_flowlagenrich_reads():
    from flowlag.splunk.lookup import PLACE

    (name,) = {command.split()[-1] for command in commands_of(LEARN) if "lookup" in command}
    assert read_conf("default/transforms.conf")[name] == {"filename": Path(PLACE).name}


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


# --- the lag, measured ---

#: The commands behind flowlagmatch, which measured() below does in Python; change both together.
MEASURING = [
    "eval start_after=flow_flowlag_start-_time, end_before=_time-flow_flowlag_end, "
    "outside=max(0,start_after,end_before), is_possible=if(match_gap_min<=1 AND match_gap_max>=-1,1,0)",
    "sort 0 _time, -is_possible, outside",
    "dedup _time user src src_port dest keepempty=true",
    "lookup flowlag_windows interface_id AS flow_interface_id OUTPUT timing_mode",
    'eval timing_mode=case(match_certainty="none","none",isnull(timing_mode),"unknown",true(),mvindex(timing_mode,0))',
    "eval share_without=round(1-with_possible_record/logins,4)",
]
MODES = ("grid", "quiet-grid", "batch", "flow")


def connections(more_lag=0):
    """Flows and logins of four interfaces; each login is the first packet of its connection, and one has no flow log."""
    rows = []
    for number, mode in enumerate(MODES):
        records, logins = play_interface(number, mode)
        for record in records:
            times = {"start_time": str(record.start + more_lag), "end_time": str(record.end + more_lag)}
            client = {"src_ip": f"2001:db8::{number}", "src_port": str(40000 + record.flow)}
            rows.append({**times, **client, "action": "allowed", "interface_id": mode, "packets": "3"})
        for time, connection in logins:
            client = {"src": f"2001:db8::{number}", "src_port": str(40000 + connection)}
            rows.append({"_time": str(time), **client, "action": "success", "user": f"user{connection}", "dest": mode})
    return [*rows, {"_time": str(BEGIN), "src": "2001:db8::9", "src_port": "1", "action": "success", "user": "nobody"}]


def measured(run, rows):
    """timing_mode -> logins, with_possible_record, share_without, the greatest start_after and end_before."""
    _, enrich, match, *rest = commands_of(MEASURE)
    assert [command for command in rest if not command.startswith("stats ")] == MEASURING
    pairs = run(match, run(enrich, rows))
    best = {}
    for pair in pairs:
        if pair["match_certainty"] == "none":
            values = ("none", 0, None, None)
        else:
            start_after = float(pair["flow_flowlag_start"]) - float(pair["_time"])
            end_before = float(pair["_time"]) - float(pair["flow_flowlag_end"])
            is_possible = float(pair["match_gap_min"]) <= 1 and float(pair["match_gap_max"]) >= -1
            values = (pair["flow_interface_id"].replace("quiet-", ""), int(is_possible), start_after, end_before)
        rank = (-values[1], max(0, values[2] or 0, values[3] or 0))
        login = tuple(pair.get(name, "") for name in ("_time", "user", "src", "src_port", "dest"))
        best[login] = min(best.get(login, (rank, values)), (rank, values))
    table = {}
    for mode in {values[0] for _, values in best.values()}:
        rows = [values for _, values in best.values() if values[0] == mode]
        possible = sum(values[1] for values in rows)
        greatest = [max(values[i] for values in rows) if mode != "none" else None for i in (2, 3)]
        table[mode] = (len(rows), possible, round(1 - possible / len(rows), 4), *greatest)
    return table


def test_where_sixty_seconds_hold(run):
    """Every login has a possible record, none is stamped more than 60 s late, and none before its login."""
    table = measured(run, connections())
    assert {mode: row[:3] for mode, row in table.items()} == {
        "grid": (40, 40, 0), "batch": (20, 20, 0), "flow": (20, 20, 0), "none": (1, 0, 1),
    }  # fmt: skip
    assert 50 < table["flow"][3] <= 60 and all(row[4] <= 1 for mode, row in table.items() if mode != "none")


def test_where_the_lag_is_longer(run):
    """Stamps that are 45 s later: some logins have no possible record, and start_after_max tells the lag to set."""
    table = measured(run, connections(more_lag=45))
    assert all(row[2] > 0.2 for mode, row in table.items() if mode in ("batch", "flow"))
    assert 95 < table["flow"][3] <= 105
    assert arguments_of(commands_of(MEASURE)[1]) == ["lag=60"], "the lag in use"
