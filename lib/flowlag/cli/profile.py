# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag profile`: what the interfaces' records look like, from files; the same values as flowlagprofile.

Authority: contract sections 4 and 5.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Callable

from flowlag.cli.enrich import OPTION_HELP, tag_rows
from flowlag.cli.output import lay_out, quote_cell
from flowlag.cli.terminal import (
    DONE,
    FAILED,
    UNREADABLE,
    WRONG_USAGE,
    Failures,
    Parser,
    complain,
    progress_bar,
    write_lines,
)
from flowlag.enrich import Enricher
from flowlag.errors import SettingsError
from flowlag.files.sources import read_sources
from flowlag.profile import PROFILE_FIELDS, Profiler
from flowlag.profile_options import PROFILE_OPTIONS, parse_profile_settings
from flowlag.record import UNTAGGABLE

#: Options that tell how files are read, as for `enrich`; in Splunk, flowlagenrich before flowlagprofile is given them.
READING_OPTIONS = ("start", "end", "duration", "packets", "interface", "status", "format")

#: Option -> what stands for its value, and its meaning with the default.
PROFILE_HELP = {
    **{name: OPTION_HELP[name] for name in ("lag", "interval", *READING_OPTIONS, "prefix")},
    "interval": ("SPAN", "the interval of the grid that is looked for: 1 to 3600 whole seconds, or 10m (default 60)"),
    "minrecords": ("COUNT", "ok records below which an interface is unknown (default 3)"),
}

_HEADINGS = {
    "interface_id": "interface", "records": "records", "ok": "ok", "timing_mode": "mode", "mode_support": "support",
    "interval": "interval", "phase": "phase", "window_p50": "win p50", "window_max": "max", "first_start": "first",
    "last_end": "last", "index_lag_p50": "lag p50", "index_lag_p99": "p99", "suggest_delay": "delay",
    "suggest_lookback": "lookback",
}  # fmt: skip


def profile(argv: Sequence[str]) -> int:
    """`profile`: write a row for each interface, and for each phase that it had."""
    args = _profile_parser().parse_intermixed_args(argv)
    known = (*PROFILE_OPTIONS, *READING_OPTIONS)
    pairs = [(name, value) for name in known for value in getattr(args, name) or ()]
    try:
        settings = parse_profile_settings(pairs, "flowlag profile", known)
    except SettingsError as error:
        complain(error)
        return WRONG_USAGE
    enricher, profiler, failures = Enricher(settings.reading), Profiler(settings), Failures()
    with progress_bar(args.files) as progress:
        for event in tag_rows(enricher, read_sources(args.files, settings.reading, progress, failures.note)):
            profiler.feed(event.get)
    is_written = write_lines(PROFILE_WRITERS[args.output](profiler.close()))
    warning = profiler.warning()
    if warning:
        complain(warning)
    if failures or not is_written:
        return FAILED
    unreadable = sum(profiler.counts[status] for status in (*UNTAGGABLE, "other"))
    return UNREADABLE if args.strict and unreadable else DONE


def _profile_parser() -> Parser:
    parser = Parser(
        prog="python -m flowlag profile",
        description="Tells how each network interface stamps its flow log records, and, where the index time is known "
        "(_indextime), how late they arrive.",
        epilog="Exit codes: 0 done; 1 done, but some records were unreadable and --strict was given; 2 wrong usage; "
        "3 input missing or unreadable.",
        allow_abbrev=False,
    )
    for name, (metavar, meaning) in PROFILE_HELP.items():
        parser.add_argument(f"--{name}", metavar=metavar, help=meaning, action="append")
    parser.add_argument("--output", choices=PROFILE_WRITERS, default="table", help="how to write (default table)")
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 when records were invalid, missing, reversed or other"
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a flow log file; - is stdin")
    return parser


def write_csv(rows: Iterable[dict[str, str]]) -> Iterator[str]:
    """CSV, as the command writes it; a header line where there is no row."""
    yield ",".join(PROFILE_FIELDS)
    yield from (",".join(map(quote_cell, row.values())) for row in rows)


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
