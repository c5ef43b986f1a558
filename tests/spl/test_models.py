# SPDX-License-Identifier: Apache-2.0
"""tstats over the CIM's Network Traffic, rule by rule: what is counted, what is dropped, and what is refused."""

from __future__ import annotations

import pytest

from tests.spl.engine import Engine
from tests.spl.values import SplError
from tests.support.conf import MACROS

FLOW = {
    "_time": "1772366400",
    "start_time": "1772366400",
    "end_time": "1772366429",
    "sourcetype": "aws:cloudwatchlogs:vpcflow",
    "interface_id": "eni-1",
    "src_ip": "2001:db8::7",
    "dest_ip": "2001:db8::22",
    "src_port": "52233",
    "dest_port": "22",
    "protocol_code": "6",
    "packets": "12",
    "bytes": "3000",
    "action": "allowed",
    "log_status": "OK",
}
EVENTS = [
    FLOW,
    FLOW,  # a copy
    {**FLOW, "_time": "1772366400.5", "packets": "1"},
    {**FLOW, "action": "blocked", "interface_id": ""},
    {**FLOW, "log_status": "NODATA"},
    {**FLOW, "log_status": "SKIPDATA"},
    {**FLOW, "sourcetype": "pan:traffic"},
]
MODEL = "from datamodel=Network_Traffic.All_Traffic where"


@pytest.fixture
def search(tmp_path):
    engine = Engine(EVENTS, tmp_path, "no-python", MACROS, 1772370000)
    return lambda text, *bounds: engine.search(f"| tstats {text}", *bounds)


def test_rows_are_counted_by_fields_and_second(search):
    rows = search(f"count {MODEL} sourcetype=* by All_Traffic.packets All_Traffic.dvc _time span=1s")
    assert rows == [
        {"All_Traffic.packets": "1", "All_Traffic.dvc": "eni-1", "_time": "1772366400", "count": "1"},
        {"All_Traffic.packets": "12", "All_Traffic.dvc": "eni-1", "_time": "1772366400", "count": "2"},
    ]


def test_a_null_drops_the_row_unless_it_is_filled(search):
    text = f"count as n {MODEL} All_Traffic.action=blocked by All_Traffic.dvc All_Traffic.duration _time span=1s"
    assert search(text) == []
    filled = {"All_Traffic.dvc": "unknown", "All_Traffic.duration": "29", "_time": "1772366400", "n": "1"}
    assert search(f"summariesonly=false fillnull_value=unknown {text}") == [filled]


def test_time_range_of_the_search_counts(search):
    text = f"count {MODEL} sourcetype=* by _time span=1s"
    assert [row["count"] for row in search(text)] == ["4"]
    assert search(text, "1772366401", "now") == []
    with pytest.raises(SplError, match="index time"):
        search(text, "", "", "-1h", "now")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"sum(All_Traffic.bytes) {MODEL} sourcetype=* by _time span=1s", "count only"),
        (f"count {MODEL} sourcetype=* by _time span=1h", "span=1s"),
        (f"count {MODEL} sourcetype=* by All_Traffic.dvc", "span=1s"),
        ("count from datamodel=Web where sourcetype=* by _time span=1s", "unknown data model"),
        (f"count {MODEL} sourcetype=* by All_Traffic.interface_id _time span=1s", "has no"),
        (f"count {MODEL} action=allowed by _time span=1s", "has no"),
        (f"prestats=true count {MODEL} sourcetype=* by _time span=1s", "not known here"),
    ],
    ids=str,
)
def test_what_is_not_known_is_refused(search, text, why):
    with pytest.raises(SplError, match=why):
        search(text)


def test_flowlag_traffic_gives_tagged_records(app, python):
    """One row for copies; bounds from _time and duration; a duration that is missing is told, not guessed."""
    events = [*EVENTS, {**FLOW, "_time": "1772366500", "end_time": ""}]
    engine = Engine(events, app, python, MACROS, 1772370000)
    rows = engine.search('| `flowlag_traffic("All_Traffic.action=allowed")` | sort 0 num(_time) num(packets)')
    named = (
        "interface_id",
        "transport",
        "packets",
        "flowlag_copies",
        "flowlag_status",
        "flowlag_earliest",
        "flowlag_latest",
    )
    assert [[row[name] for name in named] for row in rows] == [
        ["eni-1", "tcp", "1", "1", "ok", "1772366340", "1772366430"],
        ["eni-1", "tcp", "12", "2", "ok", "1772366340", "1772366430"],
        ["eni-1", "tcp", "12", "1", "missing", "", ""],
    ]
    assert [text for _, text in engine.messages if "missing" in text]
