# SPDX-License-Identifier: Apache-2.0
"""Holds the rows of `flowlagconnect` against the true connections: their records, and whether their bounds hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from bench.accuracy.estates import LONGEST_LAG_S, Estate, Record, Series

Rows = list[dict[str, str]]
Ends = frozenset[tuple[str, int]]


class Group(NamedTuple):
    """A row of `flowlagconnect`, and the records that it is made of."""

    row: dict[str, str]
    members: list[int]


def gather_groups(estate: Estate, rows: Rows) -> list[Group]:
    """The rows with their records: of the rows of one pair of ends, the last that starts no later than the record."""
    groups = [Group(row, []) for row in sorted(rows, key=lambda row: float(row["first_start"]))]
    keyed: dict[Ends, list[Group]] = defaultdict(list)
    for group in groups:
        row = group.row
        ends = (row["src"], int(row["src_port"])), (row["dest"], int(row["dest_port"]))
        keyed[frozenset(ends)].append(group)
    for number, each in enumerate(estate.records):
        rivals = [group for group in keyed[ends_of(each.series)] if float(group.row["first_start"]) <= each.start]
        if rivals:
            rivals[-1].members.append(number)
    return groups


def ends_of(series: Series) -> Ends:
    """Both ends of a series, in no direction."""
    return frozenset(((series.srcaddr, series.srcport), (series.dstaddr, series.dstport)))


class Bounded(NamedTuple):
    """How the packets of a group lie to its bounds, and how wide these are beside the envelope of one record.

    Widths are those of a group that is one true connection, else None.
    """

    kind: str
    starts_within: bool
    ends_within: bool
    start_widths: tuple[float, float]
    end_widths: tuple[float, float]


def bound(estate: Estate, group: Group) -> Bounded:
    """Hold the bounds of a group against its first and last packet at its home."""
    row = group.row
    packets = [
        packet.passed
        for number in group.members
        if estate.records[number].interface == row["home"]
        for packet in estate.records[number].packets
    ]
    bounds = [float(row[name]) for name in ("start_earliest", "start_latest", "end_earliest", "end_latest")]
    first, last = find_edges(estate, group)
    connection = estate.connections[min(estate.records[group.members[0]].connections)]
    return Bounded(
        "internal" if connection.is_internal else "external",
        bounds[0] <= min(packets) < bounds[1],
        bounds[2] <= max(packets) < bounds[3],
        (bounds[1] - bounds[0], envelope(first)),
        (bounds[3] - bounds[2], envelope(last)),
    )


def find_edges(estate: Estate, group: Group) -> tuple[Record, Record]:
    """The records at the server's interface that hold the first and the last packet."""
    interface = estate.connections[min(estate.records[group.members[0]].connections)].server.interface
    held = [
        (packet.passed, number)
        for number in group.members
        if estate.records[number].interface == interface
        for packet in estate.records[number].packets
    ]
    return estate.records[min(held)[1]], estate.records[max(held)[1]]


def envelope(record: Record) -> float:
    """The width of a record's envelope in seconds."""
    return record.end + 1 - record.start + LONGEST_LAG_S


class Connected(NamedTuple):
    """How many records are in how many right groups, and the bounds of the right groups of TCP and of all groups."""

    records: int
    grouped: int
    right: list[Bounded]
    every: list[Bounded]


def connect(estate: Estate, groups: Iterable[Group]) -> Connected:
    """Hold the groups against the true connections."""
    true: dict[int, set[int]] = defaultdict(set)
    for number, each in enumerate(estate.records):
        for connection in each.connections:
            true[connection].add(number)
    wholes = {frozenset(members) for members in true.values()}
    grouped, right, every = 0, [], []
    for group in groups:
        bounded = bound(estate, group)
        every.append(bounded)
        if frozenset(group.members) in wholes:
            grouped += len(group.members)
            right.append(bounded)
    return Connected(len(estate.records), grouped, right, every)
