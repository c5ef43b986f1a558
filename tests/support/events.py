# SPDX-License-Identifier: Apache-2.0
"""Events for the views' searches: flow logs with the fields of the Splunk Add-on for AWS, and any events from CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

FIELDS = (
    "version",
    "account_id",
    "interface_id",
    "src_ip",
    "dest_ip",
    "src_port",
    "dest_port",
    "protocol_code",
    "packets",
    "bytes",
    "start_time",
    "end_time",
    "vpcflow_action",
    "log_status",
)
ACTIONS = {"ACCEPT": "allowed", "REJECT": "blocked"}
INDEXED = {"index": "aws", "sourcetype": "aws:cloudwatchlogs:vpcflow", "source": "flow_logs", "host": "aws"}
SERVER = {"splunk_server": "idx-1"}


def read_flows(path: Path, lag: int = 60) -> list[dict[str, str]]:
    """The records of a default (version 2) log as events, indexed `lag` seconds after they start.

    Of a CSV file the column _raw is read, and _indextime where it has one.
    """
    return [flow_event(raw, indextime, lag) for raw, indextime in lines(path) if raw.split()[:1] == ["2"]]


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """Each record's text, and its time of indexing where the file says it."""
    if path.suffix == ".csv":
        for row in read_events(path):
            yield row["_raw"], row.get("_indextime", "")
    else:
        for line in path.read_text().splitlines():
            yield line, ""


def flow_event(raw: str, indextime: str = "", lag: int = 60) -> dict[str, str]:
    """One record as the add-on makes an event of it: time is its start, `action` follows the CIM."""
    values = raw.split()
    if len(values) != len(FIELDS):
        raise ValueError(f"not a record of version 2: {raw!r}")
    event = dict(zip(FIELDS, values))
    action = ACTIONS.get(event["vpcflow_action"])
    return {
        "_time": event["start_time"],
        "_raw": raw,
        "_indextime": indextime or str(int(event["start_time"]) + lag),
        **INDEXED,
        **SERVER,
        **event,
        **({"action": action} if action else {}),
    }


def read_events(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file as they are; a field without a value is not there."""
    with path.open(newline="") as rows:
        return [{name: value for name, value in row.items() if value != ""} for row in csv.DictReader(rows)]
