# SPDX-License-Identifier: Apache-2.0
"""Owns what the tests do to a process before it runs, and how long they wait for one."""

from __future__ import annotations

import os
import signal
from typing import Callable

#: After so many seconds a process counts as hanging, however slow the machine is.
PATIENCE_S = 120


def ready_for_interrupts() -> None:
    """Undo that a shell's `&` has SIGINT ignored; for preexec_fn."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def close(*numbers: int) -> Callable[[], object]:
    """Return what closes streams by their numbers; for preexec_fn."""
    return lambda: [os.close(number) for number in numbers]
