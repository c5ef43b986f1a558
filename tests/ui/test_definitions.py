# SPDX-License-Identifier: Apache-2.0
"""The definitions of the views against what the renderer itself knows: its schema, and the options of each type."""

from __future__ import annotations

import json

import pytest

from tests.support.conf import MACROS
from tests.support.view_lint import lint
from tests.support.views import PICTURES, VIEWS


@pytest.mark.parametrize("name", VIEWS)
def test_the_schema_of_the_renderer(name, check_view):
    assert check_view(VIEWS[name]) == []


@pytest.mark.parametrize("name", VIEWS)
def test_every_option_is_known_to_the_renderer(name, bundle):
    schemas = json.loads((bundle / "schemas.json").read_text(encoding="utf-8"))
    assert lint(VIEWS[name], MACROS, PICTURES, schemas) == []
