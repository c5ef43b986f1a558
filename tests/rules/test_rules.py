# SPDX-License-Identifier: Apache-2.0
"""Owns the correlation searches as text: keys, schedules, descriptions, and what Enterprise Security reads of them.

What they find is in test_findings.py.
"""

from __future__ import annotations

import json
import re
from uuid import UUID

import pytest

from flowlag.connect.options import parse_connect_arguments
from flowlag.enrich_options import parse_arguments
from flowlag.errors import SettingsError
from flowlag.match.options import parse_match_arguments
from tests.rules.scenarios import LOCAL, SCENARIOS, START
from tests.spl.words import split_outside
from tests.support.conf import MACROS, SEARCHES, read_conf
from tests.support.saved_searches import (
    HEALTH,
    LOGIN,
    LOGIN_FAST,
    MISSING,
    RULES,
    SWEEP,
    SWEEP_FAST,
    TOKEN,
    VOLUME,
    command_arguments,
    commands_of,
    expand,
    match_settings,
    parsed,
    seconds,
)
from tools.places import ROOT

KEYS = set(
    """
    action.correlationsearch.annotations action.correlationsearch.detection_type action.correlationsearch.enabled
    action.correlationsearch.label action.correlationsearch.metadata action.notable action.notable.param._entities
    action.notable.param.drilldown_searches action.notable.param.nes_fields action.notable.param.rule_description
    action.notable.param.rule_title action.notable.param.security_domain action.notable.param.severity
    alert.digest_mode alert.suppress alert.suppress.fields alert.suppress.period counttype cron_schedule description
    disabled dispatch.earliest_time dispatch.latest_time enableSched is_visible quantity realtime_schedule relation
    request.ui_dispatch_app schedule_window search
    """.split()
)
RISK_KEYS = {f"action.risk{name}" for name in ("", ".param._risk", ".param._risk_message", ".param._risk_score")}
INDEX_TIME_KEYS = {"dispatch.index_earliest", "dispatch.index_latest"}
SPL_COMMANDS = {
    "append", "dedup", "eval", "eventstats", "fillnull", "flowlagconnect", "flowlagenrich", "flowlagmatch", "search", "sort", "stats", "where",
}  # fmt: skip
KILL_CHAIN = {"Reconnaissance", "Delivery", "Exploitation", "Installation", "Actions on Objectives"}
#: The longest name of a search: 99 characters, of which Enterprise Security takes 18 for the name of a clone.
LONGEST_NAME = 81
STORIES = {
    name.removeprefix("analytic_story://"): keys
    for name, keys in read_conf("default/analyticstories.conf").items()
    if name.startswith("analytic_story://")
}
#: Macros that are whole commands.
WHOLE_COMMANDS = {"`flowlag_connections`", "`flowlag_once`"}
#: Rules over the accelerated data model: it has no index time.
FAST = (LOGIN_FAST, SWEEP_FAST)
#: How long after its events a summary is made, by the CIM, and the longest record.
SUMMARY_S, RECORD_S = 300, 600


def schedule_of(stanza: str) -> int:
    """Return the seconds between two runs; the minutes are `*/n` or `first-59/n`."""
    minutes, *rest = RULES[stanza]["cron_schedule"].split()
    assert rest == ["*", "*", "*", "*"]
    step = re.fullmatch(r"(?:\*|\d+-59)/(\d+)", minutes)
    assert step and 60 % int(step[1]) == 0
    return int(step[1]) * 60


def test_the_searches_are_here() -> None:
    """These and no other, so that every search has a scenario."""
    assert list(RULES) == [LOGIN, SWEEP, LOGIN_FAST, SWEEP_FAST, VOLUME, MISSING, HEALTH] == list(SCENARIOS)


@pytest.mark.parametrize("stanza", RULES)
def test_search_has_the_keys_of_a_correlation_search(stanza: str) -> None:
    """No key is missing or misspelt; what a search may leave out are risk and the window of index time, with reason."""
    left_out = (RISK_KEYS if stanza == HEALTH else set()) | (INDEX_TIME_KEYS if stanza in (MISSING, *FAST) else set())
    assert set(RULES[stanza]) == (KEYS | RISK_KEYS | INDEX_TIME_KEYS) - left_out


@pytest.mark.parametrize("stanza", RULES)
def test_search_is_off_and_scheduled(stanza: str) -> None:
    """Off until somebody turns it on; then it makes up for missed runs, and each result is a finding of its own."""
    rule = RULES[stanza]
    assert rule["disabled"] == rule["enableSched"] == "1"
    assert rule["realtime_schedule"] == "0" and rule["is_visible"] == "false"
    assert (rule["counttype"], rule["relation"], rule["quantity"]) == ("number of events", "greater than", "0")
    assert rule["request.ui_dispatch_app"] == "SplunkEnterpriseSecuritySuite"
    assert rule["action.correlationsearch.label"] == stanza
    assert rule["action.correlationsearch.detection_type"] == "ebd"
    assert rule["action.notable.param.security_domain"] in {"access", "audit", "network", "threat"}
    assert rule["action.notable.param.severity"] in {"low", "medium", "high"}


