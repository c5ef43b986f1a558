# SPDX-License-Identifier: Apache-2.0
"""The profile of each interface: how its records are stamped, and how late they arrive.

No record is held. Each interface has counters: of records by their stamps and kind, and of index lags by the end of the
record, all in whole seconds. An hour has at most 3600 ends; an interface on a grid of a minute uses 60 of them, one
that collects in batches about 130, and a busy one only counts higher. A row follows from the counters alone, so the
order in which events arrive changes nothing, and percentiles are exact (lags of stamps with decimals are rounded up, by
less than a second).

Authority: docs/profile.md, Output fields.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Optional

from flowlag.complaints import complain_of, complain_of_columns
from flowlag.enrich import Enricher, Get
from flowlag.fields import Values, pick_values
from flowlag.instants import parse_instant
from flowlag.interval import SECOND_US, write_seconds
from flowlag.memo import Memo, longest_of
from flowlag.options import Field
from flowlag.profile.modes import LONGEST_OWN_S, Mode, Span, Tally, find_changes, judge_mode
from flowlag.profile.options import ProfileSettings
from flowlag.record import STATUSES, VALID, count_packets, judge_values
from flowlag.timing import RESOLUTION_US

_NO_OK, _NO_GRID = "there is no `ok` record", "the mode is not `grid`"
_NO_VALID, _NO_INDEX_TIME = "there is no record with readable stamps", "no `_indextime` is known"
FIELDS = (
    Field("interface_id", "word", "the network interface", "the records name none"),
    Field("records", "number", "all flow log records, without header lines"),
    Field("ok", "number", "of these, records of packets"),
    Field("nodata", "number", "of these, NODATA records"),
    Field("skipdata", "number", "of these, SKIPDATA records"),
    Field("unreadable", "number", "of these, `invalid`, `missing` or `reversed` ones"),
    Field("timing_mode", "word", "how the records are stamped: `grid`, `batch`, `flow`, `mixed` or `unknown`"),
    Field(
        "mode_support",
        "0 to 1",
        "the share of `ok` records that agree with the mode; for `mixed` that of the best other mode",
        "the mode is `unknown`",
    ),
    Field("interval", "seconds", "the interval of a grid", _NO_GRID),
    Field(
        "phase",
        "seconds",
        "the second in the interval at which the windows of a grid open; records end on it or a second before",
        _NO_GRID,
    ),
    Field("window_p50", "seconds", "the median length of the distinct windows of `ok` records", _NO_OK),
    Field("window_max", "seconds", "the greatest length of these windows", _NO_OK),
    Field("single_packet", "number", "`ok` records of one packet"),
    Field(
        "single_packet_long", "number", "of these, records of 2 s or more: their stamps cannot be those of the packet"
    ),
    Field("first_start", "epoch seconds", "the beginning of the time span for which the row holds", _NO_VALID),
    Field("last_end", "epoch seconds", "the end of this time span", _NO_VALID),
    Field(
        "index_lag_p50", "seconds", "the median time from the end of an `ok` record to its `_indextime`", _NO_INDEX_TIME
    ),
    Field("index_lag_p95", "seconds", "the same time, not exceeded by 95 % of the records", _NO_INDEX_TIME),
    Field("index_lag_p99", "seconds", "the same time, not exceeded by 99 % of the records", _NO_INDEX_TIME),
    Field("index_lag_max", "seconds", "the greatest such time", _NO_INDEX_TIME),
    Field("suggest_delay", "seconds", "how long a scheduled search should wait: `index_lag_p99`", _NO_INDEX_TIME),
    Field(
        "suggest_lookback",
        "seconds",
        "how far back the event-time range of a search must start: `index_lag_max` + `lag` + `interval`",
        _NO_INDEX_TIME,
    ),
)
#: Output fields in order.
PROFILE_FIELDS = tuple(field.name for field in FIELDS)

_UNREADABLE = "unreadable"
_LEFT_OUT = ("other", "header")
_RESOLUTION_S = RESOLUTION_US // SECOND_US


class _Record(NamedTuple):
    """The status and the stamps of an event, in microseconds since the epoch."""

    status: str
    start_us: Optional[int]
    end_us: Optional[int]


class _Kind(NamedTuple):
    """A kind of records of one interface, which are counted together."""

    end_s: Optional[int]  # for an unreadable record its end, else its start, None if neither is a time
    start_s: Optional[int]
    status: str  # a valid status, or unreadable
    is_single: bool


class _Seen:
    """The counters of one interface, or of the part of it that makes a row."""

    def __init__(self) -> None:
        self.kinds: Counter[_Kind] = Counter()
        self.lags: Counter[tuple[int, int]] = Counter()  # (end, lag)

    def windows(self) -> dict[Span, Tally]:
        """The distinct windows of ok records."""
        windows: dict[Span, Tally] = {}
        for kind, count in self.kinds.items():
            if kind.status == "ok" and kind.start_s is not None and kind.end_s is not None:
                span = Span(kind.start_s, kind.end_s)
                records, single = windows.get(span, (0, 0))
                windows[span] = Tally(records + count, single + count * kind.is_single)
        return windows

    def cut(self, ends: list[int]) -> list[_Seen]:
        """The part before these ends, which also has the records without a time, and the parts that begin at them."""
        parts = [_Seen() for _ in range(len(ends) + 1)]
        for kind, count in self.kinds.items():
            parts[0 if kind.end_s is None else bisect_right(ends, kind.end_s)].kinds[kind] = count
        for (end_s, lag_s), count in self.lags.items():
            parts[bisect_right(ends, end_s)].lags[end_s, lag_s] = count
        return parts


def _judge(values: Values) -> Optional[_Record]:
    """The record of an event's values, None if it is not valid."""
    judged = judge_values(values)
    return _Record(judged.status, judged.start_us, judged.end_us) if judged.is_valid else None


