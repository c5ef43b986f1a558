# SPDX-License-Identifier: Apache-2.0
"""How tags are written behind a record's line, and read again."""

from __future__ import annotations

from flowlag.enrich import Enricher
from flowlag.tags import TAG_FIELDS, Tags, asked_fields


class Ending:
    """Writes the text that is added to a record's line.

    `twins` are the empty twins that were cut off the line, `sets_time` says that `_time` is a new column, and `follows`
    that the line has columns before the text.
    """

    def __init__(self, enricher: Enricher, twins: str, sets_time: bool, follows: bool) -> None:
        self._enricher = enricher
        self._twins = twins
        self._sets_time = sets_time
        self._follows = follows
        self._width = len(enricher.fields)
        self._has_id = enricher.settings.community
        self._has_likely = enricher.settings.confidence is not None
        #: What ends a line behind the likely bounds, and behind the tags that are on every event.
        self.likely_end = "" if self._has_id else "\n"
        self._end = "," if self._has_likely else self.likely_end
        names = [name for name in asked_fields(enricher.settings) if name != "community_id"]
        self._read_width = len(names)  # in Tags, the ID is behind all others
        #: Whether `_time` stands in front of the likely bounds, and follows from them.
        self.needs_likely = sets_time and enricher.settings.time == "likely"

    def write(self, tags: Tags) -> str:
        """The text for the tags that are on every event, up to what follows: likely bounds, an ID, or the next line."""
        time = [self._enricher.new_time(tags, None)] if self._sets_time else []
        text = ",".join([self._twins, *time, *tags[: len(TAG_FIELDS)]])
        return (text if self._follows else text[1:]) + self._end

    def write_likely(self, tags: Tags) -> str:
        """The text for tags with the likely bounds, and with its line end; but without it if an ID comes last."""
        likely = f"{tags.likely_earliest},{tags.likely_basis},{tags.likely_anchors}"
        return self.write(tags) + likely + self.likely_end

    def write_whole(self, tags: Tags) -> str:
        """The text for tags with all that was asked for, and with its line end."""
        text = self.write_likely(tags) if self._has_likely else self.write(tags)
        return text + (write_id(tags.community_id) if self._has_id else "")

    def read(self, text: str) -> Tags:
        """The tags that a whole text was written from, without the ID."""
        cells = text.rstrip("\n").split(",")[-self._width :]
        return Tags(*cells[: self._read_width])

    def read_first(self, text: str) -> Tags:
        """The tags on every event that a text of `write` was written from, if likely bounds follow."""
        return Tags(*text[:-1].split(",")[-len(TAG_FIELDS) :])


def write_id(text: str) -> str:
    """The end of a line whose last field is a Community ID."""
    return f",{text}\n"
