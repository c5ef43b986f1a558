# SPDX-License-Identifier: Apache-2.0
"""The Community ID of an event: where the texts of its five-tuple are, and the ID that they give.

They are where the record's times are: in the fields of the event, or in its `_raw`, because the extractions of the
add-on misread layouts that they were not made for. Import this module only if an ID is asked for (see community.py).
Authority: docs/enrich.md, Flows in other logs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Optional

from flowlag.community import hash_ends, pack_address
from flowlag.enrich_options import Settings
from flowlag.fields import Names, has_value, pick_values
from flowlag.five_tuple import (
    DEST_NAMES,
    DEST_PORT_NAMES,
    PROTOCOL_NAMES,
    SRC_NAMES,
    SRC_PORT_NAMES,
    read_port,
    read_protocol,
)
from flowlag.layouts import Layout
from flowlag.lines import NAMES, member, text_of
from flowlag.memo import Memo, longest_of
from flowlag.recognition import find_record
from flowlag.words import split_words, strip_blanks

Get = Callable[[str], Optional[str]]


def has_protocol(text: Optional[str]) -> bool:
    """Whether a text is a protocol: `ip`, which the CIM has in `protocol`, is none."""
    return read_protocol(text) is not None


class Part(NamedTuple):
    """A part of a five-tuple: the first of the `names` whose text is a value counts, and `read` gives what it means."""

    names: Sequence[str]
    is_value: Callable[[Optional[str]], bool]
    read: Callable[[Optional[str]], Any]


#: In the order of the arguments of `identify`.
PARTS = (
    Part(SRC_NAMES, has_value, lambda text: pack_address(text or "")),
    Part(SRC_PORT_NAMES, has_value, read_port),
    Part(DEST_NAMES, has_value, lambda text: pack_address(text or "")),
    Part(DEST_PORT_NAMES, has_value, read_port),
    Part(PROTOCOL_NAMES, has_protocol, read_protocol),
)


def identify(
    src: bytes, src_port: Optional[int], dest: bytes, dest_port: Optional[int], protocol: Optional[int]
) -> str:
    """The ID by the parts of a five-tuple as `read` gives them, empty if one is missing."""
    if src_port is None or dest_port is None or protocol is None:
        return ""
    return hash_ends(protocol, (src, src_port), (dest, dest_port))


class CommunityIds:
    """Finds the Community IDs of events by one set of settings; empty if a part of the five-tuple is missing."""

    def __init__(self, settings: Settings) -> None:
        self._layouts = settings.layouts
        self._names = settings.names
        self._ids: Memo[tuple[Optional[str], ...], str] = Memo(_identify_texts, longest_of)

    def of_fields(self, get: Get) -> str:
        """The ID by the fields that `get` returns."""
        return self._ids[tuple([next(filter(part.is_value, map(get, part.names)), None) for part in PARTS])]

    def of_raw(self, raw: str) -> str:
        """The ID by a `_raw` that was read as a record: from the line or JSON object that gave its times."""
        try:
            get = self._find_source(strip_blanks(raw))
            return "" if get is None else self.of_fields(get)
        except (ValueError, RecursionError):  # as in lines.py: some depths can be read, but not be written again
            return ""

    def _find_source(self, text: str) -> Optional[Get]:
        """What gives the fields of `_raw` by name: its columns or, if no layout is given, a JSON object; else None."""
        if self._layouts or not text.startswith("{"):
            return _find_columns(text, self._layouts)
        document = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)

        def get(name: str) -> Optional[str]:
            return text_of(member(document, name))

        if any(_is_whole(get, names) for names in (self._names, NAMES)):
            return get
        return _find_columns(strip_blanks(get("message") or "")) or get


def _identify_texts(texts: Sequence[Optional[str]]) -> str:
    return identify(*(part.read(text) for part, text in zip(PARTS, texts)))


def _is_whole(get: Get, names: Names) -> bool:
    """Whether the times are those of the JSON object, and not of the line in its `message`."""
    values = pick_values(get, names)
    return bool(values.start and values.end)


def _find_columns(line: str, layouts: Sequence[Layout] = ()) -> Optional[Get]:
    """What gives the columns of a line that is a record, by name; else None."""
    found = find_record(split_words(line), layouts)
    if found is None:
        return None
    columns = {name.lower(): found.words[place] for name, place in found.layout.places.items()}
    return lambda name: columns.get(name.replace("-", "_"))
