# SPDX-License-Identifier: Apache-2.0
"""Owns what the searches of the view Packet time make of connections: lanes, bounds of the first packet, probability.

tests/ui draws the view; here its searches run on the packaged commands, which are asked for the same numbers directly.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Optional

import pytest

from tests.support.views import VIEWS, whole_query
from tests.ui.scenes import NOW, Event, engine, flow, login

T = int(NOW) - 1800  # 02:45:00
CLIENT, SERVER = "10.0.1.9:40001", "10.0.2.22:22"
LANE = f"{CLIENT} > {SERVER}"
MARK = "bounds of its first packet"


def seen(interface: str, start: int, end: int, source: str, target: str, flags: Optional[int] = None) -> Event:
    """A record of an interface, seconds after T."""
    more = {} if flags is None else {"tcp_flags": str(flags)}
    return {**flow(T + start, T + end, source, target, **more), "interface_id": interface}


def connection() -> list[Event]:
    """A connection inside the estate, in both directions and at both interfaces; one pair has equal stamps."""
    return [
        seen("eni-client", 20, 50, CLIENT, SERVER, 2),
        seen("eni-client", 21, 58, SERVER, CLIENT, 18),
        seen("eni-server", 0, 58, CLIENT, SERVER, 2),
        seen("eni-server", 0, 58, SERVER, CLIENT, 18),
        seen("eni-client", 80, 110, CLIENT, SERVER, 1),
    ]


@pytest.fixture
def ask(app):
    """ask(events, source, event="*", **macros): the rows of a data source of the view; or of any query."""

    def run(events: list[Event], source: str, event: str = "*", **macros: str) -> list[dict[str, Any]]:
        query = whole_query(VIEWS["packet_time"], source) if source.startswith("ds_") else source
        query = query.replace("$flows$", "`flowlag_index`").replace("$event|s$", f'"{event}"')
        search = engine(app, events, local=macros).search
        return search(re.sub(r"\$\w+\|s\$", '"*"', query), str(NOW - 3600), str(NOW))

    return run


def marks(rows: list[dict[str, Any]], lane: str = LANE) -> tuple[float, float]:
    """Where the two marks of a lane begin and end."""
    found = [
        (float(row["_time"]), float(row["duration_ms"]) / 1000)
        for row in rows
        if row["lane"] == lane and row["category"] == MARK
    ]
    (since, _), (until, width) = sorted(found)
    return since, until + width


def drawn(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a person sees: each bar once, though it is drawn twice, and no edge of the picture."""
    found = {tuple(row.values()): row for row in rows if row["category"] != "edge"}
    assert len(rows) == 2 * len(found) + 4
    return list(found.values())


def test_both_directions_and_all_interfaces_are_one_lane_and_equal_bars_one(ask):
    """Five records, of which two have the same stamps: four wide bars, four inner ones, two marks."""
    rows = drawn(ask(connection(), "ds_lanes"))
    assert {row["lane"] for row in rows} == {LANE}
    assert Counter(row["category"] for row in rows) == {"packet time, can": 4, "start to end, can": 4, MARK: 2}


def test_no_record_is_lost_to_its_lane(ask):
    rows = ask([*connection(), login(T, CLIENT)], "ds_table")
    assert [row["Flow"] for row in rows] == [LANE] * 5
    (sentence,) = ask([*connection(), login(T, CLIENT)], "ds_sentence")
    assert " of 5 flow records" in sentence["sentence"]


@pytest.mark.parametrize("flags", [True, False], ids=["flags", "no flags"])
def test_the_marks_are_the_bounds_of_flowlagconnect(ask, flags):
    events = [{k: v for k, v in event.items() if flags or k != "tcp_flags"} for event in connection()]
    (row,) = ask(events, "`flowlag_index` | flowlagenrich `flowlag_options` | flowlagconnect `flowlag_connect_options`")
    assert row["start_basis"] == ("syn" if flags else "none")
    bounds = float(row["start_earliest"]), float(row["start_latest"])
    assert marks(drawn(ask(events, "ds_lanes"))) == pytest.approx(bounds, abs=0.001)


