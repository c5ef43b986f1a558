# SPDX-License-Identifier: Apache-2.0
"""The lag of each interface, learned from anchors: events that tell exactly when a connection was opened.

An anchor belongs, on each interface, to the record that holds the packet that it tells of. That is never the nearest
one, nor one of those that are alone: both would select short lags. Only the stamps of a record and the time of an
anchor are held, by their key, so the order in which events come changes nothing. Authority: docs/learn.md.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate
from struct import Struct
from typing import NamedTuple, Optional

from flowlag.errors import show_text
from flowlag.fields import first_value
from flowlag.five_tuple import opens_connection, read_flags
from flowlag.instants import parse_instant, parse_seconds
from flowlag.lag_estimate import Range
from flowlag.learn_options import LearnSettings
from flowlag.learn_rows import Row, describe_all
from flowlag.record import count_packets
from flowlag.sides import (
    NEITHER,
    NO_ANCHOR_KEY,
    NO_BOUNDS,
    NO_FLOW_KEY,
    NO_OPENING,
    NO_TIME,
    Get,
    Key,
    Side,
    hint_empty,
    hint_keys,
    is_anchor,
    leave_out,
    say_counts,
)
from flowlag.timing import RESOLUTION_US

#: Why flows and anchors take no part.
NO_INTERFACE = "flows without a network interface"
MORE_PACKETS = "flows of more than one packet"
INEXACT = "anchors that are flows, whose time is not exact"
ANCHOR_PACKETS = "anchors that are not of one packet"
NO_RECORD = "anchors without a record that can hold them"
_UNUSABLE = frozenset((NO_FLOW_KEY, NO_BOUNDS, NO_INTERFACE, NO_ANCHOR_KEY, NO_TIME, INEXACT))

#: Start, earliest, latest, end, number of the interface; whether it opens a connection, and whether it has one packet.
_PACKED = Struct("<qqqqi??")


class _Flow(NamedTuple):
    """What is held of a record, in the order in which records of an interface are tried; times in microseconds."""

    start_us: int
    earliest_us: int
    latest_us: int
    end_us: int
    interface: int
    is_opening: bool
    is_single: bool


class Learner:
    """Takes events one by one, and gives a row for each interface at the end."""

    def __init__(self, settings: LearnSettings) -> None:
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self._has_flags = False
        self._flows: dict[Key, bytearray] = {}
        self._anchors: dict[Key, list[tuple[int, bool]]] = {}  # time, and whether it is of one packet
        self._interfaces: dict[str, int] = {}
        self._sides = {"flow": Side(settings.by.flow), "anchor": Side(settings.by.anchor)}
        prefix = settings.reading.prefix
        self._status = prefix + "status"
        self._times = tuple(prefix + name for name in ("start", "earliest", "latest", "end"))

    def feed(self, get: Get) -> None:
        """Take one event whose fields `get` returns as text (None or empty if absent)."""
        status = get(self._status) or ""
        if is_anchor(get, status, self.settings.marker):
            self.feed_anchor(get)
        elif status == "ok":
            self.feed_flow(get)
        elif self.settings.marker is None:
            leave_out(self.counts, self._status, status)
        else:
            self.counts[NEITHER] += 1

    def feed_flow(self, get: Get) -> None:
        """Take an event that is a flow."""
        status = get(self._status) or ""
        if status != "ok":
            leave_out(self.counts, self._status, status)
            return
        side = self._sides["flow"]
        side.is_empty = False
        flags = read_flags(first_value(get, self.settings.flags))
        self._has_flags = self._has_flags or flags is not None
        is_single = count_packets(first_value(get, self.settings.reading.names.packets)) == 1
        key, interface = side.key(get), first_value(get, self.settings.reading.names.interface)
        times = [parse_seconds(get(name) or "") for name in self._times]
        if key is None:
            self.counts[NO_FLOW_KEY] += 1
        elif None in times:
            self.counts[NO_BOUNDS] += 1
        elif interface is None:
            self.counts[NO_INTERFACE] += 1
        else:
            number = self._interfaces.setdefault(interface, len(self._interfaces))
            packed = _PACKED.pack(*times, number, opens_connection(flags), is_single)
            self._flows.setdefault(key, bytearray()).extend(packed)

    def feed_anchor(self, get: Get) -> None:
        """Take an event that is an anchor, at its time."""
        side = self._sides["anchor"]
        side.is_empty = False
        key, time_us = side.key(get), parse_instant(get(self.settings.anchor_time) or "")
        if key is None:
            self.counts[NO_ANCHOR_KEY] += 1
        elif get(self._status) == "ok":
            self.counts[INEXACT] += 1
        elif time_us is None:
            self.counts[NO_TIME] += 1
        else:
            packets = self.settings.anchor_packets
            is_single = packets is not None and count_packets(get(packets)) == 1
            self._anchors.setdefault(key, []).append((time_us, is_single))

    def close(self) -> Iterator[Row]:
        """A row for each interface with anchors, ordered by its name. Call it once, after the last event."""
        names = list(self._interfaces)
        seen: dict[str, list[tuple[int, Range]]] = {}
        for key, anchors in self._anchors.items():
            times_us = sorted(self._select_anchors(anchors))
            for interface, found in self._pair(self._unpack(key), times_us):
                seen.setdefault(names[interface], []).extend(found)
        for key in list(self._flows):  # of no anchor; they are counted too
            self._unpack(key)
        return describe_all(seen, self.settings.lag_us)

    def _select_anchors(self, anchors: Sequence[tuple[int, bool]]) -> Iterator[int]:
        """The times of those that count: all if flows have flags, else those of one packet."""
        for time_us, is_single in anchors:
            if self._has_flags or is_single:
                yield time_us
            else:
                self.counts[ANCHOR_PACKETS] += 1

    def _unpack(self, key: Key) -> list[_Flow]:
        """The flows of a key that can hold an opening, which are forgotten then."""
        flows = list(map(_Flow._make, _PACKED.iter_unpack(self._flows.pop(key, b""))))
        found = [flow for flow in flows if (flow.is_opening if self._has_flags else flow.is_single)]
        if len(found) < len(flows):
            self.counts[NO_OPENING if self._has_flags else MORE_PACKETS] += len(flows) - len(found)
        return found

    def _pair(self, flows: Sequence[_Flow], times_us: Sequence[int]) -> Iterator[tuple[int, list[tuple[int, Range]]]]:
        """For each interface the anchors of a key that have a record there: their times, and the range of the lag."""
        by_interface: dict[int, list[_Flow]] = {}
        for flow in flows:
            by_interface.setdefault(flow.interface, []).append(flow)
        alone = set(range(len(times_us)))
        for interface, some in by_interface.items():
            found = []
            openings = _Openings(some, self.settings.tolerance_us)
            for i, time_us in enumerate(times_us):
                record = openings.find(time_us)
                if record is not None:
                    found.append((time_us, (record.start_us - time_us, record.end_us + RESOLUTION_US - time_us)))
                    alone.discard(i)
            yield interface, found
        if alone:
            self.counts[NO_RECORD] += len(alone)

    @property
    def unusable(self) -> int:
        """How many flows and anchors took no part because a key, a time, a bound or an interface was missing."""
        return sum(count for reason, count in self.counts.items() if reason in _UNUSABLE)

    def warning(self) -> Optional[str]:
        """One sentence about events that took no part; None if there is nothing to say. Ask after `close`."""
        parts = [*say_counts(self.counts), *self._hints()]
        return show_text("; ".join(parts)) + "." if parts else None

    def _hints(self) -> Iterator[str]:
        yield from hint_empty(self._sides, self.counts, self._status, self.settings.marker, "flowlaglearn")
        if self.counts[ANCHOR_PACKETS] and self.settings.anchor_packets is None:
            yield "no flow has TCP flags: name the field of the anchors' packets with anchor_packets, or check flags"
        yield from hint_keys(self._sides, self.counts)


class _Openings:
    """The records of one key on one interface, of which the earliest that can hold a time is found without a scan."""

    def __init__(self, flows: Sequence[_Flow], tolerance_us: int) -> None:
        self._flows = sorted(flows)
        self._tolerance_us = tolerance_us
        self._reaches_us = list(accumulate((flow.latest_us for flow in self._flows), max))
        self._widest_us = max(flow.start_us - flow.earliest_us for flow in self._flows)

    def find(self, time_us: int) -> Optional[_Flow]:
        """The earliest-starting record whose bounds, widened by the tolerance, hold a time."""
        low_us, high_us = time_us - self._tolerance_us, time_us + self._tolerance_us
        for i in range(bisect_left(self._reaches_us, low_us), len(self._flows)):
            flow = self._flows[i]
            if flow.start_us - self._widest_us > high_us:
                return None
            if flow.earliest_us <= high_us and flow.latest_us >= low_us:
                return flow
        return None
