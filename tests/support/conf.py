# SPDX-License-Identifier: Apache-2.0
"""Owns the reading of the app's conf files in the tests; it is apart from the app's code, which reads none."""

from __future__ import annotations

import re
from pathlib import Path

from tools.places import ROOT

Stanzas = dict[str, dict[str, str]]


def read_conf(name: str, app: Path = ROOT) -> Stanzas:
    """Return stanza -> key -> value as Splunk reads it: a backslash continues a line, the first `=` splits it."""
    stanzas: Stanzas = {}
    for line in re.sub(r"\\\n", "\n\0", (app / name).read_text(encoding="utf-8")).replace("\n\0", " ").splitlines():
        heading = re.fullmatch(r"\[(.*)\]\s*", line)
        if heading:
            assert heading[1] not in stanzas, f"{name}: [{heading[1]}] twice"
            current = stanzas.setdefault(heading[1], {})
        elif line.strip() and not line.startswith("#"):
            key, equals, value = (part.strip() for part in line.partition("="))
            assert equals, f"{name}: no = in {line!r}"
            assert key not in current, f"{name}: {key} twice"
            current[key] = value
    return stanzas


COMMANDS = read_conf("default/commands.conf")
SEARCHBNF = read_conf("default/searchbnf.conf")
MACROS = read_conf("default/macros.conf")
SEARCHES = read_conf("default/savedsearches.conf")
