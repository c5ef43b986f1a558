# SPDX-License-Identifier: Apache-2.0
"""The records of each pair of endpoints, held in few bytes, and how they are parted into connections.

The records of a pair are packed one after the other: objects of Python for a million records would take a gigabyte.
They are unpacked pair by pair, when all have come, so the order in which they come changes nothing. Authority:
docs/connect.md, Which records are one connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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

#: The fields of a Record, in their order.
_PACKED = Struct("<q?qBiqqii")


class Record(NamedTuple):
    """A record of a pair of endpoints; times in microseconds. The order of the fields is that in which records go.

    `follows` is false if it opens a connection: then it goes before others of the same start. `direction` is 0 if the
    first endpoint sent its packets, else 1. `interface` and `action` are numbers in Texts. `packets` and `bytes` may be
    UNKNOWN; `flags` are 0 or have HAS_FLAGS.
    """

    start_us: int
    follows: bool
    end_us: int
    direction: int
    interface: int
    packets: int
    bytes: int
    flags: int
    action: int


#: Without a call of Python's own, for each record and pair.
_new_record = partial(tuple.__new__, Record)
_new_five = partial(tuple.__new__, FiveTuple)
_SYN_ACK = SYN | ACK


class Connection(NamedTuple):
    """The records of one connection in their order, at least one, and how many exact duplicates were left out.

    `five` is the five-tuple of direction 0.
    """

    five: FiveTuple
    records: list[Record]
    duplicates: int


#: A record as it comes: protocol, src, src_port, dest, dest_port, start_us, end_us, and the rest as in Record.
Event = tuple[int, str, int, str, int, int, int, int, int, int, int, int]


class Texts(NamedTuple):
    """What the numbers in records mean: the names of interfaces, and actions, one a line."""

    interfaces: list[str]
    actions: list[str]


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
        self.texts = Texts(self.interfaces.texts, self.actions.texts)
        self._pairs: dict[tuple[int, str, int, str, int], bytearray] = {}

    def add(self, events: Iterable[Event]) -> None:
        """Take records."""
        pairs, pack = self._pairs, _PACKED.pack
        for (protocol, src, src_port, dest, dest_port, start_us, end_us, interface, packets, size, flags,
             action) in events:  # fmt: skip
            follows = flags & _SYN_ACK != SYN
            if src < dest or (src == dest and src_port <= dest_port):
                key = protocol, src, src_port, dest, dest_port
                packed = pack(start_us, follows, end_us, 0, interface, packets, size, flags, action)
            else:
                key = protocol, dest, dest_port, src, src_port
                packed = pack(start_us, follows, end_us, 1, interface, packets, size, flags, action)
            held = pairs.get(key)
            if held is None:
                pairs[key] = bytearray(packed)
            else:
                held += packed

    def take_out(self, gap_us: int, lag_us: int) -> Iterator[Connection]:
        """Every connection, in any order; each pair is forgotten when it has been taken out."""
        while self._pairs:
            key, packed = self._pairs.popitem()
            records, copies = self._merge_duplicates(list(map(_new_record, _PACKED.iter_unpack(packed))))
            five = _new_five(key)
            for part in part_records(records, gap_us, lag_us):
                yield Connection(five, part, sum([copies[record] for record in part]) if copies else 0)

    def _merge_duplicates(self, records: list[Record]) -> tuple[list[Record], dict[Record, int]]:
        """The records in their order without exact duplicates, and how many of these each stands for besides itself.

        Duplicates may differ in flags and action only; the one that is kept has the flags and the actions of all.
        """
        if len(set(map(_size, records))) == len(records) or len(set(map(_identity, records))) == len(records):
            return sorted(records), {}
        same: dict[tuple[object, ...], list[Record]] = {}
        for record in records:
            same.setdefault(_identity(record), []).append(record)
        merged = {self._merge(copies): len(copies) - 1 for copies in same.values()}
        return sorted(merged), merged

    def _merge(self, copies: list[Record]) -> Record:
        """One record for exact duplicates."""
        flags = reduce(or_, [record.flags for record in copies])
        actions = list_distinct({self.texts.actions[record.action] for record in copies})
        return copies[0]._replace(follows=not opens_connection(flags), flags=flags, action=self.actions[actions])


#: What exact duplicates have in common, and a part of it that seldom more than one record has.
_identity, _size = itemgetter(0, 2, 3, 4, 5, 6), itemgetter(6)


def part_records(records: list[Record], gap_us: int, lag_us: int) -> list[list[Record]]:
    """Parts a pair's records, in their order, into those of each connection."""
    reach_us = records[0].end_us
    reopens_us = min(gap_us, lag_us)
    if records[-1].start_us <= reach_us + reopens_us:  # mostly so: no pause can be long enough
        return [records]
    parts = [records[:1]]
    for record in records[1:]:
        if record.start_us > reach_us + (gap_us if record.follows else reopens_us):
            parts.append([])
        parts[-1].append(record)
        reach_us = max(reach_us, record.end_us)
    return parts


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
