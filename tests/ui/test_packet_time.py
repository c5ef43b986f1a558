# SPDX-License-Identifier: Apache-2.0
"""Owns what an analyst sees and does in the view Packet time, drawn by Splunk's renderer from the packaged commands."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.views import VIEWS, whole_query
from tools.scenarios import night

from . import scenes
from .scenes import NOW, engine, flow, login
from .see import ROOT

VIEW = "packet_time"
EVENT = "2026-03-14 02:50:25 login of bob from 198.51.100.23 port 52137"
PANELS = ["viz_sentence", "viz_note", "viz_key", "viz_lanes", "viz_asked", "viz_table", "viz_model", "viz_envelope"]
T = int(NOW) - 1800  # 02:45:00


@pytest.fixture(scope="module")
def whole_night(app):
    """The search head of the night; it remembers what it has run."""
    return engine(app, [*scenes.flows(), *scenes.logins()])


@pytest.fixture
def draw(open_view, whole_night):
    """draw(**options): the view on the night, or on another engine."""

    def open_(search=None, **options):
        return open_view(VIEW, search=(search or whole_night).search, **options)

    return open_


def clock(time: float) -> str:
    """A time as the table has it."""
    return datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


# -- what is drawn


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_is_drawn(draw, theme):
    view = draw(theme=theme)
    assert view.panels() == PANELS
    assert view.text("viz_sentence") == (
        "26 of 49 flow records could have carried one of the 17 events; 23 could have carried none of them. Choose an event "
        "to ask about it alone."
    )
    assert view.text("viz_note") == (
        "AWS dropped flow records (SKIPDATA) in this time range on eni-0a1b2c3d4e5f60002. The timeline draws 14 of 17 "
        "connections, those nearest to the events first; the table has all records. Times have Splunk's zone, +0000; only "
        "the axis of the timeline has that of your browser."
    )
    assert view.lanes("viz_lanes")[:2] == ["other events", "skipped by AWS"]
    assert len(view.lanes("viz_lanes")) == 16 and "..." not in "".join(view.lanes("viz_lanes"))
    assert view.header("viz_table") == ["Flow", "Packet time", "Certainty", "Probability", "Why", "Packets"]
    assert [
        view.panel(name).locator("img").evaluate("image => image.naturalWidth") for name in ("viz_key", "viz_envelope")
    ] == [
        1200,
        920,
    ]
    assert view.options("Event")[0] == "Any event" and EVENT in view.options("Event")
    assert len(view.options("Event")) == 18


def test_the_table_has_the_bounds_that_flowlagenrich_gives(draw):
    """Row by row: the record's start less the lag, its end and one second more, half of it as ±."""
    view = draw(tokens={"address": "203.0.113.99", "port": "40817"})
    stamps = [
        (int(event["start_time"]), int(event["end_time"])) for event in scenes.flows() if event["src_port"] == "40817"
    ]
    expected = {f"{clock(start - 60)} to {clock(end + 1)[11:]} ± {(end - start + 61) / 2:g} s" for start, end in stamps}
    rows = view.rows("viz_table")
    assert {row[1] for row in rows} == expected
    assert {row[0] for row in rows} == {"203.0.113.99:40817 > 10.0.0.22:22"}


def test_a_bar_says_what_the_table_says(draw):
    view = draw(tokens={"event": EVENT})
    lane, time, certainty, _, why, _ = view.rows("viz_table")[0]
    wide = view.hover_bar("viz_lanes", f"can: {lane}", "packet time, can")
    first, last = (part[-8:] for part in time.split(" ±")[0].split(" to "))
    assert certainty == "possible" and wide["Detail"] == f"{first} to {last} +0000: {why}"
    assert view.hover_bar("viz_lanes", f"can: {lane}", "start to end, can")["Detail"] == wide["Detail"]


def test_colours_do_not_depend_on_what_is_there(draw):
    """The same meaning has the same colour with and without other records; can and cannot are never one colour."""
    seen = {}
    for tokens in ({}, {"event": EVENT}, {"address": "198.51.100.7"}):
        view = draw(tokens=tokens)
        sent = [search for search in view.server.sent("ds_lanes") if search.query][-1]
        rows = view.server.search(sent.query, sent.earliest, sent.latest)
        drawn = json.loads(
            view.panel("viz_lanes").locator("[data-test-data-colors]").get_attribute("data-test-data-colors")
        )
        for row, colour in zip(rows, drawn):
            assert seen.setdefault(row["category"], colour) == colour
    assert len(seen) == 9 == len(set(seen.values()))


