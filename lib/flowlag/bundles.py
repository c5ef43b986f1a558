# SPDX-License-Identifier: Apache-2.0
"""Events that hold several flow log records, or records in base64: they are not split, but named in the warning.

One event in is one event out, so these stay `other`; an advice to describe a layout would lead nowhere.
Authority: docs/enrich.md, Layouts.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, Optional

from flowlag.lines import member, read_json
from flowlag.recognition import find_record
from flowlag.words import split_words, strip_blanks

#: Lists of records in one document of CloudWatch, Firehose or S3.
_LISTS = ("logEvents", "events", "records", "Records")
#: A longer event is judged by its beginning.
_LONGEST = 1_000_000
_BASE64 = re.compile(r"[A-Za-z0-9+/]{40,}={0,2}")
_BETWEEN = re.compile(r"[\s,]*")

SEVERAL, PACKED = "several", "packed"
_SAYINGS = {
    SEVERAL: "{} of {} hold several records each, which are not split; break them into an event for each record when "
    "they are indexed.",
    PACKED: "{} of {} hold records in base64, which are not decoded; decode them before they are indexed.",
}


class Bundles:
    """Counts events that hold several records, or packed ones."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    @property
    def total(self) -> int:
        """How many there were."""
        return sum(self._counts.values())

    def note(self, raw: str) -> bool:
        """Count an event that was not read, if it is one; whether it is."""
        kind = find_bundle(raw)
        if kind is not None:
            self._counts[kind] += 1
        return kind is not None

    def warning(self, total: int) -> Optional[str]:
        """The sentences about them among `total` events; None if there were none."""
        sayings = [_SAYINGS[kind].format(count, f"{total} events") for kind, count in sorted(self._counts.items())]
        return " ".join(sayings) or None


def find_bundle(raw: str) -> Optional[str]:
    """SEVERAL or PACKED for a text that holds such records, else None."""
    text = strip_blanks(raw[:_LONGEST])
    if text.startswith(("{", "[")):
        return _find_in_documents(text)
    if "\n" not in text:
        return None
    lines = islice(filter(None, map(strip_blanks, text.split("\n"))), 2)
    return SEVERAL if [_is_line(line) for line in lines] == [True, True] else None


def _find_in_documents(text: str) -> Optional[str]:
    try:
        documents = list(islice(_read_documents(text), 2))
    except (ValueError, RecursionError):
        return None
    first = documents[0] if documents else None
    if isinstance(first, list) and len(documents) == 1:
        documents = first[:2]
    elif isinstance(first, dict) and len(documents) == 1:
        listed: list[Any] = next((first[name] for name in _LISTS if isinstance(first.get(name), list)), [])
        if _is_packed(first, "awslogs.data") or any(_is_packed(item, "kinesis.data", "data") for item in listed[:1]):
            return PACKED
        documents = listed[:2]
    return SEVERAL if len(documents) > 1 and all(map(_is_record, documents)) else None


def _read_documents(text: str) -> Iterator[Any]:
    """The documents of a text, back to back; raises ValueError at the first that is broken."""
    decoder, place = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str), 0
    while place < len(text):
        document, place = decoder.raw_decode(text, place)
        yield document
        between = _BETWEEN.match(text, place)
        place = between.end() if between else place


def _is_packed(document: Any, *names: str) -> bool:
    """Whether a member of a document is base64."""
    found = [member(document, name) for name in names] if isinstance(document, dict) else []
    return any(isinstance(data, str) and _BASE64.fullmatch(data) for data in found)


def _is_record(document: Any) -> bool:
    if isinstance(document, str):
        return _is_line(document)
    return isinstance(document, dict) and read_json(json.dumps(document)) is not None


def _is_line(text: str) -> bool:
    return find_record(split_words(strip_blanks(text))) is not None
