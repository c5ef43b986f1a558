# SPDX-License-Identifier: Apache-2.0
"""Owns what each correlation search finds among events whose truth is known, beside what plain joins on _time find.

The searches run with the text of savedsearches.conf and macros.conf. Each of their commands, each macro and each
assignment of a macro counts: without it, or with another, the findings are not those of the scenario.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.rules.scenarios import SCENARIOS, Played, Row, Stage, case_pairs, join, read_events, read_findings
from tests.spl.values import SplError
from tests.spl.words import split_outside
from tests.support.conf import MACROS
from tests.support.saved_searches import (
    HEALTH,
    LOGIN,
    MISSING,
    RULES,
    SWEEP,
    SWEEP_FAST,
    VOLUME,
    commands_of,
    expand,
    fields_named,
    match_settings,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("stanza", RULES)
def test_findings(stanza: str, played: dict[str, Played]) -> None:
    """The search finds what findings.csv says, in the columns that it has, and warns of nothing but what it asks for."""
    assert shown(stanza, played[stanza].results) == shown(stanza, read_findings(stanza))
    wanted = ("more than 1 possible", "(flows that open no connection: 2)")  # maxmatches=1, starts=tcp_flags
    assert [text for _, text in played[stanza].messages if not any(part in text for part in wanted)] == []


def shown(stanza: str, rows: list[Row]) -> list[list[str]]:
    """Return findings in the columns of findings.csv, in an order of their own."""
    names = list(read_findings(stanza)[0])
    return sorted([str(row.get(name, "")) for name in names] for row in rows)


@pytest.mark.parametrize("stanza", RULES)
def test_finding_has_every_field_that_its_texts_name(stanza: str, played: dict[str, Played]) -> None:
    """A `$token$` of title, description, risk and drilldowns, and each field of throttling, is a result's field."""
    for result in played[stanza].results:
        assert {name for name in fields_named(stanza) if result.get(name, "") == ""} == set()


# -- nothing in a search is there in vain


#: Commands that only spare work: what they leave out would be left out later.
SPARING = {(SWEEP, 1), (SWEEP_FAST, 1)}


def places() -> Iterator[tuple[str, int]]:
    """Every command of every rule behind its base search, by its place."""
    for stanza in RULES:
        for place in range(1, len(commands_of(RULES[stanza]["search"]))):
            if (stanza, place) not in SPARING:
                yield stanza, place


@pytest.mark.parametrize(("stanza", "place"), sorted(SPARING))
def test_without_a_command_that_spares_work_a_rule_finds_the_same(stanza: str, place: int, stage: Stage) -> None:
    commands = commands_of(RULES[stanza]["search"])
    del commands[place]
    assert not differs(stage, stanza, commands, {})


@pytest.mark.parametrize(("stanza", "place"), places())
def test_without_one_of_its_commands_a_rule_finds_something_else(stanza: str, place: int, stage: Stage) -> None:
    commands = commands_of(RULES[stanza]["search"])
    del commands[place]
    assert differs(stage, stanza, commands, {})


def differs(stage: Stage, stanza: str, commands: list[str], local: dict[str, str]) -> bool:
    """Whether a spoilt search finds something else, or cannot run."""
    try:
        return shown(stanza, stage.find(stanza, commands, local)) != shown(stanza, read_findings(stanza))
    except SplError:
        return True


#: A definition with which a rule that calls the macro has to find something else.
WRONG = {
    "flowlag_index": "sourcetype=other",
    "flowlag_accepted": "action=other",
    "flowlag_rejected": "action=other",
    "flowlag_conversation": "packets>=1000000",
    "flowlag_outbound": "src_ip=203.0.113.0/24",
    "flowlag_logins": "sourcetype=other",
    "flowlag_credential_use": "sourcetype=other",
    "flowlag_findings": "sourcetype=other",
    "flowlag_options": "lag=600",
    "flowlag_outside(1)": "len($ip$)>0",
    "flowlag_lookback": "100000",
    "flowlag_login_match": 'by="src_ip=src,src_port" anchors="action=success" tolerance=0',
    "flowlag_login_rank": "rank=probability exclusive=true",
    "flowlag_connect_options": "lag=600",
    "flowlag_connections": "eval flowlag_status=null()",
    "flowlag_sweep_match": 'by="src_ip" anchors="action=allowed" within=9',
    "flowlag_sweep_ports": "2",
    "flowlag_credential_match": 'by="instance_id=credential_instance" within=36000 tolerance=1',
    "flowlag_outbound_bytes": "130000000",
    "flowlag_finding_match": 'by="interface_id=finding_interface" tolerance=500',
    "flowlag_finding_age": "60",
    "flowlag_most_findings": "100000",
    "flowlag_once": "eval no=1",
    "flowlag_rule_runs": "sourcetype=other",
    "flowlag_traffic(1)": "makeresults | eval no=1",
    "flowlag_traffic_options": "lag=600",
}
#: Of a missing flow, more lag only reaches further back; what a finding may not miss is a record that is stamped later.
#: flowlagconnect takes stamps only, and has a lag of its own.
NARROWER = {(MISSING, "flowlag_options"): "lag=0", (SWEEP, "flowlag_options"): "start=other",
    (SWEEP_FAST, "flowlag_traffic_options"): "prefix=other_"}  # fmt: skip
