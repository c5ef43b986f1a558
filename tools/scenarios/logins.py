# SPDX-License-Identifier: Apache-2.0
"""Plays logins to six servers, and writes the logins, the flow records and which record holds which login.

One SSH client logs in to servers whose interfaces stamp their records in different ways. Each login is the first packet
of a connection, and AWS receives each packet 0 to 60 s after it passed. `make generated` writes samples/logins, always
the same.
"""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Sequence
from functools import cache

from tools.places import SAMPLES
from tools.scenarios.modes import (
    BEGIN,
    LONGEST_LAG_S,
    Packet,
    Played,
    batch_windows,
    grid_windows,
    record_flows,
    record_windows,
)

FOLDER = SAMPLES / "logins"
MODES = ("grid", "quiet-grid", "batch", "batch", "flow", "ten-minute-grid")
CONNECTIONS = 20  # on each interface, within an hour

HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
    "log-status tcp-flags"
)
SYN, FIN = 2, 1

Pair = tuple[str, str]  # the login's number and the flow's


def play_interface(number: int, mode: str) -> tuple[list[Played], list[tuple[float, int]]]:
    """The records of one interface, and (true time, connection) of each login."""
    rng = random.Random(f"logins {number}")
    logins = [(round(BEGIN + rng.uniform(0, 3600), 3), connection) for connection in range(CONNECTIONS)]
    packets = []
    for begun, connection in logins:
        passed = begun
        for _ in range(rng.randint(1, 4)):  # bursts of a session
            lag = rng.uniform(0, LONGEST_LAG_S)
            packets += [Packet(time, time + lag, connection) for time in (passed, passed + 0.2, passed + 0.4)]
            passed += rng.uniform(2, 30)
    packets.sort(key=lambda packet: packet.received)
    interface, first = f"eni-{number:017x}", int(packets[0].received)
    if mode == "flow":
        records = record_flows(interface, packets)
    elif mode == "batch":
        records = record_windows(interface, packets, batch_windows(rng, first), quiet=False)
    else:
        interval = 600 if mode == "ten-minute-grid" else 60
        records = record_windows(interface, packets, grid_windows(rng, first, interval), quiet=mode == "quiet-grid")
    return list(records), logins


@cache
def write_scenario() -> dict[str, str]:
    """The text of flows.log, logins.csv and truth.csv, by name.

    The truth is which flow (counted from 0, without the header line) holds the first packet of which login.
    """
    lines: list[str] = []
    logins: list[tuple[str, ...]] = []
    truth: list[Pair] = []
    for number, mode in enumerate(MODES):
        records, begun = play_interface(number, mode)
        server = f"10.0.{number}.22"
        first = {connection: time for time, connection in begun}
        last: dict[int, float] = {}
        for record in records:
            last[record.flow] = max(last.get(record.flow, 0.0), *record.passed)
        for record in records:
            for login, (time, connection) in enumerate(begun, number * CONNECTIONS):
                if connection == record.flow and time in record.passed:
                    truth.append((str(login), str(len(lines))))
            count = len(record.passed)
            flags = SYN * (first[record.flow] in record.passed) + FIN * (last[record.flow] in record.passed)
            lines.append(
                f"3 123456789012 {record.interface} 198.51.100.7 {server} {40000 + record.flow} 22 6 {count} "
                f"{count * 52} {record.start} {record.end} ACCEPT OK {flags}"
            )
        logins += [(f"{time:.3f}", "198.51.100.7", server, f"user{connection}") for time, connection in begun]
    return {
        "flows.log": "\n".join([HEADER, *lines]) + "\n",
        "logins.csv": write_csv(("_time", "src", "dest", "user"), logins),
        "truth.csv": write_csv(("login", "flow"), truth),
    }


def write_csv(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Rows as CSV with a header line."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return file.getvalue()


def read_csv(name: str) -> list[dict[str, str]]:
    """The rows of a file of the scenario."""
    with (FOLDER / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_flows() -> list[dict[str, str]]:
    """The flow records as Splunk has them: text, `_time`, the fields of the Splunk Add-on for AWS; and their number."""
    names = (
        "version", "account_id", "interface_id", "src_ip", "dest_ip", "src_port", "dest_port", "protocol", "packets",
        "bytes", "start_time", "end_time", "action", "log_status", "tcp_flags",
    )  # fmt: skip
    _, *lines = (FOLDER / "flows.log").read_text(encoding="utf-8").splitlines()
    return [
        {"_raw": line, "_time": line.split()[10], "flow": str(i), **dict(zip(names, line.split()))}
        for i, line in enumerate(lines)
    ]


def read_logins() -> list[dict[str, str]]:
    """The logins with their number."""
    return [{**login, "login": str(i)} for i, login in enumerate(read_csv("logins.csv"))]


def read_truth() -> set[Pair]:
    """The pairs of a login and the flow record that holds its first packet."""
    return {(row["login"], row["flow"]) for row in read_csv("truth.csv")}
