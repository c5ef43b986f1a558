# SPDX-License-Identifier: Apache-2.0
"""Events that hold several records, or records in base64: never split, always named."""

import json

import pytest

from flowlag.bundles import PACKED, SEVERAL, find_bundle
from flowlag.enrich import Enricher
from tests.files.made import settings

LINE = "2 123456789012 eni-0a1b2c3d 2001:db8::7 2001:db8:1::5 52233 22 6 85 9000 1760469769 1760469799 ACCEPT OK"
MESSAGE = json.dumps({"message": LINE})
DATA = "eyJtZXNzYWdlIjoiMiAxMjM0NTY3ODkwMTIgZW5pLTBhMWIyYzNkIn0K"


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        (MESSAGE + MESSAGE, SEVERAL),
        (f"{MESSAGE}\n{MESSAGE}", SEVERAL),
        (f"[{MESSAGE},{MESSAGE}]", SEVERAL),
        (f"{LINE}\n{LINE}\n", SEVERAL),
        (json.dumps({"logEvents": [{"message": LINE}, {"message": LINE}]}), SEVERAL),
        (json.dumps({"awslogs": {"data": DATA}}), PACKED),
        (json.dumps({"records": [{"data": DATA}]}), PACKED),
        (json.dumps({"Records": [{"kinesis": {"data": DATA}}]}), PACKED),
        (json.dumps({"data": DATA}), None),
        (json.dumps({"Records": [{"eventTime": "2025-10-14T19:22:49Z"}] * 2}), None),
        (MESSAGE, None),
        (f"{MESSAGE}{{", None),
        ("[" * 100_000, None),
        ("Accepted publickey\nfor root", None),
        ("", None),
    ],
)
def test_bundles(raw, kind):
    assert find_bundle(raw) == kind


def test_the_warning_says_what_to_do_and_gives_no_other_advice():
    enricher = Enricher(settings())
    assert [row["flowlag_status"] for row in enricher.rows([{"_raw": MESSAGE + MESSAGE}])] == ["other"]
    assert enricher.warning() == (
        "1 of 1 events hold several records each, which are not split; break them into an event for each record when "
        "they are indexed."
    )


def test_it_is_said_where_other_events_were_read():
    enricher = Enricher(settings())
    list(enricher.rows([{"_raw": LINE}, {"_raw": json.dumps({"awslogs": {"data": DATA}})}]))
    assert enricher.warning() == (
        "1 of 2 events hold records in base64, which are not decoded; decode them before they are indexed."
    )
