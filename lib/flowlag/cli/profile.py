# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag profile`: how the interfaces in files stamp their records, as flowlagprofile tells it.

Authority: docs/profile.md, Output fields, and docs/shell.md, Output.
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
from flowlag.cli.period import PERIOD_OPTIONS, read_period
from flowlag.cli.pieces import tag_events
from flowlag.cli.row_output import RowOutput
from flowlag.cli.terminal import Parser, write_lines
from flowlag.enrich import Enricher
from flowlag.enrich_options import FIELD_OPTIONS, FORMAT
from flowlag.profile.options import PROFILE_OPTIONS, parse_profile_settings
from flowlag.profile.profiler import PROFILE_FIELDS, Profiler

#: With the options for reading files; in Splunk, flowlagenrich has these, before flowlagprofile.
OPTIONS = (*PROFILE_OPTIONS, *FIELD_OPTIONS, FORMAT)

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
    files = find_inputs(args.files)
    with open_inputs(files) as inputs:
        for _, get in tag_events(enricher, inputs.rows(files, settings.reading), period):
            profiler.feed(get)
    is_written = write_lines(writer(lambda write: (write(tuple(row.values())) for row in profiler.close())))
    return finish(inputs, is_written, [profiler.warning()], args.strict and has_unreadable(profiler.counts))


def _profile_parser() -> Parser:
    parser = make_parser(
        "profile",
        "Tells how each network interface stamps its flow log records and, if the index time is known (_indextime), "
        "how late they arrive.",
    )
    add_options(parser, [*OPTIONS, *PERIOD_OPTIONS], _OUTPUT.writers)
    add_files(parser)
    return parser
