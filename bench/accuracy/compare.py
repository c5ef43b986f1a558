# SPDX-License-Identifier: Apache-2.0
"""Compares ways to pair logins with flows, on traffic whose truth is known: joins on `_time`, and flowlagmatch.

`python -m bench.accuracy.compare` prints the table, for the scenario of tools/scenarios/logins.py. The only key is the
pair of addresses, as with most login events.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.splunkd import install_app, run_command, write_body
from tools.places import newest_package
from tools.scenarios.logins import Pair, read_flows, read_logins, read_truth

JOINS = (("on the same second", 0.999), ("within ±60 s", 60), ("within ±5 min", 300))  # of plain joins on `_time`


#: The options by which a flow is the opening record of a connection, and has one login at most.
OPENING = ("starts=tcp_flags", "rank=probability", "exclusive=true")


class Join(NamedTuple):
    """A way to find pairs, and the pairs it found."""

    name: str
    pairs: set[Pair]


def plain_join(flows: list[dict[str, str]], logins: list[dict[str, str]], seconds: float) -> set[Pair]:
    """Pairs of one key whose `_time` differ by at most so many seconds; a flow's `_time` is its start."""
    return {
        (login["login"], flow["flow"])
        for login in logins
        for flow in flows
        if (flow["src_ip"], flow["dest_ip"]) == (login["src"], login["dest"])
        and abs(float(flow["_time"]) - float(login["_time"])) <= seconds
    }


def nearest_join(flows: list[dict[str, str]], logins: list[dict[str, str]]) -> set[Pair]:
    """For each login the record of its addresses whose start is nearest."""
    starts = {flow["flow"]: float(flow["_time"]) for flow in flows}
    times = {login["login"]: float(login["_time"]) for login in logins}
    nearest: dict[str, tuple[float, str]] = {}
    for login, flow in plain_join(flows, logins, float("inf")):
        nearest[login] = min(nearest.get(login, (float("inf"), "")), (abs(starts[flow] - times[login]), flow))
    return {(login, flow) for login, (_, flow) in nearest.items()}


def opening_records(flows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The records that open a connection: SYN (2) without ACK (16)."""
    return [flow for flow in flows if int(flow["tcp_flags"]) & 18 == 2]


class Ranked(NamedTuple):
    """The pairs of one run of flowlagmatch, the best flow of each login first."""

    pairs: list[Pair]

    @property
    def first(self) -> set[Pair]:
        """The first pair of each login."""
        return set({login: (login, flow) for login, flow in reversed(self.pairs)}.values())


def tag_events(app: Path, events: list[dict[str, str]]) -> tuple[list[dict[str, str]], bytes]:
    """The events as the packaged flowlagenrich tags them, and its reply, for run_match."""
    _, (tagged,) = run_command(app / "bin" / "flowlagenrich.py", sys.executable, [], [write_body(events)])
    return tagged.rows, tagged.body


def run_match(app: Path, body: bytes, options: Sequence[str] = ()) -> Ranked:
    """The pairs that the packaged flowlagmatch finds with these options, by the two addresses."""
    arguments = ["by=src_ip=src,dest_ip=dest", "unmatched=false", *options]
    _, (reply,) = run_command(app / "bin" / "flowlagmatch.py", sys.executable, arguments, [body])
    return Ranked([(row["login"], row["flow_flow"]) for row in reply.rows])


def joins(app: Path) -> Iterator[Join]:
    """Every way to find pairs, on the scenario."""
    flows, logins = read_flows(), read_logins()
    for name, seconds in JOINS:
        yield Join(f"join {name}", plain_join(flows, logins, seconds))
    yield Join("nearest start", nearest_join(flows, logins))
    yield Join("nearest start of opening records", nearest_join(opening_records(flows), logins))
    _, body = tag_events(app, [*flows, *logins])
    every, opening = run_match(app, body), run_match(app, body, OPENING)
    yield Join("`flowlagmatch`", set(every.pairs))
    yield Join("`flowlagmatch`, the first flow of each login", every.first)
    yield Join("`flowlagmatch` of opening records", set(opening.pairs))
    yield Join("`flowlagmatch` of opening records, the most probable flow of each login", opening.first)


def table(app: Path) -> Iterator[str]:
    """The comparison as a Markdown table."""
    truth = read_truth()
    yield "| way | true pairs found | missed | false pairs |"
    yield "|---|---|---|---|"
    for name, pairs in joins(app):
        yield f"| {name} | {len(pairs & truth)} | {len(truth - pairs)} | {len(pairs - truth)} |"


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        print("\n".join(table(install_app(newest_package(), Path(folder)))))


if __name__ == "__main__":
    main()
