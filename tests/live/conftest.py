# SPDX-License-Identifier: Apache-2.0
"""The fixtures of the live suite: an instance that is ready, and the events of this run in its index."""

from __future__ import annotations

import os
import time
import uuid
from typing import Callable

import pytest

from tests.live.client import Outcome, Splunk
from tests.live.ready import make_ready
from tests.live.samples import Event, Run, hec_events, sets_of
from tests.live.searches import whole_set
from tests.live.settings import Refusal, read_settings
from tests.support.splunkd import run_command, write_body

# The suite of pytest-splunk-addon runs in an environment of its own.
collect_ignore = ["knowledge"]
NOT_ASKED = "live tests left out: `make live SPLUNK_URL=... SPLUNK_TOKEN=...` runs them on a Splunk instance"
LEFT_OUT = pytest.StashKey[int]()


def pytest_addoption(parser):
    parser.addoption("--live", action="store_true", help="run the live tests; SPLUNK_URL and others say where")


def is_asked(config) -> bool:
    """Whether live tests are wanted: to be run, or to be listed."""
    return config.getoption("--live", default=False) or config.getoption("collectonly")


def pytest_collection_modifyitems(config, items):
    """Leave the live tests out unless they are asked for, whatever variables happen to be set."""
    live = [item for item in items if item.get_closest_marker("live")]
    if live and not is_asked(config):
        config.hook.pytest_deselected(items=live)
        items[:] = [item for item in items if not item.get_closest_marker("live")]
        config.stash[LEFT_OUT] = len(live)


def pytest_report_collectionfinish(config):
    """One sentence about them."""
    left_out = config.stash.get(LEFT_OUT, 0)
    return f"{left_out} {NOT_ASKED}" if left_out else None


@pytest.fixture(scope="session")
def ready() -> tuple[Splunk, str]:
    """The instance and a HEC token, or the end of the session with one sentence."""
    try:
        splunk = Splunk(read_settings(os.environ))
        return splunk, make_ready(splunk)
    except Refusal as refusal:
        pytest.exit(str(refusal), returncode=2)


@pytest.fixture(scope="session")
def splunk(ready) -> Splunk:
    """The instance under test."""
    return ready[0]


@pytest.fixture(scope="session")
def sets(run) -> dict[str, list[Event]]:
    """The events of this run by set."""
    return sets_of(run.now)


@pytest.fixture(scope="session")
def run(splunk) -> Run:
    """This run: its id is in the source of every event, so that runs do not see each other."""
    return Run(uuid.uuid4().hex[:12], int(time.time()), splunk.settings.index)


@pytest.fixture(scope="session")
def sent(ready, run, sets) -> Run:
    """The run, once all its events can be searched."""
    splunk, token = ready
    events = hec_events(run, sets)
    try:
        splunk.send(events, token)
        splunk.await_events(f'index={run.index} source="{run.source("*")}"', len(events))
    except Refusal as refusal:
        pytest.exit(str(refusal), returncode=2)
    return run


@pytest.fixture
def search(splunk) -> Callable[..., Outcome]:
    """Run a search that has to succeed."""

    def call(text: str, **options) -> Outcome:
        outcome = splunk.search(text, **options)
        assert not outcome.failed and outcome.said("ERROR", "FATAL") == [], (text, outcome.messages)
        return outcome

    return call


@pytest.fixture
def packaged(app, python) -> Callable[..., list[dict[str, str]]]:
    """Run the packaged commands here, one behind the other: what Splunk's results are compared with."""

    def call(rows, *commands):
        for name, *arguments in commands:
            script = app / "bin" / f"{name}.py"
            rows = run_command(script, python, arguments, [write_body(rows)])[1][0].rows
        return rows

    return call


@pytest.fixture
def flows(sent) -> Callable[[str], dict[str, str]]:
    """The macro flowlag_index for a set of this run."""
    return lambda name: whole_set(sent, name)
