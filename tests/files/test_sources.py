# SPDX-License-Identifier: Apache-2.0
"""Files in every shape AWS delivers: the rows that come out of them, whatever they are wrapped in; files that cannot be read."""

import gzip
import io
import json
import sys
import zlib
from types import SimpleNamespace

import pytest

from flowlag.errors import SourceError
from flowlag.files.sources import MOST_GZIP_LAYERS, read_source, read_sources
from tests.files.made import (
    EXPECTED,
    HEADER,
    NAMES,
    RECORDS,
    A,
    B,
    collect,
    events_of,
    fields_of,
    parquet,
    rows_of,
    settings,
    subscription,
    tell,
)

#: shape -> a file of the records A and B
SHAPES = {
    "text": f"{A}\n{B}\n",
    "text-crlf-bom": f"\ufeff{A}\r\n{B}",
    "text-header": f"{HEADER}\n{A}\n{B}\n",
    "csv-message": f'timestamp,message\n1602397806000,{A}\n1602397446000,"{B}"\n',
    "csv-insights": f"@timestamp,@message\n2020-10-11,{A}\n2020-10-11,{B}\n",
    "csv-names": "".join(",".join(line.split()) + "\r\n" for line in (HEADER, A, B)),
    "csv-underscores": "\ufeff" + "".join(",".join(line.split()) + "\n" for line in (" ".join(NAMES), A, B)),
    "csv-raw": f"_time,_raw\n7,{A}\n7,{B}\n",
    "json-lines": "".join(json.dumps(record) + "\n" for record in RECORDS),
    "json-pretty": json.dumps(RECORDS, indent=2),
    "json-back-to-back": "".join(json.dumps(subscription(line)) for line in (A, B)),
    "json-subscription": json.dumps(subscription(A, B)),
    "json-filter-log-events": json.dumps({"events": subscription(A, B)["logEvents"], "nextToken": "x"}, indent=1),
    "json-message": "".join(json.dumps({"message": line}) + "\n" for line in (A, B)),
    "json-array-of-lines": json.dumps([A, B]),
}


def wrap_plain(data):
    return data


def wrap_gzip(data):
    return gzip.compress(data)


def wrap_members(data):
    return b"".join(gzip.compress(data[i : i + 50]) for i in range(0, len(data), 50))


def wrap_twice(data):
    return gzip.compress(wrap_members(data))


def wrap_three_times(data):
    return gzip.compress(gzip.compress(gzip.compress(data)))


WRAPPERS = [wrap_plain, wrap_gzip, wrap_members, wrap_twice, wrap_three_times]


class Trickle(io.RawIOBase):
    """A pipe that gives seven bytes at a time and cannot seek."""

    def __init__(self, data):
        self.data = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, buffer):
        piece = self.data.read(min(7, len(buffer)))
        buffer[: len(piece)] = piece
        return len(piece)


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_in_every_wrapper(shape, wrapper, tmp_path):
    assert tell(events_of(tmp_path, wrapper(SHAPES[shape].encode()))) == EXPECTED


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_through_a_pipe(shape, wrapper, tmp_path, monkeypatch):
    data = wrapper(SHAPES[shape].encode())
    from_file = rows_of(tmp_path, data)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(Trickle(data), 1)))
    assert list(read_source("-", settings(), lambda count: None)) == from_file
    assert not sys.stdin.buffer.closed


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_parquet_in_every_wrapper_and_through_a_pipe(wrapper, tmp_path, monkeypatch):
    rows = [{**record, "start": int(record["start"]), "packets": float(record["packets"])} for record in RECORDS]
    data = wrapper(parquet(rows))
    found = rows_of(tmp_path, data)
    assert [row.fields for row in found] == RECORDS
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(Trickle(data))))
    assert list(read_source("-", settings(), lambda count: None)) == found


@pytest.mark.parametrize("content", ["", "\n\n", "# x\n", HEADER, "\ufeff", "timestamp,message\n", "[]"])
def test_a_file_without_records_has_no_rows(content, tmp_path):
    assert rows_of(tmp_path, content) == []


def test_a_line_of_a_nul_is_a_line(tmp_path):
    assert [row[:3] for row in rows_of(tmp_path, "\0")] == [({"_raw": "\0"}, None, True)]


# --- files that cannot be read ---


@pytest.mark.parametrize(
    "content",
    [
        f"{A}\n" * 5000,
        "id,message\n" + f"1,{A}\n" * 5000,
        f'{{"message": "{A}"}}\n' * 5000,
        json.dumps(subscription(A)) * 5000,
    ],
    ids=["text", "csv", "json", "back-to-back"],
)
def test_what_stands_before_the_damage_is_read(content, tmp_path):
    packer = zlib.compressobj(wbits=31)
    data = packer.compress(content.encode()) + packer.flush(zlib.Z_FULL_FLUSH)
    path = tmp_path / "cut.gz"
    path.write_bytes(data)
    found, errors = collect(path)
    assert len(found) == 5000 and all(row.values for row in found)
    assert errors == [
        f"{path}: the compressed data end too early, so its last records are missing; fetch the file again"
    ]


def test_damaged_gzip(tmp_path):
    data = bytearray(gzip.compress(f"{A}\n".encode() * 100))
    data[-6] ^= 255  # the checksum
    path = tmp_path / "x"
    path.write_bytes(data)
    found, (error,) = collect(path)
    assert error.startswith(f"{path}: the compressed data are damaged (") and all(row.values for row in found)


def test_more_layers_than_are_read(tmp_path):
    data = A.encode()
    for _ in range(MOST_GZIP_LAYERS + 1):
        data = gzip.compress(data)
    with pytest.raises(SourceError, match=r"more than 3 layers of gzip or zstd; unpack it first"):
        rows_of(tmp_path, data)


@pytest.mark.parametrize(("magic", "kind"), [(b"PK\x03\x04..", "zip"), (b"\xfd7zXZ\x00", "xz")])
def test_other_archives_are_named(magic, kind, tmp_path):
    with pytest.raises(SourceError, match=f"this is a {kind} archive"):
        rows_of(tmp_path, magic)


def test_a_file_that_fails_does_not_stop_the_others(tmp_path):
    good, errors = tmp_path / "good", []
    good.write_text(A)
    (tmp_path / "empty").mkdir()
    paths = [str(tmp_path / "none"), str(tmp_path / "empty"), str(good)]
    found = list(read_sources(paths, settings(), lambda count: None, errors.append))
    assert [row.fields for row in found] == [{**fields_of(A), "source": str(good)}]
    assert [str(error) for error in errors] == [
        f"{tmp_path}/empty: there is no file in this folder; check its name",
        f"{tmp_path}/none: there is no such file; check its name",
    ]


def test_each_file_settles_its_own_layout(tmp_path):
    (tmp_path / "one").write_text("version end start\n5 1602397505 1602397446\n")
    (tmp_path / "two").write_text("5 1602397505 1602397446\n")
    paths = [str(tmp_path / "one"), str(tmp_path / "two")]
    assert [row.is_other for row in read_sources(paths, settings(), lambda count: None, pytest.fail)] == [False, True]


def test_progress_counts_the_bytes_of_the_file(tmp_path):
    counts = []
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(f"{A}\n".encode() * 10_000))
    assert len(list(read_source(str(path), settings(), counts.append))) == 10_000
    assert sum(counts) == path.stat().st_size
