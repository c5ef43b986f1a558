# SPDX-License-Identifier: Apache-2.0
"""Owns the saved searches that are no correlation searches: their conf text, and what they give on events of known lag.

They run with the text of savedsearches.conf, on an app of the test's own, since one of them writes its lookup.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flowlag.enrich_options import parse_arguments
from flowlag.instants import parse_instant
from flowlag.learn.options import parse_learn_arguments
from flowlag.learn.rows import LEARN_FIELDS
from flowlag.learned import COLUMNS
from flowlag.match.options import parse_match_arguments
from flowlag.profile.options import parse_profile_arguments
from flowlag.profile.profiler import PROFILE_FIELDS
from flowlag.splunk.lookup import PLACE
from tests.spl.engine import Engine
from tests.support.conf import MACROS, read_conf
from tests.support.saved_searches import (
    DELIVERY,
    LAGS,
    LEARN,
    MEASURE,
    REPORTS,
    command_arguments,
    commands_of,
    expand,
    seconds,
)
from tools.scenarios.modes import BEGIN, play

KEYS = {
    "description", "search", "disabled", "enableSched", "is_visible", "realtime_schedule", "schedule_window",
    "cron_schedule", "dispatch.earliest_time", "dispatch.latest_time",
}  # fmt: skip
INDEX_TIME_KEYS = {"dispatch.index_earliest", "dispatch.index_latest"}


def test_these_and_no_other():
    assert list(REPORTS) == [LEARN, LAGS, DELIVERY, MEASURE]


@pytest.mark.parametrize("stanza", REPORTS)
def test_search_is_off_and_well_formed(stanza):
    """Off, scheduled, no key misspelt; macros balanced, no dollar, and our commands take their options."""
    search = REPORTS[stanza]
    assert set(search) == KEYS | (INDEX_TIME_KEYS if stanza == DELIVERY else set())
    assert search["disabled"] == search["enableSched"] == "1"
    assert "HOW TO IMPLEMENT: set flowlag_index" in search["description"]
    assert "$" not in expand(search["search"])
    assert all(commands_of(expand(search["search"])))
    for command in commands_of(REPORTS[stanza]["search"]):
        if command.startswith("flowlagenrich"):
            parse_arguments(command_arguments(command))
        if command.startswith("flowlagprofile"):
            parse_profile_arguments(command_arguments(command))
        if command.startswith("flowlaglearn"):
            parse_learn_arguments(command_arguments(command))
        if command.startswith("flowlagmatch"):
            parse_match_arguments(command_arguments(command))


def test_fields_are_those_of_the_command():
    for stanza in REPORTS:
        for command in commands_of(REPORTS[stanza]["search"]):
            if command.startswith(("table ", "fields ")):
                assert set(command.split()[1:]) <= {*PROFILE_FIELDS, *LEARN_FIELDS, "within"}
    assert "fields " + " ".join(LEARN_FIELDS) in commands_of(REPORTS[LAGS]["search"])
    assert "fields " + " ".join(COLUMNS) in commands_of(REPORTS[LEARN]["search"])


def test_the_lookup_is_the_one_that_flowlagenrich_reads():
    (name,) = {command.split()[-1] for command in commands_of(REPORTS[LEARN]["search"]) if "lookup" in command}
    assert read_conf("default/transforms.conf")[name] == {"filename": Path(PLACE).name}


def test_every_minute_is_learned_from():
    """The range of event time is longer than the schedule; and the day of index time is a whole one."""
    search = REPORTS[LEARN]
    assert search["cron_schedule"].split()[1:] == ["*"] * 4  # hourly
    assert seconds(search["dispatch.earliest_time"]) - seconds(search["dispatch.latest_time"]) > 3600
    assert (REPORTS[DELIVERY]["dispatch.index_earliest"], REPORTS[DELIVERY]["dispatch.index_latest"]) == ("-1d@d", "@d")


@pytest.fixture
def own_app(app, tmp_path):
    return Path(shutil.copytree(app, tmp_path / "flowlag"))


@pytest.fixture
def lookup(own_app):
    """Write the lookup of learned windows."""

    def write(*lines):
        (own_app / PLACE).parent.mkdir(exist_ok=True)
        (own_app / PLACE).write_text("\n".join([",".join(COLUMNS), *lines, ""]), encoding="utf-8")

    return write


@pytest.fixture
def run(own_app, python):
    """Run a saved search, or another one, on events."""

    def call(search, events, now=BEGIN + 86400, **local):
        engine = Engine(events, own_app, python, MACROS, now, local)
        rows = engine.search(REPORTS[search]["search"] if search in REPORTS else search)
        assert engine.messages == []
        return rows

    return call


def flows(records, **more):
    """Flow log lines as they are indexed."""
    flow = {"sourcetype": "aws:cloudwatchlogs:vpcflow", **more}
    return [{"_raw": record.line(), "_time": str(record.start), **flow} for record in records]


def in_hour(records, hour):
    """What is indexed in an hour."""
    return flows(record for record in records if hour * 3600 <= record.start - BEGIN < hour * 3600 + 3600)


def test_learning_hourly(run, lookup):
    """Two hours, each as the search would see it: each interface has one row, and flowlagenrich uses all of it."""
    lookup()
    records = [record for mode in ("grid", "batch", "flow") for record in play(mode, 5, 7200, 100)]
    for hour in (0, 1):
        run(LEARN, in_hour(records, hour), BEGIN + hour * 3600 + 4200)
    kept = run("| inputlookup flowlag_windows", [])
    assert len(kept) == 3 and {row["timing_mode"] for row in kept} == {"grid", "batch", "flow"}
    assert all(float(row["first_start"]) < BEGIN + 300 and float(row["last_end"]) > BEGIN + 6900 for row in kept)
    tagged = run("`flowlag_index` | flowlagenrich", flows(records))
    assert {row["flowlag_window_basis"] for row in tagged} == {"profile"}


def test_windows_that_stay_the_same_are_written_only_so_often(run, lookup, own_app):
    """Each write makes a new knowledge bundle; what the hours between would have said is taken from both sides."""
    lookup()
    records = play("grid", 5, 5 * 3600, 100)
    written = []
    for hour in range(5):
        before = (own_app / PLACE).read_text()
        run(LEARN, in_hour(records, hour), BEGIN + hour * 3600 + 4200, flowlag_windows_every="14400")
        written.append((own_app / PLACE).read_text() != before)
    assert written == [True, False, False, False, True]
    (row,) = run("| inputlookup flowlag_windows", [])
    assert float(row["first_start"]) < BEGIN + 300 and float(row["last_end"]) > BEGIN + 17_700


def test_other_windows_are_written_at_once(run, lookup):
    """A phase that came and went has rows of its own: the one before it and the one after it are not joined."""
    lookup()
    lives = [play("grid", seed, 3 * 3600, 100) for seed in (5, 6, 5)]
    name = lives[0][0].interface
    for hour, life in enumerate(lives):
        seen = in_hour([record._replace(interface=name) for record in life], hour)
        run(LEARN, seen, BEGIN + hour * 3600 + 4200, flowlag_windows_every="14400")
    rows = sorted(run("| inputlookup flowlag_windows", []), key=lambda row: float(row["first_start"]))
    first, second, third = (row["phase"] for row in rows)
    assert first == third != second


def test_the_same_windows_after_a_long_gap_are_another_row(run, lookup):
    lookup()
    records = play("grid", 5, 4 * 3600, 100)
    for hour in (0, 3):
        run(LEARN, in_hour(records, hour), BEGIN + hour * 3600 + 4200)
    assert len(run("| inputlookup flowlag_windows", [])) == 2


def test_old_windows_are_dropped_when_there_is_a_new_one(run, lookup, own_app):
    """A row of which the last record ended longer ago than flowlag_windows_age goes, a younger one stays.

    Without a new row the file is not touched, not even for the old ones: a write makes a new knowledge bundle.
    """
    old = BEGIN + 86400 - int(expand("`flowlag_windows_age`"))
    lookup(f"eni-old,grid,60,6,{BEGIN - 900},{old - 1}", f"eni-new,grid,60,6,{BEGIN - 900},{old}")
    before = (own_app / PLACE).stat().st_mtime_ns
    assert run(LEARN, []) == []
    assert (own_app / PLACE).stat().st_mtime_ns == before
    seen = flows(play("grid", 5, 3600, 100))
    run(LEARN, seen)
    names = [row["interface_id"] for row in run("| inputlookup flowlag_windows", [])]
    assert names[-1] == "eni-new" and len(names) == 2
    before = (own_app / PLACE).stat().st_mtime_ns
    assert run(LEARN, seen) == [], "the same span again is nothing new"
    assert (own_app / PLACE).stat().st_mtime_ns == before


def test_delivery_lag(run):
    """Records that came 20 to 400 s after their end: the report says so, the latest interface first."""
    events = flows(play("flow", 1))
    for mode, first in (("grid", 20), ("batch", 301)):
        for n, record in enumerate(play(mode, 1, 3600, 100)):
            events += flows([record], _indextime=str(record.end + first + n % 100))
    rows = run(DELIVERY, events)
    assert [(row["interface_id"][:9], row["suggest_delay"], row["suggest_lookback"]) for row in rows] == [
        ("eni-batch", "399", "520"),
        ("eni-grid0", "118", "239"),
    ]


# -- lags, learned and measured

FLOW = {"sourcetype": "aws:cloudwatchlogs:vpcflow"}
SSHD = {"sourcetype": "linux_secure", "app": "sshd"}


def opened(count, lag, interface, first=0):
    """Connections that open one a minute: the record with the SYN, and what sshd says of the first packet."""
    rows = []
    for i in range(first, first + count):
        time, port = BEGIN + 60 * i + i % 7 / 8, 40000 + i
        start = int(time) + lag(i)
        raw = f"3 123456789012 {interface} 2001:db8::9 2001:db8::22 {port} 22 6 3 156 {start} {start + 20} ACCEPT OK 2"
        flow = {"interface_id": interface, "src_ip": "2001:db8::9", "dest_ip": "2001:db8::22", "src_port": str(port)}
        flow |= {"dest_port": "22", "start_time": str(start), "end_time": str(start + 20), "log_status": "OK"}
        rows.append({**FLOW, "_raw": raw, "_time": str(start), **flow, "packets": "3", "tcp_flags": "2"})
        line = f'sshd[7]: Connection from 2001:db8::9 port {port} on 2001:db8::22 port 22 rdomain ""'
        rows.append({**SSHD, "_raw": line, "_time": f"{time:.3f}"})
    return rows


def test_learning_lags_hourly(run, own_app):
    """Written when an interface is new, a quantile or a state has changed, or a row is old; else the file is left alone."""
    path = own_app / "lookups" / "flowlag_lags.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(",".join(LEARN_FIELDS) + "\n")
    now = BEGIN + 60 * 130
    run(LAGS, opened(120, lambda i: i % 5, "eni-a"), now)
    (row,) = run("| inputlookup flowlag_lags", [], now)
    assert (row["interface_id"], row["anchors"], row["lag_99"], row["state"]) == ("eni-a", "120", "4", "ok")
    before = path.read_text()
    assert run(LAGS, opened(120, lambda i: i % 5, "eni-a", 5), now + 300) == []
    assert path.read_text() == before, "the same lags again are no news"
    run(LAGS, opened(120, lambda i: i % 5 + 20, "eni-b", 5), now + 300)
    assert [row["interface_id"] for row in run("| inputlookup flowlag_lags", [], now)] == ["eni-b", "eni-a"]
    run(LAGS, opened(200, lambda i: i % 5 + (30 if i > 190 else 0), "eni-a"), now + 600)
    rows = {row["interface_id"]: row for row in run("| inputlookup flowlag_lags", [], now)}
    assert rows["eni-a"]["state"] == "drifting" and float(rows["eni-b"]["lag_95"]) > 23
    run(LAGS, opened(120, lambda i: i % 5 + 20, "eni-b", 800), now + 46_000)
    assert float(run("| inputlookup flowlag_lags", [], now)[0]["learned_to"]) > BEGIN + 48_000, "an old row is renewed"


def test_where_sixty_seconds_hold_and_where_not(run):
    """The interface that is later than the lag in use comes first, with the lag that it needs."""
    events = opened(120, lambda i: i % 50, "eni-a") + opened(120, lambda i: 40 + i % 50, "eni-b", 200)
    rows = run(MEASURE, [*events, *opened(20, lambda i: 5, "eni-c", 400)])
    assert [(row["interface_id"], row["within"], row["anchors"]) for row in rows] == [
        ("eni-b", "no", "120"), ("eni-a", "yes", "120"), ("eni-c", "unknown", "20"),
    ]  # fmt: skip
    assert 88 <= float(rows[0]["lag_99"]) <= 90
    assert command_arguments(commands_of(REPORTS[MEASURE]["search"])[1]) == ["lag=60"], "the lag in use"
    assert expand("`flowlag_longest_lag`") == "60"


ANCHORS = {
    "sshd": {"_raw": 'sshd[7]: Connection from 2001:db8::9 port 40000 on 2001:db8::22 port 22 rdomain ""', "_time": "{}"},
    "firewall": {"_raw": '{{"event":{{"event_type":"netflow"}}}}', "_time": "1", "event.src_ip": "2001:db8::9",
        "event.src_port": "40000", "event.dest_ip": "2001:db8::22", "event.dest_port": "22", "event.netflow.pkts": "1",
        "event.netflow.start": "{}"},
    "zeek": {"_raw": "{{}}", "_time": "1", "id.orig_h": "2001:db8::9", "id.orig_p": "40000", "id.resp_h": "2001:db8::22",
        "id.resp_p": "22", "ts": "{}", "orig_pkts": "1"},
    "alb": {"_raw": "{} 2001:db8::9 40000 22 TLSv1.3 - 0.01 - - - - -", "_time": "1"},
}  # fmt: skip


@pytest.mark.parametrize("source", ANCHORS)
def test_anchors_of_each_source_are_read(run, source):
    """The record starts 12 s after its first packet, and the median says so."""
    flow, _ = opened(1, lambda i: 12, "eni-a")
    time = "2025-11-30T10:53:20Z" if source in ("alb", "firewall") else str(BEGIN)
    assert parse_instant(time) == BEGIN * 1_000_000
    event = {name: value.format(time) for name, value in ANCHORS[source].items()}
    options = (
        "`flowlag_learn_options`"
        if source != "alb"
        else ('by="src_ip=anchor_src,src_port=anchor_src_port,dest_port=anchor_dest_port" anchor_time=anchor_time')
    )
    search = f"* | flowlagenrich | `flowlag_anchor_{source}` | flowlaglearn {options}"
    (row,) = run(search, [flow, {**event, "sourcetype": "anchors"}])
    assert (row["interface_id"], row["anchors"], row["lag_p50"]) == ("eni-a", "1", "12")
