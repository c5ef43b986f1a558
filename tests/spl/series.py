# SPDX-License-Identifier: Apache-2.0
"""Owns the command of SPL in the tests that makes a series without holes: timechart with minspan and bins.

Authority: Splunk's Search Reference, timechart. Splunk's timechart reaches over the whole time range of a search; here it
ends with the rows. Of the spans that Splunk chooses from those are known that are whole minutes, hours or days.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.spl.commands import command, without_nulls
from tests.spl.stats import parse_stats
from tests.spl.table import Table
from tests.spl.times import parse_span
from tests.spl.values import Num, Row, SplError, as_number
from tests.spl.words import take_options, words_of


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
