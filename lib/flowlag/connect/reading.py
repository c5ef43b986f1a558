# SPDX-License-Identifier: Apache-2.0
"""The texts of events as numbers, a column at a time, so that functions of C do nearly all of it.

Authority: docs/connect.md, Which records are one connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import add, le
from typing import Any, NamedTuple, Optional

from flowlag.connect.connections import PROTOCOL_STEP, Events, Held, read_values
from flowlag.connect.records import UNKNOWN, mark_flags
from flowlag.five_tuple import read_port, read_protocol
from flowlag.instants import LAST_US, parse_seconds
from flowlag.interval import SECOND_US
from flowlag.memo import Memo

#: Ports that are remembered: all, in as many digits as they have.
_MOST_PORTS, _PORT_DIGITS = 1 << 16, 5
#: More digits than any number of bytes has; a longer number is not known.
_MOST_DIGITS = 18
_LARGEST = 10**_MOST_DIGITS - 1
_LAST_S = LAST_US // SECOND_US


class Readings(NamedTuple):
    """The values of events by columns, all of one length; one that is not readable is None.

    Protocols are multiples of PROTOCOL_STEP, addresses as Held numbers them; times in ticks. Only the first seven
    columns can have None.
    """

    start: Sequence[Any]
    end: Sequence[Any]
    protocol: Sequence[Any]
    src: Sequence[Any]
    src_port: Sequence[Any]
    dest: Sequence[Any]
    dest_port: Sequence[Any]
    interface: Sequence[int]
    packets: Sequence[int]
    bytes: Sequence[int]
    flags: Sequence[int]
    action: Sequence[int]

    def join_ends(self) -> Optional[Events]:
        """The same with a number for each endpoint; None if an event does not have what a record needs."""
        try:
            src, dest = (
                list(map(add, map(add, self.protocol, addresses), ports))
                for addresses, ports in ((self.src, self.src_port), (self.dest, self.dest_port))
            )
            is_usable = all(map(le, self.start, self.end))
        except TypeError:  # of None
            return None
        return Events(src, dest, self.start, self.end, *self[7:]) if is_usable else None


class _Ports(dict[str, Optional[int]]):
    """`ports[text]` is the port of a text, None if it is none: a memo that forgets nothing, so its misses cost less."""

    def __missing__(self, text: str) -> Optional[int]:
        port = read_port(read_values(text))
        if len(text) <= _PORT_DIGITS and len(self) < _MOST_PORTS:
            self[text] = port
        return port


class Reader:
    """Reads columns of texts, and remembers what it read."""

    def __init__(self, held: Held) -> None:
        self.protocols = Memo(_read_protocol, len)
        self._held = held
        self._times = Memo(_read_time, len)
        self._ports = _Ports()
        self._flags = Memo(_read_flags, len)

    def read(self, columns: Sequence[Sequence[str]]) -> Readings:
        """The values of the texts of Readings, in their order."""
        return Readings._make(map(list, self._read(columns)))

    def _read(self, columns: Sequence[Sequence[str]]) -> Iterator[Iterable[Any]]:
        start, end, protocol, src, src_port, dest, dest_port, interface, packets, size, flags, action = columns
        yield from self._read_times((start, end))
        yield map(self.protocols.__getitem__, protocol)
        for addresses, ports in ((src, src_port), (dest, dest_port)):
            yield map(self._held.addresses.__getitem__, addresses)
            yield map(self._ports.__getitem__, ports)
        yield map(self._held.interfaces.__getitem__, interface)
        yield from (_read_counts(texts) for texts in (packets, size))
        yield map(self._flags.__getitem__, flags)
        yield map(self._held.actions.__getitem__, action)

    def _read_times(self, columns: Sequence[Sequence[str]]) -> Sequence[Any]:
        """Times in ticks; if they are whole seconds, as nearly all are, at once."""
        seconds: list[Any] = [_read_whole(texts, _LAST_S) for texts in columns]
        ticks = SECOND_US // self._held.tick_us
        if None not in seconds:
            return seconds if ticks == 1 else [[time_s * ticks for time_s in column] for column in seconds]
        times_us = [list(map(self._times.__getitem__, texts)) for texts in columns]
        if ticks == 1 and any(time_us and time_us % SECOND_US for column in times_us for time_us in column):
            self._held.split_seconds()
        tick_us = self._held.tick_us
        return [[time_us and time_us // tick_us for time_us in column] for column in times_us]


def read_count(text: str) -> int:
    """A number of packets or bytes: digits, with `.0` behind them allowed; else UNKNOWN."""
    digits = read_values(text).removesuffix(".0")
    if not (digits.isascii() and digits.isdigit()):
        return UNKNOWN
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MOST_DIGITS else UNKNOWN


def _read_counts(texts: Sequence[str]) -> Iterable[int]:
    numbers = _read_whole(texts, _LARGEST)
    return map(read_count, texts) if numbers is None else numbers


def _read_whole(texts: Sequence[str], greatest: int) -> Optional[list[int]]:
    """Texts that are whole numbers up to `greatest`; None if one is not, or if they are very long."""
    joined = "".join(texts)
    if len(joined) > _MOST_DIGITS * len(texts) or not joined.encode("utf-8", "replace").isdigit():
        return None
    try:
        numbers = list(map(int, texts))
    except ValueError:  # an empty text
        return None
    return numbers if max(numbers) <= greatest else None


def _read_protocol(text: str) -> Optional[int]:
    protocol = read_protocol(read_values(text))
    return None if protocol is None else protocol * PROTOCOL_STEP


def _read_time(text: str) -> Optional[int]:
    time_us = parse_seconds(read_values(text))
    return time_us if time_us is not None and time_us <= LAST_US else None


def _read_flags(text: str) -> int:
    return mark_flags(read_values(text))
