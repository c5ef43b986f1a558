# SPDX-License-Identifier: Apache-2.0
"""The parts of a five-tuple in every spelling, and what TCP flags say."""

import pytest

from flowlag.five_tuple import FiveTuple, opens_connection, read_address, read_flags, read_port, read_protocol


@pytest.mark.parametrize(
    ("text", "number"),
    [("6", 6), ("17", 17), ("0", 0), ("255", 255), ("6.0", 6), ("tcp", 6), ("UDP", 17), ("ipv6-icmp", 58)],
)
def test_protocols_are_numbers_or_common_names(text, number):
    assert read_protocol(text) == number


@pytest.mark.parametrize("text", [None, "", "-", "256", "-1", "+6", " 6", "6.5", "ip", "٦", "6\n6"])
def test_anything_else_is_no_protocol(text):
    assert read_protocol(text) is None


def test_ports_end_at_65535():
    assert [read_port(text) for text in ("0", "65535", "65536", "http", "-", None)] == [
        0,
        65535,
        None,
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("text", "opens"),
    [("2", True), ("3", True), ("6", True), ("7", True), ("2.0", True), ("18", False), ("19", False), ("0", False),
     ("1", False), ("16", False), ("-", False), ("", False), (None, False), ("SYN", False), ("0x2", False)],
)  # fmt: skip
def test_a_record_opens_a_connection_if_it_has_a_syn_and_no_ack(text, opens):
    assert opens_connection(read_flags(text)) is opens


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("0:0:0:0:0:ffff:0a00:0001", "10.0.0.1"),
        ("host:a", "host:a"),
        ("2001:db8::1\0", "2001:db8::1\0"),
        ("host", "host"),
    ],
)
def test_an_address_has_one_spelling_and_any_other_text_stays(text, spelling):
    assert read_address(text) == spelling


@pytest.mark.parametrize("text", [None, "", "-", "unknown"])
def test_no_value_is_no_address(text):
    assert read_address(text) is None


def test_a_five_tuple_turns_around():
    one = FiveTuple(6, "10.0.0.1", 40000, "10.0.0.2", 22)
    assert one.reversed() == FiveTuple(6, "10.0.0.2", 22, "10.0.0.1", 40000)
    assert one.reversed().reversed() == one