@pytest.mark.parametrize("stanza", RULES)
def test_throttling_is_by_result(stanza: str) -> None:
    """Fields of throttling count only without digest mode, and its period is longer than an event stays in sight."""
    rule = RULES[stanza]
    assert (rule["alert.suppress"], rule["alert.digest_mode"]) == ("1", "0")
    in_sight = rule.get("dispatch.index_earliest", rule["dispatch.earliest_time"])
    assert seconds(rule["alert.suppress.period"]) > (0 if stanza == HEALTH else seconds(in_sight))


@pytest.mark.parametrize("stanza", [LOGIN, SWEEP, VOLUME])
def test_window_of_index_time_holds_both_halves_of_a_pair(stanza: str) -> None:
    """Window >= schedule + look-back + what lies between the two events; the range of event time is wider still."""
    rule, settings = RULES[stanza], match_settings(stanza)
    assert settings is not None
    between = (settings.within_us + settings.tolerance_us) / 1_000_000
    window = seconds(rule["dispatch.index_earliest"]) - seconds(rule["dispatch.index_latest"])
    assert window >= schedule_of(stanza) + int(expand("`flowlag_lookback`")) + between
    assert seconds(rule["dispatch.earliest_time"]) > 2 * window and rule["dispatch.latest_time"] == "now"


@pytest.mark.parametrize("stanza", FAST)
def test_range_of_event_time_holds_both_halves_of_a_pair(stanza: str) -> None:
    """Of an accelerated model, the range of event time is the window: it also waits for the summary."""
    rule, settings = RULES[stanza], match_settings(stanza)
    assert settings is not None
    between = (settings.within_us + settings.tolerance_us) / 1_000_000 + RECORD_S
    late = schedule_of(stanza) + int(expand("`flowlag_lookback`")) + SUMMARY_S
    assert seconds(rule["dispatch.earliest_time"]) >= late + between and rule["dispatch.latest_time"] == "now"


@pytest.mark.parametrize(("fast", "slow"), [(LOGIN_FAST, LOGIN), (SWEEP_FAST, SWEEP)], ids=["login", "sweep"])
def test_accelerated_search_is_the_other_one_but_for_its_beginning(fast: str, slow: str) -> None:
    """What happens to pairs, and what a finding says, is the same."""
    first, second = (commands_of(RULES[name]["search"]) for name in (fast, slow))
    assert first[-3:] == second[-3:] and (fast == LOGIN_FAST or first[3:] == second[4:])
    texts = ("rule_title", "rule_description", "drilldown_searches", "_entities")
    for key in [f"action.notable.param.{name}" for name in texts] + [
        "action.risk.param._risk",
        "alert.suppress.fields",
    ]:
        assert RULES[fast][key] == RULES[slow][key]


def test_health_sees_every_record_once() -> None:
    """Its window of index time is as long as its schedule, and its range of event time has room for very late records."""
    rule = RULES[HEALTH]
    assert seconds(rule["dispatch.index_earliest"]) - seconds(rule["dispatch.index_latest"]) == schedule_of(HEALTH)
    assert seconds(rule["dispatch.earliest_time"]) >= 7 * 86400


def test_missing_flow_looks_at_all_records_around_a_finding() -> None:
    """A finding is looked at in at least one run after it is due, with an hour of records before it."""
    rule, age = RULES[MISSING], int(expand("`flowlag_finding_age`"))
    assert seconds(rule["dispatch.earliest_time"]) >= age + 3600
    assert age >= int(expand("`flowlag_lookback`")) + schedule_of(MISSING)


def test_a_pair_is_seen_whole_by_a_run_and_reported_once() -> None:
    """Two halves that are indexed up to the look-back apart meet in a run; the later runs that see them are throttled."""
    rule = RULES[LOGIN]
    period, lookback = schedule_of(LOGIN), int(expand("`flowlag_lookback`"))
    first, last = (seconds(rule[f"dispatch.index_{end}"]) for end in ("earliest", "latest"))
    for login in range(0, 2 * period, 37):
        for apart in (-lookback, -60, 0, 600, lookback):
            halves = (login, login + apart)
            runs_with_both = [
                now
                for now in range(-10 * period, 20 * period, period)
                if all(now - first <= half < now - last for half in halves)
            ]
            assert runs_with_both
            assert runs_with_both[-1] - runs_with_both[0] < seconds(rule["alert.suppress.period"])


