# SPDX-License-Identifier: Apache-2.0
"""The harness itself: it draws, it hears what is broken, and clicks and inputs reach the searches."""

from __future__ import annotations

import copy
import json
import re
import time

import pytest

FLOWS = [
    {
        "_time": f"2026-03-14T02:4{number}:00.000+00:00",
        "lane": f"10.0.0.{number} > 10.0.1.9:22",
        "category": "packets possible",
        "duration_ms": str(60_000 * number),
        "tags": ["one", "two"],
    }
    for number in (1, 2, 3)
]
LANES = [str(row["lane"]) for row in FLOWS]
SET_LANE = {"type": "drilldown.setToken", "options": {"tokens": [{"token": "lane", "key": "row.lane.value"}]}}
VIEW = {
    "title": "Harness",
    "defaults": {
        "tokens": {"default": {"lane": {"value": "*"}}},
        "dataSources": {
            "ds.search": {"options": {"queryParameters": {"earliest": "$when.earliest$", "latest": "$when.latest$"}}}
        },
    },
    "inputs": {
        "input_when": {
            "type": "input.timerange",
            "title": "When",
            "options": {"token": "when", "defaultValue": "-24h@h,now"},
        },
        "input_address": {
            "type": "input.text",
            "title": "Address",
            "options": {"token": "address", "defaultValue": "*"},
        },
        "input_lane": {
            "type": "input.dropdown",
            "title": "Lane",
            "dataSources": {"primary": "ds_flows"},
            "options": {
                "token": "lane",
                "defaultValue": "*",
                "items": "> frame(label, value) | prepend(formattedStatics) | objects()",
            },
            "context": {
                "formattedConfig": {"number": {"prefix": ""}},
                "formattedStatics": "> statics | formatByType(formattedConfig)",
                "statics": [["All"], ["*"]],
                "label": '> primary | seriesByName("lane") | renameSeries("label") | formatByType(formattedConfig)',
                "value": '> primary | seriesByName("lane") | renameSeries("value") | formatByType(formattedConfig)',
            },
        },
    },
    "dataSources": {
        "ds_flows": {
            "type": "ds.search",
            "name": "flows",
            "options": {"query": "flows src=$address|s$", "enableSmartSources": True},
        },
        "ds_lane": {"type": "ds.chain", "options": {"extend": "ds_flows", "query": "| search lane=$lane|s$"}},
        "ds_count": {
            "type": "ds.chain",
            "name": "count",
            "options": {"extend": "ds_lane", "query": "| stats count", "enableSmartSources": True},
        },
    },
    "visualizations": {
        "viz_words": {
            "type": "splunk.markdown",
            "options": {"markdown": "**$count:result.count$** of $flows:job.resultCount$ flows"},
        },
        "viz_time": {
            "type": "splunk.timeline",
            "title": "When",
            "dataSources": {"primary": "ds_flows"},
            "options": {
                "x": "> primary | seriesByName('_time')",
                "y": "> primary | seriesByName('lane')",
                "duration": "> primary | seriesByName('duration_ms')",
                "category": "> primary | seriesByName('category')",
                "yAxisLabelWidth": 220,
            },
            "eventHandlers": [SET_LANE],
        },
        "viz_table": {
            "type": "splunk.table",
            "title": "Flows of $lane$",
            "dataSources": {"primary": "ds_lane"},
            "options": {"count": 10},
            "eventHandlers": [
                {
                    "type": "drilldown.linkToSearch",
                    "options": {
                        "query": "index=aws lane=$row.lane.value|s$",
                        "earliest": "$when.earliest$",
                        "latest": "$when.latest$",
                        "newTab": True,
                    },
                }
            ],
        },
    },
    "layout": {
        "type": "grid",
        "globalInputs": ["input_when", "input_address", "input_lane"],
        "structure": [
            {"item": "viz_words", "type": "block", "position": {"x": 0, "y": 0, "w": 1200, "h": 80}},
            {"item": "viz_time", "type": "block", "position": {"x": 0, "y": 80, "w": 1200, "h": 250}},
            {"item": "viz_table", "type": "block", "position": {"x": 0, "y": 330, "w": 1200, "h": 300}},
        ],
    },
}


def search(query, earliest, latest):
    """As much of SPL as the view's searches need."""
    rows = [row for row in FLOWS if f'lane="{row["lane"]}"' in query or 'lane="' not in query or 'lane="*"' in query]
    return [{"count": str(len(rows))}] if query.endswith("stats count") else rows


@pytest.fixture
def view():
    """The view above, to be changed."""
    return copy.deepcopy(VIEW)


@pytest.fixture
def draw(view, open_view, tmp_path):
    """draw(...): write the view into an app and open it."""

    def start(search=search, **options):
        views = tmp_path / "flowlag" / "default" / "data" / "ui" / "views"
        views.mkdir(parents=True)
        text = f'<dashboard version="2"><label>x</label><definition><![CDATA[{json.dumps(view)}]]></definition></dashboard>'
        (views / "harness.xml").write_text(text)
        return open_view("harness", search=search, app=tmp_path / "flowlag", **options)

    return start


