# SPDX-License-Identifier: Apache-2.0
"""JSON documents -> rows: one a line, over several lines or back to back; CloudWatch's lists of events taken apart.

Authority: CloudWatch Logs User Guide (subscription filters, FilterLogEvents); Firehose's files. Read 2026-11-24.
"""

from __future__ import annotations

import codecs
import io
import json
import zlib
from collections.abc import Iterator
from typing import Any, Optional

from flowlag.lines import text_of
from flowlag.rows import Row, RowReader

#: Text is read in blocks that double while a document is not complete, so that none is parsed more than twice.
BLOCK_BYTES = 65536
#: What reading a file, or taking its compression off, may raise where the file is damaged.
DAMAGE = (OSError, EOFError, zlib.error)

_BETWEEN_DOCUMENTS = " \t\r\n\0\ufeff\x1e,"  # 0x1e: RFC 7464
_EXPANDED = ("logEvents", "events")
_PAGING = frozenset(("nextToken", "nextForwardToken", "nextBackwardToken", "searchedLogStreams"))
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)  # numbers stay as they are written


class _JsonText:
    """The part of a JSON file that is held: text from `place` on is still to be read."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self.text = ""
        self.place = 0
        self.is_last = False
        self.failure: Optional[Exception] = None
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode

    def fill(self) -> None:
        """Read on, at least as much as is held; damage is kept in `failure` until the text before it is read."""
        pieces = [self.text[self.place :]]
        wanted = max(BLOCK_BYTES, len(pieces[0]))
        try:
            while wanted > 0 and not self.is_last:
                piece = self._stream.read1(BLOCK_BYTES)
                self.is_last = not piece
                pieces.append(self._decode(piece, self.is_last))
                wanted -= len(piece)
        except DAMAGE as error:
            self.failure, self.is_last = error, True
        self.text, self.place = "".join(pieces), 0

    def skip_separators(self) -> bool:
        """Go to the next document or line; False when there is none in the text held."""
        while self.place < len(self.text) and self.text[self.place] in _BETWEEN_DOCUMENTS:
            self.place += 1
        return self.place < len(self.text)

    def decode(self) -> tuple[Any, int]:
        """The document at `place` and its end; an end of 0 says that it is broken, -1 that more text is needed."""
        if self.text[self.place] not in "{[":
            return None, 0
        try:
            return _DECODER.raw_decode(self.text, self.place)
        except json.JSONDecodeError as error:
            # an error this near the end may be a word or an escape that goes on in the next block
            is_cut = error.msg.startswith("Unterminated string") or error.pos > len(self.text) - 16
            return None, -1 if is_cut and not self.is_last else 0
        except RecursionError:
            return None, 0


def read_json(stream: io.BufferedIOBase, reader: RowReader) -> Iterator[Row]:
    """The rows of JSON documents, one a line, over several lines, or back to back.

    A document that is broken costs its first line, which is read as text; the next line is tried again.
    """
    held = _JsonText(stream)
    while held.skip_separators() or not held.is_last:
        if held.place >= len(held.text):
            held.fill()
            continue
        document, end = held.decode()
        line_end = held.text.find("\n", held.place) if end <= 0 else -1
        if end < 0 or (end == 0 and line_end < 0 and not held.is_last):
            held.fill()
            continue
        if end == 0 and line_end < 0 and held.failure:
            break
        start, held.place = held.place, end or (line_end if line_end >= 0 else len(held.text))
        if end:
            yield from _read_document(document, held.text[start:end], reader)
        else:
            row = reader.read_line(held.text[start : held.place])
            if row is not None:
                yield row
    if held.failure:
        raise held.failure


def _read_document(document: Any, text: str, reader: RowReader) -> list[Row]:
    try:
        return [row for event in _expand(document) for row in _read_event(event, reader)]
    except RecursionError:  # nested deeper than Python calls itself: nobody's flow log
        return [Row({"_raw": text}, is_other=True)]


def _expand(document: Any) -> Iterator[Any]:
    """The events of a document: an array's, those that CloudWatch lists (with what it says of all), else itself."""
    if isinstance(document, list):
        for item in document:
            yield from _expand(item)
        return
    fields = document if isinstance(document, dict) else {}
    name = next((name for name in _EXPANDED if isinstance(fields.get(name), list)), None)
    if fields.get("messageType") == "CONTROL_MESSAGE":  # a health check of the subscription
        return
    if name is None:
        yield document
    else:
        common = {key: value for key, value in document.items() if key != name and key not in _PAGING}
        for event in document[name]:
            yield {**common, **event} if isinstance(event, dict) else event


def _read_event(event: Any, reader: RowReader) -> Iterator[Row]:
    if not isinstance(event, dict):
        row = reader.read_line(event if isinstance(event, str) else json.dumps(event))
    else:
        extracted = event.get("extractedFields")
        if isinstance(extracted, dict):
            event = {key: value for key, value in event.items() if key != "extractedFields"}
        row = reader.read_fields(_flatten(event))
        if row is not None and isinstance(extracted, dict):
            row = _fill_fields(row, _flatten(extracted), reader)
    if row is not None:
        yield row


def _fill_fields(row: Row, extracted: dict[str, str], reader: RowReader) -> Row:
    """A row with what a subscription's filter pattern took from its message, as far as the row lacks it."""
    fields = {**extracted, **row.fields}
    ordered = {name: fields[name] for name in (*row.fields, *extracted)}
    return row._replace(fields=ordered, is_other=row.is_other and not reader.tells_flow(ordered))


def _flatten(document: dict[str, Any]) -> dict[str, str]:
    """A JSON object as fields with dotted names; null is empty, a list of strings is one a line."""
    fields: dict[str, str] = {}
    for name, value in document.items():
        if isinstance(value, dict):
            fields.update((f"{name}.{inner}", text) for inner, text in _flatten(value).items())
        else:
            fields[name] = text_of(value) or ""
    return fields
