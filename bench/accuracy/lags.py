# SPDX-License-Identifier: Apache-2.0
"""Measures learned lags on made estates whose truth is known: how often they hold, how narrow they are, how they rank.

`learn` learns from the sessions of the first hours, as a firewall that sees each first packet would report them. It is
tried on the last hour: `enrich --confidence` gives opening records their likely bounds, and `match` gives logins their
flow. The commands run as processes; nothing of the product is imported.
`PYTHONPATH=lib python -m bench.accuracy.lags --seeds 4` prints the tables.
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
from bench.accuracy.flows import lay_out, rate, share
from bench.accuracy.groups import Rows
from bench.accuracy.pairs import ONE_TO_ONE, STARTS, list_pairs, match, run
from bench.accuracy.scores import RECALLS, Bin, Scores, add_up, claims, gather_bin, score

#: Two hours to learn from, with 200 sessions at each server, and one to try.
THREE_HOURS = Plan("", hours=3)
#: Lags that do not stay: one that jumps, and one that grows with the hour.
CHANGING = ("drift", "load")
CONFIDENCES = ("95", "99")
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


def learn(estate: Estate, plan: Plan, files: Files) -> Path:
    """A file of what is learned of the servers' interfaces."""
    anchors, path = (files.logins.with_name(name) for name in ("anchors.csv", "lags.csv"))
    write_anchors(estate, plan, anchors)
    rows = run("learn", "--flows", files.servers, "--anchors", anchors, "--by", BY, "--flags", "tcp_flags")
    write_csv(path, list(rows[0]), [list(row.values()) for row in rows])
    return path


def try_lags(estate: Estate, plan: Plan, rows: Rows) -> dict[str, Tried]:
    """How each interface did, by the rows that `enrich` gives of the servers' records."""
    by_line = {row["_raw"]: row for row in rows}
    opening = find_openings(estate)
    found: dict[str, list[tuple[bool, float]]] = defaultdict(list)
    for each in sessions(estate):
        time, _ = each.bounds(each.server)
        if time >= plan.last_hour:
            record = estate.records[opening[each.number, each.server.interface]]
            row = by_line[record.line()]
            likely = float(row["flowlag_likely_earliest"])
            width = (record.end + 1 - likely) / (record.end + 1 - record.start + LONGEST_LAG_S)
            found[record.interface].append((likely <= time, width))
    return {
        name: Tried(len(some), sum(is_covered for is_covered, _ in some), tuple(width for _, width in some))
        for name, some in found.items()
    }


class Ranked(NamedTuple):
    """What ranking did in an estate: counts, and the pairs that are claimed at 0.9 and more."""

    scores: Scores
    claimed: Bin


def rank(estate: Estate, files: Files, *options: object) -> Ranked:
    """Which flow each login gets."""
    rows = match(files.servers, files.logins, "srcaddr=src,dstaddr=dest", *STARTS, *ONE_TO_ONE, *map(str, options))
    names = {each.line(): number for number, each in enumerate(estate.records)}
    truth = {login.number: login.record for login in estate.logins}
    listed = list_pairs(rows, names, "match_probability")
    return Ranked(score(listed, truth), gather_bin(claims(listed, truth), 0.9))


class Measured(NamedTuple):
    """An estate: what was tried of each interface, by confidence; and the ranking without and with what was learned."""

    tried: dict[str, dict[str, Tried]]
    ranked: tuple[Ranked, Ranked]


@cache
def measure(plan: Plan, seed: int) -> Measured:
    """Make an estate, learn, and try what was learned."""
    estate = make_estate(plan, seed)
    with tempfile.TemporaryDirectory() as folder:
        files = write_estate(estate, Path(folder))
        lags = learn(estate, plan, files)
        tried = {
            confidence: try_lags(estate, plan, run("enrich", "--lags", lags, "--confidence", confidence, files.servers))
            for confidence in CONFIDENCES
        }
        return Measured(tried, (rank(estate, files), rank(estate, files, "--lags", lags)))


def describe(lag: str, seeds: Sequence[int], confidence: str) -> tuple[str, str, str]:
    """Coverage of all interfaces and of an estate's worst, and width, each the mean of estates with a kind of lag."""
    estates = [list(measure(THREE_HOURS._replace(lag=lag), seed).tried[confidence].values()) for seed in seeds]
    found = [tried for estate in estates for tried in estate]
    covered = sum(tried.covered for tried in found) / sum(tried.records for tried in found)
    worst = fmean(min(tried.coverage for tried in estate) for estate in estates)
    width = fmean(width for tried in found for width in tried.widths)
    return f"{covered:.3f}", f"{worst:.3f}", f"{width:.2f}"


def tabulate_bounds(seeds: Sequence[int], lags: Sequence[str]) -> Iterator[str]:
    """For each confidence the three figures, by kind of lag."""
    rows = []
    for confidence in CONFIDENCES:
        columns = [describe(lag, seeds, confidence) for lag in lags]
        for figure, values in zip(("covered", "worst interface", "width / envelope"), zip(*columns)):
            rows.append((f"{confidence} %", figure, *values))
    return lay_out(("confidence", "figure", *lags), rows)


def tabulate_ranks(seeds: Sequence[int], lags: Sequence[str]) -> Iterator[str]:
    """Which record comes first, false pairs and honesty, without and with what was learned, by kind of lag."""
    rows = []
    for i, way in enumerate(("nothing learned", "learned")):
        columns = []
        for lag in lags:
            ranked = [measure(THREE_HOURS._replace(lag=lag), seed).ranked[i] for seed in seeds]
            counts = add_up(each.scores for each in ranked)
            claimed = Bin(*map(sum, zip(*(each.claimed for each in ranked))))
            false = rate(counts.false[RECALLS.index(0.99)], counts.logins)
            columns.append((share(counts.first, counts.owned), false, f"{claimed.excess:+.3f} ({claimed.pairs})"))
        for figure, values in zip(
            ("right first", "false pairs a login", "claimed 0.9 and more, too much"), zip(*columns)
        ):
            rows.append((way, figure, *values))
    return lay_out(("lags", "figure", *lags), rows)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=4, metavar="INT", help="how many estates of each kind of lag")
    parser.add_argument("--first", type=int, default=1, metavar="INT", help="the first seed")
    args = parser.parse_args()
    seeds = range(args.first, args.first + args.seeds)
    for tabulate in (tabulate_bounds, tabulate_ranks):
        for lags in (LAGS, CHANGING):
            for line in ("", *tabulate(seeds, lags)):
                print(line, flush=True)


if __name__ == "__main__":
    main()