def test_a_circle_is_another_event(draw):
    found = draw().hover_bar("viz_lanes", "other events", "another event")
    assert found["Detail"] == "2026-03-14 02:42:23 login of bob from 198.51.100.23 port 38826 (+0000)"
    assert found["From"] == found["To"] == "Mar 14, 2026, 2:42 AM"


# -- what is asked


def test_one_event_is_asked_about(draw):
    """The issue of a night: which of the flows can have carried this login?"""
    view = draw()
    view.choose("Event", EVENT)
    assert view.text("viz_sentence").startswith(
        f"1 of 49 flow records could have carried this event: {EVENT}. 1 certainly began after it, 47 have another client "
        "address or port."
    )
    assert f'event="{EVENT}"' in view.server.sent("ds_table")[-1].query
    first, *others = view.rows("viz_table")
    assert first[2] == "possible" and {row[2] for row in others} == {"impossible"}
    assert others[0][4].startswith("its first packet passed at least ")
    assert view.lanes("viz_lanes")[2] == f"can: {first[0]}"
    assert view.hover_bar("viz_lanes", "other events", "the event asked about")["Detail"] == f"{EVENT} (+0000)"


def test_no_login_is_denied_its_flow(whole_night):
    """The true record of each login, by its client's port and the time of its first packet, is among the possible."""
    query = re.sub(r"\$\w+\|s\$", '"*"', whole_query(VIEWS[VIEW], "ds_asked")).replace("$flows$", "`flowlag_index`")
    rows = whole_night.search(query, str(NOW - 3600), str(NOW))
    assert len(rows) == len(night.play()[1]) == 17
    assert all(int(row["Possible"]) >= 1 for row in rows)


def test_a_cut_is_said_also_where_an_address_hides_it(app):
    """10,000 events were looked at, and nearly all belong to other addresses."""
    others = [login(T + i / 20, f"203.0.113.5:{i}") for i in range(10_000)]
    search = engine(app, [flow(T - 600, T - 541), *others])
    query = (
        whole_query(VIEWS[VIEW], "ds_sentence")
        .replace("$address|s$", '"198.51.100.7"')
        .replace("$flows$", "`flowlag_index`")
    )
    (row,) = search.search(re.sub(r"\$\w+\|s\$", '"*"', query), str(NOW - 3600), str(NOW))
    assert row["note"].startswith("**Only the newest 10,000 records and events were examined**")


def test_address_and_port_reach_the_search(draw):
    view = draw()
    view.set_text("Address", "198.51.100.7")
    view.set_text("Port", "59395")
    query = view.server.sent("ds_events")[-1].query
    assert '(src_ip="198.51.100.7" OR dest_ip="198.51.100.7") (src_port="59395" OR dest_port="59395")' in query
    assert re.match(
        r"1 of 1 flow record for address 198\.51\.100\.7 and port 59395 could have carried one of the 7 events",
        view.text("viz_sentence"),
    )
    assert view.lanes("viz_lanes") == ["other events", "skipped by AWS", "can: 198.51.100.7:59395 > 10.0.0.22:22"]


def test_a_subnet_is_an_address(draw):
    view = draw(tokens={"address": "203.0.113.0/24"})
    assert {row[0].split(":")[0] for row in view.rows("viz_table")} == {"203.0.113.99"}


def test_what_is_typed_cannot_leave_its_quotes(draw):
    """A quotation mark in an input stays a character of the value."""
    view = draw(tokens={"address": '*" OR index="secret'})
    assert r'src_ip="*\" OR index=\"secret"' in view.server.sent("ds_events")[-1].query
    assert "No flow record was found for address" in view.text("viz_sentence")


def test_time_range_and_flow_logs_reach_the_search(draw):
    view = draw(
        tokens={
            "flows": "index=aws sourcetype=aws:cloudwatchlogs:vpcflow",
            "time.earliest": "-2h@m",
            "time.latest": "now",
        }
    )
    sent = view.server.sent("ds_events")[-1]
    assert "((index=aws sourcetype=aws:cloudwatchlogs:vpcflow) (src_ip=" in sent.query
    assert (sent.earliest, sent.latest) == ("-2h@m", "now")
    assert view.text("viz_sentence").startswith("26 of 49")


