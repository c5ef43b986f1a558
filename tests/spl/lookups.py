# SPDX-License-Identifier: Apache-2.0
"""Owns the lookups of SPL in the tests: CSV files in the app's folder, and the commands that read and write them.

Authority: Splunk's Search Reference (lookup, inputlookup, outputlookup) and transforms.conf.spec. Refused where they are
silent: a field of an event that OUTPUT would overwrite, and internal fields in a file.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from tests.spl.commands import only
from tests.spl.table import Table, from_text, output_value
from tests.spl.values import Row, SplError, from_values, plain_text, values_of
from tests.spl.words import name_of, take_options, truth_of, words_of
from tests.support.conf import read_conf


class NoFile(SplError):
    """A lookup that is declared and has no file yet."""


def path_of(app: Path, name: str) -> Path:
    """Return where the file of a lookup is, or would be."""
    stanzas = read_conf("default/transforms.conf", app) if (app / "default" / "transforms.conf").is_file() else {}
    if set(stanzas.get(name, ())) != {"filename"}:
        raise SplError(f"unknown lookup {name}")
    return app / "lookups" / stanzas[name]["filename"]


def read_rows(app: Path, name: str) -> Table:
    path = path_of(app, name)
    if not path.is_file():
        raise NoFile(f"the lookup {name} has no file")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        return Table.of(map(from_text, reader), list(reader.fieldnames or ()))


def input_lookup(app: Path, table: Table, text: str) -> Table:
    """The rows of a lookup, with append=true behind those that are there."""
    options, words = take_options(words_of(text), "append")
    read = read_rows(app, name_of(only(words, 1, "inputlookup")[0]))
    if not truth_of(options, "append", False):
        if table.rows:
            raise SplError("inputlookup without append=true behind other rows")
        return read
    return Table.of([*table.rows, *read.rows], [*table.columns, *read.columns])


def output_lookup(app: Path, table: Table, text: str) -> Table:
    """Writes all rows into the file of a lookup, in place of what was there, and gives them on.

    Without rows it leaves the file alone if override_if_empty is false.
    """
    options, words = take_options(words_of(text), "override_if_empty")
    path = path_of(app, name_of(only(words, 1, "outputlookup")[0]))
    if not table.rows and not truth_of(options, "override_if_empty", True):
        return table
    hidden = [name for name in table.columns if name.startswith("_")]
    if hidden:
        raise SplError(f"whether outputlookup writes {hidden} is not certain; take them away with fields")
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table.columns)
        writer.writerows([single(row.get(name)) for name in table.columns] for row in table.rows)
    return table


def single(value: Any) -> str:
    if isinstance(value, list):
        raise SplError(f"a multivalue in outputlookup: {value!r}")
    return str(output_value(value))


def look_up(app: Path, table: Table, text: str) -> Table:
    """`lookup <name> <field> AS <field of the event> OUTPUT <field>`: the values of all rows that match."""
    words = words_of(text)
    if len(words) != 6 or (words[2].upper(), words[4]) != ("AS", "OUTPUT"):
        raise SplError(f"lookup {text}")
    name, key, field, output = (name_of(words[n]) for n in (0, 1, 3, 5))
    read = read_rows(app, name)
    if output in table.columns or not {key, output} <= set(read.columns):
        raise SplError(f"lookup {text}: the events have a {output}, or the file has not both columns")
    found: dict[str, list[str]] = {}
    for row in read.rows:
        found.setdefault(str(output_value(row.get(key))), []).extend(values_of(row.get(output)))
    return Table.of([with_output(row, field, output, found) for row in table.rows], [*table.columns, output])


def with_output(row: Row, field: str, output: str, found: dict[str, list[str]]) -> Row:
    if len(values_of(row.get(field))) > 1:
        raise SplError(f"lookup by the multivalue {field}")
    value = from_values([item for key in values_of(row.get(field)) for item in found.get(plain_text(key), [])])
    return row if value is None else {**row, **from_text({output: value})}


COMMANDS = {"lookup": look_up, "inputlookup": input_lookup, "outputlookup": output_lookup}
