# SPDX-License-Identifier: Apache-2.0
"""Owns the commands of SPL in the tests that make a series without holes: timechart and makecontinuous.

Authority: Splunk's Search Reference, timechart and makecontinuous. Only what has a span is done: without one Splunk
chooses it. Splunk's timechart reaches over the whole time range of a search; here it ends with the rows.
"""

from __future__ import annotations

from collections.abc import Iterator

from spl_commands import command, only, without_nulls
from spl_stats import parse_stats
from spl_table import Table
from spl_time import parse_span
from spl_values import Num, Row, SplError, as_number
from spl_words import name_of, take_options, words_of


def steps(rows: list[Row], name: str, span: int) -> Iterator[tuple[int, list[Row]]]:
    """Yield the start of each span from the first to the last that has rows, and its rows."""
    spans: dict[int, list[Row]] = {}
    for row in rows:
        number = as_number(row.get(name))
        if number is None:
            raise SplError(f"{name} is no number in a row")
        spans.setdefault(int(number // span), []).append(row)
    for step in range(min(spans, default=0), max(spans, default=-1) + 1):
        yield step * span, spans.get(step, [])


def take_span(text: str, what: str) -> tuple[int, list[str]]:
    """Return the span and the other words."""
    options, words = take_options(words_of(text), "span")
    if "span" not in options:
        raise SplError(f"{what} without span")
    return parse_span(options["span"]), words


@command("timechart")
def _timechart(table: Table, text: str, now: float) -> Table:
    span, words = take_span(text, "timechart")
    aggregates, by = parse_stats(" ".join(words), now)
    if by:
        raise SplError("timechart by a field")
    rows = []
    for start, members in steps(table.rows, "_time", span):
        found = {aggregate.name: aggregate.compute(members) for aggregate in aggregates}
        rows.append({"_time": Num(start), **without_nulls(found)})
    return Table.of(rows, ["_time", *(aggregate.name for aggregate in aggregates)])


@command("makecontinuous")
def _makecontinuous(table: Table, text: str, now: float) -> Table:
    """A row for every step of the field between its smallest and its largest value."""
    span, words = take_span(text, "makecontinuous")
    name = name_of(only(words, 1, "makecontinuous")[0])
    rows: list[Row] = []
    for start, members in steps(table.rows, name, span):
        if any(as_number(row[name]) != start for row in members) or len(members) > 1:
            raise SplError(f"{name} is not made of single steps of {span}")
        rows.append(members[0] if members else {name: Num(start)})
    return Table.of(rows, table.columns)
