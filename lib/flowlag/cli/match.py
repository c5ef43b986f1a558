# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag match`: pairs of flows and other events from files, the same as flowlagmatch without Splunk.

The events of both sides go through the command's own table as CSV, so that what comes out is the same to the byte.
Authority: contract sections 3 and 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from flowlag.cli.enrich import OPTION_HELP, tag_rows
from flowlag.cli.match_output import TABLES
from flowlag.cli.output import encode_line, quote_cell
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
from flowlag.enrich_options import OPTIONS, parse_settings
from flowlag.errors import SettingsError
from flowlag.files.sources import read_sources, read_tables
from flowlag.match import Matcher
from flowlag.match_options import RELATIONS, parse_match_settings
from flowlag.record import UNTAGGABLE
from flowlag.splunk.match_table import MatchTable

#: Events handed on at a time.
BATCH = 1000

#: Option -> what stands for its value, and its meaning with the default. Here, files tell flows and anchors apart.
MATCH_HELP = {
    "by": ("FIELDS", "key fields with commas between: a, or a=b for flow field a equals anchor field b (required)"),
    "relation": ("WHICH", f"{', '.join(RELATIONS)}: the flow before or after the anchor (default overlap)"),
    "within": ("SPAN", "seconds allowed between the two (default 1 for overlap, required for before and after)"),
    "tolerance": ("SPAN", "clock error of the anchors in seconds, both ways (default 0)"),
    "anchor_time": ("FIELD", "field of the anchor's time (default _time)"),
    "anchor_end": ("FIELD", "field of the end of the anchor's interval (default: none)"),
    "maxmatches": ("COUNT", "flows kept for an anchor, the best first (default 100)"),
    "unmatched": ("TRUTH", "true or false: also write anchors without a possible flow (default true)"),
}  # fmt: skip


def match(argv: Sequence[str]) -> int:
    """`match`: write the pairs of flows and anchors, and the anchors without a flow."""
    args = _match_parser().parse_args(argv)
    given = {name: getattr(args, name) or () for name in (*OPTIONS, *MATCH_HELP)}
    try:
        enricher = Enricher(parse_settings(_pairs(given, OPTIONS), "flowlag match"))
        matcher = Matcher(parse_match_settings(_pairs(given, (*MATCH_HELP, "prefix")), "flowlag match"))
    except SettingsError as error:
        complain(error)
        return WRONG_USAGE
    table, failures = MatchTable(matcher), Failures()
    with progress_bar([*args.flows, *args.anchors]) as progress:
        rows = tag_rows(enricher, read_sources(args.flows, enricher.settings, progress, failures.note))
        for body in write_bodies(rows):
            table.feed(body, "flow")
        for body in write_bodies(read_tables(args.anchors, progress, failures.note)):
            table.feed(body, "anchor")
    is_written = write_lines(TABLES[args.output](table.close(), matcher.settings))
    for warning in filter(None, (enricher.warning(), matcher.warning())):
        complain(warning)
    if failures or not is_written:
        return FAILED
    unreadable = sum(enricher.counts[status] for status in (*UNTAGGABLE, "other"))
    return UNREADABLE if args.strict and (unreadable or matcher.unusable) else DONE


def _pairs(given: dict[str, Sequence[str]], names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, value) for name in names for value in given[name]]


def _match_parser() -> Parser:
    parser = Parser(
        prog="python -m flowlag match",
        description="Tells which flows could belong to which other events (anchors: logins, findings, API calls), when "
        "flow times are intervals. Flows are read and tagged as `enrich` does, by the same options.",
        epilog="Exit codes: 0 done; 1 done, but some events were unreadable and --strict was given; 2 wrong usage; "
        "3 input missing or unreadable.",
        allow_abbrev=False,
    )
    parser.add_argument("--flows", nargs="+", required=True, metavar="FILE", help="flow log files; - is stdin")
    parser.add_argument(
        "--anchors", nargs="+", required=True, metavar="FILE", help="CSV with a header line, or JSON lines; - is stdin"
    )
    for name, (metavar, meaning) in {**MATCH_HELP, **OPTION_HELP}.items():
        spellings = dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}"))
        parser.add_argument(*spellings, metavar=metavar, help=meaning, action="append")
    parser.add_argument("--output", choices=TABLES, default="table", help="how to write (default table)")
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 when a record was unreadable or an anchor takes no part"
    )
    return parser


def write_bodies(events: Iterable[dict[str, str]]) -> Iterator[bytes]:
    """The events as CSV bodies, each with a header of its own."""
    events = iter(events)
    while batch := list(islice(events, BATCH)):
        names = list(dict.fromkeys(name for event in batch for name in event))
        rows = [names, *([event.get(name, "") for name in names] for event in batch)]
        yield encode_line("\n".join(",".join(map(quote_cell, row)) for row in rows))
