# SPDX-License-Identifier: Apache-2.0
"""Pairs the logins of an estate with flows: by the commands, which run as processes, and by plain joins.

Of the product nothing is imported. The only key is the pair of addresses, as with most login events, and no command is
told the lag.
"""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.accuracy.estate_files import Files
from bench.accuracy.estates import Estate
from bench.accuracy.groups import Group, Rows
from bench.accuracy.scores import Candidate, Listed, Scores, claims, score
from tools.places import ROOT


def run(*arguments: object) -> Rows:
    """The rows that a command of the work tree writes."""
    command = [sys.executable, "-m", "flowlag", *map(str, arguments), "--output", "csv"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "lib")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return list(csv.DictReader(io.StringIO(done.stdout)))


STARTS = ("--starts", "tcp_flags")
PROBABILITY = ("--rank", "probability", "--exclusive", "false")
ONE_TO_ONE = ("--rank", "probability", "--exclusive", "true")

TODAY, NEAREST = "`match_share`", "nearest start"
OPENING, NEAREST_OPENING = "`starts`, `match_share`", "`starts`, nearest start"
CLAIMED, EXCLUSIVE = "`starts`, `match_probability`", "`starts`, `exclusive=true`"
WITHOUT, CONNECTED = "`exclusive=true` only", "`flowlagconnect`, `exclusive=true`"

#: The options of a run -> the ways that are read from it: name, and the field with the score.
RUNS: dict[tuple[str, ...], tuple[tuple[str, str], ...]] = {
    (): ((TODAY, "match_share"), (NEAREST, "")),
    STARTS: ((OPENING, "match_share"), (NEAREST_OPENING, "")),
    (*STARTS, *PROBABILITY): ((CLAIMED, "match_probability"),),
    (*STARTS, *ONE_TO_ONE): ((EXCLUSIVE, "match_probability"),),
    ONE_TO_ONE: ((WITHOUT, "match_probability"),),
}
WAYS = (TODAY, NEAREST, OPENING, NEAREST_OPENING, CLAIMED, EXCLUSIVE, WITHOUT, CONNECTED)
JOINS = (60, 300)


class Measured(NamedTuple):
    """What one way did in one estate."""

    scores: Scores
    claims: list[tuple[float, bool]]


def match(flows: Path, logins: Path, by: str, *options: str) -> Rows:
    """The pairs of flows and logins."""
    arguments = ("--by", by, "--maxmatches", 100000, "--unmatched", "false", *options)
    return run("match", "--flows", flows, "--anchors", logins, *arguments)


def list_pairs(rows: Rows, names: Mapping[str, int], field: str) -> Listed:
    """The candidates of each login, in the order of the rows; without a field, by the distance of start and login."""
    listed: dict[int, list[Candidate]] = defaultdict(list)
    for row in rows:
        value = float(row[field]) if field else -abs(float(row["flow_start"]) - float(row["_time"]))
        listed[int(row["login"])].append(Candidate(names[row["flow__raw"]], value))
    if not field:
        for candidates in listed.values():
            candidates.sort(key=lambda each: -each.score)
    return listed


def pair_records(estate: Estate, files: Files, options: tuple[str, ...]) -> dict[str, Measured]:
    """What each way did that is read from a run with these options."""
    names = {each.line(): number for number, each in enumerate(estate.records)}
    truth = {login.number: login.record for login in estate.logins}
    rows = match(files.servers, files.logins, "srcaddr=src,dstaddr=dest", *options)
    lists = {way: list_pairs(rows, names, field) for way, field in RUNS[options]}
    return {way: Measured(score(listed, truth), list(claims(listed, truth))) for way, listed in lists.items()}


def join(estate: Estate, seconds: float) -> Scores:
    """What a join finds of records that start within so many seconds of a login."""
    servers = {login.server.interface for login in estate.logins}
    keyed: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, each in enumerate(estate.records):
        if each.interface in servers:
            keyed[each.series[:2]].append(number)
    listed = {
        login.number: [
            Candidate(number, 1.0)
            for number in keyed[login.client.address, login.server.address]
            if abs(estate.records[number].start - login.time) <= seconds
        ]
        for login in estate.logins
    }
    return score(listed, {login.number: login.record for login in estate.logins})


def pair_groups(estate: Estate, files: Files, groups: Sequence[Group]) -> Measured:
    """What is claimed of connections as flows: each may have begun at any time within its bounds."""
    path = files.logins.with_name("groups.csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("group", "srcaddr", "dstaddr", "start", "end", "packets", "log_status"))
        for number, (row, _) in enumerate(groups):
            start, end = int(row["start_earliest"]), int(row["start_latest"]) - 1  # the lag is already taken off
            writer.writerow((number, row["src"], row["dest"], start, end, 1, "OK"))
    own = {number: name for name, group in enumerate(groups) for number in group.members}
    truth = {login.number: None if login.record is None else own[login.record] for login in estate.logins}
    listed: dict[int, list[Candidate]] = defaultdict(list)
    for row in match(path, files.logins, "srcaddr=src,dstaddr=dest", *ONE_TO_ONE, "--lag", "0"):
        listed[int(row["login"])].append(Candidate(int(row["flow_group"]), float(row["match_probability"])))
    return Measured(score(listed, truth), list(claims(listed, truth)))
