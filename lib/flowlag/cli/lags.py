# SPDX-License-Identifier: Apache-2.0
"""The option `--lags` of the shell: a file with what `python -m flowlag learn` wrote, in place of Splunk's lookup.

Authority: docs/shell.md, Learned lags.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import NoReturn, Optional

from flowlag.cli.command import given_options
from flowlag.cli.terminal import ignore_progress
from flowlag.errors import SettingsError, SourceError, show_value
from flowlag.files.batches import list_rows
from flowlag.files.sources import read_tables
from flowlag.lags import LearnedLags, find_missing
from flowlag.options import Option, gather_options

LAGS = Option(
    "lags",
    "<file>",
    None,
    "the name of a file, which is CSV, JSON or Parquet",
    "What `learn` wrote, with `--output csv` or `--output json`: the lags of each interface.",
    str,
)


def find_lags(args: Namespace, command: str, needs: str, is_used: bool) -> Optional[str]:
    """The file that `--lags` names; raises SettingsError if nothing uses it, because `needs` are not given."""
    path = gather_options(given_options(args, [LAGS]), [LAGS], command).get(LAGS.name)
    if path is not None and not is_used:
        raise SettingsError(f'option lags: "{show_value(path)}" is not allowed without {needs}; give {needs} too.')
    return path


def read_lags(path: Optional[str], confidence: Optional[str]) -> Optional[LearnedLags]:
    """The lags in a file, as splunk/lookup.py has them; None without a file.

    Raises SourceError if the file cannot be read, or is no table of lags.
    """
    if path is None:
        return None
    lags = LearnedLags.from_rows(_read_table(path), confidence)
    if lags.complaint:
        lags.complaint = f"{path}: {lags.complaint}"
    return lags


def _read_table(path: str) -> Iterator[list[str]]:
    """The header and the cells of each row."""
    names: list[str] = []
    for row in read_strictly(path):
        if not names:
            names = _check_header(path, list(row))
            yield names
        yield [row.get(name, "") for name in names]
    if not names:
        _check_header(path, names)


def _check_header(path: str, names: list[str]) -> list[str]:
    missing = find_missing(names)
    if missing:
        raise SourceError(
            f"{path}: it is no table of learned lags, since it has no column {', '.join(missing)}; give what "
            "`python -m flowlag learn --output csv` wrote"
        )
    return names


def read_strictly(path: str) -> Iterator[dict[str, str]]:
    """The rows of a table of what was learned; raises SourceError if it cannot be read to its end."""
    return list_rows(read_tables([path], ignore_progress, _stop))


def _stop(error: SourceError) -> NoReturn:
    raise error
