# SPDX-License-Identifier: Apache-2.0
"""Measures the cost of flowlagenrich for a search, beside that of other programs: `make bench`, or with --quick.

Each contender is its own process on a real pipe, asked in lock step as splunkd does: getinfo, then chunk by chunk, each
answered before the next is sent. The contenders take turns within every repetition. A ratio compares neighbours in one
repetition, and the table gives the median (lowest to highest). CPU is the whole of what the process used (user and
system, wait4), start included, per event; peak memory is VmHWM just before the end of input. Nothing here runs inside
Splunk, and absolute rates are those of this machine: quote ratios.

    stock   a plain StreamingCommand of the vendored SDK with the SDK's own loop, over the same Enricher
    brief   the same, but it computes these answers in a few lines of its own, without options, checks or other fields
    ours    the packaged command
    no-op   csv.reader into csv.writer, no work at all
    copy    the bytes as they came

Variants of ours: `learned` with a lookup of learned windows, `community` with community=true, `confident` with
confidence=99 and a lookup of learned lags, `described` with the layout of `_raw` in format=. `splits` is `brief` for
events of which only `_raw` is known. bench/instructions.py counts instructions instead of time.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Optional

from bench.traffic import REORDERED, SHAPES, make_chunk, write_lags, write_lookup
from tests.support.splunkd import Splunkd, install_app
from tools import pythons
from tools.places import ROOT, newest_package

CHUNK_ROWS = 50_000
SMALL_CHUNK_ROWS = 2_500  # limits.conf: max_results_perchunk

#: Puts the app's lib/ on the module path, as bin/_sdk.py does, without its savings.
_OWN_PATH = """
import os, sys
_BIN = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if os.path.abspath(path or os.curdir) != _BIN]
sys.path.insert(0, os.path.join(os.path.dirname(_BIN), "lib"))
"""
_SDK = """
from splunklib.searchcommands import Configuration, StreamingCommand, dispatch
from flowlag.enrich import Enricher
from flowlag.enrich_options import Settings
@Configuration()
class StockCommand(StreamingCommand):
    def prepare(self):
        self.enricher = Enricher(Settings())
    def stream(self, records):
        return self.enricher.rows(records)
dispatch(StockCommand, module_name=__name__)
"""
_BRIEF = """
from splunklib.searchcommands import Configuration, StreamingCommand, dispatch
from flowlag.tags import TAG_FIELDS
FIELDS = ["flowlag_" + name for name in TAG_FIELDS]
@Configuration()
class BriefCommand(StreamingCommand):
    def stream(self, records):
        for record in records:
            {read}
            length = end - start
            full = 58 <= length <= 60
            time, uncertainty = (start + end - 59) / 2, (length + 61) / 2
            stamps = "packet" if length <= 1 else "batch" if packets == 1 else "unclear"
            window = (end - 59, end + 1, "full", max(0, start - end + 59), "record") if full else ("", "", "", "", "")
            answers = ("ok", start, end, length, start - 60, end + 1, f"{{time:.1f}}" if time % 1 else int(time),
                "%g" % uncertainty, *window, stamps)
            record.update(zip(FIELDS, answers))
            yield record
dispatch(BriefCommand, module_name=__name__)
"""
_BRIEF_FIELDS = 'start, end, packets = int(record["start_time"]), int(record["end_time"]), int(record["packets"])'
_BRIEF_WORDS = """words = record["_raw"].split()
            start, end, packets = int(words[10]), int(words[11]), int(words[8])"""
_LOOP = """
import sys{imports}
def work(body):
    {work}
requests, replies = sys.stdin.buffer, sys.stdout.buffer
while True:
    header = requests.readline()
    if not header:
        break
    lengths = header.decode().split(",")
    metadata = requests.read(int(lengths[1]))
    body = requests.read(int(lengths[2]))
    answer, metadata = (work(body), b'{{"finished":false}}') if body else (b"", b'{{"type":"streaming"}}')
    replies.write(b"chunked 1.0,%d,%d\\n" % (len(metadata), len(answer)) + metadata)
    replies.write(answer)
    replies.flush()
