# SPDX-License-Identifier: Apache-2.0
"""The raw text of an event to timing values: header lines, known layouts, and JSON objects.

Nothing is guessed: a line that does not have the exact shape of a layout gives no values.
Authority: docs/enrich.md, Layouts.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any, Optional, Union

from flowlag.fields import FIELD_VERSIONS, Names, Values, pick_values
from flowlag.instants import parse_instant
from flowlag.layouts import LAYOUTS, Layout

#: The reading of a line that names columns and has no values; it is recognised by identity.
HEADER = "header"
Reading = Union[Values, str, None]  # str is HEADER
#: The known names.
NAMES = Names()

STATUS_WORDS = {"OK": "ok", "NODATA": "nodata", "SKIPDATA": "skipdata"}

_BLANKS = " \t\n\r\f\v"
_COLUMN = re.compile(r"[^ \t]+")
_LONG_LINE = 65_536  # characters; a shorter text is split in one go, which is faster
_MOST_COLUMNS = 1000  # AWS knows fewer than a hundred fields
_WORD = re.compile(r"[^\s,]+", re.ASCII)
_QUOTES = str.maketrans("_", "-", "\"'\ufeff")


def strip_blanks(text: str) -> str:
    """`text` without ASCII white space, and without a byte order mark at its beginning."""
    return text.strip(_BLANKS).lstrip("\ufeff").strip(_BLANKS)


def split_words(line: str) -> list[str]:
    """The columns of one line: runs of spaces and tabs are one separator; empty if the text has several lines.

    A text with more columns than any record has is not split to its end.
    """
    if "\n" in line or "\r" in line:
        return []
    if len(line) > _LONG_LINE:
        return [match.group() for match in islice(_COLUMN.finditer(line), _MOST_COLUMNS)]
    return [word for word in line.replace("\t", " ").split(" ") if word]


def normalise_name(word: str) -> str:
    """A column name as AWS writes it: lower case, `-` for `_`, without quotes and byte order marks."""
    return word.translate(_QUOTES).lower()


def is_header(line: str) -> bool:
    """Whether the first word is `version`, or there are at least three words and all are names of AWS fields."""
    count = 0
    for match in _WORD.finditer(line):
        name = normalise_name(match.group())
        if count == 0 and name == "version":
            return True
        if name not in FIELD_VERSIONS:
            return False
        count += 1
    return count >= 3


def status_of(text: Optional[str]) -> Optional[str]:
    """`ok`, `nodata` or `skipdata` for a log status (any case, blanks around it are ignored), else None."""
    if text is None or not text.isascii():  # upper() maps some letters outside ASCII to ASCII ones
        return None
    return STATUS_WORDS.get(text.strip(_BLANKS).upper())


def match_layout(line: str) -> Optional[Layout]:
    """The known layout that a line fits exactly: number of columns, version, stamps and log status; else None."""
    words = split_words(line)
    return next((layout for layout in LAYOUTS.values() if _fits(layout, words)), None)


def _fits(layout: Layout, words: list[str]) -> bool:
    if len(words) != len(layout):
        return False
    version = words[layout.version[0]]
    if not (version.isascii() and version.isdigit()):
        return False
    values = layout.values(words)
    if status_of(values.status) is None or values.start is None or values.end is None:
        return False
    return parse_instant(values.start) is not None and parse_instant(values.end) is not None


def read_line(line: str, layout: Optional[Layout]) -> Reading:
    """The values of a stripped line in `layout`, or in the known layout that it fits if `layout` is None."""
    if is_header(line):
        return HEADER
    words = split_words(line)
    if layout is None:
        layout = next((known for known in LAYOUTS.values() if _fits(known, words)), None)
    return layout.values(words) if layout is not None and len(words) == len(layout) else None


def read_raw(text: str, layout: Optional[Layout], names: Names = NAMES) -> Reading:
    """The reading of `_raw`: the values of a line or, without `layout` (`format=auto`), of a JSON object; else None."""
    line = strip_blanks(text)
    if layout is None and line.startswith("{"):
        return read_json(line, names)
    return read_line(line, layout)


def read_json(text: str, names: Names = NAMES) -> Reading:
    """The values of a JSON object by `names` or the known names, else of the line in its `message`; else None.

    Values without a start or without an end are taken only if nothing better is found.
    """
    try:
        # numbers stay as they are written: no float rounding, no limit on digits
        document = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
        return _read_object(document, names) if isinstance(document, dict) else None
    except (ValueError, RecursionError):  # some depths can be read, but not be written again
        return None


def _read_object(document: dict[str, Any], names: Names) -> Reading:
    found = [pick_values(lambda name: text_of(member(document, name)), some) for some in dict.fromkeys((names, NAMES))]
    whole = next((values for values in found if values.start and values.end), None)
    if whole is not None:
        return whole
    reading = read_line(strip_blanks(text_of(document.get("message")) or ""), None)
    return next(filter(tells_flow, found), None) if reading is None else reading


def tells_flow(values: Values) -> bool:
    """Whether the values have a start, an end or a log status word."""
    return bool(values.start or values.end or status_of(values.status))


def member(document: dict[str, Any], name: str) -> Any:
    """The member `name` of a JSON object, with dots for nested objects; None if there is none."""
    while name not in document and "." in name:
        head, _, name = name.partition(".")
        document = document.get(head)  # type: ignore[assignment]
        if not isinstance(document, dict):
            return None
    return document.get(name)


def text_of(value: Any) -> Optional[str]:
    """A JSON value as field text: strings as they are, null as None, a list of strings one a line as in Splunk."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return json.dumps(value)
