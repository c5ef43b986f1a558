# SPDX-License-Identifier: Apache-2.0
"""The tables in Markdown that are made of code: by the name that stands in a page's marker, the lines between the two.

<!-- generated: enrich-options -->
<!-- end -->
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Callable

from bench.accuracy import compare, flows, truth
from flowlag.community_ids import PARTS
from flowlag.connect import rows as connect_rows
from flowlag.connect.options import CONNECT_OPTIONS
from flowlag.enrich_options import ENRICH_OPTIONS
from flowlag.fields import Names
from flowlag.layouts import LAYOUTS
from flowlag.learn import rows as learn_rows
from flowlag.learn.options import LEARN_OPTIONS
from flowlag.match import fields as match_fields
from flowlag.match.options import MATCH_OPTIONS
from flowlag.options import Field, Option
from flowlag.profile import profiler
from flowlag.profile.options import PROFILE_OPTIONS
from tools.declared import tag_fields
from tools.package import read_conf, read_requirements
from tools.places import ROOT

Lines = Iterable[str]
END = "<!-- end -->"


def lay_out(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table; a bar in a cell is escaped."""
    yield f"| {' | '.join(heading)} |"
    yield f"|{'---|' * len(heading)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |".replace("|  |", "| |")


def code(text: str) -> str:
    """A text as code, whatever it holds."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def escape(text: str) -> str:
    """A text in which nothing looks like a tag of HTML."""
    return text.replace("<", "\\<")


def option_table(options: Iterable[Option]) -> Lines:
    """Every option of a command."""
    return lay_out(("option", "default", "allowed", "meaning"), map(_option_row, options))


def _option_row(option: Option) -> list[str]:
    default = option.unset if option.default is None else code(option.default)
    return [code(option.name), default, option.allowed, option.meaning]


def field_table(fields: Iterable[Field]) -> Lines:
    """Every output field of a command."""
    rows = ((code(field.name), field.unit, field.meaning, field.empty_when) for field in fields)
    return lay_out(("field", "unit", "meaning", "empty when"), rows)


def known_names() -> Lines:
    """The values of a record with the names under which each is looked for."""
    rows = ((value, ", ".join(map(code, names))) for value, names in Names()._asdict().items() if names)
    return lay_out(("value", "known names, in this order"), rows)


def flow_names() -> Lines:
    """The parts of a five-tuple with the names under which each is looked for."""
    parts = ("source", "source port", "destination", "destination port", "protocol")
    rows = ((part, ", ".join(map(code, names))) for part, (names, *_) in zip(parts, PARTS))
    return lay_out(("part", "known names, in this order"), rows)


def layouts() -> Lines:
    """The column orders that are known by name."""
    rows = ((code(name), str(len(layout)), layout.order) for name, layout in LAYOUTS.items())
    return lay_out(("layout", "columns", "order"), rows)


def macros() -> Lines:
    """The macros of the app, each with its arguments, by default/macros.conf."""
    name = "default/macros.conf"
    conf = read_conf({name: (ROOT / name).read_bytes()}, name)
    return lay_out(
        ("macro", "default definition", "meaning"), (_macro_row(name, conf[name]) for name in conf.sections())
    )


def _macro_row(name: str, stanza: Mapping[str, str]) -> list[str]:
    call = re.sub(r"\(\d+\)", f"({stanza.get('args', '')})", name)
    return [code(call), code(stanza["definition"]), escape(stanza["description"])]


def make_targets() -> Lines:
    """The targets of the Makefile."""
    targets = re.findall(r"^([a-z]+):.*## (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    return lay_out(
        ("command", "what it does"), ((code(f"make {target}"), escape(meaning)) for target, meaning in targets)
    )


def module_map() -> Lines:
    """Every module of the app with the first sentence of its docstring, by folder."""
    package = ROOT / "lib" / "flowlag"
    for folder in (ROOT / "bin", package, *sorted(path.parent for path in package.glob("*/__init__.py"))):
        init = folder / "__init__.py"
        yield f"- `{folder.relative_to(ROOT).as_posix()}/`" + (f": {first_sentence(init)}" if init.is_file() else "")
        modules = (path for path in sorted(folder.glob("*.py")) if path != init)
        yield from (f"  - `{path.stem}`: {first_sentence(path)}" for path in modules)


def first_sentence(path: Path) -> str:
    """The first sentence of a module's docstring, without its full stop."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return re.split(r"\.(?:\s|$)", " ".join(docstring.split("\n\n")[0].split()), maxsplit=1)[0]


def packages() -> Lines:
    """The third-party packages that the build takes in."""
    requirements = read_requirements((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    return lay_out(("package", "version"), ((name, version) for name, (version, _) in requirements.items()))


#: The name in a marker -> what makes the lines. The commands that are compared are those of the work tree, so that no
#: package has to be built first.
TABLES: dict[str, Callable[[], Lines]] = {
    "enrich-options": lambda: option_table(ENRICH_OPTIONS),
    "enrich-fields": lambda: field_table(tag_fields()),
    "match-options": lambda: option_table(MATCH_OPTIONS),
    "match-fields": lambda: field_table(match_fields.FIELDS),
    "connect-options": lambda: option_table(CONNECT_OPTIONS),
    "connect-fields": lambda: field_table(connect_rows.FIELDS),
    "profile-options": lambda: option_table(PROFILE_OPTIONS),
    "profile-fields": lambda: field_table(profiler.FIELDS),
    "learn-options": lambda: option_table(LEARN_OPTIONS),
    "learn-fields": lambda: field_table(learn_rows.FIELDS),
    "known-names": known_names,
    "flow-names": flow_names,
    "layouts": layouts,
    "macros": macros,
    "make-targets": make_targets,
    "map": module_map,
    "packages": packages,
    "accuracy-joins": lambda: compare.table(ROOT),
    "accuracy-envelope": truth.envelope_table,
    "accuracy-profile": truth.profile_table,
    "accuracy-flows": flows.summary,
    "accuracy-connections": flows.connections,
}


@cache
def make_table(name: str) -> tuple[str, ...]:
    """The lines of a table; made once."""
    return tuple(TABLES[name]())


class MarkerError(ValueError):
    """A marker in a page is wrong; says where."""


def fill(text: str, page: str) -> str:
    """A page with the lines between its markers made anew; markers in code blocks are none."""
    lines: list[str] = []
    name, is_code = "", False
    for number, line in enumerate(text.split("\n"), 1):
        is_code ^= line.startswith("```")
        opened = re.fullmatch(r"<!-- generated: (\S+) -->", line)
        if is_code or not (opened or name):
            lines.append(line)
        elif opened:
            name = _check(opened[1], name, f"{page}:{number}")
            lines += [line, *make_table(name)]
        elif line == END:
            lines.append(line)
            name = ""
    if name:
        raise MarkerError(f"{page}: the table {name} has no `{END}`")
    return "\n".join(lines)


def _check(name: str, before: str, where: str) -> str:
    if before:
        raise MarkerError(f"{where}: the table {before} has no `{END}`")
    if name not in TABLES:
        raise MarkerError(f"{where}: there is no table {name}; there are {', '.join(TABLES)}")
    return name
