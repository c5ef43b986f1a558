# SPDX-License-Identifier: Apache-2.0
"""The words of a line: how a line is split, which words name columns, and which are a log status.

Authority: docs/enrich.md, Layouts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Optional

from flowlag.fields import FIELD_VERSIONS

#: A log status as AWS writes it -> the status of its record. INCOMPLETEDATA is Cloud WAN's.
STATUS_WORDS = {"OK": "ok", "NODATA": "nodata", "SKIPDATA": "skipdata", "INCOMPLETEDATA": "skipdata"}

_BLANKS = " \t\n\r\f\v"
_COLUMN = re.compile(r"[^ \t]+")
_LONG_LINE = 65_536  # characters; a shorter text is split in one go, which is faster
#: Words of a long line that are split.
MOST_COLUMNS = 1000  # AWS knows fewer than a hundred fields
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
        return [match.group() for match in islice(_COLUMN.finditer(line), MOST_COLUMNS)]
    return [word for word in line.replace("\t", " ").split(" ") if word]


def normalise_name(word: str) -> str:
    """A column name as AWS writes it: lower case, `-` for `_`, without quotes and byte order marks."""
    return word.translate(_QUOTES).lower()


def is_name(text: str) -> bool:
    """Whether a text could be the name of an AWS field: lower case letters, digits and `-`, a letter first."""
    return text[:1].isalpha() and text.isascii() and text.islower() and text.replace("-", "a").isalnum()


def is_header(line: str) -> bool:
    """Whether the first word of a line is `version`, or its words are names of columns (see `names_columns`)."""
    names: list[str] = []
    for match in _WORD.finditer(line):
        name = normalise_name(match.group())
        if name == "version" and not names:
            return True
        if not is_name(name):
            return False
        names.append(name)
    return names_columns(names)


def names_columns(names: Sequence[str]) -> bool:
    """Whether words are names of columns: all of them well-formed, three and three quarters of them AWS's.

    So a header line with fields that AWS added after this release is one.
    """
    known = sum(name in FIELD_VERSIONS for name in names)
    return known >= 3 and 4 * known >= 3 * len(names) and all(map(is_name, names))


def status_of(text: Optional[str]) -> Optional[str]:
    """`ok`, `nodata` or `skipdata` for a log status (any case, blanks around it are ignored), else None."""
    if text is None or not text.isascii():  # upper() maps some letters outside ASCII to ASCII ones
        return None
    return STATUS_WORDS.get(text.strip(_BLANKS).upper())
