# SPDX-License-Identifier: Apache-2.0
"""Parquet: values become text, and what is said without pyarrow or of a damaged file."""

import sys

import pytest

from flowlag.errors import SourceError
from tests.files.made import events_of, parquet, rows_of, tell


def test_parquet_values_become_text(tmp_path):
    pa = pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow, which is not installed")
    data = parquet(
        [
            {
                "start_time_dt": 1602397446_500_000_000,
                "end_time_dt": 1602397505,
                "traffic": {"packets": 1, "deep": {"x": None}},
                "whole": 5.0,
                "part": 5.25,
                "bytes": b"a\xff",
                "list": ["a", "b"],
                "map": [("k", "v")],
                "flag": True,
            },
            {"whole": float("nan"), "traffic": None},
        ],
        start_time_dt=pa.timestamp("ns"),
        end_time_dt=pa.timestamp("s", "Asia/Tokyo"),
        map=pa.map_(pa.string(), pa.string()),
    )
    first, second = rows_of(tmp_path, data)
    assert first.fields == {
        "start_time_dt": "2020-10-11T06:24:06.500000Z",
        "end_time_dt": "2020-10-11T06:25:05Z",
        "traffic.packets": "1",
        "traffic.deep.x": "",
        "whole": "5",
        "part": "5.25",
        "bytes": "a\udcff",
        "list": "a\nb",
        "map": '[["k", "v"]]',
        "flag": "true",
    }
    assert set(second.fields) == set(first.fields) and not any(second.fields.values())
    assert tell(events_of(tmp_path, data))[0] == ("ok", "1602397446.5", "1602397505", "batch")


def test_without_pyarrow_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SourceError, match=r"^\S+input: .*`pip install pyarrow`"):
        rows_of(tmp_path, b"PAR1xxxxPAR1")


def test_damaged_parquet(tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow, which is not installed")
    with pytest.raises(SourceError, match=r"^\S+input: the Parquet data are damaged \(.*fetch the file again$"):
        rows_of(tmp_path, b"PAR1xxxxPAR1")
