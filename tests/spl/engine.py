# SPDX-License-Identifier: Apache-2.0
"""Owns the running of a search in the tests: made events in, a result table out, our commands as packaged processes.

The one reading of SPL in the tests: strict, so that what it is not sure of is an SplError and no guess. README.md beside
it says what it knows. A test that wants a fault gives a Search or an Exchange of its own. Never shipped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from tests.spl import (
    gather,  # noqa: F401  it registers its commands
    lookups,
    models,
)
from tests.spl.commands import COMMANDS, only, whole_number
from tests.spl.exchange import Exchange
from tests.spl.rest import Rest, rest
from tests.spl.search import compile_search
from tests.spl.table import Table, from_text
from tests.spl.times import parse_bound
from tests.spl.values import Num, Row, SplError
from tests.spl.words import (
    Macros,
    arguments_of,
    split_command,
    split_outside,
    split_pipeline,
    take_options,
    unwrap,
    words_of,
)

__all__ = ["Engine", "Search", "SplError"]
PROCESSES = ("flowlagenrich", "flowlagmatch", "flowlagconnect", "flowlagprofile", "flowlaglearn")
SID = "1700000000.12"
#: A token of a dashboard that nobody has filled in.
TOKEN = re.compile(r"\$[A-Za-z_][\w.:]*(?:\|\w+)?\$")


class Range(NamedTuple):
    """The time range of a search, and the range of the time at which its events were indexed; None is all time."""

    earliest: Optional[float]
    latest: Optional[float]
    index_earliest: Optional[float] = None
    index_latest: Optional[float] = None

    def contains(self, row: Row) -> bool:
        """The earliest moment belongs to the range, the latest does not."""
        return within(row["_time"], self.earliest, self.latest) and (
            (self.index_earliest, self.index_latest) == (None, None)
            or within(index_time(row), self.index_earliest, self.index_latest)
        )


def index_time(row: Row) -> Any:
    if "_indextime" not in row:
        raise SplError("a range of index time, and an event without _indextime")
    return row["_indextime"]


def within(time: Any, earliest: Optional[float], latest: Optional[float]) -> bool:
    return (earliest is None or float(time) >= earliest) and (latest is None or float(time) < latest)


class Engine:
    """A stand-in for a search head with some events."""

    def __init__(
        self,
        events: Sequence[dict[str, Any]],
        app: Path,
        python: str,
        macros: Mapping[str, dict[str, str]],
        now: float,
        local: Optional[Mapping[str, str]] = None,
        *,
        exchange: Optional[Exchange] = None,
        search_type: Optional[type[Search]] = None,
    ) -> None:
        """`exchange` and `search_type` stand in for the usual ones: so a test seeds a fault."""
        rows = [from_text(event) for event in events]
        if any("_time" not in row for row in rows):
            raise SplError("an event without _time")
        self.events = sorted(rows, key=lambda row: float(row["_time"]), reverse=True)
        self.app, self.now = app, now
        self.macros = Macros(macros, local)
        #: What the command rest gives; tests change it.
        self.rest = Rest(app, self.macros)
        self.exchange = exchange or Exchange(app, python)
        self.search_type = search_type or Search
        #: Warnings of our commands in the last search, as (level, text).
        self.messages: list[tuple[str, str]] = []
        #: Tables of searches up to one of our commands, with the messages until then: a view's chains begin alike.
        self.known: dict[tuple[Range, tuple[str, ...]], tuple[Table, list[tuple[str, str]]]] = {}

    def search(
        self, query: str, earliest: str = "", latest: str = "", index_earliest: str = "", index_latest: str = ""
    ) -> list[dict[str, Any]]:
        """Return the rows of a search over a time range; every row has every column, "" stands for null."""
        return self.table(query, earliest, latest, index_earliest, index_latest).output()

    def table(self, query: str, *bounds: str) -> Table:
        """Return the result table of a search; `bounds` are those of search()."""
        self.messages = []
        left = TOKEN.search(query)
        if left:
            raise SplError(f"the token {left[0]} has no value")
        times = Range(*(parse_bound(bound, self.now) for bound in bounds))
        return self.search_type(self, times).run(self.macros.expand(query))


class Search:
    """One search or subsearch, with its time range."""

    def __init__(self, engine: Engine, times: Range) -> None:
        self.engine, self.times, self.inline = engine, times, False

    def run(self, query: str) -> Table:
        """Return the table of a whole search, whose first command makes rows."""
        commands, before = split_pipeline(query), len(self.engine.messages)
        done = self.known_part(commands)
        if done:
            table, messages = self.engine.known[self.times, tuple(commands[:done])]
            self.engine.messages += messages
        else:
            table, done = self.generate(*split_command(commands[0])), 1
        for position, command in enumerate(commands[done:], done + 1):
            table = self.apply(table, *split_command(command))
            if split_command(command)[0] in PROCESSES and not self.inline:
                self.engine.known[self.times, tuple(commands[:position])] = table, self.engine.messages[before:]
        return table

    def known_part(self, commands: Sequence[str]) -> int:
        """Return how many of the commands have been run before, in this order and over this time."""
        lengths = range(len(commands), 0, -1)
        return next((n for n in lengths if (self.times, tuple(commands[:n])) in self.engine.known), 0)

    def continued(self, table: Table, commands: Sequence[str]) -> Table:
        for command in commands:
            table = self.apply(table, *split_command(command))
        return table

    # -- the first command

    def generate(self, name: str, text: str) -> Table:
        if name == "search":
            return self.base_search(text)
        if name == "makeresults":
            return self.make_results(text)
        if name == "tstats":
            return self.count_in_model(text)
        if name == "inputlookup":
            return lookups.input_lookup(self.engine.app, Table.of([]), text)
        if name == "rest":
            return self.ask_splunkd(text)
        self.apply(Table.of([]), name, text)  # refuses an unknown one in its own words
        raise SplError(f"{name} cannot be the first command")

    def base_search(self, text: str) -> Table:
        """Return the events that are found, the newest first; times within the search go before its range."""
        inline: dict[str, str] = {}
        predicate = compile_search(text, inline)
        bounds = {name: parse_bound(value, self.engine.now) for name, value in inline.items()}
        self.inline, times = bool(inline), self.times._replace(**bounds)
        return Table.of(row for row in self.engine.events if times.contains(row) and predicate(row))

    def count_in_model(self, text: str) -> Table:
        """Return what tstats counts in the time range of the search."""
        if (self.times.index_earliest, self.times.index_latest) != (None, None):
            raise SplError("tstats over a range of index time: no data model has _indextime")
        return models.tstats([row for row in self.engine.events if self.times.contains(row)], text)

    def make_results(self, text: str) -> Table:
        options, rest = take_options(words_of(text), "count")
        only(rest, 0, "makeresults")
        count = whole_number(options.get("count", "1"), "makeresults")
        return Table.of([{"_time": Num(math.floor(self.engine.now))} for _ in range(count)], ["_time"])

    def ask_splunkd(self, text: str) -> Table:
        """Return what an endpoint has; a refused one ends no search."""
        table, messages = rest(self.engine.rest, text)
        self.engine.messages += messages
        return table

    # -- the commands after it

    def apply(self, table: Table, name: str, text: str) -> Table:
        if name in PROCESSES:
            return self.process(table, name, text)
        if name in ("append", "appendpipe"):
            return self.append(table, name, text)
        if name == "addinfo":
            return self.add_info(table, text)
        if name in lookups.COMMANDS:
            return self.look_up(table, name, text)
        if name not in COMMANDS:
            raise SplError(f"Unknown search command {name!r}.")
        return COMMANDS[name](table, text, self.engine.now)

    def append(self, table: Table, name: str, text: str) -> Table:
        """The rows of a subsearch, or of a pipeline on the rows so far, behind these."""
        inner = unwrap(text)
        if name == "append":
            if not re.match(r"\||search\s", inner):
                raise SplError(f"a subsearch begins with search or a pipe: {inner!r}")
            added = self.subsearch(inner)
        else:
            added = self.continued(table.with_rows([dict(row) for row in table.rows]), split_outside(inner, "|"))
        return Table.of([*table.rows, *added.rows], [*table.columns, *added.columns])

    def subsearch(self, text: str) -> Table:
        """Return the rows of a subsearch of append; a lookup without a file gives none there, and a message."""
        try:
            return type(self)(self.engine, self.times).run(text)
        except lookups.NoFile as error:
            self.engine.messages.append(("ERROR", f"[subsearch]: {error}"))
            return Table.of([])

    def look_up(self, table: Table, name: str, text: str) -> Table:
        """Return what a command of lookups gives; what was run before a file changed is not known any more."""
        if name == "outputlookup":
            self.engine.known.clear()
        return lookups.COMMANDS[name](self.engine.app, table, text)

    def add_info(self, table: Table, text: str) -> Table:
        if text or self.inline:
            raise SplError("addinfo with arguments, or with a time range within the search")
        info = {
            "info_min_time": f"{self.times.earliest or 0:.3f}",
            "info_max_time": "+Infinity" if self.times.latest is None else f"{self.times.latest:.3f}",
            "info_sid": SID,
            "info_search_time": f"{self.engine.now:.3f}",
        }
        return Table.of([{**row, **from_text(info)} for row in table.rows], [*table.columns, *info])

    def process(self, table: Table, name: str, text: str) -> Table:
        """Return what the packaged command makes of the rows, and keep its messages."""
        made, messages = self.engine.exchange.run(name, arguments_of(text), table)
        self.engine.messages += messages
        return made