# -- what is clicked


@pytest.mark.parametrize("by", ["bar", "lane", "row"])
def test_a_click_shows_the_raw_records_of_a_flow(draw, by):
    """A bar, the name of its lane, or a row: its records come first, the raw ones are all there, one more click opens Search."""
    view = draw()
    assert "viz_records" not in view.panels()
    assert not [search for search in view.server.sent("ds_records") if search.query]  # nothing is searched for nothing
    lane = "198.51.100.23:52729 > 10.0.1.35:22"
    if by == "bar":
        view.click_bar("viz_lanes", f"can: {lane}")
    elif by == "lane":
        view.click_lane("viz_lanes", f"can: {lane}")
    else:
        view.set_text("Flow", "*:52729 > *")
        view.click_cell("viz_table", 0, "Why")
    assert view.tokens()["lane"].removeprefix("can: ") == lane
    flows = [row[0] for row in view.rows("viz_table")]
    assert flows[:5] == [lane] * 5 and lane not in flows[5:] and len(flows) == 8
    expected = [event["_raw"] for event in scenes.flows() if event["src_port"] == "52729"]
    assert sorted(row[3] for row in view.rows("viz_records")) == sorted(expected)
    sent = view.server.sent("ds_records")[-1]
    stamps = [int(part) for raw in expected for part in raw.split()[10:12]]
    assert int(sent.earliest) <= min(stamps) - 60 and max(stamps) + 1 <= int(sent.latest) < NOW
    assert view.text("viz_sentence").startswith("26 of 49")  # a flow in view changes nothing of the answer

    view.click_cell("viz_records", 0, "Record")
    (opened,) = view.opened()
    asked = parse_qs(urlsplit(opened["url"]).query)
    assert (asked["earliest"], asked["latest"]) == ([sent.earliest], [sent.latest])
    assert asked["q"] == [
        '(`flowlag_index`) ((src_ip="198.51.100.23" dest_ip="10.0.1.35" src_port="52729" dest_port="22") OR '
        '(src_ip="10.0.1.35" dest_ip="198.51.100.23" src_port="22" dest_port="52729"))'
    ]


def test_the_star_chooses_no_flow(draw):
    view = draw(tokens={"lane": "198.51.100.23:52729 > 10.0.1.35:22"})
    assert "viz_records" in view.panels()
    view.set_text("Flow", "*")
    assert "viz_records" not in view.panels()


def test_a_click_on_a_lane_without_flows_keeps_all(draw):
    view = draw()
    view.click_lane("viz_lanes", "skipped by AWS")
    assert view.tokens()["lane"] == "skipped by AWS" and len(view.rows("viz_table")) == 8


def test_a_click_on_an_event_chooses_it(draw):
    view = draw()
    rows = view.rows("viz_asked")
    assert view.header("viz_asked") == ["Event", "Possible", "Packet times", "Most probable flow", "Probability"]
    number = [row[0] for row in rows].index(EVENT)
    view.click_cell("viz_asked", number, "Event")
    assert view.tokens()["event"] == EVENT
    assert EVENT in view.text("viz_sentence")
    assert view.rows("viz_asked") == rows  # the counts of the others stay


# -- what is not there


def test_nothing_at_all_is_said_in_words(draw, app):
    view = draw(engine(app, []))
    assert view.text("viz_sentence") == (
        "No flow record was found, and no other event: the search for flow logs finds nothing in this time range. "
        "Choose another one, or set the macro flowlag_index. The dashboard Check says what is missing."
    )
    assert view.panels() == ["viz_sentence", "viz_note", "viz_asked", "viz_model"]
    assert "No search results returned" in view.text("viz_asked")


def test_no_flow_record(draw, app):
    view = draw(engine(app, scenes.logins()))
    assert view.text("viz_sentence") == (
        "No flow record was found, only 17 other events: the search for flow logs finds nothing in this time range. "
        "Choose another one, or set the macro flowlag_index. The dashboard Check says what is missing."
    )
    assert view.lanes("viz_lanes") == ["other events"]


