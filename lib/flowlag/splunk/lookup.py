# SPDX-License-Identifier: Apache-2.0
"""The lookup file of learned windows, lookups/flowlag_windows.csv; no file outside the app is read.

On an indexer the app is in the search bundle, so the path is relative to this module. A missing file is not an error:
nothing has been learned yet, and the check costs one stat.
"""

from __future__ import annotations

import os
import stat
from typing import Optional, Union

from flowlag.enrich_options import Settings
from flowlag.learned import LearnedWindows

# No pathlib, and csv only if there is a file: each search starts this several times, and mostly finds no file.
#: The folder of the app, which contains lib/flowlag/splunk/.
APP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))
PLACE = os.path.join("lookups", "flowlag_windows.csv")
#: A larger file is not read. 100,000 rows are 16 MB, and take a quarter of a second in each process of each search.
MOST_BYTES = 32 * 1024 * 1024


def load_windows(settings: Settings, app: Union[str, os.PathLike[str]] = APP) -> Optional[LearnedWindows]:
    """The learned windows, or why they cannot be used (`complaint`); None if they are not wanted, or not there."""
    if settings.windows == "none" or settings.phase_us is not None:
        return None
    home = os.path.realpath(app)
    path = os.path.join(home, PLACE)
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return LearnedWindows(complaint=f"{PLACE}: it cannot be read ({error.strerror}), so no learned window is used")
    learned = _load(path, found, home, settings)
    if learned.complaint:
        learned.complaint = f"{PLACE}: {learned.complaint}"
    return learned


def _load(path: str, found: os.stat_result, home: str, settings: Settings) -> LearnedWindows:
    import csv
    import io

    if not stat.S_ISREG(found.st_mode) or not os.path.realpath(path).startswith(os.path.join(home, "")):
        return LearnedWindows(complaint="it is not a file in the folder of the app, so no learned window is used")
    if found.st_size > MOST_BYTES:
        return LearnedWindows(complaint=f"it is larger than {MOST_BYTES >> 20} MB, so no learned window is used")
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8-sig").replace("\0", "\ufffd")  # Python 3.9 refuses a NUL
        return LearnedWindows.from_rows(csv.reader(io.StringIO(text, newline="")), settings.interval_us)
    except OSError as error:
        return LearnedWindows(complaint=f"it cannot be read ({error.strerror}), so no learned window is used")
    except (UnicodeDecodeError, csv.Error) as error:
        return LearnedWindows(complaint=f"it is damaged ({error}), so no learned window is used")
