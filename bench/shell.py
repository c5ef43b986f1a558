# SPDX-License-Identifier: Apache-2.0
"""Measures the shell on files beside other programs: part of `make bench`, also `python -m bench.shell`.

The same records as text, gzip, CSV, JSON lines, documents of CloudWatch and Parquet are read by `flowlag enrich`, which
writes CSV; by flowlogs-reader, which only parses the text; and by DuckDB with one thread, which reads text, gzip or
Parquet, computes five columns and writes CSV. `flowlag match` is compared with DuckDB's range join over the same keys.
Each is a process of its own, in turn with the others; CPU is that of the process, its start included, and ratios are
those of neighbours. The others are in bench/others.txt.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.match import make_numbers, wait_for
from tools import pythons
from tools.places import ROOT

NAMES = (
    "version", "account_id", "interface_id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes",
    "start", "end", "action", "log_status",
)  # fmt: skip
NUMBERS = frozenset(("version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end"))
BEGIN = 1_700_000_000
OTHERS = ROOT / "build" / "venv-others" / "bin" / "python"

PARSE = """
import sys
from flowlogs_reader import FlowRecord
for line in open(sys.argv[1]):
    FlowRecord.from_cwl_event({"message": line.rstrip()})
"""
#: The table of a file, as DuckDB reads it.
TABLE = """
import sys, duckdb
names = NAMES
numbers = NUMBERS
types = {name: "BIGINT" if name in numbers else "VARCHAR" for name in names}
def table(path):
    if path.endswith("parquet"):
        return f"read_parquet('{path}')"
    return f"read_csv('{path}', delim=' ', header=false, columns={types})"
duckdb.execute("set threads = 1")
""".replace("NAMES", repr(NAMES)).replace("NUMBERS", repr(sorted(NUMBERS)))
COMPUTE = (
    TABLE
    + """
duckdb.execute(f'''copy (select *, start - 60 as earliest, "end" + 1 as latest, (start - 59 + "end") / 2.0 as middle,
("end" - start + 61) / 2.0 as uncertainty, "end" - start as duration from {table(sys.argv[1])})
to '/dev/null' (format csv)''')
"""
)
JOIN = (
    TABLE
    + """
