# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of flowlagenrich an event, beside those of other programs: `python -m bench.instructions`.

The contenders and the data are those of bench/enrich.py. Counts repeat to some thousandths, however busy the machine,
where CPU times do not; but they say nothing of memory and of the system's own work. Each process runs under valgrind's
cachegrind (without its cache simulation) twice: over one chunk, and over two. The difference is that of the events
alone; the start is counted apart. Needs `valgrind` on the PATH.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.enrich import ARGUMENTS, Machine, check_events, table
from bench.traffic import SHAPES, make_chunk
from tests.support.splunkd import getinfo_metadata
from tools import pythons
from tools.places import newest_package

VALGRIND = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
#: Chunks of the longer run. The shorter one has one chunk, because the first chunk also pays for what is kept later.
CHUNKS = 2


def write_request(metadata: bytes, body: bytes = b"") -> bytes:
    """One request as splunkd sends it."""
    return b"chunked 1.0,%d,%d\n" % (len(metadata), len(body)) + metadata + body


def count(machine: Machine, version: str, contender: str, bodies: list[bytes]) -> int:
    """The instructions of one process over these chunks, all sent at once."""
    metadata = json.dumps(getinfo_metadata(ARGUMENTS.get(contender, ())), indent=4).encode()
    requests = [write_request(metadata)]
    requests += [write_request(b'{"action":"execute","finished":false}', body) for body in bodies]
    command = [*VALGRIND, machine.pythons[version], str(machine.script(contender))]
    env = {**machine.env, "PYTHONHASHSEED": "0"}  # else the collisions of dicts differ from run to run
    done = subprocess.run(command, input=b"".join(requests), capture_output=True, env=env)
    found = re.search(rb"I +refs: +([0-9,]+)", done.stderr)
    if done.returncode or found is None:
        raise SystemExit(f"bench.instructions: {contender} on {version} failed: {done.stderr.decode(errors='replace')}")
    return int(found.group(1).replace(b",", b""))


def measure(machine: Machine, version: str, shape: str, rows: int, contenders: list[str]) -> list[list[str]]:
    """A line for each contender: millions at the start, thousands an event, and the ratio to ours."""
    bodies = [make_chunk(shape, number, rows) for number in range(CHUNKS)]
    starts, costs = {}, {}
    for name in contenders:
        machine.run(version, name, [])  # makes the .pyc files
        starts[name] = count(machine, version, name, [])
        first, all_of_them = (count(machine, version, name, bodies[:chunks]) for chunks in (1, CHUNKS))
        costs[name] = (all_of_them - first) / rows / (CHUNKS - 1)
    return [
        [name, f"{starts[name] / 1e6:.0f} M", f"{cost / 1e3:.1f} k", f"{cost / costs['ours']:.1f}"]
        for name, cost in costs.items()
    ]


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Counts the instructions of the packaged search command.")
    parser.add_argument("--python", action="append", help="a version, such as 3.9 (default: 3.9 and 3.13)")
    parser.add_argument("--shape", action="append", choices=SHAPES, help="a data set (default: wide and narrow)")
    parser.add_argument("--contender", action="append", help="beside ours (default: brief, stock, no-op)")
    parser.add_argument("--rows", type=int, default=10_000, help="events in a chunk (default: 10000)")
    parser.add_argument("--package", type=Path, help="the package to measure (default: the one in dist/)")
    return parser.parse_args()


def main() -> int:
    """Measure and print the tables."""
    arguments = read_arguments()
    contenders = ["ours", *(arguments.contender or ("brief", "stock", "no-op"))]
    with tempfile.TemporaryDirectory(prefix="flowlag-bench-") as folder:
        machine = Machine(Path(folder), arguments.package or newest_package(), arguments.python or pythons.WANTED)
        for version in machine.pythons:
            for shape in arguments.shape or ("wide", "narrow"):
                check_events(machine, version, shape)
                rows = measure(machine, version, shape, arguments.rows, contenders)
                columns = ("contender", "start", "an event", "over ours")
                print(table(f"Python {version}, {shape}, chunks of {arguments.rows}", columns, rows), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
