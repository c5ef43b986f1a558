# SPDX-License-Identifier: Apache-2.0
"""Owns what both views say and draw of data unlike the night's: other zones, layouts and sizes, and nothing at all."""

from __future__ import annotations

import re
import threading

import pytest

from tests.spl.values import SplError
from tests.support.events import flow_event

from . import scenes
from .drawn import LIMIT_MS, ROW, Drawn
from .scenes import NOW, engine, flow, login

T = int(NOW) - 1800  # 02:45:00
ADDRESSES = ("src_ip", "dest_ip", "src_port", "dest_port")


@pytest.fixture
def draw(open_view, app):
    """draw(view, events, **options): a view of some events."""

    def open_(view, events, local=None, **options):
        return open_view(view, search=engine(app, events, local=local).search, **options)

    return open_


def without_packets(status, second=0, interface="eni-1"):
    """A NODATA or SKIPDATA record."""
    raw = f"2 123456789012 {interface} - - - - - - - {T + second} {T + second + 59} - {status}"
    return flow_event(raw, str(T + second + 120), 0)


def bare(count):
    """Records whose addresses and ports nobody has extracted."""
    flows = [flow(T + i, T + i + 59, f"198.51.100.7:{40000 + i}") for i in range(count)]
    return [{name: value for name, value in event.items() if name not in ADDRESSES} for event in flows]


def strange(count):
    """Events in a layout that nobody knows."""
    event = {"index": "aws", "sourcetype": "aws:cloudwatchlogs:vpcflow", "source": "flows", "host": "aws"}
    return [{**event, "_time": str(T + i), "_indextime": str(T + 60), "_raw": f"x {i} y"} for i in range(count)]


# -- nothing is there, and why


@pytest.mark.parametrize(
    ("events", "packet_time", "how_late"),
    [
        pytest.param(
            strange(50),
            "The search for flow logs found 50 events, but none has a layout that flowlagenrich knows: name the layout with "
            "format=... in the macro flowlag_options.",
            "The search for flow logs found 50 events, but none has a layout that flowlagenrich knows",
            id="a layout that nobody knows",
        ),
        pytest.param(
            bare(50),
            "The search for flow logs found 50 events, and packet times can be read, but no event has the fields src_ip, "
            "dest_ip, src_port and dest_port: extract them, as the Splunk Add-on for AWS does. The dashboard Check says",
            "50 records of 1 interface arrived, so far up to 60 s after their end.",
            id="no addresses",
        ),
        pytest.param(
            [without_packets("NODATA", 60 * i) for i in range(10)],
            "The search for flow logs found 10 events, all of them NODATA: AWS saw no traffic.",
            "All 10 records of 1 interface are NODATA: AWS saw no traffic.",
            id="NODATA",
        ),
        pytest.param(
            [without_packets("NODATA"), without_packets("SKIPDATA", 60, "eni-2")],
            "AWS dropped flow records (SKIPDATA) in this time range on eni-2, so what you look for may be among them. ",
            "A SKIPDATA record says that AWS dropped records. No record of 2 interfaces holds packet times",
            id="SKIPDATA",
        ),
    ],
)
def test_why_nothing_is_found(draw, events, packet_time, how_late):
    assert draw("packet_time", events).text("viz_sentence").startswith(packet_time)
    assert draw("how_late", events).text("viz_sentence").startswith(how_late)


def test_another_address_is_not_missing_data(draw):
    view = draw("packet_time", [flow(T, T + 59)], tokens={"address": "192.0.2.1"})
    assert view.text("viz_sentence") == (
        "No flow record was found for address 192.0.2.1, and no other event. There are other flow records in this time "
        "range: * stands for any address or port; write addresses as the records do."
    )


# -- before there is an answer


