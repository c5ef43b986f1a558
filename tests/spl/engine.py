# SPDX-License-Identifier: Apache-2.0
"""Owns the running of a search in the tests: made events in, a result table out, our commands as packaged processes.

A strict interpreter of the part of SPL that the app's views use. Authority: Splunk's Search Reference and Search Manual;
where they are silent or contradict themselves for the data at hand, SplError is raised. It is no Splunk: no indexes, no
knowledge objects but macros, one time zone (UTC), no limits but those of sort and list(). Never shipped.

    spl_words     macros, the pipe, words           spl_search    the expressions of search
    spl_values    null, numbers, comparison         spl_eval      the expressions of eval and where
    spl_time      modifiers, strftime               spl_functions the functions of eval
    spl_table     rows and their order              spl_stats     the functions of stats
    spl_commands  the commands                      spl           the Engine: events, time range, processes
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

from tests.spl import series as spl_series  # noqa: F401  it registers its commands
from tests.spl.commands import COMMANDS, only, split_pipeline, whole_number
from tests.spl.search import compile_search
from tests.spl.table import Table, from_text, output_value
from tests.spl.times import parse_bound
from tests.spl.values import Num, Row, SplError
from tests.spl.words import Macros, split_outside, take_options, unwrap, words_of
from tests.support.splunkd import Reply, Splunkd, write_body

__all__ = ["Engine", "SplError"]
PROCESSES = ("flowlagenrich", "flowlagmatch", "flowlagprofile")
SID = "1700000000.12"
#: A token of a dashboard that nobody has filled in.
TOKEN = re.compile(r"\$[A-Za-z_][\w.:]*(?:\|\w+)?\$")


class Range(NamedTuple):
    """The time range of a search; None is all time."""

    earliest: Optional[float]
    latest: Optional[float]

    def contains(self, time: float) -> bool:
        """The earliest moment belongs to the range, the latest does not."""
        after = self.earliest is None or time >= self.earliest
        return after and (self.latest is None or time < self.latest)


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
    ) -> None:
        rows = [from_text(event) for event in events]
        if any("_time" not in row for row in rows):
            raise SplError("an event without _time")
        self.events = sorted(rows, key=lambda row: float(row["_time"]), reverse=True)
        self.app, self.python, self.now = app, python, now
        self.macros = Macros(macros, local)
        #: Warnings of our commands in the last search, as (level, text).
        self.messages: list[tuple[str, str]] = []
        #: Tables of searches up to one of our commands, with the messages until then: a view's chains begin alike.
        self.known: dict[tuple[Range, tuple[str, ...]], tuple[Table, list[tuple[str, str]]]] = {}

    def search(self, query: str, earliest: str = "", latest: str = "") -> list[dict[str, Any]]:
        """Return the rows of a search over a time range; every row has every column, "" stands for null."""
        self.messages = []
        left = TOKEN.search(query)
        if left:
            raise SplError(f"the token {left[0]} has no value")
        times = Range(parse_bound(earliest, self.now), parse_bound(latest, self.now))
        return Search(self, times).run(self.macros.expand(query)).output()


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
        raise SplError(f"{name} cannot be the first command")

    def base_search(self, text: str) -> Table:
        """Return the events that are found, the newest first; times within the search go before its range."""
        inline: dict[str, str] = {}
        predicate = compile_search(text, inline)
        bounds = {name: parse_bound(value, self.engine.now) for name, value in inline.items()}
        self.inline, times = bool(inline), self.times._replace(**bounds)
        return Table.of(row for row in self.engine.events if times.contains(float(row["_time"])) and predicate(row))

    def make_results(self, text: str) -> Table:
        options, rest = take_options(words_of(text), "count")
        only(rest, 0, "makeresults")
        count = whole_number(options.get("count", "1"), "makeresults")
        return Table.of([{"_time": Num(math.floor(self.engine.now))} for _ in range(count)], ["_time"])

    # -- the commands behind it

    def apply(self, table: Table, name: str, text: str) -> Table:
        if name in PROCESSES:
            return self.process(table, name, text)
        if name in ("append", "appendpipe"):
            return self.append(table, name, text)
        if name == "addinfo":
            return self.add_info(table, text)
        if name not in COMMANDS:
            raise SplError(f"unknown command {name!r}")
        return COMMANDS[name](table, text, self.engine.now)

    def append(self, table: Table, name: str, text: str) -> Table:
        """The rows of a subsearch, or of a pipeline on the rows so far, behind these."""
        inner = unwrap(text)
        if name == "append":
            if not re.match(r"\||search\s", inner):
                raise SplError(f"a subsearch begins with search or a pipe: {inner!r}")
            added = Search(self.engine, self.times).run(inner)
        else:
            added = self.continued(table.with_rows([dict(row) for row in table.rows]), split_outside(inner, "|"))
        return Table.of([*table.rows, *added.rows], [*table.columns, *added.columns])

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

    # -- our commands

    def process(self, table: Table, name: str, text: str) -> Table:
        """Return what the packaged command makes of the rows, which it gets in two chunks."""
        script = self.engine.app / "bin" / f"{name}.py"
        rows = [{column: output_value(row[column]) for column in row} for row in table.rows]
        middle = len(rows) // 2
        bodies = [write_body(part, table.columns) for part in (rows[:middle], rows[middle:])] if rows else [b""]
        with Splunkd(script, self.engine.python) as splunkd:
            self.note(splunkd.getinfo(*arguments_of(text)))
            replies = [splunkd.execute(body, finished=body is bodies[-1]) for body in bodies]
            for reply in replies:
                self.note(reply)
            splunkd.close()
        columns = [column for reply in replies for column in header_of(reply)]
        return Table.of([row for reply in replies for row in rows_of(reply)], columns)

    def note(self, reply: Reply) -> None:
        """Keep the messages; an error ends the search, as it does in Splunk."""
        for level, sentence in reply.messages:
            if level in ("ERROR", "FATAL"):
                raise SplError(sentence)
            self.engine.messages.append((level, sentence))


def split_command(text: str) -> tuple[str, str]:
    match = re.match(r"([a-z]+)(?=[\s\[(\"'*]|$)", text)
    if match is None:
        raise SplError(f"no command: {text!r}")
    return match[1], text[match.end() :].strip()


def arguments_of(text: str) -> list[str]:
    """Return the arguments of a command of ours without their quotes, as splunkd hands them over."""
    if "\\" in text:
        raise SplError(f"a backslash in the arguments {text!r}")
    return [word.replace('"', "") for word in split_outside(text, " ") if word]


def header_of(reply: Reply) -> list[str]:
    header = next(csv.reader(io.StringIO(body_of(reply), newline="")), [])
    return [name for name in header if not name.startswith("__mv_")]


def rows_of(reply: Reply) -> list[Row]:
    """Return the rows of a reply; a field whose twin is filled is a multivalue."""
    rows = csv.DictReader(io.StringIO(body_of(reply), newline=""))
    return [from_text({name: multivalue(row, name) for name in row if not name.startswith("__mv_")}) for row in rows]


def multivalue(row: dict[str, str], name: str) -> Any:
    twin = row.get(f"__mv_{name}")
    if not twin:
        return row[name]
    return [item.replace("$$", "$") for item in re.findall(r"\$((?:[^$]|\$\$)*)\$(?:;|$)", twin)]


def body_of(reply: Reply) -> str:
    return reply.body.decode("utf-8", "surrogateescape")
