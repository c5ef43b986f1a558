# SPDX-License-Identifier: Apache-2.0
"""Files in every shape in which AWS delivers flow logs -> rows. The only file that opens inputs.

What a file is, its content says and never its name: gzip (members back to back, in up to three layers), Parquet, JSON
documents, CSV with a header line, else lines of text. Nothing is dropped in silence: what cannot be read becomes a row
of status `other`, and a file that cannot be read on raises SourceError after the rows before the damage.

Authority: contract section 5; facts on delivery shapes (Firehose's gzip in gzip, CloudWatch exports). Read 2026-11-24.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any, Callable, NamedTuple, Optional

from flowlag.errors import SourceError
from flowlag.fields import FIELD_VERSIONS, Layout, Names, Values, has_value, pick_values
from flowlag.lines import is_header, match_layout, normalise_name, split_words, status_of, strip_blanks, text_of
from flowlag.settings import Settings

#: Gzip in gzip is what Firehose writes when it compresses what CloudWatch compressed; one layer more for good measure.
MOST_GZIP_LAYERS = 3
#: How far the first line is looked for when a file's shape is decided.
HEAD_BYTES = 65536
#: JSON is read in blocks that double while a document is not complete, so that no text is parsed more than twice.
BLOCK_BYTES = 65536
#: Rows of Parquet held at a time.
PARQUET_ROWS = 4096
#: Where the values go that a CSV row has beyond its header; the first is `surplus_1`.
SURPLUS = "surplus_"
#: Columns that hold a whole line: CloudWatch's exports and events; Logs Insights puts an `@` before its names.
MESSAGE_NAMES = ("message", "@message")

_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
_OTHER_PACKINGS = {b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd", b"\xfd7zXZ\x00": "xz", b"BZh91AY&SY": "bzip2"}
_BLANK_BYTES = b" \t\r\n\0\xef\xbb\xbf"
_BETWEEN_DOCUMENTS = " \t\r\n\0\ufeff\x1e,"  # 0x1e: RFC 7464
_EXPANDED = ("logEvents", "events")
_PAGING = frozenset(("nextToken", "nextForwardToken", "nextBackwardToken", "searchedLogStreams"))
# csv.reader refuses NUL (Python 3.9, 3.10) and a lone CR; surrogateescape never yields the two that stand in for them
_FOR_CSV = str.maketrans("\0\r", "\udc00\udc01")
_FROM_CSV = str.maketrans("\udc00\udc01", "\0\r")
_DAMAGE = (OSError, EOFError, zlib.error)
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)  # numbers stay as they are written

Progress = Callable[[int], None]


class Row(NamedTuple):
    """One record of a file: its fields as text, and how it is to be tagged.

    `values` is set for a line that a layout has taken apart; `is_other` says that a line is no flow log record in this
    file's layout, whatever another guess could make of it. With neither, the fields are read as an event's.
    """

    fields: dict[str, str]
    values: Optional[Values] = None
    is_other: bool = False


def read_sources(
    paths: Iterable[str], settings: Settings, progress: Progress, report: Callable[[SourceError], None]
) -> Iterator[Row]:
    """The rows of all files in their order; `report` is told of each file that fails, and the next one is read.

    `progress` is told how many bytes of the files, as they are stored, were read since it was last called.
    """
    for path in paths:
        try:
            yield from read_source(path, settings, progress)
        except SourceError as error:
            report(error)


def read_source(path: str, settings: Settings, progress: Progress) -> Iterator[Row]:
    """The rows of one file, `-` being stdin; raises SourceError, one sentence, when it cannot be read (to its end)."""
    try:
        with _open(path) as file:
            yield from _read_file(path, file, RowReader(settings), progress)
    except _DAMAGE as error:
        raise SourceError(f"{path}: {_explain(error)}") from error


def _open(path: str) -> AbstractContextManager[io.BufferedIOBase]:
    if path != "-":
        return open(path, "rb")
    if sys.stdin is None:
        raise SourceError("-: stdin is closed; name a file, or feed the command through a pipe")
    stdin: Any = sys.stdin.buffer
    return nullcontext(stdin)


def _explain(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file; check its name"
    if isinstance(error, IsADirectoryError):
        return "this is a folder; name the files in it"
    if isinstance(error, PermissionError):
        return "it may not be read; ask for the permission, or run this as its owner"
    if isinstance(error, EOFError):
        return "the compressed data end too early, so its last records are missing; fetch the file again"
    if isinstance(error, (gzip.BadGzipFile, zlib.error)):
        return f"the compressed data are damaged ({error}); fetch the file again"
    return f"it cannot be read ({getattr(error, 'strerror', None) or error}); check the file and the disk"


class _Tap(io.RawIOBase):
    """A stream with its head put back in front, which tells how many bytes were taken. Leaves the stream open."""

    def __init__(self, head: bytes, stream: io.BufferedIOBase, progress: Optional[Progress] = None) -> None:
        self._head = head
        self._stream = stream
        self._progress = progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._head[: len(buffer)] or self._stream.read1(len(buffer))
        self._head = self._head[len(piece) :]
        buffer[: len(piece)] = piece
        if self._progress is not None:
            self._progress(len(piece))
        return len(piece)


def _read_file(name: str, file: io.BufferedIOBase, reader: RowReader, progress: Progress) -> Iterator[Row]:
    """The rows of an open file, its gzip layers taken off."""
    stream: io.BufferedIOBase = io.BufferedReader(_Tap(b"", file, progress))
    for _ in range(MOST_GZIP_LAYERS + 1):
        head = _read_head(stream)
        stream = io.BufferedReader(_Tap(head, stream))
        if not head.startswith(_GZIP):
            return _read_shape(name, head, stream, reader)
        stream = gzip.GzipFile(fileobj=stream)
    raise SourceError(f"{name}: it is gzip in more than {MOST_GZIP_LAYERS} layers; unpack it first")


def _read_head(stream: io.BufferedIOBase) -> bytes:
    """As much of a stream's beginning as its shape takes to be told; read in pieces, so that damage behind it waits."""
    head = b""
    while len(head) < HEAD_BYTES and not head.lstrip(_BLANK_BYTES).startswith((b"{", b"[")) and not _first_line(head):
        piece = stream.read1(HEAD_BYTES)
        if not piece:
            break
        head += piece
    return head


