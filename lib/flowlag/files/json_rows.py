# SPDX-License-Identifier: Apache-2.0
"""JSON documents to rows: one a line, over several lines or back to back; lists of events are split.

Authority: CloudWatch Logs User Guide (subscription filters, FilterLogEvents); Firehose's files. Read 2026-11-24.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Optional

from flowlag.errors import LimitError
from flowlag.files.alike import join_alike
from flowlag.files.batches import Batch, Cells, Lines, Rows
from flowlag.files.envelopes import EXPANDED, Packed, open_envelope
from flowlag.files.json_text import DAMAGE, JsonText
from flowlag.files.limits import DEEPEST_DOCUMENT, LONGEST_DOCUMENT, MOST_REPEATED
from flowlag.files.rows import Row, RowReader
from flowlag.lines import text_of

#: Events of one document that are looked at together.
MOST_EVENTS = 4096

_PAGING = frozenset(("nextToken", "nextForwardToken", "nextBackwardToken", "searchedLogStreams"))


def read_json(stream: io.BufferedIOBase, reader: RowReader, is_packed: bool = False) -> Iterator[Batch]:
    """The events of JSON documents, one a line, over several lines, or back to back.

    The first line of a broken document is read as text; then the next line is tried. `is_packed` says that the stream
    is what a document had in base64.
    """
    held = JsonText(stream)
    while held.skip_separators() or not held.is_last:
        columns = held.take_alike()
        if columns is not None:
            yield Cells(reader, columns)
            continue
        if held.offset >= len(held.text):
            held.fill()
            continue
        document, end = held.decode()
        line_end = held.text.find("\n", held.offset) if end <= 0 else -1
        if end < 0 or (end == 0 and line_end < 0 and not held.is_last):
            held.fill()
            continue
        if end == 0 and line_end < 0 and held.failure:
            break
        start, held.offset = held.offset, end or (line_end if line_end >= 0 else len(held.text))
        if end:
            yield from _read_document(document, held.text[start:end], reader, is_packed)
        else:
            yield Lines(reader, [held.text[start : held.offset]])
    if held.failure:
        raise held.failure


def _read_document(document: Any, text: str, reader: RowReader, is_packed: bool) -> Iterator[Batch]:
    whole = Rows([Row({"_raw": text}, is_other=True)])
    if _is_deep(document):  # this is no flow log
        yield whole
        return
    try:
        events = _expand(document)
        while some := list(islice(events, MOST_EVENTS)):
            columns = None if any(isinstance(event, Packed) for event in some) else join_alike(some)
            if columns is not None:
                yield Cells(reader, columns)
                continue
            for event in some:
                if not isinstance(event, Packed):
                    row = _read_event(event, reader)
                    yield Rows([] if row is None else [row])
                elif is_packed:  # one in another is no shape of AWS
                    yield whole
                else:
                    yield from read_json(io.BufferedReader(io.BytesIO(event)), reader, is_packed=True)
    except DAMAGE:  # of what it holds in base64
        yield whole


def _is_deep(document: Any) -> bool:
    """Whether a document has more levels than are read, so that nothing below recurses too deeply."""
    level = [document]
    for _ in range(DEEPEST_DOCUMENT):  # level by level, not branch by branch
        parts = [part.values() if isinstance(part, dict) else part for part in level]
        level = [inner for part in parts for inner in part if isinstance(inner, (dict, list))]
        if not level:
            return False
    return True


def _expand(document: Any) -> Iterator[Any]:
    """The events of a document: those of an array, of a list of CloudWatch (with its common fields) or of an envelope.

    Any other document is an event itself.
    """
    if isinstance(document, list):
        for item in document:
            yield from _expand(item)
        return
    fields = document if isinstance(document, dict) else {}
    name = next((name for name in EXPANDED if isinstance(fields.get(name), list)), None)
    if fields.get("messageType") == "CONTROL_MESSAGE":  # a health check of the subscription
        return
    if name is None:
        events = open_envelope(fields)
        yield from [document] if events is None else events
        return
    common = {key: value for key, value in document.items() if key != name and key not in _PAGING}
    listed = document[name]
    if len(json.dumps(common)) * len(listed) > MOST_REPEATED:  # these are no longer a few words for each event
        yield from (*listed, common)
        return
    for event in listed:
        yield {**common, **event} if isinstance(event, dict) else event


def _read_event(event: Any, reader: RowReader) -> Optional[Row]:
    if not isinstance(event, dict):
        return reader.read_line(event if isinstance(event, str) else json.dumps(event))
    try:
        return _read_object(event, reader)
    except LimitError:
        return Row({"_raw": json.dumps(event)}, is_other=True)


def _read_object(event: dict[str, Any], reader: RowReader) -> Optional[Row]:
    extracted = event.get("extractedFields")
    if isinstance(extracted, dict):
        event = {key: value for key, value in event.items() if key != "extractedFields"}
    row = reader.read_fields(_flatten(event))
    if row is not None and isinstance(extracted, dict):
        row = _fill_fields(row, _flatten(extracted), reader)
    return row


def _fill_fields(row: Row, extracted: dict[str, str], reader: RowReader) -> Row:
    """A row plus the fields that a subscription's filter pattern extracted from its message, if the row lacks them."""
    fields = {**extracted, **row.fields}
    ordered = {name: fields[name] for name in (*row.fields, *extracted)}
    is_other = row.is_other and not reader.tells_flow(ordered)
    return row._replace(fields=ordered, is_other=is_other, aliases=reader.find_aliases(ordered))


def _flatten(document: dict[str, Any]) -> dict[str, str]:
    """A JSON object as fields with dotted names; null becomes empty, a list of strings one string a line.

    Names grow with the depth: raises LimitError if all of them together are longer than the longest document.
    """
    fields: dict[str, str] = {}
    length = 0
    for name, value in document.items():
        if isinstance(value, dict):
            for inner, text in _flatten(value).items():
                length += len(name) + len(inner)
                if length > LONGEST_DOCUMENT:
                    raise LimitError("the dotted names of one event are longer than a document may be")
                fields[f"{name}.{inner}"] = text
        else:
            fields[name] = text_of(value) or ""
    return fields
