# SPDX-License-Identifier: Apache-2.0
"""Community IDs: the published vectors, the reference implementation, and the texts that give one or none."""

import json
import subprocess
import sys

import communityid
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlag.community import community_id
from flowlag.community_ids import CommunityIds
from flowlag.enrich import Enricher
from flowlag.enrich_options import parse_settings
from flowlag.five_tuple import SCTP, TCP, UDP, FiveTuple
from tools.places import ROOT

# All vectors of TCP, UDP and SCTP in baseline/baseline_deflt.json of github.com/corelight/community-id-spec (c4ec2bc).
PUBLISHED = [
    (TCP, "2001:470:e5bf:dead:4957:2174:e82c:4887", 63943, "2607:f8b0:400c:c03::1a", 25, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="),
    (TCP, "2607:f8b0:400c:c03::1a", 25, "2001:470:e5bf:dead:4957:2174:e82c:4887", 63943, "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="),
    (SCTP, "192.168.170.8", 7, "192.168.170.56", 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="),
    (SCTP, "192.168.170.56", 7, "192.168.170.8", 7, "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="),
    (TCP, "128.232.110.120", 34855, "66.35.250.204", 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (TCP, "66.35.250.204", 80, "128.232.110.120", 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (UDP, "192.168.1.52", 54585, "8.8.8.8", 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
    (UDP, "8.8.8.8", 53, "192.168.1.52", 54585, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
]  # fmt: skip
ID = "1:LQU9qZlK+B5F3KDmev6m5PMibrg="
FLOW = {
    "src_ip": "128.232.110.120",
    "src_port": "34855",
    "dest_ip": "66.35.250.204",
    "dest_port": "80",
    "protocol": "6",
}
TIMES = {"start_time": "1602397446", "end_time": "1602397505"}
LINE = "2 123456789012 eni-1 128.232.110.120 66.35.250.204 34855 80 6 1 136 1602397446 1602397505 ACCEPT OK"


def tag(event, **options):
    return Enricher(parse_settings({"community": "true", **options}.items())).tag(event.get)


@pytest.mark.parametrize(("protocol", "src", "src_port", "dest", "dest_port", "expected"), PUBLISHED)
def test_published_vectors(protocol, src, src_port, dest, dest_port, expected):
    assert community_id(FiveTuple(protocol, src, src_port, dest, dest_port)) == expected


ports = st.integers(0, 65535)
pairs = st.one_of(*(st.tuples(st.ip_addresses(v=v), st.ip_addresses(v=v)) for v in (4, 6)), st.just(("10.0.0.1",) * 2))
protocols = st.sampled_from([TCP, UDP, SCTP])


def has_mapped(pair):
    """Whether an address is IPv4-mapped, which the reference implementation takes for IPv6."""
    return any(getattr(address, "ipv4_mapped", None) is not None for address in pair)


pairs = pairs.filter(lambda pair: not has_mapped(pair))


@given(protocols, pairs, ports, ports)
def test_ids_are_those_of_the_reference_implementation(protocol, pair, src_port, dest_port):
    src, dest = map(str, pair)
    expected = communityid.CommunityID().calc(communityid.FlowTuple(protocol, src, dest, src_port, dest_port))
    assert community_id(FiveTuple(protocol, src, src_port, dest, dest_port)) == expected


@given(protocols, pairs, ports, ports)
def test_both_directions_have_one_id(protocol, pair, src_port, dest_port):
    five = FiveTuple(protocol, str(pair[0]), src_port, str(pair[1]), dest_port)
    assert community_id(five) == community_id(five.reversed()) != ""


@given(st.integers(0, 255).filter(lambda number: number not in (TCP, UDP, SCTP)))
def test_other_protocols_have_none(protocol):
    assert community_id(FiveTuple(protocol, "10.0.0.1", 1, "10.0.0.2", 2)) == ""


#: an address beside 10.0.0.1 and beside 2001:db8::1; whether the pair has an ID
ADDRESSES = {
    "10.0.0.2": (True, False),
    "255.255.255.255": (True, False),
    "::ffff:10.0.0.2": (True, False),
    "2001:DB8:0::2": (False, True),
    "::": (False, True),
    "64:ff9b::10.0.0.2": (False, True),
    "fe80::1%eth0": (False, False),
    "999.1.1.1": (False, False),
    "256.0.0.1": (False, False),
    "10.0.0": (False, False),
    "10.0.0.1.2": (False, False),
    "010.0.0.1": (False, False),
    "10.0.0.0x1": (False, False),
    "10.0.0.²": (False, False),
    "10.0.0.": (False, False),
    " 10.0.0.2": (False, False),
    "10.0.0.2\n10.0.0.3": (False, False),
    "2001:db8::1::2": (False, False),
    "1" * 5000: (False, False),
    ":" * 5000: (False, False),
    "host": (False, False),
    "": (False, False),
}


@pytest.mark.parametrize(("address", "expected"), ADDRESSES.items(), ids=lambda value: str(value)[:20])
def test_addresses_of_one_family_have_an_id(address, expected):
    beside = ("10.0.0.1", "2001:db8::1")
    assert tuple(community_id(FiveTuple(TCP, known, 1, address, 2)) != "" for known in beside) == expected
    assert tuple(community_id(FiveTuple(TCP, address, 2, known, 1)) != "" for known in beside) == expected


def test_an_ipv4_mapped_address_is_the_ipv4_address_in_it():
    mapped = FiveTuple(TCP, "::ffff:128.232.110.120", 34855, "::FFFF:4223:FACC", 80)
    assert community_id(mapped) == ID


CHANGES = {
    "aws-names": ({"src_ip": "", "srcaddr": "128.232.110.120", "dest_ip": "-", "dstaddr": "66.35.250.204"}, ID),
    "ocsf-names": ({"src_ip": None, "src_endpoint.ip": "128.232.110.120", "src_port": None, "src_endpoint.port": "34855"}, ID),
    "first-name-with-a-value": ({"srcaddr": "10.0.0.1", "dstport": "99"}, ID),
    "protocol-that-is-readable": ({"protocol_code": "unknown", "protocol": "ip", "transport": "tcp"}, ID),
    "protocol-by-name": ({"protocol": "TCP"}, ID),
    "decimals": ({"src_port": "34855.0", "protocol": "6.0"}, ID),
    "no-status-is-ok": ({"log_status": ""}, ID),
    "nodata": ({"log_status": "NODATA"}, ""),
    "skipdata": ({"log_status": "SKIPDATA"}, ""),
    "invalid": ({"start_time": "x"}, ""),
    "no-address": ({"src_ip": "-"}, ""),
    "no-port": ({"dest_port": ""}, ""),
    "port-70000": ({"dest_port": "70000"}, ""),
    "no-protocol": ({"protocol": "ip"}, ""),
    "icmp": ({"protocol": "1", "src_port": "0", "dest_port": "0"}, ""),
    "two-families": ({"src_ip": "2001:db8::1"}, ""),
    "address-999": ({"src_ip": "999.1.1.1"}, ""),
    "bad-address-hides-a-good-one": ({"src_ip": "host", "srcaddr": "128.232.110.120"}, ""),
    "multivalue": ({"src_ip": "128.232.110.120\n10.0.0.1"}, ""),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "expected"), CHANGES.values(), ids=CHANGES)
def test_parts_are_found_by_the_known_names(changes, expected):
    assert tag({**TIMES, **FLOW, **changes}).community_id == expected


MISREAD = {"start_time": "471", "end_time": "9", "src_ip": "10.9.9.9", "dest_ip": "10.9.9.8", "src_port": "1", "dest_port": "2",
           "protocol": "17"}  # fmt: skip
V5 = "5 1 eni-1 - - 34855 80 6 1 136 1602397446 1602397505 ACCEPT OK vpc-1 subnet-1 i-1 2 IPv4 128.232.110.120 66.35.250.204 r az - - - - egress 1"
JSON_FLOW = {
    "srcaddr": "128.232.110.120",
    "dst_endpoint": {"ip": "66.35.250.204"},
    "srcPort": 34855,
    "dstport": "80",
    "protocol": 6.0,
}

RAWS = {
    "default": (LINE, {}, ID),
    "blanks-around": (f" \t{LINE}\n", {}, ID),
    "packet-addresses-if-there-are-no-others": (V5, {}, ID),
    "custom": ("1602397446 80 34855 66.35.250.204 128.232.110.120 6 1602397505",
               {"format": "${start} ${dstport} ${srcport} ${dstaddr} ${srcaddr} ${protocol} ${end}"}, ID),
    "custom-without-a-part": ("1602397446 80 66.35.250.204 128.232.110.120 6 1602397505",
                              {"format": "${start} ${dstport} ${dstaddr} ${srcaddr} ${protocol} ${end}"}, ""),
    "json": (json.dumps({"start": 1602397446, "end": 1602397505, **JSON_FLOW}), {}, ID),
    "json-by-own-names": (json.dumps({"a": {"b": 1602397446}, "c": 1602397505, **JSON_FLOW}), {"start": "a.b", "end": "c"}, ID),
    "message": (json.dumps({"message": LINE, "src_ip": "10.1.1.1"}), {}, ID),
    "json-beside-a-message": (json.dumps({"start": 1602397446, "end": 1602397505, "message": LINE.replace("80", "81"), **JSON_FLOW}), {}, ID),
    "json-without-an-end": (json.dumps({"start": 1602397446, "length": 60, **JSON_FLOW, "message": "x"}), {"duration": "length"}, ID),
    "json-too-deep-to-write": ('{"start": 1602397446, "end": 1602397505, "srcaddr": ' + "[" * 900 + "]" * 900 + "}", {}, ""),
    "nodata": (LINE.replace("OK", "NODATA"), {}, ""),
    "no-layout": ("hello world", {}, ""),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "options", "expected"), RAWS.values(), ids=RAWS)
@pytest.mark.parametrize("fields", [{}, MISREAD], ids=["raw-alone", "misread-fields"])
def test_parts_come_from_where_the_times_come_from(raw, options, expected, fields):
    tags = tag({**fields, "_raw": raw}, **options)
    assert tags.community_id == expected
    assert bool(expected) <= (tags.status == "ok")


def test_fields_of_a_valid_record_win_over_its_raw():
    assert tag({**TIMES, **FLOW, "_raw": LINE.replace("34855", "1")}).community_id == ID
    assert tag({**TIMES, "_raw": LINE}).community_id == ""


def test_no_id_without_the_option():
    assert tag({**TIMES, **FLOW}, community="false").community_id == ""


def test_what_is_kept_is_bounded(monkeypatch):
    """However many flows there are, and however long a text is."""
    monkeypatch.setattr("flowlag.memo.SIZE", 10)
    ids = CommunityIds(parse_settings([("community", "true")]))
    for port in range(25):
        assert ids.of_fields({**FLOW, "src_port": str(port)}.get)
        assert ids.of_fields({**FLOW, "src_ip": "1" * 1000 + str(port)}.get) == ""
        assert len(ids._ids) <= 10
    assert max(len(text) for parts in ids._ids for text in parts) < 100


def test_a_process_that_needs_no_ids_does_not_pay_for_them():
    code = (
        "import sys; from flowlag.enrich_options import parse_settings as p; from flowlag.enrich import Enricher as E;"
        "import flowlag.splunk.enrich_table; E(p([])); print('hashlib' in sys.modules);"
        "e = E(p([('community', 'true')])); e.settings.input_fields; e.tag({}.get); print('hashlib' in sys.modules);"
        "e.tag({'start': '1602397446', 'end': '1602397446'}.get); print('hashlib' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(ROOT / "lib")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["False", "False", "True"]
