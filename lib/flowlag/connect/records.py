# SPDX-License-Identifier: Apache-2.0
"""A record of a pair of endpoints: its fields as numbers, and how these are packed.

Times are in ticks: seconds as long as all times of a search are whole ones, as nearly always, else microseconds.
Authority: docs/connect.md, Which records are one connection.
"""

from __future__ import annotations

from functools import partial
from operator import itemgetter
from struct import Struct
from typing import NamedTuple

from flowlag.five_tuple import opens_connection, read_flags

#: What stands for a number of packets or bytes that is not known.
UNKNOWN = -1
#: Set in the flags of every record that has readable ones, and of every record that does not open a connection.
HAS_FLAGS, FOLLOWS = 1 << 30, 1 << 31

#: How the fields of a Record are packed: in the first way as long as all fit.
PACKINGS = Struct("@III?HiiH"), Struct("<qIq?iqqi")


class Record(NamedTuple):
    """A record of a pair of endpoints; times in ticks. The order of the fields is that in which records go.

    `flags` have FOLLOWS unless it opens a connection: then it goes before others of the same start; HAS_FLAGS if they
    are readable. `direction` is false if the first endpoint sent its packets. `interface` and `action` are numbers in
    Texts. `packets` and `bytes` may be UNKNOWN.
    """

    start: int
    flags: int
    end: int
    direction: bool
    interface: int
    packets: int
    bytes: int
    action: int


class Records(NamedTuple):
    """Records in their order, by columns: the fields of Record."""

    starts: tuple[int, ...]
    flags: tuple[int, ...]
    ends: tuple[int, ...]
    directions: tuple[bool, ...]
    interfaces: tuple[int, ...]
    packets: tuple[int, ...]
    bytes: tuple[int, ...]
    actions: tuple[int, ...]


#: Without a call of Python's own, for each connection.
new_records = partial(tuple.__new__, Records)

#: What exact duplicates have in common: all but flags and action. Of a Record or, by columns, of Records.
identity = itemgetter(0, 2, 3, 4, 5, 6)


def mark_flags(text: str) -> int:
    """The flags of a Record, by their text."""
    flags = read_flags(text)
    return FOLLOWS if flags is None else mark_order(flags | HAS_FLAGS)


def mark_order(flags: int) -> int:
    """Flags with FOLLOWS if they do not open a connection."""
    return flags if opens_connection(flags) else flags | FOLLOWS


def have_duplicates(records: Records) -> bool:
    """Whether some of a pair's records can be exact duplicates; mostly their bytes alone tell that none is.

    Two records with the same hash are taken for duplicates here, which costs only time: a set of all would be large.
    """
    sizes = records.bytes
    return len(set(sizes)) < len(sizes) and len(set(map(hash, zip(*identity(records))))) < len(sizes)
