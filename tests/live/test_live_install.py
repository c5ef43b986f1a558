# SPDX-License-Identifier: Apache-2.0
"""Live: what splunkd has read of the app's files."""

from __future__ import annotations

import json

import pytest

from tests.live.ready import is_on
from tests.live.searches import plain
from tests.live.settings import APP
from tests.support.conf import COMMANDS, MACROS, SEARCHBNF, SEARCHES, read_conf
from tests.support.saved_searches import RULES
from tools.places import ROOT

pytestmark = pytest.mark.live

STORIES = read_conf("default/analyticstories.conf")


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_known(splunk, command):
    """The settings of commands.conf are those of the app: no other app defines a command of this name over it."""
    stanza = splunk.stanza("commands", command)
    assert stanza and is_on(stanza["chunked"]) and stanza["filename"] == COMMANDS[command]["filename"]
    assert stanza["python.version"] == COMMANDS[command]["python.version"]
    assert stanza["python.required"] == COMMANDS[command]["python.required"]
    assert stanza["eai:appName"] == APP


@pytest.mark.parametrize("command", SEARCHBNF)
def test_help_is_known(splunk, command):
    """The search assistant has syntax and description, with continued lines joined."""
    stanza = splunk.entry(f"/servicesNS/-/{APP}/configs/conf-searchbnf/{command}")
    assert stanza and stanza["usage"] == "public"
    for key in ("syntax", "shortdesc", "example1"):
        assert plain(stanza[key].replace("\\", " ")) == plain(SEARCHBNF[command][key])


def test_every_macro_is_known(splunk):
    stanzas = splunk.entries(f"/servicesNS/nobody/{APP}/configs/conf-macros")
    assert sorted(set(MACROS) - set(stanzas)) == []


@pytest.mark.parametrize("name", SEARCHES)
def test_saved_search_is_known(splunk, name):
    """Its text came through the continued lines of the conf file whole."""
    stanza = splunk.stanza("savedsearches", name)
    assert stanza and plain(stanza["search"].replace("\\\n", " ")) == plain(SEARCHES[name]["search"])
    assert stanza["cron_schedule"] == SEARCHES[name]["cron_schedule"]


@pytest.mark.parametrize("name", RULES)
def test_what_enterprise_security_reads_is_whole(splunk, name):
    """Every setting of a rule's actions: JSON parses to the same, with a message in each risk object; text has all lines."""
    stanza = splunk.stanza("savedsearches", name)
    for key, value in SEARCHES[name].items():
        if key.startswith("action."):
            assert read_value(stanza[key]) == read_value(value), key
    risks = json.loads(stanza.get("action.risk.param._risk", "[]"))
    assert all(risk["risk_message"] for risk in risks if "risk_object_field" in risk)


def read_value(text):
    """The value of JSON, or the words of a text without the ends of its lines."""
    joined = text.replace("\\\n", "\n")
    return json.loads(joined) if joined.lstrip().startswith(("[", "{")) else plain(joined)


def test_analytic_story_is_known(splunk):
    """Only Enterprise Security has these settings."""
    (story,) = (name for name in STORIES if name.startswith("analytic_story://"))
    found = splunk.stanza("analyticstories", story)
    if found is None:
        pytest.skip("the instance does not read analyticstories.conf: it has no Enterprise Security")
    for key, value in STORIES[story].items():
        assert read_value(found[key]) == read_value(value), key


def test_lookup_is_known(splunk):
    for name, keys in read_conf("default/transforms.conf").items():
        stanza = splunk.stanza("transforms", name)
        assert stanza and stanza["filename"] == keys["filename"]


def test_lib_is_on_the_list_for_the_indexers(splunk):
    stanza = splunk.stanza("distsearch", "replicationAllowlist")
    assert stanza and stanza["flowlag_lib"] == f"apps/{APP}/lib/..."


def test_every_view_is_known(splunk):
    """Each dashboard in default/data/ui/views is a view of the app."""
    views = sorted(path.stem for path in (ROOT / "default").glob("data/ui/views/*.xml"))
    if not views:
        pytest.skip("the app has no view")
    known = splunk.entries(f"/servicesNS/nobody/{APP}/data/ui/views")
    assert sorted(set(views) - set(known)) == []


@pytest.mark.parametrize("context", ["search", APP])
def test_commands_and_macros_are_exported(splunk, context):
    """They work in the app search, too."""
    text = (
        "| makeresults | eval start_time=1602397706, end_time=1602397745 | `flowlag_bounds` "
        "| flowlagenrich format=none | table flowlag_latest flowlag_status"
    )
    outcome = splunk.search(text, context)
    assert outcome.rows == [{"flowlag_latest": "1602397746", "flowlag_status": "ok"}]
