# SPDX-License-Identifier: Apache-2.0
"""Measures flowlagmatch as the number of flows grows: part of `make bench`, also `python -m bench.match`.

The same numbers go through three parts: a bare bisect loop (it sorts the anchors of each key, does two bisects for each
flow and only counts pairs), the join (Candidates: the law, ranks, the best of each anchor), and the whole Matcher
(fields in, rows of text out; no CSV). Each runs in its own process, so its peak memory is its own; CPU is the process
time of that part. The packaged command on a real pipe comes last, with CSV and start: as it is by default, and with
opening records, probabilities and one flow for one anchor (every flow opens a connection here, so none is spared).
There are 3,000 keys with Zipf shares, one anchor for every ten flows, and one flow a second: ten times the flows last
ten times as long.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.splunkd import Splunkd, install_app
from tools import pythons
from tools.places import ROOT, newest_package

SIZES = (10_000, 100_000, 1_000_000)
FLOWS_PER_ANCHOR = 10
KEYS = 3000
BEGIN = 1_600_000_000
CHUNK_ROWS = 50_000

Flows = list[tuple[str, int, int, int]]  # key, start, earliest, latest (seconds)
Anchors = list[tuple[str, int]]  # key, time


def make_numbers(flows: int) -> tuple[Flows, Anchors]:
    """Flows of 0 to 60 s with a lag of 60 s, and anchors; always the same for one size."""
    rng = random.Random(f"match {flows}")
    keys = [f"key{i}" for i in range(KEYS)]
    shares = [1 / (i + 1) for i in range(KEYS)]
    made = []
    for key in rng.choices(keys, shares, k=flows):
        start = BEGIN + rng.randrange(flows)
        made.append((key, start, start - 60, start + rng.randrange(61) + 1))
    anchors = rng.choices(keys, shares, k=flows // FLOWS_PER_ANCHOR)
    return made, [(key, BEGIN + rng.randrange(flows)) for key in anchors]


def run_bisect(flows: Flows, anchors: Anchors) -> tuple[float, int]:
    """CPU seconds and pairs of the bare loop, within one second as flowlagmatch has it by default."""
    begun = time.process_time()
    points: dict[str, list[int]] = {}
    for key, moment in anchors:
        points.setdefault(key, []).append(moment)
    for some in points.values():
        some.sort()
    pairs = 0
    for key, _, earliest, latest in flows:
        times = points.get(key)
        if times is not None:
            pairs += bisect_right(times, latest + 1) - bisect_left(times, earliest - 1)
    return time.process_time() - begun, pairs


def run_join(flows: Flows, anchors: Anchors) -> tuple[float, int]:
    """CPU seconds and pairs of the join alone."""
    from flowlag.match.candidates import Anchor, Candidates, Flow
    from flowlag.match.relation import target_of

    by_key: dict[str, list[Flow]] = {}
    for key, start, earliest, latest in flows:
        by_key.setdefault(key, []).append(Flow(earliest * 1_000_000, latest * 1_000_000, start * 1_000_000, ""))
    begun = time.process_time()
    target, candidates, pairs = target_of("overlap", 1_000_000), dict[str, Candidates](), 0
    for key, moment in anchors:
        if key not in candidates:
            candidates[key] = Candidates(by_key.get(key, ()), target)
        pairs += candidates[key].best(Anchor(moment * 1_000_000, moment * 1_000_000), len(flows)).possible
    return time.process_time() - begun, pairs


def run_matcher(flows: Flows, anchors: Anchors) -> tuple[float, int]:
    """CPU seconds and pairs of everything but the CSV."""
    from flowlag.match.matcher import Matcher
    from flowlag.match.options import parse_match_settings

    begun = time.process_time()
    matcher = Matcher(parse_match_settings([("by", "key"), ("unmatched", "false")]))
    for key, start, earliest, latest in flows:
        event = {"flowlag_status": "ok", "flowlag_start": str(start), "flowlag_earliest": str(earliest),
                 "flowlag_latest": str(latest), "key": key}  # fmt: skip
        matcher.feed(event.get, "row")
    for key, moment in anchors:
        matcher.feed({"key": key, "_time": str(moment)}.get, "row")
    pairs = sum(1 for _ in matcher.close())
    return time.process_time() - begun, pairs


PARTS = {"bisect": run_bisect, "join": run_join, "matcher": run_matcher}


def run_part(name: str, flows: int) -> dict[str, Any]:
    """Measure one part in this process."""
    cpu_s, pairs = PARTS[name](*make_numbers(flows))
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_s": cpu_s, "pairs": pairs, "peak_mb": peak_mb}


def start_part(python: str, app: Path, name: str, flows: int) -> dict[str, Any]:
    """Measure one part in a new process, which imports the packaged library."""
    command = [python, "-m", "bench.match", "--part", name, "--flows", str(flows)]
    env = {**os.environ, "PYTHONPATH": str(app / "lib")}
    done = subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    content: dict[str, Any] = json.loads(done.stdout)
    return content


def bodies(flows: Flows, anchors: Anchors) -> Iterator[bytes]:
    """The same events as chunks, flows and anchors mixed, with the few columns that a search with `fields` leaves."""
    head = b'"_time",key,"flowlag_status","flowlag_start","flowlag_earliest","flowlag_latest","tcp_flags",user\n'
    rows = [f"{start},{key},ok,{start},{earliest},{latest},2,\n" for key, start, earliest, latest in flows]
    rows += [f"{moment},{key},,,,,,root\n" for key, moment in anchors]
    random.Random(0).shuffle(rows)
    for i in range(0, len(rows), CHUNK_ROWS):
        yield head + "".join(rows[i : i + CHUNK_ROWS]).encode()


RANKED = ("starts=tcp_flags", "rank=probability", "exclusive=true")


def finish(splunkd: Splunkd) -> tuple[float, float]:
    """End a command that has given its last reply: its CPU seconds and its peak memory in MB."""
    status = Path(f"/proc/{splunkd.process.pid}/status").read_text(encoding="ascii")
    peak_kb = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    splunkd.send()
    splunkd.process.stdin.close()  # type: ignore[union-attr]
    return wait_for(splunkd.process), peak_kb / 1024


def wait_for(process: subprocess.Popen[bytes]) -> float:
    """CPU seconds of a process that ends; raises CalledProcessError if it has failed."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return used.ru_utime + used.ru_stime