def _first_line(head: bytes) -> bytes:
    """The first whole line that is neither blank nor a comment, empty when there is none yet."""
    lines = (line.strip(_BLANK_BYTES) for line in head.split(b"\n")[:-1])
    return next((line for line in lines if line and not line.startswith(b"#")), b"")


def _read_shape(name: str, head: bytes, stream: io.BufferedIOBase, reader: RowReader) -> Iterator[Row]:
    packing = next((kind for magic, kind in _OTHER_PACKINGS.items() if head.startswith(magic)), None)
    if packing:
        raise SourceError(f"{name}: this is a {packing} archive, which is not read; unpack it first")
    if head.startswith(_PARQUET):
        return _read_parquet(name, stream, reader)
    first = (_first_line(head) or _first_line(head + b"\n")).decode("utf-8", "surrogateescape")
    if first.startswith(("{", "[")):
        return _read_json(stream, reader)
    buffer: Any = stream
    text = io.TextIOWrapper(buffer, "utf-8-sig", "surrogateescape", newline="\n")
    if reader.is_csv_header(first):
        return _read_csv(text, reader)
    return (row for row in map(reader.read_line, text) if row is not None)


class RowReader:
    """Turns one file's lines and fields into rows; holds the layout on which the file's lines have settled."""

    def __init__(self, settings: Settings) -> None:
        self._names = settings.names
        self._guesses = settings.format == "auto"
        self._layout: Optional[Layout] = None
        self._columns: list[tuple[str, int]] = []
        self._settle(settings.layout)

    def _settle(self, layout: Optional[Layout]) -> None:
        self._layout = layout
        names = [] if layout is None else [name.replace("-", "_") for name in layout.columns]
        self._columns = [(name, names.index(name)) for name in dict.fromkeys(names) if name != "_raw"]

    def read_line(self, line: str) -> Optional[Row]:
        """The row of a line of text; None for a header line, which settles the layout anew, a blank line, a comment."""
        text = strip_blanks(line)
        if not text or text.startswith("#"):
            return None
        words = split_words(text)
        if is_header(text):
            self._settle(Layout("header", [normalise_name(word) for word in words]))
            return None
        if self._layout is None and self._guesses:
            self._settle(match_layout(text))
        fields = {"_raw": line.rstrip("\r\n")}
        if self._layout is None or len(words) != len(self._layout):
            return Row(fields, is_other=True)
        fields.update((name, words[place]) for name, place in self._columns)
        return Row(fields, self._values(fields, self._layout.values(words)))

    def _values(self, fields: dict[str, str], values: Values) -> Values:
        """A settled line's values; columns that an option names come before those that AWS named."""
        if self._names == Names():
            return values
        return Values(*(own or known for own, known in zip(pick_values(fields.get, self._names), values)))

    def read_fields(self, fields: dict[str, str]) -> Optional[Row]:
        """The row of named fields. Where they say nothing of a flow, the line in `message` is read, if there is one.

        The other fields stay beside those of the line, which win where both have a name; `_raw` takes the line.
        """
        name = next((name for name in MESSAGE_NAMES if has_value(fields.get(name))), None)
        if name is None or has_value(fields.get("_raw")) or self.tells_flow(fields):
            return Row(fields)
        row = self.read_line(fields[name])
        if row is None:
            return None
        return row._replace(fields={**{key: fields[key] for key in fields if key != name}, **row.fields})

    def tells_flow(self, fields: dict[str, str]) -> bool:
        """Whether fields hold a start, an end or a log status word."""
        values = pick_values(fields.get, self._names)
        return bool(values.start or values.end or status_of(values.status))

    def is_csv_header(self, line: str) -> bool:
        """Whether the csv module splits a line into names of which at least one is known as an input."""
        try:
            cells = [strip_blanks(cell) for cell in next(csv.reader([line.translate(_FOR_CSV)]), [])]
        except csv.Error:
            return False
        if any(cell in (*MESSAGE_NAMES, "_raw") for cell in cells):
            return True
        known = {*FIELD_VERSIONS, *map(normalise_name, Names().all()), *map(normalise_name, self._names.all())}
        return len(cells) > 1 and any(normalise_name(cell) in known for cell in cells)


