# SPDX-License-Identifier: Apache-2.0
"""`make demo`: unpacks the built app, runs its search command as splunkd would, and says what the tags mean.

A process, the chunked protocol, events as Splunk hands them over: `_raw` lines of samples/, nothing prepared.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

from tests.support.splunkd import install_app, run_command, write_body
from tools.places import ROOT, newest_package

COLUMNS = (
    ("ports", 13), ("packets", 7), ("record", 19), ("packet time between", 21), ("±s", 5), ("window position", 15),
    ("basis", 7), ("what it means", 0),
)  # fmt: skip

STAMPS = {
    "packet": "stamps are the flow's own",
    "batch": "one packet: these are its batch's stamps",
    "unclear": "stamps of the flow or of its batch",
    "": "",
}
STATUS = {
    "nodata": "no packet was received then",
    "skipdata": "records were dropped: absence proves nothing",
}


def install(folder: Path) -> Path:
    """Unpack the newest package of dist/ and return its search command."""
    return install_app(newest_package(), folder) / "bin" / "flowlagenrich.py"


def clock(epoch: str) -> str:
    """The time of day in UTC."""
    return datetime.fromtimestamp(float(epoch), timezone.utc).strftime("%H:%M:%S") if epoch else ""


def describe(event: dict[str, str]) -> tuple[str, ...]:
    """One event as a row of the demo's table."""
    words = event["_raw"].split()
    tag = {name.replace("flowlag_", ""): value for name, value in event.items()}
    offset = f", {tag['window_offset']} s in" if tag["window_offset"] not in ("", "0") else ""
    return (
        f"{words[5]} > {words[6]}" if words[3] != "-" else "-",
        words[8],
        f"{clock(tag['start'])} - {clock(tag['end'])}",
        f"{clock(tag['earliest'])} - {clock(tag['latest'])}",
        tag["uncertainty"],
        (tag["window_position"] or "not known") + offset,
        tag["window_basis"],
        STATUS.get(tag["status"], STAMPS[tag["stamps"]]),
    )


def show(script: Path, title: str, sample: str, *options: str) -> None:
    """Run one search over a sample file and print its table."""
    lines = (ROOT / "samples" / sample).read_text().splitlines()
    body = write_body([{"_raw": line, "_time": "", "_chunked_idx": str(i)} for i, line in enumerate(lines)])
    _, (reply,) = run_command(script, sys.executable, options, [body])
    print(f"\n{title}\n  ... | {' '.join(['flowlagenrich', *options])}\n")
    for row in [tuple(name for name, _ in COLUMNS), *map(describe, reply.rows)]:
        print("  " + "  ".join(f"{value:<{width}}" for value, (_, width) in zip(row, COLUMNS)).rstrip())


def main() -> None:
    """Show the seed records without and with a known phase, then records in each timing mode."""
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as folder:
        script = install(Path(folder))
        print("flowlag, the packaged search command over Splunk's chunked protocol. Times are UTC.")
        print("Every packet of a record passed between the two bounds, given AWS's lag of up to 60 s: a bound.")
        show(script, "1. Three records of one SSH connection, 2020-10-11 (interface in grid mode)", "seed.log")
        show(script, "2. The same, once it is known that windows open at second 6 of the minute", "seed.log", "phase=6")
        show(script, "3. Made records: grid, quiet grid, batch, own stamps; a quiet interval, a gap", "modes.log")


if __name__ == "__main__":
    main()
