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
from typing import Optional

from flowlag.connect.connections import Records
from flowlag.connect.signs import Signs
from flowlag.timing import RESOLUTION_US


#: A packet passed from the first time on and before the second one (microseconds); the word says how that is known.
Bounds = tuple[int, int, str]


def find_opening(records: Records, opening: Sequence[int], interfaces: Sequence[str], is_reversed: bool) -> int:
    """The place of the record that opens the connection: of those with SYN without ACK the one with the latest start.

    If tied, that of the least interface by name, then the one that ends first, then that of the first endpoint, or of
    the second one if `is_reversed`.
    """
    starts_us, last = records.starts_us, opening[-1]
    if len(opening) == 1 or starts_us[opening[-2]] < starts_us[last]:
        return last
    order = {
        place: (interfaces[records.interfaces[place]], records.ends_us[place], records.directions[place] != is_reversed)
        for place in opening
        if starts_us[place] == starts_us[last]
    }
    return min(order, key=order.__getitem__)


def bound_start(records: Records, signs: Signs, opening: Optional[int], lag_us: int, rtt_us: int) -> Bounds:
    """Bounds on the first packet, by records in their order and the place of the opening one, which is at home."""
    starts_us, ends_us, interfaces = records.starts_us, records.ends_us, records.interfaces
    if opening is None:
        return starts_us[0] - lag_us, min(ends_us) + RESOLUTION_US + rtt_us, "none"
    opened_us, home = starts_us[opening], interfaces[opening]
    least_us = _find_least_end(ends_us, interfaces, home, rtt_us)
    if not signs.opens_twice and not (least_us < opened_us and _closes_before(records, signs, home, opened_us)):
        # of all records with SYN, opening ones elsewhere start no later than this one, and answers follow it
        if signs.answering and starts_us[signs.answering[-1]] - rtt_us > opened_us:
            opened_us = starts_us[signs.answering[-1]] - rtt_us
        if opened_us - lag_us < least_us + RESOLUTION_US:  # else a record is certainly before the opening one
            return opened_us - lag_us, least_us + RESOLUTION_US, "syn"
    at_home = [place for place in signs.opening if interfaces[place] == home]
    latest_us = max([ends_us[place] for place in at_home]) + RESOLUTION_US
    return starts_us[at_home[0]] - lag_us, latest_us, "doubt"


def bound_end(records: Records, signs: Signs, home: int, lag_us: int, rtt_us: int) -> Bounds:
    """Bounds on the last packet at `home`, by records in their order."""
    starts_us, ends_us, closing = records.starts_us, records.ends_us, signs.closing
    last_start_us = starts_us[-1]
    if closing and not signs.closes_twice:
        latest_us = min(map(ends_us.__getitem__, closing)) + RESOLUTION_US + rtt_us
        earliest_us = _find_greatest_start(starts_us, records.interfaces, home, rtt_us) - lag_us
        if last_start_us - lag_us <= latest_us and earliest_us < latest_us:
            return earliest_us, latest_us, "fin"
    return last_start_us - lag_us, max(ends_us) + RESOLUTION_US + rtt_us, "doubt" if closing else "none"


def _closes_before(records: Records, signs: Signs, home: int, opened_us: int) -> bool:
    """Whether a record at home with FIN or RST ends before a time."""
    ends_us, interfaces = records.ends_us, records.interfaces
    return any([ends_us[place] < opened_us and interfaces[place] == home for place in signs.closing])


def _find_least_end(ends_us: Sequence[int], interfaces: Sequence[int], home: int, rtt_us: int) -> int:
    """The least end; `rtt_us` more counts for records of another interface than home."""
    if interfaces.count(home) == len(interfaces):
        return min(ends_us)
    return min([end_us if number == home else end_us + rtt_us for end_us, number in zip(ends_us, interfaces)])


def _find_greatest_start(starts_us: Sequence[int], interfaces: Sequence[int], home: int, rtt_us: int) -> int:
    """The greatest start; `rtt_us` less counts for records of another interface than home."""
    if interfaces[-1] == home:
        return starts_us[-1]
    return max([start_us if number == home else start_us - rtt_us for start_us, number in zip(starts_us, interfaces)])
