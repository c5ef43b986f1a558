# SPDX-License-Identifier: Apache-2.0
"""The connections of a search: takes the events that are records, and gives a row for each connection at the end.

The tags of flowlagenrich say which events are records, and when they began and ended. Events that take no part are
counted by reason. Authority: docs/connect.md, Output fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter, le
from typing import Any, Callable, Optional, TypeVar

from flowlag.connect.connections import HAS_FLAGS, UNKNOWN, Event, Held
from flowlag.connect.options import ConnectSettings
from flowlag.connect.rows import Row, describe, order_rows
from flowlag.errors import show_text
from flowlag.fields import first_value
from flowlag.five_tuple import SCTP, TCP, UDP, FiveTuple, read_address, read_flags, read_port, read_protocol
from flowlag.instants import LAST_US, parse_seconds
from flowlag.interval import SECOND_US
from flowlag.memo import Memo
from flowlag.record import STATUSES

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
#: Values that are remembered: more than there are ports, and addresses in most searches.
_MOST_VALUES = 1 << 16
#: The first columns of an Event, those whose values may be None when they have been read.
_READABLE = 7
_LAST = str(LAST_US // SECOND_US)

Get = Callable[[str], Optional[str]]
#: For each of Roles, in their order, the text of each event; empty if there is none.
Columns = Sequence[Sequence[str]]
T = TypeVar("T")


class Connector:
    """Takes events by columns, and gives a row for each connection at the end."""

    def __init__(self, settings: ConnectSettings) -> None:
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self.taken = 0
        self._held = Held()
        self._times = Memo(_read_time, len)
        self._addresses = Memo(read_address, len, _MOST_VALUES)
        self._ports = Memo(read_port, len, _MOST_VALUES)
        self._protocols = Memo(read_protocol, len)
        self._flags = Memo(_mark_flags, len)

    def feed(self, events: Sequence[Get]) -> None:
        """Take events, each a function that gives the text of a field by its name (None or empty if absent)."""
        roles = self.settings.roles
        columns = {role: [first_value(get, names) or "" for get in events] for role, names in roles._asdict().items()}
        columns["protocol"] = [self.pick_protocol(*(get(name) or "" for name in roles.protocol)) for get in events]
        self.take(tuple(columns.values()))

    def pick_protocol(self, *texts: str) -> str:
        """The first of some texts that is a protocol (the CIM's `protocol` may hold `ip`); empty if none is."""
        return next((text for text in texts if self._protocols[text] is not None), "")

    def take(self, columns: Columns) -> None:
        """Take events by the columns of their texts. What can be read column by column is; this is much faster."""
        status, *read = columns[0], *map(list, self._read(columns))
        events: Iterable[Any] = zip(*read)
        if _are_usable(status, read):
            self.taken += len(status)
        else:
            events = self._select(status, events)
        self._held.add(events)

    def _read(self, columns: Columns) -> Iterator[Iterable[Any]]:
        """The columns of an Event; a value that is not readable is None."""
        _, start, end, protocol, src, src_port, dest, dest_port, interface, packets, size, flags, action = columns
        yield map(self._protocols.__getitem__, protocol)
        for address, port in ((src, src_port), (dest, dest_port)):
            yield map(self._addresses.__getitem__, address)
            yield map(self._ports.__getitem__, port)
        yield from (_read_times(column, self._times) for column in (start, end))
        yield map(self._held.interfaces.__getitem__, interface)
        yield from (_read_counts(column) for column in (packets, size))
        yield map(self._flags.__getitem__, flags)
        yield map(self._held.actions.__getitem__, action)

    def _select(self, statuses: Sequence[str], events: Iterable[Any]) -> Iterator[Event]:
        """The events that take part; the others are counted by reason."""
        for status, event in zip(statuses, events):
            reason = self._find_reason(status, event)
            if reason is not None:
                self.counts[reason] += 1
                continue
            self.taken += 1
            protocol, src, src_port, dest, dest_port, *rest = event
            yield (protocol, src, src_port or 0, dest, dest_port or 0, *rest)

    def _find_reason(self, status: str, event: Sequence[Any]) -> Optional[str]:
        """Why an event takes no part; None if it does."""
        protocol, src, src_port, dest, dest_port, start_us, end_us = event[:_READABLE]
        if status != "ok":
            return self._name_status(status)
        if start_us is None or end_us is None or end_us < start_us:
            return NO_BOUNDS
        if protocol is None:
            return NO_PROTOCOL
        if src is None or dest is None:
            return NO_ADDRESS
        if protocol in _WITH_PORTS and (src_port is None or dest_port is None):
            return NO_PORT
        return None

    def _name_status(self, status: str) -> str:
        name = f"{self.settings.reading.prefix}status"
        if not status:
            return f"events without {name}"
        return f"{name}={status}" if status in STATUSES else f"unknown {name}"

    def close(self, write: Callable[[Row], T]) -> Iterator[T]:
        """What `write` makes of each row (a text for each of CONNECT_FIELDS), ordered by start_earliest and tuple.

        Call it once, after the last event. Only what `write` returns is held until all rows are there.
        """
        rows: list[tuple[int, FiveTuple, T]] = []
        for connection in self._held.take_out(self.settings.gap_us, self.settings.lag_us):
            earliest_us, five, row = describe(connection, self._held.texts, self.settings)
            rows.append((earliest_us, five, write(row)))
        rows.sort(key=order_rows)
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


def _are_usable(statuses: Sequence[str], read: Sequence[Sequence[Any]]) -> bool:
    """Whether all events take part, by their statuses and the columns that were read: as a rule so."""
    *_, start_us, end_us = readable = read[:_READABLE]
    is_read = statuses.count("ok") == len(statuses) and not any(None in column for column in readable)
    return is_read and all(map(le, start_us, end_us))


def read_count(text: str) -> int:
    """A number of packets or bytes: digits, with `.0` behind them allowed; else UNKNOWN."""
    digits = text.removesuffix(".0")
    if not (digits.isascii() and digits.isdigit()):
        return UNKNOWN
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MOST_DIGITS else UNKNOWN


def _read_counts(texts: Sequence[str]) -> list[int]:
    return list(map(int if _are_digits(texts, _MOST_DIGITS) else read_count, texts))


def _read_times(texts: Sequence[str], times: Memo[str, Optional[int]]) -> list[Optional[int]]:
    """Times in microseconds; whole seconds, as nearly all are, at once."""
    if _are_digits(texts, len(_LAST)) and max(texts) <= _LAST:
        return [int(text) * SECOND_US for text in texts]
    return list(map(times.__getitem__, texts))


def _are_digits(texts: Sequence[str], most: int) -> bool:
    """Whether each text is a whole number of at most so many digits."""
    lengths, joined = set(map(len, texts)), "".join(texts)
    return 0 not in lengths and max(lengths) <= most and joined.isascii() and joined.isdigit()


def _read_time(text: str) -> Optional[int]:
    time_us = parse_seconds(text)
    return time_us if time_us is not None and time_us <= LAST_US else None


def _mark_flags(text: str) -> int:
    flags = read_flags(text)
    return 0 if flags is None else flags | HAS_FLAGS