def test_no_other_event(draw, app):
    """Then there is no verdict, only the packet time."""
    view = draw(engine(app, [flow(T, T + 59)]))
    assert view.text("viz_sentence") == (
        "1 flow record, but no other event to compare with: set the macro flowlag_events. The dashboard Check says "
        "what is missing."
    )
    assert view.rows("viz_table")[0][2:5] == ["", "", "no event to compare with"]
    assert view.options("Event") == ["Any event"]
    lane = "198.51.100.7:40000 > 10.0.0.22:22"
    assert view.hover_bar("viz_lanes", lane, "packet time, can")["Detail"].endswith(": no event to compare with")


def test_a_chosen_event_outside_the_time_range(draw):
    view = draw(tokens={"event": "2026-03-01 00:00:00 login of mallory from 192.0.2.1"})
    assert "The chosen event is not in this time range: choose another." in view.text("viz_sentence")


@pytest.mark.parametrize(
    ("events", "note"),
    [
        pytest.param(
            [flow(T, T + 59), login(T - 1750)],
            "The time range begins or ends close to the event: widen it",
            id="left edge",
        ),
        pytest.param(
            [flow(int(NOW) - 130, int(NOW) - 71), login(NOW - 90)],
            "More records of that time may still arrive: so far they came up to 60 s after their end.",
            id="records to come",
        ),
        pytest.param(
            [flow(T, T + 59), login(T), flow(T, T + 5000)], "1 more could not be read.", id="unreadable record"
        ),
    ],
)
def test_what_keeps_from_an_answer_is_said(draw, app, events, note):
    assert note in draw(engine(app, events)).text("viz_note")


# -- the law at its edges


@pytest.mark.parametrize(
    ("second", "certainty", "why"),
    [
        pytest.param(T - 64, "impossible", "its first packet passed at least 2 s after the event", id="before"),
        pytest.param(
            T - 63,
            "possible",
            "the event is 3 s before its earliest packet time, within",
            id="the clock and the second are allowed",
        ),
        pytest.param(
            T + 30, "possible", "the event is 90 s after its earliest and 30 s before its latest", id="inside"
        ),
        pytest.param(
            T + 63, "possible", "the event is 3 s after its latest packet time, within", id="the last that is possible"
        ),
        pytest.param(T + 64, "impossible", "its last packet passed at least 2 s before the event", id="after"),
    ],
)
def test_a_login_around_a_record(draw, app, second, certainty, why):
    """Record T to T + 59, so packets from T - 60 to T + 60; a clock may be off 2 s, and stamps count whole seconds."""
    view = draw(engine(app, [flow(T, T + 59), login(second)]))
    (row,) = view.rows("viz_table")
    assert row[2] == certainty and why in row[4]
    assert view.text("viz_sentence").startswith(
        "1 of 1" if certainty == "possible" else "No flow record fits this event"
    )


def test_the_nearest_lanes_are_drawn_and_the_table_has_all(draw, app):
    """Of fifty connections with other keys those nearest in time to the event are drawn, and it is said how many."""
    flows = [flow(T + 20 * i, T + 20 * i + 59, f"198.51.100.7:{40000 + i}") for i in range(50)]
    view = draw(engine(app, [*flows, login(T + 500, "198.51.100.7:40025")]))
    lanes = view.lanes("viz_lanes")
    assert len(lanes) == 16 and lanes[:2] == ["other events", "can: 198.51.100.7:40025 > 10.0.0.22:22"]
    assert {int(re.search(r":(4\d+) >", lane)[1]) for lane in lanes[1:]} <= set(range(40016, 40036))
    assert "The timeline draws 15 of 50 connections, those nearest to the event first" in view.text("viz_note")
    assert view.text("viz_sentence").startswith("1 of 50 flow records could have carried this event")
    assert "3" in view.text("viz_table").splitlines()  # the page with the last ten


def test_addresses_of_version_6(draw, app):
    view = draw(engine(app, [flow(T, T + 59, "2001:db8::7:40000", "2001:db8:1::22:22"), login(T, "2001:db8::7:40000")]))
    assert view.lanes("viz_lanes")[1] == "can: [2001:db8::7]:40000 > [2001:db8:1::22]:22"
    assert view.text("viz_sentence").startswith("1 of 1 flow record could have carried this event")