@pytest.mark.parametrize("view", ["packet_time", "how_late"])
def test_no_token_is_shown_while_a_search_runs(pages, server, app, view):
    done = threading.Event()
    answer = engine(app, [flow(T, T + 59), login(T)]).search

    def slow(query, earliest, latest):
        assert done.wait(LIMIT_MS / 1000)
        return answer(query, earliest, latest)

    server.use(app, slow)
    page = pages.take((1440, 900))
    page.goto(f"{server.url}/?view={view}&theme=light")
    drawn = Drawn(page, server)
    try:
        page.locator('[data-test="viz-item"]').first.wait_for(timeout=LIMIT_MS)
        assert "$" not in page.locator("body").inner_text()
    finally:
        done.set()
    drawn.settle()
    assert "$" not in page.locator("body").inner_text() and "1 " in drawn.text("viz_sentence")
    assert drawn.problems() == []
    drawn.close()


@pytest.mark.parametrize(
    ("view", "left"), [("packet_time", ["viz_asked"]), ("how_late", ["viz_schedule", "viz_model"])]
)
def test_an_error_leaves_a_panel_for_its_icon_and_no_token(open_view, view, left):
    def fail(query, earliest, latest):
        raise SplError("the indexers are away")

    drawn = open_view(view, search=fail, expect_problems=True)
    assert drawn.panels() == left and any("the indexers are away" in problem for problem in drawn.problems())
    assert "$" not in drawn.page.locator("body").inner_text()


# -- zones


def test_a_browser_in_another_zone(browser, server, app):
    """Only the axis and the first lines of a tooltip follow the browser: the detail, the tables and the note say a zone."""
    context = browser.new_context(timezone_id="America/New_York", locale="en-US")
    context.set_default_timeout(LIMIT_MS)
    server.use(app, engine(app, [flow(T, T + 59), login(T + 10)]).search)
    view = Drawn(context.new_page(), server)
    view.open("packet_time", "light", {})
    tooltip = view.hover_bar("viz_lanes", "can: 198.51.100.7:40000 > 10.0.0.22:22", "packet time, can")
    assert "10:44" in tooltip["From"] and tooltip["Detail"].startswith("02:44:00 to 02:46:00 +0000: ")
    assert "Times have Splunk's zone, +0000; only the axis of the timeline has that" in view.text("viz_note")
    assert view.rows("viz_table")[0][1].startswith("2026-03-14 02:44:00 to 02:46:00")
    assert view.problems() == []
    context.close()


def test_a_span_across_midnight_has_both_dates(draw):
    midnight = int(NOW) - 11_700
    events = [flow(midnight - 40, midnight + 19), login(midnight - 5)]
    view = draw("packet_time", events, tokens={"time.earliest": "-4h", "time.latest": "now"})
    assert view.rows("viz_table")[0][1] == "2026-03-13 23:58:20 to 2026-03-14 00:00:20 ± 60 s"
    assert view.rows("viz_asked")[0][2] == "2026-03-13 23:58:20 to 2026-03-14 00:00:20"
    view = draw("how_late", events, tokens={"time.earliest": "-4h", "time.latest": "now"})
    assert view.rows("viz_interfaces")[0][1] == "03-13 23:59 to 03-14 00:00"


# -- labels


def test_hosts_that_differ_in_the_middle_have_lanes_of_their_own(draw):
    """Cut labels of two IPv6 addresses can be equal; a click finds the records of one."""
    hosts, server = ("2001:db8:a:1::5c3e:10", "2001:db8:b:2::5c3e:10"), "2001:db8:1234:5678:9abc:def0:1234:ff22"
    flows = [flow(T + 20 * i, T + 20 * i + 59, f"{host}:40000", f"{server}:22") for i, host in enumerate(hosts)]
    view = draw("packet_time", [*flows, login(T + 10, f"{hosts[0]}:40000")])
    _, first, second = view.lanes("viz_lanes")
    assert first != second and second.endswith(" #2")
    view.click_lane("viz_lanes", second)
    assert [row[3].split()[3] for row in view.rows("viz_records")] == [hosts[1]]


# -- sizes


