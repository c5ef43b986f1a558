# SPDX-License-Identifier: Apache-2.0
"""The output of `match`: flowlagmatch's reply as it is (CSV), as JSON lines, or as a table. Prints nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Callable

from flowlag.cli.view import EPOCH_VIEW, View, lay_out
from flowlag.fields import first_value
from flowlag.files.names import AliasFinder, read_as
from flowlag.five_tuple import DEST_NAMES, DEST_PORT_NAMES, SRC_NAMES
from flowlag.match.fields import fields_of
from flowlag.match.options import MatchSettings
from flowlag.splunk.csv_bytes import read_records, scan_record
from flowlag.splunk.match_table import FLOW_PREFIX

#: What is shown of the fields of a pair, by `rank`.
_SHOWN = {
    "share": ("certainty", "share", "gap_min", "gap_max", "count"),
    "probability": ("certainty", "probability", "none", "share", "count"),
}
_FLOW_ENDS = [[FLOW_PREFIX + name for name in some] for some in (SRC_NAMES, DEST_NAMES, DEST_PORT_NAMES)]
_FLOW_NAMES = [name for names in _FLOW_ENDS for name in names]
_TIMES = ("anchor time", "start", "end")
_HEADINGS = {"gap_min": "gap min", "gap_max": "gap max", "count": "flows"}


def read_pairs(reply: bytes) -> Iterator[dict[str, str]]:
    """The rows of a reply, every value a string; bytes that are not UTF-8 become surrogates."""
    text = reply.decode("latin-1")
    start = scan_record(text, 0)
    names: list[str] = next((values for values, _ in read_records(text[:start], 0)), [])
    for values, _ in read_records(text, start):
        yield {_decode(name): _decode(value) for name, value in zip(names, values)}


def write_csv(reply: bytes, settings: MatchSettings) -> Iterator[str]:
    """The reply itself; only a header line if there is no pair."""
    text = reply.decode("utf-8", "surrogateescape")
    yield text[:-1] if text else ",".join(fields_of(settings))


def write_json(reply: bytes, settings: MatchSettings) -> Iterator[str]:
    """JSON lines, in ASCII as `enrich` writes them."""
    return (json.dumps(row) for row in read_pairs(reply))


def write_table(reply: bytes, settings: MatchSettings, view: View = EPOCH_VIEW) -> Iterator[str]:
    """A table of what an analyst needs of each pair; an anchor without a flow has a row too."""
    shown = (_HEADINGS.get(name, name) for name in _SHOWN[settings.rank])
    aliases = AliasFinder([*settings.anchor_keys, *_FLOW_NAMES])
    headings = ("anchor time", "key", *shown, "src", "dst", "port", "start", "end")
    return lay_out(headings, (_table_row(row, settings, aliases) for row in read_pairs(reply)), view, _TIMES)


def _table_row(row: dict[str, str], settings: MatchSettings, aliases: AliasFinder) -> list[str]:
    get = read_as(row, aliases.find(row))
    return [
        row.get(settings.anchor_time, ""),
        " ".join(get(name) or "" for name in settings.anchor_keys),
        *(row[f"match_{name}"] for name in _SHOWN[settings.rank]),
        *(first_value(get, some) or "" for some in _FLOW_ENDS),
        *(row.get(f"{FLOW_PREFIX}{settings.prefix}{name}", "") for name in ("start", "end")),
    ]


def _decode(text: str) -> str:
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "surrogateescape")


#: What `--output` may be.
TABLES: dict[str, Callable[[bytes, MatchSettings], Iterator[str]]] = {
    "table": write_table,
    "csv": write_csv,
    "json": write_json,
}
