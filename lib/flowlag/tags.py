# SPDX-License-Identifier: Apache-2.0
"""The tag fields, declared once and in order (docs/enrich.md, Output fields), and how each value is written.

Most are on every event; those of an option are only there if it was given.
"""

from itertools import chain
from typing import Annotated, NamedTuple, Optional  # and no annotations as strings: see options.py

from flowlag.enrich_options import Settings
from flowlag.instants import parse_seconds
from flowlag.interval import write_half_us, write_seconds
from flowlag.record import Record
from flowlag.timing import Timing
from flowlag.windows import Window

_UNKNOWN_TIME = "it is absent, or not a time"
_NOT_VALID = "the status is not `ok`, `nodata` or `skipdata`"
_NO_BOUNDS = "no window is known, or the record is longer than `interval` (`multi` by `record`)"
_NO_WINDOW = "no window is known"
_NOT_OK = "the status is not `ok`"


class Tags(NamedTuple):
    """The text of each tag field of one event; with its unit, its meaning and when it is empty."""

    status: Annotated[
        str,
        "word",
        "the verdict on the event: `ok`, `nodata`, `skipdata`, `reversed`, `missing`, `invalid`, `header` or `other`",
        "never",
    ]
    start: Annotated[str, "epoch seconds", "start of the record, as it was read", _UNKNOWN_TIME] = ""
    end: Annotated[str, "epoch seconds", "end of the record, as it was read", _UNKNOWN_TIME] = ""
    duration: Annotated[str, "seconds", "end - start, as AWS and the CIM count it", _NOT_VALID] = ""
    earliest: Annotated[str, "epoch seconds", "start - lag: no packet of the record passed before it", _NOT_VALID] = ""
    latest: Annotated[str, "epoch seconds", "end + 1: every packet of the record passed before it", _NOT_VALID] = ""
    time: Annotated[
        str,
        "epoch seconds",
        "the middle of earliest and latest: the best single estimate of a packet's time",
        _NOT_VALID,
    ] = ""
    uncertainty: Annotated[
        str, "seconds", "half the distance from earliest to latest: no packet is further from time", _NOT_VALID
    ] = ""
    window_start: Annotated[str, "epoch seconds", "when the aggregation window opens", _NO_BOUNDS] = ""
    window_end: Annotated[str, "epoch seconds", "when the window closes, exclusive", _NO_BOUNDS] = ""
    window_position: Annotated[
        str, "word", "where in the window the record lies: `full`, `head`, `tail`, `inside` or `multi`", _NO_WINDOW
    ] = ""
    window_offset: Annotated[str, "seconds", "from the opening of the window to start, never below 0", _NO_BOUNDS] = ""
    window_basis: Annotated[
        str, "word", "how the window is known: `option`, `profile`, `record` or `assumed`", _NO_WINDOW
    ] = ""
    stamps: Annotated[
        str,
        "word",
        "whose times start and end are: `packet` (the flow's own), `batch` (shared by many flows) or `unclear`",
        "the status is not `ok`, or it cannot be told",
    ] = ""
    likely_earliest: Annotated[
        str,
        "epoch seconds",
        "only with `confidence`: start less the lag that so many openings do not exceed at this interface: no earlier "
        "is a connection likely to have been opened whose opening the record has; never below earliest",
        _NOT_OK,
    ] = ""
    likely_basis: Annotated[
        str,
        "word",
        "only with `confidence`: how it is known: `interface` (learned of the record's interface) or `envelope` (it is "
        "earliest, since nothing holds that was learned)",
        _NOT_OK,
    ] = ""
    likely_anchors: Annotated[
        str, "number", "only with `confidence`: from how many anchors it was learned", "the basis is not `interface`"
    ] = ""
    community_id: Annotated[
        str,
        "word",
        "only with `community=true`: the Community ID, version 1 with seed 0, which Zeek, Suricata and other monitors "
        "give the same connection",
        "the status is not `ok`, the protocol is not TCP, UDP or SCTP, or an address or a port is not readable",
    ] = ""

    def event_time(self, option: str) -> str:
        """The text that option `time` wants in `_time`, empty if it is unknown; `keep` offers the start."""
        if option == "likely":
            return self._likely_time()
        return str(getattr(self, {"keep": "start", "estimate": "time"}.get(option, option)))

    def _likely_time(self) -> str:
        """The middle of the likely bounds; of a record without them, of its bounds."""
        earliest_us, latest_us = parse_seconds(self.likely_earliest), parse_seconds(self.latest)
        if earliest_us is None or latest_us is None:
            return self.time
        return write_half_us(earliest_us + latest_us)


#: Option -> the fields that it adds, without their prefix and in their order behind all others.
OPTIONAL_FIELDS = {
    "confidence": ("likely_earliest", "likely_basis", "likely_anchors"),
    "community": ("community_id",),
}
#: The output fields that are on every event, without their prefix and in order.
TAG_FIELDS = Tags._fields[: -sum(map(len, OPTIONAL_FIELDS.values()))]


def asked_fields(settings: Settings) -> tuple[str, ...]:
    """The output fields of a search, without their prefix and in order."""
    asked = (fields for option, fields in OPTIONAL_FIELDS.items() if getattr(settings, option))
    return (*TAG_FIELDS, *chain.from_iterable(asked))


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
