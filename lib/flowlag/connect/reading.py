# SPDX-License-Identifier: Apache-2.0
"""The texts of events as numbers, a column at a time, so that functions of C do nearly all of it.

Authority: docs/connect.md, Which records are one connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from operator import le
from typing import Any, NamedTuple, Optional

from flowlag.connect.connections import HAS_FLAGS, PROTOCOL_STEP, UNKNOWN, Events, Held
from flowlag.five_tuple import read_flags, read_port, read_protocol
from flowlag.instants import LAST_US, parse_seconds
from flowlag.interval import SECOND_US
from flowlag.memo import Memo

#: Ports that are remembered: all.
_MOST_PORTS = 1 << 16
#: More digits than any number of bytes has; a longer number is not known.
_MOST_DIGITS = 18
_LAST_S = LAST_US // SECOND_US


class Readings(NamedTuple):
    """The values of events by columns, all of one length; one that is not readable is None.

    Protocols are multiples of PROTOCOL_STEP, addresses as Held numbers them; times in microseconds. Only the first
    seven columns can have None.
    """

    start_us: Sequence[Any]
    end_us: Sequence[Any]
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

    def are_usable(self) -> bool:
        """Whether every event has what a record needs."""
        return not any(None in column for column in self[:7]) and all(map(le, self.start_us, self.end_us))

    def join_ends(self) -> Events:
        """The same with a number for each endpoint, if all are usable."""
        src, dest = (
            [protocol + address + port for protocol, address, port in zip(self.protocol, addresses, ports)]
            for addresses, ports in ((self.src, self.src_port), (self.dest, self.dest_port))
        )
        return Events(src, dest, self.start_us, self.end_us, *self[7:])


class Reader:
    """Reads columns of texts, and remembers what it read."""

    def __init__(self, held: Held) -> None:
        self.protocols = Memo(_read_protocol, len)
        self._held = held
        self._times = Memo(_read_time, len)
        self._ports = Memo(read_port, len, _MOST_PORTS)
        self._flags = Memo(_mark_flags, len)

    def read(self, columns: Sequence[Sequence[str]]) -> Readings:
        """The values of the texts of Readings, in their order."""
        return Readings._make(map(list, self._read(columns)))

    def _read(self, columns: Sequence[Sequence[str]]) -> Iterator[Iterable[Any]]:
        start, end, protocol, src, src_port, dest, dest_port, interface, packets, size, flags, action = columns
        yield from (_read_times(texts, self._times) for texts in (start, end))
        yield map(self.protocols.__getitem__, protocol)
        for addresses, ports in ((src, src_port), (dest, dest_port)):
            yield map(self._held.addresses.__getitem__, addresses)
            yield map(self._ports.__getitem__, ports)
        yield map(self._held.interfaces.__getitem__, interface)
        yield from (_read_counts(texts) for texts in (packets, size))
        yield map(self._flags.__getitem__, flags)
        yield map(self._held.actions.__getitem__, action)


def read_count(text: str) -> int:
    """A number of packets or bytes: digits, with `.0` behind them allowed; else UNKNOWN."""
    digits = text.removesuffix(".0")
    if not (digits.isascii() and digits.isdigit()):
        return UNKNOWN
    digits = digits.lstrip("0") or "0"
    return int(digits) if len(digits) <= _MOST_DIGITS else UNKNOWN


def _read_counts(texts: Sequence[str]) -> Iterator[int]:
    return map(int if _are_digits(texts, _MOST_DIGITS) else read_count, texts)


def _read_times(texts: Sequence[str], times: Memo[str, Optional[int]]) -> Sequence[Optional[int]]:
    """Times in microseconds; whole seconds, as nearly all are, at once."""
    if _are_digits(texts, len(str(_LAST_S))):
        times_s = list(map(int, texts))
        if max(times_s) <= _LAST_S:
            return [time_s * SECOND_US for time_s in times_s]
    return list(map(times.__getitem__, texts))


def _are_digits(texts: Sequence[str], most: int) -> bool:
    """Whether each text is a whole number of at most so many digits."""
    joined = "".join(texts)
    return joined.isascii() and joined.isdigit() and "" not in texts and max(map(len, texts)) <= most


def _read_protocol(text: str) -> Optional[int]:
    protocol = read_protocol(text)
    return None if protocol is None else protocol * PROTOCOL_STEP


def _read_time(text: str) -> Optional[int]:
    time_us = parse_seconds(text)
    return time_us if time_us is not None and time_us <= LAST_US else None


def _mark_flags(text: str) -> int:
    flags = read_flags(text)
    return 0 if flags is None else flags | HAS_FLAGS
