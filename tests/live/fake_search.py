# SPDX-License-Identifier: Apache-2.0
"""As much of a search as the live suite's own searches need, so that the suite runs without Splunk.

It proves the tests, not Splunk: the base search, a handful of commands, and the commands of the rules as test_rules.py
plays them. Our commands run as packaged processes; what flowlagenrich does not ask for is kept back and merged again by
number, as splunkd's protocol has it. A fault by name spoils one thing, so that a test which looks for it has to fail.
"""

from __future__ import annotations

import csv
import re
import sys
import time
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Callable, Optional

from tests.app.test_conf import COMMANDS, MACROS
from tests.live.small_spl import is_where, run_eval, run_stats, split_arguments, split_pipeline
from tests.rules.test_rules import LOCAL, SPL, expand
from tests.spl.values import SplError
from tests.support.splunkd import Splunkd, write_body

Row = dict[str, Any]
INTERNAL = ("_time", "_raw", "_indextime")
MOST = 12_000  # rows that makeresults makes here, so that tests stay quick
TERM = re.compile(r'(\w+)(>=|=)("[^"]*"|[^\s()]+)')


class SearchFailed(Exception):
    """The search ends; the text is what Splunk would say."""


def expand_spl(text: str) -> str:
    """A search with the app's macros in place; a macro that is not there fails as it does in Splunk."""
    try:
        return expand(" ".join(text.split()))
    except SplError as error:
        raise SearchFailed(
            f"Error in 'SearchParser': The search specifies a macro that cannot be found ({error})."
        ) from None


#: The commands of the rules, with the macros of their scenarios in place.
PLAYED = {expand(text, LOCAL): command for text, command in SPL.items()}
assert set(LOCAL) <= set(MACROS)


