# SPDX-License-Identifier: Apache-2.0
"""Parquet to rows, with pyarrow, which is optional: AWS's own files, files saved again, and OCSF."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any, Optional

from flowlag.errors import LimitError, SourceError, show_value
from flowlag.files.batches import Batch, Cells, gather
from flowlag.files.limits import FREE_UNPACKED, LARGEST_ROW_GROUP, LONGEST_FIXED_VALUE, MOST_UNPACKED
from flowlag.files.rows import RowReader, name_columns
from flowlag.lines import text_of

#: Rows held at a time.
PARQUET_ROWS = 4096
#: Characters of so many rows that are read as columns; their output is made at once.
LONGEST_PIECE = 16 * 1024 * 1024
#: The exceptions that Cython makes of those of C++, besides Arrow's own.
_DAMAGE = (OSError, ValueError, RuntimeError, IndexError, ArithmeticError, TypeError, MemoryError)
#: Types of integers -> their formats in memory.
_FORMATS = {
    "int8": "b", "int16": "h", "int32": "i", "int64": "q", "uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q"
}  # fmt: skip
#: Logical types whose bytes are not text.
_NO_TEXT = ("DECIMAL", "INTERVAL", "FLOAT16")


def read_parquet(name: str, stream: io.BufferedIOBase, reader: RowReader) -> Iterator[Batch]:
    """What a Parquet file has; the file is copied to disk first, because its index is at its end."""
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise SourceError(
            f"{name}: this is a Parquet file, and pyarrow, which reads it, is not installed; "
            "run `pip install pyarrow` (or install flowlag[parquet])"
        ) from error
    with tempfile.TemporaryFile() as spool:
        shutil.copyfileobj(stream, spool)
        try:
            left = _Allowance(max(FREE_UNPACKED, MOST_UNPACKED * spool.tell()))
            names = _check_sizes(ParquetFile(spool))
            # texts stay references to the file's dictionary: a few bytes may stand for gigabytes
            for piece in ParquetFile(spool, read_dictionary=names).iter_batches(PARQUET_ROWS):
                yield from _read_piece(pyarrow, piece, reader, left)
        except (pyarrow.ArrowException, *_DAMAGE) as error:
            reason = (str(error).splitlines() or ["no reason given"])[0].rstrip(".")
            raise SourceError(
                f"{name}: the Parquet data are damaged ({show_value(reason)}); fetch the file again"
            ) from error


def _check_sizes(file: Any) -> list[str]:
    """The paths of the text columns; raises LimitError if a row group or a value would fill the memory."""
    for number in range(file.metadata.num_row_groups):
        # never column(): if the footer is damaged, pyarrow 26 ends the process there
        if file.metadata.row_group(number).total_byte_size > LARGEST_ROW_GROUP:
            limit = f"{LARGEST_ROW_GROUP >> 20} MB"
            raise LimitError(f"one of its row groups unpacks to more than {limit}; write it with smaller row groups")
    columns = [file.schema.column(i) for i in range(len(file.schema))]
    if any(column.length > LONGEST_FIXED_VALUE for column in columns):
        raise LimitError(f"a column has fixed-length values of more than {LONGEST_FIXED_VALUE} bytes; leave it out")
    return [
        column.path
        for column in columns
        if column.physical_type == "BYTE_ARRAY" and column.logical_type.type not in _NO_TEXT
    ]


class _Allowance:
    """How many characters the rows of a file may still have."""

    def __init__(self, most: int) -> None:
        self._left = most

    def take(self, texts: Iterable[str]) -> int:
        """The length of texts; raises LimitError if there are more than allowed."""
        length = sum(map(len, texts))
        self._left -= length
        if self._left < 0:
            raise LimitError(f"it unpacks to more than {MOST_UNPACKED} times its size")
        return length


def _read_piece(pyarrow: Any, piece: Any, reader: RowReader, left: _Allowance) -> Iterator[Batch]:
    """The rows of a piece: as columns if none has lists, which may be long, or long texts; else row by row."""
    table = pyarrow.Table.from_batches([piece])
    while any(pyarrow.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()  # the members of a struct become columns with dotted names
    names = name_columns(table.column_names)
    if table.num_rows and all(map(partial(_is_plain, pyarrow), table.columns)):
        columns = {name: list(_column_texts(pyarrow, column)) for name, column in zip(names, table.columns)}
        if sum(map(left.take, columns.values())) <= LONGEST_PIECE:
            yield Cells(reader, columns)
            return
        texts: Iterable[Any] = zip(*columns.values())
    else:
        texts = _count_rows(zip(*(_column_texts(pyarrow, column) for column in table.columns)), left)
    rows = (reader.read_fields(dict(zip(names, cells))) for cells in texts)
    yield from gather(row for row in rows if row is not None)


def _count_rows(rows: Iterable[Sequence[str]], left: _Allowance) -> Iterator[Sequence[str]]:
    for row in rows:
        left.take(row)
        yield row


def _is_plain(pyarrow: Any, column: Any) -> bool:
    """Whether the texts of a column need no more memory than the column, but for references."""
    types = pyarrow.types
    return any(is_kind(column.type) for is_kind in (types.is_dictionary, types.is_primitive, types.is_null))


def _column_texts(pyarrow: Any, column: Any) -> Iterator[str]:
    """The texts of a column; equal long ones are one object, or each is made when its row is read."""
    if pyarrow.types.is_dictionary(column.type):
        return chain.from_iterable(_dictionary_texts(pyarrow, chunk) for chunk in column.chunks)
    if pyarrow.types.is_integer(column.type):
        numbers = chain.from_iterable(map(_list_integers, column.chunks))
        return ("" if number is None else str(number) for number in numbers) if column.null_count else map(str, numbers)
    if pyarrow.types.is_primitive(column.type) and not pyarrow.types.is_timestamp(column.type):
        return map(_cell_text, column.to_pylist())
    if not pyarrow.types.is_timestamp(column.type):
        return (_cell_text(value.as_py()) for value in column)
    # through numbers, because to_pylist needs pandas for nanoseconds and a time zone database for zones
    micros = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False).cast(pyarrow.int64())
    return map(_stamp_text, micros.to_pylist())


def _list_integers(chunk: Any) -> list[Optional[int]]:
    """The numbers of a chunk of integers: from its memory if none is missing, which is ten times as fast."""
    kind = _FORMATS.get(str(chunk.type))
    if kind is None or chunk.null_count:
        return list(chunk.to_pylist())
    memory: Any = memoryview(chunk.buffers()[1])
    numbers: list[Optional[int]] = memory.cast(kind)[chunk.offset : chunk.offset + len(chunk)].tolist()
    return numbers


def _dictionary_texts(pyarrow: Any, chunk: Any) -> Iterator[str]:
    """The texts of a chunk of a dictionary's texts; each distinct one is made once."""
    indices = _list_integers(chunk.indices)
    used = [index for index in set(indices) if index is not None]
    found = chunk.dictionary.take(pyarrow.array(used, pyarrow.int64())).to_pylist()
    texts: dict[Optional[int], str] = {None: "", **dict(zip(used, map(_cell_text, found)))}
    return map(texts.__getitem__, indices)


def _stamp_text(micros: Optional[int]) -> str:
    """Microseconds since the epoch as ISO 8601 in UTC; a count beyond the calendar stays a number."""
    try:
        return "" if micros is None else (datetime(1970, 1, 1) + timedelta(microseconds=micros)).isoformat() + "Z"
    except OverflowError:
        return str(micros)


def _cell_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):  # whole numbers come as floats if some are missing
        return "" if value != value else str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if isinstance(value, (list, bool)) or value is None:
        return text_of(json.loads(json.dumps(value, default=str))) or ""
    return str(value)
