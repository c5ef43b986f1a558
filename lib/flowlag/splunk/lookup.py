# SPDX-License-Identifier: Apache-2.0
"""The lookup file of learned windows: lookups/flowlag_windows.csv in the app's own folder, and nothing outside it.

On an indexer the app lies in the search bundle, so the path is taken from this file. A missing file is no error: then
nothing was learned yet, and looking costs one stat.
"""

from __future__ import annotations

import os
import stat
from typing import Optional, Union

from flowlag.enrich_options import Settings
from flowlag.learned import LearnedWindows

# No pathlib, and csv only where there is a file: each search starts this several times, mostly to find none.
#: The app's folder: lib/flowlag/splunk/ lies in it.
APP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
PLACE = os.path.join("lookups", "flowlag_windows.csv")
#: A larger file is not read: 100 000 rows have 16 MB and take a quarter of a second, in each process of each search.
MOST_BYTES = 32 * 1024 * 1024


def load_windows(settings: Settings, app: Union[str, os.PathLike[str]] = APP) -> Optional[LearnedWindows]:
    """What was learned, or why it cannot be used (`complaint`); None where nothing is asked for or there."""
    if settings.windows == "none" or settings.phase_us is not None:
        return None
    home = os.path.realpath(app)
    path = os.path.join(home, PLACE)
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return LearnedWindows(complaint=f"{PLACE}: it cannot be read ({error.strerror}), so that no window was learned")
    learned = _load(path, found, home, settings)
    if learned.complaint:
        learned.complaint = f"{PLACE}: {learned.complaint}"
    return learned


def _load(path: str, found: os.stat_result, home: str, settings: Settings) -> LearnedWindows:
    import csv
    import io

    if not stat.S_ISREG(found.st_mode) or not os.path.realpath(path).startswith(os.path.join(home, "")):
        return LearnedWindows(complaint="it is no file in the folder of the app, so that no window was learned")
    if found.st_size > MOST_BYTES:
        return LearnedWindows(complaint=f"it has more than {MOST_BYTES >> 20} MB, so that no window was learned")
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8-sig").replace("\0", "\ufffd")  # Python 3.9 refuses a NUL
        return LearnedWindows.from_rows(csv.reader(io.StringIO(text, newline="")), settings.interval_us)
    except OSError as error:
        return LearnedWindows(complaint=f"it cannot be read ({error.strerror}), so that no window was learned")
    except (UnicodeDecodeError, csv.Error) as error:
        return LearnedWindows(complaint=f"it is damaged ({error}), so that no window was learned")
