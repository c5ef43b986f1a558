# SPDX-License-Identifier: Apache-2.0
"""`python -m flowlag match`: the pairs of flows and other events from files, as flowlagmatch gives them.

The events of both sides go through the command's own table as CSV, so that what comes out is the same to the byte.
Authority: docs/match.md, Output fields, and docs/shell.md, Output.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

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
from flowlag.cli.keys import Finders, check_keys, join_synonyms
from flowlag.cli.lags import LAGS, find_lags, read_lags
from flowlag.cli.match_output import TABLES
from flowlag.cli.output import CsvForm, csv_lines
from flowlag.cli.period import PERIOD_OPTIONS, read_period
from flowlag.cli.pieces import Piece, Tagged
from flowlag.cli.tagger import tag_batches
from flowlag.cli.terminal import Parser, encode_line, write_lines
from flowlag.cli.windows import read_windows, take_windows_file
from flowlag.enrich import Enricher
from flowlag.enrich_options import ENRICH_OPTIONS, parse_settings
from flowlag.files.batches import list_rows
from flowlag.files.names import KeyFinder
from flowlag.match.matcher import Matcher
from flowlag.match.options import ANCHORS, MATCH_OPTIONS, PREFIX, Keys, parse_match_settings
from flowlag.splunk.csv_bytes import quote
from flowlag.splunk.match_table import MatchTable

#: Events handed on at a time.
BATCH = 1000

#: Here, files tell flows and anchors apart.
PAIR_OPTIONS = tuple(option for option in MATCH_OPTIONS if option is not ANCHORS)


def match(argv: Sequence[str]) -> int:
    """`match`: write the pairs of flows and anchors, and the anchors without a flow."""
    args = _match_parser().parse_args(argv)
    enricher, matcher, finders = _read_settings(args)
    period = read_period(args, "flowlag match")
    writer = find_writer(TABLES, args)
    table = MatchTable(matcher, {side: finder.find for side, finder in finders.items()})
    flows = find_inputs(args.flows, "--flows FILE")
    with open_inputs([*flows, *args.anchors]) as inputs:
        pieces = tag_batches(enricher, inputs.batches(flows, enricher.settings), period, CsvForm())
        for body in write_bodies(pieces, enricher.fields):
            table.feed(body, "flow")
        anchors = list_rows(inputs.tables(args.anchors))
        for body in write_bodies(iter(lambda: list(islice(anchors, BATCH)), []), ()):
            table.feed(body, "anchor")
    check_keys(finders, Keys(matcher.settings.flow_keys, matcher.settings.anchor_keys), matcher.settings.prefix)
    is_written = write_lines(writer(table.close(), matcher.settings))
    is_failing = args.strict and (has_unreadable(enricher.counts) or matcher.unusable > 0)
    return finish(inputs, is_written, [enricher.warning(), matcher.warning()], is_failing)


def _read_settings(args: Namespace) -> tuple[Enricher, Matcher, Finders]:
    windows = take_windows_file(args)
    settings = parse_settings(given_options(args, ENRICH_OPTIONS), "flowlag match")
    asked = parse_match_settings(given_options(args, PAIR_OPTIONS), "flowlag match")
    ranks, bounds = asked.rank == "probability", settings.confidence is not None
    path = find_lags(args, "flowlag match", "rank=probability", ranks or bounds)
    lags = read_lags(path, settings.confidence) if bounds else None
    finders = {
        "flow": KeyFinder(asked.flow_keys, filter(None, [asked.starts])),
        "anchor": KeyFinder(asked.anchor_keys, filter(None, [asked.anchor_time, asked.anchor_end])),
    }
    matcher = Matcher(asked, read_lags(path, None) if ranks else None, join_synonyms(finders))
    return Enricher(settings, read_windows(windows, settings), lags), matcher, finders


def _match_parser() -> Parser:
    parser = make_parser(
        "match",
        "Tells which flows could belong to which other events (anchors: logins, findings, API calls), when flow times "
        "are intervals. Flows are read and tagged as `enrich` does, by the same options.",
    )
    add_sides(parser)
    options = [
        *(option for option in PAIR_OPTIONS if option is not PREFIX),
        *ENRICH_OPTIONS,
        LAGS,
        *PERIOD_OPTIONS,
    ]  # they share prefix
    add_options(parser, options, TABLES, "exit with 1 when a record was unreadable or an anchor takes no part")
    return parser


def write_bodies(pieces: Iterable[Piece], tags: Sequence[str]) -> Iterator[bytes]:
    """The events as CSV bodies, each with a header of its own; `tags` are the names of the tags that they have."""
    for piece in pieces:
        if not piece:
            continue
        names = piece.names if isinstance(piece, Tagged) else list(dict.fromkeys(chain.from_iterable(piece)))
        columns = [*(name for name in names if name not in tags), *tags]
        yield encode_line("\n".join([",".join(map(quote, columns)), *csv_lines(piece, columns, len(tags))]))
