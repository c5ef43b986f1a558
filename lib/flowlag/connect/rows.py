# SPDX-License-Identifier: Apache-2.0
"""The row of a connection: its fields, declared once and in order, and how its records give their texts.

Authority: docs/connect.md, Output fields.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Callable, Optional

from flowlag.community import hash_ends, pack_address
from flowlag.connect.bounds import Spans, bound_end, bound_start, find_opening, look_from
from flowlag.connect.connections import PROTOCOL_BITS, Connection, Texts, list_distinct
from flowlag.connect.options import ConnectSettings
from flowlag.connect.records import UNKNOWN, Records
from flowlag.connect.signs import SignsMemo
from flowlag.interval import SECOND_US, write_seconds
from flowlag.options import Field
from flowlag.timing import RESOLUTION_US

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
    """Makes the rows of the connections of a search, whose times are in ticks of `tick_us` microseconds."""

    def __init__(self, texts: Texts, settings: ConnectSettings, tick_us: int) -> None:
        self._texts = texts
        self._spans = Spans(settings.lag_us // tick_us, settings.rtt_us // tick_us, RESOLUTION_US // tick_us)
        self._write_time: Callable[[int], str] = repr if tick_us == SECOND_US else write_seconds
        self._signs = SignsMemo()

    def describe(self, connection: Connection) -> tuple[Order, Row]:
        """The row of a connection, and by what it is ordered; no two connections have the same order."""
        first, second, records, duplicates = connection
        starts, _, ends, directions, seen_by, _, _, actions = records
        find_end, names, spans = self._texts.find_end, self._texts.interfaces, self._spans
        one, other, busiest = find_end(first), find_end(second), seen_by[0]
        is_alone = seen_by.count(busiest) == len(seen_by)
        if not is_alone:
            busiest = self._find_busiest(records)
        signs = self._signs.find(records, is_alone)
        opening: Optional[int] = None
        if signs.opening:
            opening = signs.opening[0]
            if len(signs.opening) > 1:
                opening = find_opening(records, signs.opening, names, one > other)
            is_reversed, basis = directions[opening], "syn"
        else:  # by port, else by address
            is_reversed, basis = (one > other, "address") if one[1] == other[1] else (one[1] < other[1], "port")
        home = busiest if opening is None else seen_by[opening]
        (src, src_port), (dest, dest_port) = (other, one) if is_reversed else (one, other)
        protocol, least_end, greatest_end = first >> PROTOCOL_BITS, min(ends), max(ends)
        home_end, home_start = (least_end, starts[-1]) if is_alone else look_from(home, records, spans.rtt)
        earliest, latest, start_basis = bound_start(records, signs, opening, least_end, home_end, spans)
        end_earliest, end_latest, end_basis = bound_end(records, signs, greatest_end, home_start, spans)
        start_from, start_before, end_from, end_before, first_start, last_end = map(
            self._write_time, (earliest, latest, end_earliest, end_latest, starts[0], greatest_end)
        )
        counted = records if is_alone else _select(records, busiest)
        packets_out, bytes_out, packets_in, bytes_in = _write_counts(counted, is_reversed)
        return (earliest, src, src_port, dest, dest_port, protocol), (
            src, f"{src_port}", dest, f"{dest_port}", f"{protocol}", basis,
            start_from, start_before, start_basis, end_from, end_before, end_basis, names[home],
            names[home] if is_alone else _list_texts(seen_by, names),
            f"{len(starts)}", f"{duplicates}", packets_out, bytes_out, packets_in, bytes_in,
            signs.flags, _list_texts(actions, self._texts.actions), first_start, last_end,
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
    is_seen = [number == interface for number in records.interfaces]
    return Records._make(tuple(compress(column, is_seen)) for column in records)


def _list_texts(numbers: Sequence[int], texts: Sequence[str]) -> str:
    """The distinct values of the texts with some numbers; sorted, one a line."""
    if numbers.count(numbers[0]) == len(numbers):
        return texts[numbers[0]]
    return list_distinct({texts[number] for number in set(numbers)})


def _write_counts(records: Records, is_reversed: bool) -> tuple[str, str, str, str]:
    """Packets and bytes of one interface's records in one direction, then in the other one."""
    _, _, _, directions, _, packets, sizes, _ = records
    if UNKNOWN in packets or UNKNOWN in sizes:
        return _write_known(records, is_reversed)
    packets_forth = bytes_forth = packets_back = bytes_back = 0
    for is_back, count, size in zip(directions, packets, sizes):
        if is_back:
            packets_back += count
            bytes_back += size
        else:
            packets_forth += count
            bytes_forth += size
    if is_reversed:
        return f"{packets_back}", f"{bytes_back}", f"{packets_forth}", f"{bytes_forth}"
    return f"{packets_forth}", f"{bytes_forth}", f"{packets_back}", f"{bytes_back}"


def _write_known(records: Records, is_reversed: bool) -> tuple[str, str, str, str]:
    """The same if some numbers are not known: empty if there are records, but none tells."""
    packets_out, bytes_out, packets_in, bytes_in = [
        _write_sum([count for is_back, count in zip(records.directions, counts) if is_back == side])
        for side in (is_reversed, not is_reversed)
        for counts in (records.packets, records.bytes)
    ]
    return packets_out, bytes_out, packets_in, bytes_in


def _write_sum(counts: Sequence[int]) -> str:
    known = [count for count in counts if count != UNKNOWN]
    return f"{sum(known)}" if known or not counts else ""