duckdb.execute(f'''copy (select * from read_csv('{sys.argv[2]}') a join {table(sys.argv[1])} f on a.src = f.srcaddr
and a._time >= f.start - 61 and a._time < f."end" + 2) to '/dev/null' (format csv)''')
"""
)
#: Figure -> (whose CPU, over whose), and the goal.
RATIOS = {
    "text / flowlogs-reader parsing it": ("text", "flowlogs-reader", 0.4),
    "text / DuckDB": ("text", "DuckDB, text", 5),
    "gzip / DuckDB": ("gzip", "DuckDB, gzip", 4),
    "Parquet / DuckDB": ("Parquet", "DuckDB, Parquet", 6),
    "match / DuckDB's range join": ("match", "DuckDB, range join", 8),
}


def make_rows(records: int) -> Iterator[list[str]]:
    """Records of 400 interfaces, 40 a second; the records of one interface and minute share their stamps."""
    rng = random.Random(f"shell {records}")
    interfaces = [f"eni-{number * 7919:017x}" for number in range(400)]
    for number in range(records):
        place = rng.randrange(len(interfaces))
        minute = (BEGIN + number // 40) // 60
        start = minute * 60 + (place * 7 + minute * 11) % 60
        length = (place * 13 + minute * 5) % 60
        yield [
            "2", "123456789010", interfaces[place], f"10.0.{place % 8}.{place % 250}",
            f"198.51.{rng.randrange(100)}.{rng.randrange(250)}", str(rng.randrange(1024, 65000)),
            rng.choice(("22", "443", "53", "8080")), rng.choice(("6", "6", "17")), str(rng.randrange(1, 60)),
            str(rng.randrange(40, 90_000)), str(start), str(start + length), "ACCEPT", "OK",
        ]  # fmt: skip


def write_files(folder: Path, records: int) -> dict[str, Path]:
    """The same records in each shape."""
    rows = list(make_rows(records))
    paths = {shape: folder / shape for shape in ("text", "gzip", "CSV", "JSON lines", "CloudWatch")}
    lines = [" ".join(row) for row in rows]
    text = "\n".join([*lines, ""])
    paths["text"].write_text(text)
    paths["gzip"] = folder / "text.gz"
    paths["gzip"].write_bytes(gzip.compress(text.encode(), 6))
    with paths["CSV"].open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([NAMES, *rows])
    with paths["JSON lines"].open("w") as file:
        for row in rows:
            numbered = {name: int(text) if name in NUMBERS else text for name, text in zip(NAMES, row)}
            file.write(json.dumps(numbered) + "\n")
    with paths["CloudWatch"].open("w") as file:
        for first in range(0, len(lines), 1000):
            events = [
                {"id": str(i), "timestamp": BEGIN, "message": line} for i, line in enumerate(lines[first:][:1000])
            ]
            file.write(json.dumps({"messageType": "DATA_MESSAGE", "logGroup": "flows", "logEvents": events}))
    return paths


def write_sides(folder: Path, records: int) -> tuple[Path, Path]:
    """Flows as text, and one anchor for ten of them: those of bench.match, with its 3,000 keys as addresses."""
    flows, anchors = make_numbers(records)
    addresses = {key: f"10.{number >> 8}.{number & 255}.1" for number, key in enumerate(sorted({f[0] for f in flows}))}
    with (folder / "flows").open("w") as file:
        for key, start, _, latest in flows:
            file.write(f"2 1 eni-0a1b2c3d {addresses[key]} 10.99.0.1 40000 22 6 9 900 {start} {latest - 1} ACCEPT OK\n")
    with (folder / "anchors.csv").open("w") as file:
        file.write(
            "_time,src\n" + "".join(f"{moment},{addresses[key]}\n" for key, moment in anchors if key in addresses)
        )
    return folder / "flows", folder / "anchors.csv"


def convert(path: Path, folder: Path) -> Path:
    """The text as Parquet, written by DuckDB."""
    target = folder / "text.parquet"
    code = f"{TABLE}\nduckdb.execute(f\"copy (from {{table(sys.argv[1])}}) to '{target}' (format parquet)\")"
    subprocess.run([OTHERS, "-c", code, path], check=True)
    return target


def cpu_of(command: Sequence[object]) -> float:
    """CPU seconds of a process whose output is thrown away."""
    return wait_for(
        subprocess.Popen(
            list(map(str, command)), stdout=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT / "lib")}
        )
    )


def list_commands(python: str, folder: Path, records: int, matched: int) -> dict[str, list[object]]:
    """What is measured, by its name."""
    paths = write_files(folder, records)
    flows, anchors = write_sides(folder, matched)
    has_others = OTHERS.exists()
    if has_others:
        paths["Parquet"] = convert(paths["text"], folder)
    shell = [python, "-m", "flowlag"]
    commands: dict[str, list[object]] = {
        name: [*shell, "enrich", "--output", "csv", path] for name, path in paths.items()
    }
    commands["match"] = [
        *shell, "match", "--output", "csv", "--flows", flows, "--anchors", anchors, "--by", "srcaddr=src"
    ]  # fmt: skip
    if has_others:
        commands["flowlogs-reader"] = [OTHERS, "-c", PARSE, paths["text"]]
        for name in ("text", "gzip", "Parquet"):
            commands[f"DuckDB, {name}"] = [OTHERS, "-c", COMPUTE, paths[name]]
        commands["DuckDB, range join"] = [OTHERS, "-c", JOIN, flows, anchors]
    return commands


def report(python: str, records: int, matched: int, repeats: int) -> None:
    """Print the CPU of each, and the ratios of neighbours."""
    with tempfile.TemporaryDirectory() as folder:
        commands = list_commands(python, Path(folder), records, matched)
        found: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(repeats):
            for name, command in commands.items():
                found[name].append(cpu_of(command))
    for name, seconds in found.items():
        count = matched if name in ("match", "DuckDB, range join") else records
        print(f"{name:<36}{statistics.median(seconds) / count * 1e6:8.2f} us a record")
    for figure, (ours, theirs, goal) in RATIOS.items():
        if ours in found and theirs in found:
            ratios = sorted(a / b for a, b in zip(found[ours], found[theirs]))
            print(f"{figure:<36}{statistics.median(ratios):8.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}), goal {goal}")


def main() -> int:
    """Run it for each Python of Splunk that there is."""
    parser = argparse.ArgumentParser(description="Measures the shell on files beside other programs.")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--matched", type=int, default=1_000_000, help="flows of `match`; a tenth as many anchors")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    if not OTHERS.exists():
        print("the other programs are not installed, so there is nothing to compare with; `make bench` installs them")
    for version in pythons.WANTED:
        python = ROOT / "build" / f"venv-{version}" / "bin" / "python"  # it has what reads Parquet
        if python.exists():
            print(f"the shell, Python {version}, {args.records:,} records; CPU of processes", flush=True)
            report(str(python), args.records, args.matched, args.repeats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