def _read_csv(lines: Iterable[str], reader: RowReader) -> Iterator[Row]:
    """The rows of CSV with a header; the header again, or another one of AWS names, is no record."""
    first: list[str] = []
    names: list[str] = []
    for cells in _split_csv(lines):
        if isinstance(cells, str):
            yield Row({"_raw": cells}, is_other=True)
        elif _is_no_record(cells, first):
            continue
        elif not names or _is_header_row(cells):
            first, names = [strip_blanks(cell) for cell in cells], _column_names(cells)
        else:
            surplus = (f"{SURPLUS}{i}" for i in range(1, len(cells) - len(names) + 1))
            padded = cells + [""] * (len(names) - len(cells))
            row = reader.read_fields(dict(zip([*names, *surplus], padded)))
            if row is not None:
                yield row


def _is_no_record(cells: list[str], first: list[str]) -> bool:
    """Whether a row is a blank line, a comment before the header `first`, or that header again."""
    if len(cells) < 2 and not strip_blanks("".join(cells)):
        return True
    return cells[0].startswith("#") if not first else [strip_blanks(cell) for cell in cells] == first


def _is_header_row(cells: list[str]) -> bool:
    names = [normalise_name(cell) for cell in cells]
    return names[0] == "version" or (len(names) > 2 and all(name in FIELD_VERSIONS for name in names))


