# SPDX-License-Identifier: Apache-2.0
"""The beginnings and ends of records and fields in CSV text, by the rules of the csv module.

The csv module gives values without their offsets, and refuses some bytes; this module finds the offsets and accepts any
bytes. A text has one character for each byte (Latin-1).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator


def read_records(text: str, start: int) -> Iterator[tuple[list[str], str]]:
    """Each record of CSV `text` from offset `start`: the values of its fields, and its original text with its line end.

    The csv module refuses a NUL byte (Python 3.9), a lone CR and fields over its limit, and takes lone CRs at the end
    of a record for its line end; such records are scanned.
    """
    has_lone = "\r\r" in text or text.endswith("\r")
    while start < len(text):
        lines = _Lines(text, start)
        reader = csv.reader(lines)
        try:
            for values in reader:
                if has_lone and cut_line_end(text[start : lines.end])[0].endswith("\r"):
                    break
                yield values, text[start : lines.end]
                start = lines.end
            else:
                continue
        except csv.Error:
            pass
        end = scan_record(text, start)
        record = text[start:end]
        yield [unquote(field) for field in split_record(cut_line_end(record)[0])], record
        start = end


class _Lines:
    """The lines of a text from an offset on, each with its LF (without it, csv.reader would join multivalues).

    csv.reader asks for no more lines than the record needs, so `end` is the end of the record.
    """

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.end = start

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        start = self.end
        if start >= len(self.text):
            raise StopIteration
        self.end = self.text.find("\n", start) + 1 or len(self.text)
        return self.text[start : self.end]


def scan_field(text: str, start: int) -> int:
    """The end of the field that begins at `start`: the offset of its comma, of its LF, or of the end of the text.

    As in the csv module, a quote counts only at the beginning of a field, and text after the closing quote is literal.
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
    """The end of the record that begins at `start`, after its line end."""
    while True:
        end = scan_field(text, start)
        if text[end : end + 1] != ",":
            return min(end + 1, len(text))
        start = end + 1


def split_record(line: str) -> list[str]:
    """The raw texts of a record's fields, with their quotes; joined with commas, they are the line again."""
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
    """Whether a record is complete, so that its last LF is not inside a quoted field."""
    return scan_record(record + "\n", 0) == len(record)


def unquote(field: str) -> str:
    """The value of a field's raw text."""
    if not field.startswith('"'):
        return field
    end = _find_close(field)
    if end < 0:
        return field[1:].replace('""', '"')
    return field[1:end].replace('""', '"') + field[end + 1 :]


def unquote_all(fields: list[str]) -> list[str]:
    """The values of raw texts without LFs. Mostly all are in quotes and have none inside, which one count shows."""
    text = "\n".join(fields)
    marks = 2 * len(fields)
    if text.count('"') == marks and text.count('"\n"') == len(fields) - 1 and text[:1] == text[-1:] == '"':
        return text[1:-1].split('"\n"')
    return [unquote(field) for field in fields]


def _find_close(field: str) -> int:
    """The offset of the quote that closes a quoted field, -1 if there is none."""
    end = field.find('"', 1)
    while end >= 0 and field[end + 1 : end + 2] == '"':
        end = field.find('"', end + 2)
    return end


def close_record(record: str) -> str:
    """The last record of a text, with an open quote closed: else a text added to it would be read as quoted."""
    last = split_record(record)[-1]
    return record + '"' if last.startswith('"') and _find_close(last) < 0 else record


def quote(value: str) -> str:
    """A value as a cell, in quotes if it needs them."""
    needs_quotes = "," in value or '"' in value or "\n" in value or "\r" in value
    return enquote(value) if needs_quotes else value


def enquote(value: str) -> str:
    """A value as a cell in quotes."""
    return '"' + value.replace('"', '""') + '"'


def cut_line_end(record: str) -> tuple[str, str]:
    """The text of a record without its line end, and the line end (LF, CRLF or none)."""
    if record.endswith("\r\n"):
        return record[:-2], "\r\n"
    return (record[:-1], "\n") if record.endswith("\n") else (record, "")


def decode(text: str) -> str:
    """The text whose UTF-8 bytes were read as Latin-1."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")
