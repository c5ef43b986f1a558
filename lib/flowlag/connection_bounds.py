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

from flowlag.connections import Record
from flowlag.five_tuple import ACK, FIN, RST, SYN
from flowlag.timing import RESOLUTION_US

_CLOSES = FIN | RST


class Bounds(NamedTuple):
    """A packet passed from `earliest_us` on and before `latest_us` (microseconds); `basis` says how that is known."""

    earliest_us: int
    latest_us: int
    basis: str


def find_opening(records: Iterable[Record]) -> Optional[Record]:
    """The record that opens the connection: SYN without ACK, of several the one with the latest start.

    If tied, that of the least interface, then the one that ends first.
    """
    opening = [record for record in records if not record.follows]
    if not opening:
        return None
    latest_us = opening[-1].start_us
    if len(opening) == 1 or opening[-2].start_us < latest_us:
        return opening[-1]
    return min([record for record in opening if record.start_us == latest_us], key=lambda r: (r.interface, r))


def bound_start(records: Sequence[Record], opening: Optional[Record], lag_us: int, rtt_us: int) -> Bounds:
    """Bounds on the first packet, of records in their order and the opening one, whose interface is home."""
    if opening is None:
        latest_us = min([record.end_us for record in records]) + RESOLUTION_US + rtt_us
        return Bounds(records[0].start_us - lag_us, latest_us, "none")
    bounds = _intersect_starts(records, opening, lag_us, rtt_us)
    if bounds is not None and bounds.earliest_us < bounds.latest_us:
        return bounds
    at_home = [record for record in records if not record.follows and record.interface == opening.interface]
    latest_us = max([record.end_us for record in at_home]) + RESOLUTION_US
    return Bounds(at_home[0].start_us - lag_us, latest_us, "doubt")


def _intersect_starts(records: Sequence[Record], opening: Record, lag_us: int, rtt_us: int) -> Optional[Bounds]:
    """Bounds on the first packet by all records that must hold it; None if there is a sign of another connection.

    If a record is certainly before the opening one, nothing is left between the bounds.
    """
    opened_us, home = opening.start_us, opening.interface
    starts_us, ends_us, series = [opened_us], [], set()
    for start_us, _, end_us, direction, interface, _, _, flags, _ in records:
        is_away = interface != home
        if end_us < opened_us and flags & _CLOSES and not is_away:
            return None
        if flags & SYN:
            if (interface, direction) in series:
                return None
            series.add((interface, direction))
            starts_us.append(start_us - rtt_us if is_away or flags & ACK else start_us)
        ends_us.append(end_us + rtt_us if is_away else end_us)
    return Bounds(max(starts_us) - lag_us, min(ends_us) + RESOLUTION_US, "syn")


def bound_end(records: Sequence[Record], home: str, lag_us: int, rtt_us: int) -> Bounds:
    """Bounds on the last packet at `home`, of records in their order."""
    closing = [record for record in records if record.flags & _CLOSES]
    last_start_us = records[-1].start_us
    basis = "none"
    if closing:
        latest_us = min([record.end_us for record in closing]) + RESOLUTION_US + rtt_us
        earliest_us = max([r.start_us - rtt_us if r.interface != home else r.start_us for r in records]) - lag_us
        is_once = len(closing) == 1 or len({(r.interface, r.direction) for r in closing}) == len(closing)
        if is_once and last_start_us - lag_us <= latest_us and earliest_us < latest_us:
            return Bounds(earliest_us, latest_us, "fin")
        basis = "doubt"
    latest_us = max([record.end_us for record in records]) + RESOLUTION_US + rtt_us
    return Bounds(last_start_us - lag_us, latest_us, basis)
