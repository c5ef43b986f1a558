# SPDX-License-Identifier: Apache-2.0
"""Records with their tags, as the shell writes them: many at a time as columns (tagger.py), or one by one as events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Optional, Protocol, Union

from flowlag.cli.period import Period
from flowlag.enrich import Enricher
from flowlag.files.batches import Columns
from flowlag.files.names import Get, read_as
from flowlag.files.rows import Row
from flowlag.tags import Tags

Event = dict[str, str]


class Tagged(NamedTuple):
    """Valid records of the same columns, `_time` among them, and the text of the tags of each.

    `words` are the names of the words of `_raw`, whose columns follow it and are not cut out until they are asked for.
    """

    columns: Columns
    tags: list[str]
    words: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of all columns."""
        names = list(self.columns)
        place = names.index("_raw") + 1 if self.words else 0
        return [*names[:place], *self.words, *names[place:]]

    def all_columns(self) -> Columns:
        """The columns with those of the words."""
        if not self.words:
            return self.columns
        cut = zip(*[line.split(" ") for line in self.columns["_raw"]])
        words = {name: list(texts) for name, texts in zip(self.words, cut)}
        return {name: self.columns[name] if name in self.columns else words.get(name, []) for name in self.names}


#: What is written together.
Piece = Union[Tagged, list[Event]]


def list_events(piece: Piece, tags: Sequence[str]) -> Iterator[Event]:
    """The records of a piece as events, if its tags are texts of CSV with these names."""
    if not isinstance(piece, Tagged):
        yield from piece
        return
    columns = piece.all_columns()
    for *cells, text in zip(*columns.values(), piece.tags):
        yield {**dict(zip(columns, cells)), **dict(zip(tags, text.split(",")))}


class Form(Protocol):
    """How an output writes the tags of a record, in one line of text that begins with the status."""

    def write_tags(self, tags: Tags, /) -> str:
        """The text of the tags; a time may be a number of seconds in `<` and `>`."""

    def begin(self, status: str, /) -> str:
        """What the text begins with if the status is this."""


def tag_rows(enricher: Enricher, rows: Iterable[Row], period: Optional[Period] = None) -> Iterator[Event]:
    """Each row as an event with its tags (last) and `_time` (first, if the row has none)."""
    return (event for event, _ in tag_events(enricher, rows, period))


def tag_events(enricher: Enricher, rows: Iterable[Row], period: Optional[Period] = None) -> Iterator[tuple[Event, Get]]:
    """The same, each event with a function that gives its fields by their known names, however they are spelled.

    Records that start outside the period are left out.
    """
    for row in rows:
        if row.values is not None:
            tags = enricher.tag_line(row.values, (row.line or row.fields).get)
        elif row.is_other:
            tags = enricher.tag_other(row.fields.get("_raw", ""))
        else:
            tags = enricher.tag(read_as(row.own or row.fields, row.aliases))
        if period is not None and not period.holds(tags.start):
            continue
        event = row.fields if "_time" in row.fields else {"_time": "", **row.fields}
        yield enricher.write(event, tags), read_as(event, row.aliases)
