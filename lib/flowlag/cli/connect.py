# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag connect`: the connections in files, and when each began and ended, as flowlagconnect tells it.

Authority: docs/connect.md, Output fields, and docs/shell.md, Output.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

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
from flowlag.cli.period import PERIOD_OPTIONS, read_period
from flowlag.cli.pieces import tag_events
from flowlag.cli.row_output import RowOutput
from flowlag.cli.terminal import Parser, write_lines
from flowlag.connect.connector import Connector
from flowlag.connect.options import CONNECT_OPTIONS, parse_connect_settings
from flowlag.connect.rows import CONNECT_FIELDS
from flowlag.enrich import Enricher
from flowlag.enrich_options import FIELD_OPTIONS, FORMAT

#: Events handed on at a time.
BATCH = 1000

#: With the options for reading files; in Splunk, flowlagenrich has these, before flowlagconnect.
OPTIONS = (
    *CONNECT_OPTIONS,
    *(option for option in FIELD_OPTIONS if option not in CONNECT_OPTIONS),
    FORMAT,
)

_OUTPUT = RowOutput(
    CONNECT_FIELDS,
    {
        "src": "src", "src_port": "port", "dest": "dst", "dest_port": "port", "protocol": "proto",
        "direction_basis": "by", "start_earliest": "start from", "start_latest": "before", "start_basis": "basis",
        "end_earliest": "end from", "end_latest": "before", "end_basis": "basis", "home": "home", "records": "records",
        "packets_out": "out", "packets_in": "in",
    },
    times=("start from", "before", "end from"),
)  # fmt: skip


def connect(argv: Sequence[str]) -> int:
    """`connect`: write a row for each connection."""
    args = _connect_parser().parse_intermixed_args(argv)
    settings = parse_connect_settings(given_options(args, OPTIONS), "flowlag connect", OPTIONS)
    period = read_period(args, "flowlag connect")
    writer = find_writer(_OUTPUT.writers, args)
    enricher, connector = Enricher(settings.reading), Connector(settings)
    files = find_inputs(args.files)
    with open_inputs(files) as inputs:
        events = tag_events(enricher, inputs.rows(files, settings.reading), period)
        while batch := list(islice(events, BATCH)):
            connector.feed([get for _, get in batch])
    is_written = write_lines(writer(connector.close))
    is_failing = args.strict and (has_unreadable(enricher.counts) or connector.unusable > 0)
    return finish(inputs, is_written, [enricher.warning(), connector.warning()], is_failing)


def _connect_parser() -> Parser:
    parser = make_parser(
        "connect",
        "Tells which flow log records are of one connection, and when each connection began and ended. Records are "
        "read and tagged as `enrich` does.",
    )
    add_options(
        parser,
        [*OPTIONS, *PERIOD_OPTIONS],
        _OUTPUT.writers,
        "exit with 1 when a record was unreadable, or its tuple was",
    )
    add_files(parser)
    return parser
