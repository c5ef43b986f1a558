# SPDX-License-Identifier: Apache-2.0
"""Measures which flow a login gets, and how well connections are bounded, on made estates whose truth is known.

`PYTHONPATH=lib python -m bench.accuracy.flows --seeds 4` prints all tables.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from bench.accuracy.estate_files import write_estate
from bench.accuracy.estates import LAGS, MODES, Plan, make_estate
from bench.accuracy.groups import Connected, connect, gather_groups
from bench.accuracy.pairs import (
    CLAIMED,
    CONNECTED,
    EXCLUSIVE,
    JOINS,
    NEAREST,
    OPENING,
    RUNS,
    TODAY,
    WAYS,
    WITHOUT,
    Measured,
    join,
    pair_groups,
    pair_records,
    run,
)
from bench.accuracy.scores import BINS, RECALLS, Bin, Scores, add_up, gather_bin

made = lru_cache(maxsize=4)(make_estate)


@cache
def measure_run(plan: Plan, seed: int, options: tuple[str, ...]) -> dict[str, Measured]:
    """What each way of a run did in an estate."""
    estate = made(plan, seed)
    with tempfile.TemporaryDirectory() as folder:
        return pair_records(estate, write_estate(estate, Path(folder)), options)


@cache
def measure_groups(plan: Plan, seed: int) -> Connected:
    """How well `flowlagconnect` finds the connections of an estate."""
    estate = made(plan, seed)
    with tempfile.TemporaryDirectory() as folder:
        files = write_estate(estate, Path(folder))
        return connect(estate, gather_groups(estate, run("connect", files.servers, files.others)))


@cache
def measure_connected(plan: Plan, seed: int) -> Measured:
    """What the connections that `flowlagconnect` finds do as flows."""
    estate = made(plan, seed)
    with tempfile.TemporaryDirectory() as folder:
        files = write_estate(estate, Path(folder))
        return pair_groups(estate, files, gather_groups(estate, run("connect", files.servers, files.others)))


def measure(plan: Plan, seed: int, way: str) -> Measured:
    """What one way did in an estate."""
    if way == CONNECTED:
        return measure_connected(plan, seed)
    (options,) = (options for options, ways in RUNS.items() if way in dict(ways))
    return measure_run(plan, seed, options)[way]


class Study(NamedTuple):
    """Estates of each kind of lag, from fresh seeds."""

    lags: tuple[str, ...]
    seeds: tuple[int, ...]
    plan: Plan = Plan("")

    def estates(self, lag: str) -> list[tuple[Plan, int]]:
        """The estates with a kind of lag, or all if it has no name."""
        plans = [self.plan._replace(lag=each) for each in ([lag] if lag else self.lags)]
        return [(plan, seed) for plan in plans for seed in self.seeds]

    def measure(self, lag: str, way: str) -> list[Measured]:
        """What a way did in each estate with a kind of lag."""
        return [measure(plan, seed, way) for plan, seed in self.estates(lag)]

    def add(self, lag: str, way: str) -> Scores:
        """The counts of a way, added up."""
        return add_up(each.scores for each in self.measure(lag, way))

    @property
    def columns(self) -> tuple[str, ...]:
        """The kinds of lag, and all of them."""
        return (*self.lags, "")


# -- tables


def lay_out(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in Markdown."""
    yield f"| {' | '.join(heading)} |"
    yield f"|{'---|' * len(heading)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def head(study: Study, *first: str) -> tuple[str, ...]:
    """The heading of a table with a column for each kind of lag, and one for all."""
    return (*first, *study.lags, "all")


def tabulate_first(study: Study, ways: Sequence[str] = WAYS) -> Iterator[str]:
    """For how many of the logins that have a flow the right one comes first."""
    rows = [
        [way, *(share(counts.first, counts.owned) for counts in (study.add(lag, way) for lag in study.columns))]
        for way in ways
    ]
    return lay_out(head(study, "way"), rows)


