# SPDX-License-Identifier: Apache-2.0
"""stdout and stderr in any state: closed before the start, full, or without a reader.

If a stream does not take its last bytes, Python complains at its end, and exits with 120. If stderr is closed, `print`
writes to stdout, which is the wire of a search command. With PYTHONUNBUFFERED stdout is raw: a write may take only a
part, and only the number that it returns says so.
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
    """Write one sentence to stderr; it is lost if stderr is closed or full."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{name}: {sentence}\n")
        sys.stderr.flush()
    except OSError:
        drop(sys.stderr)


def drop(stream: IO[Any]) -> None:
    """Discard what a stream still holds, and everything written to it later."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
