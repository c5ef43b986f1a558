# SPDX-License-Identifier: Apache-2.0
"""Runs the targets under atheris, one after the other, each for a stated time, and says what came of it.

`python -m tests.fuzz.run [--seconds 60] [TARGET...]`, in an environment with tests/fuzz/requirements.txt; `make fuzz` makes
one. Inputs that open new code are kept in build/fuzz/<target>/corpus and are where the next run goes on; findings are
kept beside them as crash-*, timeout-* or oom-*. The exit code is 1 when there is a finding.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from tools.places import ROOT

HERE = Path(__file__).resolve().parent
FOUND = ROOT / "build" / "fuzz"
#: What one input may take: a finding beyond.
MOST_SECONDS, MOST_MEGABYTES = 10, 2048
#: Inputs are short, since what is deep is reached by shape; what is large has tests of its own.
LONGEST_INPUT = 4096
NAMES = (
    "chunk", "raw", "instant", "options", "form", "frames", "command", "lookup", "lags", "pairs", "match", "connect", "learn", "profile", "text",
    "table", "documents", "packed", "parquet",
)  # fmt: skip


def run_here(name: str, arguments: list[str]) -> None:
    """Be the fuzzer of one target; never returns."""
    import atheris

    with atheris.instrument_imports(
        include=[
            "flowlag",
            "dateutil",
            "splunklib",
            "gzip",
            "_enrich",
            "_match",
            "_connect",
            "_learn",
            "_profile",
            "_command",
        ]
    ):
        import dateutil.parser  # noqa: F401 - imported by flowlag when first needed, which would be too late

        import flowlag.dates
        import flowlag.files.parquet_rows  # noqa: F401
        from tests.fuzz import targets

        if name == "command":
            targets._commands()
    os.environ["TZ"] = "UTC"
    time.tzset()
    atheris.Setup([sys.argv[0], *arguments], atheris.instrument_func(targets.TARGETS[name]))
    atheris.Fuzz()


def run_target(name: str, seconds: int) -> tuple[str, bool]:
    """Fuzz one target in a process of its own: its line of the report, and whether something was found."""
    home = FOUND / name
    (home / "corpus").mkdir(parents=True, exist_ok=True)
    known = set(home.iterdir())
    command = [
        sys.executable, "-m", "tests.fuzz.run", "--be", name, f"-max_total_time={seconds}", f"-timeout={MOST_SECONDS}",
        f"-rss_limit_mb={MOST_MEGABYTES}", f"-max_len={LONGEST_INPUT}", f"-artifact_prefix={home}/", f"-dict={HERE / 'words.dict'}",
        "-print_final_stats=1", "-use_value_profile=1", str(home / "corpus"), str(HERE / "corpus" / name),
    ]  # fmt: skip
    started = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    log = done.stdout.decode("utf-8", "replace")
    (home / "log").write_text(log)
    executions = max(map(int, re.findall(r"^#(\d+)\s", log, re.M)), default=0)
    progress = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", log) or [("0", "0", "0")]
    new = sorted(
        path.name for path in set(home.iterdir()) - known if path.name.startswith(("crash", "timeout", "oom", "leak"))
    )
    failed = bool(new) or done.returncode != 0
    edges, features, corpus = progress[-1]
    line = f"{name:10} {executions:>10} {time.monotonic() - started:>6.0f} {edges:>7} {features:>9} {corpus:>7}  "
    return line + (", ".join(new) or (f"exit code {done.returncode}, see {home / 'log'}" if failed else "none")), failed


def main() -> int:
    """Read the command line, act, return the exit code."""
    if sys.argv[1:2] == ["--be"]:
        run_here(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description="Fuzzes every entrance of flowlag with atheris.")
    parser.add_argument("--seconds", type=int, default=60, help="how long for each target (default 60)")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"which ones: {', '.join(NAMES)} (default all)")
    arguments = parser.parse_args()
    unknown = set(arguments.targets) - set(NAMES)
    if unknown:
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    print(f"{'target':10} {'executions':>10} {'s':>6} {'edges':>7} {'features':>9} {'corpus':>7}  findings", flush=True)
    failed = False
    for name in arguments.targets or NAMES:
        line, is_failed = run_target(name, arguments.seconds)
        print(line, flush=True)
        failed = failed or is_failed
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
