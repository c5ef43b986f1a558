# SPDX-License-Identifier: Apache-2.0
"""The connections of a search: the records of each in one row, with bounds on its first and its last packet.

The tags of flowlagenrich say which events are records, and when they began and ended. Events that take no part are
counted by reason. Authority: docs/connect.md, Output fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Callable, Optional, TypeVar

from flowlag.connect_options import ConnectSettings
from flowlag.connection_bounds import Bounds, bound_end, bound_start, find_opening
from flowlag.connections import HAS_FLAGS, UNKNOWN, Connection, Held, Record
from flowlag.errors import show_text
from flowlag.fields import first_value
from flowlag.five_tuple import SCTP, TCP, UDP, FiveTuple, read_address, read_flags, read_port, read_protocol
from flowlag.instants import LAST_US, parse_seconds
from flowlag.interval import write_seconds
from flowlag.memo import Memo
from flowlag.options import Field
from flowlag.record import STATUSES

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
        "the Community ID (version 1, seed 0), which Zeek, Suricata and AWS Network Firewall write too",
        "the protocol is not TCP, UDP or SCTP, or an address is no IP address",
    ),
)
#: Output fields in order.
CONNECT_FIELDS = tuple(field.name for field in FIELDS)
#: Those that may have several values, one a line.
MULTIVALUES = ("interfaces", "action")

#: Why events with status ok take no part.
NO_BOUNDS = "records without a readable start and end"
NO_PROTOCOL = "records without a readable protocol"
NO_ADDRESS = "records without a readable address"
NO_PORT = "records without a readable port"
_UNUSABLE = (NO_BOUNDS, NO_PROTOCOL, NO_ADDRESS, NO_PORT)

#: Their records have ports, and no connection is known without them.
_WITH_PORTS = frozenset((TCP, UDP, SCTP))
#: More digits than any number of bytes has; a longer number is not known.
_MOST_DIGITS = 18
_MOST_PORTS = 1 << 16

Get = Callable[[str], Optional[str]]
Row = tuple[str, ...]
#: The texts of one event, in the order of Roles; None or empty if there is none.
Texts = Sequence[Optional[str]]
T = TypeVar("T")


class Connector:
    """Takes events one by one, and gives a row for each connection at the end."""

    def __init__(self, settings: ConnectSettings) -> None:
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self.taken = 0
        self._held = Held()
        self._times = Memo(_read_time, _measure)
        self._addresses = Memo(read_address, _measure)
        self._ports = Memo(read_port, _measure, _MOST_PORTS)
        self._protocols = Memo(read_protocol, _measure)
        self._flags = Memo(read_flags, _measure)

    def feed(self, get: Get) -> None:
        """Take one event whose fields `get` returns as text (None or empty if absent)."""
        roles = self.settings.roles
        texts = {role: first_value(get, names) for role, names in roles._asdict().items()}
        texts["protocol"] = self.pick_protocol(*map(get, roles.protocol))
        self.take(tuple(texts.values()))

    def pick_protocol(self, *texts: Optional[str]) -> Optional[str]:
        """The first of some texts that is a protocol: the CIM's `protocol` may hold `ip`."""
        return next((text for text in texts if self._protocols[text] is not None), None)

    def take(self, texts: Texts) -> None:
        """Take one event by its texts."""
        status, start, end, protocol, src, src_port, dest, dest_port, interface, packets, size, flags, action = texts
        if status != "ok":
            self._leave_out(status or "")
            return
        start_us, end_us = self._times[start], self._times[end]
        if start_us is None or end_us is None or end_us < start_us:
            self.counts[NO_BOUNDS] += 1
            return
        five = self._read_tuple(protocol, src, src_port, dest, dest_port)
        if five is None:
            return
        self.taken += 1
        held = self._held
        held.add(
            five,
            start_us,
            end_us,
            held.interfaces[interface],
            read_count(packets),
            read_count(size),
            self._flags[flags],
            held.actions[action],
        )

    def close(self, write: Callable[[Row], T]) -> Iterator[T]:
        """What `write` makes of each row (a text for each of CONNECT_FIELDS), ordered by start_earliest and tuple.

        Call it once, after the last event. Only what `write` returns is held until all rows are there.
        """
        rows: list[tuple[int, FiveTuple, T]] = []
        for connection in self._held.take_out(self.settings.gap_us, self.settings.lag_us):
            earliest_us, five, row = _describe(connection, self.settings)
            rows.append((earliest_us, five, write(row)))
        rows.sort(key=_order)
        return map(itemgetter(2), rows)

    @property
    def unusable(self) -> int:
        """How many records took no part because a time, an address, a port or the protocol was not readable."""
        return sum(self.counts[reason] for reason in _UNUSABLE)

    def warning(self) -> Optional[str]:
        """One sentence about events that took no part; None if there are none."""
        if not self.counts:
            return None
        reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(self.counts.items()))
        sentence = f"events that took no part: {sum(self.counts.values())} ({reasons})"
        return show_text("; ".join([sentence, *self._hints()])) + "."

    def _hints(self) -> Iterator[str]:
        """The probable mistake if no event is a record that can be used."""
        if self.taken:
            return
        status = f"{self.settings.reading.prefix}status"
        if not self.unusable and not any(f"{status}={word}" in self.counts for word in STATUSES):
            yield f"no event has {status}: put flowlagenrich before flowlagconnect, and give both the same prefix"
        elif self.unusable > self.counts[NO_BOUNDS]:
            yield "no record can be used: name its fields with src, dest, src_port, dest_port and protocol"

    def _leave_out(self, status: str) -> None:
        name = f"{self.settings.reading.prefix}status"
        known = f"{name}={status}" if status in STATUSES else f"unknown {name}"
        self.counts[known if status else f"events without {name}"] += 1

    def _read_tuple(
        self, protocol: Optional[str], src: Optional[str], src_port: Optional[str], dest: Optional[str],
        dest_port: Optional[str],
    ) -> Optional[tuple[int, str, int, str, int]]:  # fmt: skip
        """The five-tuple of an event; None, and the event is counted, if a part of it is not readable."""
        number = self._protocols[protocol]
        if number is None:
            self.counts[NO_PROTOCOL] += 1
            return None
        from_address, to_address = self._addresses[src], self._addresses[dest]
        if from_address is None or to_address is None:
            self.counts[NO_ADDRESS] += 1
            return None
        from_port, to_port = self._ports[src_port], self._ports[dest_port]
        if from_port is None or to_port is None:
            if number in _WITH_PORTS:
                self.counts[NO_PORT] += 1
                return None
            from_port, to_port = from_port or 0, to_port or 0
        return number, from_address, from_port, to_address, to_port