@pytest.mark.parametrize("stanza", RULES)
def test_description_has_its_parts(stanza: str) -> None:
    """What it finds, how to implement it (with every macro it uses), known false positives, and why skew matters."""
    parts = re.split(r" (HOW TO IMPLEMENT|KNOWN FALSE POSITIVES|WHY SKEW MATTERS): ", RULES[stanza]["description"])
    assert parts[1::2] == ["HOW TO IMPLEMENT", "KNOWN FALSE POSITIVES", "WHY SKEW MATTERS"]
    assert parts[0].startswith("Finds ") and all(part.strip().endswith(".") for part in parts[::2])
    used = set(re.findall(r"`(\w+)", RULES[stanza]["search"])) - {
        "flowlag_options",
        "flowlag_connections",
        "flowlag_once",
    }
    explained = RULES[stanza]["description"].replace("flowlag_credential_* and", "")
    named = set(re.findall(r"flowlag_\w+", explained))
    assert {name for name in used - named if not name.startswith("flowlag_credential_")} == set()


@pytest.mark.parametrize("stanza", RULES)
def test_annotations(stanza: str) -> None:
    """JSON of lists; MITRE techniques have the shape of their ids, and only the health check, no attack, has none."""
    annotations = parsed(stanza, "action.correlationsearch.annotations")
    attack = set() if stanza == HEALTH else {"mitre_attack", "kill_chain_phases", "type", "type_list"}
    assert set(annotations) == {"analytic_story", "data_source", "nist"} | attack
    assert annotations.pop("type", None) == annotations.get("type_list", [None])[0]
    assert all(isinstance(values, list) and values for values in annotations.values())
    assert set(annotations.get("kill_chain_phases", [])) <= KILL_CHAIN
    assert set(annotations["nist"]) <= {"DE.AE", "DE.CM"}
    techniques = annotations.get("mitre_attack", [])
    assert bool(techniques) == (stanza != HEALTH)
    assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", technique) for technique in techniques)


@pytest.mark.parametrize("stanza", RULES)
def test_risk_and_drilldowns_have_their_shape(stanza: str) -> None:
    """What Enterprise Security reads out of the JSON of a correlation search, and no other key."""
    for item in parsed(stanza, "action.risk.param._risk") + parsed(stanza, "action.notable.param._entities"):
        if "threat_object_field" in item:
            assert set(item) == {"threat_object_field", "threat_object_type"}
        else:
            assert set(item) - {"risk_message"} == {"risk_object_field", "risk_object_type", "risk_score"}
            assert item["risk_object_type"] in {"user", "system", "other"} and 0 <= item["risk_score"] <= 100
    for drilldown in parsed(stanza, "action.notable.param.drilldown_searches"):
        assert set(drilldown) == {"name", "search", "earliest_offset", "latest_offset"}
        assert (drilldown["earliest_offset"], drilldown["latest_offset"]) == ("$info_min_time$", "$info_max_time$")
        commands = split_outside(TOKEN.sub("x", drilldown["search"]), "|")
        assert {command.split()[0] for command in commands[1:]} <= SPL_COMMANDS | {"table"}


@pytest.mark.parametrize("stanza", RULES)
def test_risk_counts_once_in_version_7_and_in_version_8(stanza: str) -> None:
    """Version 8 reads a message in each object and scores the entity too; version 7 reads the keys beside _risk."""
    risk = {item["risk_object_field"]: item for item in parsed(stanza, "action.risk.param._risk") if len(item) > 2}
    (entity,) = parsed(stanza, "action.notable.param._entities")
    assert bool(risk) == (stanza != HEALTH) and entity["risk_object_field"] not in risk
    assert entity["risk_score"] == 0 and all(item["risk_score"] > 0 for item in risk.values())
    message, score = (RULES[stanza].get(f"action.risk.param._risk_{key}") for key in ("message", "score"))
    assert all(item["risk_message"] == message for item in risk.values())
    assert (score, bool(message)) == (("0", True) if risk else (None, False))


def test_searches_have_an_identity_of_their_own() -> None:
    """Content versioning of version 8: an id for ever, a version that counts, the day of publication; a name that fits."""
    metadata = [parsed(stanza, "action.correlationsearch.metadata") for stanza in RULES]
    assert len({str(UUID(each["detection_id"])) for each in metadata}) == len(RULES)
    for each in metadata:
        assert set(each) == {"deprecated", "detection_id", "detection_version", "publish_time"}
        assert each["deprecated"] == "0" and int(each["detection_version"]) > 0
        assert each["publish_time"] % 86400 == 0 and START - 10 * 86400 < each["publish_time"] < 2**31
    assert all(len(stanza) <= LONGEST_NAME for stanza in SEARCHES)


