# SPDX-License-Identifier: Apache-2.0
"""The texts that are added to lines in one layout, from a memo; a line that has not this layout is told apart."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, Optional

from flowlag.enrich import Enricher
from flowlag.fields import Names, Values
from flowlag.instants import parse_instant
from flowlag.layouts import Layout
from flowlag.recognition import is_version, tells_record
from flowlag.splunk.replies import Keys, ReplyCache, Table, Writer
from flowlag.tags import Tags
from flowlag.words import status_of

#: What a line gets that a layout does not fit, so that the next one may be tried. None is left to the reference.
UNFIT = ""


class Cut(NamedTuple):
    """Lines without the words in front of their records, as records of a block."""

    table: Table
    offset: int

    @property
    def lines(self) -> Sequence[str]:
        """As many as there are records."""
        return self.table.lines

    def column(self, place: int) -> Sequence[str]:
        """The words of a column of the layout."""
        return self.table.column(self.offset + place)


class Proof(Enum):
    """What shows that a line has a layout: each line fits it, or has some evidence; or that all lines have is known."""

    FIT = "fit"
    EVIDENCE = "evidence"
    KNOWN = "known"


class LineReplies(ReplyCache):
    """The texts of the lines in a layout: UNFIT if a line does not have it, None if it has and is not valid."""

    def __init__(self, enricher: Enricher, layout: Layout, ending: Writer, proof: Proof) -> None:
        known = Names()._asdict()
        keys = Keys(layout, {role: known[role] for role in enricher.roles}, str)
        super().__init__(enricher, keys, ending, asks_raw=True, judge=self._judge_line)
        self._line_keys = keys
        self._layout = layout
        self._proof = proof

    def texts(self, cut: Cut) -> list[Optional[str]]:
        """The text of each line of a grid."""
        texts = list(map(self.__getitem__, self._line_keys.of(cut)))
        for place in self._layout.version if self._proof is Proof.FIT else ():
            versions = cut.column(place)
            if not all(map(is_version, set(versions))):
                texts = [text if is_version(version) else UNFIT for text, version in zip(texts, versions)]
        return texts

    def _judge_line(self, values: Values) -> Tags:
        if self._proof is Proof.KNOWN:
            return self._enricher.judge(values, recognised=True)
        is_record = self._fits(values) if self._proof is Proof.FIT else tells_record(values)
        return self._enricher.judge(values, recognised=True) if is_record else Tags("other")

    def _fits(self, values: Values) -> bool:
        if values.start is None or values.end is None or (self._layout.has_status and status_of(values.status) is None):
            return False
        return parse_instant(values.start) is not None and parse_instant(values.end) is not None

    def _write(self, tags: Tags) -> Optional[str]:
        return UNFIT if tags.status == "other" else super()._write(tags)
