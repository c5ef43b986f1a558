# SPDX-License-Identifier: Apache-2.0
"""Owns the verdict of Splunk AppInspect on the package.

AppInspect exits with 0 even if checks fail, so its JSON report decides. It runs twice: without tags, and with the tag
for Splunk Cloud. Errors, failures and future failures are never allowed. The only warnings allowed are those that every
app with Python and splunk-sdk 2.1.1 gets.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tools.places import ROOT

ALLOWED_WARNINGS = {"check_for_python_script_existence", "check_python_sdk_version"}
BAD = ("error", "failure", "future_failure")
RUNS: dict[str, list[str]] = {"all": [], "cloud": ["--included-tags", "cloud"]}
# pylibmagic brings libmagic as a wheel, but must be imported before AppInspect; without it, the system's is used.
START = """
import contextlib, sys
with contextlib.suppress(ImportError):
    import pylibmagic
from splunk_appinspect.main import execute
sys.exit(execute())
"""


def inspect(package: Path, tags: list[str], report: Path) -> dict[str, Any]:
    """Return AppInspect's report on the package; if there is none, AppInspect itself did not run."""
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    options = ["--mode", "precert", *tags, "--data-format", "json", "--output-file", str(report)]
    done = subprocess.run(
        [sys.executable, "-c", START, "inspect", str(package), *options], capture_output=True, text=True
    )
    if not report.is_file():
        raise SystemExit(f"AppInspect gave no report (exit {done.returncode}):\n{done.stdout}{done.stderr}")
    content: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return content


def findings(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Return (result, check, message) of every check that found something."""
    checks = [check for part in report["reports"] for group in part["groups"] for check in group["checks"]]
    return [
        (check["result"], check["name"], " ".join(message["message"].split()))
        for check in checks
        if check["result"] in (*BAD, "warning")
        for message in check["messages"] or [{"message": ""}]
    ]


def is_allowed(result: str, check: str) -> bool:
    """Return whether a finding is a warning that cannot be avoided."""
    return result == "warning" and check in ALLOWED_WARNINGS


def judge(name: str, report: dict[str, Any]) -> bool:
    """Print a short summary of one report; return whether it is clean."""
    summary = {result: count for result, count in report["summary"].items() if count}
    found = findings(report)
    refused = [finding for finding in found if not is_allowed(*finding[:2])]
    clean = bool(summary.get("success")) and not refused and not any(summary.get(result) for result in BAD)
    counts = ", ".join(f"{count} {result}" for result, count in sorted(summary.items()))
    print(f"AppInspect, {name}: {'passed' if clean else 'FAILED'} ({counts})")
    for result, check in sorted({finding[:2] for finding in found if is_allowed(*finding[:2])}):
        print(f"  {result} {check}: cannot be avoided")
    for finding in refused:
        print("  {} {}: {}".format(*finding))
    return clean


def main() -> int:
    """Inspect the package with and without tags; return the exit code."""
    parser = argparse.ArgumentParser(description="Runs Splunk AppInspect on the package.")
    parser.add_argument("package", type=Path, nargs="?", help="default: the one in dist")
    package = parser.parse_args().package
    packages = [package] if package else sorted(ROOT.glob("dist/*.tar.gz"))
    if len(packages) != 1:
        print(f"There must be one package in dist, but there are {len(packages)}: run `make package`.", file=sys.stderr)
        return 1
    reports = ROOT / "build" / "appinspect"
    verdicts = [judge(name, inspect(packages[0], tags, reports / f"{name}.json")) for name, tags in RUNS.items()]
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
