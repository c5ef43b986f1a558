# SPDX-License-Identifier: Apache-2.0
"""Owns the definitions of the app's views in the tests: what is in their XML, and the pictures that they may show."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.view_lint import JsonObject, read_view
from tools.places import ROOT

FOLDER = ROOT / "default" / "data" / "ui"
VIEWS = {path.stem: read_view(path.read_text("utf-8")) for path in sorted(FOLDER.glob("views/*.xml"))}
PICTURES = {path.name for path in (ROOT / "appserver" / "static").iterdir()}


def whole_query(view: JsonObject, source: str) -> str:
    """Return the query of a data source behind those that it goes on with."""
    options = view["dataSources"][source]["options"]
    return (whole_query(view, options["extend"]) + "\n" if "extend" in options else "") + str(options["query"])


def with_result(query: str, source: str, row: Mapping[str, object]) -> str:
    """Return a query with the tokens of another data source's first row put in, as the renderer does."""
    for name, value in row.items():
        query = query.replace(f"${source}:result.{name}|s$", f'"{value}"').replace(
            f"${source}:result.{name}$", str(value)
        )
    return query
