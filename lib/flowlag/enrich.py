# SPDX-License-Identifier: Apache-2.0
"""Events in, the same events with tags out, in the same order; whatever is in them, none raises and none is lost.

Each event is tagged on its own. Values repeat (flows of one interface share their stamps), so every distinct answer is
computed once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Callable, Optional

from flowlag.enrich_options import Settings
from flowlag.fields import Values, pick_values
from flowlag.learned import LearnedWindows
from flowlag.lines import HEADER, read_raw
from flowlag.memo import Memo, longest_of
from flowlag.record import UNTAGGABLE, VALID, judge_values
from flowlag.tags import TAG_FIELDS, Tags, write_tags
from flowlag.timing import time_record
from flowlag.windows import Rules, place_window

Get = Callable[[str], Optional[str]]


class Enricher:
    """Tags events under one set of settings, and counts what it saw by status."""

    def __init__(self, settings: Settings, learned: Optional[LearnedWindows] = None) -> None:
        self.settings = settings
        self.fields = tuple(settings.prefix + name for name in TAG_FIELDS)
        self.counts: Counter[str] = Counter()
        self.rules = Rules(settings, None if learned is None else learned.find)
        self._learned = learned
        self._judged: Memo[tuple[Values, bool], Tags] = Memo(lambda key: self.judge(*key), _measure)

    def tag(self, get: Get) -> Tags:
        """The tags of the event whose fields `get` returns as text (None or empty where absent). Never raises."""
        return self.read(get)[1]

    def read(self, get: Get) -> tuple[Values, Tags]:
        """The values on which the verdict on an event stands, and its tags; the event is counted."""
        values = pick_values(get, self.settings.names)
        tags = self._judged[values, False]
        if tags.status not in VALID and self.settings.reads_raw:
            values, tags = self._ask_raw(get("_raw"), values, tags)
        self.counts[tags.status] += 1
        return values, tags

    def tag_raw(self, raw: Optional[str], values: Values) -> Tags:
        """The tags of an event whose fields gave `values`, which are no valid record: what `_raw` says, else theirs."""
        _, tags = self._ask_raw(raw, values, self._judged[values, False])
        self.counts[tags.status] += 1
        return tags

    def tag_line(self, values: Values) -> Tags:
        """The tags of a line that a layout has already taken apart: whatever is in it, it is a flow log record."""
        tags = self._judged[values, True]
        self.counts[tags.status] += 1
        return tags

    def judge(self, values: Values, recognised: bool = False) -> Tags:
        """The tags that values give, judged anew; nothing is counted.

        `recognised` says that they come from a line known to be a flow log record.
        """
        record = judge_values(values, recognised)
        if not record.is_valid or record.start_us is None or record.end_us is None:
            return write_tags(record, None, None)
        timing = time_record(
            record.start_us, record.end_us, record.packets, record.status == "ok", self.settings.lag_us
        )
        rule = self.rules.find(record.interface, record.start_us, record.end_us)
        return write_tags(record, timing, place_window(timing.recorded, rule))

    @property
    def roles(self) -> dict[str, Sequence[str]]:
        """The values that tags depend on, and the fields tried for each; the interface tells learned windows only."""
        names = self.settings.names._asdict()
        return {role: names[role] for role in names if role != "interface" or self._learned is not None}

    def rows(self, events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The plain path: each event with `_time` and its tags set, tag fields last and in order."""
        for event in events:
            tags = self.tag(lambda name, event=event: _text(event.get(name)))  # type: ignore[misc]
            yield self.write(event, tags)

    def write(self, event: dict[str, Any], tags: Tags) -> dict[str, Any]:
        """`event` itself with `_time` and `tags` set: tag fields last and in order, those it had replaced."""
        for name in self.fields:
            event.pop(name, None)
        event["_time"] = self.new_time(tags, _text(event.get("_time"))) or event.get("_time", "")
        event.update(zip(self.fields, tags))
        return event

    def new_time(self, tags: Tags, current: Optional[str]) -> str:
        """What `_time` becomes, empty when it stays as it is."""
        if self.settings.time == "keep" and current:
            return ""
        return tags.event_time(self.settings.time)

    def warning(self) -> Optional[str]:
        """What could not be tagged, and what could not be used of the learned windows; None when all was well."""
        sentences = [self._untagged()]
        if self._learned is not None and self._learned.complaint:
            sentences.append(f"{self._learned.complaint}.")
        return " ".join(filter(None, sentences)) or None

    def _untagged(self) -> Optional[str]:
        return complain_of(
            self.counts,
            f"tagged ({{reasons}}); search for {self.settings.prefix}status to see them.",
            "check the fields start_time and end_time, or give the layout of _raw with "
            'format="${version} ... ${start} ${end}".',
        )

    def _ask_raw(self, raw: Optional[str], values: Values, verdict: Tags) -> tuple[Values, Tags]:
        """What `_raw` makes of an event whose fields gave no valid record: contract section 2."""
        found = read_raw(raw, self.settings.layout, self.settings.names) if raw else None
        if found is None:
            return values, verdict
        if not isinstance(found, Values):
            return values, Tags(HEADER)
        tags = self._judged[found, True]
        fields_silent = values.start is None and values.end is None
        return (found, tags) if fields_silent or tags.status in VALID else (values, verdict)


def _measure(key: tuple[Values, bool]) -> int:
    return longest_of(key[0])


def _text(value: Any) -> Optional[str]:
    """A field's text as Splunk writes it: several values are one a line."""
    if isinstance(value, (list, tuple)):
        return "\n".join(map(str, value))
    return None if value is None else str(value)


def complain_of(counts: Counter[str], failed: str, unrecognised: str) -> Optional[str]:
    """The one sentence about events that could not be used, by counts of their status; None when all is well.

    `failed` ends the sentence about flow log events, with `{reasons}` in it; `unrecognised` the one about none at all.
    """
    total = sum(counts.values())
    untaggable = {status: counts[status] for status in UNTAGGABLE if counts[status]}
    if untaggable:
        reasons = ", ".join(f"{count} {status}" for status, count in untaggable.items())
        end = failed.replace("{reasons}", reasons)
        return f"{sum(untaggable.values())} of {total} events look like flow log records but could not be {end}"
    if total and counts["other"] == total:
        return f"no flow log event was recognised among {total} events; {unrecognised}"
    return None
