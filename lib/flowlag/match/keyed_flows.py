# SPDX-License-Identifier: Apache-2.0
"""The flows by their keys. A flow, or an anchor, whose key is a multivalue has several keys.

Nearly every flow has one key, and is held under it alone. A flow with several is held under each, apart from the
others, so that an anchor with several keys can count each flow once. Authority: docs/match.md, Keys.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from flowlag.match.candidates import Anchor, Candidates, Choice, Flow
from flowlag.match.keys import Key
from flowlag.match.relation import Target


class Chooser(Protocol):
    """What finds the flows of an anchor."""

    def best(self, anchor: Anchor, most: int) -> Choice:
        """At most `most` of the flows that are possible for an anchor, the best first, by share."""


class KeyedFlows:
    """Takes flows with their keys; after `close`, gives those of the keys of an anchor."""

    def __init__(self) -> None:
        self._single: dict[Key, list[Flow]] = {}
        self._several: dict[Key, dict[int, Flow]] = {}  # by number, which tells equal flows apart
        self._count = 0
        self._made: dict[Key, Candidates] = {}

    def add(self, keys: tuple[Key, ...], flow: Flow) -> None:
        """Take a flow."""
        if len(keys) == 1:
            self._single.setdefault(keys[0], []).append(flow)
            return
        self._count += 1
        for key in keys:
            self._several.setdefault(key, {})[self._count] = flow

    def close(self, target: Target, asked: Collection[tuple[Key, ...]]) -> None:
        """No flow comes any more; `asked` are the keys of all anchors."""
        self._target = target
        self._kept = {key for keys in asked if len(keys) > 1 for key in keys}

    def take(self, keys: tuple[Key, ...]) -> Chooser:
        """The flows of an anchor's keys. Call it once for the same keys: what no other anchor needs is not kept."""
        if len(keys) == 1:
            return Candidates(self._list(keys[0]), self._target)
        several = Candidates(self._join(keys), self._target)
        return _Joined([*map(self._candidates, keys), several])

    def list_possible(self, keys: tuple[Key, ...], anchors: Sequence[Anchor]) -> list[Flow]:
        """The flows of a key; of several keys, those that are possible for one of the anchors at least."""
        if len(keys) == 1:
            return self._list(keys[0])
        found: dict[int, Flow] = {}
        for candidates in map(self._candidates, keys):
            for anchor in anchors:
                found.update((id(flow), flow) for _, flow in candidates.best(anchor, candidates.count(anchor)).best)
        return [*found.values(), *self._join(keys)]

    def _list(self, key: Key) -> list[Flow]:
        single = self._single.get(key, []) if key in self._kept else self._single.pop(key, [])
        return [*single, *self._several[key].values()] if key in self._several else single

    def _join(self, keys: tuple[Key, ...]) -> list[Flow]:
        """The flows with several keys that have any of these, each once."""
        joined: dict[int, Flow] = {}
        for key in keys:
            joined.update(self._several.get(key, {}))
        return list(joined.values())

    def _candidates(self, key: Key) -> Candidates:
        if key not in self._made:
            self._made[key] = Candidates(self._single.get(key, []), self._target)
        return self._made[key]


class _Joined:
    """Several groups of flows that have none in common."""

    def __init__(self, parts: Sequence[Candidates]) -> None:
        self._parts = parts

    def best(self, anchor: Anchor, most: int) -> Choice:
        """At most `most` of the flows that are possible for an anchor, the best first, by share."""
        choices = [part.best(anchor, most) for part in self._parts]
        ranked = sorted(pair for choice in choices for pair in choice.best)
        return Choice(sum(choice.possible for choice in choices), ranked[:most])
