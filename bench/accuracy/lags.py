# SPDX-License-Identifier: Apache-2.0
"""Measures learned lags on made estates whose truth is known: how often they hold, and how much they narrow.

`flowlaglearn` learns from the sessions of the first hours, as a firewall that sees each first packet would report them;
what it learned is tried on the opening records of the last hour: the interval from start less the learned lag to the
end and a second. Where an interface has no such quantile, or drifts, it is the envelope. Of the product nothing is
imported.
`PYTHONPATH=lib python -m bench.accuracy.lags --seeds 4` prints the table.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from bench.accuracy.estate_files import Files, write_csv, write_estate
from bench.accuracy.estates import LAGS, LONGEST_LAG_S, TCP, Connection, Estate, Plan, find_openings, make_estate
from bench.accuracy.groups import Rows
from bench.accuracy.pairs import run

#: Two hours to learn from, with 200 sessions at each server, and one to try.
THREE_HOURS = Plan("", hours=3)
BY = "srcaddr=src,srcport=src_port,dstaddr=dest,dstport=dest_port"
ANCHOR_FIELDS = ("_time", "src", "src_port", "dest", "dest_port")


class Tried(NamedTuple):
    """How an interface did: opening records, those whose first packet was not before the likely interval, widths.

    A width is that of the likely interval over that of the envelope.
    """

    records: int
    covered: int
    widths: tuple[float, ...]

    @property
    def coverage(self) -> float:
        return self.covered / self.records


def sessions(estate: Estate) -> list[Connection]:
    """The connections that a server sees the opening of."""
    return [each for each in estate.connections if each.protocol == TCP and each.server.interface]


def write_anchors(estate: Estate, plan: Plan, path: Path) -> None:
    """The first packet of each session before the last hour, at the server."""
    times = ((each.bounds(each.server)[0], each) for each in sessions(estate))
    rows = [
        (f"{time:.3f}", each.client.address, each.client_port, each.server.address, each.server_port)
        for time, each in sorted(times, key=lambda pair: pair[0])
        if time < plan.last_hour
    ]
    write_csv(path, ANCHOR_FIELDS, rows)


def learn(estate: Estate, plan: Plan, files: Files) -> Rows:
    """What is learned of the servers' interfaces."""
    anchors = files.logins.with_name("anchors.csv")
    write_anchors(estate, plan, anchors)
    return run("learn", "--flows", files.servers, "--anchors", anchors, "--by", BY, "--flags", "tcp_flags")


def try_lags(estate: Estate, plan: Plan, rows: Rows, confidence: str) -> dict[str, Tried]:
    """How each interface did."""
    lags = {row["interface_id"]: row[f"lag_{confidence}"] for row in rows if row["state"] != "drifting"}
    opening = find_openings(estate)
    found: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for each in sessions(estate):
        time, _ = each.bounds(each.server)
        if time >= plan.last_hour:
            record = estate.records[opening[each.number, each.server.interface]]
            likely = record.start - float(lags.get(record.interface) or LONGEST_LAG_S)
            width = (record.end + 1 - likely) / (record.end + 1 - record.start + LONGEST_LAG_S)
            found[record.interface].append((likely <= time, width))
    return {
        name: Tried(len(some), sum(is_covered for is_covered, _ in some), tuple(width for _, width in some))
        for name, some in found.items()
    }


@cache
def measure(plan: Plan, seed: int, confidence: str) -> dict[str, Tried]:
    """Make an estate, learn, and try what was learned."""
    estate = make_estate(plan, seed)
    with tempfile.TemporaryDirectory() as folder:
        files = write_estate(estate, Path(folder))
        return try_lags(estate, plan, learn(estate, plan, files), confidence)


def describe(lag: str, seeds: Sequence[int], confidence: str) -> tuple[str, str, str]:
    """Coverage of all interfaces and of an estate's worst, and width, each the mean of estates with a kind of lag."""
    estates = [list(measure(THREE_HOURS._replace(lag=lag), seed, confidence).values()) for seed in seeds]
    found = [tried for estate in estates for tried in estate]
    covered = sum(tried.covered for tried in found) / sum(tried.records for tried in found)
    worst = fmean(min(tried.coverage for tried in estate) for estate in estates)
    width = fmean(width for tried in found for width in tried.widths)
    return f"{covered:.3f}", f"{worst:.3f}", f"{width:.2f}"


def table(seeds: Sequence[int], lags: Sequence[str] = LAGS) -> Iterator[str]:
    """For each confidence the three figures, by kind of lag."""
    yield f"| confidence | figure | {' | '.join(lags)} |"
    yield f"|{'---|' * (2 + len(lags))}"
    for confidence in ("95", "99"):
        columns = [describe(lag, seeds, confidence) for lag in lags]
        for figure, values in zip(("covered", "worst interface", "width / envelope"), zip(*columns)):
            yield f"| {confidence} % | {figure} | {' | '.join(values)} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=4, metavar="INT", help="how many estates of each kind of lag")
    parser.add_argument("--first", type=int, default=1, metavar="INT", help="the first seed")
    args = parser.parse_args()
    for line in table(range(args.first, args.first + args.seeds)):
        print(line, flush=True)


if __name__ == "__main__":
    main()