def test_a_gateway_with_six_hundred_flows(draw):
    """The lanes drawn are those nearest to the event in time, and it is said how many there are."""
    flows = [flow(T - 900 + 3 * i, T - 841 + 3 * i, f"10.0.1.5:{20000 + i}", "198.51.100.9:443") for i in range(600)]
    view = draw("packet_time", [*flows, login(T + 5, "10.0.1.5:20300")])
    ports = [int(re.search(r":(2\d{4}) ", lane)[1]) for lane in view.lanes("viz_lanes")[1:]]
    assert ports[0] == 20300 and len(ports) == 15 and all(abs(port - 20300) < 60 for port in ports)
    assert "The timeline draws 15 of 600 connections, those nearest to the event first" in view.text("viz_note")


def test_a_table_of_ten_thousand_records_has_pages(open_view, app):
    """The view examines no more. The rows are copies, since the interpreter of the tests takes minutes for so many."""
    answer = engine(app, [flow(T, T + 59), login(T)]).search

    def many(query, earliest, latest):
        rows = answer(query, earliest, latest)
        return rows * 9_999 if query.endswith("Probability Why Packets") else rows

    view = open_view("packet_time", search=many)
    assert len(view.rows("viz_table")) == 8
    view.panel("viz_table").get_by_text("Next").click()
    view.settle()
    assert len(view.rows("viz_table")) == 8


def test_a_lane_of_very_many_records_is_cut_and_says_so(draw):
    flows = [flow(T - 150 + 3 * i, T - 149 + 3 * i) for i in range(100)]
    view = draw("packet_time", [*flows, login(T)])
    assert "No lane shows more than 60 records." in view.text("viz_note")
    assert " of 100 flow records could have carried this event" in view.text("viz_sentence")


def test_circles_at_the_edges_are_whole(draw):
    """The axis reaches beyond the first and the last circle by 3 %."""
    view = draw("packet_time", [login(T + 10 * i, f"198.51.100.7:{40000 + i}") for i in range(11)])
    (sent,) = [search for search in view.server.sent("ds_lanes") if search.query][-1:]
    rows = view.server.search(sent.query, sent.earliest, sent.latest)
    edges = sorted({float(row["_time"]) for row in rows if row["category"] == "edge"})
    assert edges == pytest.approx([T - 3, T + 103])


# -- what fits


BROKEN_WORDS = """table => [...table.querySelectorAll('[data-test="head-cell"]')].flatMap(cell => {
    const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), broken = [];
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        for (const word of node.data.matchAll(/\\S+/g)) {
            const range = document.createRange();
            range.setStart(node, word.index);
            range.setEnd(node, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1) broken.push(word[0]);
        }
    }
    return broken;
})"""
OUT_OF_SIGHT = """table => [...table.querySelectorAll('[data-test="head-cell"]')].filter(
    cell => cell.getBoundingClientRect().right > table.getBoundingClientRect().right + 1).map(cell => cell.innerText)"""


@pytest.mark.parametrize("width", [1024, 1440])
@pytest.mark.parametrize(
    ("name", "tokens", "tables"),
    [
        ("packet_time", {"lane": "*:52137 > *"}, ["viz_asked", "viz_table", "viz_records"]),
        ("how_late", {}, ["viz_interfaces", "viz_learned", "viz_schedule"]),
    ],
)
def test_every_column_is_in_sight_and_no_header_breaks_within_a_word(draw, name, tokens, tables, width):
    view = draw(name, [*scenes.flows(), *scenes.logins()], tokens=tokens, viewport=(width, 900))
    for table in tables:
        panel = view.panel(table)
        assert panel.evaluate(BROKEN_WORDS) == [] and panel.evaluate(OUT_OF_SIGHT) == [], table
        last, frame = panel.locator(ROW).last.bounding_box(), panel.bounding_box()
        assert width < 1440 or last["y"] + last["height"] <= frame["y"] + frame["height"], f"{table}: a page is cut"
