# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag profile`: how the interfaces in files stamp their records, as flowlagprofile tells it.

Authority: docs/profile.md, Output fields, and docs/shell.md, Output.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

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
from flowlag.enrich import Enricher
from flowlag.enrich_options import FIELD_OPTIONS, FORMAT
from flowlag.fields import has_value
from flowlag.files.names import AliasFinder, Get, read_as
from flowlag.profile.options import PROFILE_OPTIONS, parse_profile_settings
from flowlag.profile.profiler import PROFILE_FIELDS, Profiler

#: With the options for reading files; in Splunk, flowlagenrich has these, before flowlagprofile.
OPTIONS = (*PROFILE_OPTIONS, *FIELD_OPTIONS, FORMAT)

INDEX_TIME = "_indextime"

_OUTPUT = RowOutput(
    PROFILE_FIELDS,
    {
        "interface_id": "interface", "records": "records", "ok": "ok", "timing_mode": "mode", "mode_support": "support",
        "interval": "interval", "phase": "phase", "window_p50": "win p50", "window_max": "max", "first_start": "first",
        "last_end": "last", "index_lag_p50": "lag p50", "index_lag_p99": "p99", "suggest_delay": "delay",
        "suggest_lookback": "lookback",
    },
    times=("first", "last"),
)  # fmt: skip


def profile(argv: Sequence[str]) -> int:
    """`profile`: write a row for each interface and each of its phases."""
    args = _profile_parser().parse_intermixed_args(argv)
    settings = parse_profile_settings(given_options(args, OPTIONS), "flowlag profile", OPTIONS)
    period = read_period(args, "flowlag profile")
    writer = find_writer(_OUTPUT.writers, args)
    enricher, profiler = Enricher(settings.reading), Profiler(settings)
    files, feeder = find_inputs(args.files), _Feeder(enricher)
    with open_inputs(files) as inputs:
        for piece in tag_batches(enricher, inputs.batches(files, settings.reading), period, CsvForm()):
            for get, count in feeder.read(piece):
                profiler.feed(get, count)
    is_written = write_lines(writer(lambda write: (write(tuple(row.values())) for row in profiler.close())))
    return finish(inputs, is_written, [profiler.warning()], args.strict and has_unreadable(profiler.counts))


class _Feeder:
    """Gives what a Profiler asks of records: those that are equal in all of it are given once, with their number."""

    def __init__(self, enricher: Enricher) -> None:
        settings = enricher.settings
        self._tags = enricher.fields
        self._aliases = AliasFinder(settings.input_fields)
        self._asked = {*settings.input_fields, INDEX_TIME}
        self._interfaces = settings.names.interface

    def read(self, piece: Piece) -> Iterator[tuple[Get, int]]:
        """For each distinct record what gives its fields, and how many there are."""
        if not isinstance(piece, Tagged):
            for event in piece:
                yield read_as(event, self._aliases.find(event)), 1
            return
        columns = piece.all_columns()
        aliases = self._aliases.find(columns)
        asked = {*self._asked, *aliases.values()}
        names = [aliases.get(name, name) for name in self._interfaces]
        if any(name in columns and all(map(has_value, set(columns[name]))) for name in names):
            asked.discard("_raw")  # it is asked only for the interface
        held = {name: texts for name, texts in columns.items() if name in asked}
        for row, count in Counter(zip(*held.values(), piece.tags)).items():
            fields = {**dict(zip(held, row)), **dict(zip(self._tags, row[-1].split(",")))}
            yield read_as(fields, aliases), count


def _profile_parser() -> Parser:
    parser = make_parser(
        "profile",
        "Tells how each network interface stamps its flow log records and, if the index time is known (_indextime), "
        "how late they arrive.",
    )
    add_options(parser, [*OPTIONS, *PERIOD_OPTIONS], _OUTPUT.writers)
    add_files(parser)
    return parser
