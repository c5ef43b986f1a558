# SPDX-License-Identifier: Apache-2.0
"""The live tests themselves, on a stand-in for an instance: all pass on a right one, and each fault is found.

This proves the tests, not Splunk. They run as `make live` starts them, in a process of their own.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter

import pytest

from flowlag.learned import COLUMNS
from tests.live.conftest import NOT_ASKED
from tests.live.fake import Instance, indexed, serve
from tests.live.samples import Run, hec_events, sets_of
from tests.support.conf import COMMANDS, SEARCHES
from tools.places import ROOT

pytestmark = pytest.mark.slow

LIVE = [sys.executable, "-m", "pytest", "-m", "live", "-p", "no:cacheprovider"]
OTHERS = {name for name in os.environ if name.startswith(("SPLUNK_", "PYTEST_"))}
COLLECTED = 97
#: Fault of the stand-in -> a test that has to find it.
FAULTS = {
    "lost fields": "fields.py::test_fields_that_are_kept_back_come_back_unchanged[format=none]",
    "wrong rows": "fields.py::test_tags_are_beside_the_kept_fields_of_their_own_event",
    "joined multivalues": "fields.py::test_multivalues_survive",
    "cut replies": "commands.py::test_reply_of_more_rows_than_splunk_sends_itself",
    "silent refusals": "commands.py::test_wrong_option_ends_the_search_with_its_sentence[0]",
    "sorted columns": "fields.py::test_named_table_keeps_the_order_of_its_names",
    "hidden index time": "commands.py::test_index_time_reaches_the_profile",
    "other command": "install.py::test_command_is_known[flowlagenrich]",
    "wrong previews": "jobs.py::test_previews_show_right_tags_or_none",
    "broken bundle": "jobs.py::test_no_peer_lacks_the_library",
}


def run_live(*options, tests=(), **given):
    """A run of the live tests, or of some, with these variables and no others of Splunk's."""
    env = {name: value for name, value in os.environ.items() if name not in OTHERS}
    places = [f"tests/live/test_live_{test}" for test in tests] or ["tests/live"]
    command = [*LIVE, *places, *options]
    return subprocess.run(command, cwd=ROOT, env={**env, **given}, capture_output=True, text=True)


def run_on(instance, *options, tests=(), **given):
    """A run of the live tests on an instance."""
    with serve(instance) as url:
        given = {"SPLUNK_URL": url, "SPLUNK_HEC_URL": url, "SPLUNK_TOKEN": instance.token, **given}
        return run_live("--live", *options, tests=tests, **given)


def outcomes(done):
    """Test -> passed, failed or skipped, from the report of `-rA`."""
    return {
        name.split("::")[1]: verdict.lower()
        for verdict, name in re.findall(r"^(PASSED|FAILED|ERROR) (\S+::.*?)(?: - .*)?$", done.stdout, re.MULTILINE)
    }


@pytest.fixture
def instance(app, tmp_path):
    """A right instance, whose lookup of learned windows has a file."""
    copy = tmp_path / "flowlag"
    shutil.copytree(app, copy)
    (copy / "lookups").mkdir(exist_ok=True)
    (copy / "lookups" / "flowlag_windows.csv").write_text(
        f"{','.join(COLUMNS)}\neni-1,grid,60,6,1602397446,1602397865\n", encoding="utf-8"
    )
    return Instance(copy)


def test_collection_finds_every_live_test():
    """Each command and each saved search has its tests; the number is that of the report of this suite."""
    done = run_live("--collect-only", "-q")
    found = re.findall(r"^tests/live/(test_live_\w+)\.py::(.+)$", done.stdout, re.MULTILINE)
    assert len(found) == COLLECTED, done.stdout[-2000:]
    assert set(Counter(file for file, _ in found)) == {
        f"test_live_{name}" for name in ("commands", "fields", "install", "jobs", "searches")
    }
    names = "\n".join(name for _, name in found)
    assert all(f"[{command}" in names for command in COMMANDS)
    assert all(f"test_saved_search_is_known[{name}]" in names for name in SEARCHES)


def test_without_being_asked_they_are_left_out_with_one_sentence():
    """Also where variables for Splunk are set for other reasons."""
    done = run_live(SPLUNK_URL="https://splunk.example:8089", SPLUNK_TOKEN="t")
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout[-2000:]
    assert done.stdout.count(f"{COLLECTED} {NOT_ASKED}") == 1


def test_refusal_ends_the_run_before_its_first_test():
    done = run_live("--live", SPLUNK_URL="https://splunk.example:8089")
    said = done.stdout + done.stderr
    assert done.returncode == 2 and "SPLUNK_TOKEN is not set: give a token" in said
    assert "Traceback" not in said and "passed" not in said and "failed" not in said


@pytest.mark.skipif(sys.version_info < (3, 10), reason="`make live` takes the newest Python, and so does its proof")
def test_every_live_test_passes_on_a_right_instance(instance):
    """All of them, beside the events of an earlier run; only views are missing where the app has none.

    The lookup of learned windows is as it was when the run is over.
    """
    earlier = Run("earlier", int(time.time()) - 600, instance.index)
    instance.events += map(indexed, hec_events(earlier, sets_of(earlier.now)))
    before = (instance.app / "lookups" / "flowlag_windows.csv").read_text(encoding="utf-8")
    done = run_on(instance, SPLUNK_WRITE_LOOKUP="1")
    views = bool(list(instance.app.glob("default/data/ui/views/*.xml")))
    assert done.returncode == 0, done.stdout[-6000:]
    assert f"{COLLECTED - (not views)} passed" in done.stdout
    assert (instance.app / "lookups" / "flowlag_windows.csv").read_text(encoding="utf-8").split() == before.split()
    assert len({row["source"].split("/")[1] for row in instance.events}) == 2


def test_every_fault_is_found(instance):
    """On an instance that does everything wrong, each of these tests fails: none of them passes whatever is there."""
    instance.faults = frozenset(FAULTS)
    done = run_on(instance, "-rA", "--tb=no", tests=FAULTS.values())
    found = outcomes(done)
    assert found == {name.split("::")[1]: "failed" for name in FAULTS.values()}, done.stdout[-3000:]


def test_what_an_instance_cannot_show_is_skipped_with_the_reason(instance):
    """Rules where the site has its own definition of a macro, and distributed execution without a peer."""
    instance.macros["flowlag_options"], instance.peers = "lag=30", ()
    names = ("searches.py::test_rule_finds_what_its_scenario_says", "jobs.py::test_indexers_run_flowlagenrich")
    done = run_on(instance, tests=names)
    assert done.returncode == 0 and "5 skipped" in done.stdout and "passed" not in done.stdout
    assert "this site has its own definition of flowlag_options" in done.stdout
    assert "the instance has no search peers" in done.stdout
