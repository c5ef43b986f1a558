# SPDX-License-Identifier: Apache-2.0
"""A chunk's CSV bytes in, the same bytes with `_time` and the tag columns set out.

A csv.reader only READS the columns that are needed and tells how far a record reaches; what goes out is the record's
original bytes plus the tags, so every other column stays as it came, byte for byte, whatever its quoting or encoding.
Where a column has to change (`_time`, tags that exist already) or a row is not as wide as its header, the record is
taken apart into the raw text of its fields and put together again. Bytes pass through as Latin-1, which maps all 256.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import NamedTuple, Optional

from flowlag.enrich import Enricher
from flowlag.tags import Tags

TWIN = "__mv_"  # a multivalue field's values stand in a second column of this name


class _Plan(NamedTuple):
    """What one header asks for: where inputs stand, which columns go out, and the header line that is sent."""

    width: int
    columns: dict[str, int]
    kept: Optional[list[int]]  # None when every column stays
    time: Optional[int]
    time_twin: Optional[int]
    header: str


class ChunkTagger:
    """Tags the bodies of one search, each on its own."""

    def __init__(self, enricher: Enricher) -> None:
        self._enricher = enricher

    def tag(self, body: bytes) -> bytes:
        """The reply body for a request body (CSV with a header line); empty when there is no event."""
        text = body.decode("latin-1")
        start = scan_record(text, 0)
        if start >= len(text):
            return b""
        plan = self._plan(text[:start])
        pieces = [plan.header]
        pieces.extend(self._tag_record(plan, values, record) for values, record in read_records(text, start))
        return "".join(pieces).encode("latin-1")

    def _plan(self, header: str) -> _Plan:
        line, line_end = cut_line_end(header)
        raw_names = split_record(line)
        names = [decode(unquote(name)) for name in raw_names]
        replaced = {twin + name for name in self._enricher.fields for twin in ("", TWIN)}
        kept = [i for i, name in enumerate(names) if name not in replaced]
        columns = {name: i for i, name in reversed(list(enumerate(names)))}  # of two columns with one name, the first
        sent = [raw_names[i] for i in kept]
        if "_time" not in columns:
            sent.append('"_time"')
        sent.extend(f'"{name}"' for name in self._enricher.fields)
        return _Plan(
            width=len(names),
            columns=columns,
            kept=None if len(kept) == len(names) else kept,
            time=columns.get("_time"),
            time_twin=columns.get(TWIN + "_time"),
            header=",".join(sent) + (line_end or "\n"),
        )

    def _tag_record(self, plan: _Plan, values: list[str], record: str) -> str:
        line, line_end = cut_line_end(record)

        def get(name: str) -> Optional[str]:
            place = plan.columns.get(name)
            return None if place is None or place >= len(values) else decode(values[place])

        tags = self._enricher.tag(get)
        time = self._enricher.new_time(tags, get("_time"))
        if plan.kept is not None or len(values) != plan.width or (time and plan.time is not None):
            line = _rebuild(plan, line, time)
        return f"{line}{_suffix(plan, tags, time)}{line_end or chr(10)}"


def _suffix(plan: _Plan, tags: Tags, time: str) -> str:
    added = ("," + time) if plan.time is None else ""
    return f"{added},{','.join(tags)}"  # numbers and words: nothing in a tag ever needs quotes


def _rebuild(plan: _Plan, line: str, time: str) -> str:
    """The record's line as wide as the header, with the new `_time` and without the columns that are replaced."""
    fields = split_record(line)[: plan.width]
    fields += [""] * (plan.width - len(fields))
    if time and plan.time is not None:
        fields[plan.time] = time
        if plan.time_twin is not None:
            fields[plan.time_twin] = ""
    return ",".join(fields if plan.kept is None else [fields[i] for i in plan.kept])


def read_records(text: str, start: int) -> Iterator[tuple[list[str], str]]:
    """Each record of CSV `text` from offset `start`: its fields' values, and its original text, line end included.

    The csv module refuses a NUL byte (Python 3.9), a lone CR and fields over its limit; such a record is scanned.
    """
    while start < len(text):
        lines = _Lines(text, start)
        reader = csv.reader(lines)
        try:
            for values in reader:
                yield values, text[start : lines.place]
                start = lines.place
        except csv.Error:
            end = scan_record(text, start)
            record = text[start:end]
            yield [unquote(field) for field in split_record(cut_line_end(record)[0])], record
            start = end


class _Lines:
    """Iterates over the lines of a text, each with its LF (without it, csv.reader would glue multivalues together).

    csv.reader asks for no more lines than the record needs, so `place` is where the record ends.
    """

    def __init__(self, text: str, place: int) -> None:
        self.text = text
        self.place = place

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        start = self.place
        if start >= len(self.text):
            raise StopIteration
        self.place = self.text.find("\n", start) + 1 or len(self.text)
        return self.text[start : self.place]


def scan_field(text: str, start: int) -> int:
    """Where the field that begins at `start` ends: the offset of its comma, its LF, or the end of the text.

    As the csv module reads: quotes count only at a field's beginning; what follows the closing quote is literal.
    """
    if text[start : start + 1] == '"':
        start = text.find('"', start + 1)
        while start >= 0 and text[start + 1 : start + 2] == '"':
            start = text.find('"', start + 2)
        if start < 0:
            return len(text)
    line_end = text.find("\n", start)
    line_end = len(text) if line_end < 0 else line_end
    comma = text.find(",", start, line_end)
    return line_end if comma < 0 else comma


def scan_record(text: str, start: int) -> int:
    """Where the record that begins at `start` ends, its line end included."""
    while True:
        end = scan_field(text, start)
        if text[end : end + 1] != ",":
            return min(end + 1, len(text))
        start = end + 1


def split_record(line: str) -> list[str]:
    """The raw texts of a record's fields, quotes and all; joined with commas they are the line again."""
    fields = []
    start = 0
    while True:
        end = scan_field(line, start)
        fields.append(line[start:end])
        if end >= len(line):
            return fields
        start = end + 1


def unquote(field: str) -> str:
    """The value of a field's raw text."""
    if not field.startswith('"'):
        return field
    end = field.find('"', 1)
    while end >= 0 and field[end + 1 : end + 2] == '"':
        end = field.find('"', end + 2)
    if end < 0:
        return field[1:].replace('""', '"')
    return field[1:end].replace('""', '"') + field[end + 1 :]


def cut_line_end(record: str) -> tuple[str, str]:
    """A record's text without its line end, and the line end (LF, CRLF or none)."""
    if record.endswith("\r\n"):
        return record[:-2], "\r\n"
    return (record[:-1], "\n") if record.endswith("\n") else (record, "")


def decode(text: str) -> str:
    """The text whose UTF-8 bytes passed as Latin-1."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")
