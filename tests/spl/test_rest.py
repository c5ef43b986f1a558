# SPDX-License-Identifier: Apache-2.0
"""Pins the command rest: what each path shows, what a refused endpoint does, and what is not known."""

from __future__ import annotations

import sys

import pytest

from tests.spl.engine import Engine
from tests.spl.rest import entry
from tests.spl.values import SplError
from tests.support.conf import MACROS, SEARCHES
from tools.places import ROOT

MACROS_OF_ALL = "rest /servicesNS/-/-/admin/macros splunk_server=local"
FILES_OF_ALL = "rest /servicesNS/-/-/data/lookup-table-files splunk_server=local"


@pytest.fixture
def engine(tmp_path):
    """A search head with the app's conf files, one lookup file, and macros of others."""
    (tmp_path / "default").mkdir()
    (tmp_path / "lookups").mkdir()
    for name in ("savedsearches.conf", "transforms.conf"):
        (tmp_path / "default" / name).write_bytes((ROOT / "default" / name).read_bytes())
    (tmp_path / "lookups" / "flowlag_windows.csv").write_text("interface_id\neni-1\n")
    engine = Engine([], tmp_path, sys.executable, MACROS, 0, {"flowlag_options": "lag=30"})
    engine.rest.others["admin/macros"] = [
        entry("private", sharing="user", definition="a"),
        entry("of_app", "search", "app", definition="b"),
        entry("exported", "search", "global", definition="c"),
    ]
    return engine


def titles(engine, query):
    """The titles that a search over an endpoint gives, without the app's own macros."""
    return [row["title"] for row in engine.search(f"| {query}") if row["title"] not in MACROS]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("-/-", ["private", "of_app", "exported"]),
        ("-/flowlag", ["private"]),
        ("-/search", ["of_app", "exported"]),
        ("nobody/flowlag", ["exported"]),
        ("nobody/-", ["of_app", "exported"]),
    ],
)
def test_a_path_shows_what_others_measured(engine, path, shown):
    assert titles(engine, f"rest /servicesNS/{path}/admin/macros splunk_server=local") == shown


def test_macros_are_those_in_use(engine):
    rows = {row["title"]: row["definition"] for row in engine.search(f"| {MACROS_OF_ALL}")}
    assert rows["flowlag_options"] == "lag=30" and rows["flowlag_index"] == MACROS["flowlag_index"]["definition"]


def test_saved_searches_say_whether_they_run(engine):
    rows = engine.search("| rest /servicesNS/-/-/saved/searches splunk_server=local")
    assert {row["title"] for row in rows} == set(SEARCHES) and {row["disabled"] for row in rows} == {"1"}


def test_search_is_a_text_that_any_field_contains(engine):
    assert titles(engine, f"{MACROS_OF_ALL} search=of_app") == ["of_app"]


def test_files_of_lookups_are_those_in_the_folder(engine):
    rows = engine.search(f"| {FILES_OF_ALL} | where 'eai:acl.app'=\"flowlag\" | table title")
    assert rows == [{"title": "flowlag_windows.csv"}]
    assert len(titles(engine, FILES_OF_ALL)) == 2


def test_a_refused_endpoint_gives_no_row_and_ends_nothing(engine):
    engine.rest.forbidden = {"admin/macros"}
    assert engine.search(f"| {MACROS_OF_ALL} | stats count") == [{"count": "0"}]
    assert engine.messages[0][0] == "WARN" and "403" in engine.messages[0][1]


@pytest.mark.parametrize(
    "query",
    [
        "rest /servicesNS/-/-/admin/macros",
        "rest /servicesNS/-/-/admin/macros splunk_server=*",
        "rest /services/admin/macros splunk_server=local",
        "rest /servicesNS/admin/-/admin/macros splunk_server=local",
        "rest /servicesNS/-/-/admin/views splunk_server=local",
        "rest /servicesNS/-/-/admin/macros splunk_server=local strict=true",
        'rest /servicesNS/-/-/admin/macros splunk_server=local search="title=a"',
        "makeresults | rest /servicesNS/-/-/admin/macros splunk_server=local",
    ],
)
def test_what_is_not_known_is_refused(engine, query):
    with pytest.raises(SplError):
        engine.search(f"| {query}")
