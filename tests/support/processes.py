# SPDX-License-Identifier: Apache-2.0
"""Owns the shell as a process in the tests, what they do to a process before it runs, and how long they wait for one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Callable, Optional

from tests.support.splunkd import PATIENCE_S
from tools.places import ROOT

__all__ = ["ENVIRONMENT", "PATIENCE_S", "SHELL", "close", "ready_for_signals", "run_shell"]

#: The shell from the repository, in which a warning is an error.
SHELL = (sys.executable, "-W", "error", "-m", "flowlag")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), "COLUMNS": "200"}
ENVIRONMENT.pop("PYTHONUNBUFFERED", None)


def run_shell(*arguments: str, data: bytes = b"", cwd: Optional[Path] = None) -> tuple[int, bytes, str]:
    """Return exit code, stdout and stderr of the shell."""
    done = subprocess.run([*SHELL, *arguments], input=data, capture_output=True, env=ENVIRONMENT, cwd=cwd)
    return done.returncode, done.stdout, done.stderr.decode()


def ready_for_signals() -> None:
    """Undo that a shell's `&` ignores SIGINT and `nohup` SIGHUP; for preexec_fn."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def close(*numbers: int) -> Callable[[], object]:
    """Return what closes streams by their numbers; for preexec_fn."""
    return lambda: [os.close(number) for number in numbers]
