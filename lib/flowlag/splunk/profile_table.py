# SPDX-License-Identifier: Apache-2.0
"""Chunks' CSV bytes in, the CSV bytes of the profile out: flowlagprofile on the wire."""

from __future__ import annotations

import re
from typing import Optional

from flowlag.profile import PROFILE_FIELDS, Profiler
from flowlag.splunk.csv_bytes import cut_line_end, decode, read_records, scan_record, split_record, unquote

_SPECIAL = re.compile(r'[,"\r\n]')


class ProfileTable:
    """Feeds a Profiler with the events of chunks, and writes its rows."""

    def __init__(self, profiler: Profiler) -> None:
        self._profiler = profiler

    def feed(self, body: bytes) -> None:
        """Take the events of one request body (CSV with a header line, or empty)."""
        text = body.decode("latin-1")
        start = scan_record(text, 0)
        names = [decode(unquote(name)) for name in split_record(cut_line_end(text[:start])[0])]
        places = {name: i for i, name in reversed(list(enumerate(names)))}  # of two columns with one name, the first

        row: list[list[str]] = [[]]  # the values that `get` looks at

        def get(name: str) -> Optional[str]:
            place = places.get(name)
            return None if place is None or place >= len(row[0]) else decode(row[0][place])

        for values, _ in read_records(text, start):
            row[0] = values
            self._profiler.feed(get)

    def close(self) -> bytes:
        """The reply body with all rows; empty when there is none."""
        rows = [",".join(map(_write_cell, row.values())) for row in self._profiler.close()]
        return "\n".join([",".join(PROFILE_FIELDS), *rows, ""]).encode("utf-8", "replace") if rows else b""


def _write_cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text