def test_a_detail_says_the_bounds_and_what_they_rest_on(ask):
    said = {row["detail"] for row in ask(connection(), "ds_lanes") if row["category"] == MARK}
    assert said == {"its first packet passed between 02:44:20 and 02:45:51 +0000"}
    plain = [{k: v for k, v in event.items() if k != "tcp_flags"} for event in connection()]
    (said,) = {row["detail"] for row in ask(plain, "ds_lanes") if row["category"] == MARK}
    assert said.endswith(", unless it began before these records")


def test_ports_that_are_used_again_get_a_lane_of_their_own(ask):
    again = [seen("eni-client", 300, 350, CLIENT, SERVER, 2), seen("eni-client", 301, 360, SERVER, CLIENT, 18)]
    rows = drawn(ask([*connection(), *again], "ds_lanes"))
    assert list(dict.fromkeys(row["lane"] for row in rows)) == [LANE, f"{LANE} (2)"]
    assert marks(rows, f"{LANE} (2)") == pytest.approx((T + 240, T + 351), abs=0.001)
    assert marks(rows)[1] <= T + 52


@pytest.mark.parametrize(
    ("events", "lane"),
    [
        pytest.param(
            [seen("e", 0, 9, "10.0.0.5:20", "10.0.0.6:50000", 2), seen("e", 0, 9, "10.0.0.6:50000", "10.0.0.5:20", 18)],
            "10.0.0.5:20 > 10.0.0.6:50000",
            id="SYN, against the ports",
        ),
        pytest.param(
            [seen("e", 0, 9, "10.0.0.6:22", "10.0.0.5:50000"), seen("e", 0, 9, "10.0.0.5:50000", "10.0.0.6:22")],
            "10.0.0.5:50000 > 10.0.0.6:22",
            id="the higher port",
        ),
        pytest.param(
            [
                {**seen("e", 0, 9, "10.0.0.6:0", "10.0.0.5:0"), "protocol_code": "1"},
                {**seen("e", 5, 9, "10.0.0.5:0", "10.0.0.6:0"), "protocol_code": "1"},
            ],
            "10.0.0.5:0 > 10.0.0.6:0",
            id="ping: by address",
        ),
        pytest.param(
            [
                seen("e", 0, 9, "2001:db8::6:22", "2001:db8::5:50000"),
                seen("e", 5, 9, "2001:db8::5:50000", "2001:db8::6:22"),
            ],
            "[2001:db8::5]:50000 > [2001:db8::6]:22",
            id="version 6",
        ),
    ],
)
def test_a_lane_is_named_by_who_opened_the_connection(ask, events, lane):
    assert {row["lane"] for row in ask(events, "ds_lanes")} == {lane}


def test_a_record_in_no_connection_keeps_its_own_lane(ask):
    """flowlagconnect does not know this protocol; the record is drawn, without marks."""
    rows = ask([{**seen("e", 0, 9, SERVER, CLIENT), "protocol_code": "no number"}], "ds_lanes")
    assert {row["lane"] for row in rows} == {f"{SERVER} > {CLIENT}"}
    assert {row["category"] for row in drawn(rows)} == {"packet time, can", "start to end, can"}


def test_the_chosen_event_is_drawn_where_it_can_belong(ask):
    events = [*connection(), seen("e", 0, 9, "10.0.1.9:40002", SERVER), login(T + 10, CLIENT)]
    chosen = "2026-03-14 02:45:10 login of alice from 10.0.1.9 port 40001"
    rows = [row for row in drawn(ask(events, "ds_lanes", chosen)) if row["category"] == "the event asked about"]
    assert [(row["lane"], row["detail"], float(row["_time"])) for row in rows] == [
        ("other events", f"{chosen}\u200e (+0000)", T + 10),
        (f"can: {LANE}", f"{chosen}\u200e (+0000)", T + 10),
    ]


