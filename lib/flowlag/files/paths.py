# SPDX-License-Identifier: Apache-2.0
"""The files that are named: folders are walked, and each file is named in its rows if there are several.

Authority: docs/shell.md, Input.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Callable, Optional

from flowlag.errors import SourceError

#: The field with the file of a row.
SOURCE = "source"


def list_files(paths: Iterable[str], report: Callable[[SourceError], None]) -> list[str]:
    """The files in the order of `paths`, those of a folder by name; `report` gets the error of each bad folder.

    Hidden files and folders, and links to folders, are left out.
    """
    found: list[str] = []
    for path in paths:
        if not os.path.isdir(path):
            found.append(path)
            continue
        inside = list(_walk(path, report))
        if not inside:
            report(SourceError(f"{path}: there is no file in this folder; check its name"))
        found.extend(inside)
    return found


def _walk(folder: str, report: Callable[[SourceError], None]) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        report(SourceError(f"{error.filename}: this folder cannot be read ({error.strerror}); ask for permission"))

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.join(place, name) for name in sorted(names) if not name.startswith("."))


def name_sources(paths: Iterable[str], report: Callable[[SourceError], None]) -> list[tuple[str, Optional[str]]]:
    """Each file with what its rows name as their source: nothing if there is only one file."""
    files = list_files(paths, report)
    return [(path, path if len(files) > 1 else None) for path in files]
