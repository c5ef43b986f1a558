# SPDX-License-Identifier: Apache-2.0
"""The records of each pair of endpoints, held in few bytes, and how they are parted into connections.

A pair of endpoints and its protocol is a text, and its records are packed one after the other: objects of Python for a
million records would take a gigabyte. They are unpacked pair by pair, when all have come, so the order in which they
come changes nothing. Authority: docs/connect.md, Which records are one connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial, reduce
from operator import itemgetter, or_
from struct import Struct
from typing import Callable, NamedTuple

from flowlag.fields import has_value
from flowlag.five_tuple import ACK, SYN, FiveTuple, opens_connection

#: What stands for a number of packets or bytes that is not known.
UNKNOWN = -1
#: Set in the flags of every record that has readable ones: those have at most nine digits.
HAS_FLAGS = 1 << 30

#: Start, end, direction, number of the interface, packets, bytes, flags, number of the action.
_PACKED = Struct("<qqBiqqii")


class Record(NamedTuple):
    """A record of a pair of endpoints; times in microseconds. The order of the fields is that in which records go.

    `follows` is false if it opens a connection: then it goes before others of the same start. `direction` is 0 if the
    first endpoint sent its packets, else 1. `packets` and `bytes` may be UNKNOWN; `flags` are 0 or have HAS_FLAGS.
    `action` has a line for each distinct action.
    """

    start_us: int
    follows: bool
    end_us: int
    direction: int
    interface: str
    packets: int
    bytes: int
    flags: int
    action: str


_new_record = partial(tuple.__new__, Record)  # without a call of Python's own, for each record
_SYN_ACK = SYN | ACK


class Connection(NamedTuple):
    """The records of one connection in their order, at least one, and how many exact duplicates were left out.

    `five` is the five-tuple of direction 0.
    """

    five: FiveTuple
    records: list[Record]
    duplicates: int


class Numbers(dict[str, int]):
    """`numbers[text]` is a number for what `read` makes of a text; `texts[number]` is that again."""

    def __init__(self, read: Callable[[str], str]) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._read = read
        self._known: dict[str, int] = {}

    def __missing__(self, text: str) -> int:
        value = self._read(text)
        number = self[text] = self._known.setdefault(value, len(self.texts))
        if number == len(self.texts):
            self.texts.append(value)
        return number


class Held:
    """Every record, by its pair of endpoints. `interfaces` and `actions` tell numbers for the texts of a record."""

    def __init__(self) -> None:
        self.interfaces = Numbers(_read_name)
        self.actions = Numbers(_read_actions)
        self._pairs: dict[str, bytearray] = {}

    def add(
        self, protocol: int, src: str, src_port: int, dest: str, dest_port: int, start_us: int, end_us: int,
        interface: int, packets: int, count: int, flags: int, action: int,
    ) -> None:  # fmt: skip
        """Take a record; `count` is its number of bytes, and everything is as in Record, but numbers for texts."""
        is_reply = dest < src or (dest == src and dest_port < src_port)
        packed = _PACKED.pack(start_us, end_us, is_reply, interface, packets, count, flags, action)
        if is_reply:
            src, src_port, dest, dest_port = dest, dest_port, src, src_port
        key = f"{protocol} {src_port} {dest_port} {len(src)} {src}{dest}"
        held = self._pairs.get(key)
        if held is None:
            self._pairs[key] = bytearray(packed)
        else:
            held += packed

    def take_out(self, gap_us: int, lag_us: int) -> Iterator[Connection]:
        """Every connection, in any order; each pair is forgotten when it has been taken out."""
        while self._pairs:
            key, packed = self._pairs.popitem()
            records, copies = merge_duplicates(self._unpack(packed))
            five = _read_key(key)
            for part in part_records(records, gap_us, lag_us):
                yield Connection(five, part, sum([copies[record] for record in part]) if copies else 0)

    def _unpack(self, packed: bytearray) -> list[Record]:
        interfaces, actions = self.interfaces.texts, self.actions.texts
        return [
            _new_record(
                (
                    start_us, flags & _SYN_ACK != SYN, end_us, direction, interfaces[interface], packets, count, flags,
                    actions[action],
                )
            )
            for start_us, end_us, direction, interface, packets, count, flags, action in _PACKED.iter_unpack(packed)
        ]  # fmt: skip


#: What exact duplicates have in common.
_identity = itemgetter(0, 2, 3, 4, 5, 6)


def merge_duplicates(records: list[Record]) -> tuple[list[Record], dict[Record, int]]:
    """The records in their order without exact duplicates, and how many of these each one stands for besides itself.

    Duplicates may differ in flags and action only; the one that is kept has the flags and the actions of all.
    """
    if len(records) == 1:
        return records, {}
    if len(set(map(_identity, records))) == len(records):
        return sorted(records), {}
    same: dict[tuple[object, ...], list[Record]] = {}
    for record in records:
        same.setdefault(_identity(record), []).append(record)
    merged = {_merge(copies): len(copies) - 1 for copies in same.values()}
    return sorted(merged), merged


def _merge(copies: list[Record]) -> Record:
    """One record for exact duplicates."""
    flags = reduce(or_, [record.flags for record in copies])
    action = list_distinct({record.action for record in copies})
    return copies[0]._replace(follows=not opens_connection(flags), flags=flags, action=action)


def part_records(records: list[Record], gap_us: int, lag_us: int) -> Iterator[list[Record]]:
    """Parts a pair's records, in their order, into those of each connection."""
    begin, reach_us = 0, records[0].end_us
    reopens_us = min(gap_us, lag_us)
    for i, record in enumerate(records):
        if record.start_us > reach_us + (gap_us if record.follows else reopens_us):
            yield records[begin:i]
            begin = i
        reach_us = max(reach_us, record.end_us)
    yield records[begin:] if begin else records


def list_distinct(texts: set[str]) -> str:
    """The distinct values of some texts that have one value a line; sorted, one a line."""
    if len(texts) == 1:
        return next(iter(texts))
    joined = "\n".join(sorted(texts))
    if "" not in texts and joined.count("\n") == len(texts) - 1:
        return joined
    return "\n".join(sorted(filter(None, set(joined.split("\n")))))


def _read_name(text: str) -> str:
    return text if has_value(text) else ""


def _read_actions(text: str) -> str:
    return list_distinct(set(map(_read_name, text.split("\n"))))


def _read_key(key: str) -> FiveTuple:
    protocol, first_port, second_port, length, addresses = key.split(" ", 4)
    cut = int(length)
    return FiveTuple(int(protocol), addresses[:cut], int(first_port), addresses[cut:], int(second_port))
