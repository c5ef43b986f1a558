# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag learn`: the lag of each interface in files, learned as flowlaglearn does.

Authority: docs/learn.md, Output fields, and docs/shell.md, Output.
"""

from __future__ import annotations

from collections.abc import Sequence

from flowlag.cli.command import (
    add_options,
    add_sides,
    find_inputs,
    find_writer,
    finish,
    given_options,
    has_unreadable,
    make_parser,
    open_inputs,
)
from flowlag.cli.keys import check_keys, join_synonyms
from flowlag.cli.output import CsvForm
from flowlag.cli.period import PERIOD_OPTIONS, read_period
from flowlag.cli.pieces import list_events
from flowlag.cli.row_output import RowOutput
from flowlag.cli.tagger import tag_batches
from flowlag.cli.terminal import Parser, write_lines
from flowlag.enrich import Enricher
from flowlag.enrich_options import FIELD_OPTIONS, FORMAT
from flowlag.files.batches import list_rows
from flowlag.files.names import KeyFinder, known_names, read_as
from flowlag.learn.learner import Learner
from flowlag.learn.options import LEARN_OPTIONS, parse_learn_settings
from flowlag.learn.rows import LEARN_FIELDS
from flowlag.match.options import ANCHORS

#: Files tell flows and anchors apart. With the options for reading files; in Splunk, flowlagenrich has these.
OPTIONS = (
    *(option for option in LEARN_OPTIONS if option is not ANCHORS),
    *(option for option in FIELD_OPTIONS if option not in LEARN_OPTIONS),
    FORMAT,
)

_OUTPUT = RowOutput(
    LEARN_FIELDS,
    {
        "interface_id": "interface", "anchors": "anchors", "lag_p50": "lag p50", "lag_95": "95 %", "lag_99": "99 %",
        "lag_999": "99.9 %", "learned_from": "from", "learned_to": "to", "misses": "misses", "state": "state",
    },
    times=("from", "to"),
)  # fmt: skip


def learn(argv: Sequence[str]) -> int:
    """`learn`: write a row for each interface."""
    args = _learn_parser().parse_args(argv)
    settings = parse_learn_settings(given_options(args, OPTIONS), "flowlag learn", OPTIONS)
    period = read_period(args, "flowlag learn")
    writer = find_writer(_OUTPUT.writers, args)
    finders = {
        "flow": KeyFinder(settings.by.flow, [*known_names(settings.reading), *settings.flags]),
        "anchor": KeyFinder(settings.by.anchor, filter(None, [settings.anchor_time, settings.anchor_packets])),
    }
    enricher, learner = Enricher(settings.reading), Learner(settings, join_synonyms(finders))
    flows = find_inputs(args.flows, "--flows FILE")
    with open_inputs([*flows, *args.anchors]) as inputs:
        for piece in tag_batches(enricher, inputs.batches(flows, settings.reading), period, CsvForm()):
            for event in list_events(piece, enricher.fields):
                learner.feed_flow(read_as(event, finders["flow"].find(event)))
        for event in list_rows(inputs.tables(args.anchors)):
            learner.feed_anchor(read_as(event, finders["anchor"].find(event)))
    check_keys(finders, settings.by, settings.reading.prefix)
    is_written = write_lines(writer(lambda write: map(write, learner.close())))
    is_failing = args.strict and (has_unreadable(enricher.counts) or learner.unusable > 0)
    return finish(inputs, is_written, [enricher.warning(), learner.warning()], is_failing)


def _learn_parser() -> Parser:
    parser = make_parser(
        "learn",
        "Learns how much later than its packets each network interface stamps its records, from events that tell "
        "exactly when a connection was opened (anchors). Flows are read and tagged as `enrich` does.",
    )
    add_sides(parser)
    add_options(
        parser,
        [*OPTIONS, *PERIOD_OPTIONS],
        _OUTPUT.writers,
        "exit with 1 when a record was unreadable or an anchor takes no part",
    )
    return parser