def test_very_many_events_leave_room_for_the_flows(ask):
    """The renderer draws 10,000 rows at most; the event that is asked about is among the 500, and the note says so."""
    events = [
        *connection(),
        *(login(T + number, f"10.0.9.9:{number + 1}") for number in range(600)),
        login(T + 700, CLIENT),
    ]
    chosen = "2026-03-14 02:56:40 login of alice from 10.0.1.9 port 40001"
    rows = ask(events, "ds_lanes", chosen)
    shown = Counter(row["category"] for row in drawn(rows))
    assert (shown["another event"], shown["the event asked about"], shown["packet time, cannot"]) == (1, 1, 4)
    (burst,) = {row["detail"] for row in rows if row["category"] == "another event"}
    assert burst == (
        "499 events, 02:45:00 to 02:53:18 +0000: 2026-03-14 02:45:00 login of alice from 10.0.9.9 port 1, 2026-03-14 02:45:01 "
        "login of alice from 10.0.9.9 port 2, 2026-03-14 02:45:02 login of alice from 10.0.9.9 port 3, and others"
    )
    (said,) = ask(events, "ds_sentence", chosen)
    assert "The timeline draws 500 of 601 events." in said["note"]


@pytest.mark.parametrize(
    ("seconds", "bars"),
    [
        pytest.param(
            [0, 1, 2, 100], [("3 events, 02:45:00 to 02:45:02 +0000", -2.512, 7.024), (None, 100, 0)], id="some"
        ),
        pytest.param([0, 0, 0], [("3 events, 02:45:00 +0000", -2.512, 5.024)], id="the same second"),
        pytest.param([0, 50, 100], [(None, 0, 0), (None, 50, 0), (None, 100, 0)], id="none"),
    ],
)
def test_circles_that_would_lie_on_each_other_are_one_bar(ask, seconds, bars):
    """The bar reaches as far as they would, 1/80 of what is drawn, and says how many events it stands for, and when."""
    events = [
        *(seen("e", 0, last, CLIENT, SERVER) for last in (59, 140)),
        *(login(T + second, f"{number}.0.0.1:1") for number, second in enumerate(seconds, 1)),
    ]
    rows = [row for row in drawn(ask(events, "ds_lanes")) if row["category"] == "another event"]
    found = sorted((float(row["_time"]) - T, float(row["duration_ms"]) / 1000, row["detail"]) for row in rows)
    assert [row[0] for row in found] == pytest.approx([bar[1] for bar in bars], abs=0.001)
    assert [row[1] for row in found] == pytest.approx([bar[2] for bar in bars], abs=0.001)
    assert all(
        said is None or row[2].startswith(f"{said}: 2026-03-14 02:45:00 login of alice from 1.0.0.1 port 1, ")
        for (said, _, _), row in zip(bars, found)
    )


def test_an_address_in_any_spelling_is_the_same(ask):
    """The record writes its addresses in full, the login as RFC 5952 does; the raw record is found as it is written."""
    long, short = ("2001:0DB8:0000:0000:0000:0000:0000:00A7", "2001:db8:0::0022"), ("2001:db8::a7", "2001:db8::22")
    events = [
        seen("e", 0, 50, f"{long[0]}:40000", f"{long[1]}:22", 2),
        seen("e", 0, 52, f"{long[1]}:22", f"{long[0]}:40000", 18),
        login(T + 10, f"{short[0]}:40000"),
    ]
    lane = f"can: [{short[0]}]:40000 > [{short[1]}]:22"
    rows = drawn(ask(events, "ds_lanes", "2026-03-14 02:45:10 login of alice from 2001:db8::a7 port 40000"))
    assert {row["lane"] for row in rows} == {lane, "other events"} and sum(row["category"] == MARK for row in rows) == 2
    assert {row["Certainty"] for row in ask(events, "ds_table")} == {"possible"}
    query = whole_query(VIEWS["packet_time"], "ds_span").replace("$lane|s$", f'"{lane}"')
    (span,) = ask(events, query.replace("$flows$", "`flowlag_index`").replace("$event|s$", '"*"'))
    assert (span["src_ip"], span["dest_ip"]) == long