def test_other_events_by_two_macros(draw, app):
    """The documents' example: findings of GuardDuty, tied by the network interface."""
    finding = {
        "_time": str(T + 10),
        "_raw": "{}",
        "index": "aws",
        "sourcetype": "aws:cloudwatch:guardduty",
        "host": "aws",
        "detail.type": "Backdoor:EC2/C&CActivity.B",
        "detail.resource.instanceDetails.networkInterfaces{}.networkInterfaceId": "eni-1",
    }
    page = (ROOT / "docs" / "dashboards.md").read_text("utf-8")
    (example,) = re.findall(r"```ini\n(\[flowlag_events\].*?)```", page, re.S)
    local = dict(re.findall(r"\[(\w+)\]\ndefinition = (.*)", example))
    assert list(local) == ["flowlag_events", "flowlag_event_fields"]
    view = draw(engine(app, [flow(T, T + 59), finding], local=local))
    assert view.text("viz_sentence").startswith(
        "1 of 1 flow record could have carried this event: 2026-03-14 02:45:10 Backdoor:EC2/C&CActivity.B"
    )
    view = draw(engine(app, [{**flow(T, T + 59), "interface_id": "eni-2"}, finding], local=local))
    assert "1 has another network interface." in view.text("viz_sentence")


# -- what must not be said


def test_the_reply_belongs_to_the_login_as_the_request_does(draw, app):
    """The client's address and port are the source of one direction and the destination of the other."""
    request = flow(T, T + 59, "198.51.100.7:40000", "10.0.0.22:22")
    reply = flow(T, T + 59, "10.0.0.22:22", "198.51.100.7:40000")
    other = flow(T, T + 59, "10.0.0.22:22", "198.51.100.8:40000")
    view = draw(engine(app, [request, reply, other, login(T)]))
    assert view.text("viz_sentence").startswith("2 of 3 flow records could have carried this event")
    assert "1 has another client address or port" in view.text("viz_sentence")
    assert sorted(tuple(row[:1] + row[2:4]) for row in view.rows("viz_table")) == [
        ("198.51.100.7:40000 > 10.0.0.22:22", "possible", ">99 %"),
        ("198.51.100.7:40000 > 10.0.0.22:22", "possible", ">99 %"),
        ("198.51.100.8:40000 > 10.0.0.22:22", "impossible", ""),
    ]
    assert [row[1] for row in view.rows("viz_asked")] == ["2"]


def test_a_login_without_a_key_is_not_denied_its_flow(draw, app):
    event = login(T)
    del event["src_port"]
    view = draw(engine(app, [flow(T, T + 59), event]))
    assert view.text("viz_sentence").startswith("Whether a flow record fits this event cannot be said: ")
    assert view.text("viz_sentence").endswith("Of 1 flow record, 1 cannot be compared.")
    assert view.lanes("viz_lanes")[1].startswith("unknown: ")
    assert view.rows("viz_table")[0][2:5] == ["unknown", "", "no key to compare: see the macro flowlag_event_fields"]
    assert view.rows("viz_asked")[0][1] == "not known"


def test_the_address_of_the_server_finds_the_login_too(draw, app):
    """The login names its client and a host by name; it stays, because it shares a key with a flow of the server."""
    event = {**login(T), "dest": "web-1", "host": "web-1"}
    others = [
        flow(T, T + 59, "198.51.100.8:40001", "10.0.0.99:22"),
        {**login(T, "198.51.100.8:40001"), "dest": "web-9"},
    ]
    view = draw(engine(app, [flow(T, T + 59), event, *others]), tokens={"address": "10.0.0.22"})
    assert view.text("viz_sentence").startswith(
        "1 of 1 flow record for address 10.0.0.22 could have carried this event: 2026-03-14 02:45:00 login of alice"
    )


def test_a_rejected_record_is_said_to_be_one(draw, app):
    rejected = {**flow(T, T + 59), "action": "blocked"}
    view = draw(engine(app, [rejected, flow(T, T + 59), login(T)]))
    assert "2 of 2 flow records could have carried this event" in view.text("viz_sentence")
    assert view.text("viz_sentence").endswith(" One of the records that could shows rejected traffic.")


