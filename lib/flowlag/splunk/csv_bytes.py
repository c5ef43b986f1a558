# SPDX-License-Identifier: Apache-2.0
"""Where the records and fields of CSV text begin and end, read as the csv module reads.

The csv module gives values, not places, and refuses some bytes; what is here finds the places and takes whatever comes.
Text holds one character per byte (Latin-1).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

_SPECIAL = re.compile(r'[,"\r\n]')


def read_records(text: str, start: int) -> Iterator[tuple[list[str], str]]:
    """Each record of CSV `text` from offset `start`: its fields' values, and its original text, line end included.

    The csv module refuses a NUL byte (Python 3.9), a lone CR and fields over its limit, and takes lone CRs at the end
    of a record for its line end; such a record is scanned.
    """
    has_lone = "\r\r" in text or text.endswith("\r")
    while start < len(text):
        lines = _Lines(text, start)
        reader = csv.reader(lines)
        try:
            for values in reader:
                if has_lone and cut_line_end(text[start : lines.place])[0].endswith("\r"):
                    break
                yield values, text[start : lines.place]
                start = lines.place
            else:
                continue
        except csv.Error:
            pass
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
    if '"' not in line and "\n" not in line:
        return line.split(",")
    fields = []
    start = 0
    while True:
        end = scan_field(line, start)
        fields.append(line[start:end])
        if end >= len(line):
            return fields
        start = end + 1


def is_whole(record: str) -> bool:
    """Whether a record that ends with LF ends there, and not within a quoted field."""
    return scan_record(record + "\n", 0) == len(record)


def unquote(field: str) -> str:
    """The value of a field's raw text."""
    if not field.startswith('"'):
        return field
    end = _find_close(field)
    if end < 0:
        return field[1:].replace('""', '"')
    return field[1:end].replace('""', '"') + field[end + 1 :]


def _find_close(field: str) -> int:
    """Where the quote stands that closes a quoted field, -1 when there is none."""
    end = field.find('"', 1)
    while end >= 0 and field[end + 1 : end + 2] == '"':
        end = field.find('"', end + 2)
    return end


def close_record(record: str) -> str:
    """A text's last record, its quote closed if it is open: else what is written behind it would be read as inside."""
    last = split_record(record)[-1]
    return record + '"' if last.startswith('"') and _find_close(last) < 0 else record


def quote(value: str) -> str:
    """A value as a cell, in quotes if it needs them."""
    return enquote(value) if _SPECIAL.search(value) else value


def enquote(value: str) -> str:
    """A value as a cell in quotes."""
    return '"' + value.replace('"', '""') + '"'


def cut_line_end(record: str) -> tuple[str, str]:
    """A record's text without its line end, and the line end (LF, CRLF or none)."""
    if record.endswith("\r\n"):
        return record[:-2], "\r\n"
    return (record[:-1], "\n") if record.endswith("\n") else (record, "")


def decode(text: str) -> str:
    """The text whose UTF-8 bytes passed as Latin-1."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")
