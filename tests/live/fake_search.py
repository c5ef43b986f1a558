# SPDX-License-Identifier: Apache-2.0
"""The searches of the stand-in instance: those of tests.spl, with what Splunk does and the interpreter leaves open.

It proves the tests, not Splunk. A fault by name spoils one step of a search or of the exchange with our commands, so that
a test which looks for it has to fail.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.spl.commands import keep
from tests.spl.engine import Engine, Range, Search
from tests.spl.exchange import NUMBER, Exchange
from tests.spl.table import Table, matching, output_value
from tests.spl.values import Row
from tests.spl.words import pattern_of, words_of

MOST = 12_000  # rows that makeresults makes here, so that tests stay quick


class FakeExchange(Exchange):
    """What comes between splunkd and our commands, with its faults."""

    def __init__(self, app: Path, python: str, faults: frozenset[str]) -> None:
        super().__init__(app, python)
        self.faults = faults

    def sent(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if "hidden index time" in self.faults:
            return [{**row, "_indextime": ""} for row in rows]
        return rows

    def kept(self, row: Row) -> Row:
        if "lost fields" in self.faults:
            row = {name: value for name, value in row.items() if name != "note"}
        return flat(row) if "joined multivalues" in self.faults else row

    def received(self, rows: list[Row]) -> list[Row]:
        is_merged = any(NUMBER in row for row in rows)
        if "wrong rows" in self.faults and is_merged:
            return [{**row, NUMBER: str(n)} for n, row in enumerate(rows[1:] + rows[:1])]
        return rows[:50_000] if "cut replies" in self.faults and not is_merged else rows


class FakeSearch(Search):
    """A search of the instance."""

    def __init__(self, engine: Engine, times: Range) -> None:
        super().__init__(engine, times)
        assert isinstance(engine.exchange, FakeExchange)
        self.faults = engine.exchange.faults

    def generate(self, name: str, text: str) -> Table:
        """An instance of one search head has no events elsewhere that eventcount could count."""
        return Table.of([]) if name == "eventcount" else super().generate(name, text)

    def make_results(self, text: str) -> Table:
        table = super().make_results(text)
        return table.with_rows(table.rows[:MOST])

    def apply(self, table: Table, name: str, text: str) -> Table:
        return self.show(table, text) if name == "table" else super().apply(table, name, text)

    def show(self, table: Table, text: str) -> Table:
        """The command table; what a wildcard stands for comes sorted, without what is named besides."""
        words = [pattern_of(word) for word in words_of(text)]
        found = [sorted(set(matching(table.columns, word)) - set(words)) if "*" in word else [word] for word in words]
        names = [name for part in found for name in part]
        if "sorted columns" in self.faults:
            names = sorted(names)
        return keep(table, names, names)


def flat(row: Row) -> Row:
    """A row of texts: what is a list is joined by line feeds."""
    return {
        name: "\n".join(value) if isinstance(value, list) else str(output_value(value)) for name, value in row.items()
    }
