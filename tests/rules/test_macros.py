# SPDX-License-Identifier: Apache-2.0
"""Owns what the macros of a site mean as they are shipped: which addresses are outside, what is outbound, what is one record."""

from __future__ import annotations

import pytest

from tests.spl.engine import Engine
from tests.support.conf import MACROS

INSIDE = [
    "10.1.2.3",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.9.9",
    "fc00::1",
    "fd12:3456:789a::1",
    "fe80::1",
    "febf::1",
]
OUTSIDE = ["203.0.113.9", "172.32.0.1", "2001:db8::7", "fec0::1", "fbff::1", "::ffff:203.0.113.9", "unknown"]
RECORD = {
    "flowlag_start": "1772366400", "flowlag_end": "1772366429", "interface_id": "eni-1", "src_ip": "2001:db8::7",
    "src_port": "52233", "dest_ip": "2001:db8::22", "dest_port": "22", "protocol_code": "6", "packets": "12",
    "bytes": "3000",
}  # fmt: skip


@pytest.fixture
def search(tmp_path):
    def run(text, *rows):
        events = [{"_time": str(1772366400 - n), **row} for n, row in enumerate(rows)]
        return Engine(events, tmp_path, "no-python", MACROS, 1772370000).search(text)

    return run


@pytest.mark.parametrize("address", [*INSIDE, *OUTSIDE])
def test_allow_list_has_private_and_link_local_addresses(search, address):
    found = search("* | where `flowlag_outside(src_ip)`", {"src_ip": address})
    assert bool(found) == (address in OUTSIDE)


@pytest.mark.parametrize(
    ("source", "target", "is_outbound"),
    [
        ("10.1.2.3", "203.0.113.9", True),
        ("10.1.2.3", "192.168.9.9", False),
        ("203.0.113.9", "10.1.2.3", False),
        ("fd12:3456:789a::1", "2001:db8::7", True),
        ("fd12:3456:789a::1", "fc00::1", False),
        ("fd12:3456:789a::1", "fe80::1", False),
        ("2001:db8::7", "fd12:3456:789a::1", False),
        ("fe80::1", "2001:db8::7", False),  # a link-local address does not leave its link
    ],
)
def test_outbound(search, source, target, is_outbound):
    found = search("`flowlag_outbound`", {"src_ip": source, "dest_ip": target})
    assert bool(found) == is_outbound


@pytest.mark.parametrize("name", RECORD)
def test_records_that_differ_in_one_field_are_two(search, name):
    rows = search("* | `flowlag_once`", RECORD, {**RECORD, name: RECORD[name] + "0"})
    assert len(rows) == 2 and {row["flowlag_copies"] for row in rows} == {"1"}


def test_copies_become_one_record(search):
    rows = search("* | `flowlag_once` | sort 0 -flowlag_copies", RECORD, RECORD, {**RECORD, "packets": "1"}, RECORD)
    assert [(row["packets"], row["flowlag_copies"]) for row in rows] == [("12", "3"), ("1", "1")]


def test_what_is_no_whole_record_is_kept(search):
    """Two logins that look alike are two; so are records of which a field is not known."""
    login = {"user": "alice", "src": "2001:db8::7"}
    rows = search("* | `flowlag_once`", login, login, {**RECORD, "interface_id": ""}, {**RECORD, "interface_id": ""})
    assert len(rows) == 4 and {row["flowlag_copies"] for row in rows} == {""}


@pytest.mark.parametrize(
    ("event", "macro"),
    [
        ({"sourcetype": "aws:cloudwatchlogs:vpcflow"}, "flowlag_index_vpc"),
        ({"sourcetype": "aws:cloudwatchlogs:vpcflow"}, "flowlag_index_data_manager"),
        ({"sourcetype": "aws:transitgateway:flowlogs"}, "flowlag_index_tgw"),
        ({"sourcetype": "aws:asl", "class_uid": "4001"}, "flowlag_index_security_lake"),
    ],
)
def test_flowlag_index_can_name_the_sources(search, event, macro):
    """Each finds its events and no others, alone and joined with OR; every one has its case here."""
    others = ({"sourcetype": "aws:asl", "class_uid": "4003"}, {"sourcetype": "linux_secure"})
    assert len(search(f"`{macro}`", event, *others)) == 1
    assert len(search(f"(`flowlag_index_vpc`) OR (`{macro}`)", event, *others)) == 1
    assert len([name for name in MACROS if name.startswith("flowlag_index_")]) == 4