def test_a_long_record_may_lie_before_the_time_range(draw, app):
    """Ten minutes are possible where any record lasts longer than one, unless flowlag_longest says otherwise."""
    events = [flow(T - 1500, T - 1441), login(T - 1400)]
    note = "The time range begins or ends close to the event: widen it, since more records may lie outside."
    assert note not in draw(engine(app, events)).text("viz_note")
    events.append(flow(T, T + 599, "198.51.100.8:40000"))
    assert note in draw(engine(app, events)).text("viz_note")
    assert note not in draw(engine(app, events, local={"flowlag_longest": "60"})).text("viz_note")


def test_an_answer_without_the_time_of_indexing(draw, app):
    """Whether records are still to come is said all the same."""
    events = [flow(int(NOW) - 130, int(NOW) - 71), login(NOW - 90)]
    del events[0]["_indextime"]
    assert draw(engine(app, events)).text("viz_note").startswith("More records of that time may still arrive. ")


def test_an_event_that_lasts(draw, app):
    """Its middle is no moment to count seconds to."""
    local = {
        "flowlag_event_fields": 'event="scan", event_start=_time, event_end=_time+600, event_key="x", flow_key="x", '
        'key_name="key"'
    }
    view = draw(engine(app, [flow(T + 100, T + 159), flow(T + 700, T + 759), login(T)], local=local))
    assert sorted([row[2], row[4]] for row in view.rows("viz_table")) == [
        ["impossible", "its first packet passed at least 40 s after the event"],
        ["possible", "the event overlaps its packet time"],
    ]


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        pytest.param("[click](http://evil.example) ![i](http://evil.example/p.png)", None, id="markdown"),
        pytest.param("*a* _b_ ~~c~~ # &lt; \\* www.evil.example e@evil.example", None, id="more markdown"),
        pytest.param("<img src=x onerror=alert(1)>", None, id="html"),
        pytest.param("$lane$ `flowlag_index`", "\ufffdlane\ufffd \ufffdflowlag_index\ufffd", id="tokens and macros"),
        pytest.param('a"b | delete \\ c', None, id="quotes, pipe and backslash"),
        pytest.param("jos\u00e9 \u5c71\u7530 \u05e9\u05dc\u05d5\u05dd", None, id="letters"),
        pytest.param("\u202egnp\u2066.exe\x9b", "\ufffdgnp\ufffd.exe\ufffd", id="what turns text around"),
        pytest.param("al\u200bi\u00adce\U000e0041", "al\ufffdi\ufffdce\ufffd", id="what is not seen"),
    ],
)
def test_a_name_stays_a_name(draw, app, user, shown):
    """Whoever tries to log in chooses the name; the page asks no other host, the event can be chosen, nothing is dropped."""
    name = f"login of {shown or user} from"
    view = draw(engine(app, [flow(T, T + 59), {**login(T), "user": user}, login(T + 9)]))
    number = ["alice" in row[0] for row in view.rows("viz_asked")].index(False)
    assert name in view.rows("viz_asked")[number][0]
    view.click_cell("viz_asked", number, "Event")
    assert f"1 of 1 flow record could have carried this event: 2026-03-14 02:45:00 {name}" in view.text("viz_sentence")
    assert view.panel("viz_sentence").locator("a, img, em, strong, del").count() == 0
    assert ("stands for a character" in view.text("viz_note")) == (shown is not None)


def test_text_from_right_to_left_does_not_turn_what_follows(draw, app):
    """The name ends the event; the count after it stays to the right of it."""
    local = {
        "flowlag_event_fields": 'event=user, event_start=_time, event_end=_time, event_key="x", flow_key=src_ip, '
        'key_name="key"'
    }
    name = "\u05e9\u05dc\u05d5\u05dd"
    view = draw(engine(app, [flow(T, T + 59), {**login(T), "user": name}], local=local))
    assert (
        view.text("viz_sentence")
        == f"No flow record fits this event: 2026-03-14 02:45:00 {name}. Of 1 flow record, 1 has another key."
    )
    places = view.panel("viz_sentence").evaluate(PLACES, [name, "Of 1"])
    assert places[0] < places[1]


# Where texts begin, from the left.
PLACES = """(panel, wanted) => wanted.map(text => {
    const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
        const at = node.data.indexOf(text);
        if (at < 0) continue;
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + text.length);
        return range.getBoundingClientRect().left;
    }
})"""


# -- names of flows


