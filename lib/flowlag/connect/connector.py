# SPDX-License-Identifier: Apache-2.0
"""The connections of a search: takes the events that are records, and gives a row for each connection at the end.

The tags of flowlagenrich say which events are records, and when they began and ended. Events that take no part are
counted by reason. Authority: docs/connect.md, Output fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, Callable, Optional, TypeVar

from flowlag.connect.connections import PROTOCOL_STEP, Held
from flowlag.connect.options import ConnectSettings
from flowlag.connect.reading import Reader, Readings
from flowlag.connect.rows import Describer, Row
from flowlag.errors import show_text
from flowlag.fields import first_value
from flowlag.five_tuple import SCTP, TCP, UDP
from flowlag.interval import SECOND_US
from flowlag.record import STATUSES

#: Why events with status ok take no part.
NO_BOUNDS = "records without a readable start and end"
NO_PROTOCOL = "records without a readable protocol"
NO_ADDRESS = "records without a readable address"
NO_PORT = "records without a readable port"
_UNUSABLE = (NO_BOUNDS, NO_PROTOCOL, NO_ADDRESS, NO_PORT)

#: Their records have ports, and no connection is known without them.
_WITH_PORTS = frozenset(protocol * PROTOCOL_STEP for protocol in (TCP, UDP, SCTP))

Get = Callable[[str], Optional[str]]
#: For each of Roles, in their order, the text of each event; empty if there is none.
Columns = Sequence[Sequence[str]]
T = TypeVar("T")


class Connector:
    """Takes events by columns, and gives a row for each connection at the end."""

    def __init__(self, settings: ConnectSettings) -> None:
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self.taken = 0
        self._held = Held()
        if any(span_us % SECOND_US for span_us in (settings.gap_us, settings.rtt_us, settings.lag_us)):
            self._held.split_seconds()
        self._reader = Reader(self._held)

    def feed(self, events: Sequence[Get]) -> None:
        """Take events, each a function that gives the text of a field by its name (None or empty if absent)."""
        roles = self.settings.roles
        columns = {role: [first_value(get, names) or "" for get in events] for role, names in roles._asdict().items()}
        columns["protocol"] = [self.pick_protocol(*(get(name) or "" for name in roles.protocol)) for get in events]
        self.take(tuple(columns.values()))

    def pick_protocol(self, *texts: str) -> str:
        """The first of some texts that is a protocol (the CIM's `protocol` may hold `ip`); empty if none is."""
        return next((text for text in texts if self._reader.protocols[text] is not None), "")

    def take(self, columns: Columns) -> None:
        """Take events by the columns of their texts. What can be read column by column is; this is much faster."""
        statuses, *texts = columns
        readings = self._reader.read(texts)
        events = readings.join_ends() if statuses.count("ok") == len(statuses) else None
        if events is None:
            usable = list(self._select(statuses, zip(*readings)))
            if not usable:
                return
            events = Readings._make(zip(*usable)).join_ends()
            assert events is not None
        self.taken += len(events.start)
        self._held.add(events)

    def _select(self, statuses: Sequence[str], events: Iterable[Any]) -> Iterator[Any]:
        """The events that take part; the others are counted by reason."""
        for status, event in zip(statuses, events):
            reason = self._find_reason(status, event)
            if reason is not None:
                self.counts[reason] += 1
                continue
            start, end, protocol, src, src_port, dest, dest_port, *rest = event
            yield (start, end, protocol, src, src_port or 0, dest, dest_port or 0, *rest)

    def _find_reason(self, status: str, event: Sequence[Any]) -> Optional[str]:
        """Why an event takes no part; None if it does."""
        start, end, protocol, src, src_port, dest, dest_port = event[:7]
        if status != "ok":
            return self._name_status(status)
        if start is None or end is None or end < start:
            return NO_BOUNDS
        if protocol is None:
            return NO_PROTOCOL
        if src is None or dest is None:
            return NO_ADDRESS
        if protocol in _WITH_PORTS and (src_port is None or dest_port is None):
            return NO_PORT
        return None

    def _name_status(self, status: str) -> str:
        name = f"{self.settings.reading.prefix}status"
        if not status:
            return f"events without {name}"
        return f"{name}={status}" if status in STATUSES else f"unknown {name}"

    def close(self, write: Callable[[Row], T]) -> Iterator[T]:
        """What `write` makes of each row (a text for each of CONNECT_FIELDS), ordered by start_earliest and tuple.

        Call it once, after the last event. Only what `write` returns is held until all rows are there.
        """
        rows = []
        settings, tick_us = self.settings, self._held.tick_us
        describe = Describer(self._held.texts, settings, tick_us).describe
        for connection in self._held.take_out(settings.gap_us // tick_us, settings.lag_us // tick_us):
            order, row = describe(connection)
            rows.append((*order, write(row)))
        rows.sort()  # no two have the same order
        return map(itemgetter(-1), rows)

    @property
    def unusable(self) -> int:
        """How many records took no part because a time, an address, a port or the protocol was not readable."""
        return sum(self.counts[reason] for reason in _UNUSABLE)

    def warning(self) -> Optional[str]:
        """One sentence about events that took no part; None if there are none."""
        if not self.counts:
            return None
        reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(self.counts.items()))
        sentence = f"events that took no part: {sum(self.counts.values())} ({reasons})"
        return show_text("; ".join([sentence, *self._hints()])) + "."

    def _hints(self) -> Iterator[str]:
        """The probable mistake if no event is a record that can be used."""
        if self.taken:
            return
        status = f"{self.settings.reading.prefix}status"
        if not self.unusable and not any(f"{status}={word}" in self.counts for word in STATUSES):
            which = f"a {status} of flowlagenrich" if f"unknown {status}" in self.counts else status
            yield f"no event has {which}: put flowlagenrich before flowlagconnect, and give both the same prefix"
        elif self.unusable > self.counts[NO_BOUNDS]:
            yield "no record can be used: name its fields with src, dest, src_port, dest_port and protocol"
