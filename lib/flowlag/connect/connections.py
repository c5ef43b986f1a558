# SPDX-License-Identifier: Apache-2.0
"""The records of a search, held in few bytes, and how they are parted into connections.

Objects of Python for a million records would take a gigabyte, so records are packed into one buffer. Each lies together
there: in a column for each value, a record would be in as many places of the memory, which takes longer than the work.
They are brought together at the end, some hundred at a time, so the order in which they come changes nothing.
Authority: docs/connect.md, Which records are one connection.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import count, repeat
from operator import gt, or_
from struct import error as StructError
from typing import Any, Callable, NamedTuple, Optional

from flowlag.connect.records import (
    FOLLOWS,
    PACKINGS,
    Record,
    Records,
    have_duplicates,
    identity,
    mark_order,
    new_records,
)
from flowlag.fields import has_value
from flowlag.five_tuple import read_address
from flowlag.interval import SECOND_US

#: Bits of an endpoint's number: its protocol, its address and its port, from the highest to the lowest.
_PORT_BITS, _ADDRESS_BITS = 16, 32
PROTOCOL_BITS = _PORT_BITS + _ADDRESS_BITS
PORT_STEP, PROTOCOL_STEP = 1 << _PORT_BITS, 1 << PROTOCOL_BITS
_PORT_MASK, _ADDRESS_MASK = (1 << _PORT_BITS) - 1, (1 << _ADDRESS_BITS) - 1
_END_BITS = 64
#: Records that are brought together at a time, few enough for the processor's cache; more if they are of one pair.
_BATCH = 512

#: Two endpoints, of which the first one says nothing, the records of one connection between them, at least one, and how
#: many exact duplicates were left out. Endpoints are numbers as in Events.
Connection = tuple[int, int, Records, int]


class Events(NamedTuple):
    """Records as they come, by columns: the rest is as in Record.

    An endpoint is the sum of its protocol times PROTOCOL_STEP, its address as Held numbers it, and its port.
    """

    src: Sequence[int]
    dest: Sequence[int]
    start: Sequence[int]
    end: Sequence[int]
    interface: Sequence[int]
    packets: Sequence[int]
    bytes: Sequence[int]
    flags: Sequence[int]
    action: Sequence[int]


class Texts(NamedTuple):
    """What numbers mean: addresses in one spelling, the names of interfaces, and actions, one a line."""

    addresses: list[str]
    interfaces: list[str]
    actions: list[str]

    def find_end(self, number: int) -> tuple[str, int]:
        """The address and the port of an endpoint."""
        return self.addresses[number >> _PORT_BITS & _ADDRESS_MASK], number & _PORT_MASK


class Numbers(dict[str, Any]):
    """`numbers[text]` is a number for what `read` makes of a text, a multiple of `step`; None if it makes None of it.

    What `read` made of a text, it reads as the same. `texts` has it by number, without step.
    """

    def __init__(self, read: Callable[[str], Optional[str]], step: int = 1) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._read = read
        self._step = step

    def __missing__(self, text: str) -> Any:
        value = self._read(text)
        if value == text:
            number = self[text] = len(self.texts) * self._step
            self.texts.append(text)
            return number
        self[text] = None if value is None else self[value]
        return self[text]


class Held:
    """Every record. `addresses`, `interfaces` and `actions` tell numbers for the texts of a record.

    `tick_us` is how many microseconds the unit of times has: those of a second, or one after `split_seconds`.
    """

    def __init__(self) -> None:
        self.tick_us = SECOND_US
        self.addresses = Numbers(_read_addresses, PORT_STEP)
        self.interfaces = Numbers(read_values)
        self.actions = Numbers(read_values)
        self.texts = Texts(self.addresses.texts, self.interfaces.texts, self.actions.texts)
        self._srcs, self._dests = array("q"), array("q")
        self._packed, self._packing = bytearray(), PACKINGS[0]

    def split_seconds(self) -> None:
        """From now on times are in microseconds."""
        self._repack(self.tick_us)
        self.tick_us = 1

    def add(self, events: Events) -> None:
        """Take records."""
        src, dest, start, end, interface, packets, size, flags, action = events
        self._srcs.extend(src)
        self._dests.extend(dest)
        columns = start, flags, end, list(map(gt, src, dest)), interface, packets, size, action
        try:
            self._packed += b"".join(map(self._packing.pack, *columns))
        except StructError:
            self._repack()
            self._packed += b"".join(map(self._packing.pack, *columns))

    def _repack(self, ticks: int = 1) -> None:
        """Hold records in more bytes, with so many ticks for one."""
        records, self._packing = self._packing.iter_unpack(self._packed), PACKINGS[1]
        pack = self._packing.pack
        self._packed = bytearray().join(
            [pack(start * ticks, flags, end * ticks, *rest) for start, flags, end, *rest in records]
        )

    def take_out(self, gap: int, lag: int) -> Iterator[Connection]:
        """Every connection, in any order; gap and lag in ticks. Call it once, after the last record."""
        reopens = min(gap, lag)
        for first, second, found in self._gather():
            found.sort()
            records = new_records(zip(*found))
            has_duplicates = have_duplicates(records)
            if not has_duplicates and records.starts[-1] <= records.ends[0] + reopens:
                yield first, second, records, 0  # as nearly all are: no pause can be long enough
                continue
            copies = self._merge_duplicates(found) if has_duplicates else dict.fromkeys(found, 0)
            for part in part_records(sorted(copies), gap, lag):
                yield first, second, new_records(zip(*part)), sum([copies[record] for record in part])

    def _gather(self) -> Iterator[tuple[int, int, list[Any]]]:
        """Each pair of endpoints and its records."""
        pairs = _find_pairs(self._srcs, self._dests)
        order = sorted(range(len(pairs)), key=pairs.__getitem__)
        unpack, size = self._packing.unpack_from, self._packing.size
        while order:
            begin = max(len(order) - _BATCH, 0)
            while pairs[order[begin]] != order[begin]:  # amid the records of a pair
                begin -= 1
            places = order[begin:]
            del order[begin:]
            records = list(map(unpack, repeat(self._packed), [place * size for place in places]))
            heads = [n for n, place in enumerate(places) if pairs[place] == place]
            for head, end in zip(heads, [*heads[1:], len(places)]):
                src, dest = self._srcs[places[head]], self._dests[places[head]]
                yield (src, dest, records[head:end]) if src < dest else (dest, src, records[head:end])

    def _merge_duplicates(self, records: list[Record]) -> dict[Record, int]:
        """The records without exact duplicates, and how many of these each stands for besides itself.

        Duplicates may differ in flags and action only; the one that is kept has the flags and the actions of all.
        """
        same: dict[tuple[object, ...], list[Record]] = {}
        for record in records:
            same.setdefault(identity(record), []).append(record)
        return {self._merge(list(map(Record._make, copies))): len(copies) - 1 for copies in same.values()}

    def _merge(self, copies: list[Record]) -> Record:
        """One record for exact duplicates."""
        flags = mark_order(reduce(or_, [record.flags for record in copies]) & ~FOLLOWS)
        actions = list_distinct({self.texts.actions[record.action] for record in copies})
        return copies[0]._replace(flags=flags, action=self.actions[actions])


def _find_pairs(srcs: Sequence[int], dests: Sequence[int]) -> list[int]:
    """For each record, the place of the first record that has the same two endpoints."""
    keys = [src << _END_BITS | dest if src < dest else dest << _END_BITS | src for src, dest in zip(srcs, dests)]
    first: dict[int, int] = {}
    return list(map(first.setdefault, keys, count()))


def part_records(records: list[Record], gap: int, lag: int) -> list[list[Record]]:
    """Parts a pair's records, in their order, into those of each connection."""
    reopens = min(gap, lag)
    reach, parts = records[0][2], [records[:1]]
    for record in records[1:]:
        start, flags, end, *_ = record
        if start > reach + (gap if flags & FOLLOWS else reopens):
            parts.append([])
        parts[-1].append(record)
        reach = max(reach, end)
    return parts


def list_distinct(texts: set[str]) -> str:
    """The distinct values of some texts that have one value a line; sorted, one a line."""
    if len(texts) == 1:
        return next(iter(texts))
    joined = "\n".join(sorted(texts))
    if "" not in texts and joined.count("\n") == len(texts) - 1:
        return joined
    return "\n".join(sorted(filter(None, set(joined.split("\n")))))


def read_values(text: str) -> str:
    """The distinct values of a text that has one a line; sorted, one a line."""
    if "\n" not in text:
        return text if has_value(text) else ""
    return list_distinct(set(filter(has_value, text.split("\n"))))


def _read_addresses(text: str) -> Optional[str]:
    """The same for addresses, in one spelling; None if there is none."""
    if "\n" not in text:
        return read_address(text)
    return read_values("\n".join(filter(None, map(read_address, text.split("\n"))))) or None
