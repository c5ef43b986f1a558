# SPDX-License-Identifier: Apache-2.0
"""Parquet -> rows, by way of pyarrow, which is optional: AWS's own files, files saved anew, and OCSF."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Optional

from flowlag.errors import LimitError, SourceError, show_value
from flowlag.files.limits import FREE_UNPACKED, LARGEST_ROW_GROUP, LONGEST_FIXED_VALUE, MOST_UNPACKED
from flowlag.files.rows import Row, RowReader, name_columns
from flowlag.lines import text_of

#: Rows held at a time.
PARQUET_ROWS = 4096
#: What Cython makes of the exceptions of C++, beside Arrow's own.
_DAMAGE = (OSError, ValueError, RuntimeError, IndexError, ArithmeticError, TypeError, MemoryError)
#: Logical types whose values are bytes that are not the text itself.
_NO_TEXT = ("DECIMAL", "INTERVAL", "FLOAT16")


def read_parquet(name: str, stream: io.BufferedIOBase, reader: RowReader) -> Iterator[Row]:
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
            most = max(FREE_UNPACKED, MOST_UNPACKED * spool.tell())
            names = _check_sizes(ParquetFile(spool))
            # texts stay references to what the file's dictionary has once: a few bytes may stand for gigabytes
            for batch in ParquetFile(spool, read_dictionary=names).iter_batches(PARQUET_ROWS):
                for fields in _read_batch(pyarrow, batch):
                    most -= sum(map(len, fields.values()))
                    if most < 0:
                        raise LimitError(f"it unpacks to more than {MOST_UNPACKED} times its size")
                    row = reader.read_fields(fields)
                    if row is not None:
                        yield row
        except (pyarrow.ArrowException, *_DAMAGE) as error:
            reason = (str(error).splitlines() or ["no reason given"])[0].rstrip(".")
            raise SourceError(
                f"{name}: the Parquet data are damaged ({show_value(reason)}); fetch the file again"
            ) from error


def _check_sizes(file: Any) -> list[str]:
    """The paths of the text columns; raises LimitError where a row group, or a value, would fill the memory."""
    for number in range(file.metadata.num_row_groups):
        # never column(): where the footer is damaged, pyarrow 26 ends the process there
        if file.metadata.row_group(number).total_byte_size > LARGEST_ROW_GROUP:
            limit = f"{LARGEST_ROW_GROUP >> 20} MB"
            raise LimitError(f"one of its row groups unpacks to more than {limit}; write it with smaller row groups")
    columns = [file.schema.column(i) for i in range(len(file.schema))]
    if any(column.length > LONGEST_FIXED_VALUE for column in columns):
        raise LimitError(f"a column has values of a fixed length above {LONGEST_FIXED_VALUE} bytes; leave it out")
    return [
        column.path
        for column in columns
        if column.physical_type == "BYTE_ARRAY" and column.logical_type.type not in _NO_TEXT
    ]


def _read_batch(pyarrow: Any, batch: Any) -> Iterator[dict[str, str]]:
    table = pyarrow.Table.from_batches([batch])
    while any(pyarrow.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()  # a struct's members become columns with dotted names
    names = name_columns(table.column_names)
    return (dict(zip(names, values)) for values in zip(*(_column_texts(pyarrow, column) for column in table.columns)))


def _column_texts(pyarrow: Any, column: Any) -> Iterator[str]:
    """The texts of a column; long ones are one object, or made when their row's turn comes."""
    if pyarrow.types.is_dictionary(column.type):
        return (text for chunk in column.chunks for text in _dictionary_texts(chunk))
    if pyarrow.types.is_primitive(column.type) and not pyarrow.types.is_timestamp(column.type):
        return map(_cell_text, column.to_pylist())
    if not pyarrow.types.is_timestamp(column.type):
        return (_cell_text(value.as_py()) for value in column)
    # by way of numbers: to_pylist needs pandas for nanoseconds and a time zone database for zones
    micros = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False).cast(pyarrow.int64())
    return map(_stamp_text, micros.to_pylist())


def _dictionary_texts(chunk: Any) -> Iterator[str]:
    dictionary, texts = chunk.dictionary, {None: ""}
    for place in chunk.indices.to_pylist():
        if place not in texts:
            texts[place] = _cell_text(dictionary[place].as_py())
        yield texts[place]


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
