# SPDX-License-Identifier: Apache-2.0
"""flowlaglearn on the wire: CSV bytes of chunks in, CSV bytes of what was learned out."""

from __future__ import annotations

from flowlag.learn.learner import Learner
from flowlag.learn.rows import LEARN_FIELDS
from flowlag.splunk.columns import Header, read_events, split_header
from flowlag.splunk.csv_bytes import quote


class LearnTable:
    """Feeds the events of chunks to a Learner, and writes its rows."""

    def __init__(self, learner: Learner) -> None:
        self._learner = learner

    def feed(self, body: bytes) -> None:
        """Take the events of one request body (CSV with a header line, or empty)."""
        line, text = split_header(body)
        for get, _, _ in read_events(text, Header(line)):
            self._learner.feed(get)

    def close(self) -> bytes:
        """The reply body with all rows; empty if there are none."""
        rows = [",".join(map(quote, row)) for row in self._learner.close()]
        return "\n".join([",".join(LEARN_FIELDS), *rows, ""]).encode("utf-8", "replace") if rows else b""
