# SPDX-License-Identifier: Apache-2.0
"""Owns what can be said of the views without drawing them; tests/ui draws them."""

from __future__ import annotations

import copy
import re
from typing import Callable
from xml.etree import ElementTree

import pytest

from tests.support.conf import MACROS, read_conf
from tests.support.saved_searches import expand
from tests.support.view_lint import lint
from tests.support.views import FOLDER, PICTURES, VIEWS, JsonObject, whole_query

#: Views that every Splunk has.
BUILT_IN = {"search", "reports", "alerts", "dashboards", "datasets"}


@pytest.mark.parametrize("name", VIEWS)
def test_view_has_nothing_that_the_lint_finds(name: str) -> None:
    assert lint(VIEWS[name], MACROS, PICTURES) == []


def test_navigation_leads_to_views_that_are_there() -> None:
    """Every view is in it, the first is the default, and what else it names is Splunk's own."""
    items = ElementTree.parse(FOLDER / "nav" / "default.xml").getroot().findall(".//view")
    names = [item.get("name") for item in items]
    assert set(names) - BUILT_IN == set(VIEWS)
    assert [item.get("name") for item in items if item.get("default")] == ["packet_time"] == names[:1]
    assert read_conf("default/app.conf")["ui"]["is_visible"] == "1"


@pytest.mark.parametrize("name", VIEWS)
def test_view_has_no_code_and_no_address_of_its_own(name: str) -> None:
    """No script, no style sheet, nothing that the network would have to bring."""
    text = (FOLDER / "views" / f"{name}.xml").read_text("utf-8")
    assert not [word for word in ("<script", "script=", "stylesheet", "http:", "https:", "//cdn") if word in text]


@pytest.mark.parametrize(
    ("name", "source"), [(name, source) for name in VIEWS for source in VIEWS[name]["dataSources"]]
)
def test_spl_linter_has_nothing_to_say(name: str, source: str) -> None:
    """splint (PyPI: splint-spl, Python 3.11 and newer), on each search with its parents and some values for tokens."""
    linter = pytest.importorskip("splint.linter")
    query = re.sub(r"\$[\w:.]+\|s\$", '"x"', whole_query(VIEWS[name], source)).replace("$flows$", "`flowlag_index`")
    query = re.sub(r"\$ds_files:result\.(\w+)_here\$", "1", query)
    query = re.sub(r"\$ds_files:result\.(\w+)\$", r"inputlookup flowlag_\1", query)
    assert linter.lint_text(expand(query)) == []


def broken(change: Callable[[JsonObject], None]) -> list[str]:
    """Return what the lint says of the first view after a change."""
    view = copy.deepcopy(VIEWS["packet_time"])
    change(view)
    return lint(view, MACROS, PICTURES, SCHEMAS)


#: As the renderer's, for what the view uses; tests/ui checks with the renderer's own.
SCHEMAS: JsonObject = {
    kind: {
        item["type"]: {"options": [o for i in VIEWS["packet_time"][kind].values() for o in i.get("options", {})]}
        for item in VIEWS["packet_time"][kind].values()
    }
    for kind in ("visualizations", "inputs")
}
SCHEMAS["eventHandlers"] = {
    "drilldown.setToken": {"options": ["tokens"]},
    "drilldown.linkToSearch": {"options": ["query", "earliest", "latest", "type", "newTab"]},
}


def set_query(view: JsonObject, source: str, query: str) -> None:
    view["dataSources"][source]["options"]["query"] = query


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param(lambda v: v.update(tabs={}), "tabs: not a key of a definition", id="top-level key"),
        pytest.param(
            lambda v: v["visualizations"]["viz_lanes"].update(viz=1),
            "viz is not a key of a visualisation",
            id="panel key",
        ),
        pytest.param(lambda v: set_query(v, "ds_events", " "), "ds_events: no query", id="no query"),
        pytest.param(
            lambda v: v["dataSources"]["ds_events"]["options"].update(qurey=""), "qurey is not an option", id="misspelt"
        ),
        pytest.param(
            lambda v: v["dataSources"]["ds_events"].update(type="ds.serch"),
            "ds.serch is not a type",
            id="type of source",
        ),
        pytest.param(
            lambda v: v["dataSources"]["ds_table"]["options"].update(extend="ds_gone"),
            "goes on with ds_gone",
            id="parent",
        ),
        pytest.param(
            lambda v: v["visualizations"]["viz_lanes"].update(dataSources={"primary": "ds_x"}),
            "shows ds_x",
            id="source",
        ),
        pytest.param(
            lambda v: v["dataSources"].update(ds_idle=v["dataSources"]["ds_choice"]), "ds_idle: no panel", id="unused"
        ),
        pytest.param(lambda v: set_query(v, "ds_choice", "| search a=$b$"), "$b$: nobody sets it", id="token"),
        pytest.param(
            lambda v: v["inputs"]["input_port"]["options"].pop("defaultValue"),
            "$port$: has no value before",
            id="no default",
        ),
        pytest.param(
            lambda v: v["inputs"]["input_port"]["options"].update(token="gate"), "$gate$: is set, and", id="not read"
        ),
        pytest.param(lambda v: set_query(v, "ds_choice", "| `no_macro`"), "`no_macro`: not in macros.conf", id="macro"),
        pytest.param(
            lambda v: set_query(v, "ds_choice", "| `flowlag_bounds(1,2)`"), "`flowlag_bounds(2)`", id="macro arguments"
        ),
        pytest.param(lambda v: v["layout"]["structure"].pop(), "not in both", id="panel without a place"),
        pytest.param(lambda v: v["layout"]["globalInputs"].pop(), "not in both", id="input without a place"),
        pytest.param(lambda v: v["layout"]["structure"][0]["position"].update(w=1300), "beyond the row", id="too wide"),
        pytest.param(lambda v: v["layout"]["structure"][0]["position"].update(h=300), "overlaps", id="overlap"),
        pytest.param(
            lambda v: v["visualizations"]["viz_envelope"]["options"].update(src="/static/app/flowlag/x.svg"),
            "x.svg is not in appserver/static",
            id="picture",
        ),
        pytest.param(
            lambda v: v["visualizations"]["viz_lanes"]["options"].update(rowHight=1),
            "rowHight is not an option",
            id="option",
        ),
        pytest.param(
            lambda v: v["visualizations"]["viz_lanes"].update(type="splunk.rangemap"),
            "splunk.rangemap is not",
            id="viz type",
        ),
        pytest.param(
            lambda v: v["visualizations"]["viz_lanes"]["eventHandlers"][0].update(type="drilldown.jump"),
            "drilldown.jump is not a kind",
            id="handler",
        ),
    ],
)
def test_lint_finds(change: Callable[[JsonObject], None], complaint: str) -> None:
    """Each check can fail: one change to the view, one complaint that names it."""
    assert [found for found in broken(change) if complaint in found]


def test_lint_is_content_with_the_view_as_it_is() -> None:
    assert broken(lambda view: None) == []
