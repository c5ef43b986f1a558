# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag connect`: the connections in files, and when each began and ended, as flowlagconnect tells it.

Authority: docs/connect.md, Output fields, and docs/shell.md, Output.
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
from flowlag.cli.output import CsvForm
from flowlag.cli.period import PERIOD_OPTIONS, read_period
from flowlag.cli.pieces import Piece, Tagged
from flowlag.cli.row_output import RowOutput
from flowlag.cli.tagger import tag_batches
from flowlag.cli.terminal import Parser, write_lines
from flowlag.connect.connector import Connector
from flowlag.connect.options import CONNECT_OPTIONS, parse_connect_settings
from flowlag.connect.rows import CONNECT_FIELDS
from flowlag.enrich import Enricher
from flowlag.enrich_options import FIELD_OPTIONS, FORMAT
from flowlag.fields import pick_text
from flowlag.files.batches import Columns
from flowlag.files.names import AliasFinder, known_names, read_as

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
    files, feeder = find_inputs(args.files), _Feeder(enricher, connector)
    with open_inputs(files) as inputs:
        for piece in tag_batches(enricher, inputs.batches(files, settings.reading), period, CsvForm()):
            feeder.feed(piece)
    is_written = write_lines(writer(connector.close))
    is_failing = args.strict and (has_unreadable(enricher.counts) or connector.unusable > 0)
    return finish(inputs, is_written, [enricher.warning(), connector.warning()], is_failing)


class _Feeder:
    """Gives records to a Connector, as they come: by columns, or as events."""

    def __init__(self, enricher: Enricher, connector: Connector) -> None:
        self._tags = enricher.fields
        self._connector = connector
        self._aliases = AliasFinder(known_names(enricher.settings))

    def feed(self, piece: Piece) -> None:
        """Give the records of a piece."""
        if not isinstance(piece, Tagged):
            self._connector.feed([read_as(event, self._aliases.find(event)) for event in piece])
        elif piece.tags:
            columns = {**piece.all_columns()}
            aliases = self._aliases.find(columns)
            columns.update((name, columns[actual]) for name, actual in aliases.items())
            columns.update(zip(self._tags, map(list, zip(*[text.split(",") for text in piece.tags]))))
            roles = self._connector.settings.roles
            self._connector.take([self._find_texts(columns, role, names) for role, names in roles._asdict().items()])

    def _find_texts(self, columns: Columns, role: str, names: Sequence[str]) -> Sequence[str]:
        """For each record the text of its first column with a value."""
        found = [columns[name] for name in names if name in columns]
        pick = self._connector.pick_protocol if role == "protocol" else pick_text
        return list(map(pick, *found)) if found else [""] * len(next(iter(columns.values())))


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