#: Macros that are assignments of eval; each of these is left out in its turn.
ASSIGNMENTS = ("flowlag_credential_fields", "flowlag_finding_fields")


def called(stanza: str) -> set[str]:
    """Return the stanzas of the macros that a rule calls."""
    search = RULES[stanza]["search"]
    within = MACROS["flowlag_traffic(1)"]["definition"] if "`flowlag_traffic(" in search else ""
    calls = re.findall(r"`(\w+)(\([^`]+\))?`", f"{search} {within}")
    return {f"{name}(1)" if argument else name for name, argument in calls}


def spoilt() -> Iterator[tuple[str, str, str]]:
    """Every macro of every rule with a definition that is not right for its scenario."""
    for stanza in RULES:
        for macro in sorted(called(stanza)):
            if macro in ASSIGNMENTS:
                assignments = split_outside(MACROS[macro]["definition"], ",")
                for n in range(len(assignments)):
                    yield stanza, macro, ", ".join(assignments[:n] + assignments[n + 1 :])
            else:
                yield stanza, macro, NARROWER.get((stanza, macro), WRONG[macro])


@pytest.mark.parametrize(("stanza", "macro", "definition"), spoilt())
def test_with_another_macro_a_rule_finds_something_else(stanza: str, macro: str, definition: str, stage: Stage) -> None:
    assert differs(stage, stanza, commands_of(RULES[stanza]["search"]), {macro: definition})


# -- beside joins on _time


@pytest.mark.parametrize("stanza", [LOGIN, SWEEP, VOLUME, MISSING])
def test_a_plain_join_misses_true_pairs_and_a_wide_one_has_false_ones(stanza: str, played: dict[str, Played]) -> None:
    """Plain: the same second, or the order of _time within the rule's time. Wide: five minutes both ways."""
    run, scenario, settings = played[stanza], SCENARIOS[stanza], match_settings(stanza)
    assert settings is not None
    within = settings.within_us / 1_000_000
    plain = {
        "overlap": lambda gap: abs(gap) <= 1,
        "before": lambda gap: -within <= gap < 0,
        "after": lambda gap: 0 < gap <= within,
    }[settings.relation]
    ours = case_pairs(run.pairs)
    assert scenario.true <= ours and not scenario.true & join(run.given, settings, plain)
    wide = join(run.given, settings, lambda gap: abs(gap) <= 300)
    assert scenario.false <= wide and not scenario.false & ours


def test_plain_joins_would_turn_the_missing_flow_around(played: dict[str, Played]) -> None:
    """There the same second claims that the evidence of finding 1 is missing, and five minutes hide that of finding 2."""
    run, settings = played[MISSING], match_settings(MISSING)
    assert settings is not None
    joins = [join(run.given, settings, lambda gap, most=most: abs(gap) <= most) for most in (1, 300)]  # type: ignore[misc]
    plain, wide = ({anchor[0] for anchor, _ in pairs} for pairs in joins)
    raised = {row["finding_id"][-1] for row in run.results}
    assert "1" not in plain and "1" not in raised
    assert "2" in wide and "2" in raised


def test_plain_limits_would_misjudge_late_records(played: dict[str, Played]) -> None:
    """By _time within the hour no late record is seen; five minutes blame regular delivery; end is not the beginning."""
    events = {row["case"]: row for row in read_events("late-records")}
    late = {case for case, row in events.items() if "late" in case}
    found = {row["subject"] for row in played[HEALTH].results}
    assert {events[case]["interface_id"] for case in late} <= found
    seen_within_the_hour = {
        case for case in late if float(events[case]["_indextime"]) - float(events[case]["_time"]) <= 3600
    }
    assert seen_within_the_hour == {"ten-minute window, late for its first packet"}
    by_end = events["ten-minute window, late for its first packet"]
    assert float(by_end["_indextime"]) - float(by_end["end_time"]) < int(expand("`flowlag_lookback`"))
    regular = events["over S3 in ten minutes"]
    assert float(regular["_indextime"]) - float(regular["_time"]) > 300 and regular["interface_id"] not in found
