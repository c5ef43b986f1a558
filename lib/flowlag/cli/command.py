# SPDX-License-Identifier: Apache-2.0
"""The skeleton of a command of the shell: its parser, its inputs, and its exit code.

The options are those that the search command declares. Authority: docs/shell.md, Exit codes.
"""

from __future__ import annotations

import os
import re
import stat
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Callable, Optional

from flowlag.cli.speech import speak
from flowlag.cli.terminal import DONE, FAILED, UNREADABLE, Failures, Parser, complain, program, progress_bar
from flowlag.cli.view import read_view
from flowlag.enrich_options import Settings
from flowlag.errors import SettingsError
from flowlag.files.batches import Batch
from flowlag.files.sources import Progress, read_batches, read_tables
from flowlag.options import Option, describe
from flowlag.record import UNTAGGABLE

UNREADABLE_RECORDS = "exit with 1 when records were invalid, missing, reversed or other"


def make_parser(name: str, description: str) -> Parser:
    """A parser without arguments."""
    return Parser(
        prog=f"{program()} {name}",
        description=description,
        epilog="Exit codes: 0 done; 1 done, but some records were unreadable and --strict was given; 2 wrong usage; "
        "3 input missing or unreadable.",
        allow_abbrev=False,
    )


def add_options(
    parser: Parser, options: Iterable[Option], outputs: Iterable[str], strict: str = UNREADABLE_RECORDS
) -> None:
    """Add options to a parser, and --output with one of `outputs`, and --strict, whose help is `strict`."""
    for option in options:
        _add_option(parser, option)
    parser.add_argument("--output", choices=list(outputs), default="table", help="how to write (default: table)")
    parser.add_argument("--strict", action="store_true", help=strict)
    parser.add_argument("--tz", metavar="ZONE", help="the time zone of the table, such as Europe/Berlin (default: UTC)")
    parser.add_argument("--epoch", action="store_true", help="times of the table as seconds since the epoch, as in CSV")


def find_writer(writers: Mapping[str, Callable[..., Iterator[str]]], args: Namespace) -> Callable[..., Iterator[str]]:
    """What writes the output that was asked for; raises SettingsError for a view that there is not."""
    view = read_view(args)
    return partial(writers[args.output], view=view) if args.output == "table" else writers[args.output]


def add_files(parser: Parser) -> None:
    """Add the flow log files."""
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="a flow log file, or a folder with some; a pipe is read without any"
    )


def add_sides(parser: Parser) -> None:
    """Add the files of flows and of anchors to the parser of a command that brings both together."""
    parser.add_argument(
        "--flows", nargs="+", metavar="FILE", help="flow log files or folders; a pipe is read without this"
    )
    parser.add_argument(
        "--anchors", nargs="+", required=True, metavar="FILE", help="CSV with a header line, or JSON; - is a pipe"
    )


def find_inputs(paths: Optional[Sequence[str]], name: str = "FILE") -> list[str]:
    """The paths that were given; without any, standard input, if something is piped in or redirected."""
    if not paths and not _is_fed():
        raise SettingsError(f"there is nothing to read; give {name}, or feed the command through a pipe")
    return list(paths or ["-"])


def _is_fed() -> bool:
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):  # closed, or replaced
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def _add_option(parser: Parser, option: Option) -> None:
    """Add an option to a parser, also with `-` for `_`. All its values are kept: a second one is refused."""
    spellings = dict.fromkeys((f"--{option.name}", f"--{option.name.replace('_', '-')}"))
    kind = re.search(r"^<(\w+)>", option.form)
    parser.add_argument(
        *spellings,
        metavar=kind[1].upper() if kind else "WORD",
        help=describe(option).replace("%", "%%"),
        action="append",
    )


def given_options(args: Namespace, options: Iterable[Option]) -> list[tuple[str, str]]:
    """(option, value) as they were typed, for the parser of the search command."""
    given = ((option, getattr(args, option.name) or ()) for option in options)
    return [
        (option.name, value)
        for option, values in given
        for value in ([option.separator.join(values)] if values and option.separator else values)
    ]


class Inputs:
    """Reads files and shows the progress; knows which files could not be read to their end."""

    def __init__(self, progress: Progress) -> None:
        self.failures = Failures()
        self._progress = progress

    def batches(self, paths: Sequence[str], settings: Settings) -> Iterator[tuple[Batch, Optional[str]]]:
        """What flow logs have, with what names their file."""
        return read_batches(paths, settings, self._progress, self.failures.note)

    def tables(self, paths: Sequence[str]) -> Iterator[tuple[Batch, Optional[str]]]:
        """Tables with other events."""
        return read_tables(paths, self._progress, self.failures.note)


@contextmanager
def open_inputs(paths: Sequence[str]) -> Iterator[Inputs]:
    """Inputs for these files."""
    with progress_bar(paths) as progress:
        yield Inputs(progress)


def finish(inputs: Inputs, is_written: bool, warnings: Iterable[Optional[str]], is_failing: bool) -> int:
    """Print the warnings, return the exit code; `is_failing`: --strict was given, and records were unreadable."""
    for warning in filter(None, warnings):
        complain(speak(warning))
    if inputs.failures or not is_written:
        return FAILED
    return UNREADABLE if is_failing else DONE


def has_unreadable(counts: Counter[str]) -> bool:
    """Whether any record was unreadable, by the number of records of each status."""
    return any(counts[status] for status in (*UNTAGGABLE, "other"))
