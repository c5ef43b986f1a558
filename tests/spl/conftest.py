# SPDX-License-Identifier: Apache-2.0
"""The fixtures of the interpreter's tests: an engine on made events, and commands on rows."""

from __future__ import annotations

import pytest

from tests.spl.engine import Engine
from tests.spl.made import EVENTS, NOW
from tests.support.conf import MACROS


@pytest.fixture
def engine(tmp_path):
    return Engine(EVENTS, tmp_path, "no-python", MACROS, NOW, {"flowlag_options": "lag=30"})


@pytest.fixture
def rows_of(tmp_path):
    """Run commands on rows that are given as the events of a search."""

    def run(commands, *rows):
        events = [{"_time": str(NOW - number), **row} for number, row in enumerate(rows)]
        return Engine(events, tmp_path, "no-python", MACROS, NOW).search(f"* | {commands}")

    return run


@pytest.fixture
def value_of(rows_of):
    """Evaluate one expression on a row that has n=10, x=text, ip=10.1.2.3, many=(b, a, b), d=0.9 and no `nil`."""
    row = {"n": "10", "x": "text", "ip": "10.1.2.3", "many": ["b", "a", "b"], "d": "0.9", "padded": "07", "_raw": "r"}
    return lambda expression: rows_of(f"eval result={expression} | table result", row)[0]["result"]