def test_a_lane_of_several_connections_shows_all_raw_records(draw, app):
    """A coarser flowlag_lane: what the records of a lane have in common finds them."""
    flows = [flow(T + i, T + 59, f"198.51.100.7:{40000 + i}") for i in range(4)]
    view = draw(engine(app, [*flows, login(T)], local={"flowlag_lane": 'src_ip . " > " . dest_ip'}))
    view.click_bar("viz_lanes", "can: 198.51.100.7 > 10.0.0.22")
    assert len(view.rows("viz_records")) == 4


def test_records_without_a_name_have_a_lane(draw, app):
    view = draw(engine(app, [flow(T, T + 59), login(T)], local={"flowlag_lane": "no_such_field"}))
    assert view.lanes("viz_lanes") == ["other events", "can: flow without a name"]
    assert view.rows("viz_table")[0][0] == "flow without a name"


def test_long_addresses_leave_the_ports_to_be_read(draw, app):
    source = "2001:db8:1234:5678:9abc:def0:1234:2701"
    view = draw(
        engine(app, [flow(T, T + 59, f"{source}:40000", "2001:db8:1234:5678:9abc:def0:1234:ff22:443"), login(T)])
    )
    lane = "cannot: [2001:..34:2701]:40000 > [2001:..34:ff22]:443"
    assert view.lanes("viz_lanes")[1] == lane
    assert f" - [{source}]:40000 > [2001:db8:1234:5678:9abc:def0" in view.hover_bar("viz_lanes", lane)["Detail"]
    view.click_bar("viz_lanes", lane)
    assert view.rows("viz_table")[0][0].startswith(f"[{source}]") and len(view.rows("viz_records")) == 1


# -- one lane a connection


def bars(view):
    """What the timeline was given: lane, category, seconds from T to the beginning of the bar, and its length."""
    sent = [search for search in view.server.sent("ds_lanes") if search.query][-1]
    return [
        (row["lane"], row["category"], float(row["_time"]) - T, float(row["duration_ms"]) / 1000)
        for row in view.server.search(sent.query, sent.earliest, sent.latest)
    ]


def test_both_directions_and_all_interfaces_share_a_lane(draw, app):
    """Equal bars are drawn once. The first packet lies in both records with SYN: from T - 40 to T + 51."""
    client, server = "198.51.100.7:40000", "10.0.0.22:22"
    view = draw(
        engine(
            app,
            [
                flow(T, T + 59, client, server, tcp_flags="2"),
                flow(T, T + 59, server, client, tcp_flags="18"),
                flow(T + 20, T + 50, client, server, tcp_flags="2", interface_id="eni-2"),
                login(T + 10),
            ],
        )
    )
    drawn = bars(view)
    lane = f"can: {client} > {server}"
    assert view.lanes("viz_lanes") == ["other events", lane]
    assert sorted({bar[2:] for bar in drawn if bar[1] == "packet time, can"}) == [(-60, 120), (-40, 91)]
    first, last = dict.fromkeys(bar for bar in drawn if bar[1] == "bounds of its first packet")
    assert (first[0], first[2], last[2] + last[3]) == (lane, -40, pytest.approx(51))
    assert view.hover_bar("viz_lanes", lane, "bounds of its first packet")["Detail"].startswith(
        "its first packet passed between "
    )


def test_a_port_that_is_used_again_has_a_lane_of_its_own(draw, app):
    view = draw(engine(app, [flow(T, T + 9, tcp_flags="3"), flow(T + 120, T + 129, tcp_flags="3"), login(T)]))
    first, second = sorted(lane.split(": ", 1)[1] for lane in view.lanes("viz_lanes")[1:])
    assert second == f"{first} (2)"


def test_the_probability_is_that_of_flowlagmatch(draw, app):
    """Two connections for one login: the one whose record is short and spans the login is the more probable."""
    near = flow(T, T + 9, tcp_flags="2")
    far = flow(T + 58, T + 70, "198.51.100.7:40000", "10.0.0.23:22", tcp_flags="2")
    view = draw(engine(app, [near, far, login(T - 1)]))
    shown = {row[0]: row[3] for row in view.rows("viz_table")}
    shares = [int(text.rstrip(" %")) for text in shown.values()]
    assert len(shares) == 2 and sum(shares) in (98, 99, 100) and min(shares) > 1
    assert view.rows("viz_asked")[0][3:] == [
        max(shown, key=lambda lane: int(shown[lane].rstrip(" %"))),
        f"{max(shares)} %",
    ]