"""
_NOOP = """out = io.StringIO()
    csv.writer(out, lineterminator="\\n").writerows(csv.reader(io.StringIO(body.decode(), newline="")))
    return out.getvalue().encode()"""
#: Scripts that are written beside the packaged command; `bare` and `import` only measure the start.
SCRIPTS = {
    "stock": _OWN_PATH + _SDK,
    "brief": _OWN_PATH + _BRIEF.format(read=_BRIEF_FIELDS),
    "splits": _OWN_PATH + _BRIEF.format(read=_BRIEF_WORDS),
    "no-op": _LOOP.format(imports=", csv, io\ncsv.field_size_limit(1 << 30)", work=_NOOP),
    "copy": _LOOP.format(imports="", work="return body"),
    "bare": _LOOP.format(imports="", work="return body"),
    "import": _OWN_PATH + "import splunklib.searchcommands\n" + _LOOP.format(imports="", work="return body"),
}


#: The arguments of a variant of ours.
ARGUMENTS = {
    "ours": (), "learned": (), "community": ("community=true",), "confident": ("confidence=99",),
    "described": (f"format={REORDERED}",),
}  # fmt: skip


class Run(NamedTuple):
    """The cost of one process: times in seconds, memory in MB. `first_s` is the time to the first chunk's reply."""

    start_s: float
    first_s: float
    wall_s: float
    cpu_s: float
    peak_mb: float
    slowest_s: float


class Case(NamedTuple):
    """The data, the contenders and the Python of one measurement."""

    version: str
    shape: str
    chunk_rows: int
    events: int
    contenders: tuple[str, ...]

    @property
    def key(self) -> str:
        """The name of the case in tables and files."""
        return f"{self.shape} {self.events // 1000}k by {self.chunk_rows}"


