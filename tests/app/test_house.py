# SPDX-License-Identifier: Apache-2.0
"""The rule of the house in three sentences, and that every file says what it owns."""

import ast
from graphlib import TopologicalSorter

import pytest

from tools.places import ROOT

LIB = ROOT / "lib" / "flowlag"
BIN = sorted((ROOT / "bin").glob("*.py"))
EVERY = sorted(
    path for folder in ("lib/flowlag", "bin", "tools", "bench", "tests") for path in (ROOT / folder).rglob("*.py")
)
#: The standard library without clock, environment, files and processes.
PURE = {
    "__future__", "array", "binascii", "bisect", "collections", "csv", "datetime", "flowlag", "functools", "hashlib",
    "heapq", "ipaddress", "itertools", "json", "math", "operator", "re", "struct", "types", "typing",
}  # fmt: skip
OUTSIDE = {"print", "open", "input", "exec", "eval"}


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path):
    """Every module that a file imports, as dotted names; `from flowlag import x` gives flowlag.x."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            packages = {"flowlag", *(f"flowlag.{path.parent.name}" for path in LIB.glob("*/__init__.py"))}
            names = (
                [f"{node.module}.{alias.name}" for alias in node.names] if node.module in packages else [node.module]
            )
            yield from names


def rooms(path):
    """The folders of flowlag that a file imports from; `` is the root."""
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "flowlag":
            yield parts[1] if len(parts) > 1 and (LIB / parts[1]).is_dir() else ""


def files(folder):
    return sorted((LIB / folder).glob("*.py"))


#: The packages of commands, and the packages that each builds on besides the root.
COMMANDS = {"match": set(), "connect": set(), "profile": set(), "learn": {"match", "connect"}}


def pure_modules():
    """(dotted name below flowlag, path) of the root and of the packages of commands."""
    for folder in ("", *COMMANDS):
        for path in files(folder):
            if path.stem not in ("__main__", "__init__"):
                yield ".".join(filter(None, (folder, path.stem))), path


def test_the_root_and_the_commands_are_pure_and_without_circles():
    graph = {}
    for name, path in pure_modules():
        folder = name.rpartition(".")[0]
        assert set(rooms(path)) <= {"", folder, *COMMANDS.get(folder, ())}, name
        allowed = PURE | ({"dateutil"} if name == "dates" else set())
        assert {imported.split(".")[0] for imported in imports(path)} <= allowed, name
        called = {n.func.id for n in ast.walk(parse(path)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
        assert not called & OUTSIDE, name
        graph[name] = {imported.partition(".")[2] for imported in imports(path) if imported.startswith("flowlag.")}
    assert len(list(TopologicalSorter(graph).static_order())) >= len(graph)  # it raises where there is a circle


def test_wire_and_files_import_the_root_and_themselves_and_nobody_imports_the_shell():
    for folder in ("splunk", "files"):
        assert all(set(rooms(path)) <= {"", *COMMANDS, folder} for path in files(folder))
    assert all(set(rooms(path)) <= {"", *COMMANDS, "splunk", "files", "cli"} for path in files("cli"))
    assert set(rooms(LIB / "__main__.py")) == {"cli"}


def test_bin_imports_the_root_and_the_wire_and_alone_knows_the_sdk():
    assert all(
        set(rooms(path)) <= {"", *COMMANDS, "splunk"} and len(path.read_text().splitlines()) <= 80 for path in BIN
    )
    assert not [path for path in LIB.rglob("*.py") if "splunklib" in {name.split(".")[0] for name in imports(path)}]
    assert any("splunklib.searchcommands" in imports(path) for path in BIN)


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_says_what_it_owns(path):
    assert path.read_text(encoding="utf-8").startswith("# SPDX-License-Identifier: Apache-2.0\n")
    assert ast.get_docstring(parse(path))
