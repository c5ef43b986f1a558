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

from collections.abc import Sequence
from typing import NamedTuple, Optional

from flowlag.connect.connections import Records
from flowlag.connect.signs import Signs

#: A packet passed from the first time on and before the second one; the word says how that is known.
Bounds = tuple[int, int, str]


class Spans(NamedTuple):
    """In ticks, as all times here: the longest lag, the longest round trip, and the second that a stamp stands for."""

    lag: int
    rtt: int
    resolution: int


def find_opening(records: Records, opening: Sequence[int], interfaces: Sequence[str], is_reversed: bool) -> int:
    """The place of the record that opens the connection: of those with SYN without ACK the one with the latest start.

    If tied, that of the least interface by name, then the one that ends first, then that of the first endpoint, or of
    the second one if `is_reversed`.
    """
    starts, last = records.starts, opening[-1]
    if len(opening) == 1 or starts[opening[-2]] < starts[last]:
        return last
    order = {
        place: (interfaces[records.interfaces[place]], records.ends[place], records.directions[place] != is_reversed)
        for place in opening
        if starts[place] == starts[last]
    }
    return min(order, key=order.__getitem__)


def bound_start(records: Records, signs: Signs, opening: Optional[int], spans: Spans) -> Bounds:
    """Bounds on the first packet, by records in their order and the place of the opening one, which is at home."""
    starts, _, ends, _, interfaces, _, _, _ = records
    lag, rtt, resolution = spans
    if opening is None:
        return starts[0] - lag, min(ends) + resolution + rtt, "none"
    opened, home = starts[opening], interfaces[opening]
    least_end = _find_least_end(ends, interfaces, home, rtt)
    if not signs.opens_twice and (opened <= least_end or not _closes_before(records, signs, opening)):
        # of all records with SYN, opening ones elsewhere start no later than this one, and answers follow it
        if signs.answering and starts[signs.answering[-1]] - rtt > opened:
            opened = starts[signs.answering[-1]] - rtt
        if opened - lag < least_end + resolution:  # else a record is certainly before the opening one
            return opened - lag, least_end + resolution, "syn"
    at_home = [place for place in signs.opening if interfaces[place] == home]
    return starts[at_home[0]] - lag, max([ends[place] for place in at_home]) + resolution, "doubt"


def bound_end(records: Records, signs: Signs, home: int, spans: Spans) -> Bounds:
    """Bounds on the last packet at `home`, by records in their order."""
    starts, _, ends, _, interfaces, _, _, _ = records
    lag, rtt, resolution = spans
    last_start, closing = starts[-1], signs.closing
    if closing and not signs.closes_twice:
        latest = min([ends[place] for place in closing]) + resolution + rtt
        greatest = last_start if interfaces[-1] == home else _find_greatest_start(starts, interfaces, home, rtt)
        if last_start - lag <= latest and greatest - lag < latest:
            return greatest - lag, latest, "fin"
    return last_start - lag, max(ends) + resolution + rtt, "doubt" if closing else "none"


def _closes_before(records: Records, signs: Signs, opening: int) -> bool:
    """Whether a record at home with FIN or RST ends before the opening one starts."""
    home, opened = records.interfaces[opening], records.starts[opening]
    return any(records.ends[place] < opened and records.interfaces[place] == home for place in signs.closing)


def _find_least_end(ends: Sequence[int], interfaces: Sequence[int], home: int, rtt: int) -> int:
    """The least end; `rtt` more counts for records of another interface than home."""
    if interfaces.count(home) == len(interfaces):
        return min(ends)
    return min([end if interface == home else end + rtt for end, interface in zip(ends, interfaces)])


def _find_greatest_start(starts: Sequence[int], interfaces: Sequence[int], home: int, rtt: int) -> int:
    """The greatest start; `rtt` less counts for records of another interface than home."""
    return max([start if interface == home else start - rtt for start, interface in zip(starts, interfaces)])
