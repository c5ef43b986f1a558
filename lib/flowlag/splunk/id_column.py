# SPDX-License-Identifier: Apache-2.0
"""The Community ID of each record, added to the text of its other tags.

It depends on other texts than the tags, nearly all of them distinct, so it is found by them alone.
"""

from __future__ import annotations

from itertools import repeat
from operator import add
from typing import Callable, Optional

from flowlag.community_ids import PARTS, identify
from flowlag.memo import LONGEST, Bounded
from flowlag.splunk.blocks import Records
from flowlag.splunk.columns import Header
from flowlag.splunk.endings import write_id
from flowlag.splunk.replies import first_texts, remember


class IdColumn(Bounded[tuple[str, ...], str]):
    """The end of a record's line with its Community ID, by the texts of its five-tuple.

    `value` turns the text of a field into its value.
    """

    def __init__(self, header: Header, value: Callable[[str], str]) -> None:
        super().__init__()
        self._places = [header.places_of(part.names) for part in PARTS]
        self._checks = [remember(part.is_value, value) for part in PARTS]
        self._readers = [remember(part.read, value) for part in PARTS]

    def __missing__(self, texts: tuple[str, ...]) -> str:
        end = write_id(identify(*[read[text] for read, text in zip(self._readers, texts)]))
        if len("".join(texts)) <= LONGEST:
            self.keep(texts, end)
        return end

    def complete(self, records: Records, texts: list[Optional[str]], all_ok: bool) -> list[Optional[str]]:
        """The texts with their IDs and line ends; None stays. Only records that are ok have an ID."""
        parts = map(first_texts, repeat(records), self._places, self._checks)
        ends = map(self.__getitem__, zip(*parts))
        if all_ok:
            return list(map(add, texts, ends))
        empty = write_id("")
        return [text and text + (end if ",ok," in text else empty) for text, end in zip(texts, ends)]
