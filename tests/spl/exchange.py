# SPDX-License-Identifier: Apache-2.0
"""Owns how rows get to one of our commands and back, as splunkd does it with the packaged command as a process.

A command gets the fields that it asks for in getinfo. What a streaming command did not ask for is kept back, and its
reply is merged with it by number. A test that wants a faulty splunkd overrides one of the steps: sent, kept, received.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.spl.table import Table, output_value
from tests.spl.values import Field, Row, SplError
from tests.support.splunkd import Reply, Splunkd, exited, failure, write_body

NUMBER = "_chunked_idx"
Message = tuple[str, str]  # level and text


class Exchange:
    """The way from a table through a packaged command to the next table."""

    def __init__(self, app: Path, python: str) -> None:
        self.app, self.python = app, python

    # -- the steps that a test may spoil

    def sent(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows as the command gets them."""
        return rows

    def kept(self, row: Row) -> Row:
        """The fields of a row that are merged with its reply."""
        return row

    def received(self, rows: list[Row]) -> list[Row]:
        """The rows of the reply, each with its number where it is merged."""
        return rows

    # -- the way

    def run(self, name: str, arguments: Sequence[str], table: Table) -> tuple[Table, list[Message]]:
        """Return what the command makes of the rows, which it gets in two chunks, and its messages."""
        with Splunkd(self.app / "bin" / f"{name}.py", self.python) as splunkd:
            info = splunkd.getinfo(*arguments)
            refuse(info, name)
            wanted = info.metadata.get("required_fields", ["*"])
            is_merged = wanted != ["*"] and info.metadata.get("type") != "reporting"
            names = list(table.columns) if wanted == ["*"] else list(wanted)
            rows = self.sent([select(row, names, n, is_merged) for n, row in enumerate(table.rows)])
            replies = exchange(splunkd, name, rows, [*names, NUMBER] if is_merged else names)
        messages = [message for reply in replies for message in reply.messages]
        tables = [read_reply(reply) for reply in replies]
        columns = list(dict.fromkeys(name for read in tables for name in read.columns if name != NUMBER))
        given = self.received([row for read in tables for row in read.rows])
        return self.merge(table, given, columns, names) if is_merged else Table(columns, given), messages

    def merge(self, table: Table, given: list[Row], columns: list[str], asked: list[str]) -> Table:
        """Return the rows with what came back for them; a field that was asked for in vain makes no column."""
        replied, rows = set(columns), []
        for row in given:
            before = self.kept(table.rows[int(row[NUMBER])])
            merged = {**{name: before[name] for name in before if name not in replied}, **row}
            del merged[NUMBER]
            rows.append(merged)
        made = [name for name in columns if name not in asked or any(name in row for row in rows)]
        return Table(list(dict.fromkeys([*table.columns, *made])), rows)


def select(row: Row, names: Sequence[str], number: int, is_merged: bool) -> dict[str, Any]:
    """Return what splunkd sends of a row: the fields that were asked for, and the number by which it is merged."""
    asked = {name: output_value(row.get(name)) for name in names}
    return {**asked, NUMBER: str(number)} if is_merged else asked


def exchange(splunkd: Splunkd, name: str, rows: list[dict[str, Any]], columns: list[str]) -> list[Reply]:
    """Send the rows in two chunks and return the replies."""
    middle = len(rows) // 2
    bodies = [write_body(part, columns) for part in (rows[:middle], rows[middle:])] if rows else [b""]
    replies = []
    for n, body in enumerate(bodies, 1):
        try:
            replies.append(splunkd.execute(body, finished=n == len(bodies)))
        except EOFError as error:
            raise SplError(failure(name, exited(splunkd.process.wait()))) from error
        refuse(replies[-1], name)
    if splunkd.close():
        raise SplError(failure(name, exited(splunkd.process.returncode)))
    return replies


def refuse(reply: Reply, name: str) -> None:
    """End the search if the reply says so.

    As others saw it on splunkd 9.4 (docs/evidence.md): `error` alone ends a search and is shown. The messages of a
    getinfo reply are dropped; of an execute reply they are shown, and an ERROR among them ends nothing.
    """
    if reply.error:
        raise SplError(failure(name, reply.error))


def read_reply(reply: Reply) -> Table:
    """Return columns and rows of a reply; a field whose twin is filled is a multivalue, an empty one is null."""
    lines = csv.reader(io.StringIO(reply.body.decode("utf-8", "surrogateescape"), newline=""))
    header = next(lines, [])
    places = [(name, n) for n, name in enumerate(header) if not name.startswith("__mv_")]
    twins = [(name[len("__mv_") :], n) for n, name in enumerate(header) if name.startswith("__mv_")]
    rows = []
    for line in lines:
        row: Row = {name: Field(line[n]) for name, n in places if line[n]}
        row.update({name: multivalue(line[n]) for name, n in twins if line[n]})
        rows.append(row)
    return Table([name for name, _ in places], rows)


def multivalue(twin: str) -> list[Field]:
    return [Field(item.replace("$$", "$")) for item in re.findall(r"\$((?:[^$]|\$\$)*)\$(?:;|$)", twin)]
