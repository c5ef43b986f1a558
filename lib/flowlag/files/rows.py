# SPDX-License-Identifier: Apache-2.0
"""The rows of one file: each is made of a line or of named fields, in the layout of the file.

A header line, `format`, or the first line of a known layout settles the layout. A line that does not have it is read as
`format=auto` reads `_raw`.
Authority: docs/shell.md, The layout of a file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from types import MappingProxyType
from typing import NamedTuple, Optional

from flowlag.enrich_options import Settings
from flowlag.fields import FIELD_VERSIONS, Names, Values, has_value, pick_values
from flowlag.files.names import Aliases, AliasFinder, known_names, read_as, squeeze
from flowlag.layouts import LAYOUTS, Layout
from flowlag.lines import tells_flow
from flowlag.recognition import Found, find_record, fits
from flowlag.words import is_header, normalise_name, split_words, strip_blanks

#: Columns that have a whole line, in CloudWatch's exports and events; Logs Insights puts an `@` before its names.
MESSAGE_NAMES = ("message", "@message")

# csv.reader refuses NUL (Python 3.9, 3.10) and a lone CR; surrogateescape never yields the two characters used instead
FOR_CSV = str.maketrans("\0\r", "\udc00\udc01")
FROM_CSV = str.maketrans("\udc00\udc01", "\0\r")


class Row(NamedTuple):
    """One record of a file: its fields as text, and how to tag it.

    `values` is set for a line that a layout has split. `is_other` says that a line is not a flow log record in this
    file's layout, even if it fits another one. Without both, the fields are read like those of an event. `line` has the
    columns of a line alone, if the row has other fields too; `own` the fields without the columns of `_raw`. `aliases`
    are the names under which the fields are read, where these are spelled in another way.
    """

    fields: dict[str, str]
    values: Optional[Values] = None
    is_other: bool = False
    line: Optional[dict[str, str]] = None
    own: Optional[dict[str, str]] = None
    aliases: Aliases = MappingProxyType({})


class RowReader:
    """Turns the lines and fields of one file into rows, and holds the layout of its lines."""

    def __init__(self, settings: Settings) -> None:
        self._names = settings.names
        self._aliases = AliasFinder(known_names(settings))
        self._reads = settings.reads_raw
        self._given = settings.layouts
        self._layout: Optional[Layout] = None
        self._columns: tuple[Optional[Layout], list[tuple[str, int]]] = (None, [])

    @property
    def settled(self) -> Optional[Layout]:
        """The layout in which lines as wide as it are read without a doubt; None if each line has to show its own."""
        return self._layout if self._layout is not None and self._layout.has_times else None

    @property
    def has_own_layout(self) -> bool:
        """Whether a header line or an earlier line has set the layout of the file."""
        return self._layout is not None

    def settle(self, layout: Layout) -> None:
        """Note that lines fit a layout: a known one becomes that of the file, if none is known or given."""
        if self._layout is None and not self._given and layout in LAYOUTS.values():
            self._layout = layout

    def read_line(self, line: str) -> Optional[Row]:
        """The row of a line of text; None for a header line, which sets a new layout, a blank line or a comment."""
        text = strip_blanks(line)
        if not text or text.startswith("#"):
            return None
        words = split_words(text)
        if is_header(text):
            self._layout = Layout("header", [normalise_name(word) for word in words])
            return None
        fields = {"_raw": line.rstrip("\r\n")}
        found = self._find(words)
        if found is None:
            return Row(fields, is_other=True)
        fields.update((name, found.words[place]) for name, place in self._columns_of(found.layout))
        return Row(fields, self._values(fields, found.values))

    def _find(self, words: list[str]) -> Optional[Found]:
        """The record of a line, mostly in the layout of the file; a known layout that a line fits becomes it."""
        layout = self._layout
        has_width = layout is not None and len(words) == len(layout)
        if layout is not None and has_width and layout.has_times:
            return Found(layout, words)
        found = find_record(words, self._given) if layout is None and self._given else None
        if found is None and self._reads:
            found = find_record(words)
            if found is not None and fits(found.layout, words):
                self.settle(found.layout)
        return Found(layout, words) if found is None and layout is not None and has_width else found

    def _columns_of(self, layout: Layout) -> list[tuple[str, int]]:
        if self._columns[0] is not layout:
            self._columns = layout, [(name, place) for name, place in layout.places.items() if name != "_raw"]
        return self._columns[1]

    def _values(self, fields: dict[str, str], values: Values) -> Values:
        """The values of a line in the layout; columns that an option names win over those that AWS named."""
        if self._names == Names():
            return values
        return Values(*(own or known for own, known in zip(pick_values(fields.get, self._names), values)))

    def read_fields(self, fields: dict[str, str]) -> Optional[Row]:
        """The row of named fields. If they lack a start or an end, the line in `message` is read, if there is one.

        The other fields stay, but those of the line win if names are equal; the line becomes `_raw`.
        """
        aliases = self._aliases.find(fields)
        values = pick_values(read_as(fields, aliases), self._names)
        if values.start and values.end:
            return Row(fields, aliases=aliases)
        if has_value(fields.get("_raw")):
            return self._read_raw(fields)._replace(aliases=aliases)
        name = next((name for name in MESSAGE_NAMES if has_value(fields.get(name))), None)
        if name is None:
            return Row(fields, aliases=aliases)
        row = self.read_line(fields[name])
        if row is None:
            return None
        if row.is_other and tells_flow(values):
            return Row(fields, aliases=aliases)
        others = {key: fields[key] for key in fields if key != name}
        return row._replace(fields={**others, **row.fields}, line=row.fields)

    def _read_raw(self, fields: dict[str, str]) -> Row:
        """The row of fields with a `_raw`, which is read like that of an event; the columns of its layout are added."""
        columns = self._find_columns(fields["_raw"])
        added = {name: text for name, text in columns.items() if not has_value(fields.get(name))}
        return Row({**fields, **added}, own=fields)

    def _find_columns(self, raw: str) -> dict[str, str]:
        """The columns of the layout in which an event's `_raw` is read; none if it is in none."""
        words = split_words(strip_blanks(raw)) if self._reads else []
        found = None if is_header(raw) else find_record(words, self._given)
        return {} if found is None else {name: found.words[place] for name, place in self._columns_of(found.layout)}

    def find_aliases(self, fields: Iterable[str]) -> Aliases:
        """The names under which fields are read, where they are spelled in another way."""
        return self._aliases.find(fields)

    def tells_flow(self, fields: dict[str, str]) -> bool:
        """Whether the fields have a start, an end or a log status word."""
        return tells_flow(pick_values(read_as(fields, self._aliases.find(fields)), self._names))

    def is_csv_header(self, line: str) -> bool:
        """Whether the csv module splits a line into names, at least one of which is a known input."""
        try:
            cells = [strip_blanks(cell) for cell in next(csv.reader([line.translate(FOR_CSV)]), [])]
        except csv.Error:
            return False
        if any(cell in (*MESSAGE_NAMES, "_raw") for cell in cells):
            return True
        known = {*map(squeeze, (*FIELD_VERSIONS, *Names().all(), *self._names.all()))}
        return len(cells) > 1 and any(squeeze(normalise_name(cell)) in known for cell in cells)


class TableReader(RowReader):
    """Takes rows of named fields as they are, and looks for no flow log records in them."""

    def __init__(self) -> None:
        super().__init__(Settings(reads_raw=False))

    def read_fields(self, fields: dict[str, str]) -> Optional[Row]:
        """The row of named fields."""
        return Row(fields)

    def is_csv_header(self, line: str) -> bool:
        """Always: a file that is neither JSON nor Parquet is CSV."""
        return True


def name_columns(cells: Iterable[str]) -> list[str]:
    """Unique names for columns: a second `start` becomes `start_2`, a third column without a name `column_3`."""
    names: dict[str, int] = {}  # name -> how often it was wanted
    for number, cell in enumerate(cells, 1):
        name = wanted = strip_blanks(cell) or f"column_{number}"
        while name in names:
            names[wanted] += 1
            name = f"{wanted}_{names[wanted]}"
        names[name] = 1
    return list(names)