def read_count(text: Optional[str]) -> int:
    """A number of packets or bytes: digits, with `.0` behind them allowed; else UNKNOWN."""
    digits = text or ""
    if not digits.isdigit() or len(digits) > _MOST_DIGITS:
        digits = digits.removesuffix(".0").lstrip("0") or digits[:1]
    is_number = digits.isdigit() and digits.isascii() and len(digits) <= _MOST_DIGITS
    return int(digits) if is_number else UNKNOWN


def _read_time(text: Optional[str]) -> Optional[int]:
    time_us = parse_seconds(text or "")
    return time_us if time_us is not None and time_us <= LAST_US else None


def _measure(text: Optional[str]) -> int:
    return len(text or "")


def _order(row: tuple[int, FiveTuple, object]) -> tuple[int, str, int, str, int, int]:
    earliest_us, (protocol, src, src_port, dest, dest_port), _ = row
    return earliest_us, src, src_port, dest, dest_port, protocol


def _describe(connection: Connection, settings: ConnectSettings) -> tuple[int, FiveTuple, Row]:
    """The row of a connection, and by what it is ordered."""
    records, lag_us, rtt_us = connection.records, settings.lag_us, settings.rtt_us
    opening = find_opening(records)
    direction, basis = _find_direction(connection, opening)
    five = connection.pair.tuple_of(direction)
    busiest = _find_busiest(records)
    home = busiest if opening is None else opening.interface
    start, end = bound_start(records, opening, lag_us, rtt_us), bound_end(records, home, lag_us, rtt_us)
    seen = [record for record in records if record.interface == busiest]
    row = (
        five.src,
        str(five.src_port),
        five.dest,
        str(five.dest_port),
        str(five.protocol),
        basis,
        *_write_bounds(start),
        *_write_bounds(end),
        home,
        _list(record.interface for record in records),
        str(len(records)),
        str(connection.duplicates),
        *_write_counts([record for record in seen if record.direction == direction]),
        *_write_counts([record for record in seen if record.direction != direction]),
        _write_flags(records),
        _list(record.action for record in records),
        write_seconds(records[0].start_us),
        write_seconds(max([record.end_us for record in records])),
        "",
    )
    return start.earliest_us, five, row


def _find_direction(connection: Connection, opening: Optional[Record]) -> tuple[int, str]:
    """The direction from the side that opened the connection, and how it is known."""
    if opening is not None:
        return opening.direction, "syn"
    pair = connection.pair
    if pair.first_port != pair.second_port:
        return int(pair.first_port < pair.second_port), "port"
    return 0, "address"


def _find_busiest(records: Sequence[Record]) -> str:
    """The interface that saw most packets, of several the least."""
    packets: Counter[str] = Counter()
    for record in records:
        packets[record.interface] += max(record.packets, 0)
    return min(packets, key=lambda interface: (-packets[interface], interface))


def _write_bounds(bounds: Bounds) -> tuple[str, str, str]:
    return write_seconds(bounds.earliest_us), write_seconds(bounds.latest_us), bounds.basis


def _write_counts(records: Sequence[Record]) -> tuple[str, str]:
    """Packets and bytes of one side."""
    return _write_sum([record.packets for record in records]), _write_sum([record.bytes for record in records])


def _write_sum(counts: Sequence[int]) -> str:
    """The sum of the numbers that are known; empty if there are records, but none tells."""
    known = [count for count in counts if count != UNKNOWN]
    return str(sum(known)) if known or not counts else ""


def _write_flags(records: Sequence[Record]) -> str:
    flags = 0
    for record in records:
        flags |= record.flags
    return str(flags ^ HAS_FLAGS) if flags else ""


def _list(texts: Iterable[str]) -> str:
    """The distinct values of some texts, sorted, one a line."""
    distinct = set(texts)
    if len(distinct) == 1:
        return distinct.pop()
    return "\n".join(sorted(set(filter(None, "\n".join(distinct).split("\n")))))
