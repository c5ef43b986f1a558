# SPDX-License-Identifier: Apache-2.0
"""Owns the paths of the repository, its samples and the built package."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
SAMPLES = ROOT / "samples"


def newest_package() -> Path:
    """Return FLOWLAG_PACKAGE, else the newest package in dist/; ends the process with one sentence if there is none."""
    if os.environ.get("FLOWLAG_PACKAGE"):
        return Path(os.environ["FLOWLAG_PACKAGE"])
    built = sorted(DIST.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    if not built:
        sys.exit("there is no package in dist/; run `make package` first")
    return built[-1]
