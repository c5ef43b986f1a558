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
from collections import Counter

import pytest
from conftest import ROOT
from test_app import COMMANDS
from test_rules import SEARCHES

from flowlag.learned import COLUMNS
from splunk.conftest import NOT_ASKED
from splunk.fake import Instance, serve

LIVE = [sys.executable, "-m", "pytest", "tests/splunk", "-m", "live", "-p", "no:cacheprovider"]
OTHERS = {name for name in os.environ if name.startswith(("SPLUNK_", "PYTEST_"))}
COLLECTED = 68
#: Fault of the stand-in -> a test that has to find it.
FAULTS = {
    "lost fields": "test_fields_that_are_kept_back_come_back_unchanged[]",
    "wrong rows": "test_tags_are_beside_the_kept_fields_of_their_own_event",
    "joined multivalues": "test_multivalues_survive",
    "cut replies": "test_reply_of_more_rows_than_splunk_sends_itself",
    "sorted columns": "test_named_table_keeps_the_order_of_its_names",
    "hidden index time": "test_index_time_reaches_the_profile",
    "other command": "test_command_is_known[flowlagenrich]",
    "wrong previews": "test_previews_show_right_tags_or_none",
    "broken bundle": "test_no_peer_lacks_the_library",
}


def run_live(*options, **given):
    """A run of the live tests with these variables and no others of Splunk's."""
    env = {name: value for name, value in os.environ.items() if name not in OTHERS}
    return subprocess.run([*LIVE, *options], cwd=ROOT, env={**env, **given}, capture_output=True, text=True)


def run_on(instance, *options, **given):
    """A run of the live tests on an instance."""
    with serve(instance) as url:
        given = {"SPLUNK_URL": url, "SPLUNK_HEC_URL": url, "SPLUNK_TOKEN": instance.token, **given}
        return run_live("--live", *options, **given)


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
    found = re.findall(r"^tests/splunk/(test_live_\w+)\.py::(.+)$", done.stdout, re.MULTILINE)
    assert len(found) == COLLECTED, done.stdout[-2000:]
    assert set(Counter(file for file, _ in found)) == {
        f"test_live_{name}" for name in ("commands", "fields", "install", "jobs", "searches")
    }
    names = "\n".join(name for _, name in found)
    assert all(f"[{command}" in names for command in COMMANDS)
    assert all(f"test_saved_search_is_known[{name}]" in names for name in SEARCHES)


def test_without_being_asked_they_are_skipped_with_one_sentence():
    """Also where variables for Splunk are set for other reasons."""
    done = run_live(SPLUNK_URL="https://splunk.example:8089", SPLUNK_TOKEN="t")
    assert done.returncode == 0 and f"{COLLECTED} skipped" in done.stdout
    assert done.stdout.count(NOT_ASKED) == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "SPLUNK_URL is not set: give the management address"),
        ({"SPLUNK_URL": "https://splunk.example:8089"}, "SPLUNK_TOKEN is not set: give a token"),
    ],
)
def test_missing_variable_ends_the_run(given, words):
    done = run_live("--live", **given)
    assert done.returncode == 2 and words in done.stdout + done.stderr and "Traceback" not in done.stdout + done.stderr


def test_instance_without_the_app_ends_the_run(instance):
    """Before any event is sent."""
    instance.version = None
    done = run_on(instance)
    assert done.returncode == 2 and "the app flowlag is not installed" in done.stdout + done.stderr
    assert instance.events == [] and not [path for method, path in instance.requests if method != "GET"]


@pytest.mark.skipif(sys.version_info < (3, 10), reason="`make live` takes the newest Python, and so does its proof")
def test_every_live_test_passes_on_a_right_instance(instance):
    """All of them, the lookup included; only views are missing where the app has none. What was written is taken out again."""
    before = (instance.app / "lookups" / "flowlag_windows.csv").read_text(encoding="utf-8")
    done = run_on(instance, SPLUNK_WRITE_LOOKUP="1")
    views = bool(list(instance.app.glob("default/data/ui/views/*.xml")))
    assert done.returncode == 0, done.stdout[-6000:]
    assert f"{COLLECTED - (not views)} passed" in done.stdout
    assert (instance.app / "lookups" / "flowlag_windows.csv").read_text(encoding="utf-8").split() == before.split()
    assert len({row["source"].split("/")[1] for row in instance.events}) == 1


def test_every_fault_is_found(instance):
    """On an instance that does everything wrong, each of these tests fails: none of them passes whatever is there."""
    instance.faults = frozenset(FAULTS)
    names = [name.split("[")[0] for name in FAULTS.values()]
    done = run_on(instance, "-rA", "--tb=no", "-k", " or ".join(names))
    found = outcomes(done)
    assert {name: found.get(name) for name in FAULTS.values()} == dict.fromkeys(FAULTS.values(), "failed"), done.stdout[
        -3000:
    ]


def test_two_runs_do_not_see_each_other(instance):
    """The events of an earlier run stay in the index; the second run gives the same."""
    for _ in range(2):
        done = run_on(instance, "-k", "test_search_of_the_readme_gives_its_table or test_health_rule")
        assert done.returncode == 0, done.stdout[-3000:]
    assert len({row["source"].split("/")[1] for row in instance.events}) == 2


def test_changed_macro_of_a_site_skips_its_rules_with_the_reason(instance):
    instance.macros["flowlag_options"] = "lag=30"
    done = run_on(instance, "-k", "test_rule_finds or test_health_rule")
    assert done.returncode == 0 and "5 skipped" in done.stdout
    assert "this site has its own definition of flowlag_options" in done.stdout


def test_single_instance_skips_what_only_peers_show(instance):
    instance.peers = ()
    done = run_on(instance, "-k", "test_indexers_run or test_no_peer or test_events_keep")
    assert done.returncode == 0 and "3 skipped" in done.stdout and "the instance has no search peers" in done.stdout
