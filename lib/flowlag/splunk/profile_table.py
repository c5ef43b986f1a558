# SPDX-License-Identifier: Apache-2.0
"""flowlagprofile on the wire: CSV bytes of chunks in, CSV bytes of the profile out."""

from __future__ import annotations

from flowlag.profile.profiler import PROFILE_FIELDS, Profiler
from flowlag.splunk.columns import Header, read_events, split_header
from flowlag.splunk.csv_bytes import quote


class ProfileTable:
    """Feeds the events of chunks to a Profiler, and writes its rows."""

    def __init__(self, profiler: Profiler) -> None:
        self._profiler = profiler

    def feed(self, body: bytes) -> None:
        """Take the events of one request body (CSV with a header line, or empty)."""
        line, text = split_header(body)
        for get, _, _ in read_events(text, Header(line)):
            self._profiler.feed(get)

    def close(self) -> bytes:
        """The reply body with all rows; empty if there are none."""
        rows = [",".join(map(quote, row.values())) for row in self._profiler.close()]
        return "\n".join([",".join(PROFILE_FIELDS), *rows, ""]).encode("utf-8", "replace") if rows else b""
