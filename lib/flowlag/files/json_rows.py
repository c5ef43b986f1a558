# SPDX-License-Identifier: Apache-2.0
"""JSON documents to rows: one a line, over several lines or back to back; lists of events are split.

Authority: CloudWatch Logs User Guide (subscription filters, FilterLogEvents); Firehose's files. Read 2026-11-24.
"""

from __future__ import annotations

import codecs
import io
import json
import zlib
from collections.abc import Iterator
from typing import Any, Optional

from flowlag.errors import LimitError
from flowlag.files.envelopes import Packed, open_envelope
from flowlag.files.limits import DEEPEST_DOCUMENT, LONGEST_DOCUMENT, MOST_REPEATED
from flowlag.files.rows import Row, RowReader
from flowlag.lines import text_of

#: Text is read in blocks that double while a document is incomplete, so that none is parsed more than twice.
BLOCK_BYTES = 65536
#: What reading or unpacking a file may raise if the file is damaged or beyond a limit.
DAMAGE = (OSError, EOFError, zlib.error, LimitError)
#: How much text may be parsed in vain, looking for the ends of broken documents: so many times what was read, plus so
#: many characters. Beyond that, a document has to be on one line.
MOST_WASTED, FREE_WASTED = 8, 1024 * 1024

_BETWEEN_DOCUMENTS = " \t\r\n\0\ufeff\x1e,"  # 0x1e: RFC 7464
_EXPANDED = ("logEvents", "events")
_PAGING = frozenset(("nextToken", "nextForwardToken", "nextBackwardToken", "searchedLogStreams"))
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)  # numbers stay as they are written


class _JsonText:
    """The part of a JSON file that is held; the text from `offset` on is still to be read."""

    def __init__(self, stream: io.BufferedIOBase) -> None:
        self.text = ""
        self.offset = 0
        self.is_last = False
        self.failure: Optional[Exception] = None
        self._allowance = FREE_WASTED
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode

    def fill(self) -> None:
        """Read at least as much again as is held; damage is kept in `failure` until the text before it is read."""
        pieces = [self.text[self.offset :]]
        if len(pieces[0]) > LONGEST_DOCUMENT:
            size = f"{LONGEST_DOCUMENT >> 20} MB"
            self.failure = LimitError(f"one of its JSON documents is longer than {size}; write each event on a line")
            self.is_last = True
        wanted = max(BLOCK_BYTES, min(len(pieces[0]), LONGEST_DOCUMENT - len(pieces[0])))
        try:
            while wanted > 0 and not self.is_last:
                piece = self._stream.read1(BLOCK_BYTES)
                self.is_last = not piece
                pieces.append(self._decode(piece, self.is_last))
                wanted -= len(piece)
                self._allowance += MOST_WASTED * len(piece)
        except DAMAGE as error:
            self.failure, self.is_last = error, True
        self.text, self.offset = "".join(pieces), 0

    def skip_separators(self) -> bool:
        """Go to the next document or line; False if the text held has none."""
        while self.offset < len(self.text) and self.text[self.offset] in _BETWEEN_DOCUMENTS:
            self.offset += 1
        return self.offset < len(self.text)

    def decode(self) -> tuple[Any, int]:
        """The document at `offset` and its end; an end of 0 says that it is broken, -1 that more text is needed."""
        if self.text[self.offset] not in "{[":
            return None, 0
        if self._allowance < 0:
            return self._decode_line()
        try:
            return _DECODER.raw_decode(self.text, self.offset)
        except json.JSONDecodeError as error:
            # an error this close to the end may be a word or an escape that goes on in the next block
            is_cut = error.msg.startswith("Unterminated string") or error.pos > len(self.text) - 16
            if is_cut and not self.is_last:
                return None, -1
            self._allowance -= error.pos - self.offset
        except RecursionError:
            self._allowance -= len(self.text) - self.offset
        return None, 0

    def _decode_line(self) -> tuple[Any, int]:
        """As decode, but only if the document ends on its first line."""
        line_end = self.text.find("\n", self.offset)
        if line_end < 0 and not self.is_last:
            return None, -1
        try:
            document, size = _DECODER.raw_decode(self.text[self.offset : line_end if line_end >= 0 else None])
        except (json.JSONDecodeError, RecursionError):
            return None, 0
        return document, self.offset + size


def read_json(stream: io.BufferedIOBase, reader: RowReader, is_packed: bool = False) -> Iterator[Row]:
    """The rows of JSON documents, one a line, over several lines, or back to back.

    The first line of a broken document is read as text; then the next line is tried. `is_packed` says that the stream
    is what a document had in base64.
    """
    held = _JsonText(stream)
    while held.skip_separators() or not held.is_last:
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
            row = reader.read_line(held.text[start : held.offset])
            if row is not None:
                yield row
    if held.failure:
        raise held.failure


def _read_document(document: Any, text: str, reader: RowReader, is_packed: bool) -> Iterator[Row]:
    if _is_deep(document):  # this is no flow log
        yield Row({"_raw": text}, is_other=True)
        return
    try:
        for event in _expand(document):
            if not isinstance(event, Packed):
                row = _read_event(event, reader)
                yield from [] if row is None else [row]
            elif is_packed:  # one in another is no shape of AWS
                yield Row({"_raw": text}, is_other=True)
            else:
                yield from read_json(io.BufferedReader(io.BytesIO(event)), reader, is_packed=True)
    except DAMAGE:  # of what it holds in base64
        yield Row({"_raw": text}, is_other=True)


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
    name = next((name for name in _EXPANDED if isinstance(fields.get(name), list)), None)
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