def run_command(python: str, app: Path, flows: int, *options: str) -> dict[str, Any]:
    """Measure the packaged command: the cost of its process, and the time from the first chunk to the last reply."""
    with Splunkd(app / "bin" / "flowlagmatch.py", python) as splunkd:
        splunkd.getinfo("by=key", "unmatched=false", *options)
        begun = time.perf_counter()
        for body in bodies(*make_numbers(flows)):
            splunkd.execute(body)
        reply = splunkd.execute(b"", finished=True)
        wall_s = time.perf_counter() - begun
        cpu_s, peak_mb = finish(splunkd)
    pairs = reply.body.count(b"\n") - 1
    return {"wall_s": wall_s, "cpu_s": cpu_s, "pairs": pairs, "peak_mb": peak_mb}


def measure(python: str, app: Path, flows: int, repetitions: int) -> dict[str, Any]:
    """Measure all parts at one size: medians by CPU, and the ratio of neighbours in one repetition."""
    turns = [{name: start_part(python, app, name, flows) for name in PARTS} for _ in range(repetitions)]
    order = {name: sorted((turn[name] for turn in turns), key=lambda run: float(run["cpu_s"])) for name in PARTS}
    ratios = sorted(turn["join"]["cpu_s"] / turn["bisect"]["cpu_s"] for turn in turns)
    return {
        "flows": flows,
        "anchors": flows // FLOWS_PER_ANCHOR,
        **{name: runs[repetitions // 2] for name, runs in order.items()},
        "command": run_command(python, app, flows),
        "ranked": run_command(python, app, flows, *RANKED),
        "join_over_bisect": ratios[repetitions // 2],
        "join_over_bisect_range": [ratios[0], ratios[-1]],
    }


_COLUMNS = (
    ("flows", 9), ("anchors", 8), ("pairs", 8), ("bisect", 8), ("join", 8), ("join/bisect", 20), ("matcher", 8),
    ("command", 8), ("wall", 8), ("peak", 8), ("ranked", 8), ("ranked/command", 14), ("peak", 8),
)  # fmt: skip
HEADING = " ".join(f"{name:>{width}}" for name, width in _COLUMNS)


def describe(row: dict[str, Any]) -> str:
    """One size as a line of the table: CPU seconds, wall seconds and MB."""
    low, high = row["join_over_bisect_range"]
    command, ranked = row["command"], row["ranked"]
    cells = (
        *(f"{count:,}" for count in (row["flows"], row["anchors"], command["pairs"])),
        *(f"{row[name]['cpu_s']:.2f} s" for name in ("bisect", "join")),
        f"{row['join_over_bisect']:.2f} ({low:.2f} to {high:.2f})",
        *(f"{seconds:.2f} s" for seconds in (row["matcher"]["cpu_s"], command["cpu_s"], command["wall_s"])),
        f"{command['peak_mb']:.0f} MB",
        f"{ranked['cpu_s']:.2f} s",
        f"{ranked['cpu_s'] / command['cpu_s']:.2f}",
        f"{ranked['peak_mb']:.0f} MB",
    )
    return " ".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, _COLUMNS))


def main() -> int:
    """Measure every size on every Python that is found, or one part in this process."""
    parser = argparse.ArgumentParser(description="Measures flowlagmatch as the number of flows grows.")
    parser.add_argument("--part", choices=PARTS, help="run this part here and print its cost as JSON")
    parser.add_argument("--flows", type=int, default=0, help="with --part: how many flows")
    parser.add_argument("--quick", action="store_true", help="the two small sizes, once")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "bench-match.json", help="where figures go")
    options = parser.parse_args()
    if options.part:
        print(json.dumps(run_part(options.part, options.flows)))
        return 0
    figures: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        app = install_app(newest_package(), Path(folder))
        for version in pythons.WANTED:
            python = pythons.find(version)
            if python is None:
                continue
            print(f"flowlagmatch, Python {version}; CPU of each part, and of the command as a process\n{HEADING}")
            figures[version] = []
            for flows in SIZES[:2] if options.quick else SIZES:
                row = measure(python, app, flows, 1 if options.quick else 3)
                figures[version].append(row)
                print(describe(row), flush=True)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
