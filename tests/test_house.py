# SPDX-License-Identifier: Apache-2.0
"""The order of the house: imports point one way only, the pure part touches nothing outside, every file says what it owns."""

import ast

import pytest
from conftest import ROOT

# Left to right: a module may import what stands to its left, or in its own group before it.
ORDER = [
    ("errors", "fields", "interval", "dates"),
    ("instants", "settings"),
    ("lines", "record", "windows", "learned", "match_settings", "relation", "candidates", "profile_settings", "modes"),
    ("timing",),
    ("tags",),
    ("enrich", "match", "profile"),
    ("answers", "scanner"),
    ("chunks", "frames", "rows", "csv_rows", "json_rows", "parquet_rows", "sources", "output", "lookup", "streams"),
    (
        "pairs",
        "pair_output",
        "profile_table",
        "session",
        "shell",
        "cli_enrich",
        "cli_match",
        "cli_profile",
        "cli",
        "__main__",
    ),
]
RANK = {name: rank for rank, names in enumerate(ORDER) for name in names}
PURE = {name for names in ORDER[:-2] for name in names}
PURE_IMPORTS = {
    "__future__", "bisect", "collections", "csv", "datetime", "dateutil", "flowlag", "functools", "heapq", "itertools", "json",
    "operator", "re", "types", "typing",
}  # fmt: skip
LIB = sorted((ROOT / "lib" / "flowlag").glob("*.py"))
BIN = sorted((ROOT / "bin").glob("*.py"))


def imports(path):
    """Every module that a file imports, as dotted names; `from flowlag import x` gives flowlag.x."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield f"{node.module}.{node.names[0].name}" if node.module == "flowlag" else node.module


@pytest.mark.parametrize("path", [path for path in LIB if path.stem != "__init__"], ids=lambda path: path.stem)
def test_imports_point_left(path):
    assert path.stem in RANK, f"{path.name} has no place in the order"
    for name in imports(path):
        module = name.split(".")[1] if name.startswith("flowlag.") else None
        if module in RANK:
            assert RANK[module] <= RANK[path.stem], f"{path.stem} imports {module}, which stands to its right"


@pytest.mark.parametrize("path", [path for path in LIB if path.stem in PURE], ids=lambda path: path.stem)
def test_the_pure_part_imports_no_outside(path):
    """No clock, no environment, no files, no splunklib; dateutil in dates.py only."""
    roots = {name.split(".")[0] for name in imports(path)}
    assert roots <= PURE_IMPORTS
    assert "dateutil" not in roots or path.stem == "dates"
    called = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not called & {"print", "open", "input", "exec", "eval"}


def test_the_library_never_imports_splunklib_and_bin_never_the_shell():
    assert not [path for path in LIB for name in imports(path) if name.split(".")[0] == "splunklib"]
    assert not [
        path for path in BIN for name in imports(path) if name in ("flowlag.cli", "flowlag.sources", "flowlag.output")
    ]


@pytest.mark.parametrize(
    "path",
    [*LIB, *BIN, *sorted((ROOT / "tools").glob("*.py")), *sorted((ROOT / "tests").glob("*.py"))],
    ids=lambda path: path.name,
)
def test_every_file_says_what_it_owns(path):
    text = path.read_text()
    assert text.startswith("# SPDX-License-Identifier: Apache-2.0\n") and ast.get_docstring(ast.parse(text))


@pytest.mark.parametrize("path", BIN, ids=lambda path: path.name)
def test_the_adapters_are_thin(path):
    assert len(path.read_text().splitlines()) <= 80
