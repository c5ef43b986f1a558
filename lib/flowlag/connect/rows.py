# SPDX-License-Identifier: Apache-2.0
"""The row of a connection: its fields, declared once and in order, and how its records give their texts.

Authority: docs/connect.md, Output fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Optional

from flowlag.community import hash_ends, pack_address
from flowlag.connect.bounds import bound_end, bound_start, find_opening
from flowlag.connect.connections import PROTOCOL_STEP, UNKNOWN, Connection, Records, Texts, list_distinct
from flowlag.connect.options import ConnectSettings
from flowlag.connect.signs import SignsMemo
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


#: By what rows are ordered: start_earliest, address and port of source and destination, protocol.
Order = tuple[int, str, int, str, int, int]


class Describer:
    """Makes the rows of the connections of a search."""

    def __init__(self, texts: Texts, settings: ConnectSettings) -> None:
        self._texts = texts
        self._lag_us, self._rtt_us = settings.lag_us, settings.rtt_us
        self._signs = SignsMemo()

    def describe(self, connection: Connection) -> tuple[Order, Row]:
        """The row of a connection, and by what it is ordered; no two connections have the same order."""
        first, second, records, duplicates = connection
        starts_us, _, ends_us, directions, seen_by, _, _, _, actions = records
        interfaces = self._texts.interfaces
        one, other = self._texts.find_end(first), self._texts.find_end(second)
        signs, busiest = self._signs.find(records), seen_by[0]
        is_alone = seen_by.count(busiest) == len(seen_by)
        if not is_alone:
            busiest = self._find_busiest(records)
        opening: Optional[int] = None
        if signs.opening:
            opening = find_opening(records, signs.opening, interfaces, one > other)
            is_reversed, basis = directions[opening], "syn"
        else:  # by port, else by address
            is_reversed, basis = (one > other, "address") if one[1] == other[1] else (one[1] < other[1], "port")
        home = busiest if opening is None else seen_by[opening]
        (src, src_port), (dest, dest_port) = (other, one) if is_reversed else (one, other)
        protocol = first // PROTOCOL_STEP
        start_us, start_before_us, start_basis = bound_start(records, signs, opening, self._lag_us, self._rtt_us)
        end_us, end_before_us, end_basis = bound_end(records, signs, home, self._lag_us, self._rtt_us)
        return (start_us, src, src_port, dest, dest_port, protocol), (
            src, f"{src_port}", dest, f"{dest_port}", f"{protocol}", basis,
            _write_time(start_us), _write_time(start_before_us), start_basis,
            _write_time(end_us), _write_time(end_before_us), end_basis,
            interfaces[home],
            interfaces[home] if is_alone else _list_texts(seen_by, interfaces),
            f"{len(starts_us)}",
            f"{duplicates}",
            *_write_counts(records if is_alone else _select(records, busiest), is_reversed),
            signs.flags,
            _list_texts(actions, self._texts.actions),
            _write_time(starts_us[0]),
            _write_time(max(ends_us)),
            hash_ends(protocol, (pack_address(src), src_port), (pack_address(dest), dest_port)),
        )  # fmt: skip

    def _find_busiest(self, records: Records) -> int:
        """The interface that saw most packets, of several the least by name."""
        packets = dict.fromkeys(records.interfaces, 0)
        for interface, count in zip(records.interfaces, records.packets):
            packets[interface] += max(count, 0)
        return min(packets, key=lambda number: (-packets[number], self._texts.interfaces[number]))


def _select(records: Records, interface: int) -> Records:
    """The records of an interface."""
    return Records._make(zip(*[record for record in zip(*records) if record[4] == interface]))


def _list_texts(numbers: Sequence[int], texts: Sequence[str]) -> str:
    """The distinct values of the texts with some numbers; sorted, one a line."""
    if numbers.count(numbers[0]) == len(numbers):
        return texts[numbers[0]]
    return list_distinct({texts[number] for number in set(numbers)})


def _write_counts(records: Records, is_reversed: bool) -> tuple[str, ...]:
    """Packets and bytes of one interface's records in one direction, then in the other one."""
    ways, packets, sizes = records.directions, records.packets, records.bytes
    if UNKNOWN in packets or UNKNOWN in sizes:
        return _write_known(ways, packets, sizes, is_reversed)
    packets_in, bytes_in = sum(compress(packets, ways)), sum(compress(sizes, ways))
    packets_out, bytes_out = sum(packets) - packets_in, sum(sizes) - bytes_in
    if is_reversed:
        return f"{packets_in}", f"{bytes_in}", f"{packets_out}", f"{bytes_out}"
    return f"{packets_out}", f"{bytes_out}", f"{packets_in}", f"{bytes_in}"


def _write_known(
    ways: Sequence[bool], packets: Sequence[int], sizes: Sequence[int], is_reversed: bool
) -> tuple[str, ...]:
    """The same if some numbers are not known: empty if there are records, but none tells."""
    return tuple(
        [
            _write_sum([count for way, count in zip(ways, counts) if way == side])
            for side in (is_reversed, not is_reversed)
            for counts in (packets, sizes)
        ]
    )


def _write_sum(counts: Sequence[int]) -> str:
    known = [count for count in counts if count != UNKNOWN]
    return f"{sum(known)}" if known or not counts else ""


def _write_time(time_us: int) -> str:
    """As write_seconds, but faster for whole seconds, as nearly all are."""
    return write_seconds(time_us) if time_us % SECOND_US else f"{time_us // SECOND_US}"
