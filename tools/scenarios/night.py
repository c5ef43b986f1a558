# SPDX-License-Identifier: Apache-2.0
"""Plays one night on three servers for the dashboards: flow records and SSH logins whose truth is known.

Each connection has its own client port and some bursts of packets. AWS receives each packet 0 to 60 s after it passed,
and the three interfaces stamp their records in three ways. A login is the first packet of its connection, seen by a
host whose clock is at most half a second off. `python -m tools.scenarios.night` writes samples/night, always the same.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from typing import NamedTuple

from tools.places import ROOT
from tools.scenarios.modes import (
    LONGEST_LAG_S,
    Packet,
    Played,
    batch_windows,
    grid_windows,
    record_flows,
    record_windows,
)

FOLDER = ROOT / "samples" / "night"
BEGIN = 1_773_456_000  # 2026-03-14 02:40:00 UTC
LENGTH_S = 1200

CLIENTS = ("198.51.100.7", "198.51.100.23", "203.0.113.99")
USERS = {"198.51.100.7": "alice", "198.51.100.23": "bob", "203.0.113.99": "backup"}


class Server(NamedTuple):
    """A server: how its interface stamps, its number of connections, and how late its records are delivered (s)."""

    address: str
    interface: str
    mode: str
    connections: int
    delivery: tuple[int, int]


SERVERS = (
    Server("10.0.0.22", "eni-0a1b2c3d4e5f60001", "grid", 8, (20, 90)),
    Server("10.0.1.35", "eni-0a1b2c3d4e5f60002", "batch", 5, (15, 40)),
    Server("10.0.2.80", "eni-0a1b2c3d4e5f60003", "flow", 4, (200, 420)),
)


class Connection(NamedTuple):
    """One SSH connection: its client, the client's port, and when each of its packets passed (epoch seconds)."""

    client: str
    port: int
    passed: tuple[float, ...]


def open_connections(rng: random.Random, server: Server) -> list[Connection]:
    """The connections of a server, each a few bursts within some minutes."""
    connections = []
    for number in range(server.connections):
        time = BEGIN + rng.uniform(60, LENGTH_S - 300)
        passed = []
        for _ in range(rng.randint(2, 6)):
            passed += [time + i * 0.2 for i in range(rng.randint(2, 5))]
            time += rng.uniform(15, 60)
        client = CLIENTS[number % len(CLIENTS)]
        connections.append(Connection(client, rng.randint(32768, 60999), tuple(passed)))
    return connections


def stamp(rng: random.Random, server: Server, connections: list[Connection]) -> Iterator[Played]:
    """The records of a server's interface."""
    packets = []
    for number, connection in enumerate(connections):
        lag = 0.0
        for i, time in enumerate(connection.passed):
            if not i or time - connection.passed[i - 1] > 1:
                lag = rng.uniform(0, LONGEST_LAG_S)  # a burst arrives together
            packets.append(Packet(time, time + lag, number))
    packets.sort(key=lambda packet: packet.received)
    first = int(packets[0].received)
    if server.mode == "flow":
        return record_flows(server.interface, packets)
    windows = grid_windows(rng, first) if server.mode == "grid" else batch_windows(rng, first)
    return record_windows(server.interface, packets, windows, quiet=False)


def play() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Flow records (raw text and index time) and logins, as rows of their files, in order of time."""
    flows, logins = [], []
    for server in SERVERS:
        rng = random.Random(f"night {server.interface}")
        connections = open_connections(rng, server)
        for record in stamp(rng, server, connections):
            connection, count = connections[record.flow], len(record.passed)
            raw = (
                f"2 123456789012 {record.interface} {connection.client} {server.address} {connection.port} 22 6 "
                f"{count} {count * 76} {record.start} {record.end} ACCEPT OK"
            )
            flows.append({"_raw": raw, "_indextime": str(record.end + rng.randint(*server.delivery))})
        for connection in connections:
            logins.append(write_login(rng, server, connection))
    skipped = f"2 123456789012 {SERVERS[1].interface} - - - - - - - {BEGIN + 600} {BEGIN + 629} - SKIPDATA"
    flows.append({"_raw": skipped, "_indextime": str(BEGIN + 660)})
    return sorted(flows, key=lambda row: row["_raw"].split()[10]), sorted(logins, key=lambda row: row["_time"])


def write_login(rng: random.Random, server: Server, connection: Connection) -> dict[str, str]:
    """The login that was the first packet of a connection, with the fields of the CIM."""
    user = USERS[connection.client]
    return {
        "_time": f"{connection.passed[0] + rng.uniform(0, 0.5):.3f}",
        "_raw": f"sshd[4242]: Accepted publickey for {user} from {connection.client} port {connection.port} ssh2",
        "sourcetype": "linux_secure",
        "host": server.address,
        "app": "sshd",
        "action": "success",
        "user": user,
        "src": connection.client,
        "src_port": str(connection.port),
        "dest": server.address,
    }


def main() -> None:
    """Write flows.csv and logins.csv."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(("flows.csv", "logins.csv"), play()):
        with (FOLDER / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
