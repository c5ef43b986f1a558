# SPDX-License-Identifier: Apache-2.0
"""Measures flowlagconnect as the number of records grows: part of `make bench`, also `python -m bench.connect`.

The packaged command on a real pipe, beside a loop that does nothing but read the same events with the app's reader: the
difference is what a record costs. A connection has four records, two of each direction, and they come in any order.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.match import CHUNK_ROWS, finish, wait_for
from tests.support.splunkd import Splunkd, install_app
from tools import pythons
from tools.places import newest_package

SIZES = (100_000, 1_000_000)
RECORDS = 4  # of a connection
BEGIN = 1_700_000_000
HEADER = (
    '"flowlag_status","flowlag_start","flowlag_end","protocol_code","src_ip","src_port","dest_ip","dest_port",'
    '"interface_id",packets,bytes,"tcp_flags",action\n'
)
READ = """
import sys
from flowlag.splunk.columns import Header, read_events, split_header
for size in map(int, sys.argv[1:]):
    line, text = split_header(sys.stdin.buffer.read(size))
    for _ in read_events(text, Header(line)):
        pass
"""


def make_bodies(records: int) -> list[bytes]:
    """Chunks of records, always the same for one size."""
    rng = random.Random(f"connect {records}")
    rows = list(make_rows(rng, records // RECORDS))
    rng.shuffle(rows)
    return [(HEADER + "".join(rows[i : i + CHUNK_ROWS])).encode() for i in range(0, len(rows), CHUNK_ROWS)]


def make_rows(rng: random.Random, connections: int) -> Iterator[str]:
    """The records of each connection: request and reply, in two windows."""
    for number in range(connections):
        begun = BEGIN + rng.randrange(86_400)
        client = f'"10.{rng.randrange(16)}.{rng.randrange(256)}.{rng.randrange(256)}"'
        client, server = f"{client},{1024 + number % 64_000}", f'"10.99.0.{rng.randrange(200)}",443'
        for start, flags in ((begun, 2), (begun + 60, 1)):
            for ends, more in ((f"{client},{server}", 0), (f"{server},{client}", 16)):
                packets = rng.randrange(2, 400)
                yield (
                    f'ok,{start},{start + rng.randrange(20, 60)},6,{ends},"eni-{number % 50:017x}",{packets},'
                    f"{packets * 700},{flags + more},allowed\n"
                )


def read_cpu(python: str, app: Path, bodies: list[bytes]) -> float:
    """CPU seconds of a process that reads the events."""
    command = [python, "-c", READ, *(str(len(body)) for body in bodies)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(app / "lib")}, stdin=subprocess.PIPE)
    assert process.stdin
    with process.stdin as pipe:
        for body in bodies:
            pipe.write(body)
    return wait_for(process)


def run_command(python: str, app: Path, bodies: list[bytes]) -> tuple[float, float, int]:
    """CPU seconds, peak memory in MB, and rows of the packaged command."""
    with Splunkd(app / "bin" / "flowlagconnect.py", python) as splunkd:
        splunkd.getinfo()
        for body in bodies:
            splunkd.execute(body)
        reply = splunkd.execute(b"", finished=True)
        cpu_s, peak_mb = finish(splunkd)
    return cpu_s, peak_mb, reply.body.count(b"\n") - 1


def main() -> int:
    """Measure every size on every Python that is found."""
    parser = argparse.ArgumentParser(description="Measures flowlagconnect as the number of records grows.")
    parser.add_argument("--quick", action="store_true", help="the small size only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        app = install_app(newest_package(), Path(folder))
        for version in pythons.WANTED:
            python = pythons.find(version)
            if python is None:
                continue
            subprocess.run([python, "-m", "compileall", "-q", str(app)], check=True)  # as after the first search
            print(f"flowlagconnect, Python {version}; CPU of processes")
            print("   records connections    reading    command   beyond reading, a record     peak")
            for size in SIZES[:1] if options.quick else SIZES:
                bodies = make_bodies(size)
                read_s, (command_s, peak_mb, rows) = read_cpu(python, app, bodies), run_command(python, app, bodies)
                beyond_us = (command_s - read_s) / size * 1_000_000
                print(
                    f"{size:>10,} {rows:>11,} {read_s:>8.2f} s {command_s:>8.2f} s {beyond_us:>25.1f} us "
                    f"{peak_mb:>5.0f} MB",
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
