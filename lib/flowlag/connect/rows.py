# SPDX-License-Identifier: Apache-2.0
"""The row of a connection: its fields, declared once and in order, and how its records give their texts.

Authority: docs/connect.md, Output fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Optional

from flowlag.community import community_id
from flowlag.connect.bounds import bound_end, bound_start, find_opening
from flowlag.connect.connections import HAS_FLAGS, UNKNOWN, Connection, Record, Texts, list_distinct
from flowlag.connect.options import ConnectSettings
from flowlag.five_tuple import FiveTuple
from flowlag.interval import SECOND_US, write_seconds
from flowlag.options import Field

_NO_SIDE = "no record of the side tells it"
FIELDS = (
    Field("src", "word", "the address of the side that opened the connection, as `direction_basis` has it"),
    Field("src_port", "number", "its port; 0 for a protocol without ports"),
    Field("dest", "word", "the address of the other side"),
    Field("dest_port", "number", "its port; 0 for a protocol without ports"),
    Field("protocol", "number", "the protocol by its IANA number, such as 6 for TCP"),
    Field(
        "direction_basis",
        "word",
        "how the sides are told apart: `syn` (src opened the connection), `port` (src has the higher port) or "
        "`address` (src is the first address as text)",
    ),
    Field("start_earliest", "epoch seconds", "the first packet did not pass before it"),
    Field("start_latest", "epoch seconds", "the first packet passed before it"),
    Field("start_basis", "word", "on what the two rest: `syn`, `doubt` or `none`"),
    Field("end_earliest", "epoch seconds", "the last packet did not pass before it"),
    Field("end_latest", "epoch seconds", "the last packet passed before it"),
    Field("end_basis", "word", "on what the two rest: `fin`, `doubt` or `none`"),
    Field("home", "word", "the network interface at which the first and the last packet are meant", "it has no name"),
    Field("interfaces", "word", "all network interfaces that saw the connection (multivalue)", "none has a name"),
    Field("records", "number", "the records of the connection, without exact duplicates"),
    Field("duplicates", "number", "how many exact duplicates were left out"),
    Field("packets_out", "number", "packets from src to dest, by the one interface that saw most packets", _NO_SIDE),
    Field("bytes_out", "number", "bytes from src to dest, by this interface", _NO_SIDE),
    Field("packets_in", "number", "packets from dest to src, by this interface", _NO_SIDE),
    Field("bytes_in", "number", "bytes from dest to src, by this interface", _NO_SIDE),
    Field("tcp_flags", "number", "the bitwise OR of all TCP flags", "no record has readable flags"),
    Field("action", "word", "the actions of all records (multivalue)", "no record has one"),
    Field("first_start", "epoch seconds", "the least start, as AWS stamped it"),
    Field("last_end", "epoch seconds", "the greatest end, as AWS stamped it"),
    Field(
        "community_id",
        "word",
        "the Community ID (version 1, seed 0), which Zeek and Suricata write too",
        "the protocol is not TCP, UDP or SCTP, or an address is no IP address",
    ),
)
#: Output fields in order.
CONNECT_FIELDS = tuple(field.name for field in FIELDS)
#: Those that may have several values, one a line.
MULTIVALUES = ("interfaces", "action")

Row = tuple[str, ...]


def order_rows(row: tuple[int, FiveTuple, object]) -> tuple[int, str, int, str, int, int]:
    """By what rows are ordered: start_earliest, then the tuple. The row itself may be anything."""
    earliest_us, (protocol, src, src_port, dest, dest_port), _ = row
    return earliest_us, src, src_port, dest, dest_port, protocol


def describe(connection: Connection, texts: Texts, settings: ConnectSettings) -> tuple[int, FiveTuple, Row]:
    """The row of a connection, and by what it is ordered."""
    records, lag_us, rtt_us = connection.records, settings.lag_us, settings.rtt_us
    _, _, ends_us, _, seen_by, _, _, flags, actions = zip(*records)
    interfaces = {number: texts.interfaces[number] for number in seen_by}
    opening = find_opening(records, texts.interfaces)
    direction, basis = _find_direction(connection, opening)
    five = connection.five.reversed() if direction else connection.five
    busiest = seen_by[0] if len(interfaces) == 1 else _find_busiest(records, interfaces)
    home = busiest if opening is None else opening.interface
    all_flags = reduce(or_, flags)
    start, end = bound_start(records, opening, lag_us, rtt_us), bound_end(records, home, lag_us, rtt_us)
    return start.earliest_us, five, (
        five.src,
        str(five.src_port),
        five.dest,
        str(five.dest_port),
        str(five.protocol),
        basis,
        _write_time(start.earliest_us),
        _write_time(start.latest_us),
        start.basis,
        _write_time(end.earliest_us),
        _write_time(end.latest_us),
        end.basis,
        interfaces[home],
        list_distinct(set(interfaces.values())),
        str(len(records)),
        str(connection.duplicates),
        *_write_counts(records, busiest, direction),
        str(all_flags ^ HAS_FLAGS) if all_flags else "",
        list_distinct({texts.actions[number] for number in actions}),
        _write_time(records[0].start_us),
        _write_time(max(ends_us)),
        community_id(five),
    )  # fmt: skip


def _find_direction(connection: Connection, opening: Optional[Record]) -> tuple[int, str]:
    """The direction from the side that opened the connection, and how it is known."""
    if opening is not None:
        return opening.direction, "syn"
    five = connection.five
    if five.src_port != five.dest_port:
        return int(five.src_port < five.dest_port), "port"
    return 0, "address"


def _find_busiest(records: Sequence[Record], interfaces: Mapping[int, str]) -> int:
    """The interface that saw most packets, of several the least by name."""
    packets = dict.fromkeys(interfaces, 0)
    for record in records:
        packets[record.interface] += max(record.packets, 0)
    return min(packets, key=lambda number: (-packets[number], interfaces[number]))


def _write_counts(records: Sequence[Record], interface: int, direction: int) -> tuple[str, ...]:
    """Packets and bytes that an interface saw in a direction, then in the other one."""
    packets_out = bytes_out = packets_in = bytes_in = 0
    for _, _, _, way, seen_by, packets, size, _, _ in records:
        if seen_by == interface:
            if packets == UNKNOWN or size == UNKNOWN:
                return _write_known(records, interface, direction)
            if way == direction:
                packets_out += packets
                bytes_out += size
            else:
                packets_in += packets
                bytes_in += size
    return str(packets_out), str(bytes_out), str(packets_in), str(bytes_in)


def _write_known(records: Sequence[Record], interface: int, direction: int) -> tuple[str, ...]:
    """The same if some numbers are not known: empty if there are records, but none tells."""
    sides = [
        [r for r in records if r.interface == interface and r.direction == way] for way in (direction, 1 - direction)
    ]
    return tuple(
        [_write_sum(counts) for side in sides for counts in ([r.packets for r in side], [r.bytes for r in side])]
    )


def _write_sum(counts: Sequence[int]) -> str:
    known = [count for count in counts if count != UNKNOWN]
    return str(sum(known)) if known or not counts else ""


def _write_time(time_us: int) -> str:
    """As write_seconds, but faster for whole seconds, as nearly all are."""
    return write_seconds(time_us) if time_us % SECOND_US else str(time_us // SECOND_US)
