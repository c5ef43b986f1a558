# SPDX-License-Identifier: Apache-2.0
"""`--windows FILE` in the shell: a file with what `profile` wrote, in place of Splunk's lookup.

Authority: docs/shell.md, Learned windows.
"""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Iterable, Iterator
from typing import Optional

from flowlag.cli.lags import read_strictly
from flowlag.enrich_options import WINDOWS, Settings
from flowlag.errors import SettingsError, SourceError
from flowlag.learned import COLUMNS, LearnedWindows
from flowlag.options import Option

_WORDS = ("auto", "assumed", "none")


def take_windows_file(args: Namespace) -> Optional[str]:
    """The file that `--windows` names, taken out of `args`; None if it has only words.

    A word that is none of the option's, and that nobody would call a file, is left for the option to refuse.
    """
    given = args.windows or []
    files = [value for value in given if value not in _WORDS and (_is_name_of_file(value) or os.path.exists(value))]
    if len(files) > 1:
        raise SettingsError("option windows is given with two files; give it with one.")
    if files and "none" in given:
        raise SettingsError('option windows: "none" is not allowed with a file; leave it out.')
    args.windows = [value for value in given if value not in files] or None
    return files[0] if files else None


def _is_name_of_file(value: str) -> bool:
    return "." in value or os.sep in value


def with_windows_file(options: Iterable[Option]) -> list[Option]:
    """The options, with the help of `windows` as it is in the shell."""
    also = " In its place, a file with what `profile` wrote, which `auto` then uses."
    return [option._replace(meaning=option.meaning + also) if option is WINDOWS else option for option in options]


def read_windows(path: Optional[str], settings: Settings) -> Optional[LearnedWindows]:
    """The windows in a file, as splunk/lookup.py has them; None without a file.

    Raises SourceError if the file cannot be read, or is no profile; SettingsError if `phase` settles the windows.
    """
    if path is None:
        return None
    if settings.phase_us is not None:
        raise SettingsError(f"option {WINDOWS.name}: a file is not allowed with --phase; leave one of them out.")
    learned = LearnedWindows.from_rows(_read_table(path), settings.interval_us)
    if learned.complaint:
        learned.complaint = f"{path}: {learned.complaint}"
    return learned


def _read_table(path: str) -> Iterator[list[str]]:
    yield list(COLUMNS)
    is_checked = False
    for row in read_strictly(path):
        if not is_checked:
            _check(path, row)
            is_checked = True
        yield [row.get(name, "") for name in COLUMNS]
    if not is_checked:
        raise SourceError(f"{path}: it has no row, so nothing was learned; give another file, or leave it out")


def _check(path: str, row: dict[str, str]) -> None:
    missing = [name for name in COLUMNS if name not in row]
    if missing:
        raise SourceError(
            f"{path}: it is no profile, since it has no column {', '.join(missing)}; give what "
            "`flowlag profile --output csv` wrote"
        )
