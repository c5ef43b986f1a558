# SPDX-License-Identifier: Apache-2.0
"""Tags what is read from files, many records at a time where that is possible.

Lines and columns (files/batches.py) are tagged as such, if all of their records are valid and alike; the texts of their
tags come from the memos that flowlagenrich has in Splunk. Anything else is cut in halves, and in the end read row by
row, which is the reference and gives the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, compress
from typing import NamedTuple, Optional, Union, cast

from flowlag.cli.period import Period
from flowlag.cli.pieces import Form, Piece, Tagged, tag_rows
from flowlag.enrich import Enricher
from flowlag.fields import Names, has_value
from flowlag.files.batches import Batch, Cells, Columns, Lines, Rows, add_source
from flowlag.files.paths import SOURCE
from flowlag.files.rows import MESSAGE_NAMES, RowReader
from flowlag.memo import Memo
from flowlag.splunk.raw_lines import RawLines
from flowlag.splunk.replies import Keys, ReplyCache
from flowlag.tags import Tags

_BY_FREQUENCY = ("ok", "nodata", "skipdata")  # the statuses of valid records
#: Records that are not worth a cut are read row by row.
_FEWEST = 32


def tag_batches(
    enricher: Enricher,
    batches: Iterable[tuple[Batch, Optional[str]]],
    period: Optional[Period] = None,
    form: Optional[Form] = None,
) -> Iterator[Piece]:
    """What the files have, with its tags, in order; without a form, all of it as events."""
    settings = enricher.settings
    # Community IDs and likely bounds depend on more than a memo knows, and named columns may win over those of a line
    is_fast = form is not None and not settings.community and not settings.confidence and settings.names == Names()
    tagger = _Tagger(enricher, form, period) if form is not None and is_fast else None
    for batch, name in batches:
        for part in [batch] if tagger is None else tagger.split(batch, name):
            if isinstance(part, Tagged):
                yield part
            else:
                rows = (row._replace(fields=add_source(row.fields, name)) for row in part.rows())
                yield list(tag_rows(enricher, rows, period))


class _Writer:
    """Writes for the memos what is not in the columns: `_time`, the tags and, if it decides, the start; a line each."""

    def __init__(self, enricher: Enricher, form: Form, has_period: bool) -> None:
        self._enricher = enricher
        self._form = form
        self._has_period = has_period
        self.count = 3 if has_period else 2

    def write(self, tags: Tags) -> str:
        """The text of a record."""
        time, text = self._enricher.new_time(tags, None), self._form.write_tags(tags)
        return f"{time}\n{text}\n{tags.start}" if self._has_period else f"{time}\n{text}"

    def read(self, texts: str) -> list[list[str]]:
        """The lines of texts that were joined with line ends: all of the first kind, of the second and so on."""
        lines = texts.split("\n")
        return [lines[kind :: self.count] for kind in range(self.count)]


class _Names:
    """Where the columns of rows are, by all the names under which they are read."""

    def __init__(self, reader: RowReader, names: Sequence[str]) -> None:
        self._places = {name: place for place, name in enumerate(names)}
        self._places.update((name, self._places[actual]) for name, actual in reader.find_aliases(names).items())

    def places_of(self, names: Sequence[str]) -> tuple[int, ...]:
        """The numbers of the columns with these names, in the order of the names; missing ones are left out."""
        return tuple(dict.fromkeys(self._places[name] for name in names if name in self._places))


class _Table:
    """Columns as records of a block."""

    def __init__(self, columns: Columns) -> None:
        self._columns = list(columns.values())
        self.lines = self._columns[0]

    def column(self, place: int) -> list[str]:
        """The texts of a column."""
        return self._columns[place]


class _Plan:
    """How rows with the same names are read: which columns tell what, and the memos of their tags."""

    def __init__(self, reader: RowReader, names: Sequence[str], enricher: Enricher, writer: _Writer) -> None:
        header = _Names(reader, names)
        places = {role: header.places_of(known) for role, known in enricher.roles.items()}
        self.places = {*chain.from_iterable(places.values())}
        self.has_times = bool(places["start"] and places["end"])
        self.has_no_times = not places["start"] and not places["end"]
        self.keys = Keys(header, enricher.roles, str)
        self.replies = ReplyCache(enricher, self.keys, writer, asks_raw=True)
        #: the column whose text is read if the fields have no times
        self.message = next((name for name in ("_raw", *MESSAGE_NAMES) if name in names), None)


class _Found(NamedTuple):
    """The columns of records that are valid and alike, and the text of each, as _Writer writes it; see Tagged."""

    columns: Columns
    texts: Sequence[str]
    words: tuple[str, ...] = ()


class _Tagger:
    """Tags batches as columns, where that gives what reading row by row gives."""

    def __init__(self, enricher: Enricher, form: Form, period: Optional[Period]) -> None:
        self._enricher = enricher
        self._form = form
        self._writer = _Writer(enricher, form, period is not None)
        self._lines = RawLines(enricher, self._writer)
        self._plans: Memo[tuple[RowReader, tuple[str, ...]], _Plan] = Memo(
            lambda key: _Plan(*key, enricher, self._writer), lambda key: 0, 16
        )
        #: columns that are not from the words of a line, whatever their names
        self._others = {"_raw", "_time", SOURCE, *enricher.fields}
        self._has_value = Memo(has_value, len)
        self._holds = None if period is None else Memo(period.holds, len)

    def split(self, batch: Batch, source: Optional[str]) -> Iterator[Union[Tagged, Batch]]:
        """The records of a batch with their tags, and what is to be read row by row, in order."""
        found = None
        if not isinstance(batch, Rows):
            found = self._read_lines(*_cut_ends(batch)) if isinstance(batch, Lines) else self._read_cells(batch)
        if found is not None:
            yield self._finish(found, source)
        elif isinstance(batch, Rows) or len(batch) <= _FEWEST:
            yield batch
        else:
            for half in batch.halves():
                yield from self.split(half, source)

    def _read_lines(self, reader: RowReader, lines: list[str]) -> Optional[_Found]:
        """Lines in the layout of the file, if there is one, else in one that they show."""
        is_unsure = reader.settled is None and (reader.has_own_layout or not self._enricher.settings.reads_raw)
        text = "\n".join(lines)
        if is_unsure or text.startswith("#") or "\n#" in text:
            return None
        found = self._lines.read_alike(lines, reader.settled)
        if found is None:
            return None
        if not found.offset:
            reader.settle(found.layout)
        words = tuple(found.layout.places)
        if found.offset or len(words) != len(found.layout) or not self._others.isdisjoint(words):
            return _Found({"_raw": lines, **found.columns()}, found.texts)
        return _Found({"_raw": lines}, found.texts, words)

    def _read_cells(self, batch: Cells) -> Optional[_Found]:
        """Rows by their fields or, if these have no times, by the text of a column."""
        columns = batch.columns
        plan = self._plans[batch.reader, tuple(columns)]
        table = _Table(columns)
        if not all("".join(table.column(place)).isascii() for place in plan.places):
            return None
        if plan.has_times:
            texts = list(map(plan.replies.__getitem__, plan.keys.of(table)))
            return None if None in texts else _Found(columns, cast("list[str]", texts))
        if plan.message is None or not plan.has_no_times:
            return None
        if plan.message == "_raw":
            return self._read_raw(columns) if self._enricher.settings.reads_raw else None
        found = self._read_lines(batch.reader, columns[plan.message])
        others = {name: texts for name, texts in columns.items() if name != plan.message}
        if found is not None and not others.keys().isdisjoint(found.words):
            found = found._replace(columns=Tagged(found.columns, [], found.words).all_columns(), words=())
        return None if found is None else found._replace(columns={**others, **found.columns})

    def _read_raw(self, columns: Columns) -> Optional[_Found]:
        """Rows by their `_raw`; what its layout names is added where a row has no value."""
        found = self._lines.read_alike(columns["_raw"])
        if found is None:
            return None
        added = found.columns()
        for name in columns.keys() & added.keys():
            pairs = zip(columns[name], added[name])
            added[name] = [own if self._has_value[own] else other for own, other in pairs]
        return _Found({**columns, **added}, found.texts)

    def _finish(self, found: _Found, source: Optional[str]) -> Tagged:
        """The records with `_time`, their file and their tags, without those outside the period; all are counted."""
        texts = "\n".join(found.texts)
        self._count(texts, len(found.texts))
        times, tags, *starts = self._writer.read(texts)
        columns = found.columns
        if source is not None:
            named = columns.get(SOURCE, [""] * len(tags))
            columns = {**columns, SOURCE: [own or source for own in named]}
        if "_time" not in columns:
            columns = {"_time": times, **columns}
        else:
            is_kept = self._enricher.settings.time == "keep"
            kept = [own or time for own, time in zip(columns["_time"], times)] if is_kept else times
            columns = {**columns, "_time": kept}
        if self._holds is not None:
            held = list(map(self._holds.__getitem__, starts[0]))
            columns = {name: list(compress(cells, held)) for name, cells in columns.items()}
            tags = list(compress(tags, held))
        fields = {*self._enricher.fields}
        return Tagged({name: cells for name, cells in columns.items() if name not in fields}, tags, found.words)

    def _count(self, texts: str, left: int) -> None:
        for status in _BY_FREQUENCY:
            count = texts.count("\n" + self._form.begin(status)) if left else 0
            left -= count
            if count:
                self._enricher.counts[status] += count


def _cut_ends(batch: Lines) -> tuple[RowReader, list[str]]:
    """Lines without their line ends, and who reads them."""
    text = "".join(batch.lines)
    if "\r" in text:
        return batch.reader, [line.rstrip("\r\n") for line in batch.lines]
    return batch.reader, text.removesuffix("\n").split("\n")
