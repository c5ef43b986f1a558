# SPDX-License-Identifier: Apache-2.0
"""stdout and stderr as they may be: closed before the start, full, or with nobody left who reads them.

Python complains at its end about a stream that does not take what is left, and leaves with 120. `print` writes to
stdout where stderr is closed, and for a search command that is the wire. With PYTHONUNBUFFERED stdout is raw: a write
may take a part only, and nothing but the number that it returns says so.
"""

from __future__ import annotations

import os
import sys
from typing import IO, Any, BinaryIO


def write_all(stream: BinaryIO, data: bytes) -> None:
    """Write everything, or raise OSError."""
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) or 0 :]


def say(name: str, sentence: object) -> None:
    """Say one sentence on stderr; nobody hears it where stderr is closed or takes nothing."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{name}: {sentence}\n")
        sys.stderr.flush()
    except OSError:
        drop(sys.stderr)


def drop(stream: IO[Any]) -> None:
    """Let what a stream still holds, and all that is written to it, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
