# SPDX-License-Identifier: Apache-2.0
"""Owns every file that is made of other files: `python -m tools.generated` writes what is stale, and says which it is.

`--check` only says which, and ends with 1 if there are any. Nothing generated is read to make another, and no
package is needed, so one run settles all of them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import Callable

from tools import icons, searchbnf, tables
from tools.dashboards import envelope, timeline_key, views
from tools.package import git
from tools.places import GENERATED, ROOT
from tools.scenarios import logins, modes, night

Maker = Callable[[], bytes]


def text(write: Callable[[], str]) -> Maker:
    """What makes the bytes of a text file."""
    return lambda: write().encode("utf-8")


def write_attributes() -> str:
    """.gitattributes: what is generated is folded away in reviews."""
    return f"# {GENERATED}\n" + "".join(f"{name} linguist-generated\n" for name in sorted(FILES))


#: Files that are generated as a whole.
FILES: dict[str, Maker] = {
    ".gitattributes": text(write_attributes),
    "default/searchbnf.conf": text(searchbnf.write),
    "appserver/static/envelope.svg": text(envelope.draw),
    "appserver/static/timeline_key.svg": text(timeline_key.draw_key),
    "appserver/static/lag_key.svg": text(timeline_key.draw_lag_key),
    "samples/modes.log": text(modes.sample),
    "samples/night/flows.csv": text(night.write_flows),
    "samples/night/logins.csv": text(night.write_logins),
    "samples/logins/flows.log": text(lambda: logins.write_scenario()["flows.log"]),
    "samples/logins/logins.csv": text(lambda: logins.write_scenario()["logins.csv"]),
    "samples/logins/truth.csv": text(lambda: logins.write_scenario()["truth.csv"]),
    **{
        f"default/data/ui/views/{name}.xml": text(lambda definition=definition: views.write_view(definition))  # type: ignore[misc]
        for name, definition in views.VIEWS.items()
    },
    **{f"static/{name}": (lambda icon=icon: icons.draw(*icon)) for name, icon in icons.ICONS.items()},  # type: ignore[misc]
}


def pages() -> list[str]:
    """The pages in Markdown that git tracks and that have a marker."""
    names = [name for name in git("ls-files", "-z", "*.md").split("\0") if name]
    return [name for name in names if "<!-- generated: " in (ROOT / name).read_text(encoding="utf-8")]


def make(name: str) -> bytes:
    """The content that a generated file, or a page with generated tables, should have."""
    if name in FILES:
        return FILES[name]()
    return tables.fill((ROOT / name).read_text(encoding="utf-8"), name).encode("utf-8")


def is_same(name: str, old: bytes, new: bytes) -> bool:
    """Whether two contents are the same; of an icon the pixels count, since zlib libraries pack them differently."""
    return icons.pixels(old) == icons.pixels(new) if name.endswith(".png") else old == new


def find_stale() -> Iterator[tuple[str, bytes]]:
    """(name, content that it should have) of each generated file that is not up to date."""
    for name in (*FILES, *pages()):
        new = make(name)
        path = ROOT / name
        if not (path.is_file() and is_same(name, path.read_bytes(), new)):
            yield name, new


def main() -> int:
    """Read the command line, write what is stale, return the exit code."""
    parser = argparse.ArgumentParser(description="Writes every generated file that is stale.")
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 if a file is stale")
    is_check = parser.parse_args().check
    try:
        stale = list(find_stale())
    except tables.MarkerError as error:
        print(error, file=sys.stderr)
        return 2
    for name, new in stale:
        if not is_check:
            (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / name).write_bytes(new)
        print(f"{name}: {'stale; run `make generated`' if is_check else 'written'}")
    return 1 if stale and is_check else 0


if __name__ == "__main__":
    sys.exit(main())
