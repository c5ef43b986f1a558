# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag enrich`: the records of files with their tags, as flowlagenrich gives them.

Authority: docs/shell.md, Output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from flowlag.cli.command import add_options, finish, given_options, has_unreadable, make_parser, open_inputs
from flowlag.cli.lags import LAGS, find_lags, read_lags
from flowlag.cli.output import WRITERS
from flowlag.cli.terminal import Parser, complain, write_lines
from flowlag.enrich import Enricher
from flowlag.enrich_options import ENRICH_OPTIONS, parse_settings
from flowlag.files.rows import Row


def enrich(argv: Sequence[str]) -> int:
    """`enrich`: write the records of files with their tags."""
    args = _enrich_parser().parse_intermixed_args(argv)
    settings = parse_settings(given_options(args, ENRICH_OPTIONS), "flowlag enrich")
    path = find_lags(args, "flowlag enrich", "confidence", settings.confidence is not None)
    enricher = Enricher(settings, None, read_lags(path, settings.confidence))
    with open_inputs(args.files) as inputs:
        events = tag_rows(enricher, inputs.rows(args.files, enricher.settings))
        is_written = write_lines(WRITERS[args.output](events, enricher.settings, complain))
    return finish(inputs, is_written, [enricher.warning()], args.strict and has_unreadable(enricher.counts))


def _enrich_parser() -> Parser:
    parser = make_parser(
        "enrich",
        "Tags every flow log record with the interval in which its packets can have passed. Reads text, CSV, JSON and "
        "Parquet, plain or in gzip; the content tells which.",
    )
    add_options(parser, [*ENRICH_OPTIONS, LAGS], WRITERS)
    parser.add_argument("files", nargs="+", metavar="FILE", help="a flow log file; - is stdin")
    return parser


def tag_rows(enricher: Enricher, rows: Iterable[Row]) -> Iterator[dict[str, str]]:
    """Each row as an event with its tags (last) and `_time` (first, if the row has none)."""
    for row in rows:
        if row.values is not None:
            tags = enricher.tag_line(row.values, (row.line or row.fields).get)
        elif row.is_other:
            tags = enricher.tag_other(row.fields.get("_raw", ""))
        else:
            tags = enricher.tag(row.fields.get)
        event = row.fields if "_time" in row.fields else {"_time": "", **row.fields}
        yield enricher.write(event, tags)
