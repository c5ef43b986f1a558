# SPDX-License-Identifier: Apache-2.0
"""Input files to rows, in every shape in which AWS delivers flow logs. Only this module opens inputs.

The content of a file decides how it is read, never its name: gzip (members back to back) and zstd, in up to three
layers, UTF-16, Parquet, JSON documents, CSV with a header line, else lines of text. Nothing is dropped silently: a line
that cannot be read becomes a row of status `other`, and a damaged file raises SourceError after the rows before the
damage. Files may have any size, because they are read as streams; there are limits for what must be held in one piece,
and for what gzip and zstd unpack (limits.py).

Authority: docs/shell.md, Input, and docs/shell.md, Limits; facts about how AWS delivers files (Firehose's gzip in gzip,
CloudWatch exports). Read 2026-11-24.
"""

from __future__ import annotations

import io
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Callable, Optional

from flowlag.enrich_options import Settings
from flowlag.errors import LimitError, SourceError
from flowlag.files.batches import Batch, Lines, add_source
from flowlag.files.csv_rows import read_csv
from flowlag.files.gunzip import Gunzip
from flowlag.files.json_rows import read_json
from flowlag.files.json_text import DAMAGE
from flowlag.files.line_source import LineSource
from flowlag.files.parquet_rows import read_parquet
from flowlag.files.paths import name_sources
from flowlag.files.recoded import Utf16, open_zstd
from flowlag.files.rows import Row, RowReader, TableReader

#: Firehose writes gzip in gzip when it compresses what CloudWatch has compressed; one layer more to be safe.
MOST_GZIP_LAYERS = 3
#: How many bytes are read to find the first line, which decides the shape of a file.
HEAD_BYTES = 65536

_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
_ZSTD = b"\x28\xb5\x2f\xfd"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_OTHER_PACKINGS = {b"PK\x03\x04": "zip", b"\xfd7zXZ\x00": "xz", b"BZh91AY&SY": "bzip2"}
_BLANK_BYTES = b" \t\r\n\0\xef\xbb\xbf"
_BLANKS = re.compile(rb"[ \t\r\n\0\xef\xbb\xbf]*")

Progress = Callable[[int], None]


def read_batches(
    paths: Iterable[str], settings: Settings, progress: Progress, report: Callable[[SourceError], None]
) -> Iterator[tuple[Batch, Optional[str]]]:
    """What the files have, in order, and what names its file; `report` gets the error of each file that fails.

    Then the next file is read. `progress` gets the number of bytes, as they are stored, that were read since its last
    call.
    """
    return _read_all(paths, lambda: RowReader(settings), progress, report)


def read_sources(
    paths: Iterable[str], settings: Settings, progress: Progress, report: Callable[[SourceError], None]
) -> Iterator[Row]:
    """The rows of all files, read one by one; see read_batches."""
    for batch, name in read_batches(paths, settings, progress, report):
        for row in batch.rows():
            yield row._replace(fields=add_source(row.fields, name))


def read_source(path: str, settings: Settings, progress: Progress) -> Iterator[Row]:
    """The rows of one file (`-` is stdin); raises SourceError, one sentence, if it cannot be read to its end."""
    return (row for batch in _read_path(path, RowReader(settings), progress) for row in batch.rows())


def read_tables(
    paths: Iterable[str], progress: Progress, report: Callable[[SourceError], None]
) -> Iterator[tuple[Batch, Optional[str]]]:
    """What CSV (with a header line), JSON or Parquet files about anything have; see read_batches."""
    return _read_all(paths, TableReader, progress, report)


def _read_all(
    paths: Iterable[str],
    make_reader: Callable[[], RowReader],
    progress: Progress,
    report: Callable[[SourceError], None],
) -> Iterator[tuple[Batch, Optional[str]]]:
    for path, name in name_sources(paths, report):
        try:
            for batch in _read_path(path, make_reader(), progress):
                yield batch, name
        except SourceError as error:
            report(error)


def _read_path(path: str, reader: RowReader, progress: Progress) -> Iterator[Batch]:
    try:
        with _open(path) as file:
            yield from _read_file(path, file, reader, progress)
    except DAMAGE as error:
        raise SourceError(f"{path}: {_explain(error)}") from error


def _open(path: str) -> AbstractContextManager[io.BufferedIOBase]:
    if path.startswith("s3://"):
        raise SourceError(f"{path}: flowlag does not read from S3 itself; {_pipe_from_s3(path)}")
    if path != "-":
        return open(path, "rb")
    if sys.stdin is None:
        raise SourceError("-: stdin is closed; name a file, or feed the command through a pipe")
    stdin: Any = sys.stdin.buffer
    return nullcontext(stdin)