class FakeSearch:
    """One search on the events of an instance."""

    def __init__(self, app: Path, events: Iterable[Row], faults: frozenset[str] = frozenset()) -> None:
        self.app = app
        self.events = list(events)
        self.faults = faults
        self.messages: list[tuple[str, str]] = []
        self.columns: Optional[list[str]] = None
        self._commands: dict[str, Callable[[str, list[Row]], list[Row]]] = {
            "makeresults": self._makeresults, "streamstats": self._number, "eval": self._eval, "makemv": self._makemv,
            "where": self._where, "search": self._search, "stats": self._stats, "table": self._table, "fields": self._fields,
            "sort": self._sort, "head": lambda text, rows: rows[: int(text)], "inputlookup": self._inputlookup,
            "outputlookup": self._outputlookup, "eventcount": lambda text, rows: [],
        }  # fmt: skip

    def run(self, text: str) -> list[Row]:
        """The results of a search."""
        rows: list[Row] = []
        for place, command in enumerate(split_pipeline(expand_spl(text))):
            name, _, rest = command.partition(" ")
            if place == 0 and name == "search":
                rows = sorted(self._search(rest, self.events), key=lambda row: -float(row["_time"]))
            elif command in PLAYED:
                rows = [dict(row) for row in PLAYED[command](list(map(Texts, rows)), time.time())]
                self.columns = None
            elif name in COMMANDS:
                rows = self._ours(name, split_arguments(rest), rows)
            elif name in self._commands:
                rows = self._commands[name](rest, rows)
            else:
                raise SearchFailed(f"Unknown search command '{name}'.")
        return rows

    # -- our commands

    def _ours(self, name: str, arguments: list[str], rows: list[Row]) -> list[Row]:
        """Run the packaged command; a streaming one gets the fields that it asks for, the rest is merged by number."""
        if "hidden index time" in self.faults:
            rows = [{**row, "_indextime": ""} for row in rows]
        with Splunkd(self.app / "bin" / f"{name}.py", sys.executable) as splunkd:
            info = splunkd.getinfo(*arguments)
            if info.messages:
                raise SearchFailed(f"Error in '{name}' command: {info.messages[0][1]}")
            wanted = info.metadata.get("required_fields", ["*"])
            is_merged = info.metadata["type"] != "reporting" and wanted != ["*"]
            asked = rows if wanted == ["*"] else [select(row, wanted, n, is_merged) for n, row in enumerate(rows)]
            names = list(dict.fromkeys(field for row in asked for field in row))
            parts = asked[: len(asked) // 2], asked[len(asked) // 2 :]
            replies = [splunkd.execute(write_body(part, names), finished=part is parts[1]) for part in parts]
            splunkd.close()
        self.messages += [message for reply in replies for message in reply.messages]
        given = [row for reply in replies for row in read_body(reply.body)]
        if is_merged:
            return self._merge(rows, given)
        self.columns = list(given[0]) if given else None
        return given[:50_000] if "cut replies" in self.faults else given

    def _merge(self, rows: list[Row], given: list[Row]) -> list[Row]:
        """The rows with what came back for them."""
        if "wrong rows" in self.faults:
            given = [{**row, "_chunked_idx": str(n)} for n, row in enumerate(given[1:] + given[:1])]
        merged = []
        for reply in given:
            kept = dict(rows[int(reply.pop("_chunked_idx"))])
            if "lost fields" in self.faults:
                kept.pop("note", None)
            if "joined multivalues" in self.faults:
                kept = flat(kept)
            reply.update({name: kept[name] for name in reply if isinstance(kept.get(name), list)})
            merged.append({**kept, **reply})
        self.columns = None
        return merged

    # -- commands of SPL

    def _makeresults(self, text: str, rows: list[Row]) -> list[Row]:
        count = min(int(text.partition("=")[2] or 1), MOST)
        return [{"_time": "1700000000"} for _ in range(count)]

    def _number(self, text: str, rows: list[Row]) -> list[Row]:
        return [{**row, text.split()[-1]: str(n)} for n, row in enumerate(rows, 1)]

    def _eval(self, text: str, rows: list[Row]) -> list[Row]:
        for assignment in re.findall(r'(?:[^,"(]|"[^"]*"|\([^)]*\))+', text):
            rows = [set_field(assignment.strip(), row) for row in rows]
        return rows

    def _makemv(self, text: str, rows: list[Row]) -> list[Row]:
        delimiter, name = split_arguments(text)
        return [{**row, name: row[name].split(delimiter.partition("=")[2])} if name in row else row for row in rows]

    def _where(self, text: str, rows: list[Row]) -> list[Row]:
        unlike = re.fullmatch(r'NOT like\((\w+),"(.*)%"\)', text)
        if unlike:
            return [row for row in rows if not row[unlike[1]].startswith(unlike[2])]
        recent = re.fullmatch(r"(\w+)>=now\(\)-(\d+)", text)
        if recent:
            return [row for row in rows if float(row[recent[1]]) >= time.time() - int(recent[2])]
        return [row for row in rows if is_where(text, row)]

    def _search(self, text: str, rows: list[Row]) -> list[Row]:
        return [row for row in rows if meets(text, row)]

    def _stats(self, text: str, rows: list[Row]) -> list[Row]:
        self.columns = None
        return [{"count": str(len(rows))}] if text == "count" else run_stats(text, rows)

    def _table(self, text: str, rows: list[Row]) -> list[Row]:
        names = re.split(r"[\s,]+", text)
        if "*" in names:
            found = dict.fromkeys(name for row in rows for name in row if not name.startswith("_"))
            names = [*sorted(found), *(name for name in names if name != "*" and name not in found)]
        if "sorted columns" in self.faults:
            names = sorted(names)
        self.columns = names
        return [{name: row[name] for name in names if row.get(name, "") != ""} for row in rows]

    def _fields(self, text: str, rows: list[Row]) -> list[Row]:
        names = [*text.split(), *INTERNAL]
        self.columns = [name for name in names if any(name in row for row in rows)]
        return [{name: row[name] for name in names if name in row} for row in rows]

    def _sort(self, text: str, rows: list[Row]) -> list[Row]:
        name = text.split()[-1]
        return sorted(rows, key=lambda row: float(row[name.lstrip("-")]), reverse=name.startswith("-"))

    # -- the lookup of learned windows

    @property
    def _lookup(self) -> Path:
        return self.app / "lookups" / "flowlag_windows.csv"

    def _inputlookup(self, text: str, rows: list[Row]) -> list[Row]:
        if not self._lookup.is_file():
            raise SearchFailed("The lookup table 'flowlag_windows' requires a .csv or KV store lookup definition.")
        with self._lookup.open(encoding="utf-8", newline="") as file:
            return [*rows, *csv.DictReader(file)]

    def _outputlookup(self, text: str, rows: list[Row]) -> list[Row]:
        self._lookup.parent.mkdir(exist_ok=True)
        with self._lookup.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [name for name in rows[0] if name not in INTERNAL] if rows else [])
            writer.writeheader()
            writer.writerows({k: v for k, v in row.items() if k not in INTERNAL} for row in rows)
        return rows