class Profiler:
    """Takes events, and gives the rows at the end."""

    def __init__(self, settings: ProfileSettings) -> None:
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self._enricher = Enricher(settings.reading)
        self._interfaces: dict[str, _Seen] = {}
        self._judged = Memo(_judge, longest_of)
        self._names = [settings.reading.prefix + name for name in ("status", "start", "end")]

    def feed(self, get: Get, count: int = 1) -> None:
        """Take one event, tagged or not, whose fields `get` returns as text (None or empty if absent).

        `count` says how many there are that have the same fields.
        """
        values, record = self._read(get)
        self.counts[record.status] += count
        if record.status in _LEFT_OUT:
            return
        seen = self._interfaces.get(values.interface or "")
        if seen is None:
            seen = self._interfaces[values.interface or ""] = _Seen()
        kind = _name_kind(record, values.packets)
        seen.kinds[kind] += count
        if kind.status == "ok" and record.end_us is not None:
            indexed_us = parse_instant(get("_indextime") or "")
            if indexed_us is not None:
                # rounded up, by -(a // b) of the negative difference
                seen.lags[record.end_us // SECOND_US, -((record.end_us - indexed_us) // SECOND_US)] += count

    def close(self) -> Iterator[dict[str, str]]:
        """The rows, ordered by interface and time, each with all of PROFILE_FIELDS. Call it after the last event."""
        for interface, seen in sorted(self._interfaces.items()):
            for part, mode in self._rows_of(seen):
                yield dict(zip(PROFILE_FIELDS, self._write(interface, part, mode)))

    def warning(self) -> Optional[str]:
        """One sentence about events that could not be read, None if there is nothing to say."""
        untold = complain_of(
            self.counts,
            "read ({reasons}); they count as unreadable.",
            "put flowlagenrich with its options for field names and format before flowlagprofile.",
            self._enricher.unknown_layouts,
        )
        return " ".join(filter(None, (untold, complain_of_columns(self.settings.reading)))) or None

    def _read(self, get: Get) -> tuple[Values, _Record]:
        """The values and the record of an event: by its tags, which know more options; else by flowlagenrich."""
        values = pick_values(get, self.settings.reading.names)
        status, start, end = (get(name) or "" for name in self._names)
        if status in STATUSES:
            if values.interface is None:
                values = self._enricher.read(get)[0]
            return values, _Record(status, parse_instant(start), parse_instant(end))
        # packets and interface tell no time, and differ between records that are otherwise equal
        record = self._judged[values._replace(packets=None, interface=None)]
        if record is not None:
            return values, record
        values, tags = self._enricher.read(get)
        return values, _Record(tags.status, parse_instant(tags.start), parse_instant(tags.end))

    def _rows_of(self, seen: _Seen) -> list[tuple[_Seen, Mode]]:
        """The interface as a whole or, if its phase changed and every part is a grid, the parts."""
        interval_s, minrecords = self.settings.interval_s, self.settings.minrecords
        windows = seen.windows()
        changes = find_changes(sorted({span.end_s for span in windows}), interval_s)
        if changes:
            parts = [(part, judge_mode(part.windows(), interval_s, minrecords)) for part in seen.cut(changes)]
            if all(mode.name == "grid" for _, mode in parts):
                return parts
        return [(seen, judge_mode(windows, interval_s, minrecords))]

    def _write(self, interface: str, seen: _Seen, mode: Mode) -> list[str]:
        statuses: Counter[str] = Counter()
        for kind, count in seen.kinds.items():
            statuses[kind.status] += count
        windows = seen.windows()
        lengths = Counter(span.duration_s + _RESOLUTION_S for span in windows)
        timed = [kind for kind in seen.kinds if kind.status in VALID]
        return [
            interface,
            str(sum(statuses.values())),
            *(str(statuses[status]) for status in ("ok", "nodata", "skipdata", _UNREADABLE)),
            mode.name,
            "" if mode.agreeing is None else _write_share(mode.agreeing, statuses["ok"]),
            *(("", "") if mode.phase_s is None else (str(self.settings.interval_s), str(mode.phase_s))),
            _write_count(percentile(lengths, 50)),
            _write_count(max(lengths, default=None)),
            str(sum(tally.single for tally in windows.values())),
            str(sum(tally.single for span, tally in windows.items() if span.duration_s > LONGEST_OWN_S)),
            _write_count(min((kind.start_s for kind in timed if kind.start_s is not None), default=None)),
            _write_count(max((kind.end_s for kind in timed if kind.end_s is not None), default=None)),
            *self._write_lags(seen),
        ]

    def _write_lags(self, seen: _Seen) -> list[str]:
        """The index lag, how long to wait, and how far back to look; all empty if no index time is known."""
        lags: Counter[int] = Counter()
        for (_, lag_s), count in seen.lags.items():
            lags[lag_s] += count
        if not lags:
            return [""] * 6
        p50, p95, p99 = (percentile(lags, percent) or 0 for percent in (50, 95, 99))
        reading = self.settings.reading
        lookback_us = max(max(lags), 0) * SECOND_US + reading.lag_us + reading.interval_us
        # no search can wait a negative time, even if a wrong clock makes the lag negative
        return [str(p50), str(p95), str(p99), str(max(lags)), str(max(p99, 0)), write_seconds(lookback_us)]


def percentile(counts: Mapping[int, int], percent: int) -> Optional[int]:
    """The percentile by nearest rank: the smallest value that `percent` of all do not exceed; None for nothing."""
    left = -(-sum(counts.values()) * percent // 100)
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    return None


def _name_kind(record: _Record, packets: Optional[str]) -> _Kind:
    status, start_us, end_us = record
    start_s, end_s = (None if time_us is None else time_us // SECOND_US for time_us in (start_us, end_us))
    if status not in VALID or start_s is None or end_s is None or end_s < start_s:
        return _Kind(start_s if end_s is None else end_s, None, _UNREADABLE, False)
    return _Kind(end_s, start_s, status, count_packets(packets) == 1)


def _write_count(number: Optional[int]) -> str:
    return "" if number is None else str(number)


def _write_share(part: int, whole: int) -> str:
    """A share from 0 to 1 with at most six decimals."""
    return write_seconds((part * 1_000_000 + whole // 2) // whole)
