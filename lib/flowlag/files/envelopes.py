# SPDX-License-Identifier: Apache-2.0
"""JSON documents that are only the envelope of events: exports, replies of queries, and requests with packed records.

Authority: Splunk REST API Reference (search/v2/jobs/export), CloudTrail User Guide (log file examples), CloudWatch Logs
API Reference (GetQueryResults), Athena API Reference (GetQueryResults), Firehose Developer Guide (HTTP endpoint
delivery), Lambda Developer Guide (events of CloudWatch Logs, Firehose and Kinesis). Read 2026-11-24.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Collection, Iterable
from typing import Any, Optional

from flowlag.files.gunzip import Gunzip

#: Members of a document that have the list of its events.
EXPANDED = ("logEvents", "events")

_GZIP = b"\x1f\x8b"
#: Layers of gzip in one packed record: Firehose's own, and that of CloudWatch.
MOST_LAYERS = 3
#: What Splunk's export has beside `result`, and its last line without one.
_EXPORT = frozenset(("preview", "offset", "lastrow", "result"))


#: Names of which one at least is in every envelope, but for Splunk's export.
_SIGNS = frozenset(("awslogs", "Records", "records", "results", "ResultSet"))


class Packed(bytes):
    """The content of a record in base64, without its layers of gzip."""


def open_envelope(document: dict[str, Any]) -> Optional[Iterable[Any]]:
    """The events of an envelope, each a JSON value or Packed; None if the document is an event itself.

    Raises what Gunzip does if a packed record is damaged or unpacks to far too much.
    """
    if document.keys() <= _EXPORT and document.keys() & {"preview", "result"}:
        return [document["result"]] if isinstance(document.get("result"), dict) else []
    return _open_query(document) or _open_records(document)


def may_be_envelope(names: Collection[str]) -> bool:
    """Whether a document with members of these names may be an envelope."""
    return not _SIGNS.isdisjoint(names) or _EXPORT.issuperset(names)


def _open_query(document: dict[str, Any]) -> Optional[list[Any]]:
    """The rows of a query: those of Logs Insights, of Athena, or of a search in Splunk."""
    results = document.get("results")
    if isinstance(results, list):
        if all(isinstance(row, list) and all(map(_is_cell, row)) for row in results):
            return [{cell["field"]: cell.get("value") for cell in row} for row in results]
        return results if "preview" in document or "init_offset" in document else None
    table = document.get("ResultSet")
    rows = table.get("Rows") if isinstance(table, dict) else None
    return _read_rows(rows) if isinstance(rows, list) and all(map(_is_row, rows)) else None


def _is_cell(cell: Any) -> bool:
    return isinstance(cell, dict) and isinstance(cell.get("field"), str)


def _is_row(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("Data"), list) and all(isinstance(c, dict) for c in row["Data"])


def _read_rows(rows: list[Any]) -> list[Any]:
    """The rows of Athena's reply below the first, which has the names."""
    cells = [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]
    return [dict(zip(map(str, cells[0]), row)) for row in cells[1:]]


def _open_records(document: dict[str, Any]) -> Optional[list[Any]]:
    """The events of `Records` or `records`, packed or not, and those of a log subscription."""
    packed = document.get("awslogs")
    if isinstance(packed, dict):
        content = _unpack(packed)
        return None if content is None else [content]
    for name in ("Records", "records"):
        records = document.get(name)
        if isinstance(records, list) and records and all(isinstance(record, dict) for record in records):
            contents = [_unpack(record) for record in records]
            return [record if content is None else content for record, content in zip(records, contents)]
    return None


def _unpack(record: dict[str, Any]) -> Optional[Packed]:
    """The content of `data`, or of `kinesis.data`, in base64; None if there is none."""
    inner = record.get("kinesis")
    data = (inner if isinstance(inner, dict) else record).get("data")
    if not isinstance(data, str) or not data:
        return None
    try:
        content = base64.b64decode(data, validate=True)
    except ValueError:
        return None
    size = len(content)
    for _ in range(MOST_LAYERS):
        if not content.startswith(_GZIP):
            break
        content = Gunzip(io.BufferedReader(io.BytesIO(content)), lambda: size).readall()
    return Packed(content)
