# SPDX-License-Identifier: Apache-2.0
"""The tags of events: each event goes out with its tags, in order; none is lost, and none raises an error.

Each event is tagged on its own. Values repeat, because flows of one interface share their stamps, so the tags of all
distinct values are computed once. Authority: docs/enrich.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Callable, Optional

from flowlag.bundles import Bundles
from flowlag.complaints import EXAMPLE, complain_of, complain_of_columns
from flowlag.enrich_options import Settings
from flowlag.fields import Values, pick_values
from flowlag.learned import LearnedWindows
from flowlag.lines import HEADER, read_raw
from flowlag.memo import Memo, longest_of
from flowlag.recognition import looks_like_record, may_have_status
from flowlag.record import VALID, judge_values
from flowlag.tags import Tags, asked_fields, write_tags
from flowlag.timing import time_record
from flowlag.windows import Rules, place_window
from flowlag.words import split_words, strip_blanks

if TYPE_CHECKING:
    from flowlag.community_ids import CommunityIds
    from flowlag.lags import LearnedLags

Get = Callable[[str], Optional[str]]


class Enricher:
    """Tags events by one set of settings, and counts them by status."""

    def __init__(
        self, settings: Settings, learned: Optional[LearnedWindows] = None, lags: Optional[LearnedLags] = None
    ) -> None:
        self.settings = settings
        names = asked_fields(settings)
        self.fields = tuple(settings.prefix + name for name in names)
        self._choose: Callable[[Tags], tuple[str, ...]] = itemgetter(*map(Tags._fields.index, names))
        self.counts: Counter[str] = Counter()
        self._bundles = Bundles()
        #: Of the events with status `other`, how many look like flow log records of an unknown layout.
        self.unknown_layouts = 0
        self.rules = Rules(settings, None if learned is None else learned.find)
        self._learned = learned
        self.lags = lags
        self._judged: Memo[tuple[Values, bool], Tags] = Memo(lambda key: self.judge(*key), _measure)

    def tag(self, get: Get) -> Tags:
        """The tags of the event whose fields `get` returns as text (None or empty if absent). It never raises."""
        return self.read(get)[1]

    def read(self, get: Get) -> tuple[Values, Tags]:
        """The values that decide the verdict on an event, and its tags; the event is counted."""
        values = pick_values(get, self.settings.names)
        tags = self._judged[values, False]
        if tags.status in VALID:
            tags = self._identify(tags, get)
        elif self.settings.reads_raw:
            values, tags = self._ask_raw(get("_raw"), values, tags)
        self.counts[tags.status] += 1
        return values, tags

    def tag_raw(self, raw: Optional[str], values: Values) -> Tags:
        """The tags by `_raw` of an event whose fields gave `values`, not a valid record; else the tags of `values`."""
        _, tags = self._ask_raw(raw, values, self._judged[values, False])
        self.counts[tags.status] += 1
        return tags

    def tag_line(self, values: Values, get: Get) -> Tags:
        """The tags of a line that a layout has already split: whatever is in it, it is a flow log record.

        `get` returns its columns.
        """
        tags = self._identify(self._judged[values, True], get)
        self.counts[tags.status] += 1
        return tags

    def tag_other(self, raw: str) -> Tags:
        """The tags of a line that was found to be no flow log record."""
        self._note_unread(raw)
        self.counts["other"] += 1
        return Tags("other")

    def _note_unread(self, raw: str) -> None:
        """Count a line that was not read, if it looks like a flow log record of an unknown layout."""
        if may_have_status(raw) and looks_like_record(split_words(strip_blanks(raw))):
            self.unknown_layouts += 1

    def judge(self, values: Values, recognised: bool = False) -> Tags:
        """The tags of values, judged anew; nothing is counted.

        `recognised` says that the values come from a line known to be a flow log record.
        """
        record = judge_values(values, recognised)
        if not record.is_valid or record.start_us is None or record.end_us is None:
            return write_tags(record, None, None)
        timing = time_record(
            record.start_us, record.end_us, record.packets, record.status == "ok", self.settings.lag_us
        )
        rule = self.rules.find(record.interface, record.start_us, record.end_us)
        tags = write_tags(record, timing, place_window(timing.recorded, rule))
        return self.add_likely(tags, record.interface)

    def add_likely(self, tags: Tags, interface: Optional[str]) -> Tags:
        """The tags of a record of this interface with its likely bounds, if they were asked for and it is ok."""
        if self.settings.confidence is None or tags.status != "ok":
            return tags
        from flowlag.lags import add_likely  # only a process that needs it pays for the import

        return add_likely(tags, interface, self.lags)

    @property
    def roles(self) -> dict[str, Sequence[str]]:
        """The values that tags depend on, and the fields tried for each; only learned windows need the interface."""
        names = self.settings.names._asdict()
        return {role: names[role] for role in names if role != "interface" or self._learned is not None}

    def rows(self, events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The plain path: each event with `_time` and its tags; tag fields come last and in order."""
        for event in events:
            tags = self.tag(lambda name, event=event: _text(event.get(name)))  # type: ignore[misc]
            yield self.write(event, tags)

    def write(self, event: dict[str, Any], tags: Tags) -> dict[str, Any]:
        """`event` itself with `_time` and `tags`: tag fields come last and in order, and replace those that it had."""
        for name in self.fields:
            event.pop(name, None)
        event["_time"] = self.new_time(tags, _text(event.get("_time"))) or event.get("_time", "")
        event.update(zip(self.fields, self._choose(tags)))
        return event

    def new_time(self, tags: Tags, current: Optional[str]) -> str:
        """The new value of `_time`, empty if it stays as it is (docs/enrich.md, The option time)."""
        if self.settings.time == "keep" and current:
            return ""
        return tags.event_time(self.settings.time)

    def warning(self) -> Optional[str]:
        """The warning about untagged events and about what was learned and cannot be used; None if all is well."""
        is_explained = self._bundles.total >= sum(self.counts.values())  # then a layout would not help
        sentences = [
            None if is_explained else self._untagged(),
            self._bundles.warning(sum(self.counts.values())),
            complain_of_columns(self.settings),
        ]
        for learned in (self._learned, self.lags):
            if learned is not None and learned.complaint:
                sentences.append(f"{learned.complaint}.")
        return " ".join(filter(None, sentences)) or None

    def _untagged(self) -> Optional[str]:
        return complain_of(
            self.counts,
            f"tagged ({{reasons}}); search for {self.settings.prefix}status to see them.",
            "check the fields start_time and end_time, or give the layout of _raw with " + EXAMPLE,
            self.unknown_layouts,
        )

    def _ask_raw(self, raw: Optional[str], values: Values, verdict: Tags) -> tuple[Values, Tags]:
        """The values and tags by `_raw`, if the fields gave no valid record: docs/enrich.md, Where values come from."""
        found = read_raw(raw, self.settings.layouts, self.settings.names) if raw else None
        if raw is None or found is None:
            if raw and verdict.status == "other" and not self._bundles.note(raw):
                self._note_unread(raw)
            return values, verdict
        if not isinstance(found, Values):
            return values, Tags(HEADER)
        tags = self._judged[found, True]
        fields_silent = values.start is None and values.end is None
        if not fields_silent and tags.status not in VALID:
            return values, verdict
        return found, self._identify(tags, None, raw)

    def _identify(self, tags: Tags, get: Optional[Get], raw: str = "") -> Tags:
        """The tags with the Community ID, if it was asked for: by the fields that `get` returns, else by `raw`."""
        if not self.settings.community or tags.status != "ok":
            return tags
        ids = self._community_ids
        return tags._replace(community_id=ids.of_raw(raw) if get is None else ids.of_fields(get))

    @cached_property
    def _community_ids(self) -> CommunityIds:
        from flowlag.community_ids import CommunityIds  # only a process that needs them pays for the import

        return CommunityIds(self.settings)


def _measure(key: tuple[Values, bool]) -> int:
    return longest_of(key[0])


def _text(value: Any) -> Optional[str]:
    """A field's text as Splunk writes it, with one value a line."""
    if isinstance(value, (list, tuple)):
        return "\n".join(map(str, value))
    return None if value is None else str(value)
