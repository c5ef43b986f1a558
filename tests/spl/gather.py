# SPDX-License-Identifier: Apache-2.0
"""Owns the commands of SPL in the tests that gather rows: statistics by group, series and tables of them.

Authority: Splunk's Search Reference, one page for each command. Splunk's timechart reaches over the whole time range of a
search; here it ends with the rows, and of the spans that Splunk chooses from, those are known that are whole minutes,
hours or days.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from tests.spl.commands import command, only
from tests.spl.stats import group_rows, keys_of, parse_stats
from tests.spl.table import Table
from tests.spl.times import parse_span
from tests.spl.values import Num, Row, SplError, Value, as_number, plain_text, values_of
from tests.spl.words import name_of, take_options, truth_of, words_of


@command("stats")
def _stats(table: Table, text: str, now: float) -> Table:
    aggregates, by = parse_stats(text, now)
    groups = group_rows(table.rows, by) if by else {(): table.rows}
    rows = []
    for key, members in groups.items():
        found = {aggregate.name: aggregate.compute(members) for aggregate in aggregates}
        keyed = {name: group_value(members, name, text) for name, text in zip(by, key)}
        rows.append({**keyed, **without_nulls(found)})
    return Table.of(rows, [*by, *(aggregate.name for aggregate in aggregates)])


def group_value(rows: list[Row], name: str, text: str) -> Value:
    """Return the value that made a group as it was in the rows, number or text."""
    return next(value for row in rows for value in values_of(row.get(name)) if plain_text(value) == text)


def without_nulls(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}


@command("eventstats")
def _eventstats(table: Table, text: str, now: float) -> Table:
    """The statistics of its group in every row; a row without a group gets none."""
    aggregates, by = parse_stats(text, now)
    groups = group_rows(table.rows, by) if by else {(): table.rows}
    found = {key: {a.name: a.compute(rows) for a in aggregates} for key, rows in groups.items()}
    rows = [joined(row, found.get(one_key(row, by))) for row in table.rows]
    return Table.of(rows, [*table.columns, *(aggregate.name for aggregate in aggregates)])


def joined(row: Row, found: Optional[Row]) -> Row:
    if found is None:
        return row
    return without_nulls({**row, **found})


def one_key(row: Row, by: list[str]) -> Optional[tuple[str, ...]]:
    keys = keys_of(row, by) if by else [()]
    if len(keys) > 1:
        raise SplError(f"a multivalue in by {by!r} of eventstats or streamstats")
    return keys[0] if keys else None


@command("streamstats")
def _streamstats(table: Table, text: str, now: float) -> Table:
    """The statistics of the rows so far, the present one among them unless `current=f` begins the arguments."""
    option, _, rest = text.strip().partition(" ")
    is_with = True
    if option.startswith("current="):
        is_with, text = truth_of({"current": option[8:]}, "current", True), rest
    aggregates, by = parse_stats(text, now)
    so_far: dict[Optional[tuple[str, ...]], list[Row]] = {}
    rows = []
    for row in table.rows:
        key = one_key(row, by)
        if key is None:
            raise SplError(f"streamstats: a row without one of {by!r}")
        seen = so_far.setdefault(key, [])
        counted = [*seen, row] if is_with else seen
        rows.append(without_nulls({**row, **{a.name: a.compute(counted) for a in aggregates}}))
        seen.append(row)
    return Table.of(rows, [*table.columns, *(aggregate.name for aggregate in aggregates)])


@command("xyseries")
def _xyseries(table: Table, text: str, now: float) -> Table:
    """A row for each value of the first field, a column for each of the second."""
    x, y, data = (name_of(word) for word in only(words_of(text), 3, "xyseries"))
    rows: dict[str, Row] = {}
    for row in table.rows:
        if not all(isinstance(row.get(name), (str, Num)) for name in (x, y, data)):
            raise SplError(f"xyseries needs one value each of {x}, {y} and {data}: {row!r}")
        series = rows.setdefault(plain_text(row[x]), {x: row[x]})
        if plain_text(row[y]) in series:
            raise SplError(f"xyseries: two values for {row[x]!r}, {row[y]!r}")
        series[plain_text(row[y])] = row[data]
    return Table.of(rows.values(), [x])


# -- timechart


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


SPANS_S = (60, 300, 600, 1800, 3600, 86400)


def choose_span(rows: list[Row], options: dict[str, str]) -> int:
    """Return the shortest span that is not below minspan and makes no more than so many bins."""
    if set(options) != {"minspan", "bins"}:
        raise SplError("timechart without minspan and bins")
    times = [float(number) for row in rows if (number := as_number(row.get("_time"))) is not None]
    length = max(times, default=0.0) - min(times, default=0.0)
    for span in SPANS_S:
        if span >= parse_span(options["minspan"]) and length / span < int(options["bins"]):
            return span
    raise SplError("timechart over a time that is too long")


@command("timechart")
def _timechart(table: Table, text: str, now: float) -> Table:
    options, words = take_options(words_of(text), "minspan bins")
    aggregates, by = parse_stats(" ".join(words), now)
    if by:
        raise SplError("timechart by a field")
    rows = []
    for start, members in steps(table.rows, "_time", choose_span(table.rows, options)):
        found = {aggregate.name: aggregate.compute(members) for aggregate in aggregates}
        rows.append({"_time": Num(start), **without_nulls(found)})
    return Table.of(rows, ["_time", *(aggregate.name for aggregate in aggregates)])