def _pipe_from_s3(path: str) -> str:
    """What to type to read an object, or all objects below a prefix."""
    if path.endswith("/"):
        return f"copy the objects with `aws s3 cp --recursive {path} FOLDER`, and give FOLDER"
    return f"type `aws s3 cp {path} - | flowlag enrich`"


def _explain(error: Exception) -> str:
    if isinstance(error, LimitError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return "there is no such file; check its name"
    if isinstance(error, IsADirectoryError):
        return "this is a folder; name the file in it"
    if isinstance(error, PermissionError):
        return "there is no permission to read it; ask for it, or run this as its owner"
    if isinstance(error, EOFError):
        return "the compressed data end too early, so its last records are missing; fetch the file again"
    if isinstance(error, zlib.error):
        return f"the compressed data are damaged ({error}); fetch the file again"
    return f"it cannot be read ({getattr(error, 'strerror', None) or error}); check the file and the disk"


class _Tap(io.RawIOBase):
    """A stream with its head put back in front, which reports how many bytes were taken. Leaves the stream open."""

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


def _read_file(name: str, file: io.BufferedIOBase, reader: RowReader, progress: Progress) -> Iterator[Batch]:
    """What an open file has, without its layers of gzip."""
    taken = 0

    def count(size: int) -> None:
        nonlocal taken
        taken += size
        progress(size)

    stream: io.BufferedIOBase = io.BufferedReader(_Tap(b"", file, count))
    for _ in range(MOST_GZIP_LAYERS + 1):
        head = _read_head(stream)
        stream = io.BufferedReader(_Tap(head, stream))
        if head.startswith(_ZSTD):
            stream = io.BufferedReader(open_zstd(name, stream, lambda: taken))
        elif head.startswith(_UTF16):
            stream = io.BufferedReader(Utf16(stream))
        elif not head.startswith(_GZIP):
            return _read_shape(name, head, stream, reader)
        else:
            stream = io.BufferedReader(Gunzip(stream, lambda: taken))
    raise SourceError(f"{name}: it has more than {MOST_GZIP_LAYERS} layers of gzip or zstd; unpack it first")


def _read_head(stream: io.BufferedIOBase) -> bytes:
    """As much of the beginning of a stream as its shape needs; read in pieces, so that damage after it waits.

    A piece may have only one byte, so no byte is examined twice.
    """
    head = bytearray()
    start = 0  # the offset of the first line that may be neither blank nor a comment
    while len(head) < HEAD_BYTES:
        piece = stream.read1(HEAD_BYTES)
        seen = len(head)
        head += piece
        start = _skip_blanks(head, start)
        line_end = head.find(b"\n", max(start, seen))
        while line_end >= 0 and head.startswith(b"#", start):
            start = _skip_blanks(head, line_end)
            line_end = head.find(b"\n", start)
        if not piece or line_end >= 0 or head.startswith((b"{", b"["), start):
            break
    return bytes(head)


def _skip_blanks(head: bytearray, start: int) -> int:
    """The offset of the first byte from `start` on that is not blank."""
    blanks = _BLANKS.match(head, start)
    return blanks.end() if blanks else start


def _first_line(head: bytes) -> bytes:
    """The first whole line that is neither blank nor a comment, empty if there is none yet."""
    lines = (line.strip(_BLANK_BYTES) for line in head.split(b"\n")[:-1])
    return next((line for line in lines if line and not line.startswith(b"#")), b"")


def _read_shape(name: str, head: bytes, stream: io.BufferedIOBase, reader: RowReader) -> Iterator[Batch]:
    packing = next((kind for magic, kind in _OTHER_PACKINGS.items() if head.startswith(magic)), None)
    if packing:
        raise SourceError(f"{name}: this is a {packing} archive, which cannot be read; unpack it first")
    if head.startswith(_PARQUET):
        return read_parquet(name, stream, reader)
    first = (_first_line(head) or _first_line(head + b"\n")).decode("utf-8", "surrogateescape")
    if first.startswith(("{", "[")):
        return read_json(stream, reader)
    source = LineSource(stream)
    return read_csv(source, reader) if reader.is_csv_header(first) else _read_text(source, reader)


def _read_text(source: LineSource, reader: RowReader) -> Iterator[Lines]:
    while count := source.count():
        lines = source.look(count)
        source.take(count)
        yield Lines(reader, lines)
