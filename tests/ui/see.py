# SPDX-License-Identifier: Apache-2.0
"""Shows the app's views in your own browser, on sample events, until Ctrl-C.

    python -m tests.ui.see [--port N] [--app FOLDER] [--flows FILE ...] [--events FILE ...] [--now EPOCH]

Splunk's renderer draws them as in the tests; the searches run on what tests/spl/engine.py knows of SPL, with the commands of
the built package.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import threading
from pathlib import Path

from tools.places import ROOT, newest_package

NIGHT = ROOT / "samples" / "night"
AFTER_S = 600


def main() -> None:
    """Serve until interrupted."""
    given = arguments()
    with tempfile.TemporaryDirectory() as apps:
        serve(given.app or unpack(Path(apps)), given)


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=8765, help="of 127.0.0.1 (default: 8765)")
    parser.add_argument("--app", type=Path, help="the app's folder (default: the newest package in dist/)")
    parser.add_argument("--flows", type=Path, nargs="*", default=[NIGHT / "flows.csv"], help="flow logs, version 2")
    parser.add_argument("--events", type=Path, nargs="*", default=[NIGHT / "logins.csv"], help="CSV files of events")
    parser.add_argument(
        "--lag", type=int, default=60, help="seconds from a record's start to its indexing, if not given"
    )
    parser.add_argument(
        "--now", type=float, help="the time it is, in epoch seconds (default: soon after the last event)"
    )
    return parser.parse_args()


def unpack(folder: Path) -> Path:
    """The app of the newest package, as an admin unpacks it."""
    from tests.support.splunkd import install_app

    return install_app(newest_package(), folder)


def serve(app: Path, given: argparse.Namespace) -> None:
    """Answer the searches of the app's views from the events of the files."""
    from tests.support.conf import read_conf
    from tests.ui import build, server

    found = read_all(given)
    now = given.now or max((float(event["_time"]) for event in found), default=0.0) + AFTER_S
    engine = engine_class()(found, app, sys.executable, read_conf("default/macros.conf", app), now)
    with server.Server(app, build.build(), engine.search, given.port) as serving:
        for view in sorted((app / "default" / "data" / "ui" / "views").glob("*.xml")):
            theme = re.search(r'theme="(\w+)"', view.read_text())
            say(f"{serving.url}/?view={view.stem}&theme={theme[1] if theme else 'light'}")
        say(f"{len(found)} events; it is {now:.0f}; Ctrl-C ends")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            say("")
        for error in serving.errors:
            say(error)


def read_all(given: argparse.Namespace) -> list[dict[str, str]]:
    """The events of all files."""
    from tests.support.events import read_events, read_flows

    flows = [event for path in given.flows for event in read_flows(path, given.lag)]
    return flows + [event for path in given.events for event in read_events(path)]


def engine_class() -> type:
    """What runs the searches."""
    from tests.spl.engine import Engine

    return Engine


def say(text: str) -> None:
    """A line for the person."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
