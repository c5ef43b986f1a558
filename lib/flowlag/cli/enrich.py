# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag enrich`: the records of files with their tags, as flowlagenrich gives them.

Authority: docs/shell.md, Output.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Optional

from flowlag.cli.command import (
    add_files,
    add_options,
    find_inputs,
    find_writer,
    finish,
    given_options,
    has_unreadable,
    make_parser,
    open_inputs,
)
from flowlag.cli.lags import LAGS, find_lags, read_lags
from flowlag.cli.output import WRITERS
from flowlag.cli.period import PERIOD_OPTIONS, Period, read_period
from flowlag.cli.terminal import Parser, complain, write_lines
from flowlag.cli.windows import read_windows, take_windows_file, with_windows_file
from flowlag.enrich import Enricher
from flowlag.enrich_options import ENRICH_OPTIONS, parse_settings
from flowlag.files.names import Get, read_as
from flowlag.files.rows import Row


def enrich(argv: Sequence[str]) -> int:
    """`enrich`: write the records of files with their tags."""
    args = _enrich_parser().parse_intermixed_args(argv)
    windows = take_windows_file(args)
    settings = parse_settings(given_options(args, ENRICH_OPTIONS), "flowlag enrich")
    period = read_period(args, "flowlag enrich")
    writer = find_writer(WRITERS, args)
    path = find_lags(args, "flowlag enrich", "confidence", settings.confidence is not None)
    enricher = Enricher(settings, read_windows(windows, settings), read_lags(path, settings.confidence))
    files = find_inputs(args.files)
    with open_inputs(files) as inputs:
        events = tag_rows(enricher, inputs.rows(files, enricher.settings), period)
        is_written = write_lines(writer(events, enricher.settings, complain))
    return finish(inputs, is_written, [enricher.warning()], args.strict and has_unreadable(enricher.counts))


def _enrich_parser() -> Parser:
    parser = make_parser(
        "enrich",
        "Tags every flow log record with the interval in which its packets can have passed. Reads text, CSV, JSON and "
        "Parquet, plain or in gzip; the content tells which.",
    )
    add_options(parser, [*with_windows_file(ENRICH_OPTIONS), LAGS, *PERIOD_OPTIONS], WRITERS)
    add_files(parser)
    return parser


def tag_rows(enricher: Enricher, rows: Iterable[Row], period: Optional[Period] = None) -> Iterator[dict[str, str]]:
    """Each row as an event with its tags (last) and `_time` (first, if the row has none)."""
    return (event for event, _ in tag_events(enricher, rows, period))


def tag_events(
    enricher: Enricher, rows: Iterable[Row], period: Optional[Period] = None
) -> Iterator[tuple[dict[str, str], Get]]:
    """The same, each event with a function that gives its fields by their known names, however they are spelled.

    Records that start outside the period are left out.
    """
    for row in rows:
        if row.values is not None:
            tags = enricher.tag_line(row.values, (row.line or row.fields).get)
        elif row.is_other:
            tags = enricher.tag_other(row.fields.get("_raw", ""))
        else:
            tags = enricher.tag(read_as(row.own or row.fields, row.aliases))
        if period is not None and not period.holds(tags.start):
            continue
        event = row.fields if "_time" in row.fields else {"_time": "", **row.fields}
        yield enricher.write(event, tags), read_as(event, row.aliases)