def tabulate_false(study: Study, ways: Sequence[str] = WAYS, recalls: Sequence[float] = RECALLS) -> Iterator[str]:
    """How many false pairs there are for each login if a score is asked for that keeps a share of the true pairs."""
    rows = []
    for seconds in JOINS:
        counts = [add_up(join(made(*each), seconds) for each in study.estates(lag)) for lag in study.columns]
        found = share(counts[-1].listed, counts[-1].owned)
        rows.append([f"join within ±{seconds} s", found, *(rate(each.false[0], each.logins) for each in counts)])
    for way in ways:
        counts = [study.add(lag, way) for lag in study.columns]
        for recall in recalls:
            place = RECALLS.index(recall)
            rows.append([way, f"{100 * recall:.0f} %", *(rate(each.false[place], each.logins) for each in counts)])
    return lay_out(head(study, "way", "recall"), rows)


def tabulate_listed(study: Study) -> str:
    """A sentence on the true pairs that a way does not list."""
    missed = {way: counts.owned - counts.listed for way, counts in ((way, study.add("", way)) for way in WAYS)}
    return "True pairs that are not listed: " + ", ".join(f"{way} {count}" for way, count in missed.items()) + "."


def tabulate_claims(study: Study, ways: Sequence[str]) -> Iterator[str]:
    """What was claimed, and what was seen."""
    rows = []
    for way in ways:
        pairs = [pair for each in study.measure("", way) for pair in each.claims]
        for low, high in BINS:
            rows.append([way, f"{low:g} to {min(high, 1):g}", *describe_bin(gather_bin(pairs, low, high))])
    return lay_out(("way", "claimed", "pairs", "claimed, mean", "right"), rows)


def describe_bin(found: Bin) -> tuple[str, str, str]:
    """The number of pairs, the mean claim and the share that is right."""
    return str(found.pairs), rate(found.claimed, found.pairs, 3), rate(found.right, found.pairs, 3)


def tabulate_honesty(study: Study, ways: Sequence[str]) -> Iterator[str]:
    """Pairs claimed at 0.9 and more: by how much the claims exceed what is right, over all estates and in the worst."""
    rows = []
    for way in ways:
        estates = [gather_bin(each.claims, 0.9) for each in study.measure("", way)]
        whole = Bin(*map(sum, zip(*estates)))
        over = sum(each.excess > 0.03 for each in estates)
        worst = max(estates, key=lambda each: each.excess)
        rows.append([way, *describe_bin(whole), f"{over} of {len(estates)}", f"{worst.excess:+.3f} ({worst.pairs})"])
    names = ("way", "claimed 0.9 and more", "claimed, mean", "right", "estates with more than 0.03 too much")
    return lay_out((*names, "worst estate (pairs)"), rows)


def tabulate_connections(study: Study) -> Iterator[str]:
    """How whole connections are, whether their bounds hold, and how wide these are."""
    rows = []
    for lag in study.columns:
        found = [measure_groups(plan, seed) for plan, seed in study.estates(lag)]
        every = [bounded for each in found for bounded in each.every]
        cells = [lag or "all", share(sum(each.grouped for each in found), sum(each.records for each in found))]
        cells.append(share(sum(each.starts_within for each in every), len(every)))
        cells.append(share(sum(each.ends_within for each in every), len(every)))
        for kind in ("external", "internal"):
            right = [bounded for each in found for bounded in each.right if bounded.kind == kind]
            for widths in ([each.start_widths for each in right], [each.end_widths for each in right]):
                bounds, envelopes = map(sum, zip(*widths))
                cells.append(rate(bounds, envelopes))
        rows.append(cells)
    names = ("lag", "records in whole connections", "starts within", "ends within")
    return lay_out((*names, "external: start", "external: end", "internal: start", "internal: end"), rows)


