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

from flowlag.errors import SourceError, show_value
from flowlag.lines import text_of
from flowlag.rows import Row, RowReader, name_columns

#: Rows held at a time.
PARQUET_ROWS = 4096


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
            for batch in ParquetFile(spool).iter_batches(PARQUET_ROWS):
                rows = map(reader.read_fields, _read_batch(pyarrow, batch))
                yield from (row for row in rows if row is not None)
        except (pyarrow.ArrowException, OSError, ValueError) as error:
            reason = (str(error).splitlines() or ["no reason given"])[0].rstrip(".")
            raise SourceError(
                f"{name}: the Parquet data are damaged ({show_value(reason)}); fetch the file again"
            ) from error


def _read_batch(pyarrow: Any, batch: Any) -> Iterator[dict[str, str]]:
    table = pyarrow.Table.from_batches([batch])
    while any(pyarrow.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()  # a struct's members become columns with dotted names
    names = name_columns(table.column_names)
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