def test_a_view_is_drawn(draw):
    drawn = draw()
    assert drawn.panels() == ["viz_words", "viz_time", "viz_table"] and drawn.titles() == ["When", "Flows of *"]
    assert drawn.text("viz_words") == "3 of 3 flows"
    assert drawn.lanes("When") == LANES
    assert drawn.header("viz_table") == list(FLOWS[0])
    assert [row[1] for row in drawn.rows("viz_table")] == LANES
    assert drawn.options("Lane") == ["All", *LANES]


def test_a_chain_sends_the_whole_query_and_the_range_of_its_parent(draw):
    sent = draw(tokens={"address": "10.0.0.1", "when.earliest": "-7d@d", "when.latest": "@d"}).server.sent("ds_count")
    assert [tuple(search[1:]) for search in sent] == [
        ('flows src="10.0.0.1"\n| search lane="*"\n| stats count', "-7d@d", "@d")
    ]


def test_inputs_and_clicks_reach_the_searches(draw):
    drawn = draw()
    drawn.set_text("Address", "10.0.0.2")
    assert drawn.server.sent("ds_flows")[-1].query == 'flows src="10.0.0.2"'
    assert drawn.click_bar("When", LANES[1])["Lane"] == LANES[1]
    assert drawn.tokens()["lane"] == LANES[1] and drawn.titles()[-1] == f"Flows of {LANES[1]}"
    assert drawn.text("viz_words") == "1 of 3 flows" and len(drawn.rows("viz_table")) == 1
    drawn.choose("Lane", LANES[2])
    assert drawn.server.sent("ds_lane")[-1].query == f'flows src="10.0.0.2"\n| search lane="{LANES[2]}"'


def test_a_link_is_kept_and_not_followed(draw):
    drawn = draw()
    drawn.click_cell("viz_table", 0, "lane")
    address = "/app/search/search?q=index%3Daws+lane%3D%2210.0.0.1+%3E+10.0.1.9%3A22%22&earliest=-24h%40h&latest=now"
    assert drawn.opened() == [{"url": address, "newTab": True, "followed": True}]


def test_the_page_follows_the_theme(draw, tmp_path):
    drawn = draw(theme="dark")
    assert drawn.page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgba(0, 0, 0, 0)"
    drawn.screenshot(tmp_path / "dark.png")
    assert (tmp_path / "dark.png").stat().st_size > 10_000


def broken_type(view):
    view["visualizations"]["viz_time"]["type"] = "splunk.rangemap"


def unset_token(view):
    view["dataSources"]["ds_lane"]["options"]["query"] = "| search lane=$nowhere$"


def unset_token_in_words(view):
    view["visualizations"]["viz_words"]["options"]["markdown"] = "$nowhere$"


def missing_source(view):
    view["visualizations"]["viz_table"]["dataSources"]["primary"] = "ds_missing"


def missing_image(view):
    view["visualizations"]["viz_words"] = {"type": "splunk.image", "options": {"src": "/static/app/flowlag/none.svg"}}


def other_host(view):
    view["visualizations"]["viz_words"] = {"type": "splunk.image", "options": {"src": "http://127.0.0.2:9/none.svg"}}


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        (broken_type, "splunk.rangemap|is not defined"),
        (unset_token, "the panel viz_table shows an error"),
        (unset_token_in_words, "in the text: '.nowhere.'"),
        (missing_source, "the page did not settle; waiting: .'viz_table'"),
        (missing_image, "no answer for GET /static/app/flowlag/none.svg"),
        (other_host, "request to another host: http://127.0.0.2:9/none.svg"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_broken_is_heard(view, draw, fault, heard):
    fault(view)
    problems = draw(expect_problems=True).problems()
    assert any(re.search(heard, problem) for problem in problems), problems


def test_the_schema_of_the_renderer(view, check_view):
    assert check_view(view) == []
    view["visualizations"]["viz_time"]["options"]["legendDisplay"] = "top"
    assert any("viz_time/options/legendDisplay" in error for error in check_view(view))


def test_a_slow_answer_is_waited_for(draw):
    """The page is at rest when the last search is answered and drawn, and not when nothing has happened for a while."""

    def slow(query, earliest, latest):
        time.sleep(2)
        return search(query, earliest, latest)

    assert draw(search=slow).text("viz_words") == "3 of 3 flows"


def test_a_failing_search_is_heard(draw):
    def failing(query, earliest, latest):
        if "stats" in query:
            raise ValueError("the engine does not know stats")
        return search(query, earliest, latest)

    problems = draw(search=failing, expect_problems=True).problems()
    assert any("ds_count" in problem and "the engine does not know stats" in problem for problem in problems)
