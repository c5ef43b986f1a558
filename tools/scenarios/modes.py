# SPDX-License-Identifier: Apache-2.0
"""Plays packets through the three timing modes of real interfaces, and writes flow log records whose truth is known.

Each packet passes at a true time t and is received 0 to 60 s later. The mode makes the record's stamps from the times
of receipt: `grid` (windows of 60 s with one phase and a shared end), `batch` (flows share whole windows of 4 to 31
s), `flow` (each flow has its own stamps). `python -m tools.scenarios.modes` writes samples/modes.log, always the
same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Callable, NamedTuple

from tools.places import ROOT

TARGET = ROOT / "samples" / "modes.log"
BEGIN = 1_764_500_000  # 2025-11-30 10:53:20 UTC
LONGEST_LAG_S = 60.0

PEERS = (("2001:db8::9", 22), ("2001:db8::23", 443), ("2001:db8::77", 3389), ("2001:db8::40", 53))


class Packet(NamedTuple):
    """One packet: when it passed, when it was received (both epoch seconds), and its flow's number."""

    passed: float
    received: float
    flow: int


class Played(NamedTuple):
    """One record with the true times of its packets (epoch seconds)."""

    interface: str
    flow: int
    start: int
    end: int
    passed: tuple[float, ...]

    def line(self) -> str:
        """The record in AWS's default layout."""
        address, port = PEERS[self.flow % len(PEERS)]
        count, server = len(self.passed), f"2001:db8:1::{10 + self.flow}"
        return (
            f"2 123456789012 {self.interface} {address} {server} {40000 + self.flow} {port} 6 {count} {count * 52} "
            f"{self.start} {self.end} ACCEPT OK"
        )


def send_packets(rng: random.Random, length_s: int, flows: int) -> list[Packet]:
    """Bursts of packets of `flows` flows over `length_s` seconds, in order of receipt."""
    packets = []
    for flow in range(flows):
        for _ in range(rng.randint(1, 3)):
            passed = BEGIN + rng.uniform(0, length_s)
            lag = rng.uniform(0, LONGEST_LAG_S)  # a burst arrives together
            packets += [Packet(t, t + lag, flow) for t in (passed + i * 0.2 for i in range(rng.randint(1, 3)))]
    return sorted(packets, key=lambda packet: packet.received)


def grid_windows(rng: random.Random, first: int, interval: int = 60) -> Iterator[tuple[int, int]]:
    """[open, close) of windows of `interval` seconds, one after the other."""
    opened = first - first % interval + rng.randrange(interval) - interval
    while True:
        yield opened, opened + interval
        opened += interval


def batch_windows(rng: random.Random, first: int) -> Iterator[tuple[int, int]]:
    """[open, close) of windows of 4 to 31 s, back to back."""
    opened = first - 1
    while True:
        closed = opened + rng.randint(5, 32)
        yield opened, closed
        opened = closed


def by_flow(packets: list[Packet]) -> dict[int, list[Packet]]:
    """Packets grouped by flow, in order of receipt."""
    flows: dict[int, list[Packet]] = {}
    for packet in packets:
        flows.setdefault(packet.flow, []).append(packet)
    return flows


def record_windows(
    interface: str, packets: list[Packet], windows: Iterator[tuple[int, int]], quiet: bool
) -> Iterator[Played]:
    """Records that share the stamps of their window; on a quiet interface, start is the first traffic in the window."""
    last = packets[-1].received
    for opened, closed in windows:
        inside = [packet for packet in packets if opened <= packet.received < closed]
        start = int(inside[0].received) if quiet and inside else opened
        for flow, members in by_flow(inside).items():
            yield Played(interface, flow, start, closed - 1, tuple(packet.passed for packet in members))
        if closed > last:
            return


def record_flows(interface: str, packets: list[Packet]) -> Iterator[Played]:
    """Records with stamps of their own: what one flow received within a second."""
    for flow, members in by_flow(packets).items():
        group: list[Packet] = []
        for packet in [*members, None]:
            if group and (packet is None or packet.received >= int(group[0].received) + 2):
                yield Played(
                    interface, flow, int(group[0].received), int(group[-1].received), tuple(p.passed for p in group)
                )
                group = []
            if packet is not None:
                group.append(packet)


def play(mode: str, seed: int, length_s: int = 240, flows: int = 4) -> list[Played]:
    """The records of one interface in `mode` (grid, quiet-grid, batch, flow), ordered by end."""
    rng = random.Random(f"{mode} {seed}")
    packets = send_packets(rng, length_s, flows)
    interface = f"eni-{mode.replace('-', '')[:5]:0<9}{seed:08x}"
    first = int(packets[0].received)
    modes: dict[str, Callable[[], Iterator[Played]]] = {
        "grid": lambda: record_windows(interface, packets, grid_windows(rng, first), quiet=False),
        "quiet-grid": lambda: record_windows(interface, packets, grid_windows(rng, first), quiet=True),
        "batch": lambda: record_windows(interface, packets, batch_windows(rng, first), quiet=False),
        "flow": lambda: record_flows(interface, packets),
    }
    return sorted(modes[mode](), key=lambda record: (record.end, record.flow))


MODES = ("grid", "quiet-grid", "batch", "flow")


def sample() -> str:
    """The text of samples/modes.log: some records in each mode, an interval without traffic, one with drops."""
    lines = [record.line() for mode in MODES for record in play(mode, seed=1, length_s=150, flows=3)[:5]]
    for status, start in (("NODATA", BEGIN + 300), ("SKIPDATA", BEGIN + 330)):
        lines.append(f"2 123456789012 eni-idle000000000001 - - - - - - - {start} {start + 29} - {status}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(sample())
