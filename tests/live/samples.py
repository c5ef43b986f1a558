# SPDX-License-Identifier: Apache-2.0
"""Owns the events that the live suite sends: sets by name, each with a source of its own for each run.

Events are JSON objects, so that Splunk extracts their fields without any add-on; the set `lines` is flow log lines as
AWS writes them, which flowlagenrich reads from _raw. The time of an event is recent, since an index drops what is old,
whatever the stamps in the record say. The scenarios of tests/rules are moved to the time of the run as a whole.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any, NamedTuple

from tests.rules.scenarios import DATA, SCENARIOS, read_csv
from tests.support.events import FIELDS
from tests.support.saved_searches import HEALTH, LOGIN, MISSING, SWEEP, VOLUME
from tools.places import ROOT
from tools.scenarios.modes import BEGIN, play

Fields = dict[str, Any]
SOURCETYPE = "flowlag:test"  # without props.conf anywhere: Splunk's defaults extract JSON
VPCFLOW = "aws:cloudwatchlogs:vpcflow"
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z")
RULE_SETS = {LOGIN: "login", SWEEP: "sweep", VOLUME: "volume", MISSING: "missing"}
MULTIVALUE = "first;second, with a comma;$third$"


class Event(NamedTuple):
    """An event of a set: when, what kind of source, and its JSON object or its text."""

    time: float
    sourcetype: str
    body: Any


class Run(NamedTuple):
    """One run of the suite: its id and the time from which its events are counted."""

    id: str
    now: int
    index: str

    def source(self, name: str) -> str:
        """The source of a set of events, never used before."""
        return f"flowlag-live/{self.id}/{name}"

    def base(self, name: str) -> str:
        """The base search that finds a set of this run, and nothing else."""
        return f'index={self.index} source="{self.source(name)}"'


def seed_lines() -> list[str]:
    """The three records of the documents, the newest first."""
    lines = (ROOT / "samples" / "seed.log").read_text(encoding="utf-8").splitlines()
    return sorted(lines, key=lambda line: line.split()[10], reverse=True)


def seed_rows() -> list[Fields]:
    """The same with the fields of the Splunk Add-on for AWS, and others that no command of ours asks for."""
    return [
        {
            **dict(zip(FIELDS, line.split())),
            "n": str(number),
            "note": f'kept back, "quoted" \u00e9 {number}',
            "many": MULTIVALUE,
        }
        for number, line in enumerate(seed_lines())
    ]


def in_order(bodies: Iterable[Any], now: int, sourcetype: str = SOURCETYPE) -> list[Event]:
    """Events a second apart, the first one newest: so Splunk gives them in this order."""
    return [Event(now - 60 - place, sourcetype, body) for place, body in enumerate(bodies)]


def unreadable_rows() -> list[Fields]:
    """One good record, and two that cannot be tagged: the warning has to count them."""
    good, *_ = seed_rows()
    reversed_ = {**good, "end_time": "1602397000"}
    return [good, reversed_, {**good, "start_time": "never"}]


def profile_rows(now: int) -> list[Fields]:
    """Records of three interfaces with known timing, 15 minutes of them up to two minutes before now."""
    shift = (now - 120 - (BEGIN + 900)) // 60 * 60
    records = [record for mode in ("grid", "batch", "flow") for record in play(mode, 1, 900, 40)]
    return [
        {
            "interface_id": f"{record.interface}",
            "start_time": str(record.start + shift),
            "end_time": str(record.end + shift),
            "packets": str(len(record.passed)),
            "log_status": "OK",
        }
        for record in records
    ]


def health_rows(now: int) -> list[Fields]:
    """A record in time, one that is an hour late for its first packet, and SKIPDATA."""
    at = {"in-time": now - 300, "late": now - 5400, "skipped": now - 300}
    return [
        {
            "interface_id": f"eni-{name}",
            "start_time": str(start),
            "end_time": str(start + 59),
            "packets": "9",
            "log_status": "SKIPDATA" if name == "skipped" else "OK",
        }
        for name, start in at.items()
    ]


def login_rows() -> tuple[list[Fields], list[tuple[float, Fields]]]:
    """The flows of samples/logins with AWS's names, and its logins with their times."""
    folder = ROOT / "samples" / "logins"
    _, *lines = (folder / "flows.log").read_text("utf-8").splitlines()
    flows = [dict(zip((*FIELDS, "tcp_flags"), line.split())) for line in lines]
    with (folder / "logins.csv").open(encoding="utf-8", newline="") as file:
        logins = [(float(row.pop("_time")), dict(row)) for row in csv.DictReader(file)]
    return flows, logins


def scenario(rule: str, now: int) -> list[Event]:
    """The events of a rule's scenario in tests/rules, moved so that its search runs now; `kind` tells flows from others."""
    folder, shift = SCENARIOS[rule].folder, now - SCENARIOS[rule].now
    rows = read_csv(DATA / folder / "events.csv")
    return [Event(float(row["_time"]) + shift, SOURCETYPE, nest(moved(row, shift))) for row in rows]


def moved(row: dict[str, str], shift: int) -> Fields:
    """The fields of a scenario's event that have a value, its times moved; _time and _raw are Splunk's to give."""
    fields: Fields = {"kind": "flow" if row.get("start_time") else "event"}
    for name, value in row.items():
        if value == "" or name.startswith("_"):
            continue
        is_stamp = name in ("start_time", "end_time")
        fields[name] = str(int(value) + shift) if is_stamp else ISO.sub(lambda iso: move_iso(iso[0], shift), value)
    return fields


def move_iso(text: str, shift: int) -> str:
    """A time such as 2026-03-01T12:00:00.000Z, moved by whole seconds."""
    stamp = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.000Z").replace(tzinfo=timezone.utc).timestamp() + shift
    return datetime.fromtimestamp(stamp, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def nest(fields: Fields) -> Fields:
    """Dotted names as nested objects, and `{}` as a list of one: what Splunk's extraction names so."""
    nested: Fields = {}
    for name, value in fields.items():
        *folders, last = name.split(".")
        inner = nested
        for folder in folders:
            is_list = folder.endswith("{}")
            inner = inner.setdefault(folder[:-2], [{}])[0] if is_list else inner.setdefault(folder, {})
        inner[last] = value
    return nested


def sets_of(now: int) -> dict[str, list[Event]]:
    """Every set of events by name."""
    flows, logins = login_rows()
    newest = max(time for time, _ in logins)
    return {
        "seed": in_order(seed_rows(), now),
        "lines": in_order(seed_lines(), now, VPCFLOW),
        "unreadable": in_order(unreadable_rows(), now),
        "profile": in_order(profile_rows(now), now),
        "health": in_order(health_rows(now), now),
        "pairs": [
            *in_order(({"kind": "flow", **flow} for flow in flows), now),
            *(
                Event(now - 60 - newest + time, SOURCETYPE, {"kind": "login", "login_time": f"{time:.3f}", **login})
                for time, login in logins
            ),
        ],
        **{name: scenario(rule, now) for rule, name in RULE_SETS.items()},
    }


def hec_events(run: Run, sets: dict[str, list[Event]]) -> list[Fields]:
    """The events as HEC takes them."""
    return [
        {
            "time": f"{event.time:.3f}",
            "index": run.index,
            "source": run.source(name),
            "sourcetype": event.sourcetype,
            "host": "flowlag-live",
            "event": event.body,
        }
        for name, events in sets.items()
        for event in events
    ]


__all__ = ["HEALTH", "RULE_SETS", "Event", "Run", "hec_events", "sets_of"]
