# SPDX-License-Identifier: Apache-2.0
"""The fixtures of the correlation searches: the search head on which they run, and what each of them gave."""

from __future__ import annotations

import pytest

from tests.rules.scenarios import Played, Stage
from tests.support.saved_searches import RULES


@pytest.fixture(scope="session")
def stage(app, python) -> Stage:
    return Stage(app, python)


@pytest.fixture(scope="session")
def played(stage) -> dict[str, Played]:
    return {stanza: stage.play(stanza) for stanza in RULES}
