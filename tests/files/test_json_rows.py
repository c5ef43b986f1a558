# SPDX-License-Identifier: Apache-2.0
"""JSON: documents one behind the other, cut by blocks, broken or nested; what CloudWatch wraps around a line."""

import json
from collections import Counter

import pytest

from flowlag.files.line_source import PIECE_BYTES
from tests.files.made import HEADER, RECORDS, A, B, fields_of, rows_of, statuses, subscription


def test_a_broken_line_costs_that_line_only(tmp_path):
    good = json.dumps(RECORDS[0])
    broken = ['{"start": 1602397446, "end": ', '{"a": "', '{"a":1]', "plain text", "]", "5", '"text"', "{'a': 1}"]
    content = "\n".join([good, *(line for bad in broken for line in (bad, good))])
    found = rows_of(tmp_path, content)
    assert [row.fields["_raw"] for row in found if row.is_other] == broken
    assert [row.fields for row in found if not row.is_other] == [RECORDS[0]] * 9


def test_a_line_of_text_among_documents_is_read_as_text(tmp_path):
    assert statuses(tmp_path, f"{{}}\n{A}\n{A} more\n{HEADER}\n") == ["other", "ok", "other"]


def test_text_behind_a_document_is_a_row(tmp_path):
    assert [row.fields for row in rows_of(tmp_path, '{"a": 1} rest\n{"a": 2},\n\x1e{"a": 3}')] == [
        {"a": "1"},
        {"_raw": "rest"},
        {"a": "2"},
        {"a": "3"},
    ]


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_documents_may_be_cut_by_blocks_anywhere(size, tmp_path, monkeypatch):
    documents = [
        {"text": 'é"\\\u20ac\U0001f600', "number": -1.5e300, "word": [True, None], "end": "1602397505"},
        subscription(A, B),
    ]
    content = "".join(json.dumps(d, indent=i, ensure_ascii=i is None) for d in documents for i in (None, 1))
    whole = rows_of(tmp_path, content)
    assert len(whole) == 6 and not any(row.is_other for row in whole)
    monkeypatch.setattr("flowlag.files.json_text.PIECE_BYTES", size)
    assert rows_of(tmp_path, content) == whole


def test_a_document_larger_than_a_block(tmp_path):
    lines = [A] * (4 * PIECE_BYTES // len(A))
    assert Counter(statuses(tmp_path, json.dumps(subscription(*lines)) * 2)) == {"ok": 2 * len(lines)}


def test_numbers_keep_their_text_and_null_is_empty(tmp_path):
    (row,) = rows_of(
        tmp_path,
        '{"a": 1.50, "b": 12345678901234567890123, "c": null, "d": true, "e": {"f": {"g": 1e3}}, "h": ["x", "y"]}',
    )
    assert row.fields == {
        "a": "1.50",
        "b": "12345678901234567890123",
        "c": "",
        "d": "true",
        "e.f.g": "1e3",
        "h": "x\ny",
    }


def test_a_control_message_is_no_record(tmp_path):
    content = (
        json.dumps(subscription("CWL CONTROL MESSAGE", kind="CONTROL_MESSAGE")) + '{"messageType":"CONTROL_MESSAGE"}'
    )
    assert rows_of(tmp_path, content) == []


def test_an_event_keeps_what_cloudwatch_says_of_it(tmp_path):
    (row,) = rows_of(tmp_path, json.dumps(subscription(A)))
    common = {"messageType": "DATA_MESSAGE", "owner": "1", "logStream": "eni-1-all"}
    assert row.fields == {**common, "id": "0", "timestamp": "1602397806000", **fields_of(A)}


def test_extracted_fields_fill_what_the_line_lacks(tmp_path):
    event = {"message": A, "extractedFields": {"start": "5", "windowend": "7"}}
    (row,) = rows_of(tmp_path, json.dumps(event))
    assert row.fields == {**fields_of(A), "windowend": "7"}
    event = {"message": "odd", "extractedFields": {"start": "1602397446", "end": "1602397505"}}
    assert statuses(tmp_path, json.dumps(event)) == ["ok"]


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000])
def test_endless_nesting_is_a_row(content, tmp_path):
    assert statuses(tmp_path, f'{content}\n{{"start": 1602397446, "end": 1602397505}}') == ["other", "ok"]


@pytest.mark.parametrize("depth", [300, 600, 900, 980])
def test_deep_nesting_is_no_crash(depth, tmp_path):
    assert statuses(tmp_path, '{"a":' * depth + "1" + "}" * depth) == ["other"]
