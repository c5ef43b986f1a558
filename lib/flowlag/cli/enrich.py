# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag enrich`: the records of files with their tags, as flowlagenrich gives them.

Authority: docs/shell.md, Output.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from flowlag.cli.output import WRITERS, find_form
from flowlag.cli.period import PERIOD_OPTIONS, read_period
from flowlag.cli.tagger import tag_batches
from flowlag.cli.terminal import Parser, complain, write_lines
from flowlag.cli.windows import read_windows, take_windows_file, with_windows_file
from flowlag.enrich import Enricher
from flowlag.enrich_options import ENRICH_OPTIONS, parse_settings


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
        form = find_form(args.output, settings)
        pieces = tag_batches(enricher, inputs.batches(files, settings), period, form)
        is_written = write_lines(writer(pieces, settings, complain))
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
