# SPDX-License-Identifier: Apache-2.0
"""Owns how pytest-splunk-addon is started: in its own environment, on an app, with the data of tests/live/knowledge.

`python -m tests.live.addon find APP` prints as JSON what its parsers find in an app's folder, and the events of its data generator.
`knowledge.py collect APP` prints the tests that it would run. `knowledge.py run APP` runs them on the instance of
SPLUNK_URL, with SPLUNK_USER (default admin), SPLUNK_PASSWORD, SPLUNK_HEC_URL and SPLUNK_HEC_TOKEN: the plug-in knows no
token of splunkd, takes its password on the command line (where other users of the machine may see it), and does not
verify certificates, whatever SPLUNK_CA says. So it is for test instances.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tools.places import ROOT

FOLDER = ROOT / "tests" / "live" / "knowledge"
NEEDED = ("SPLUNK_URL", "SPLUNK_PASSWORD", "SPLUNK_HEC_TOKEN")


def pytest_command(app: Path, *options: str) -> list[str]:
    """Return the command that runs the plug-in's tests of an app."""
    ini, data = FOLDER / "pytest.ini", f"--splunk-data-generator={FOLDER}"
    return [sys.executable, "-m", "pytest", f"--config-file={ini}", str(FOLDER), f"--splunk-app={app}", data, *options]


def instance_options(environ: Mapping[str, str]) -> list[str]:
    """Return the options that say where the instance is and who asks."""
    url = urlsplit(environ["SPLUNK_URL"])
    hec = urlsplit(environ.get("SPLUNK_HEC_URL") or f"{url.scheme}://{url.hostname}:8088")
    named = {
        "splunk-host": url.hostname,
        "splunk-port": url.port or 8089,
        "splunk-user": environ.get("SPLUNK_USER") or "admin",
        "splunk-password": environ["SPLUNK_PASSWORD"],
        "splunk-forwarder-host": hec.hostname,
        "splunk-hec-scheme": hec.scheme,
        "splunk-hec-port": hec.port or 8088,
        "splunk-hec-token": environ["SPLUNK_HEC_TOKEN"],
        "search-index": environ.get("SPLUNK_INDEX") or "flowlag_test",
        "search-retry": 5,
        "search-interval": 3,
    }
    return [f"--{name}={value}" for name, value in named.items()]


def find(app: Path) -> dict[str, Any]:
    """Return what the parsers find: names by kind of object; and the generated events."""
    import pytest_splunk_addon.app_test_generator  # noqa: F401  # first: the plug-in's modules import each other
    from pytest_splunk_addon.addon_parser import AddonParser
    from pytest_splunk_addon.addon_parser.transforms_parser import TransformsParser
    from pytest_splunk_addon.sample_generation.sample_generator import SampleGenerator

    parser = AddonParser(str(app))
    transforms = TransformsParser(str(app)).transforms or {}
    return {
        "savedsearches": {found["stanza"]: found["search"] for found in parser.get_savedsearches() or []},
        "eventtypes": sorted(found["stanza"] for found in parser.get_eventtypes() or []),
        "tags": sorted(f"{found['stanza']}::{found['tag']}" for found in parser.get_tags() or []),
        "props": sorted(parser.props_parser.props or {}),
        "transforms": {name: dict(keys) for name, keys in transforms.items()},
        "events": [event.event for event in SampleGenerator(str(app), str(FOLDER)).get_samples()],
    }


def run(app: Path) -> int:
    """Run the tests on an instance; without what the plug-in needs, say so and do nothing."""
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        print(f"pytest-splunk-addon is not run: it logs in by password; give {', '.join(missing)} too.")
        return 0
    return subprocess.run(pytest_command(app, *instance_options(os.environ))).returncode


def main() -> int:
    """Read the command line, act in a folder of its own (the plug-in leaves files behind), return the exit code."""
    parser = argparse.ArgumentParser(description="Starts pytest-splunk-addon on the app.")
    parser.add_argument("action", choices=("find", "collect", "run"))
    parser.add_argument("app", type=Path, help="the folder of the app, such as build/flowlag")
    arguments = parser.parse_args()
    app = arguments.app.resolve()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            if arguments.action == "find":
                print(json.dumps(find(app)))
                return 0
            if arguments.action == "collect":
                return subprocess.run(pytest_command(app, "--collect-only", "-q")).returncode
            return run(app)
        finally:
            os.chdir(ROOT)


if __name__ == "__main__":
    sys.exit(main())
