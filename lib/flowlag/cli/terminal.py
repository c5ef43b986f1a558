# SPDX-License-Identifier: Apache-2.0
"""The terminal of the shell: exit codes, one-sentence complaints, stdout, the progress bar.

Exit codes: 0 done; 1 done, but with --strict some records were unreadable; 2 wrong usage; 3 an input missing or
unreadable (the others are still read), or the output not to be written; 130 interrupted. SIGTERM is left to the system,
which ends the process without a word; what was written until then may end within a line. Authority: docs/shell.md,
Exit codes.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from typing import BinaryIO, NoReturn, Optional

from flowlag.errors import SourceError, show_text
from flowlag.files.paths import list_files
from flowlag.files.sources import Progress
from flowlag.splunk.stdio import drop, say, write_all

DONE, UNREADABLE, WRONG_USAGE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130
#: Smaller input, in bytes, has a progress bar only if it takes longer than BAR_DELAY_S.
LONG_INPUT_BYTES = 1_000_000
BAR_DELAY_S = 1

_LOST_SURROGATES = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # what surrogateescape cannot turn back into a byte


def program() -> str:
    """How the shell was called: as the script `flowlag`, or as a module."""
    name = os.path.basename(sys.argv[0] if sys.argv else "")
    return "flowlag" if name in ("flowlag", "flowlag.exe") else "python -m flowlag"


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that refuses in one sentence."""

    def error(self, message: str) -> NoReturn:
        end = "" if message.endswith("?") else ";"
        complain(f"{show_text(message)}{self._suggest(message)}{end} `{self.prog} --help` lists what there is.")
        sys.exit(WRONG_USAGE)

    def _suggest(self, message: str) -> str:
        """The option that is nearest to one that there is not."""
        unknown = re.match(r"unrecognized arguments: (--[\w-]+)", message)
        near = get_close_matches(unknown[1], self._option_string_actions, 1) if unknown else []
        return f" (did you mean {near[0]}?)" if near else ""

    def _print_message(self, message: str, file: object = None) -> None:
        """Print help, or the version; what is printed on stderr goes through `error`."""
        if not write_lines([message.rstrip("\n")]):
            sys.exit(FAILED)


class Failures(list[SourceError]):
    """The inputs that could not be read to their end; each is reported when it is noted."""

    def note(self, error: SourceError) -> None:
        """Report a failure, and keep it for the exit code."""
        self.append(error)
        complain(error)


def ignore_progress(count: int) -> None:
    """No progress is shown."""


def complain(sentence: object) -> None:
    """Say one sentence on stderr."""
    say("flowlag", sentence)


def encode_line(line: str) -> bytes:
    """A line, or several, as UTF-8 with its line end; bytes of the input that were not UTF-8 come back as they were."""
    text = line if line.isascii() else _LOST_SURROGATES.sub("\ufffd", line)
    return (text + "\n").encode("utf-8", "surrogateescape")


def write_lines(lines: Iterable[str]) -> bool:
    """Write lines to stdout; False if that fails. A reader that stops early (`| head`) is not a failure."""
    if sys.stdout is None:
        complain("stdout is closed; send the output somewhere")
        return False
    out: BinaryIO = sys.stdout.buffer
    try:
        for line in lines:
            write_all(out, encode_line(line))
        sys.stdout.flush()
    except BrokenPipeError:
        drop_stdout()
    except OSError as error:  # those of the input have become SourceError
        complain(f"stdout: the output cannot be written ({error.strerror}); make room, or send it elsewhere")
        drop_stdout()
        return False
    return True


def drop_stdout() -> None:
    """Keep Python from flushing a stdout that takes no more, and from complaining about it."""
    if sys.stdout is not None:
        drop(sys.stdout)


@contextmanager
def progress_bar(paths: Sequence[str]) -> Iterator[Progress]:
    """Counts the bytes of the files on a tqdm bar, for long input on a terminal; tqdm need not be installed."""
    total = _total_bytes(paths)
    is_long = total is None or total >= LONG_INPUT_BYTES
    if sys.stderr is None or not sys.stderr.isatty():
        yield ignore_progress
        return
    try:
        from tqdm import tqdm
    except ImportError:
        if total is not None and is_long:
            complain("no progress bar, since tqdm is not installed; `pip install tqdm` (or flowlag[progress]) adds it")
        yield ignore_progress
        return
    delay = 0 if total is not None and is_long else BAR_DELAY_S
    with tqdm(total=total, unit="B", unit_scale=True, leave=False, file=sys.stderr, delay=delay) as bar:
        yield bar.update


def _total_bytes(paths: Sequence[str]) -> Optional[int]:
    """The size of all files, None if stdin is among them."""
    return None if "-" in paths else sum(map(_count_bytes, list_files(paths, lambda error: None)))


def _count_bytes(path: str) -> int:
    """The size of a file, 0 if it is not there or not a file, which is reported when it is read."""
    with suppress(OSError):
        return os.path.getsize(path) if os.path.isfile(path) else 0
    return 0
