# SPDX-License-Identifier: Apache-2.0
"""Where the tests find the built package and the shared sample data; the clock's zone is pinned."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import time
from pathlib import Path

import pytest

from tests.support.splunkd import install_app
from tools.places import ROOT, newest_package

# The dashboards are drawn in an environment of their own (`make ui`).
collect_ignore = [] if importlib.util.find_spec("playwright") else ["ui"]

# No example of Hypothesis fails because the machine is slow. The dashboards' environment has no Hypothesis.
with contextlib.suppress(ImportError):
    from hypothesis import HealthCheck, settings

    settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("any machine")

os.environ["TZ"] = "UTC"
time.tzset()
if importlib.util.find_spec("hypothesis"):  # the environment of the dashboards has none
    from hypothesis import HealthCheck, settings

    # no test depends on the speed of the machine
    settings.register_profile("flowlag", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("flowlag")


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write the expected files of the golden tests anew")


@pytest.fixture(scope="session")
def package():
    """The built tarball: FLOWLAG_PACKAGE, else the newest in dist/."""
    return newest_package()


@pytest.fixture(scope="session")
def app(package, tmp_path_factory):
    """The package as an admin unpacks it."""
    return install_app(package, tmp_path_factory.mktemp("etc") / "apps")


@pytest.fixture(scope="session")
def script(app):
    """The packaged search command."""
    return app / "bin" / "flowlagenrich.py"


@pytest.fixture(scope="session")
def python():
    """The interpreter that runs the command: the one that runs the tests."""
    return sys.executable


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real sample records beside the repository."""
    folder = Path(os.environ.get("FLOWLAG_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the sample data are not here ({folder}); set FLOWLAG_SHARED_DATA")
    return folder
