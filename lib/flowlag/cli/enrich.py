# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag enrich`: the records of files with their tags, the same as the search command without Splunk.

Authority: contract section 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Optional

from flowlag.cli.output import WRITERS
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
from flowlag.enrich_options import OPTIONS, TIMES, WINDOWS, parse_settings
from flowlag.errors import SettingsError
from flowlag.fields import LAYOUTS
from flowlag.files.rows import Row
from flowlag.files.sources import read_sources
from flowlag.record import UNTAGGABLE

#: Option -> what stands for its value, and its meaning with the default.
OPTION_HELP = {
    "lag": ("SPAN", "how long before `start` a packet may have passed: 0 to 3600 seconds, or 60s, 1m (default 60)"),
    "interval": ("SPAN", "the flow log's aggregation interval: 1 to 3600 whole seconds, or 10m (default 60)"),
    "phase": ("SECOND", "second of the interval at which windows open (default: not known)"),
    "windows": ("WHICH", f"windows to tell: {', '.join(WINDOWS)} (default auto: those known by phase or record)"),
    "time": ("WHICH", f"what _time becomes: {', '.join(TIMES)} (default keep; `start` where there is none)"),
    "start": ("FIELD", "field of the start (default: start_time, start, start_time_dt)"),
    "end": ("FIELD", "field of the end (default: end_time, end, end_time_dt)"),
    "duration": ("FIELD", "field with seconds from which a missing end is made (default: none)"),
    "packets": ("FIELD", "field of the number of packets (default: packets, traffic.packets)"),
    "interface": ("FIELD", "field of the network interface (default: interface_id and its kin)"),
    "status": ("FIELD", "field of the log status (default: log_status, status_code)"),
    "format": ("FORMAT", f"layout of text lines: auto, none, {', '.join(LAYOUTS)} or an AWS format string such as "
               '"${version} ${start} ${end}" (default auto: a header line, else the first line of a known layout)'),
    "prefix": ("TEXT", "what the names of the tags begin with (default flowlag_)"),
}  # fmt: skip


def enrich(argv: Sequence[str]) -> int:
    """`enrich`: write the records of files with their tags."""
    args = _enrich_parser().parse_intermixed_args(argv)
    pairs = [(name, value) for name in OPTIONS for value in getattr(args, name) or ()]
    try:
        enricher = Enricher(parse_settings(pairs, "flowlag enrich"))
    except SettingsError as error:
        complain(error)
        return WRONG_USAGE
    failures = Failures()
    with progress_bar(args.files) as progress:
        events = tag_rows(enricher, read_sources(args.files, enricher.settings, progress, failures.note))
        is_written = write_lines(WRITERS[args.output](events, enricher.settings, complain))
    warning = enricher.warning()
    if warning:
        complain(warning)
    if failures or not is_written:
        return FAILED
    unreadable = sum(enricher.counts[status] for status in (*UNTAGGABLE, "other"))
    return UNREADABLE if args.strict and unreadable else DONE


def _enrich_parser() -> Parser:
    parser = Parser(
        prog="python -m flowlag enrich",
        description="Tags every flow log record with the interval in which its packets can have passed. Reads text, "
        "CSV, JSON and Parquet, plain or in gzip; the content tells which.",
        epilog="Exit codes: 0 done; 1 done, but some records were unreadable and --strict was given; 2 wrong usage; "
        "3 input missing or unreadable.",
        allow_abbrev=False,
    )
    for name in OPTIONS:
        metavar, meaning = OPTION_HELP[name]
        # appended, so that parse_settings can refuse an option that is given twice
        parser.add_argument(f"--{name}", metavar=metavar, help=meaning, action="append")
    parser.add_argument("--output", choices=WRITERS, default="table", help="how to write (default table)")
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 when records were invalid, missing, reversed or other"
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a flow log file; - is stdin")
    return parser


def tag_rows(enricher: Enricher, rows: Iterable[Row]) -> Iterator[dict[str, str]]:
    """Each row as an event with `_time` (first where the row has none) and its tags (last)."""
    for row in rows:
        if row.values is not None:
            tags = enricher.tag_line(row.values)
        else:
            tags = enricher.tag(_no_field if row.is_other else row.fields.get)
        event = row.fields if "_time" in row.fields else {"_time": "", **row.fields}
        yield enricher.write(event, tags)


def _no_field(name: str) -> Optional[str]:
    return None