# -- probability

MATCH = """(`flowlag_index`) OR (`flowlag_events`) | flowlagenrich `flowlag_options`
    | flowlagmatch by="src_ip=src,src_port" anchors="action=success" tolerance=2 unmatched=false `flowlag_login_rank`"""


def percent(probability: float) -> str:
    """As the tables write it."""
    return ">99 %" if probability > 0.99 else "<1 %" if probability < 0.01 else f"{int(100 * probability + 0.5)} %"


def rivals() -> list[Event]:
    """Two connections of one client's port with two servers, and one login."""
    return [
        seen("e", 0, 50, CLIENT, SERVER, 2),
        seen("e", 30, 95, CLIENT, "10.0.3.33:22", 2),
        seen("e", 60, 110, CLIENT, SERVER, 1),
        login(T + 20, CLIENT),
    ]


@pytest.mark.parametrize(
    "rank", ["rank=probability exclusive=true", "starts=tcp_flags rank=probability exclusive=true"]
)
def test_the_probability_of_a_connection_is_that_of_its_records(ask, rank):
    """The sum of what flowlagmatch gives its records; a record that takes no part there has none."""
    by_flow: dict[str, float] = {}
    records = set()
    for row in ask(rivals(), MATCH, flowlag_login_rank=rank):
        flow_of = f"{row['flow_src_ip']}:{row['flow_src_port']} > {row['flow_dest_ip']}:{row['flow_dest_port']}"
        by_flow[flow_of] = by_flow.get(flow_of, 0) + float(row["match_probability"])
        records.add((flow_of, int(row["flow_flowlag_start"])))
    assert len(by_flow) == 2 and len(records) == (2 if "starts" in rank else 3)
    rows = ask(rivals(), "ds_table", flowlag_login_rank=rank)
    given = Counter((row["Flow"], row["Probability"]) for row in rows if row["Probability"])
    assert given == Counter((flow_of, percent(by_flow[flow_of])) for flow_of, _ in records)
    assert [row["Certainty"] for row in rows] == ["possible"] * 3
    (event,) = ask(rivals(), "ds_asked", flowlag_login_rank=rank)
    best = max(by_flow, key=by_flow.__getitem__)
    assert (event["Possible"], event["Most probable flow"], event["Probability"]) == ("3", best, percent(by_flow[best]))


def test_directions_do_not_share_a_probability(ask):
    """Request and reply tell of one connection: the login is as surely its own as if only one of them had been logged."""
    events = [*connection(), login(T + 10, CLIENT)]
    assert [row["Probability"] for row in ask(events, "ds_table")][:4] == [">99 %"] * 4


def test_an_event_that_is_chosen_has_its_own_probability(ask):
    """Two logins from one port, far apart: each record belongs to one of them."""
    events = [*connection(), seen("e", 600, 650, CLIENT, SERVER, 2), login(T + 10, CLIENT), login(T + 620, CLIENT)]
    rows = ask(events, "ds_table", "2026-03-14 02:55:20 login of alice from 10.0.1.9 port 40001")
    assert {(row["Flow"], row["Certainty"]) for row in rows if row["Probability"]} == {(f"{LANE} (2)", "possible")}
    assert sum(bool(row["Probability"]) for row in ask(events, "ds_table")) >= 5


def test_no_event_no_probability(ask):
    assert {row["Probability"] for row in ask(connection(), "ds_table")} == {""}
    (event,) = ask([login(T, CLIENT)], "ds_asked")
    assert (event["Possible"], event["Most probable flow"], event["Probability"]) == ("0", "", "")
