# SPDX-License-Identifier: Apache-2.0
"""How a table is shown: times as a clock shows them, and as wide as the terminal. CSV and JSON keep epoch seconds.

Authority: docs/shell.md, Output.
"""

from __future__ import annotations

import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from itertools import chain
from typing import NamedTuple, Optional

from flowlag.errors import SettingsError, show_text, show_value
from flowlag.instants import parse_instant

#: The columns of a table are as wide as the values of this many first rows need, within limits.
TABLE_SAMPLE = 200
#: The sample ends earlier if it holds this many characters.
LONGEST_SAMPLE = 64 * 1024 * 1024
WIDEST_COLUMN = 22
#: No terminal is taken to be narrower.
_NARROWEST = 40
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class View(NamedTuple):
    """The zone of times (None: epoch seconds as they are), and the width of the terminal (None: there is none)."""

    zone: Optional[tzinfo] = None
    width: Optional[int] = None

    def show_times(self, row: Sequence[str], places: Sequence[int]) -> list[str]:
        """A row with the times at some places as a clock shows them; a date that was shown is not repeated."""
        cells, shown = list(row), ""
        for place in places:
            time_us = None if self.zone is None else parse_instant(row[place])
            if time_us is not None:
                moment = (_EPOCH + timedelta(microseconds=time_us)).astimezone(self.zone)
                day = f"{moment:%Y-%m-%d} " if self.zone is timezone.utc else f"{moment:%Y-%m-%d (%z)} "
                decimals = f".{moment.microsecond:06}".rstrip("0").rstrip(".") if moment.microsecond else ""
                cells[place] = f"{'' if day == shown else day}{moment:%H:%M:%S}{decimals}"
                shown = day
        return cells


#: What a pipe gets: epoch seconds in full width.
EPOCH_VIEW = View()


def read_view(args: Namespace) -> View:
    """The view that `--tz` and `--epoch` ask for; raises SettingsError."""
    if args.epoch and args.tz:
        raise SettingsError("--tz is not allowed with --epoch; leave one of them out.")
    return View(None if args.epoch else _find_zone(args.tz or "UTC"), _find_width())


def _find_zone(name: str) -> tzinfo:
    if name.upper() in ("UTC", "Z"):
        return timezone.utc
    from zoneinfo import ZoneInfo  # a table in UTC does without

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # no such zone, no name of one, a folder of zones
        raise SettingsError(
            f'option --tz: "{show_value(name)}" is not a time zone that this machine knows; give a name such as UTC or '
            "Europe/Berlin."
        ) from None


def _find_width() -> Optional[int]:
    try:
        is_terminal = sys.stdout is not None and os.isatty(sys.stdout.fileno())
    except (OSError, ValueError):  # closed, or replaced
        return None
    return max(shutil.get_terminal_size().columns, _NARROWEST) if is_terminal else None


def lay_out(
    headings: tuple[str, ...],
    rows: Iterable[Sequence[str]],
    view: View = EPOCH_VIEW,
    times: Sequence[str] = (),
    least: Sequence[str] = (),
) -> Iterator[str]:
    """The lines of a table, none if there is no row; `times` are the headings of columns with times.

    Cells are made safe for a terminal. If it is too narrow, the columns of `least` are left out, the first one first,
    then those at the end.
    """
    places = [i for i, heading in enumerate(headings) if heading in times]
    shown = (tuple(map(show_text, view.show_times(row, places))) for row in rows)
    first = take_sample(shown)
    widths = [min(max(map(len, column)), max(WIDEST_COLUMN, len(column[0]))) for column in zip(headings, *first)]
    kept = _find_fitting(widths, view.width, [headings.index(heading) for heading in least])
    for row in chain([headings] if first else [], first, shown):
        line = " ".join([f"{row[i]:<{widths[i]}}" for i in kept]).rstrip()
        yield line if view.width is None or len(line) <= view.width else line[: view.width - 1] + "…"


def take_sample(rows: Iterator[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The first rows, fewer if they are long."""
    sample: list[tuple[str, ...]] = []
    length = 0
    for row in rows:
        sample.append(row)
        length += sum(map(len, row))
        if len(sample) >= TABLE_SAMPLE or length > LONGEST_SAMPLE:
            break
    return sample


def _find_fitting(widths: Sequence[int], width: Optional[int], least: Sequence[int]) -> list[int]:
    """The columns that fit on a terminal, one at least."""
    kept = list(range(len(widths)))
    for place in [*least, *(place for place in reversed(kept) if place not in least)]:
        if width is None or len(kept) <= 1 or sum(widths[i] + 1 for i in kept) - 1 <= width:
            break
        kept.remove(place)
    return kept
