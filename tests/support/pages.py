# SPDX-License-Identifier: Apache-2.0
"""Reads the documents: the parts of each page, its tables, and the examples in it."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from tests.support.conf import SEARCHBNF
from tools.places import ROOT


class Part(NamedTuple):
    """A part of a Markdown text: `code` (info is its language), `table`, `heading` or a line of `prose`."""

    kind: str
    info: str
    text: str

    @property
    def rows(self) -> list[list[str]]:
        """The cells of a table, its heading first."""
        rows = [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in self.text.splitlines()]
        return rows[:1] + rows[2:]


PART = re.compile(
    r"^```(?P<info>\w*)\n(?P<code>[\s\S]*?)^```$|^(?P<table>(?:\|.*\n)+)|^#+ (?P<heading>.*)$|^(?P<prose>.*\S.*)$",
    re.MULTILINE,
)


def read_parts(text: str) -> list[Part]:
    """The parts of a Markdown text in their order."""
    return [
        Part(match.lastgroup or "", match["info"] or "", match[match.lastgroup or 0]) for match in PART.finditer(text)
    ]


def slug(heading: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def plain(cell: str) -> str:
    """A cell that is code, as its text."""
    return cell.strip("`")


NAMES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "tests/README.md"]
NAMES += sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))
TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES}
PAGES = {name: read_parts(text) for name, text in TEXTS.items()}
ANCHORS = {name: {slug(part.text) for part in parts if part.kind == "heading"} for name, parts in PAGES.items()}


def table(name: str, *heading: str) -> list[list[str]]:
    """The rows of the one table of a page whose heading begins with these cells, without the heading."""
    tables = [part.rows for part in PAGES[name] if part.kind == "table"]
    (found,) = [rows[1:] for rows in tables if tuple(rows[0][: len(heading)]) == heading]
    return found


class Example(NamedTuple):
    """A search in a page, and the part that follows it, a sentence that leads over to it left out."""

    page: str
    search: str
    follower: Part

    @property
    def shown(self) -> str:
        """What the follower is: `table`, `text`, or something else."""
        return self.follower.info if self.follower.kind == "code" else self.follower.kind


def examples(name: str, parts: list[Part]) -> list[Example]:
    """The searches of a page."""
    last = Part("prose", "", "")
    return [
        Example(name, part.text, next((p for p in parts[place:] if not leads_over(p)), last))
        for place, part in enumerate(parts, 1)
        if part.kind == "code" and part.info == "spl"
    ]


def leads_over(part: Part) -> bool:
    """Whether a line of prose announces what is below it."""
    return part.kind == "prose" and part.text.endswith(":")


SEARCHES = [example for name, parts in PAGES.items() for example in examples(name, parts)]
#: A search may stand in several pages, with one and the same table.
SHOWN = [
    (search, Part("table", "", shown).rows)
    for search, shown in dict.fromkeys((e.search, e.follower.text) for e in SEARCHES if e.shown == "table")
]
REFUSED = [(each.search, each.follower.text) for each in SEARCHES if each.shown == "text"]
HELP = [value for stanza in SEARCHBNF.values() for key, value in stanza.items() if key.startswith("example")]
STARTED = [each.search for each in SEARCHES if each.shown not in ("table", "text")] + HELP
CONSOLE = [
    (command, shown)
    for parts in PAGES.values()
    for part in parts
    if part.info == "console"
    for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", part.text, re.MULTILINE)
]


def first_words(value: Any) -> str:
    """A test id: the beginning of an example."""
    return " ".join(value.split())[:60] if isinstance(value, str) else ""
