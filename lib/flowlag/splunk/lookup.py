# SPDX-License-Identifier: Apache-2.0
"""The lookup files of what was learned, in lookups/; no file outside the app is read.

On an indexer the app is in the search bundle, so the path is relative to this module. A missing file is not an error:
nothing has been learned yet, and the check costs one stat.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Callable, Optional, TypeVar, Union

from flowlag.enrich_options import Settings
from flowlag.learned import LearnedWindows

if TYPE_CHECKING:
    from flowlag.lags import LearnedLags

# No pathlib, and csv only if there is a file: each search starts this several times, and mostly finds no file.
#: The folder of the app, which contains lib/flowlag/splunk/.
APP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
PLACE = os.path.join("lookups", "flowlag_windows.csv")
LAGS_PLACE = os.path.join("lookups", "flowlag_lags.csv")
#: A larger file is not read. 100,000 rows of windows are 16 MB, and take a quarter of a second in each process of each
#: search; as many of lags are 40 MB.
MOST_BYTES = 32 * 1024 * 1024

Folder = Union[str, "os.PathLike[str]"]
Learned = TypeVar("Learned", "LearnedWindows", "LearnedLags")
Table = Iterable[Sequence[str]]

_NO_WINDOW, _NO_LAG = "so no learned window is used", "so no learned lag is used"


def load_windows(settings: Settings, app: Folder = APP) -> Optional[LearnedWindows]:
    """The learned windows, or why they cannot be used (`complaint`); None if they are not wanted, or not there."""
    if settings.windows == "none" or settings.phase_us is not None:
        return None
    return _find(
        app,
        PLACE,
        lambda table: LearnedWindows.from_rows(table, settings.interval_us),
        lambda reason: LearnedWindows(complaint=f"{reason}, {_NO_WINDOW}"),
    )


def load_learned(settings: Settings, app: Folder = APP) -> tuple[Optional[LearnedWindows], Optional[LearnedLags]]:
    """What flowlagenrich uses: the windows, and the lags if a confidence was asked for."""
    return load_windows(settings, app), load_lags(settings.confidence, app) if settings.confidence else None


def load_lags(confidence: Optional[str], app: Folder = APP) -> Optional[LearnedLags]:
    """The learned lags of a confidence or, without one, their densities; as `load_windows` otherwise."""
    from flowlag.lags import LearnedLags  # most searches do without

    return _find(
        app,
        LAGS_PLACE,
        lambda table: LearnedLags.from_rows(table, confidence),
        lambda reason: LearnedLags(complaint=f"{reason}, {_NO_LAG}"),
    )


def _find(
    app: Folder, place: str, read: Callable[[Table], Learned], refuse: Callable[[str], Learned]
) -> Optional[Learned]:
    """What a lookup of the app holds, by `read`, or by `refuse` why it cannot be read; None if it is not there."""
    home = os.path.realpath(app)
    path = os.path.join(home, place)
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        learned = refuse(f"it cannot be read ({error.strerror})")
    else:
        is_outside = not os.path.realpath(path).startswith(os.path.join(home, ""))
        if is_outside or not stat.S_ISREG(found.st_mode):
            learned = refuse("it is not a file in the folder of the app")
        else:
            learned = read_table(path, found.st_size, read, refuse)
    if learned.complaint:
        learned.complaint = f"{place}: {learned.complaint}"
    return learned


def read_table(path: str, size: int, read: Callable[[Table], Learned], refuse: Callable[[str], Learned]) -> Learned:
    """What the CSV file at `path`, of so many bytes, holds, by `read`; or by `refuse` why it cannot be read."""
    import csv
    import io

    if size > MOST_BYTES:
        return refuse(f"it is larger than {MOST_BYTES >> 20} MB")
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8-sig").replace("\0", "\ufffd")  # Python 3.9 refuses a NUL
        return read(csv.reader(io.StringIO(text, newline="")))
    except OSError as error:
        return refuse(f"it cannot be read ({error.strerror})")
    except (UnicodeDecodeError, csv.Error) as error:
        return refuse(f"it is damaged ({error})")
