# SPDX-License-Identifier: Apache-2.0
"""The verdict on timing values: text in, one judged record out. A bad record is a status, not an exception.

The first verdict that applies stands. Authority: docs/enrich.md, Status.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from flowlag.fields import UNCOUNTED, Values
from flowlag.instants import LAST_US, parse_instant, parse_seconds
from flowlag.interval import SECOND_US
from flowlag.words import normalise_name, status_of, strip_blanks

#: An aggregation interval is ten minutes at most; a record of more than an hour is damaged.
LONGEST_RECORD_US = 3600 * SECOND_US

VALID = frozenset(("ok", "nodata", "skipdata"))
UNTAGGABLE = ("invalid", "missing", "reversed")
STATUSES = ("header", "other", *UNTAGGABLE, "nodata", "skipdata", "ok")


class Record(NamedTuple):
    """A judged record: times in microseconds since the epoch, None if they are not valid.

    `packets` is 0, 1, or 2 for several; None if unknown.
    """

    status: str
    start_us: Optional[int] = None
    end_us: Optional[int] = None
    packets: Optional[int] = None
    interface: Optional[str] = None

    @property
    def is_valid(self) -> bool:
        """Whether the record has timing: `ok`, `nodata` or `skipdata`."""
        return self.status in VALID


def judge_values(values: Values, recognised: bool = False) -> Record:
    """The record of `values`; `recognised` says that they come from a line known to be a flow log record."""
    if values.start is not None and normalise_name(values.start) == "start":
        return Record("header")
    start_us = None if values.start is None else parse_instant(values.start)
    end_us = _end_of(values, start_us)
    status = _verdict(values, start_us, end_us, recognised)
    return Record(status, start_us, _known(end_us), count_packets(values.packets), values.interface)


def _known(end_us: Optional[int]) -> Optional[int]:
    """The end if it is a time: an end computed from a duration may be later than any time allowed."""
    return end_us if end_us is not None and end_us <= LAST_US else None


def _end_of(values: Values, start_us: Optional[int]) -> Optional[int]:
    """The end; if it is missing and there is a duration, start + duration."""
    if values.end is not None:
        return parse_instant(values.end)
    if start_us is None or values.duration is None:
        return None
    duration_us = parse_seconds(values.duration)
    return None if duration_us is None else start_us + duration_us


def _verdict(values: Values, start_us: Optional[int], end_us: Optional[int], recognised: bool) -> str:
    status = status_of(values.status)
    if values.start is None and values.end is None:
        return "missing" if recognised or status else "other"
    unknown_word = values.status is not None and strip_blanks(values.status) != "" and status is None
    unreadable = (values.start is not None and start_us is None) or (values.end is not None and end_us is None)
    if unknown_word or unreadable or _known(end_us) != end_us:
        return "invalid"
    if start_us is None or end_us is None:
        return "missing"
    if end_us - start_us > LONGEST_RECORD_US:
        return "invalid"
    if end_us < start_us:
        return "reversed"
    return status or ("missing" if values.packets == UNCOUNTED else "ok")


def count_packets(text: Optional[str]) -> Optional[int]:
    """0, 1, or 2 for more; None if `text` is not digits (`.0` after them is allowed)."""
    digits = (text or "").removesuffix(".0")
    if not (digits.isascii() and digits.isdigit()):
        return None
    return min(int(digits.lstrip("0")[:2] or "0"), 2)
