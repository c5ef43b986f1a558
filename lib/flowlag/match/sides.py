# SPDX-License-Identifier: Apache-2.0
"""Flows and anchors: which events are which, and the key that a flow and an anchor must have in common.

Shared by the commands that bring both together. Authority: docs/match.md, Flows and anchors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Callable, Optional

from flowlag.errors import show_value
from flowlag.fields import has_value
from flowlag.record import STATUSES

#: Why flows and anchors take no part.
NO_FLOW_KEY = "flows without a value for a key of by"
NO_ANCHOR_KEY = "anchors without a value for a key of by"
NO_OPENING = "flows that open no connection"
NO_TIME = "anchors without a readable time"
NO_BOUNDS = "flows without readable bounds"
NEITHER = "neither marked as anchors nor flows"

Get = Callable[[str], Optional[str]]
Key = tuple[str, ...]
#: A field and the value that marks anchors; None if every event that is no flow log record is one.
Marker = Optional[tuple[str, str]]


class Side:
    """The flows, or the anchors: their key fields, those that never had a value, and whether there are any."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.silent = set(names)
        self.is_empty = True

    def key(self, get: Get) -> Optional[Key]:
        """The key of an event; None if a part of it has no value."""
        values = tuple(map(get, self.names))
        known = list(map(has_value, values))
        if not all(known):
            self.silent.intersection_update(name for name, is_known in zip(self.names, known) if not is_known)
            return None
        self.silent.clear()
        return values  # type: ignore[return-value]


def is_anchor(get: Get, status: str, marker: Marker) -> bool:
    """Whether an event with this status of flowlagenrich is an anchor."""
    if marker is None:
        return status in ("", "other")
    field, value = marker
    text = get(field)
    return text is not None and (text == value or value in text.split("\n"))


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