def select(row: Row, wanted: list[str], number: int, is_merged: bool) -> Row:
    """What splunkd sends of a row: the fields that were asked for, and the number by which the reply is merged."""
    asked = {field: row.get(field, "") for field in wanted}
    return {**asked, "_chunked_idx": str(number)} if is_merged else asked


class Texts(dict[str, Any]):
    """A row in which a field that is not there is empty, as the rules' commands in test_rules.py expect it."""

    def __missing__(self, name: str) -> str:
        return ""


def flat(row: Row) -> Row:
    """A row of texts: what is a list is joined by line feeds."""
    return {name: "\n".join(value) if isinstance(value, list) else str(value) for name, value in row.items()}


def read_body(body: bytes) -> list[Row]:
    """The rows of a reply; a field with a `__mv_` twin is a list, an empty one is absent."""
    text = body.decode("utf-8", "surrogateescape").splitlines(keepends=True)
    rows = []
    for row in csv.DictReader(text):
        values: Row = {name: value for name, value in row.items() if not name.startswith("__mv_")}
        for name in values:
            twin = row.get(f"__mv_{name}")
            if twin:
                values[name] = [item.replace("$$", "$") for item in re.findall(r"\$((?:[^$]|\$\$)*)\$(?:;|$)", twin)]
        rows.append(values)
    return rows


def set_field(assignment: str, row: Row) -> Row:
    """A row after one assignment of eval, of the kinds that the suite uses."""
    choice = re.fullmatch(r'(\w+)=if\((\w+)>(\d+),"(.*)","(.*)"\)', assignment)
    if choice:
        return {**row, choice[1]: choice[4] if int(row[choice[2]]) > int(choice[3]) else choice[5]}
    joined = re.fullmatch(r'(\w+)="(.*)"\.(\w+)', assignment)
    if joined:
        return {**row, joined[1]: joined[2] + row[joined[3]]}
    number = re.fullmatch(r"(\w+)=([\d.]+)", assignment)
    if number:
        return {**row, number[1]: number[2]}
    copied = re.fullmatch(r"(\w+)=([A-Za-z_]\w*)", assignment)
    if copied:
        return {**row, copied[1]: row.get(copied[2], "")}
    return run_eval(assignment, row)


def meets(text: str, row: Row) -> bool:
    """Whether an event meets a base search: terms, OR and parentheses; terms side by side have to be met all."""
    words = TERM.sub(lambda term: str(meets_term(*term.groups(), row)), text)  # type: ignore[arg-type]
    while "(" in words or "OR" in words:
        shorter = re.sub(
            r"\(\s*((?:True|False)(?:\s+(?:True|False))*)\s*\)", lambda group: str("False" not in group[1]), words
        )
        shorter = re.sub(r"(True|False)\s+OR\s+(True|False)", lambda pair: str("True" in pair[0]), shorter)
        if shorter == words:
            raise SearchFailed(f"the fake does not know {text!r} as a base search")
        words = shorter
    if set(words.split()) - {"True", "False"}:
        raise SearchFailed(f"the fake does not know {words.strip()!r} of a base search")
    return "False" not in words.split()


def meets_term(name: str, sign: str, wanted: str, row: Row) -> bool:
    """Whether an event meets `field=value` (with `*`, or a network) or `field>=number`."""
    value, wanted = row.get(name, ""), wanted.strip('"')
    if sign == ">=":
        return re.fullmatch(r"\d+", value) is not None and int(value) >= int(wanted)
    if re.fullmatch(r"[\d.]+/\d+", wanted):
        return re.fullmatch(r"[\d.]+", value) is not None and ip_address(value) in ip_network(wanted)
    pattern = ".+" if wanted == "*" else ".*".join(map(re.escape, wanted.split("*")))
    return re.fullmatch(pattern, value) is not None
