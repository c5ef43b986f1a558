# SPDX-License-Identifier: Apache-2.0
"""The output of `enrich`: a table for people, CSV and JSON lines for programs. Opens and prints nothing.

CSV and JSON hold every field. The table shows a fixed choice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Callable, TypeVar

from flowlag.cli.view import EPOCH_VIEW, LONGEST_SAMPLE, View, lay_out
from flowlag.enrich_options import Settings
from flowlag.errors import show_value
from flowlag.fields import first_value
from flowlag.files.names import AliasFinder, known_names, read_as
from flowlag.five_tuple import DEST_NAMES, DEST_PORT_NAMES, SRC_NAMES
from flowlag.record import VALID
from flowlag.splunk.csv_bytes import quote
from flowlag.tags import TAG_FIELDS, asked_fields

#: A CSV has the columns of its first events, so many of which are held until the header is written.
CSV_SAMPLE = 1000
#: How many names of columns that a CSV leaves out are kept.
MOST_LEFT_OUT = 1000
#: How much is shown of a line that could not be tagged.
SHOWN_LINE = 60

Event = dict[str, str]
Warn = Callable[[str], None]
T = TypeVar("T")

_LOST_SURROGATES = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # what surrogateescape cannot turn back into a byte

_TIMES = ("start", "end", "earliest", "latest", "time", "likely earliest")
#: Left out first if the terminal is narrow.
_LEAST = ("window", "stamps", "±", "time", "dur", "unreadable line", "interface")
_HEADINGS = (
    "interface", "src", "dst", "port", "status", "start", "end", "dur", "earliest", "latest", "time", "±", "window",
    "stamps",
)  # fmt: skip


def encode_line(line: str) -> bytes:
    """A line as UTF-8 with its line end; bytes of the input that were not UTF-8 come back as they were."""
    return (_LOST_SURROGATES.sub("\ufffd", line) + "\n").encode("utf-8", "surrogateescape")


def write_json(events: Iterable[Event], settings: Settings, warn: Warn) -> Iterator[str]:
    """JSON lines, every value a string; in ASCII, so that a byte that is not UTF-8 is an escape (0xff as \\udcff)."""
    return (json.dumps(event) for event in events)


def write_csv(events: Iterable[Event], settings: Settings, warn: Warn) -> Iterator[str]:
    """CSV whose columns are those of the first CSV_SAMPLE events, the tags last; warns of values in later columns."""
    events = iter(events)
    first = _take_sample(events, CSV_SAMPLE, lambda event: sum(map(len, chain(event, event.values()))))
    tags = [settings.prefix + name for name in asked_fields(settings)]
    names = dict.fromkeys(chain.from_iterable(first) if first else ["_time"])
    columns = [*(name for name in names if name not in tags), *tags]
    left_out: Event = {}
    yield ",".join(map(quote, columns))
    for event in chain(first, events):
        yield ",".join([quote(event.get(name, "")) for name in columns])
        if len(left_out) < MOST_LEFT_OUT:
            left_out.update((name, "") for name, text in event.items() if text and name not in names)
    if left_out:
        warn(
            f"the CSV has the columns of its first {len(first)} rows, and later ones are left out of it: "
            f"{_list_names(list(left_out))}; --output json keeps them."
        )


def _take_sample(items: Iterator[T], most: int, measure: Callable[[T], int]) -> list[T]:
    """The first items, as many as `most`, or fewer if they are long."""
    sample: list[T] = []
    length = 0
    for item in islice(items, most):
        sample.append(item)
        length += measure(item)
        if length > LONGEST_SAMPLE:
            break
    return sample


def _list_names(names: list[str]) -> str:
    shown = ", ".join(map(show_value, names[:10]))
    more = f"{len(names) - 10} more" if len(names) < MOST_LEFT_OUT else "many more"
    return f"{shown} and {more}" if len(names) > 10 else shown


def write_table(events: Iterable[Event], settings: Settings, warn: Warn, view: View = EPOCH_VIEW) -> Iterator[str]:
    """A table of what matters for timing; a value wider than its column moves the rest of its row."""
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
WRITERS: dict[str, Callable[[Iterable[Event], Settings, Warn], Iterator[str]]] = {
    "table": write_table,
    "csv": write_csv,
    "json": write_json,
}
