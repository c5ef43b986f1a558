# SPDX-License-Identifier: Apache-2.0
"""The options of flowlagmatch, each declared once, and the settings that are made of them.

Authority: docs/match.md, Options.
"""

from collections.abc import Iterable  # and no annotations as strings: see options.py
from typing import NamedTuple, Optional

from flowlag.errors import SettingsError
from flowlag.options import (
    REQUIRED,
    NotAllowed,
    Option,
    choice,
    count,
    field_name,
    gather_options,
    parse_span,
    plain,
    prefix,
    read_options,
    split_arguments,
    truth,
)


class Keys(NamedTuple):
    """The key fields of flows and of anchors, which belong together one by one."""

    flow: tuple[str, ...]
    anchor: tuple[str, ...]


def _parse_keys(text: str) -> Keys:
    sides = [tuple(name.strip() for name in part.split("=")) for part in text.split(",")]
    if not all(len(side) <= 2 and all(side) for side in sides):
        raise NotAllowed
    if len(set(sides)) < len(sides):
        raise NotAllowed("each key once")
    return Keys(tuple(side[0] for side in sides), tuple(side[-1] for side in sides))


def _parse_marker(text: str) -> tuple[str, str]:
    field, equals, value = text.partition("=")
    if not (field.strip() and equals and value):
        raise NotAllowed
    return field.strip(), value


_SECONDS = "0 or more seconds with at most six decimals, plain (2, 0.5) or as a time span (30s, 5m)"

BY = Option(
    "by",
    "<key>(,<key>)*",
    None,
    'field names with commas between them; "a=b" means flow field a equals anchor field b',
    "The key fields that a flow and an anchor must have in common.",
    _parse_keys,
    REQUIRED,
)
RELATION = choice(
    "relation",
    ("overlap", "before", "after"),
    "overlap",
    "When the flow passed: at the time of the anchor, before it, or after it.",
)
#: Stamps and clocks count whole seconds, so that two times of one event differ by up to a second.
WITHIN = Option(
    "within",
    "<span>",
    "1",
    _SECONDS,
    "How far apart the two may be; `relation=before` and `relation=after` require it.",
    parse_span,
)
TOLERANCE = Option(
    "tolerance",
    "<span>",
    "0",
    _SECONDS,
    "How far off the clocks of the anchors may be; it widens the time of each anchor both ways.",
    parse_span,
)
ANCHORS = Option(
    "anchors",
    "<field>=<value>",
    None,
    "field=value, the value that marks anchors, for example anchors=action=allowed",
    "Exactly the events with this value, or with it among their values, are anchors. A flow among them has its own "
    "bounds as its time, so that flows can be matched with flows.",
    _parse_marker,
)
ANCHOR_TIME = field_name("anchor_time", "Where the time of an anchor is, or the start of its interval.", "_time")
ANCHOR_END = field_name("anchor_end", "Where the interval of an anchor ends.")
MAXMATCHES = count("maxmatches", "100", "How many flows to keep for one anchor, the best first.")
UNMATCHED = truth("unmatched", "true", "Whether an anchor for which no flow is possible gets a row too.")
PREFIX = prefix("The prefix that flowlagenrich was given.")
STARTS = field_name(
    "starts",
    "Where the TCP flags of a flow are. Then only records that open a connection are flows: those with SYN (2) and "
    "without ACK (16). A login is in no other record, so many false pairs go.",
)
RANK = choice(
    "rank",
    ("share", "probability"),
    "share",
    "What orders the flows of an anchor: the share of the possible gaps for which the relation holds, or how probable "
    "it is that the flow is the anchor's. `probability` needs `relation=overlap`.",
)
EXCLUSIVE = truth(
    "exclusive",
    "false",
    "Whether a flow belongs to at most one anchor, and an anchor to at most one flow, as a connection to its login. It "
    "needs `rank=probability`.",
)

#: In the order of the docs.
MATCH_OPTIONS = (
    BY, RELATION, WITHIN, TOLERANCE, ANCHORS, ANCHOR_TIME, ANCHOR_END, MAXMATCHES, UNMATCHED, PREFIX, STARTS, RANK,
    EXCLUSIVE,
)  # fmt: skip


class MatchSettings(NamedTuple):
    """What flowlagmatch was asked for. Times in microseconds."""

    flow_keys: tuple[str, ...]
    anchor_keys: tuple[str, ...]
    relation: str = RELATION.initial
    within_us: int = WITHIN.initial
    tolerance_us: int = TOLERANCE.initial
    marker: Optional[tuple[str, str]] = None
    anchor_time: str = ANCHOR_TIME.initial
    anchor_end: Optional[str] = None
    maxmatches: int = MAXMATCHES.initial
    unmatched: bool = UNMATCHED.initial
    prefix: str = PREFIX.initial
    starts: Optional[str] = None
    rank: str = RANK.initial
    exclusive: bool = EXCLUSIVE.initial


def parse_match_settings(pairs: Iterable[tuple[str, str]], command: str = "flowlagmatch") -> MatchSettings:
    """Settings from (option, value) pairs as the user typed them, unquoted; raises SettingsError, one sentence."""
    given = gather_options(pairs, MATCH_OPTIONS, command)
    if BY.name not in given:
        raise SettingsError(
            f'option by is missing; give {command} {plain(BY.allowed)}, for example by="src_ip=src,dest_ip".'
        )
    values = read_options(given, MATCH_OPTIONS)
    if values["relation"] != "overlap" and WITHIN.name not in given:
        raise SettingsError(
            f"option within is missing: relation={values['relation']} needs it; give the seconds within which the "
            "anchor and the flow may follow each other, for example within=300."
        )
    if values["rank"] != "share" and values["relation"] != "overlap":
        raise SettingsError(
            f'option rank: "{values["rank"]}" is not allowed with relation={values["relation"]}; give rank=share, or '
            "relation=overlap."
        )
    if values["exclusive"] and values["rank"] != "probability":
        raise SettingsError('option exclusive: "true" is not allowed with rank=share; give rank=probability too.')
    return MatchSettings(
        flow_keys=values["by"].flow,
        anchor_keys=values["by"].anchor,
        relation=values["relation"],
        within_us=values["within"],
        tolerance_us=values["tolerance"],
        marker=values["anchors"],
        anchor_time=values["anchor_time"],
        anchor_end=values["anchor_end"],
        maxmatches=values["maxmatches"],
        unmatched=values["unmatched"],
        prefix=values["prefix"],
        starts=values["starts"],
        rank=values["rank"],
        exclusive=values["exclusive"],
    )


def parse_match_arguments(arguments: Iterable[str], command: str = "flowlagmatch") -> MatchSettings:
    """Settings from a search command's arguments, each `name=value` with quotes taken off as splunkd sends them."""
    return parse_match_settings(split_arguments(arguments, command), command)
