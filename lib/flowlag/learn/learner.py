# SPDX-License-Identifier: Apache-2.0
"""The lag of each interface, learned from anchors: events that tell exactly when a connection was opened.

An anchor belongs, on each interface, to the record that holds the packet that it tells of. That is never the nearest
one, nor one of those that are alone: both would select short lags. Only the stamps of a record and the time of an
anchor are held, by their key, so the order in which events come changes nothing. Authority: docs/learn.md.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from struct import Struct
from typing import NamedTuple, Optional

from flowlag.errors import show_text
from flowlag.fields import first_value
from flowlag.five_tuple import opens_connection, read_flags
from flowlag.instants import LAST_US, parse_instant, parse_seconds
from flowlag.learn.estimate import Range
from flowlag.learn.options import LearnSettings
from flowlag.learn.rows import Row, describe_all
from flowlag.match.sides import (
    FAR_TIME,
    MANY_KEYS,
    NEITHER,
    NO_ANCHOR_KEY,
    NO_BOUNDS,
    NO_FLOW_KEY,
    NO_OPENING,
    NO_TIME,
    Get,
    Side,
    Synonyms,
    hint_empty,
    hint_keys,
    is_anchor,
    leave_out,
    say_counts,
    why_no_time,
)
from flowlag.record import count_packets

#: Why flows and anchors take no part.
NO_INTERFACE = "flows without a network interface"
MORE_PACKETS = "flows of more than one packet"
INEXACT = "anchors that are flow log records, whose time is not exact"
ANCHOR_PACKETS = "anchors that are not of one packet"
NO_RECORD = "anchors without a record that can hold them"
#: A connection passes few interfaces. A key that more have names none, and would cost the square of the input.
MOST_INTERFACES = 100
NO_CONNECTION = f"anchors whose key more than {MOST_INTERFACES} network interfaces have"
_UNUSABLE = frozenset((NO_FLOW_KEY, NO_BOUNDS, NO_INTERFACE, NO_ANCHOR_KEY, NO_TIME, FAR_TIME, MANY_KEYS, INEXACT))

#: The fields of a _Flow, and of an anchor: its time, and whether its connection had one packet.
_PACKED, _ANCHOR = Struct("<qqqi"), Struct("<q?")
#: A key as one text, which takes a third of the memory of a tuple of texts.
KeyText = str


class _Flow(NamedTuple):
    """What is held of a record, in the order in which records of an interface are tried; times in microseconds."""

    start_us: int
    latest_us: int
    earliest_us: int
    interface: int


class _Pool:
    """The flows that can hold an opening by one rule, packed by their key, and why the others take no part."""

    def __init__(self, refusal: str) -> None:
        self.refusal = refusal
        self.flows: dict[KeyText, bytearray] = {}
        self.counts: Counter[str] = Counter()


class Learner:
    """Takes events one by one, and gives a row for each interface at the end."""

    def __init__(self, settings: LearnSettings, synonyms: Optional[Synonyms] = None) -> None:
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self._has_flags = False
        #: By flags, and by packets; the second counts only if no flow has flags, which is known at the end.
        self._opening, self._single = _Pool(NO_OPENING), _Pool(MORE_PACKETS)
        self._anchors: dict[KeyText, bytearray] = {}
        #: By all keys of an anchor, a line each.
        self._anchors_of_several: dict[str, bytearray] = {}
        self._interfaces: dict[str, int] = {}
        self._sides = {
            "flow": Side(settings.by.flow, NO_FLOW_KEY, synonyms),
            "anchor": Side(settings.by.anchor, NO_ANCHOR_KEY, synonyms),
        }
        prefix = settings.reading.prefix
        self._status = prefix + "status"
        self._times = tuple(prefix + name for name in ("start", "latest", "earliest"))

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
        if flags is not None and not self._has_flags:
            self._has_flags, self._single = True, _Pool(MORE_PACKETS)
            side.silent.update(side.names)  # keys of flows without flags tell nothing now
        self._hold(get, self._opening, opens_connection(flags))
        if not self._has_flags:
            self._hold(get, self._single, count_packets(first_value(get, self.settings.reading.names.packets)) == 1)

    def _hold(self, get: Get, pool: _Pool, is_first: bool) -> None:
        """Hold a flow in a pool, or count why it is not held."""
        if not is_first:
            pool.counts[pool.refusal] += 1
            return
        side = self._sides["flow"]
        keys, interface = side.keys(get), first_value(get, self.settings.reading.names.interface)
        times = [time_us for time_us in (parse_seconds(get(name) or "") for name in self._times) if time_us is not None]
        if not keys:
            pool.counts[side.reason] += 1
        elif len(times) < len(self._times) or max(times) > LAST_US:
            pool.counts[NO_BOUNDS] += 1
        elif interface is None:
            pool.counts[NO_INTERFACE] += 1
        else:
            number = self._interfaces.setdefault(interface, len(self._interfaces))
            for key in keys:
                pool.flows.setdefault(repr(key), bytearray()).extend(_PACKED.pack(*times, number))

    def feed_anchor(self, get: Get) -> None:
        """Take an event that is an anchor, at its time."""
        side = self._sides["anchor"]
        side.is_empty = False
        text = get(self.settings.anchor_time)
        keys, time_us = side.keys(get), parse_instant(text or "")
        if not keys:
            self.counts[side.reason] += 1
        elif not is_anchor(get, get(self._status) or "", None):
            self.counts[INEXACT] += 1
        elif time_us is None:
            self.counts[why_no_time(text)] += 1
        else:
            packets = self.settings.anchor_packets
            is_single = packets is not None and count_packets(get(packets)) == 1
            held = self._anchors if len(keys) == 1 else self._anchors_of_several
            held.setdefault("\n".join(map(repr, keys)), bytearray()).extend(_ANCHOR.pack(time_us, is_single))

    def close(self) -> Iterator[Row]:
        """A row for each interface with anchors, ordered by its name. Call it once, after the last event."""
        names = list(self._interfaces)
        pool = self._opening if self._has_flags else self._single
        self.counts.update(pool.counts)
        seen: dict[str, list[tuple[int, Range]]] = {}
        for flows, anchors in chain(self._take_several(pool), self._take(pool)):
            for interface, found in self._pair(flows, sorted(self._select_anchors(anchors))):
                seen.setdefault(names[interface], []).extend(found)
        return describe_all(seen, self.settings.lag_us)

    def _take(self, pool: _Pool) -> Iterator[tuple[Iterator[_Flow], bytearray]]:
        """The flows and the anchors of each key; they are held no longer."""
        while self._anchors:
            key, anchors = self._anchors.popitem()
            yield map(_Flow._make, _PACKED.iter_unpack(pool.flows.pop(key, b""))), anchors

    def _take_several(self, pool: _Pool) -> Iterator[tuple[Iterator[_Flow], bytearray]]:
        """The same of anchors with several keys; a flow that has two of them may come twice, which changes nothing."""
        while self._anchors_of_several:
            keys, anchors = self._anchors_of_several.popitem()
            packed = (_PACKED.iter_unpack(pool.flows.get(key, b"")) for key in keys.split("\n"))
            yield map(_Flow._make, chain.from_iterable(packed)), anchors

    def _select_anchors(self, anchors: bytearray) -> Iterator[int]:
        """The times of those that count: all if flows have flags, else those of one packet."""
        for time_us, is_single in _ANCHOR.iter_unpack(anchors):
            if self._has_flags or is_single:
                yield time_us
            else:
                self.counts[ANCHOR_PACKETS] += 1

    def _pair(self, flows: Iterable[_Flow], times_us: Sequence[int]) -> Iterator[tuple[int, list[tuple[int, Range]]]]:
        """For each interface the anchors of a key that have a record there: their times, and the range of the lag."""
        by_interface: dict[int, list[_Flow]] = {}
        for flow in flows:
            by_interface.setdefault(flow.interface, []).append(flow)
        if len(by_interface) > MOST_INTERFACES:
            self.counts[NO_CONNECTION] += len(times_us)
            return
        alone = set(range(len(times_us)))
        for interface, some in by_interface.items():
            found = []
            openings = _Openings(some, self.settings.tolerance_us)
            for i, time_us in enumerate(times_us):
                record = openings.find(time_us)
                if record is not None:
                    found.append((time_us, (record.start_us - time_us, record.latest_us - time_us)))
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
        """The earliest-starting record whose bounds, widened by the tolerance, hold a time; their end is exclusive."""
        low_us, high_us = time_us - self._tolerance_us, time_us + self._tolerance_us
        for i in range(bisect_right(self._reaches_us, low_us), len(self._flows)):
            flow = self._flows[i]
            if flow.start_us - self._widest_us > high_us:
                return None
            if flow.earliest_us <= high_us and flow.latest_us > low_us:
                return flow
        return None