def _column_names(cells: Iterable[str]) -> list[str]:
    """Names for columns, each once: a second `start` becomes `start_2`, a third column without a name `column_3`."""
    names: dict[str, int] = {}
    for place, cell in enumerate(cells, 1):
        name = wanted = strip_blanks(cell) or f"column_{place}"
        count = 1
        while name in names:
            count += 1
            name = f"{wanted}_{count}"
        names[name] = place
    return list(names)


def _split_csv(lines: Iterable[str]) -> Iterator[Any]:
    """The cells of each CSV record; what the csv module cannot read comes line by line, each a str."""
    taken: list[str] = []

    def take() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line.translate(_FOR_CSV)

    source = take()
    reader = csv.reader(source)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:  # a field above csv.field_size_limit(), mostly a quote that is never closed
            yield from [line.rstrip("\r\n") for line in taken]
            reader = csv.reader(source)
        else:
            if cells and taken[-1].endswith("\r\n"):
                cells[-1] = cells[-1][:-1]
            yield [cell.translate(_FROM_CSV) for cell in cells]
        taken.clear()


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
        except _DAMAGE as error:
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


def _read_json(stream: io.BufferedIOBase, reader: RowReader) -> Iterator[Row]:
    """The rows of JSON documents, one a line, over several lines, or back to back.

    A document that is broken costs its first line, which becomes a row of status `other`; the next line is tried again.
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
        elif held.text[start] != "#":
            yield Row({"_raw": held.text[start : held.place].rstrip("\r")}, is_other=True)
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


def _read_parquet(name: str, stream: io.BufferedIOBase, reader: RowReader) -> Iterator[Row]:
    """The rows of a Parquet file, which pyarrow reads; the file is spooled, since its index stands at its end."""
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise SourceError(
            f"{name}: this is Parquet, which is read with pyarrow, and that is not installed; "
            "run `pip install pyarrow` (or install flowlag[parquet])"
        ) from error
    with tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(stream, spool)
        try:
            for batch in ParquetFile(spool).iter_batches(PARQUET_ROWS):
                rows = map(reader.read_fields, _read_batch(pyarrow, batch))
                yield from (row for row in rows if row is not None)
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            reason = (str(error).splitlines() or ["no reason given"])[0].rstrip(".")
            raise SourceError(f"{name}: the Parquet data are damaged ({reason}); fetch the file again") from error


def _read_batch(pyarrow: Any, batch: Any) -> Iterator[dict[str, str]]:
    table = pyarrow.Table.from_batches([batch])
    while any(pyarrow.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()  # a struct's members become columns with dotted names
    names = _column_names(table.column_names)
    return (dict(zip(names, values)) for values in zip(*(_column_texts(pyarrow, column) for column in table.columns)))


def _column_texts(pyarrow: Any, column: Any) -> list[str]:
    if not pyarrow.types.is_timestamp(column.type):
        return [_cell_text(value) for value in column.to_pylist()]
    # by way of numbers: to_pylist needs pandas for nanoseconds and a time zone database for zones
    micros = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False).cast(pyarrow.int64())
    return [_stamp_text(count) for count in micros.to_pylist()]


def _stamp_text(micros: Optional[int]) -> str:
    """Microseconds since the epoch as ISO 8601 in UTC; a count beyond the calendar stays a number."""
    try:
        return "" if micros is None else (datetime(1970, 1, 1) + timedelta(microseconds=micros)).isoformat() + "Z"
    except OverflowError:
        return str(micros)


def _cell_text(value: Any) -> str:
    if isinstance(value, float):  # whole numbers with gaps come as floats
        return "" if value != value else str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, (list, bool)) or value is None:
        return text_of(json.loads(json.dumps(value, default=str))) or ""
    return str(value)
