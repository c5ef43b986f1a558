# SPDX-License-Identifier: Apache-2.0
"""Owns the texts of the searches of the live suite, and what is compared of their results: pure functions only.

A saved search is run with the text that splunkd has. Only the macros that name a site's data, addresses or thresholds
are replaced, by those of the run: nobody's local/macros.conf is touched. All other macros are left to splunkd, and
`differing` names those which the site has changed, so that a difference in results has its reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from tests.live.client import Row, Value
from tests.live.samples import Run
from tests.rules.scenarios import LOCAL
from tests.spl.words import split_outside
from tests.support.conf import MACROS
from tests.support.saved_searches import commands_of

CALL = re.compile(r"`(\w+)(?:\(([^`]*)\))?`")
LOOKUP_COMMANDS = ("inputlookup append=true flowlag_windows", "outputlookup override_if_empty=false flowlag_windows")
PEER = re.compile(r"dispatch\.stream\.remote\.(.+)")


def site(run: Run, name: str) -> dict[str, str]:
    """The site macros for one set of events: flows are of kind flow, all else of the set is what a rule ties them to."""
    others = f'{run.base(name)} kind="event"'
    return {
        **LOCAL,
        "flowlag_index": f'{run.base(name)} kind="flow"',
        "flowlag_logins": others,
        "flowlag_anchors": others,
        "flowlag_credential_use": others,
        "flowlag_findings": others,
        "flowlag_rule_runs": others,
        "flowlag_outbound": "src_ip=192.0.2.0/24",
    }


def whole_set(run: Run, name: str) -> dict[str, str]:
    """The macros for a set that is flow log events only; no run of a search is in it."""
    return {"flowlag_index": run.base(name), "flowlag_rule_runs": run.base(name)}


def place(text: str, macros: Mapping[str, str]) -> str:
    """A search with these macros in place, and every other one as it was."""

    def definition(call: re.Match[str]) -> str:
        given = split_outside(call[2], ",") if call[2] else []
        key = f"{call[1]}({len(given)})" if given else call[1]
        if key not in macros:
            return call[0]
        placed = macros[key]
        for name, value in zip(MACROS[key].get("args", "").split(","), given):
            placed = placed.replace(f"${name.strip()}$", value)
        return placed

    return CALL.sub(definition, text)


def calls(text: str) -> set[str]:
    """The keys in macros.conf of the macros that a text calls."""
    found = set()
    for name, given in CALL.findall(text):
        found.add(f"{name}({len(split_outside(given, ','))})" if given else name)
    return found


def differing(text: str, definitions: Mapping[str, str]) -> list[str]:
    """The macros of a text whose definition on the instance is not that of the app."""
    return sorted(name for name in calls(text) if definitions.get(name) != MACROS[name]["definition"])


def without_lookup(text: str) -> str:
    """A search without the commands that read or write the lookup of learned windows."""
    return " | ".join(command for command in commands_of(text) if command not in LOOKUP_COMMANDS)


def plain(text: str) -> str:
    """White space evened out."""
    return " ".join(text.split())


# -- results


def texts(rows: Iterable[Row], names: Sequence[str]) -> list[list[str]]:
    """The values of some fields, row by row; a field that is not there is empty, a multivalue is joined by line feeds."""
    return [[text_of(row.get(name)) for name in names] for row in rows]


def text_of(value: Optional[Value]) -> str:
    """One value as text."""
    return "\n".join(value) if isinstance(value, list) else value or ""


def own_fields(fields: Iterable[str], prefix: str = "flowlag_") -> list[str]:
    """The fields with a prefix in the order in which they come."""
    return [name for name in fields if name.startswith(prefix)]


def lost_fields(before: Sequence[Row], after: Sequence[Row], key: str) -> list[str]:
    """What a command did to fields that are none of its own: a sentence for each value that is not what it was."""
    now = {text_of(row.get(key)): row for row in after}
    lost = [f"row {text_of(row.get(key))} is gone" for row in before if text_of(row.get(key)) not in now]
    for row in before:
        other = now.get(text_of(row.get(key)), row)
        lost += [
            f"{name}: {value!r} became {other.get(name)!r}" for name, value in row.items() if other.get(name) != value
        ]
    return lost


def peers(properties: Mapping[str, Any]) -> list[str]:
    """The search peers that a job's execution costs name: those that ran the part of it that can be distributed."""
    matches = map(PEER.fullmatch, properties.get("performance", {}))
    return sorted(match[1] for match in matches if match)


def previewed(rows: Iterable[Row], final: Mapping[str, Row], key: str, prefix: str = "flowlag_") -> list[str]:
    """What is wrong in a preview: a tag that is neither absent nor what the final row has."""
    wrong = []
    for row in rows:
        last = final.get(text_of(row.get(key)), {})
        wrong += [
            f"{name}: {row[name]!r} in a preview, {last.get(name)!r} at the end"
            for name in own_fields(row, prefix)
            if row[name] and row[name] != last.get(name)
        ]
    return wrong
