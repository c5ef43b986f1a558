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

from flowlag.connect.records import Records
from flowlag.connect.signs import Signs

#: A packet passed from the first time on and before the second one; the word says how that is known.
Bounds = tuple[int, int, str]


class Spans(NamedTuple):
    """In ticks, as all times here: the longest lag, the longest round trip, and the second that a stamp stands for."""

    lag: int
    rtt: int
    resolution: int


def find_opening(records: Records, opening: Sequence[int], interfaces: Sequence[str], is_reversed: bool) -> int:
    """The place of the record that opens the connection: of two or more with SYN without ACK the one of latest start.

    If tied, that of the least interface by name, then the one that ends first, then that of the first endpoint, or of
    the second one if `is_reversed`.
    """
    starts, last = records.starts, opening[-1]
    if starts[opening[-2]] < starts[last]:
        return last
    order = {
        place: (interfaces[records.interfaces[place]], records.ends[place], records.directions[place] != is_reversed)
        for place in opening
        if starts[place] == starts[last]
    }
    return min(order, key=order.__getitem__)


def look_from(home: int, records: Records, rtt: int) -> tuple[int, int]:
    """The least end and the greatest start of records at home, with those elsewhere, which may be a round trip off.

    So an end at another interface counts as later by `rtt`, and a start as earlier.
    """
    starts, _, ends, _, interfaces, _, _, _ = records
    home_end = min([end if interface == home else end + rtt for end, interface in zip(ends, interfaces)])
    if interfaces[-1] == home:
        return home_end, starts[-1]
    return home_end, max([start if interface == home else start - rtt for start, interface in zip(starts, interfaces)])


def bound_start(
    records: Records, signs: Signs, opening: Optional[int], least_end: int, home_end: int, spans: Spans
) -> Bounds:
    """Bounds on the first packet, by records in their order and the place of the opening one, which is at home.

    `least_end` is that of all records, and `home_end` that of `look_from`.
    """
    starts, answering, (lag, rtt, resolution) = records.starts, signs.answering, spans
    if opening is None:
        return starts[0] - lag, least_end + resolution + rtt, "none"
    opened = starts[opening]
    if not signs.opens_twice and (opened <= home_end or not _closes_before(records, signs, opening)):
        # of all records with SYN, opening ones elsewhere start no later than this one, and answers follow it
        if answering and starts[answering[-1]] - rtt > opened:
            opened = starts[answering[-1]] - rtt
        if opened - lag < home_end + resolution:  # else a record is certainly before the opening one
            return opened - lag, home_end + resolution, "syn"
    home = records.interfaces[opening]
    at_home = [place for place in signs.opening if records.interfaces[place] == home]
    return starts[at_home[0]] - lag, max([records.ends[place] for place in at_home]) + resolution, "doubt"


def bound_end(records: Records, signs: Signs, greatest_end: int, home_start: int, spans: Spans) -> Bounds:
    """The same for the last packet; `greatest_end` is that of all records, and `home_start` that of `look_from`."""
    last_start, take_closing, (lag, rtt, resolution) = records.starts[-1], signs.take_closing, spans
    if take_closing and not signs.closes_twice:
        latest = min(take_closing(records.ends)) + resolution + rtt
        if last_start - lag <= latest and home_start - lag < latest:
            return home_start - lag, latest, "fin"
    return last_start - lag, greatest_end + resolution + rtt, "doubt" if take_closing else "none"


def _closes_before(records: Records, signs: Signs, opening: int) -> bool:
    """Whether a record with FIN or RST ends before the opening one starts, at the same interface."""
    home, opened = records.interfaces[opening], records.starts[opening]
    if signs.take_closing is None:
        return False
    closing = zip(signs.take_closing(records.ends), signs.take_closing(records.interfaces))
    return any(end < opened and interface == home for end, interface in closing)