def share(part: float, whole: float) -> str:
    """A share in percents; 100 only if all is meant."""
    if not whole:
        return "-"
    text = f"{100 * part / whole:.1f}"
    return "100 %" if part == whole else "99.9 %" if text == "100.0" else f"{text} %"


def rate(part: float, whole: float, digits: int = 2) -> str:
    """A quotient."""
    return f"{part / whole:.{digits}f}" if whole else "-"


def tabulate_plans(plans: Mapping[str, Study]) -> Iterator[str]:
    """How much is left in estates of other kinds."""
    rows = []
    for name, study in plans.items():
        counts = [study.add("", way) for way in (TODAY, OPENING, EXCLUSIVE, CONNECTED)]
        first = [share(each.first, each.owned) for each in counts]
        false = [rate(each.false[RECALLS.index(0.99)], each.logins) for each in counts]
        rows.append([name, *(f"{one} / {other}" for one, other in zip(first, false))])
    return lay_out(("estates", TODAY, OPENING, EXCLUSIVE, CONNECTED), rows)


SMALL = Study(LAGS, (1,))  # what a page can be checked against in seconds


def summary() -> Iterator[str]:
    """Right records first, in percents, and false pairs a login at 99 % recall, for one estate of each kind of lag."""
    rows = []
    for way in (TODAY, NEAREST, EXCLUSIVE):
        counts = [SMALL.add(lag, way) for lag in SMALL.columns]
        rows.append([way, "right first", *(share(each.first, each.owned) for each in counts)])
        rows.append([way, "listed", *(share(each.listed, each.owned) for each in counts)])
        place = RECALLS.index(0.99)
        rows.append([way, "false pairs a login", *(rate(each.false[place], each.logins) for each in counts)])
    return lay_out(head(SMALL, "way", "figure"), rows)


def connections() -> Iterator[str]:
    """How well connections are found, for one estate of each kind of lag."""
    return tabulate_connections(SMALL)


def tables(seeds: tuple[int, ...]) -> Iterator[str]:
    """All tables, each with its heading."""
    study = Study(LAGS, seeds)
    ways = (CLAIMED, EXCLUSIVE, WITHOUT, CONNECTED)
    yield from ("", "Right record first:", "", *tabulate_first(study))
    yield from ("", "False pairs a login:", "", *tabulate_false(study), "", tabulate_listed(study))
    yield from ("", "Claims:", "", *tabulate_claims(study, ways), "", *tabulate_honesty(study, ways))
    yield from ("", "Connections:", "", *tabulate_connections(study))
    ten = Study(LAGS, seeds, Plan("", MODES))
    yield from ("", "Connections, ten-minute interfaces among them:", "", *tabulate_connections(ten))
    yield from ("", "Other estates, right record first / false pairs at 99 % recall:", "")
    yield from tabulate_plans(other_estates(seeds))


def other_estates(seeds: tuple[int, ...]) -> dict[str, Study]:
    """Estates that differ in one thing from those of the first tables; one or two of each kind are enough."""
    one, two = seeds[:1], seeds[:2]
    return {
        "as above": Study(LAGS, two),
        "a lag of its own for each packet": Study(("uniform_pkt",), two),
        "a lag that jumps": Study(("drift",), two),
        "a lag that grows with the hour": Study(("load",), two),
        "8 connections an hour": Study(LAGS, two, Plan("", hourly=8)),
        "100 connections an hour": Study(LAGS, one, Plan("", hourly=100)),
        "connections in clumps": Study(LAGS, one, Plan("", clumped=True)),
        "ten-minute interfaces only": Study(LAGS, one, Plan("", ("ten-minute",) * 4)),
    }


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=4, metavar="INT", help="how many estates of each kind of lag")
    parser.add_argument("--first", type=int, default=1, metavar="INT", help="the first seed")
    args = parser.parse_args()
    for line in tables(tuple(range(args.first, args.first + args.seeds))):
        print(line, flush=True)


if __name__ == "__main__":
    main()
