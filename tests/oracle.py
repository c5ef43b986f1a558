# SPDX-License-Identifier: Apache-2.0
"""What a reply must be, by the csv module and the plain path alone: none of the code that reads bytes is used here."""

import csv
import io

from flowlag.enrich import Enricher
from flowlag.settings import parse_settings


def enricher(chosen):
    return Enricher(parse_settings(chosen.items()))


def read_text(text):
    """CSV text as rows. The csv module of Python 3.9 refuses NUL and a bare CR, so it is shown others in their place."""
    shown = text.replace("\0", "\x07").replace("\r", "\x08")
    return [
        [value.replace("\x07", "\0").replace("\x08", "\r") for value in row]
        for row in csv.reader(io.StringIO(shown, newline=""))
    ]


def read_body(body):
    return read_text(body.decode("latin-1"))


def value_of(cell):
    """The value of one field's raw bytes."""
    (values,) = read_body(cell) or [[""]]
    (value,) = values or [""]
    return value.encode("latin-1").decode("utf-8", "replace")


def expected_reply(header, rows, chosen, line_end=b"\n"):
    """The reply to rows of raw fields; each field is one by itself, whatever is in it."""
    tagger = enricher(chosen)
    names = [value_of(cell) for cell in header]
    replaced = {twin + name for name in tagger.fields for twin in ("", "__mv_")}
    kept = [i for i, name in enumerate(names) if name not in replaced]
    time = names.index("_time") if "_time" in names else None
    sent = (
        [header[i] for i in kept]
        + ([b'"_time"'] if time is None else [])
        + [b'"%b"' % f.encode() for f in tagger.fields]
    )
    lines = [sent]
    for row in rows:
        cells = [*row, *[b""] * len(names)][: len(names)]
        event = dict(reversed([(name, value_of(cell)) for name, cell in zip(names, cells)]))
        before = event.get("_time")
        plain = next(tagger.rows([dict(event)]))
        if time is not None and plain["_time"] != before:
            cells[time] = plain["_time"].encode()
            if "__mv__time" in names:
                cells[names.index("__mv__time")] = b""
        added = [plain["_time"].encode()] if time is None else []
        lines.append([*(cells[i] for i in kept), *added, *(plain[name].encode() for name in tagger.fields)])
    return b"".join(b",".join(line) + line_end for line in lines), tagger.counts


def write_rows(header, rows, line_end=b"\n"):
    """The request body of rows of raw fields."""
    return b"".join(b",".join(line) + line_end for line in [header, *rows])


def cut(body, size):
    """A body in pieces of `size` bytes."""
    return [body[i : i + size] for i in range(0, len(body), size)]