class Machine:
    """The unpacked package with the other contenders beside it, and the interpreters that run them."""

    def __init__(self, folder: Path, package: Path, versions: Iterable[str]) -> None:
        self.bin = install_app(package, folder / "apps") / "bin"
        self.own_apps = {}
        for variant, lookup, text in (
            ("learned", "flowlag_windows.csv", write_lookup()),
            ("confident", "flowlag_lags.csv", write_lags()),
        ):
            app = self.own_apps[variant] = install_app(package, folder / variant)
            (app / "lookups").mkdir()
            (app / "lookups" / lookup).write_text(text)
        for name, code in SCRIPTS.items():
            (self.bin / f"{name}.py").write_text(code)
        self.pythons = {version: path for version in versions for path in [pythons.find(version)] if path}
        off = ("PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
        self.env = {name: value for name, value in os.environ.items() if name not in off}

    def script(self, contender: str) -> Path:
        """What a contender runs."""
        bin = self.own_apps[contender] / "bin" if contender in self.own_apps else self.bin
        return bin / ("flowlagenrich.py" if contender in ARGUMENTS else f"{contender}.py")

    def open(self, version: str, contender: str) -> Splunkd:
        """Start a contender."""
        return Splunkd(self.script(contender), self.pythons[version], env=self.env)

    def run(self, version: str, contender: str, bodies: Iterable[bytes]) -> Run:
        """Run one whole search and return its cost."""
        first_s = 0.0
        begun = time.perf_counter()
        with self.open(version, contender) as splunkd:
            splunkd.getinfo(*ARGUMENTS.get(contender, ()))
            start_s = time.perf_counter() - begun
            walls = []
            for body in bodies:
                asked = time.perf_counter()
                splunkd.execute(body)
                answered = time.perf_counter()
                first_s = first_s or answered - begun
                walls.append(answered - asked)
            peak_mb = read_peak_mb(splunkd.process.pid)
            splunkd.process.stdin.close()  # type: ignore[union-attr]
            _, status, usage = os.wait4(splunkd.process.pid, 0)
            splunkd.process.returncode = status
        if status:
            raise SystemExit(
                f"bench.enrich: {contender} on {version} failed: {splunkd.stderr.decode(errors='replace')}"
            )
        return Run(start_s, first_s, sum(walls), usage.ru_utime + usage.ru_stime, peak_mb, max(walls, default=0.0))

    def first_reply(self, version: str, contender: str, body: bytes) -> bytes:
        """The reply to one chunk."""
        with self.open(version, contender) as splunkd:
            splunkd.getinfo(*ARGUMENTS.get(contender, ()))
            reply = splunkd.execute(body).body
            splunkd.close()
        return reply


def read_peak_mb(pid: int) -> float:
    """The most resident memory that a running process ever had."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def read_events(body: bytes) -> list[dict[str, str]]:
    """A reply's events, without empty twins, which the SDK adds for its new columns."""
    csv.field_size_limit(1 << 30)
    rows = csv.DictReader(io.StringIO(body.decode(), newline=""))
    return [
        {name: value for name, value in row.items() if value or not name.startswith("__mv_")} for row in rows
    ]  # fmt: skip


def check_events(machine: Machine, version: str, shape: str) -> int:
    """Compare our events of a data set with the stock SDK's; return their number, or exit if one differs."""
    body = make_chunk(shape, 0, SMALL_CHUNK_ROWS)
    others = ("stock", *filter(None, [BRIEF.get(shape)]))
    ours, *theirs = (read_events(machine.first_reply(version, name, body)) for name in ("ours", *others))
    if any(events != ours for events in theirs) or len(ours) != SMALL_CHUNK_ROWS:
        raise SystemExit(f"bench.enrich: on {version}, ours and the stock SDK give other events for {shape}")
    learned = read_events(machine.first_reply(version, "learned", body)) if shape == "narrow" else ()
    if any(event["flowlag_window_basis"] != "profile" for event in learned):
        raise SystemExit(f"bench.enrich: on {version}, the lookup of learned windows is not used")
    confident = read_events(machine.first_reply(version, "confident", body)) if shape == "narrow" else ()
    if any(event["flowlag_likely_basis"] != "interface" for event in confident):
        raise SystemExit(f"bench.enrich: on {version}, the lookup of learned lags is not used")
    identified = read_events(machine.first_reply(version, "community", body)) if shape == "wide" else ()
    if any(not event["flowlag_community_id"].startswith("1:") for event in identified):
        raise SystemExit(f"bench.enrich: on {version}, an event has no Community ID")
    return len(ours)


def make_bodies(case: Case, kept: dict[tuple[str, int, int], bytes]) -> Iterator[bytes]:
    """The chunks of a case; narrow ones are kept for the next run, wide ones are made again."""
    for number in range(case.events // case.chunk_rows):
        place = (case.shape, number, case.chunk_rows)
        body = kept.get(place) or make_chunk(*place)
        if sum(map(len, kept.values())) + len(body) < 1_500_000_000:
            kept[place] = body
        yield body


def measure(machine: Machine, case: Case, repetitions: int) -> dict[str, list[Run]]:
    """The runs of each contender, interleaved."""
    runs: dict[str, list[Run]] = {name: [] for name in case.contenders}
    kept: dict[tuple[str, int, int], bytes] = {}
    for repetition in range(repetitions):
        for name in case.contenders:
            tell(f"Python {case.version}, {case.key}, {repetition + 1} of {repetitions}: {name}")
            runs[name].append(machine.run(case.version, name, make_bodies(case, kept)))
    return runs


def measure_start(machine: Machine, version: str, repetitions: int) -> dict[str, list[Run]]:
    """Runs over one event, interleaved, after one run that makes the .pyc files."""
    names = ("bare", "import", "ours", "stock")
    body = make_chunk("narrow", 0, 1)
    for name in names:
        machine.run(version, name, [body])
    tell(f"Python {version}, start: {repetitions} times")
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for _ in range(repetitions):
        for name in names:
            runs[name].append(machine.run(version, name, [body]))
    return runs


def tell(what: str) -> None:
    """Print progress on stderr."""
    print(f"[{time.strftime('%H:%M:%S')}] {what}", file=sys.stderr)


# -- figures


def spread(values: Iterable[float], digits: int = 1) -> str:
    """Median (lowest to highest)."""
    ordered = sorted(values)
    middle = statistics.median(ordered)
    if len(ordered) == 1:
        return f"{middle:.{digits}f}"
    return f"{middle:.{digits}f} ({ordered[0]:.{digits}f}-{ordered[-1]:.{digits}f})"


def ratios(above: list[Run], below: list[Run]) -> list[float]:
    """CPU of one contender over another's, by repetition."""
    return [one.cpu_s / other.cpu_s for one, other in zip(above, below)]


def table(heading: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Rows as Markdown."""
    lines = [list(columns), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    text = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join([f"\n{heading}\n", *text])


def case_table(case: Case, runs: dict[str, list[Run]]) -> str:
    """One case, a line for each contender."""
    rows = [
        [
            name,
            spread(run.cpu_s / case.events * 1e6 for run in mine) + " us",
            f"{case.events / statistics.median(run.wall_s for run in mine):,.0f}",
            spread((run.peak_mb for run in mine), 0) + " MB",
            spread((run.slowest_s for run in mine), 2) + " s",
            spread(ratios(mine, runs["ours"]), 2),
        ]
        for name, mine in runs.items()
    ]
    columns = ("contender", "CPU per event", "events/s", "peak memory", "slowest chunk", "CPU over ours")
    return table(f"Python {case.version}, {case.key}", columns, rows)


def start_table(version: str, runs: dict[str, list[Run]]) -> str:
    """The start: above that of the bare interpreter, and as a share of importing the SDK."""
    rows = []
    for name, mine in runs.items():
        row = [name]
        for moment in ("start_s", "first_s"):
            above = over_bare(runs, name, moment)
            share = [a / b for a, b in zip(above, over_bare(runs, "import", moment))]
            row += [spread(getattr(run, moment) * 1e3 for run in mine), spread(above), spread(share, 2)]
        rows.append(row)
    columns = ("started", "ms to getinfo's reply", "above bare", "of the SDK's import",
               "ms to the first event's reply", "above bare", "of the SDK's import")  # fmt: skip
    return table(f"Python {version}, start", columns, rows)


def over_bare(runs: dict[str, list[Run]], name: str, moment: str) -> list[float]:
    """Milliseconds until a moment, above those of the bare interpreter, by repetition."""
    return [(getattr(run, moment) - getattr(bare, moment)) * 1e3 for run, bare in zip(runs[name], runs["bare"])]


# -- goals


class Results:
    """The runs of one Python, found by data set and number of events."""

    def __init__(self, version: str, results: Iterable[dict[str, Any]]) -> None:
        self._results = [result for result in results if result["python"] == version]

    def events(self, shape: str) -> list[int]:
        """The numbers of events at which a data set was measured in large chunks, ascending."""
        return sorted({r["events"] for r in self._results if r.get("shape") == shape and r["chunk_rows"] == CHUNK_ROWS})

    def runs(self, shape: str, name: str, events: Optional[int] = None) -> list[dict[str, float]]:
        """A contender's runs over a data set, by default over the most events."""
        events = events or max(self.events(shape), default=0)
        found = [
            result["runs"][name]
            for result in self._results
            if (result.get("shape"), result.get("events"), result.get("chunk_rows")) == (shape, events, CHUNK_ROWS)
            and name in result["runs"]
        ]
        return found[-1] if found else []

    def cost(self, shape: str, name: str) -> list[float]:
        """CPU seconds per event, by repetition."""
        return [run["cpu_s"] / max(self.events(shape)) for run in self.runs(shape, name)]

    def ratio(self, above: tuple[str, str], below: tuple[str, str]) -> list[float]:
        """The ratio of CPU per event, by repetition; both are (data set, contender)."""
        return [one / other for one, other in zip(self.cost(*above), self.cost(*below))]

    def start(self, moment: str) -> list[float]:
        """Our start above the bare interpreter as a share of the SDK's import, by repetition."""
        runs = next((result["runs"] for result in self._results if result["case"] == "start"), None)
        if runs is None:
            return []
        above = {name: [a[moment] - b[moment] for a, b in zip(runs[name], runs["bare"])] for name in ("ours", "import")}
        return [ours / sdk for ours, sdk in zip(above["ours"], above["import"])]

    def growth(self, shape: str) -> list[float]:
        """Peak memory over the most events as a multiple of that over the fewest."""
        events = self.events(shape)
        if len(events) < 2:
            return []
        few, many = (self.runs(shape, "ours", count) for count in (events[0], events[-1]))
        return [more["peak_mb"] / less["peak_mb"] for less, more in zip(few, many)]


def goal_table(version: str, results: Iterable[dict[str, Any]]) -> str:
    """The goals that the project set itself, and the measured figures."""
    found = Results(version, results)
    is_old = version == "3.9"
    wide, narrow = ("wide", "ours"), ("narrow", "ours")
    goals: list[tuple[str, str, float, list[float]]] = [
        ("CPU, stock / ours, wide", ">=", 12 if is_old else 10, found.ratio(("wide", "stock"), wide)),
        ("CPU, stock / ours, narrow", ">=", 10 if is_old else 8, found.ratio(("narrow", "stock"), narrow)),
        ("CPU, stock wide / ours narrow", ">=", 20, found.ratio(("wide", "stock"), narrow)),
        ("CPU, csv no-op / ours, wide", ">=", 2.5, found.ratio(("wide", "no-op"), wide)),
        ("CPU, csv no-op / ours, narrow", ">=", 1.2, found.ratio(("narrow", "no-op"), narrow)),
        ("CPU, stock / ours, a line break in every row", ">=", 4, found.ratio(("widemv", "stock"), ("widemv", "ours"))),
        ("CPU, _raw / extracted fields, default layout", "<=", 1.6, found.ratio(("raw", "ours"), ("asked", "ours"))),
        ("CPU, _raw / extracted, by content", "<=", 2.0, found.ratio(("content", "ours"), ("asked", "ours"))),
        ("CPU, _raw / extracted, with format", "<=", 1.6, found.ratio(("content", "described"), ("asked", "ours"))),
        (
            "CPU, stock that splits _raw / ours",
            ">=",
            8 if is_old else 6,
            found.ratio(("raw", "splits"), ("raw", "ours")),
        ),
        ("peak memory, wide, MB", "<=", 100, [run["peak_mb"] for run in found.runs(*wide)]),
        ("peak memory, narrow, MB", "<=", 60, [run["peak_mb"] for run in found.runs(*narrow)]),
        ("peak memory, most / fewest events, wide", "<=", 1.1, found.growth("wide")),
        ("peak memory, most / fewest events, narrow", "<=", 1.1, found.growth("narrow")),
        ("start to getinfo's reply, of the SDK's import", "<=", 0.6, found.start("start_s")),
        ("start to the first event's reply, the same", "<=", 0.6, found.start("first_s")),
    ]
    rows = [
        [what, f"{sign} {goal:g}", spread(values, 2), "yes" if is_reached(values, sign, goal) else "NO"]
        for what, sign, goal, values in goals
        if values
    ]
    return table(f"Python {version}, goals", ("figure", "goal", "measured", "reached"), rows)


def is_reached(values: list[float], sign: str, goal: float) -> bool:
    """Return whether the median is on the right side."""
    middle = statistics.median(values)
    return middle >= goal if sign == ">=" else middle <= goal


# -- command line

ALL = ("stock", "ours", "no-op", "copy")
#: The other yardstick, over the data sets that it reads.
BRIEF = {"wide": "brief", "narrow": "brief", "raw": "splits"}
#: The other contenders over a data set without extracted fields.
RAW = {"raw": ("ours",), "content": ("ours", "described")}


def plan_cases(versions: Iterable[str], quick: bool, shapes: Optional[list[str]], events: Optional[int]) -> list[Case]:
    """Plan the measurements: a million events of the two main data sets, and fewer of the others."""
    many = events or (100_000 if quick else 1_000_000)
    few = min(many, 100_000)
    cases = []
    for version in versions:
        for shape in [name for name in shapes or (("wide", "narrow") if quick else SHAPES) if name != "start"]:
            main = shape in ("wide", "narrow")
            cases.append(Case(version, shape, CHUNK_ROWS, many if main else few, ALL))
            others = (*RAW.get(shape, ("ours",)), *filter(None, [BRIEF.get(shape)]))
            if len(others) > 1:
                cases.append(Case(version, shape, CHUNK_ROWS, few, others))
            if main and not quick:
                cases.append(Case(version, shape, SMALL_CHUNK_ROWS, few, ALL))
                variants = ("learned", "confident") if shape == "narrow" else ("community",)
                cases.append(Case(version, shape, CHUNK_ROWS, few, ("ours", *variants)))
    return cases


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measures the speed of the packaged search command.")
    parser.add_argument("--quick", action="store_true", help="100 thousand events, wide and narrow, once")
    parser.add_argument("--python", action="append", help="a version, such as 3.9 (default: 3.9 and 3.13)")
    parser.add_argument("--shape", action="append", choices=[*SHAPES, "start"], help="a data set (default: all)")
    parser.add_argument("--events", type=int, help="events of the main data sets (default: 1000000)")
    parser.add_argument("--repetitions", type=int, help="default: 3")
    parser.add_argument("--package", type=Path, help="the package to measure (default: the one in dist/)")
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench.json", help="where the JSON goes")
    return parser.parse_args()


def main() -> int:
    """Measure, print the tables, write the JSON."""
    arguments = read_arguments()
    repetitions = arguments.repetitions or (1 if arguments.quick else 3)
    results: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="flowlag-bench-") as folder:
        machine = Machine(Path(folder), arguments.package or newest_package(), arguments.python or pythons.WANTED)
        versions = list(machine.pythons)
        cases = plan_cases(versions, arguments.quick, arguments.shape, arguments.events)
        for version in versions:
            runs = measure_start(machine, version, 7 if arguments.quick else 21)
            print(start_table(version, runs), flush=True)
            results.append({"python": version, "case": "start", "runs": as_json(runs)})
        for case in cases:
            checked = check_events(machine, case.version, case.shape)
            runs = measure(machine, case, repetitions)
            print(case_table(case, runs), flush=True)
            results.append({**describe(case), "checked_events": checked, "runs": as_json(runs)})
    print("\n".join(goal_table(version, results) for version in versions))
    write_results(arguments.output, results)
    return 0


def describe(case: Case) -> dict[str, Any]:
    """A case for the JSON."""
    return {"python": case.version, "case": case.key, "shape": case.shape, "events": case.events,
            "chunk_rows": case.chunk_rows}  # fmt: skip


def as_json(runs: dict[str, list[Run]]) -> dict[str, list[dict[str, float]]]:
    """Runs for the JSON."""
    return {name: [run._asdict() for run in mine] for name, mine in runs.items()}


def write_results(path: Path, results: list[dict[str, Any]]) -> None:
    """Write every single run, with the machine that it ran on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    where = {"machine": platform.machine(), "system": platform.system(), "cores": os.cpu_count()}
    path.write_text(json.dumps({"where": where, "results": results}, indent=1) + "\n")
    tell(f"written: {path}")


if __name__ == "__main__":
    sys.exit(main())
