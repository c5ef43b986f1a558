# SPDX-License-Identifier: Apache-2.0
"""The keys of `match` and `learn` in the shell: a key that no row of a side has is refused, with the names there are.

Authority: docs/shell.md, Names.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from flowlag.errors import SettingsError, show_value
from flowlag.files.names import KeyFinder
from flowlag.match.options import Keys

#: By side: `flow`, `anchor`.
Finders = dict[str, KeyFinder]
#: Names that a sentence lists.
_MOST_NAMES = 40


def join_synonyms(finders: Finders) -> dict[str, tuple[str, ...]]:
    """For each key of both sides, the names that mean the same."""
    return {name: others for finder in finders.values() for name, others in finder.synonyms.items()}


def check_keys(finders: Finders, keys: Keys, prefix: str) -> None:
    """Raise SettingsError for keys that no row of a side has, if it has rows; `prefix` is that of the tags."""
    for side, names in zip(("flow", "anchor"), (keys.flow, keys.anchor)):
        missing = [name for name in names if not finders[side].has(name)]
        if missing and finders[side].names:
            present = [name for name in finders[side].names if not name.startswith(("_", prefix))]
            raise SettingsError(
                f"--by: no {side} has a field {_list_names(missing)}{_suggest(missing[0], present)}; the fields there "
                f"are: {_list_names(present) or 'none'}"
            )


def _suggest(name: str, present: list[str]) -> str:
    near = get_close_matches(name.lower(), present, 1)
    return f" (did you mean {show_value(near[0])}?)" if near else ""


def _list_names(names: Iterable[str]) -> str:
    shown = [show_value(name) for name in names]
    more = len(shown) - _MOST_NAMES
    return ", ".join(shown[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
