# SPDX-License-Identifier: Apache-2.0
"""`make demo`: shows what the app is for in one screen, in words that it explains itself.

The built package is unpacked and its commands run as splunkd runs them: processes, the chunked protocol, events as they
are in samples/. The joins on `_time` see the same events. Everything printed but the sentences around it is computed.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from bench.accuracy.compare import (
    JOINS,
    OPENING,
    nearest_join,
    opening_records,
    plain_join,
    run_match,
    tag_events,
)
from tests.support.splunkd import install_app, run_command, write_body
from tools.places import SAMPLES, newest_package
from tools.scenarios.logins import Pair, read_flows, read_logins, read_truth

Event = dict[str, str]

LOGIN = "73"  # the right record starts after it, and the nearest one is another connection's

INTRODUCTION = """\
flowlag: when did the packets of a flow log record pass? (All times are UTC.)

A flow log is AWS's list of network traffic. One record counts the packets that one connection
sent in one direction, for a minute or so. It has a start and an end in whole seconds, which say
when AWS received packets: according to AWS, up to 60 s after they passed. So every packet of a
record passed between start - 60 s and end + 1 s; nothing tells where between these bounds.
"""
QUESTION = """\
1. {src} logs in to {dest} at {time}. Which record holds the login's first packet?

   {count} records of the two addresses start within a minute of it. The traffic is made up, so the
   right one is known. flowlagenrich adds the bounds; flowlagmatch compares them with the login.
"""
COMPARISON = """\
2. A join on _time instead. Splunk gives each event one time, _time; that of a record is its start.
   A join pairs a login with the records whose start is near. For this login, and for all {count}:
"""
GUESS = """\
   flowlagmatch misses no right record. An opening record counts the first packet of a connection,
   as TCP flags say. Which of several it is stays a guess, but one that comes with a probability.
"""
SEED = """\
3. Three real records of one connection, {day}, with their bounds by flowlagenrich:
"""
BATCH = """\
   The last two count one packet each: AWS often gives many records the same start and end."""


def clock(epoch: str, form: str = "%H:%M:%S") -> str:
    """A time in UTC, by default its time of day."""
    return datetime.fromtimestamp(float(epoch), timezone.utc).strftime(form)


def bounds(record: Event) -> tuple[str, str, str]:
    """The cells that every table of records has: start, end, and between which times its packets passed."""
    start, end, earliest, latest = (clock(record[f"flowlag_{name}"]) for name in ("start", "end", "earliest", "latest"))
    return start, end, f"{earliest} and {latest}"


def table(*rows: tuple[str, ...]) -> Iterator[str]:
    """Lines of a table, the head first; each column is as wide as it must be."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        yield ("   " + "   ".join(cell.ljust(width) for cell, width in zip(row, widths))).rstrip()
    yield ""


class Logins:
    """The logins of samples/logins with the flow records around them: what is true, and what each way to pair gives."""

    def __init__(self, app: Path) -> None:
        flows, logins = read_flows(), read_logins()
        tagged, body = tag_events(app, [*flows, *logins])
        self.every, self.opening = run_match(app, body), run_match(app, body, OPENING)
        self.records = {event["flow"]: event for event in tagged if event["flow"]}
        self.login, self.count = logins[int(LOGIN)], len(logins)
        self.truth = read_truth()
        self.joins = {name: plain_join(flows, logins, seconds) for name, seconds in JOINS}
        self.nearest = nearest_join(flows, logins)
        self.nearest_opening = nearest_join(opening_records(flows), logins)

    def chosen(self, pairs: set[Pair]) -> list[str]:
        """Of pairs, the flow records of the login that is shown, in order of time."""
        return sorted((flow for login, flow in pairs if login == LOGIN), key=int)

    def show_records(self) -> Iterator[str]:
        """Part 1: the records around the login, and which of them can have its first packet."""
        near, possible = self.chosen(self.joins["within ±60 s"]), self.chosen(set(self.every.pairs))
        time = clock(self.login["_time"], "%H:%M:%S.%f")[:-3]
        yield QUESTION.format(src=self.login["src"], dest=self.login["dest"], time=time, count=len(near))
        yield from table(
            ("start", "end", "packets passed between", "can it be this record?", ""),
            *(
                (
                    *bounds(self.records[flow]),
                    "yes" if flow in possible else "no",
                    "<- the right one" if (LOGIN, flow) in self.truth else "",
                )
                for flow in near
            ),
        )

    def show_ways(self) -> Iterator[str]:
        """Part 2: what joins and flowlagmatch give for the login, and how right they are for all."""
        yield COMPARISON.format(count=self.count)
        joins = self.joins
        ways = [("join on the nearest start", self.nearest)]
        ways += [(f"join {name}", joins[name]) for name in ("within ±60 s", "within ±5 min")]
        ways += [("flowlagmatch", set(self.every.pairs)), ("opening records only", set(self.opening.pairs))]
        ways += [("the nearest of these", self.nearest_opening), ("the most probable one", self.opening.first)]
        yield from table(
            ("", "records for this login", f"right ones, of {self.count}", "wrong ones"),
            *((name, self.judge(pairs), *self.score(pairs)) for name, pairs in ways),
        )
        yield GUESS

    def judge(self, pairs: set[Pair]) -> str:
        """Of pairs, in words, those of the login that is shown."""
        found = self.chosen(pairs)
        right = any((LOGIN, flow) in self.truth for flow in found)
        if len(found) == 1:
            return f"{clock(self.records[found[0]]['flowlag_start'])}, the {'right' if right else 'wrong'} one"
        return f"{len(found)}, the right one {'among them' if right else 'not'}" if found else "none"

    def score(self, pairs: set[Pair]) -> tuple[str, str]:
        """How many pairs are right, and how many are not."""
        return str(len(pairs & self.truth)), str(len(pairs - self.truth))


def show_seed(app: Path) -> Iterator[str]:
    """Part 3: the three records that the project began with."""
    lines = (SAMPLES / "seed.log").read_text(encoding="utf-8").splitlines()
    body = write_body([{"_raw": line, "_time": ""} for line in lines])
    _, (reply,) = run_command(app / "bin" / "flowlagenrich.py", sys.executable, [], [body])
    yield SEED.format(day=clock(reply.rows[0]["flowlag_start"], "%Y-%m-%d"))
    yield from table(
        ("packets", "start", "end", "packets passed between", "middle"),
        *(
            (
                record["_raw"].split()[8],
                *bounds(record),
                f"{clock(record['flowlag_time'])} ± {record['flowlag_uncertainty']} s",
            )
            for record in reply.rows
        ),
    )
    yield BATCH


def main() -> None:
    """Print the three parts."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as folder:
        app = install_app(newest_package(), Path(folder))
        logins = Logins(app)
        print(INTRODUCTION)
        print("\n".join([*logins.show_records(), *logins.show_ways(), *show_seed(app)]))


if __name__ == "__main__":
    main()
