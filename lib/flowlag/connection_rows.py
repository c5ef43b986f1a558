# SPDX-License-Identifier: Apache-2.0
"""The row of a connection: its fields, declared once and in order, and how its records give their texts.

Authority: docs/connect.md, Output fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Optional

from flowlag.community import community_id
from flowlag.connect_options import ConnectSettings
from flowlag.connection_bounds import bound_end, bound_start, find_opening
from flowlag.connections import HAS_FLAGS, UNKNOWN, Connection, Record, list_distinct
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


class _Summary(NamedTuple):
    """What all records of a connection say together."""

    packets: dict[str, int]  # by interface
    actions: set[str]
    flags: int
    last_end_us: int


def _sum_up(records: Sequence[Record]) -> _Summary:
    packets_by: dict[str, int] = {}
    actions: set[str] = set()
    all_flags = last_end_us = 0
    for _, _, end_us, _, interface, packets, _, flags, action in records:  # once, since this is most of the work
        packets_by[interface] = packets_by.get(interface, 0) + (packets if packets > 0 else 0)
        actions.add(action)
        all_flags |= flags
        if end_us > last_end_us:
            last_end_us = end_us
    return _Summary(packets_by, actions, all_flags, last_end_us)


def describe(connection: Connection, settings: ConnectSettings) -> tuple[int, FiveTuple, Row]:
    """The row of a connection, and by what it is ordered."""
    records, lag_us, rtt_us = connection.records, settings.lag_us, settings.rtt_us
    opening, summary = find_opening(records), _sum_up(records)
    direction, basis = _find_direction(connection, opening)
    five = connection.five.reversed() if direction else connection.five
    busiest = _find_busiest(summary.packets)
    home = busiest if opening is None else opening.interface
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
        home,
        list_distinct(set(summary.packets)),
        str(len(records)),
        str(connection.duplicates),
        *_write_counts(records, busiest, direction),
        str(summary.flags ^ HAS_FLAGS) if summary.flags else "",
        list_distinct(summary.actions),
        _write_time(records[0].start_us),
        _write_time(summary.last_end_us),
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


def _find_busiest(packets: dict[str, int]) -> str:
    """The interface that saw most packets, of several the least."""
    most = max(packets.values())
    return min([interface for interface, count in packets.items() if count == most])


def _write_time(time_us: int) -> str:
    """As write_seconds, but faster for whole seconds, as nearly all are."""
    return write_seconds(time_us) if time_us % SECOND_US else str(time_us // SECOND_US)


def _write_counts(records: Sequence[Record], interface: str, direction: int) -> Iterator[str]:
    """Packets and bytes that an interface saw in a direction, then in the other one."""
    counts: tuple[list[int], ...] = ([], [], [], [])
    for _, _, _, way, seen_by, packets, size, _, _ in records:
        if seen_by == interface:
            side = 0 if way == direction else 2
            counts[side].append(packets)
            counts[side + 1].append(size)
    return map(_write_sum, counts)


def _write_sum(counts: Sequence[int]) -> str:
    """The sum of the numbers that are known; empty if there are records, but none tells."""
    if UNKNOWN not in counts:
        return str(sum(counts))
    known = [count for count in counts if count != UNKNOWN]
    return str(sum(known)) if known else ""
