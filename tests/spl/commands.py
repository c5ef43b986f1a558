# SPDX-License-Identifier: Apache-2.0
"""Owns the commands of SPL in the tests that choose, order and change rows, each by itself.

Authority: Splunk's Search Reference, one page for each command. An option that is not known is refused.
"""

from __future__ import annotations

import math
import re
from typing import Callable

from tests.spl.eval import assignable, compile_assignments, compile_expression, truth
from tests.spl.search import compile_search
from tests.spl.table import Table, combination, matching, sort_rows
from tests.spl.times import parse_span
from tests.spl.values import Num, Row, SplError, Value, as_number, from_values, plain_text, values_of
from tests.spl.words import name_of, pattern_of, take_options, truth_of, words_of

Command = Callable[[Table, str, float], Table]
COMMANDS: dict[str, Command] = {}


def command(name: str) -> Callable[[Command], Command]:
    """Register a command: it gets the table, its arguments as text, and the time of the search."""

    def register(call: Command) -> Command:
        COMMANDS[name] = call
        return call

    return register


def whole_number(text: str, what: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise SplError(f"{what} needs a whole number from 1, not {text!r}")
    return int(text)


def only(words: list[str], count: int, what: str) -> list[str]:
    if len(words) != count:
        raise SplError(f"{what}: {count} argument(s) expected, not {words!r}")
    return words


# -- rows


@command("search")
def _search(table: Table, text: str, now: float) -> Table:
    predicate = compile_search(text)
    return table.with_rows([row for row in table.rows if predicate(row)])


@command("where")
def _where(table: Table, text: str, now: float) -> Table:
    condition = compile_expression(text, now)
    return table.with_rows([row for row in table.rows if truth(condition(row))])


@command("head")
def _head(table: Table, text: str, now: float) -> Table:
    return table.with_rows(table.rows[: whole_number(text or "10", "head")])


@command("tail")
def _tail(table: Table, text: str, now: float) -> Table:
    """The last rows, the last one first."""
    return table.with_rows(table.rows[::-1][: whole_number(text or "10", "tail")])


@command("reverse")
def _reverse(table: Table, text: str, now: float) -> Table:
    only(words_of(text), 0, "reverse")
    return table.with_rows(table.rows[::-1])


@command("dedup")
def _dedup(table: Table, text: str, now: float) -> Table:
    """Keeps the first rows of each combination of values; those that miss a field go, unless keepempty is true."""
    options, words = take_options(words_of(text), "keepempty")
    keep_empty = truth_of(options, "keepempty", False)
    count = int(words.pop(0)) if words and words[0].isdigit() else 1
    fields, seen, rows = [name_of(word) for word in words], {}, []
    if not fields or count < 1:
        raise SplError(f"dedup {text}")
    for row in table.rows:
        if all(name in row for name in fields):
            key = combination(row, fields)
            seen[key] = seen.get(key, 0) + 1
            rows += [row] if seen[key] <= count else []
        elif keep_empty:
            rows.append(row)
    return table.with_rows(rows)


@command("sort")
def _sort(table: Table, text: str, now: float) -> Table:
    """10000 rows unless a count says otherwise, 0 for all."""
    words = words_of(re.sub(r"(^|[\s,])([+-])\s+", r"\1\2", text))
    count = int(words.pop(0)) if words and words[0].isdigit() else 10000
    if not words or words[-1] in ("a", "asc", "d", "desc"):
        raise SplError(f"sort {text!r} names no field, or ends with an order")
    rows = sort_rows(table.rows, [sort_term(word) for word in words])
    return table.with_rows(rows[:count] if count else rows)


def sort_term(word: str) -> tuple[str, str, bool]:
    match = re.fullmatch(r"([+-]?)(?:(auto|num|str)\((.*)\)|(.*))", word)
    assert match is not None
    return match[2] or "auto", name_of(match[3] or match[4] or ""), match[1] == "-"


# -- columns


@command("table")
def _table(table: Table, text: str, now: float) -> Table:
    names = [name_of(word) for word in words_of(text)]
    if not names:
        raise SplError("table without fields")
    return keep(table, names, names)


def keep(table: Table, names: list[str], columns: list[str]) -> Table:
    wanted = set(names)
    return Table(columns, [{name: row[name] for name in row if name in wanted} for row in table.rows])


@command("fields")
def _fields(table: Table, text: str, now: float) -> Table:
    """_raw and _time stay unless they are named behind a minus."""
    sign = re.match(r"([+-])(?:\s|$)", text)
    words = words_of(text[1:] if sign else text)
    named = [name for word in words for name in matching(table.columns, pattern_of(word))]
    if not words:
        raise SplError("fields without fields")
    if sign and sign[1] == "-":
        left = [name for name in table.columns if name not in named]
        return keep(table, left, left)
    hidden = [name for name in ("_time", "_raw") if name in table.columns and name not in named]
    columns = [name for name in [*hidden, *named] if name in table.columns]
    return keep(table, columns, columns)


@command("rename")
def _rename(table: Table, text: str, now: float) -> Table:
    words = words_of(text)
    if not words or len(words) % 3 or any(word.lower() != "as" for word in words[1::3]):
        raise SplError(f"rename {text}")
    for old, new in zip(words[::3], words[2::3]):
        for source, target in renamings(table, pattern_of(old), pattern_of(new)):
            table = rename_one(table, source, target)
    return table


def renamings(table: Table, old: str, new: str) -> list[tuple[str, str]]:
    """Return what a name, or a pattern with one wildcard, stands for."""
    if old.count("*") != new.count("*") or old.count("*") > 1:
        raise SplError(f"rename {old} as {new}")
    if "*" not in old:
        return [(old, new)]
    start, end = old.split("*")
    return [(name, new.replace("*", name[len(start) : len(name) - len(end)])) for name in matching(table.columns, old)]


def rename_one(table: Table, old: str, new: str) -> Table:
    """Rename a column; what becomes of another column of the new name is not to be relied upon."""
    if old == new or old not in table.columns:
        if old != new and new in table.columns:
            raise SplError(f"rename {old} as {new}: there is no {old}, but there is {new}")
        return table
    if new in table.columns:
        raise SplError(f"rename {old} as {new}: there is a {new}")
    columns = [new if name == old else name for name in table.columns]
    return Table(columns, [{new if name == old else name: row[name] for name in row} for row in table.rows])


# -- values


@command("eval")
def _eval(table: Table, text: str, now: float) -> Table:
    """Assignments from left to right, each of which sees those before it."""
    assignments = compile_assignments(text, now)
    rows = [dict(row) for row in table.rows]
    for name, expression in assignments:
        for row in rows:
            store(row, name, assignable(name, expression(row)))
    return Table.of(rows, [*table.columns, *(name for name, _ in assignments)])


def store(row: Row, name: str, value: Value) -> None:
    if value is None:
        row.pop(name, None)
    else:
        if isinstance(value, Num):
            plain_text(value)  # refuses now what could not be written
        row[name] = value


@command("fillnull")
def _fillnull(table: Table, text: str, now: float) -> Table:
    options, words = take_options(words_of(text), "value")
    value, named = options.get("value", "0"), [name_of(word) for word in words]
    columns = named or [name for name in table.columns if not name.startswith("_")]
    if not named and any(name.startswith("_") and name not in row for row in table.rows for name in table.columns):
        raise SplError("whether fillnull without fields fills _time and the like is not certain")
    filled = as_field(value)
    rows = [{**row, **{name: filled for name in columns if name not in row}} for row in table.rows]
    return Table.of(rows, [*table.columns, *columns])


def as_field(text: str) -> Value:
    number = as_number(text)
    return text if number is None else number


@command("bin")
def _bin(table: Table, text: str, now: float) -> Table:
    """_time becomes the start of its span; any other field the range `0-10`."""
    options, words = take_options(words_of(text), "span")
    renamed = len(words) == 3 and words[1].lower() == "as"
    name = name_of(only(words[::3] if renamed else words, 1, "bin")[0])
    if "span" not in options:
        raise SplError("bin without span")
    target, span = name_of(words[2]) if renamed else name, parse_span(options["span"])
    if name != "_time" and not options["span"].isdigit():
        raise SplError(f"what bin makes of {name} with a span of time is not certain; use floor()")
    rows = [{**row, target: binned(name, row[name], span)} if name in row else row for row in table.rows]
    return Table.of(rows, [*table.columns, target])


def binned(name: str, value: Value, span: int) -> Value:
    number = as_number(value)
    if number is None or number < 0:
        raise SplError(f"bin of {name}={value!r}")
    start = math.floor(number / span) * span
    return Num(start) if name == "_time" else f"{start}-{start + span}"


@command("makemv")
def _makemv(table: Table, text: str, now: float) -> Table:
    options, words = take_options(words_of(text), "delim allowempty")
    name, delim = name_of(only(words, 1, "makemv")[0]), options.get("delim", " ")
    allow_empty = truth_of(options, "allowempty", False)

    def split(value: Value) -> Value:
        parts = [part for item in values_of(value) for part in plain_text(item).split(delim)]
        return from_values([part for part in parts if part or allow_empty])

    return Table.of([{**row, name: split(row[name])} if name in row else row for row in table.rows], table.columns)


@command("mvexpand")
def _mvexpand(table: Table, text: str, now: float) -> Table:
    """A row for each value; what becomes of a row without one is not documented."""
    name = name_of(only(words_of(text), 1, "mvexpand")[0])
    if any(name not in row for row in table.rows):
        raise SplError(f"mvexpand {name}: what becomes of a row without it is not documented")
    return table.with_rows([{**row, name: value} for row in table.rows for value in values_of(row[name])])
