# SPDX-License-Identifier: Apache-2.0
"""Owns the names and texts of the app's saved searches in the tests, and what of a text is read without running it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Optional

from flowlag.match.options import MatchSettings, parse_match_arguments
from tests.spl.words import Macros, arguments_of, split_outside
from tests.support.conf import MACROS, SEARCHES

LOGIN = "Access - Remote Login Tied To Its Flow - Rule"
SWEEP = "Network - Rejected Ports Then Accepted Connection - Rule"
VOLUME = "Threat - Outbound Volume After Use Of Instance Credential - Rule"
MISSING = "Threat - Finding Without Possible Flow - Rule"
LOGIN_FAST = "Access - Remote Login Tied To Its Flow Accelerated - Rule"
SWEEP_FAST = "Network - Rejected Ports Then Accepted Connection Accelerated - Rule"
HEALTH = "Audit - Flow Records Late Or Skipped - Rule"
LEARN, LAGS, DELIVERY = "Flow Logs - Learn Windows", "Flow Logs - Learn Lags", "Flow Logs - Delivery Lag"
MEASURE = "Flow Logs - Measured Lag"

#: The correlation searches, and the others.
RULES = {name: keys for name, keys in SEARCHES.items() if "action.correlationsearch.enabled" in keys}
REPORTS = {name: keys for name, keys in SEARCHES.items() if name not in RULES}
#: A result's field in a text of a finding.
TOKEN = re.compile(r"\$(\w+)(?:\|s)?\$")
#: Fields that Enterprise Security itself adds to a finding.
ADDED = {"info_min_time", "info_max_time"}


def expand(text: str, local: Optional[Mapping[str, str]] = None) -> str:
    """Return SPL with the app's macros in place, also those within macros; `local` goes before the app's."""
    return Macros(MACROS, local).expand(text)


def commands_of(search: str) -> list[str]:
    """Return the commands of a search, white space evened out; a first command that makes rows keeps its pipe."""
    first, *commands = split_outside(" ".join(search.split()), "|")
    return [first, *commands] if first else [f"| {commands[0]}", *commands[1:]]


def command_arguments(command: str) -> list[str]:
    """Return the arguments of a command of ours with macros in place, as splunkd hands them over."""
    return arguments_of(expand(command).partition(" ")[2])


def seconds(span: str) -> int:
    """Return the length of a relative time such as -62m@m, or of a period such as 7200s."""
    number, unit = re.fullmatch(r"-?(\d+)([smhd])(?:@[smhd])?", span).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


def match_settings(stanza: str) -> Optional[MatchSettings]:
    """Return what flowlagmatch is asked for in a search, None when it is not in it."""
    found = [command for command in commands_of(RULES[stanza]["search"]) if command.startswith("flowlagmatch")]
    return parse_match_arguments(command_arguments(found[0])) if found else None


def parsed(stanza: str, key: str) -> Any:
    return json.loads(RULES[stanza].get(key, "[]"))


def fields_named(stanza: str) -> set[str]:
    """Return every field that a finding's texts, entities, drilldowns and throttling take from a result."""
    rule = RULES[stanza]
    texts = [rule[key] for key in rule if key.startswith("action.")]
    items = parsed(stanza, "action.risk.param._risk") + parsed(stanza, "action.notable.param._entities")
    named = {item.get("risk_object_field") or item.get("threat_object_field") for item in items}
    lists = rule["alert.suppress.fields"], rule["action.notable.param.nes_fields"]
    return (
        (set(TOKEN.findall(" ".join(texts))) - ADDED) | named | {name for names in lists for name in names.split(",")}
    )
