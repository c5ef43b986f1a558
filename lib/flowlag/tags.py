# SPDX-License-Identifier: Apache-2.0
"""The output contract: the tag fields in their order, and how each value is written."""

from __future__ import annotations

from typing import NamedTuple, Optional

from flowlag.interval import write_half_us, write_seconds
from flowlag.record import Record
from flowlag.timing import Timing
from flowlag.windows import Window

#: Output fields without their prefix, in order; all are present on every event, empty where unknown.
TAG_FIELDS = (
    "status", "start", "end", "duration", "earliest", "latest", "time", "uncertainty", "window_start", "window_end",
    "window_position", "window_offset", "window_basis", "stamps",
)  # fmt: skip


class Tags(NamedTuple):
    """The text of each tag field of one event; the attributes are TAG_FIELDS."""

    status: str
    start: str = ""
    end: str = ""
    duration: str = ""
    earliest: str = ""
    latest: str = ""
    time: str = ""
    uncertainty: str = ""
    window_start: str = ""
    window_end: str = ""
    window_position: str = ""
    window_offset: str = ""
    window_basis: str = ""
    stamps: str = ""

    def event_time(self, option: str) -> str:
        """The text that option `time` wants in `_time`, empty where unknown; `keep` offers the start."""
        return str(getattr(self, {"keep": "start", "estimate": "time"}.get(option, option)))


def write_tags(record: Record, timing: Optional[Timing], window: Optional[Window]) -> Tags:
    """The tags of a judged record; `timing` and `window` are given for valid records only."""
    tags = Tags(record.status, _seconds(record.start_us), _seconds(record.end_us))
    if timing is None or window is None:
        return tags
    bounds = window.bounds
    return tags._replace(
        duration=write_seconds(timing.duration_us),
        earliest=write_seconds(timing.envelope.start_us),
        latest=write_seconds(timing.envelope.end_us),
        time=write_half_us(timing.time_halves),
        uncertainty=write_half_us(timing.uncertainty_halves),
        window_start=_seconds(bounds and bounds.start_us),
        window_end=_seconds(bounds and bounds.end_us),
        window_position=window.position,
        window_offset=_seconds(window.offset_us),
        window_basis=window.basis,
        stamps=timing.stamps,
    )


def _seconds(time_us: Optional[int]) -> str:
    return "" if time_us is None else write_seconds(time_us)
