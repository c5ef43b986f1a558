# SPDX-License-Identifier: Apache-2.0
"""Owns made files of the tests, and short ways to read one: its rows, its tags, what went wrong."""

import io

import pytest

from flowlag.cli.output import WRITERS, find_form
from flowlag.cli.pieces import tag_rows
from flowlag.cli.tagger import tag_batches
from flowlag.enrich import Enricher
from flowlag.enrich_options import parse_settings
from flowlag.files.sources import read_batches, read_source, read_sources

A = "2 123456789012 eni-1 10.0.0.1 10.0.0.2 52233 22 6 85 8216 1602397806 1602397865 ACCEPT OK"
B = "2 123456789012 eni-1 10.0.0.2 10.0.0.1 22 52233 6 1 136 1602397446 1602397505 ACCEPT OK"
NODATA = "2 123456789012 eni-1 - - - - - - - 1602397446 1602397505 - NODATA"
HEADER = (
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
)
NAMES = HEADER.replace("-", "_").split()


def fields_of(line):
    return {"_raw": line, **dict(zip(NAMES, line.split()))}


def settings(**options):
    return parse_settings(options.items())


def rows_of(tmp_path, content, **options):
    """The rows of a file with that content."""
    path = tmp_path / "input"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows = list(read_source(str(path), settings(**options), lambda count: None))
    for output in ("csv", "json"):
        assert_same_output([str(path)], output, **options)
    return rows


def write_output(paths, output, is_fast, period=None, **options):
    """The lines that `enrich` writes of files, the statuses that it counts, what it warns and what went wrong.

    `is_fast` says whether records may be tagged many at a time.
    """
    asked, said = settings(**options), []
    enricher = Enricher(asked)
    batches = read_batches(paths, asked, lambda count: None, lambda error: said.append(str(error)))
    pieces = tag_batches(enricher, batches, period, find_form(output, asked) if is_fast else None)
    lines = "\n".join(WRITERS[output](pieces, asked, said.append)).split("\n")
    return lines, enricher.counts, enricher.warning(), said


def assert_same_output(paths, output, period=None, **options):
    """That records which are tagged many at a time are written as those that are read row by row."""
    fast, plain = (write_output(paths, output, is_fast, period, **options) for is_fast in (True, False))
    assert fast == plain


def events_of(tmp_path, content, **options):
    return list(tag_rows(Enricher(settings(**options)), rows_of(tmp_path, content, **options)))


def statuses(tmp_path, content, **options):
    return [event["flowlag_status"] for event in events_of(tmp_path, content, **options)]


def parquet(rows, **types):
    pa = pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow, which is not installed")
    from pyarrow.parquet import write_table

    names = list(dict.fromkeys(name for row in rows for name in row))
    table = pa.table({name: pa.array([row.get(name) for row in rows], types.get(name)) for name in names})
    out = io.BytesIO()
    write_table(table, out)
    return out.getvalue()


def subscription(*lines, kind="DATA_MESSAGE"):
    events = [{"id": str(i), "timestamp": 1602397806000, "message": line} for i, line in enumerate(lines)]
    return {"messageType": kind, "owner": "1", "logStream": "eni-1-all", "logEvents": events}


RECORDS = [dict(zip(NAMES, line.split())) for line in (A, B)]


def tell(events):
    return [(e["flowlag_status"], e["flowlag_start"], e["flowlag_end"], e["flowlag_stamps"]) for e in events]


EXPECTED = [("ok", "1602397806", "1602397865", "unclear"), ("ok", "1602397446", "1602397505", "batch")]


def collect(path, **options):
    """What a file gives, and the error at its end."""
    found, errors = [], []
    for row in read_sources([str(path)], settings(**options), lambda count: None, errors.append):
        found.append(row)
    return found, [str(error) for error in errors]