def test_the_analytic_story_has_every_search() -> None:
    """What each search says of its story, and the story of its searches, and nothing else."""
    named = {
        story for stanza in RULES for story in parsed(stanza, "action.correlationsearch.annotations")["analytic_story"]
    }
    assert named == set(STORIES) and len(STORIES) == 1
    (story,) = STORIES.values()
    assert json.loads(story["searches"]) == list(RULES)
    assert set(story) == {
        "category", "description", "last_updated", "maintainers", "narrative", "references", "searches", "spec_version",
        "version",
    }  # fmt: skip
    detections = read_conf("default/analyticstories.conf")
    assert set(detections) == {f"analytic_story://{name}" for name in STORIES} | {
        f"savedsearch://{stanza}" for stanza in RULES
    }
    for stanza in RULES:
        keys = detections[f"savedsearch://{stanza}"]
        assert set(keys) == {"type", "asset_type", "confidence", "providing_technologies"}
        assert keys["type"] == "detection" and json.loads(keys["providing_technologies"])


@pytest.mark.parametrize("stanza", RULES)
def test_every_dollar_is_part_of_a_token(stanza: str) -> None:
    """A lone dollar would swallow text up to the next one; a search and its macros have none but macro arguments."""
    assert "$" not in RULES[stanza]["search"] + expand(RULES[stanza]["search"])
    assert all("$" not in TOKEN.sub("", text) for text in RULES[stanza].values())


# -- the SPL


@pytest.mark.parametrize("stanza", RULES)
def test_search_is_well_formed(stanza: str) -> None:
    """Quotes, backticks and brackets are balanced, every command is known, and none is without arguments by mistake."""
    for text in (RULES[stanza]["search"], expand(RULES[stanza]["search"], LOCAL)):
        base, *commands = commands_of(text)
        assert base and all(commands) and base.startswith("| ") == (stanza in FAST)
        names = [command.split()[0] for command in commands]
        renames = {"rename"} if stanza in FAST else set()
        assert set(names) <= SPL_COMMANDS | WHOLE_COMMANDS | renames
        assert "flowlagenrich" in names or "`flowlag_traffic(" in base
        for command in commands:
            split_outside(command, ",")


@pytest.mark.parametrize("stanza", RULES)
def test_commands_of_ours_accept_their_options(stanza: str) -> None:
    """With the macros in place, each of our commands, also in drilldowns, has options that it takes."""
    drilldowns = parsed(stanza, "action.notable.param.drilldown_searches")
    searches = [RULES[stanza]["search"], *(TOKEN.sub("x", drilldown["search"]) for drilldown in drilldowns)]
    for command in (command for search in searches for command in split_outside(search, "|")):
        if command.startswith("flowlagenrich"):
            parse_arguments(command_arguments(command))
        if command.startswith("flowlagmatch"):
            parse_match_arguments(command_arguments(command))
        if command.startswith("flowlagconnect"):
            parse_connect_arguments(command_arguments(command))


def test_option_parsers_are_asked_for_real() -> None:
    """A misspelt option in a search would be refused here."""
    with pytest.raises(SettingsError, match="unmatch"):
        parse_match_arguments(command_arguments("flowlagmatch `flowlag_login_match` unmatch=false"))


def test_every_site_macro_is_used() -> None:
    """A macro that no search and no view uses any more would be a promise that nobody keeps."""
    tools = {name for name in MACROS if name.startswith("flowlag_index_")}  # for the definition of flowlag_index
    tools |= {f"flowlag_anchor_{source}" for source in ("sshd", "firewall", "zeek", "alb")}  # of flowlag_anchor_fields
    tools |= {
        "flowlag_bounds",
        "flowlag_bounds(1)",
        "flowlag_mark_sides",
        "flowlag_reply_keys",
        "flowlag_reply_keys(1)",
    }
    views = [path.read_text(encoding="utf-8") for path in ROOT.glob("default/data/ui/views/*.xml")]
    searches = [*views, *(search["search"] for search in SEARCHES.values())]
    searches += [MACROS[name]["definition"] for name in ("flowlag_traffic(1)",)]
    used = {name for search in searches for name in re.findall(r"`(flowlag_\w+)", search)}
    assert {re.sub(r"\(\d+\)", "", name) for name in set(MACROS) - tools} == used


@pytest.mark.parametrize("stanza", RULES)
def test_spl_linter_has_nothing_to_say(stanza: str) -> None:
    """splint (PyPI: splint-spl, Python 3.11 and newer): no wildcard index, join, transaction or sort without a limit."""
    linter = pytest.importorskip("splint.linter")
    drilldowns = parsed(stanza, "action.notable.param.drilldown_searches")
    for search in (RULES[stanza]["search"], *(TOKEN.sub("x", drilldown["search"]) for drilldown in drilldowns)):
        assert linter.lint_text(expand(search)) == []
