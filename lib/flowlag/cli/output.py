# SPDX-License-Identifier: Apache-2.0
"""The output of `enrich`: a table for people, CSV and JSON lines for programs. Opens and prints nothing.

CSV and JSON hold every field. The table shows a fixed choice.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import chain
from typing import Callable, Optional

from flowlag.cli.pieces import Event, Form, Piece, Tagged
from flowlag.cli.view import EPOCH_VIEW, LONGEST_SAMPLE, View, lay_out
from flowlag.enrich_options import Settings
from flowlag.errors import show_value
from flowlag.fields import first_value
from flowlag.files.names import AliasFinder, known_names, read_as
from flowlag.five_tuple import DEST_NAMES, DEST_PORT_NAMES, SRC_NAMES
from flowlag.record import VALID
from flowlag.splunk.csv_bytes import quote
from flowlag.tags import TAG_FIELDS, Tags, asked_fields

#: A CSV has the columns of its first events, so many of which are held until the header is written.
CSV_SAMPLE = 1000
#: How many names of columns that a CSV leaves out are kept.
MOST_LEFT_OUT = 1000
#: How much is shown of a line that could not be tagged.
SHOWN_LINE = 60

Warn = Callable[[str], None]


_TIMES = ("start", "end", "earliest", "latest", "time", "likely earliest")
#: Left out first if the terminal is narrow.
_LEAST = ("window", "stamps", "±", "time", "dur", "unreadable line", "interface")
_HEADINGS = (
    "interface", "src", "dst", "port", "status", "start", "end", "dur", "earliest", "latest", "time", "±", "window",
    "stamps",
)  # fmt: skip


class CsvForm:
    """Tags as cells of CSV; none of them has a comma or a quote."""

    def write_tags(self, tags: Tags) -> str:
        """The cells of the tags that are on every event."""
        return ",".join(tags[: len(TAG_FIELDS)])

    def begin(self, status: str) -> str:
        """What the cells of a status begin with."""
        return f"{status},"


class JsonForm:
    """Tags as members of a JSON object; none of them has a character that has to be escaped."""

    def __init__(self, settings: Settings) -> None:
        self._names = [settings.prefix + name for name in TAG_FIELDS]

    def write_tags(self, tags: Tags) -> str:
        """The members of the tags that are on every event."""
        return ", ".join([f'"{name}": "{text}"' for name, text in zip(self._names, tags)])

    def begin(self, status: str) -> str:
        """What the members of a status begin with."""
        return f'"{self._names[0]}": "{status}"'


def write_json(pieces: Iterable[Piece], settings: Settings, warn: Warn) -> Iterator[str]:
    """JSON lines, every value a string; in ASCII, so that a byte that is not UTF-8 is an escape (0xff as \\udcff)."""
    for piece in pieces:
        if isinstance(piece, Tagged):
            yield from _join_lines(_json_lines(piece))
        else:
            yield from map(json.dumps, piece)


def _json_lines(piece: Tagged) -> list[str]:
    columns = piece.all_columns()
    members = ", ".join(json.dumps(name).replace("%", "%%") + ': "%s"' for name in columns)
    return list(map(f"{{{members}, %s}}".__mod__, zip(*map(_escape, columns.values()), piece.tags)))


def _escape(texts: list[str]) -> list[str]:
    """Texts as JSON has them between quotes; mostly they are as they are."""
    text = "".join(texts)
    is_plain = text.isascii() and text.isprintable() and '"' not in text and "\\" not in text
    return texts if is_plain else [json.dumps(text)[1:-1] for text in texts]


def _join_lines(lines: list[str]) -> Iterator[str]:
    """Lines in one text, so that they are written at once; nothing of none."""
    if lines:
        yield "\n".join(lines)


def write_csv(pieces: Iterable[Piece], settings: Settings, warn: Warn) -> Iterator[str]:
    """CSV whose columns are those of the first CSV_SAMPLE events, the tags last; warns of values in later columns."""
    pieces = iter(pieces)
    first, names, count = _take_sample(pieces)
    tags = [settings.prefix + name for name in asked_fields(settings)]
    columns = [*(name for name in names if name not in tags), *tags]
    left_out: Event = {}
    yield ",".join(map(quote, columns))
    for piece in chain(first, pieces):
        yield from csv_lines(piece, columns, len(tags))
        if len(left_out) < MOST_LEFT_OUT:
            left_out.update((name, "") for name in _find_others(piece, names))
    if left_out:
        warn(
            f"the CSV has the columns of its first {count} rows, and later ones are left out of it: "
            f"{_list_names(list(left_out))}; --output json keeps them."
        )


def csv_lines(piece: Piece, columns: Sequence[str], tags: int) -> Iterator[str]:
    """The rows of a piece with these columns, of which so many are the tags, in one text or in several."""
    if isinstance(piece, Tagged):
        yield from _join_lines(list(map(",".join, zip(*_cells(piece, columns[: len(columns) - tags]), piece.tags))))
    else:
        yield from (",".join([quote(event.get(name, "")) for name in columns]) for event in piece)


def _cells(piece: Tagged, names: Sequence[str]) -> Iterator[list[str]]:
    """The cells of columns; words without a comma are not cut, since each is a cell as it is."""
    if piece.words and piece.names == names and (text := "\n".join(piece.columns["_raw"])) and "," not in text:
        for name, texts in piece.columns.items():
            yield _quote_all(texts)
            if name == "_raw":
                yield text.replace(" ", ",").split("\n")
    else:
        columns, blank = piece.all_columns(), [""] * len(piece.tags)
        yield from (_quote_all(columns.get(name, blank)) for name in names)


def _quote_all(texts: list[str]) -> list[str]:
    """Texts as cells; mostly none needs quotes."""
    text = "".join(texts)
    return list(map(quote, texts)) if "," in text or '"' in text or "\n" in text or "\r" in text else texts


def _find_others(piece: Piece, names: Container[str]) -> Iterator[str]:
    """The names of a piece that are not among others, and have a value in it."""
    if isinstance(piece, Tagged):
        others = any(name not in names for name in piece.names)
        columns = piece.all_columns().items() if others else ()
        return (name for name, texts in columns if name not in names and any(texts))
    return (name for event in piece for name, text in event.items() if text and name not in names)


def _take_sample(pieces: Iterator[Piece]) -> tuple[list[Piece], dict[str, None], int]:
    """The pieces with the first CSV_SAMPLE events, fewer if they are long; the names of these events, their number."""
    taken: list[Piece] = []
    names: dict[str, None] = {}
    count = length = 0
    for piece in pieces:
        taken.append(piece)
        for event in [dict.fromkeys(piece.names, "")] * len(piece.tags) if isinstance(piece, Tagged) else piece:
            if count >= CSV_SAMPLE or length > LONGEST_SAMPLE:
                break
            names.update(dict.fromkeys(event))
            length += sum(map(len, chain(event, event.values())))
            count += 1
        if isinstance(piece, Tagged):
            length += sum(sum(map(len, texts)) for texts in piece.columns.values())
        if count >= CSV_SAMPLE or length > LONGEST_SAMPLE:
            break
    return taken, names or {"_time": None}, count


def _list_names(names: list[str]) -> str:
    shown = ", ".join(map(show_value, names[:10]))
    more = f"{len(names) - 10} more" if len(names) < MOST_LEFT_OUT else "many more"
    return f"{shown} and {more}" if len(names) > 10 else shown


def write_table(pieces: Iterable[Piece], settings: Settings, warn: Warn, view: View = EPOCH_VIEW) -> Iterator[str]:
    """A table of what matters for timing; a value wider than its column moves the rest of its row.

    It takes events one by one.
    """
    events = (event for piece in pieces if not isinstance(piece, Tagged) for event in piece)
    names = asked_fields(settings)
    asked = (name.replace("_", " ") for name in names[len(TAG_FIELDS) :])
    headings = (*_HEADINGS, *asked, "unreadable line")
    aliases = AliasFinder(known_names(settings))
    return lay_out(headings, (_table_row(event, settings, names, aliases) for event in events), view, _TIMES, _LEAST)


def _table_row(event: Event, settings: Settings, names: Sequence[str], aliases: AliasFinder) -> list[str]:
    get = read_as(event, aliases.find(event))
    tag = {name: event[settings.prefix + name] for name in names}
    window = (tag["window_position"], tag["window_offset"], tag["window_basis"])
    places = (settings.names.interface, SRC_NAMES, DEST_NAMES, DEST_PORT_NAMES)
    cells = (
        *(first_value(get, names) for names in places),
        *(tag[name] for name in TAG_FIELDS[:8]),
        " ".join(text for text in window if text),
        *(tag[name] for name in names[len(TAG_FIELDS) - 1 :]),  # the stamps, and what was asked for
        "" if tag["status"] in VALID else event.get("_raw", "")[:SHOWN_LINE],
    )
    return [cell or "" for cell in cells]


#: What `--output` may be.
WRITERS: dict[str, Callable[[Iterable[Piece], Settings, Warn], Iterator[str]]] = {
    "table": write_table,
    "csv": write_csv,
    "json": write_json,
}


def find_form(output: str, settings: Settings) -> Optional[Form]:
    """How an output writes tags, for records that are tagged many at a time; a table takes events."""
    forms: dict[str, Form] = {"csv": CsvForm(), "json": JsonForm(settings)}
    return forms.get(output)
