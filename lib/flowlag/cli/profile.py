# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag profile`: how the interfaces in files stamp their records, as flowlagprofile tells it.

Authority: docs/profile.md, Output fields, and docs/shell.md, Output.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Callable

from flowlag.cli.command import add_options, finish, given_options, has_unreadable, make_parser, open_inputs
from flowlag.cli.enrich import tag_rows
from flowlag.cli.output import lay_out
from flowlag.cli.terminal import Parser, write_lines
from flowlag.enrich import Enricher
from flowlag.enrich_options import FIELD_OPTIONS, FORMAT
from flowlag.profile.options import PROFILE_OPTIONS, parse_profile_settings
from flowlag.profile.profiler import PROFILE_FIELDS, Profiler
from flowlag.splunk.csv_bytes import quote

#: With the options for reading files; in Splunk, flowlagenrich has these, before flowlagprofile.
OPTIONS = (*PROFILE_OPTIONS, *FIELD_OPTIONS, FORMAT)

_HEADINGS = {
    "interface_id": "interface", "records": "records", "ok": "ok", "timing_mode": "mode", "mode_support": "support",
    "interval": "interval", "phase": "phase", "window_p50": "win p50", "window_max": "max", "first_start": "first",
    "last_end": "last", "index_lag_p50": "lag p50", "index_lag_p99": "p99", "suggest_delay": "delay",
    "suggest_lookback": "lookback",
}  # fmt: skip


def profile(argv: Sequence[str]) -> int:
    """`profile`: write a row for each interface and each of its phases."""
    args = _profile_parser().parse_intermixed_args(argv)
    settings = parse_profile_settings(given_options(args, OPTIONS), "flowlag profile", OPTIONS)
    enricher, profiler = Enricher(settings.reading), Profiler(settings)
    with open_inputs(args.files) as inputs:
        for event in tag_rows(enricher, inputs.rows(args.files, settings.reading)):
            profiler.feed(event.get)
    is_written = write_lines(PROFILE_WRITERS[args.output](profiler.close()))
    return finish(inputs, is_written, [profiler.warning()], args.strict and has_unreadable(profiler.counts))


def _profile_parser() -> Parser:
    parser = make_parser(
        "profile",
        "Tells how each network interface stamps its flow log records and, if the index time is known (_indextime), "
        "how late they arrive.",
    )
    add_options(parser, OPTIONS, PROFILE_WRITERS)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a flow log file; - is stdin")
    return parser


def write_csv(rows: Iterable[dict[str, str]]) -> Iterator[str]:
    """CSV, as the command writes it; only a header line if there is no row."""
    yield ",".join(PROFILE_FIELDS)
    yield from (",".join(map(quote, row.values())) for row in rows)


def write_json(rows: Iterable[dict[str, str]]) -> Iterator[str]:
    """JSON lines, every value a string."""
    return map(json.dumps, rows)


def write_table(rows: Iterable[dict[str, str]]) -> Iterator[str]:
    """A table of what matters most."""
    return lay_out(tuple(_HEADINGS.values()), ([row[name] for name in _HEADINGS] for row in rows))


#: What `--output` may be.
PROFILE_WRITERS: dict[str, Callable[[Iterable[dict[str, str]]], Iterator[str]]] = {
    "table": write_table,
    "csv": write_csv,
    "json": write_json,
}
