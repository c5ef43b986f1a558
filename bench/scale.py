# SPDX-License-Identifier: Apache-2.0
"""Measures the packaged commands at sizes that no search should need: `make scale`, or with --quick.

Each case runs at a size and at ten times that size. Each run is its own process on real pipes, in lock step. The
table gives the rows per second, the CPU of the process (start included) and the most resident memory that it ever
had. Every reply is counted; a run that loses a row ends the program. A command that scales shows the same memory at
both sizes, and ten times the CPU. flowlagmatch holds the events of both sides until the last chunk, and
flowlagprofile holds the distinct windows of each interface (here every event has its own), so their memory grows:
look at the bytes per further event.

    events        flowlagenrich over 1 and 10 million events, 50,000 in a chunk
    flows         flowlagmatch over 100 thousand and 1 million flows, and an anchor for every ten
    interfaces    flowlagprofile over 10 and 100 thousand interfaces, ten events of each
    tiny chunks   each command over 10 and 100 thousand chunks of one event
    columns       each command over 200 and 2,000 events with 10,000 columns
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from bench.enrich import CHUNK_ROWS, read_peak_mb, table, tell, write_results
from bench.match import bodies as match_bodies
from bench.match import make_numbers
from bench.traffic import make_chunk
from tests.support.splunkd import Splunkd, install_app
from tools import pythons
from tools.places import newest_package

TIMES = 10
COLUMNS = 10_000
EVENTS_OF_INTERFACE = 10
BEGIN = 1_600_000_000
FIELDS = (
    "start_time,end_time,packets,interface_id,log_status,flowlag_status,flowlag_start,flowlag_end,flowlag_earliest,"
    "flowlag_latest,key,_time"
)

Bodies = Iterator[tuple[bytes, int]]  # a chunk's body, and how many events it has


class Case(NamedTuple):
    """A command and its input; `size` counts the things that the case is named after, and the events follow from it."""

    name: str
    command: str
    arguments: tuple[str, ...]
    size: int
    make: Callable[[int], Bodies]


class Figure(NamedTuple):
    """The cost of one run."""

    python: str
    case: str
    command: str
    size: int
    events: int
    chunks: int
    reply_rows: int
    wall_s: float
    cpu_s: float
    peak_mb: float


# -- input


def make_events(size: int) -> Bodies:
    """Events of the narrow data set."""
    for number in range(-(-size // CHUNK_ROWS)):
        rows = min(CHUNK_ROWS, size - number * CHUNK_ROWS)
        yield make_chunk("narrow", number, rows), rows


def make_flows(size: int) -> Bodies:
    """Flows, and one anchor for every ten of them."""
    for body in match_bodies(*make_numbers(size)):
        yield body, body.count(b"\n") - 1


def _event(i: int, interface: int) -> str:
    """A tagged flow on a grid; its interface is its key."""
    start, end = BEGIN + 60 * i, BEGIN + 60 * i + 59
    return f"{start},{end},3,eni-{interface},OK,ok,{start},{end},{start - 60},{start + 60},{interface},{start}"


def make_interfaces(size: int) -> Bodies:
    """Ten events of each interface, in any order."""
    rows = [_event(i, interface) for interface in range(size) for i in range(EVENTS_OF_INTERFACE)]
    random.Random(size).shuffle(rows)
    for i in range(0, len(rows), CHUNK_ROWS):
        some = rows[i : i + CHUNK_ROWS]
        yield "\n".join([FIELDS, *some, ""]).encode(), len(some)


def make_tiny_chunks(size: int) -> Bodies:
    """Chunks of one event each; every other one is no flow, so that flowlagmatch has anchors."""
    for i in range(size):
        row = _event(i // 2, i % 100) if i % 2 else f",,,,,,,,,,{(i + 1) % 100},{BEGIN + 30 * i}"
        yield f"{FIELDS}\n{row}\n".encode(), 1


def make_columns(size: int) -> Bodies:
    """Events with 10,000 columns, some MB in a chunk; every other one is no flow."""
    names = FIELDS + "".join(f",field_{i}" for i in range(COLUMNS - FIELDS.count(",") - 1))
    tail = ",x" * (COLUMNS - FIELDS.count(",") - 1)
    rows = [_event(i // 2, i % 10) if i % 2 else f",,,,,,,,,,{(i + 1) % 10},{BEGIN + 30 * i}" for i in range(size)]
    for i in range(0, size, 100):
        some = rows[i : i + 100]
        yield "\n".join([names, *(row + tail for row in some), ""]).encode(), len(some)


def plan_cases(quick: bool, only: Optional[list[str]]) -> list[Case]:
    """The cases at their small size."""
    part = 100 if quick else 1
    commands = (("flowlagenrich", ()), ("flowlagmatch", ("by=key", "maxmatches=3")), ("flowlagprofile", ()))
    cases = [
        Case("events", "flowlagenrich", (), 1_000_000 // part, make_events),
        Case("flows", "flowlagmatch", ("by=key", "unmatched=false"), 100_000 // part, make_flows),
        Case("interfaces", "flowlagprofile", (), 10_000 // part, make_interfaces),
        *(Case("tiny chunks", name, arguments, 10_000 // part, make_tiny_chunks) for name, arguments in commands),
        *(Case("columns", name, arguments, max(200 // part, 10), make_columns) for name, arguments in commands),
    ]
    return [case for case in cases if only is None or case.name in only]


# -- measuring


def run(app: Path, python: str, version: str, case: Case, size: int) -> Figure:
    """Run one search: every request has one reply, and no row may be missing."""
    off = ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
    env = {name: value for name, value in os.environ.items() if name not in off}
    events, chunks, reply_rows, wall_s = 0, 0, 0, 0.0
    with Splunkd(app / "bin" / f"{case.command}.py", python, env=env) as splunkd:
        splunkd.getinfo(*case.arguments)
        for body, rows in _with_last(case.make(size)):
            asked = time.perf_counter()
            reply = splunkd.execute(body, finished=not body)
            wall_s += time.perf_counter() - asked
            answered = max(reply.body.count(b"\n") - 1, 0)
            if case.command == "flowlagenrich" and answered != rows:
                raise SystemExit(f"bench.scale: {case.name}: {rows} events were sent and {answered} came back")
            events, chunks, reply_rows = events + rows, chunks + 1, reply_rows + answered
        peak_mb = read_peak_mb(splunkd.process.pid)
        splunkd.process.stdin.close()  # type: ignore[union-attr]
        _, status, usage = os.wait4(splunkd.process.pid, 0)
        splunkd.process.returncode = status
    if status or not reply_rows:
        raise SystemExit(f"bench.scale: {case.name} on {version} failed: {splunkd.stderr.decode(errors='replace')}")
    cpu_s = usage.ru_utime + usage.ru_stime
    return Figure(version, case.name, case.command, size, events, chunks, reply_rows, wall_s, cpu_s, peak_mb)


def _with_last(bodies: Bodies) -> Bodies:
    """The chunks, and after them the empty one that ends a search."""
    yield from bodies
    yield b"", 0


def describe(figure: Figure, smaller: Optional[Figure]) -> list[str]:
    """A run as a line of the table."""
    dearer, growth, held = "", "", ""
    if smaller is not None:
        dearer = f"{figure.cpu_s / smaller.cpu_s:.1f}"
        growth = f"{figure.peak_mb / smaller.peak_mb:.2f}"
        held = f"{(figure.peak_mb - smaller.peak_mb) * 2**20 / (figure.events - smaller.events):.0f}"
    return [
        figure.case,
        figure.command,
        *(f"{count:,}" for count in (figure.events, figure.chunks, figure.reply_rows)),
        f"{figure.events / figure.wall_s:,.0f}",
        f"{figure.cpu_s:.1f} s",
        f"{figure.cpu_s / figure.events * 1e6:.1f} us",
        dearer,
        f"{figure.peak_mb:.0f} MB",
        growth,
        held,
    ]


HEADINGS = (
    "case", "command", "events", "chunks", "rows of replies", "events/s", "CPU", "CPU per event", "CPU, times",
    "peak memory", "memory, times", "bytes per further event",
)  # fmt: skip


def measure(app: Path, version: str, python: str, cases: Iterable[Case]) -> Iterator[tuple[Figure, list[str]]]:
    """Measure each case at its size and at ten times that; yield the figures and their line of the table."""
    for case in cases:
        smaller: Optional[Figure] = None
        for size in (case.size, TIMES * case.size):
            tell(f"Python {version}: {case.name}, {case.command}, {size:,}")
            figure = run(app, python, version, case, size)
            yield figure, describe(figure, smaller)
            smaller = figure


def main() -> int:
    """Measure every case on every Python that is found."""
    names = sorted({case.name for case in plan_cases(False, None)})
    parser = argparse.ArgumentParser(description="Measures the packaged commands at large sizes.")
    parser.add_argument("--quick", action="store_true", help="a hundredth of the sizes")
    parser.add_argument("--python", action="append", help="a version, such as 3.9 (default: 3.9 and 3.13)")
    parser.add_argument("--case", action="append", choices=names, help="a case (default: all)")
    parser.add_argument("--package", type=Path, help="the package to measure (default: the one in dist/)")
    parser.add_argument("--output", type=Path, default=Path("build", "bench-scale.json"), help="where the JSON goes")
    options = parser.parse_args()
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="flowlag-scale-") as folder:
        app = install_app(options.package or newest_package(), Path(folder))
        for version in options.python or pythons.WANTED:
            python = pythons.find(version)
            if python is None:
                continue
            lines = []
            for figure, line in measure(app, version, python, plan_cases(options.quick, options.case)):
                results.append(figure._asdict())
                lines.append(line)
                print(json.dumps(figure._asdict()), file=sys.stderr)
            print(table(f"Python {version}", HEADINGS, lines), flush=True)
    write_results(options.output, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
