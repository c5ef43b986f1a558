# SPDX-License-Identifier: Apache-2.0
"""Owns the result table of a search in the tests, and the order of sort."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, ip_address
from typing import Any, Callable, NamedTuple

from tests.spl.values import PLAIN_NUMBER, Field, Row, SplError, as_number, plain_text, values_of

IDENTITY: Callable[[Any], Any] = lambda value: value  # noqa: E731


class Table(NamedTuple):
    """Columns in order, and rows without the columns that are null in them."""

    columns: list[str]
    rows: list[Row]

    @classmethod
    def of(cls, rows: Iterable[Row], columns: Sequence[str] = ()) -> Table:
        """Return a table of rows; columns that are not named follow in the order in which they come."""
        listed = list(rows)
        return cls(list(dict.fromkeys([*columns, *(name for row in listed for name in row)])), listed)

    def with_rows(self, rows: list[Row]) -> Table:
        return Table(self.columns, rows)

    def output(self) -> list[dict[str, Any]]:
        """Return rows as the reader of a search gets them: text, "" for null, lists for multivalues."""
        return [{name: output_value(row.get(name)) for name in self.columns} for row in self.rows]


def output_value(value: Any) -> Any:
    if isinstance(value, list):
        return [plain_text(item) for item in value]
    return "" if value is None else plain_text(value)


def from_text(row: dict[str, Any]) -> Row:
    """Return a row of plain text as fields; an empty one is null."""
    return {name: field_of(value) for name, value in row.items() if value not in ("", None, [])}


def field_of(value: Any) -> Any:
    if isinstance(value, list):
        return [Field(item) for item in value]
    if not isinstance(value, str):
        raise SplError(f"an event's field is text or a list of text, not {value!r}")
    return Field(value)


def matching(columns: Sequence[str], pattern: str) -> list[str]:
    """Return the columns that a name with wildcards means; names that begin with _ have to be asked for so."""
    if "*" not in pattern:
        return [pattern]
    hidden = pattern.startswith("_")
    glob = re.sub(r"[\[?]", "[\\g<0>]", pattern)
    return [name for name in columns if fnmatchcase(name, glob) and name.startswith("_") == hidden]


# -- sort


def sort_rows(rows: list[Row], keys: Sequence[tuple[str, str, bool]]) -> list[Row]:
    """Return rows by keys (kind, field, descending), the first key first; null comes last either way."""
    for kind, name, descending in reversed(keys):
        there = [row for row in rows if name in row]
        key = sort_key(kind, name, [row[name] for row in there])
        there.sort(key=lambda row, key=key, name=name: key(row[name]), reverse=descending)  # type: ignore[misc]
        rows = there + [row for row in rows if name not in row]
    return rows


def sort_key(kind: str, name: str, values: list[Any]) -> Callable[[Any], Any]:
    if any(isinstance(value, list) for value in values):
        raise SplError(f"the order of the multivalue {name} is not documented")
    if kind == "str":
        return plain_text
    numeric = [as_number(value) is not None for value in values]
    if all(numeric):
        return as_number
    if kind == "num":
        raise SplError(f"num({name}) of values that are no numbers")
    return automatic_key(name, [plain_text(value) for value in values])


def automatic_key(name: str, texts: list[str]) -> Callable[[Any], Any]:
    """Addresses by their numbers, text by its letters; text that begins with digits is documented both ways."""
    if all(map(is_ipv4, texts)):
        return lambda value: IPv4Address(plain_text(value))
    ordered = sorted(texts)
    leading = [re.match(PLAIN_NUMBER, text) for text in ordered]
    pairs = [(float(a[0]), float(b[0])) for a, b in zip(leading, leading[1:]) if a and b]
    if any(a > b for a, b in pairs) or any(map(is_ipv4, texts)):
        raise SplError(f"the order of {name} is not certain; use str() or num(): {ordered[:5]!r}")
    return plain_text


def is_ipv4(text: str) -> bool:
    try:
        return isinstance(ip_address(text), IPv4Address)
    except ValueError:
        return False


def combination(row: Row, fields: Sequence[str]) -> tuple[Any, ...]:
    """Return the values of some fields of a row, for finding rows that are alike."""
    return tuple(tuple(map(plain_text, values_of(row.get(name)))) for name in fields)
