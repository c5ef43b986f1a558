# SPDX-License-Identifier: Apache-2.0
"""The pairs of anchor and flow that can belong together, whatever the order in which events arrive.

The tags of flowlagenrich say which events are flows and which are anchors. Only the key, the bounds and the row of an
event are held; the row is a text that the caller gives and gets back. Events that take no part are counted by reason.
Authority: docs/match.md, Flows and anchors.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from flowlag.errors import show_text, show_value
from flowlag.fields import INTERFACE_NAMES, first_value
from flowlag.five_tuple import opens_connection, read_flags
from flowlag.instants import parse_instant, parse_seconds
from flowlag.interval import write_seconds
from flowlag.match.candidates import Anchor, Choice, Flow
from flowlag.match.keyed_flows import KeyedFlows
from flowlag.match.keys import Key
from flowlag.match.options import MatchSettings
from flowlag.match.relation import is_certain, target_of
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

if TYPE_CHECKING:
    from flowlag.lag_density import LagDensity
    from flowlag.lags import LearnedLags

_UNUSABLE = frozenset((NO_FLOW_KEY, NO_BOUNDS, NO_ANCHOR_KEY, NO_TIME, FAR_TIME, MANY_KEYS))


class Match(NamedTuple):
    """One row of the result: the rows that were fed (`flow` None if no flow is possible), and the fields as text."""

    anchor: str
    flow: Optional[str]
    tags: tuple[str, ...]


#: An anchor without a flow comes behind those of the same time that have some.
_LAST_RANK = (1.0, 1.0)


class _Held(NamedTuple):
    """An anchor, held until the input ends: twice its time (which orders rows), its interval, keys and row."""

    time_halves: int
    interval: Anchor
    keys: tuple[Key, ...]
    row: str


class Matcher:
    """Takes events one by one, and gives the pairs at the end."""

    def __init__(
        self, settings: MatchSettings, lags: Optional[LearnedLags] = None, synonyms: Optional[Synonyms] = None
    ) -> None:
        self.settings = settings
        self._lags = lags
        self.counts: Counter[str] = Counter()
        self.cut = 0
        self._too_much = 0
        self._has_flags = False
        self._target = target_of(settings.relation, settings.within_us)
        self._flows = KeyedFlows()
        self._anchors: list[_Held] = []
        self._sides = {
            "flow": Side(settings.flow_keys, NO_FLOW_KEY, synonyms),
            "anchor": Side(settings.anchor_keys, NO_ANCHOR_KEY, synonyms),
        }
        self._names = {name: settings.prefix + name for name in ("status", "earliest", "latest", "start")}

    def feed(self, get: Get, row: str) -> Optional[str]:
        """Take one event whose fields `get` returns as text (None or empty if absent): `flow`, `anchor` or None."""
        status = get(self._names["status"]) or ""
        if is_anchor(get, status, self.settings.marker):
            return self.feed_anchor(get, row)
        if status == "ok":
            return self.feed_flow(get, row)
        if self.settings.marker is None:
            leave_out(self.counts, self._names["status"], status)
            return None
        self.counts[NEITHER] += 1
        return None

    def close(self) -> Iterator[Match]:
        """The rows, ordered by anchor time, then rank. Call it once, after the last event."""
        self._anchors.sort()
        anchors_of: dict[tuple[Key, ...], list[Anchor]] = {}
        for anchor in self._anchors:
            anchors_of.setdefault(anchor.keys, []).append(anchor.interval)
        self._flows.close(self._target, set(anchors_of))
        choose = self._choose_by_share if self.settings.rank == "share" else self._choose_by_probability
        choices: dict[tuple[Key, ...], Iterator[Choice]] = {}
        for _, anchors in groupby(self._anchors, lambda anchor: anchor.time_halves):
            rows: list[tuple[Any, Match]] = []
            for anchor in anchors:
                if anchor.keys not in choices:
                    choices[anchor.keys] = choose(anchor.keys, anchors_of.pop(anchor.keys))
                rows.extend(self._pair(anchor, next(choices[anchor.keys])))
            rows.sort()
            yield from (match for _, match in rows)

    def _choose_by_share(self, keys: tuple[Key, ...], anchors: list[Anchor]) -> Iterator[Choice]:
        """The choices of the anchors of one key, or of the same keys, each when it is asked for."""
        candidates = self._flows.take(keys)
        for anchor in anchors:
            yield candidates.best(anchor, self.settings.maxmatches)

    def _choose_by_probability(self, keys: tuple[Key, ...], anchors: list[Anchor]) -> Iterator[Choice]:
        """The same by probability, for which all anchors are needed at once."""
        from flowlag.match.probability import KeyedPairs  # most searches do without

        flows = self._flows.list_possible(keys, anchors)
        order = sorted(range(len(anchors)), key=anchors.__getitem__)
        pairs = KeyedPairs(flows, [anchors[i] for i in order], self._target, self.settings.maxmatches)
        found = pairs.choose_one_to_one() if self.settings.exclusive else None
        if found is None:
            self._too_much += self.settings.exclusive
            found = pairs.choose()
        for _, choice in sorted(zip(order, found), key=itemgetter(0)):
            yield choice

    @property
    def unusable(self) -> int:
        """How many flows and anchors took no part because a key, a time or a bound was missing."""
        return sum(count for reason, count in self.counts.items() if reason in _UNUSABLE)

    def warning(self) -> Optional[str]:
        """One sentence about events that took no part and flows that were cut off; None if there is nothing to say."""
        parts = list(say_counts(self.counts))
        if self.cut:
            most = self.settings.maxmatches
            parts.append(
                f"anchors with more than {most} possible flows: {self.cut}, of which the best {most} are given, with "
                "match_truncated=1; a higher maxmatches gives more"
            )
        if self._too_much:
            parts.append(
                f"keys with too many anchors that share flows for exclusive=true: {self._too_much}, which are ranked "
                "as with exclusive=false; more fields in by, or a shorter time range, make it possible"
            )
        if self._lags is not None and self._lags.complaint:
            parts.append(self._lags.complaint)
        parts.extend(self._hints())
        return show_text("; ".join(parts)) + "." if parts else None

    def feed_flow(self, get: Get, row: str) -> Optional[str]:
        """Take an event that is a flow; None if it takes no part."""
        status = get(self._names["status"]) or ""
        if status != "ok":
            leave_out(self.counts, self._names["status"], status)
            return None
        side = self._sides["flow"]
        side.is_empty = False
        if self.settings.starts is not None and not self._opens(get(self.settings.starts)):
            self.counts[NO_OPENING] += 1
            return None
        keys = side.keys(get)
        if not keys:
            self.counts[side.reason] += 1
            return None
        bounds = self._bounds(get)
        if bounds is None:
            self.counts[NO_BOUNDS] += 1
            return None
        start_us = parse_seconds(get(self._names["start"]) or "")
        learned = self._find_lags(get, bounds, start_us)
        flow = Flow(*bounds, bounds.earliest_us if start_us is None else start_us, row, learned)
        self._flows.add(keys, flow)
        return "flow"

    def feed_anchor(self, get: Get, row: str) -> Optional[str]:
        """Take an event that is an anchor, at its time or, for a flow, in its envelope; None if it takes no part."""
        side = self._sides["anchor"]
        side.is_empty = False
        keys = side.keys(get)
        if not keys:
            self.counts[side.reason] += 1
            return None
        is_flow = get(self._names["status"]) == "ok"
        interval = self._bounds(get) if is_flow else self._interval(get)
        if interval is None:
            ends = (self.settings.anchor_time, self.settings.anchor_end or self.settings.anchor_time)
            self.counts[NO_TIME if is_flow else why_no_time(*map(get, ends))] += 1
            return None
        # a flow is ordered by the middle of its envelope, anything else by its start
        halves = sum(interval) if is_flow else 2 * interval.earliest_us
        tolerance_us = self.settings.tolerance_us
        wider = Anchor(interval.earliest_us - tolerance_us, interval.latest_us + tolerance_us)
        self._anchors.append(_Held(halves, wider, keys, row))
        return "anchor"

    def _find_lags(self, get: Get, bounds: Anchor, start_us: Optional[int]) -> Optional[LagDensity]:
        """What was learned of the lags of a flow; nothing if its bounds have none, as those of a connection."""
        if self._lags is None or start_us is None or start_us <= bounds.earliest_us:
            return None
        return self._lags.find_density(first_value(get, INTERFACE_NAMES), start_us)

    def _opens(self, text: Optional[str]) -> bool:
        flags = read_flags(text)
        self._has_flags = self._has_flags or flags is not None
        return opens_connection(flags)

    def _bounds(self, get: Get) -> Optional[Anchor]:
        earliest_us = parse_seconds(get(self._names["earliest"]) or "")
        latest_us = parse_seconds(get(self._names["latest"]) or "")
        if earliest_us is None or latest_us is None or earliest_us > latest_us:
            return None
        return Anchor(earliest_us, latest_us)

    def _interval(self, get: Get) -> Optional[Anchor]:
        start_us = parse_instant(get(self.settings.anchor_time) or "")
        end_us = start_us
        if self.settings.anchor_end is not None:
            end_us = parse_instant(get(self.settings.anchor_end) or "")
        if start_us is None or end_us is None or end_us < start_us:
            return None
        return Anchor(start_us, end_us)

    def _pair(self, anchor: _Held, choice: Choice) -> Iterator[tuple[Any, Match]]:
        """The rows of an anchor with what orders them among those of other anchors of the same time."""
        count, best, none = choice
        relation = self.settings.relation
        chance = () if none is None else (_write_share(none),)
        if not count and self.settings.unmatched:
            tags = ("none", relation, "", "", "", "0", "0", *([""] * len(chance)), *chance)
            yield _LAST_RANK, Match(anchor.row, None, tags)
        self.cut += count > len(best)
        for rank, flow in best:
            gap_min = flow.earliest_us - anchor.interval.latest_us
            gap_max = flow.latest_us - anchor.interval.earliest_us
            certainty = "certain" if is_certain(gap_min, gap_max, self._target) else "possible"
            gaps = (write_seconds(gap_min), write_seconds(gap_max))
            numbers = (_write_share(-rank[-4]), str(count), "1" if count > len(best) else "0")
            probability = () if none is None else (_write_share(-rank[0]),)
            yield rank, Match(anchor.row, flow.row, (certainty, relation, *gaps, *numbers, *probability, *chance))

    def _hints(self) -> Iterator[str]:
        """The probable mistake if there are no flows or no anchors at all, or if no event has a value for a key."""
        yield from hint_empty(self._sides, self.counts, self._names["status"], self.settings.marker, "flowlagmatch")
        if self.settings.starts is not None and not self._has_flags and not self._sides["flow"].is_empty:
            yield f"no flow has a number in {show_value(self.settings.starts)}: check starts, or leave it out"
            return
        yield from hint_keys(self._sides, self.counts)


def _write_share(share: float) -> str:
    return f"{share:.6f}".rstrip("0").rstrip(".")
