# SPDX-License-Identifier: Apache-2.0
"""flowlagconnect over bytes: whatever the quoting, the columns and the cuts, the rows are those of the events one by one."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlag.connect.connector import Connector
from flowlag.connect.options import parse_connect_settings
from flowlag.connect.rows import CONNECT_FIELDS
from flowlag.splunk.connect_table import ConnectTable
from tests.support.splunkd import write_body
from tests.support.strategies import HOSTILE

T = 1_764_500_000
EVENT = {
    "flowlag_status": "ok", "flowlag_start": str(T), "flowlag_end": str(T + 30), "src_ip": "10.0.0.9", "dest_ip": "10.0.0.10",
    "src_port": "40001", "dest_port": "22", "protocol": "6", "interface_id": "eni-1", "packets": "3", "bytes": "180",
    "tcp_flags": "2", "action": "ACCEPT",
}  # fmt: skip


def reply_to(*bodies, size=None, **options):
    connector = Connector(parse_connect_settings(options.items()))
    table = ConnectTable(connector) if size is None else ConnectTable(connector, size)
    for body in bodies:
        table.feed(body)
    return table.close(), connector


def rows_of(body):
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


def plain_rows(events):
    """The rows by the plain path, event by event."""
    connector = Connector(parse_connect_settings([]))
    for event in events:
        connector.feed([event.get])
    return list(connector.close(lambda row: dict(zip(CONNECT_FIELDS, row)))), connector.counts


CLEAN = [text for text in HOSTILE if "\ud800" not in text and "\0" not in text]
TEXTS = st.sampled_from([*CLEAN, "a\nb", "NULL", "None", "10.0.0.9", "tcp", "6", "x" * 200, '"a"', 'a"b"c', "ü,ö"])
EVENTS = st.lists(
    st.fixed_dictionaries(
        {name: st.just(EVENT[name]) for name in ("flowlag_end", "dest_ip", "src_port", "dest_port")},
        optional={
            **dict.fromkeys(("src_ip", "srcaddr", "src", "protocol", "protocol_code", "transport", "dvc", "user", "interface_id", "action", "vpcflow_action"), TEXTS),
            "tcp_flags": st.sampled_from(["2", "18", "x", ""]),
            "packets": st.sampled_from(["1", "2.0", "-", "9" * 30]),
            "bytes": st.sampled_from(["1", "", "1_0"]),
            "flowlag_status": st.sampled_from(["ok", "ok", "nodata", "", "é"]),
            "flowlag_start": st.sampled_from([str(T), f"{T}.25", "", "x", "9999999999", "41" * 9]),
        },
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


@given(EVENTS, st.sampled_from([1, 40, 300, None]), st.booleans())
def test_the_bytes_of_events_give_the_rows_of_the_events(events, size, bare):
    body = write_body(events)
    if bare:  # without quotes where none are needed, and without twins
        out = io.StringIO()
        names = list(dict.fromkeys(name for event in events for name in event))
        rows = csv.DictWriter(out, names, restval="", lineterminator="\n")
        rows.writeheader()
        rows.writerows(events)
        body = out.getvalue().encode()
    reply, connector = reply_to(body, size=size)
    expected, counts = plain_rows(events)
    assert [{name: row[name] for name in CONNECT_FIELDS} for row in rows_of(reply)] == expected
    assert connector.counts == counts


def test_multivalues_have_twins():
    events = [EVENT, {**EVENT, "interface_id": "e$2", "action": "REJECT"}]
    reply, _ = reply_to(write_body(events))
    (row,) = rows_of(reply)
    assert (row["interfaces"], row["__mv_interfaces"]) == ("e$2\neni-1", "$e$$2$;$eni-1$")
    assert (row["action"], row["__mv_action"]) == ("ACCEPT\nREJECT", "$ACCEPT$;$REJECT$")
    (row,) = rows_of(reply_to(write_body([EVENT]))[0])
    assert (row["interfaces"], row["__mv_interfaces"], row["__mv_action"]) == ("eni-1", "", "")
    assert list(row) == [*CONNECT_FIELDS, "__mv_interfaces", "__mv_action"]


def test_a_multivalue_of_actions_is_each_of_them():
    reply, _ = reply_to(write_body([{**EVENT, "action": ["b", "a", "b", "-"]}]))
    assert rows_of(reply)[0]["action"] == "a\nb"


def test_rows_of_another_width_than_the_header():
    whole = write_body([EVENT])
    head, line, _ = whole.split(b"\n")
    for cut in (line.rsplit(b",", 14)[0], line + b",more", line[: line.index(b"ACCEPT")]):
        (row,) = rows_of(reply_to(head + b"\n" + cut)[0])
        assert row["src"] == "10.0.0.9" and row["tcp_flags"] == "2"


def test_no_event():
    for body in (b"", b"\n", b"a,b\n", write_body([], ["src_ip"])):
        assert reply_to(body, b"")[0] == b""


def test_headers_that_change_and_names_that_come_twice():
    other = {("srcaddr" if name == "src_ip" else name): value for name, value in EVENT.items()}
    bodies = write_body([EVENT]), write_body([other], [*reversed(list(other))]), write_body([EVENT], [*EVENT, "src_ip"])
    (row,) = rows_of(reply_to(*bodies)[0])
    assert (row["records"], row["duplicates"]) == ("1", "2")


@pytest.mark.parametrize("word", ["-", "NULL", "Unknown", "nOnE", ""])
def test_a_column_that_has_no_value_is_left_for_the_next(word):
    events = [{**EVENT, "src_ip": word, "src": "10.9.9.9"}, {**EVENT, "src": "10.9.9.9"}]
    assert [row["src"] for row in rows_of(reply_to(write_body(events))[0])] == ["10.0.0.9", "10.9.9.9"]


def test_rows_are_ordered_by_start_then_by_tuple():
    events = [
        {**EVENT, "src_port": port, "src_ip": address, "flowlag_start": start}
        for port, address, start in (
            ("9", "b", str(T)),
            ("10", "b", str(T)),
            ("7", "a", str(T)),
            ("1", "z", f"{T - 1}.5"),
        )
    ]
    found = [(row["src"], row["src_port"]) for row in rows_of(reply_to(write_body(events))[0])]
    assert found == [("z", "1"), ("a", "7"), ("b", "9"), ("b", "10")]
