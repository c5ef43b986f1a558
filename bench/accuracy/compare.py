# SPDX-License-Identifier: Apache-2.0
"""Compares ways to pair logins with flows, on traffic whose truth is known: joins on `_time`, and flowlagmatch.

`python -m bench.accuracy.compare` prints the table. The scenario is in samples/logins: one SSH client logs in to six
servers now and then, whose interfaces differ in timing. Each login is the first packet of a connection, and each
packet is received 0 to 60 s after it passed. The only key is the pair of addresses, as with most login events.
`--write` writes the scenario, always the same.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.splunkd import install_app, run_command, write_body
from tools.places import ROOT, newest_package
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

SCENARIO = ROOT / "samples" / "logins"
MODES = ("grid", "quiet-grid", "batch", "batch", "flow", "ten-minute-grid")
CONNECTIONS = 20  # on each interface, within an hour
JOINS = (("on the same second", 0.999), ("within ±60 s", 60), ("within ±5 min", 300))  # of plain joins on `_time`

Pair = tuple[str, str]  # the login's number and the flow's


class Join(NamedTuple):
    """A way to find pairs, and the pairs it found."""

    name: str
    pairs: set[Pair]


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


def write_scenario() -> None:
    """Write flows.log, logins.csv and truth.csv: which flow (by line) holds the first packet of which login."""
    lines: list[str] = []
    logins: list[tuple[str, ...]] = []
    truth: list[Pair] = []
    for number, mode in enumerate(MODES):
        records, begun = play_interface(number, mode)
        server = f"10.0.{number}.22"
        for record in records:
            for login, (time, connection) in enumerate(begun, number * CONNECTIONS):
                if connection == record.flow and time in record.passed:
                    truth.append((str(login), str(len(lines))))
            count = len(record.passed)
            lines.append(
                f"2 123456789012 {record.interface} 198.51.100.7 {server} {40000 + record.flow} 22 6 {count} "
                f"{count * 52} {record.start} {record.end} ACCEPT OK"
            )
        logins += [(f"{time:.3f}", "198.51.100.7", server, f"user{connection}") for time, connection in begun]
    SCENARIO.mkdir(parents=True, exist_ok=True)
    (SCENARIO / "flows.log").write_text("\n".join(lines) + "\n")
    write_csv(SCENARIO / "logins.csv", ("_time", "src", "dest", "user"), logins)
    write_csv(SCENARIO / "truth.csv", ("login", "flow"), truth)


def write_csv(path: Path, header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Write a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def read_csv(name: str) -> list[dict[str, str]]:
    """The rows of a file of the scenario."""
    with (SCENARIO / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def plain_join(flows: list[dict[str, str]], logins: list[dict[str, str]], seconds: float) -> set[Pair]:
    """Pairs of one key whose `_time` differ by at most so many seconds; a flow's `_time` is its start."""
    return {
        (login["login"], flow["flow"])
        for login in logins
        for flow in flows
        if (flow["src_ip"], flow["dest_ip"]) == (login["src"], login["dest"])
        and abs(float(flow["_time"]) - float(login["_time"])) <= seconds
    }


def read_flows() -> list[dict[str, str]]:
    """The flow records as Splunk has them: text, `_time`, the fields of the Splunk Add-on for AWS; and their number."""
    names = (
        "version", "account_id", "interface_id", "src_ip", "dest_ip", "src_port", "dest_port", "protocol", "packets",
        "bytes", "start_time", "end_time", "action", "log_status",
    )  # fmt: skip
    lines = (SCENARIO / "flows.log").read_text(encoding="utf-8").splitlines()
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


def run_commands(app: Path, events: list[dict[str, str]]) -> tuple[list[dict[str, str]], list[Pair]]:
    """The events as the packaged commands tag them, and all their pairs, the best flow of each login first."""
    _, (tagged,) = run_command(app / "bin" / "flowlagenrich.py", sys.executable, [], [write_body(events)])
    arguments = ["by=src_ip=src,dest_ip=dest", "unmatched=false"]
    _, (reply,) = run_command(app / "bin" / "flowlagmatch.py", sys.executable, arguments, [tagged.body])
    return tagged.rows, [(row["login"], row["flow_flow"]) for row in reply.rows]


def first_of_each(pairs: list[Pair]) -> set[Pair]:
    """The first pair of each login."""
    return set({login: (login, flow) for login, flow in reversed(pairs)}.values())


def joins(app: Path) -> Iterator[Join]:
    """Every way to find pairs, on the scenario."""
    flows, logins = read_flows(), read_logins()
    for name, seconds in JOINS:
        yield Join(f"join {name}", plain_join(flows, logins, seconds))
    _, pairs = run_commands(app, [*flows, *logins])
    yield Join("`flowlagmatch`", set(pairs))
    yield Join("`flowlagmatch`, the best flow of each login", first_of_each(pairs))


def table(app: Path) -> Iterator[str]:
    """The comparison as a Markdown table."""
    truth = read_truth()
    yield "| way | true pairs found | missed | false pairs |"
    yield "|---|---|---|---|"
    for name, pairs in joins(app):
        yield f"| {name} | {len(pairs & truth)} | {len(truth - pairs)} | {len(pairs - truth)} |"


def main() -> None:
    """Print the table, or write the scenario."""
    parser = argparse.ArgumentParser(description="Compares ways to pair logins with flows.")
    parser.add_argument("--write", action="store_true", help="write the scenario")
    if parser.parse_args().write:
        write_scenario()
        return
    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(table(install_app(newest_package(), Path(folder)))))


if __name__ == "__main__":
    main()
