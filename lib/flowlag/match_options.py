# SPDX-License-Identifier: Apache-2.0
"""Every option of flowlagmatch: its default, what it may be, and the sentence that refuses anything else.

Authority: contract section 3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, Optional

from flowlag.enrich_options import gather_options, parse_choice, parse_prefix, parse_span, refuse, split_arguments
from flowlag.errors import SettingsError
from flowlag.interval import SECOND_US

#: Option names in the contract's order.
MATCH_OPTIONS = (
    "by", "relation", "within", "tolerance", "anchors", "anchor_time", "anchor_end", "maxmatches", "unmatched",
    "prefix",
)  # fmt: skip

RELATIONS = ("overlap", "before", "after")
#: Stamps and clocks count whole seconds, so that two times of one event differ by up to a second.
DEFAULT_WITHIN_US = SECOND_US
DEFAULT_MAXMATCHES = 100

_TRUTH = {"true": True, "t": True, "1": True, "yes": True, "false": False, "f": False, "0": False, "no": False}


class MatchSettings(NamedTuple):
    """What flowlagmatch was asked for. Times in microseconds."""

    flow_keys: tuple[str, ...]
    anchor_keys: tuple[str, ...]
    relation: str = "overlap"
    within_us: int = DEFAULT_WITHIN_US
    tolerance_us: int = 0
    marker: Optional[tuple[str, str]] = None
    anchor_time: str = "_time"
    anchor_end: Optional[str] = None
    maxmatches: int = DEFAULT_MAXMATCHES
    unmatched: bool = True
    prefix: str = "flowlag_"


def parse_match_settings(pairs: Iterable[tuple[str, str]], command: str = "flowlagmatch") -> MatchSettings:
    """Settings from (option, value) pairs as the user typed them, unquoted; raises SettingsError, one sentence."""
    given = gather_options(pairs, MATCH_OPTIONS, command)
    flow_keys, anchor_keys = _parse_keys(given.get("by"), command)
    relation = parse_choice("relation", given.get("relation", "overlap"), RELATIONS)
    if relation != "overlap" and "within" not in given:
        raise SettingsError(
            f"option within is missing: relation={relation} needs it; give the seconds within which the anchor and the "
            "flow may follow each other, for example within=300."
        )
    return MatchSettings(
        flow_keys=flow_keys,
        anchor_keys=anchor_keys,
        relation=relation,
        within_us=_parse_seconds("within", given.get("within", "1")),
        tolerance_us=_parse_seconds("tolerance", given.get("tolerance", "0")),
        marker=_parse_marker(given["anchors"]) if "anchors" in given else None,
        anchor_time=_parse_name("anchor_time", given.get("anchor_time", "_time")),
        anchor_end=_parse_name("anchor_end", given["anchor_end"]) if "anchor_end" in given else None,
        maxmatches=_parse_count("maxmatches", given.get("maxmatches", str(DEFAULT_MAXMATCHES))),
        unmatched=_parse_truth("unmatched", given.get("unmatched", "true")),
        prefix=parse_prefix(given.get("prefix", "flowlag_")),
    )


def parse_match_arguments(arguments: Iterable[str], command: str = "flowlagmatch") -> MatchSettings:
    """Settings from a search command's arguments, each `name=value` with quotes taken off as splunkd sends them."""
    return parse_match_settings(split_arguments(arguments, command), command)


def _parse_keys(text: Optional[str], command: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The key fields of flows and of anchors from `a,b=c`."""
    allowed = 'field names with commas between them; "a=b" means flow field a equals anchor field b'
    if text is None:
        raise SettingsError(f'option by is missing; give {command} {allowed}, for example by="src_ip=src,dest_ip".')
    sides = [tuple(name.strip() for name in part.split("=")) for part in text.split(",")]
    if not all(len(side) <= 2 and all(side) for side in sides):
        raise refuse("by", text, allowed)
    if len(set(sides)) < len(sides):
        raise refuse("by", text, "each key once")
    return tuple(side[0] for side in sides), tuple(side[-1] for side in sides)


def _parse_seconds(name: str, text: str) -> int:
    span_us = parse_span(text)
    if span_us is None:
        raise refuse(
            name, text, "0 or more seconds with at most six decimals, plain (2, 0.5) or as a time span (30s, 5m)"
        )
    return span_us


def _parse_marker(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not (field.strip() and equals and value):
        raise refuse("anchors", text, "field=value, the value that marks anchors, for example anchors=action=allowed")
    return field.strip(), value


def _parse_name(name: str, text: str) -> str:
    if not text.strip():
        raise refuse(name, text, "the name of a field")
    return text


def _parse_count(name: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) == 0:
        raise refuse(name, text, "a whole number from 1 to 999999999")
    return int(text)


def _parse_truth(name: str, text: str) -> bool:
    if text.lower() not in _TRUTH:
        raise refuse(name, text, "true or false")
    return _TRUTH[text.lower()]
