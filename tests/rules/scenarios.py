# SPDX-License-Identifier: Apache-2.0
"""Owns the made events of the correlation searches: a folder for each, when its search runs, and the truth about its pairs.

<scenario>/events.csv has the fields that the rules need, findings.csv what a rule finds, WHY.md the story. What a base
search looks for besides (sourcetype, words of _raw) is added here, so that it has to find its events, too.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from flowlag.instants import parse_instant
from flowlag.match.options import MatchSettings
from tests.spl.engine import Engine
from tests.spl.words import Macros
from tests.support.conf import MACROS
from tests.support.saved_searches import (
    HEALTH,
    LOGIN,
    LOGIN_FAST,
    MISSING,
    RULES,
    SWEEP,
    SWEEP_FAST,
    VOLUME,
    commands_of,
)
from tools.places import ROOT

Row = dict[str, Any]
Pairs = set[tuple[str, str]]
DATA = ROOT / "tests" / "rules"
START = 1772366400  # 2026-03-01 12:00:00 UTC, the time from which the events are counted

#: What an administrator of the scenarios would write into local/macros.conf: addresses and numbers fit for few events, and
#: that the layout has tcp-flags.
LOCAL = {
    "flowlag_outside(1)": 'if(cidrmatch("10.0.0.0/8",$ip$) OR cidrmatch("192.0.2.0/24",$ip$),0,1)=1',
    "flowlag_outbound": "src_ip=192.0.2.0/24",
    "flowlag_sweep_ports": "3",
    "flowlag_login_rank": "starts=tcp_flags rank=probability exclusive=true",
}
CLOUDTRAIL = '{"userIdentity":{"sessionContext":{"ec2RoleDelivery":"2.0"}}}'
GUARDDUTY = (
    '{{"networkInterfaces":[{{"networkInterfaceId":"eni"}}],"type":"{}","action":{{"networkConnectionAction":{{}}}}}}'
)


class Scenario(NamedTuple):
    """Events in a folder, when the search runs, and which of our pairs a plain join on _time misses."""

    folder: str
    now: int
    true: Pairs  # possible pairs that the joins on _time do not have
    false: Pairs  # pairs of a join within five minutes that are not possible
    findings: str = "findings.csv"


SCENARIOS = {
    LOGIN: Scenario(
        "remote-login",
        START + 3600,
        true={("alice logs in", "carried alice"), ("dave logs in over IPv6", "carried dave")},
        false={
            ("bob logs in on a host without flow log", "bob's fixed source port four minutes before"),
            ("alice logs in", "alice's session goes on"),
        },
    ),
    SWEEP: Scenario(
        "sweep",
        START + 7200,
        true={("skewed accepted on 22", f"skewed rejected on {port}") for port in (23, 80, 3389)},
        false={("reversed accepted on 443", f"reversed rejected on {port}") for port in (21, 23, 25)},
    ),
    LOGIN_FAST: Scenario("remote-login", START + 3600, set(), set(), "accelerated.csv"),
    SWEEP_FAST: Scenario("sweep", START + 7200, set(), set(), "accelerated.csv"),
    VOLUME: Scenario(
        "credential-volume",
        START + 3600,
        true={("a: use of the credential", "a: window around the use")},
        false={("c: use of the credential", "c: backup that had ended")},
    ),
    MISSING: Scenario(
        "missing-flow",
        START + 10000,
        true={("1: record stamped later", "1: possible record")},
        false={("2: only a record that had ended", "2: record four minutes before")},
    ),
    HEALTH: Scenario("late-records", START + 7200, true=set(), false=set()),
}


def read_csv(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_events(folder: str) -> list[Row]:
    """Return the events of a scenario as they are indexed."""
    return [{**row, **origin(row)} for row in read_csv(DATA / folder / "events.csv")]


def read_findings(stanza: str) -> list[Row]:
    """Return what a rule has to find."""
    return read_csv(DATA / SCENARIOS[stanza].folder / SCENARIOS[stanza].findings)


def origin(row: Row) -> Row:
    """Return the fields by which the macros of a site find an event: by what it has, it is known where it is from."""
    if row.get("start_time"):
        return {"sourcetype": "aws:cloudwatchlogs:vpcflow"}
    if row.get("savedsearch_name"):
        return {"index": "_internal", "sourcetype": "scheduler", "app": "flowlag", "status": "success"}
    if row.get("user"):
        return {"sourcetype": "linux_secure"}
    if row.get("eventName"):
        return {"sourcetype": "aws:cloudtrail", "_raw": CLOUDTRAIL}
    return {"sourcetype": "aws:cloudwatch:guardduty", "_raw": GUARDDUTY.format(row["detail.type"])}


class Played(NamedTuple):
    """What flowlagmatch got and gave (empty in a search without it), the results of the whole search, and warnings."""

    given: list[Row]
    pairs: list[Row]
    results: list[Row]
    messages: list[tuple[str, str]]


class Stage:
    """The search head of a site on which the rules run, with the text that they have in savedsearches.conf.

    It has one engine for a scenario, which remembers what it has run: a search that differs at its end costs little.
    """

    def __init__(self, app: Path, python: str) -> None:
        self.app, self.python = app, python
        self.engines: dict[str, Engine] = {}

    def engine(self, folder: str, now: float, local: Optional[Mapping[str, str]] = None) -> Engine:
        """Return a search head that has the events of a scenario; `local` goes before the macros of the scenarios."""
        if folder not in self.engines:
            self.engines[folder] = Engine(read_events(folder), self.app, self.python, MACROS, now)
        self.engines[folder].macros = Macros(MACROS, {**LOCAL, **(local or {})})
        return self.engines[folder]

    def find(self, stanza: str, commands: Sequence[str], local: Optional[Mapping[str, str]] = None) -> list[Row]:
        """Return what commands give at the time of a rule's scenario, over the rule's range of event time."""
        rule, scenario = RULES[stanza], SCENARIOS[stanza]
        engine = self.engine(scenario.folder, scenario.now, local)
        return engine.search(" | ".join(commands), rule["dispatch.earliest_time"], rule["dispatch.latest_time"])

    def play(self, stanza: str) -> Played:
        """Run a rule."""
        commands = commands_of(RULES[stanza]["search"])
        match = next((n for n, command in enumerate(commands) if command.startswith("flowlagmatch")), None)
        given, pairs = ([], []) if match is None else (self.find(stanza, commands[:n]) for n in (match, match + 1))
        if any(command.startswith("flowlagconnect") for command in commands):
            name_cases(SCENARIOS[stanza].folder, given, pairs)
        results = self.find(stanza, commands)
        return Played(given, pairs, results, self.engines[SCENARIOS[stanza].folder].messages)


# -- pairs


def ends(row: Row, prefix: str = "") -> frozenset[tuple[str, str]]:
    """Return both ends of the connection of a record, a row of flowlagconnect, or the flow of a pair."""
    return frozenset((row[f"{prefix}{side}_ip"], row[f"{prefix}{side}_port"]) for side in ("src", "dest"))


def name_cases(folder: str, given: list[Row], pairs: list[Row]) -> None:
    """Give connections the name of their first record: flowlagconnect keeps no field of a site."""
    records = sorted(read_events(folder), key=lambda row: row["start_time"], reverse=True)
    cases = {ends(row): row["case"] for row in records}
    for row in given:
        row["case"] = cases[ends(row)]
    for row in pairs:
        row["case"], row["flow_case"] = cases[ends(row)], cases[ends(row, "flow_")]


def case_pairs(rows: list[Row]) -> Pairs:
    """Return the pairs that flowlagmatch gave, by the names of their events."""
    return {(row["case"], row["flow_case"]) for row in rows if row["match_certainty"] != "none"}


def join(given: list[Row], settings: MatchSettings, holds: Callable[[float], bool]) -> Pairs:
    """Return what a join on _time gives: equal keys, and `holds` for the flow's _time minus the anchor's time."""
    assert settings.marker
    field, value = settings.marker
    anchors = [row for row in given if row.get(field) == value]
    flows = [row for row in given if row.get(field) != value and row["flowlag_status"] == "ok"]

    def key(row: Row, names: Iterable[str]) -> list[str]:
        return [row[name] for name in names]

    return {
        (anchor["case"], flow["case"])
        for anchor in anchors
        for flow in flows
        if key(anchor, settings.anchor_keys) == key(flow, settings.flow_keys)
        and holds(float(flow["_time"]) - parse_instant(anchor[settings.anchor_time]) / 1_000_000)  # type: ignore[operator]
    }
