# SPDX-License-Identifier: Apache-2.0
"""When a connection began and ended, by all of its records: bounds on its first and its last packet.

A record of a connection's first packet holds it between start - lag and end + 1. Each direction of a connection inside
an estate is seen by two interfaces, so up to four records hold its first packets: SYN twice, SYN with ACK twice. The
first packet lies in all of them at once, and before the end of every record of the connection. Its `home` is one
interface, at which the packets are meant: elsewhere they may be seen a round trip earlier or later. If there is any
sign that the records are those of two connections, or are not all there, the bounds are those of fewer records.

Authority: docs/connect.md, When it began; docs/model.md, The bounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Optional

from flowlag.connect.connections import Record
from flowlag.five_tuple import ACK, FIN, RST, SYN
from flowlag.timing import RESOLUTION_US

_CLOSES = FIN | RST


class Bounds(NamedTuple):
    """A packet passed from `earliest_us` on and before `latest_us` (microseconds); `basis` says how that is known."""

    earliest_us: int
    latest_us: int
    basis: str


def find_opening(records: Iterable[Record], interfaces: Sequence[str]) -> Optional[Record]:
    """The record that opens the connection: SYN without ACK, of several the one with the latest start.

    If tied, that of the least interface by name, then the one that ends first.
    """
    opening = [record for record in records if not record.follows]
    if len(opening) < 2:
        return opening[0] if opening else None
    latest_us = opening[-1].start_us
    if opening[-2].start_us < latest_us:
        return opening[-1]
    return min([r for r in opening if r.start_us == latest_us], key=lambda r: (interfaces[r.interface], r))


def bound_start(records: Sequence[Record], opening: Optional[Record], lag_us: int, rtt_us: int) -> Bounds:
    """Bounds on the first packet, of records in their order and the opening one, whose interface is home."""
    if opening is None:
        latest_us = min([record.end_us for record in records]) + RESOLUTION_US + rtt_us
        return Bounds(records[0].start_us - lag_us, latest_us, "none")
    if not _is_doubtful(records, opening):
        bounds = _intersect_starts(records, opening.interface, lag_us, rtt_us)
        if bounds.earliest_us < bounds.latest_us:  # else a record is certainly before the opening one
            return bounds
    at_home = [record for record in records if not record.follows and record.interface == opening.interface]
    latest_us = max([record.end_us for record in at_home]) + RESOLUTION_US
    return Bounds(at_home[0].start_us - lag_us, latest_us, "doubt")


def _is_doubtful(records: Sequence[Record], opening: Record) -> bool:
    """Whether there is a sign of another connection: a series with two SYN, or a close before the opening."""
    series = [(record.interface, record.direction) for record in records if record.flags & SYN]
    if len(set(series)) < len(series):
        return True
    opened_us, home = opening.start_us, opening.interface
    return any(r.interface == home and r.flags & _CLOSES for r in records if r.end_us < opened_us)


def _intersect_starts(records: Sequence[Record], home: int, lag_us: int, rtt_us: int) -> Bounds:
    """Bounds on the first packet by all records that must hold it."""
    starts_us = [
        record.start_us - rtt_us if record.interface != home or record.flags & ACK else record.start_us
        for record in records
        if record.flags & SYN
    ]
    ends_us = [record.end_us if record.interface == home else record.end_us + rtt_us for record in records]
    return Bounds(max(starts_us) - lag_us, min(ends_us) + RESOLUTION_US, "syn")


def bound_end(records: Sequence[Record], home: int, lag_us: int, rtt_us: int) -> Bounds:
    """Bounds on the last packet at `home`, of records in their order."""
    closing = [record for record in records if record.flags & _CLOSES]
    last_start_us = records[-1].start_us
    basis = "none"
    if closing:
        latest_us = min([record.end_us for record in closing]) + RESOLUTION_US + rtt_us
        starts_us = [record.start_us if record.interface == home else record.start_us - rtt_us for record in records]
        earliest_us = max(starts_us) - lag_us
        is_once = len(closing) == 1 or len({(r.interface, r.direction) for r in closing}) == len(closing)
        if is_once and last_start_us - lag_us <= latest_us and earliest_us < latest_us:
            return Bounds(earliest_us, latest_us, "fin")
        basis = "doubt"
    latest_us = max([record.end_us for record in records]) + RESOLUTION_US + rtt_us
    return Bounds(last_start_us - lag_us, latest_us, basis)
