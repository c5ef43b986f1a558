# SPDX-License-Identifier: Apache-2.0
"""Flows and anchors: which events are which, and the key that a flow and an anchor must have in common.

Shared by the commands that bring both together. Authority: docs/match.md, Flows and anchors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Callable, Optional

from flowlag.errors import show_value
from flowlag.fields import TWIN, first_value
from flowlag.instants import is_far
from flowlag.match.keys import MOST_COMBINATIONS, Key, combine, read_multivalue, read_values
from flowlag.memo import Memo
from flowlag.record import STATUSES

#: Why flows and anchors take no part.
NO_FLOW_KEY = "flows without a value for a key of by"
NO_ANCHOR_KEY = "anchors without a value for a key of by"
MANY_KEYS = f"more than {MOST_COMBINATIONS} combinations of the values of by"
NO_OPENING = "flows that open no connection"
NO_TIME = "anchors without a readable time"
FAR_TIME = "anchors before 2014 or after 2100"
NO_BOUNDS = "flows without readable bounds"
NEITHER = "neither marked as anchors nor flows"

Get = Callable[[str], Optional[str]]
#: Names of fields that mean the same, for each of them; empty in Splunk.
Synonyms = Mapping[str, Sequence[str]]
#: A field and the value that marks anchors; None if every event that is no flow log record is one.
Marker = Optional[tuple[str, str]]


class Side:
    """The flows, or the anchors: their key fields, those that never had a value, and whether there are any.

    `no_key` says that an event has no value for a key; `synonyms` are tried for a key field without a value.
    """

    def __init__(self, names: tuple[str, ...], no_key: str, synonyms: Optional[Synonyms] = None) -> None:
        self.names = names
        #: Why the last event has no key.
        self.reason = no_key
        self._no_key = no_key
        self.silent = set(names)
        self.is_empty = True
        self._synonyms = synonyms or {}
        self._fields = [(name, TWIN + name) for name in names]
        self._values = Memo(read_values, len)

    def keys(self, get: Get) -> tuple[Key, ...]:
        """The keys of an event: more than one if a part of it is a multivalue; none if a part has no value."""
        parts = []
        for name, twin in self._fields:
            multivalue = get(twin)
            parts.append(read_multivalue(multivalue) if multivalue else self._values[get(name) or ""])
        if () in parts and self._synonyms:
            parts = [part or self._read_synonym(get, name) for part, name in zip(parts, self.names)]
        if () in parts:
            self.silent.intersection_update(name for name, part in zip(self.names, parts) if not part)
            self.reason = self._no_key
            return ()
        self.silent.clear()
        self.reason = MANY_KEYS
        return combine(parts)

    def _read_synonym(self, get: Get, name: str) -> Key:
        return self._values[first_value(get, self._synonyms.get(name, ())) or ""]


def is_anchor(get: Get, status: str, marker: Marker) -> bool:
    """Whether an event with this status of flowlagenrich is an anchor."""
    if marker is None:
        return status in ("", "other")
    field, value = marker
    text = get(field)
    return text is not None and (text == value or value in text.split("\n"))


def why_no_time(*texts: Optional[str]) -> str:
    """Why an anchor has no time: it is too early or too late for a flow log, or not readable."""
    return FAR_TIME if any(is_far(text or "") for text in texts) else NO_TIME


def leave_out(counts: Counter[str], name: str, status: str) -> None:
    """Count an event that is no flow because of its status, whose field is `name`."""
    counts[f"{name}={status}" if status in STATUSES else f"unknown {name}"] += 1


def say_counts(counts: Mapping[str, int]) -> Iterator[str]:
    """A part of a sentence about what took no part, if anything did."""
    if counts:
        reasons = ", ".join(f"{reason}: {count}" for reason, count in sorted(counts.items()))
        yield f"events that took no part: {sum(counts.values())} ({reasons})"


def hint_empty(
    sides: Mapping[str, Side], counts: Mapping[str, int], status: str, marker: Marker, command: str
) -> Iterator[str]:
    """The probable mistake if there are no flows, or no anchors, at all; `status` is the name of the field."""
    flows, anchors = sides.values()
    if flows.is_empty and not (anchors.is_empty and not counts):
        yield f"no event is a flow ({status}=ok): put flowlagenrich before {command}"
    if anchors.is_empty and not (flows.is_empty and not counts):
        why = "all are flow log records" if marker is None else f"none has {show_value('='.join(marker))}"
        yield f"no event is an anchor: {why}"


def hint_keys(sides: Mapping[str, Side], counts: Mapping[str, int]) -> Iterator[str]:
    """The probable mistake if no event of a side has a value for a key; `sides` are flow and anchor by their names."""
    for (name, side), reason in zip(sides.items(), (NO_FLOW_KEY, NO_ANCHOR_KEY)):
        silent = [key for key in side.names if key in side.silent]
        if silent and counts.get(reason):  # else no key was read
            yield f"no {name} has a value in {show_value(', '.join(silent))}: check by"
