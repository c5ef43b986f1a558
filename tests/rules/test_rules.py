# SPDX-License-Identifier: Apache-2.0
"""Owns the correlation searches: their conf text, and what each of them finds among events whose truth is known.

No Splunk is here. The two commands run as packaged processes, with the arguments that the conf text gives them. The rest
of a search is a few commands of SPL; each is written again in Python under its exact text, so that a change of the text
fails until somebody has looked at both. tests/rules/<scenario> has the events as the base search would return them.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any, Callable, NamedTuple, Optional

import pytest

from flowlag.enrich_options import parse_arguments
from flowlag.errors import SettingsError
from flowlag.instants import parse_instant
from flowlag.match_options import MatchSettings, parse_match_arguments
from tests.app.test_conf import MACROS, read_conf
from tests.spl.words import Macros
from tests.support.splunkd import run_command, write_body
from tools.places import ROOT

Row = dict[str, Any]
SEARCHES = read_conf("default/savedsearches.conf")
#: The correlation searches; the others are in test_saved_searches.py.
RULES = {name: keys for name, keys in SEARCHES.items() if "action.correlationsearch.enabled" in keys}
DATA = ROOT / "tests" / "rules"

LOGIN = "Access - Remote Login Tied To Its Flow - Rule"
SWEEP = "Network - Rejected Ports Then Accepted Connection - Rule"
VOLUME = "Threat - Outbound Volume After Use Of Instance Credential - Rule"
MISSING = "Threat - Finding Without Possible Flow - Rule"
HEALTH = "Audit - Flow Records Late Or Skipped - Rule"

#: What an administrator of the scenarios would write into local/macros.conf: addresses and numbers fit for few events.
LOCAL = {
    "flowlag_outside(1)": 'if(cidrmatch("10.0.0.0/8",$ip$) OR cidrmatch("192.0.2.0/24",$ip$),0,1)=1',
    "flowlag_sweep_ports": "3",
}

# -- the text of a search


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Return the parts between separators (one character) that stand neither in quotes nor in brackets of any kind."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            assert depth >= 0, f"closed but never opened: {parts[-1]!r}"
        if character == separator and not quote and not depth:
            parts.append("")
        else:
            parts[-1] += character
    assert not quote, f"{quote} is never closed: {text!r}"
    assert not depth, f"a bracket is never closed: {text!r}"
    return [part.strip() for part in parts]


def expand(text: str, local: Optional[dict[str, str]] = None) -> str:
    """Return SPL with the macros in place, also those within macros."""
    return Macros(MACROS, local).expand(text)


def commands_of(stanza: str) -> list[str]:
    """Return the commands of a search as they are in the conf file, white space evened out."""
    return split_outside_quotes(" ".join(SEARCHES[stanza]["search"].split()), "|")


def arguments_of(command: str) -> list[str]:
    """Return a command's arguments with macros in place, each without its quotes, as splunkd hands them over."""
    words = [word for word in split_outside_quotes(expand(command), " ") if word]
    return [word.replace('"', "") for word in words[1:]]


def seconds(span: str) -> int:
    """Return the length of a relative time such as -62m@m, or of a period such as 7200s."""
    number, unit = re.fullmatch(r"-?(\d+)([smhd])(?:@[smhd])?", span).groups()  # type: ignore[union-attr]
    return int(number) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]


def schedule_of(stanza: str) -> int:
    """Return the seconds between two runs; the minutes are `*/n` or `first-59/n`."""
    minutes, *rest = RULES[stanza]["cron_schedule"].split()
    assert rest == ["*", "*", "*", "*"]
    step = re.fullmatch(r"(?:\*|\d+-59)/(\d+)", minutes)
    assert step and 60 % int(step[1]) == 0
    return int(step[1]) * 60


def match_settings(stanza: str) -> Optional[MatchSettings]:
    """Return what flowlagmatch is asked for in a search, None when it is not in it."""
    found = [command for command in commands_of(stanza) if command.startswith("flowlagmatch")]
    return parse_match_arguments(arguments_of(found[0])) if found else None


# -- the conf file

KEYS = set(
    """
    action.correlationsearch.annotations action.correlationsearch.detection_type action.correlationsearch.enabled
    action.correlationsearch.label action.notable action.notable.param._entities
    action.notable.param.drilldown_searches action.notable.param.nes_fields action.notable.param.rule_description
    action.notable.param.rule_title action.notable.param.security_domain action.notable.param.severity
    alert.digest_mode alert.suppress alert.suppress.fields alert.suppress.period counttype cron_schedule description
    disabled dispatch.earliest_time dispatch.latest_time enableSched is_visible quantity realtime_schedule relation
    request.ui_dispatch_app schedule_window search
    """.split()
)
RISK_KEYS = {f"action.risk{name}" for name in ("", ".param._risk", ".param._risk_message", ".param._risk_score")}
INDEX_TIME_KEYS = {"dispatch.index_earliest", "dispatch.index_latest"}
TOKEN = re.compile(r"\$(\w+)(?:\|s)?\$")
#: Fields that Enterprise Security itself adds to a finding.
ADDED = {"info_min_time", "info_max_time"}
SPL_COMMANDS = {"dedup", "eval", "fillnull", "flowlagenrich", "flowlagmatch", "sort", "stats", "where"}


def test_the_five_searches_are_here() -> None:
    """These and no other, so that every search has a scenario."""
    assert list(RULES) == [LOGIN, SWEEP, VOLUME, MISSING, HEALTH] == list(SCENARIOS)


@pytest.mark.parametrize("stanza", RULES)
def test_search_has_the_keys_of_a_correlation_search(stanza: str) -> None:
    """No key is missing or misspelt; what a search may leave out are risk and the window of index time, with reason."""
    left_out = (RISK_KEYS if stanza == HEALTH else set()) | (INDEX_TIME_KEYS if stanza == MISSING else set())
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


@pytest.mark.parametrize("stanza", RULES)
def test_description_has_its_parts(stanza: str) -> None:
    """What it finds, how to implement it (with every macro it uses), known false positives, and why skew matters."""
    parts = re.split(r" (HOW TO IMPLEMENT|KNOWN FALSE POSITIVES|WHY SKEW MATTERS): ", RULES[stanza]["description"])
    assert parts[1::2] == ["HOW TO IMPLEMENT", "KNOWN FALSE POSITIVES", "WHY SKEW MATTERS"]
    assert parts[0].startswith("Finds ") and all(part.strip().endswith(".") for part in parts[::2])
    used = set(re.findall(r"`(\w+)", RULES[stanza]["search"])) - {"flowlag_options"}
    explained = RULES[stanza]["description"].replace("flowlag_credential_* and", "")
    named = set(re.findall(r"flowlag_\w+", explained))
    assert {name for name in used - named if not name.startswith("flowlag_credential_")} == set()


def parsed(stanza: str, key: str) -> Any:
    return json.loads(RULES[stanza].get(key, "[]"))


@pytest.mark.parametrize("stanza", RULES)
def test_annotations(stanza: str) -> None:
    """JSON of lists; MITRE techniques have the shape of their ids, and only the health check, no attack, has none."""
    annotations = parsed(stanza, "action.correlationsearch.annotations")
    assert all(isinstance(values, list) and values for values in annotations.values())
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
            assert set(item) == {"risk_object_field", "risk_object_type", "risk_score"}
            assert item["risk_object_type"] in {"user", "system", "other"} and 0 <= item["risk_score"] <= 100
    for drilldown in parsed(stanza, "action.notable.param.drilldown_searches"):
        assert set(drilldown) == {"name", "search", "earliest_offset", "latest_offset"}
        assert (drilldown["earliest_offset"], drilldown["latest_offset"]) == ("$info_min_time$", "$info_max_time$")
        commands = split_outside_quotes(TOKEN.sub("x", drilldown["search"]), "|")
        assert {command.split()[0] for command in commands[1:]} <= SPL_COMMANDS | {"table"}


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
        base, *commands = split_outside_quotes(" ".join(text.split()), "|")
        assert base and all(commands)
        names = [command.split()[0] for command in commands]
        assert set(names) <= SPL_COMMANDS and "flowlagenrich" in names
        for command in commands:
            split_outside_quotes(command, ",")


@pytest.mark.parametrize("stanza", RULES)
def test_commands_of_ours_accept_their_options(stanza: str) -> None:
    """With the macros in place, each flowlagenrich and flowlagmatch, also in drilldowns, has options that it takes."""
    drilldowns = parsed(stanza, "action.notable.param.drilldown_searches")
    searches = [RULES[stanza]["search"], *(TOKEN.sub("x", drilldown["search"]) for drilldown in drilldowns)]
    for command in (command for search in searches for command in split_outside_quotes(search, "|")):
        if command.startswith("flowlagenrich"):
            parse_arguments(arguments_of(command))
        if command.startswith("flowlagmatch"):
            parse_match_arguments(arguments_of(command))


def test_option_parsers_are_asked_for_real() -> None:
    """A misspelt option in a search would be refused here."""
    with pytest.raises(SettingsError, match="unmatch"):
        parse_match_arguments(arguments_of("flowlagmatch `flowlag_login_match` unmatch=false"))


def test_every_site_macro_is_used() -> None:
    """A macro that no search and no view uses any more would be a promise that nobody keeps."""
    tools = {"flowlag_bounds", "flowlag_bounds(1)", "flowlag_mark_sides", "flowlag_reply_keys", "flowlag_reply_keys(1)"}
    views = [path.read_text(encoding="utf-8") for path in ROOT.glob("default/data/ui/views/*.xml")]
    searches = [*views, *(search["search"] for search in SEARCHES.values())]
    used = {name for search in searches for name in re.findall(r"`(flowlag_\w+)", search)}
    assert {re.sub(r"\(\d+\)", "", name) for name in set(MACROS) - tools} == used


@pytest.mark.parametrize("stanza", RULES)
def test_spl_linter_has_nothing_to_say(stanza: str) -> None:
    """splint (PyPI: splint-spl, Python 3.11 and newer): no wildcard index, join, transaction or sort without a limit."""
    linter = pytest.importorskip("splint.linter")
    drilldowns = parsed(stanza, "action.notable.param.drilldown_searches")
    for search in (RULES[stanza]["search"], *(TOKEN.sub("x", drilldown["search"]) for drilldown in drilldowns)):
        assert linter.lint_text(expand(search)) == []


# -- what Splunk would do with the rest of a search, under its exact text

Command = Callable[[list[Row], float], list[Row]]
SPL: dict[str, Command] = {}
#: Definitions that are written again in Python below.
MEANT = {
    "flowlag_credential_fields": "credential_instance=mvindex(split(coalesce('userIdentity.principalId',"
    "'detail.resource.accessKeyDetails.principalId'),\":\"),1), "
    "credential_time=coalesce('detail.service.eventFirstSeen',_time), "
    "credential_src=coalesce('sourceIPAddress',"
    "'detail.service.action.awsApiCallAction.remoteIpDetails.ipAddressV4',\"unknown\"), "
    "credential_call=coalesce(eventName,'detail.type')",
    "flowlag_finding_fields": "finding_id='detail.id', finding_type='detail.type', "
    "finding_instance='detail.resource.instanceDetails.instanceId', "
    "finding_interface=mvindex('detail.resource.instanceDetails.networkInterfaces{}.networkInterfaceId',0), "
    "finding_start=coalesce('detail.service.eventFirstSeen',_time), "
    "finding_end=coalesce('detail.service.eventLastSeen',_time)",
    "flowlag_mark_sides": "eval connection_side=if(tonumber(src_port)>tonumber(dest_port) OR "
    '(tonumber(src_port)=tonumber(dest_port) AND src_ip>dest_ip),"request","reply")',
}


@pytest.mark.parametrize("macro", MEANT)
def test_macro_is_what_the_scenarios_do(macro: str) -> None:
    """Change both together."""
    assert MACROS[macro]["definition"] == MEANT[macro]


def test_every_command_of_a_search_is_written_here() -> None:
    """All that is not ours, and nothing that is no longer in a search."""
    commands = {command for stanza in RULES for command in commands_of(stanza)[1:]}
    assert {command for command in commands if not command.startswith("flowlag")} == set(SPL)


def spl(text: str) -> Callable[[Command], Command]:
    return lambda command: SPL.setdefault(text, command)


def where(text: str, test: Callable[[Row], bool]) -> None:
    SPL[f"where {text}"] = lambda rows, now: list(filter(test, rows))


def evaluate(text: str, function: Callable[[Row], Row]) -> None:
    SPL[f"eval {text}"] = lambda rows, now: [{**row, **function(row)} for row in rows]


def dedup(names: str, keepempty: bool = False) -> None:
    """The first row of each combination; rows without a value in one of the fields are dropped, or all kept."""

    def command(rows: list[Row], now: float) -> list[Row]:
        seen, kept = set(), []
        for row in rows:
            key = tuple(row.get(name, "") for name in names.split())
            if "" in key:
                kept += [row] if keepempty else []
            elif key not in seen:
                seen.add(key)
                kept.append(row)
        return kept

    SPL[f"dedup {names}{' keepempty=true' if keepempty else ''}"] = command


def stats(text: str, by: str, function: Callable[[list[Row]], Row]) -> None:
    def command(rows: list[Row], now: float) -> list[Row]:
        groups: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            key = tuple(row.get(name, "") for name in by.split())
            if "" not in key:
                groups.setdefault(key, []).append(row)
        return [{**dict(zip(by.split(), key)), **function(group)} for key, group in sorted(groups.items())]

    SPL[f"stats {text} by {by}"] = command


def number(macro: str) -> int:
    return int(expand(f"`{macro}`", LOCAL))


def numbers(rows: list[Row], name: str) -> list[float]:
    return [float(row[name]) for row in rows if row.get(name, "") != ""]


def is_outside(address: str) -> bool:
    networks = re.findall(r'cidrmatch\("([^"]+)",x\)', expand("`flowlag_outside(x)`", LOCAL))
    try:
        return not any(ip_address(address) in ip_network(network) for network in networks)
    except ValueError:
        return True


def whole_bounds(row: Row) -> Row:
    return {
        "first_possible": math.floor(float(row["first_possible"])),
        "last_possible": math.ceil(float(row["last_possible"])),
    }


WHOLE = "first_possible=floor(first_possible), last_possible=ceiling(last_possible)"

# remote login
where("`flowlag_outside(src)`", lambda row: is_outside(row["src"]))
evaluate(
    "login_time=_time, first_possible=floor(flow_flowlag_earliest), last_possible=ceiling(flow_flowlag_latest)",
    lambda row: {
        "login_time": row["_time"],
        **whole_bounds({"first_possible": row["flow_flowlag_earliest"], "last_possible": row["flow_flowlag_latest"]}),
    },
)
dedup("login_time user src src_port dest", keepempty=True)

# sweep
where("`flowlag_outside(src_ip)`", lambda row: is_outside(row["src_ip"]))
stats(
    'dc(flow_dest_port) as possible_ports dc(eval(if(match_certainty="certain",flow_dest_port,null()))) as certain_ports '
    "min(flow_flowlag_earliest) as first_possible max(flowlag_latest) as last_possible "
    "max(match_truncated) as match_truncated",
    "src_ip dest_ip dest_port flowlag_earliest flowlag_latest",
    lambda rows: {
        "possible_ports": len({row["flow_dest_port"] for row in rows}),
        "certain_ports": len({row["flow_dest_port"] for row in rows if row["match_certainty"] == "certain"}),
        "first_possible": min(numbers(rows, "flow_flowlag_earliest")),
        "last_possible": max(numbers(rows, "flowlag_latest")),
        "match_truncated": max(row["match_truncated"] for row in rows),
    },
)
where("possible_ports>=`flowlag_sweep_ports`", lambda row: row["possible_ports"] >= number("flowlag_sweep_ports"))
evaluate(
    f'certainty=if(certain_ports>=`flowlag_sweep_ports`,"certain","possible"), {WHOLE}',
    lambda row: {
        "certainty": "certain" if row["certain_ports"] >= number("flowlag_sweep_ports") else "possible",
        **whole_bounds(row),
    },
)
SPL["sort 0 -certain_ports, -possible_ports"] = lambda rows, now: sorted(
    rows, key=lambda row: (-row["certain_ports"], -row["possible_ports"])
)
dedup("src_ip dest_ip")


# volume
def credential(row: Row) -> Row:
    name = row.get("userIdentity.principalId") or row.get("detail.resource.accessKeyDetails.principalId") or ""
    caller = row.get("detail.service.action.awsApiCallAction.remoteIpDetails.ipAddressV4")
    instance = (name + ":").split(":")[1]
    return {
        "credential_instance": instance,
        "credential_time": row.get("detail.service.eventFirstSeen") or row["_time"],
        "credential_src": row.get("sourceIPAddress") or caller or "unknown",
        "credential_call": row.get("eventName") or row.get("detail.type", ""),
        "flowlag_role": "credential" if instance else "flow",
    }


evaluate('`flowlag_credential_fields`, flowlag_role=if(isnull(credential_instance),"flow","credential")', credential)
where(
    'flowlag_role="flow" OR `flowlag_outside(credential_src)`',
    lambda row: row["flowlag_role"] == "flow" or is_outside(row["credential_src"]),
)
stats(
    'sum(flow_bytes) as possible_bytes sum(eval(if(match_certainty="certain",flow_bytes,0))) as certain_bytes '
    "min(flow_flowlag_earliest) as first_possible max(flow_flowlag_latest) as last_possible "
    "values(credential_call) as credential_call max(match_truncated) as match_truncated",
    "credential_instance credential_src credential_time",
    lambda rows: {
        "possible_bytes": sum(int(row["flow_bytes"]) for row in rows),
        "certain_bytes": sum(int(row["flow_bytes"]) for row in rows if row["match_certainty"] == "certain"),
        "first_possible": min(numbers(rows, "flow_flowlag_earliest")),
        "last_possible": max(numbers(rows, "flow_flowlag_latest")),
        "credential_call": " ".join(sorted({row["credential_call"] for row in rows})),
        "match_truncated": max(row["match_truncated"] for row in rows),
    },
)
where("possible_bytes>=`flowlag_outbound_bytes`", lambda row: row["possible_bytes"] >= number("flowlag_outbound_bytes"))
evaluate(
    f'certainty=if(certain_bytes>=`flowlag_outbound_bytes`,"certain","possible"), {WHOLE}',
    lambda row: {
        "certainty": "certain" if row["certain_bytes"] >= number("flowlag_outbound_bytes") else "possible",
        **whole_bounds(row),
    },
)
SPL["sort 0 -certain_bytes, -possible_bytes"] = lambda rows, now: sorted(
    rows, key=lambda row: (-row["certain_bytes"], -row["possible_bytes"])
)
dedup("credential_instance credential_src")


# missing flow
def finding(row: Row) -> Row:
    interface = row.get("detail.resource.instanceDetails.networkInterfaces{}.networkInterfaceId", "").split("\n")[0]
    return {
        "finding_id": row.get("detail.id", ""),
        "finding_type": row.get("detail.type", ""),
        "finding_instance": row.get("detail.resource.instanceDetails.instanceId", ""),
        "finding_interface": interface,
        "finding_start": row.get("detail.service.eventFirstSeen") or row["_time"],
        "finding_end": row.get("detail.service.eventLastSeen") or row["_time"],
        "flowlag_role": "finding" if interface else "flow",
        "flowlag_status": "ok" if row["flowlag_status"] == "skipdata" else row["flowlag_status"],
    }


evaluate(
    '`flowlag_finding_fields`, flowlag_role=if(isnull(finding_interface),"flow","finding"), '
    'flowlag_status=if(flowlag_status="skipdata","ok",flowlag_status)',
    finding,
)


@spl(
    'where (flowlag_role="flow" AND flowlag_status="ok") OR (flowlag_role="finding" AND '
    "_time>=now()-`flowlag_finding_age` AND _time<=now()-`flowlag_lookback`)"
)
def due(rows: list[Row], now: float) -> list[Row]:
    def counts(row: Row) -> bool:
        if row["flowlag_role"] == "flow":
            return row["flowlag_status"] == "ok"
        return now - number("flowlag_finding_age") <= float(row["_time"]) <= now - number("flowlag_lookback")

    return list(filter(counts, rows))


where('match_certainty="none"', lambda row: row["match_certainty"] == "none")
dedup("finding_id", keepempty=True)


# health
def is_late(row: Row) -> bool:
    return row["index_lag"] != "" and float(row["index_lag"]) > number("flowlag_lookback")


evaluate(
    "index_lag=_indextime-flowlag_earliest",
    lambda row: {
        "index_lag": float(row["_indextime"]) - float(row["flowlag_earliest"]) if row["flowlag_earliest"] else ""
    },
)
where(
    'index_lag>`flowlag_lookback` OR flowlag_status="skipdata"',
    lambda row: is_late(row) or row["flowlag_status"] == "skipdata",
)
SPL["fillnull value=unknown interface_id"] = lambda rows, now: [
    {**row, "interface_id": row.get("interface_id") or "unknown"} for row in rows
]
stats(
    "count(eval(index_lag>`flowlag_lookback`)) as late_records "
    'count(eval(flowlag_status="skipdata")) as skipdata_records max(index_lag) as index_lag_max '
    "min(flowlag_earliest) as first_possible max(flowlag_latest) as last_possible",
    "interface_id",
    lambda rows: {
        "late_records": sum(map(is_late, rows)),
        "skipdata_records": sum(row["flowlag_status"] == "skipdata" for row in rows),
        "index_lag_max": max(numbers(rows, "index_lag")),
        "first_possible": min(numbers(rows, "flowlag_earliest")),
        "last_possible": max(numbers(rows, "flowlag_latest")),
    },
)
evaluate(WHOLE, whole_bounds)

# -- the scenarios

START = 1772366400  # 2026-03-01 12:00:00 UTC, the time from which the events are counted
Pairs = set[tuple[str, str]]


class Scenario(NamedTuple):
    """Events in a folder, when the search runs, and which of our pairs a plain join on _time misses."""

    folder: str
    now: int
    true: Pairs  # possible pairs that the joins on _time do not have
    false: Pairs  # pairs of a join within five minutes that are not possible


SCENARIOS = {
    LOGIN: Scenario(
        "remote-login",
        START + 3600,
        true={("alice logs in", "carried alice"), ("dave logs in over IPv6", "carried dave")},
        false={
            ("bob logs in on a host without flow log", "bob's fixed source port four minutes before"),
            ("alice logs in", "alice's session goes on"),
        },
    ),
    SWEEP: Scenario(
        "sweep",
        START + 7200,
        true={("skewed accepted on 22", f"skewed rejected on {port}") for port in (23, 80, 3389)},
        false={("reversed accepted on 443", f"reversed rejected on {port}") for port in (21, 23, 25)},
    ),
    VOLUME: Scenario(
        "credential-volume",
        START + 3600,
        true={("a: use of the credential", "a: window around the use")},
        false={("c: use of the credential", "c: backup that had ended")},
    ),
    MISSING: Scenario(
        "missing-flow",
        START + 10000,
        true={("1: record stamped later", "1: possible record")},
        false={("2: only a record that had ended", "2: record four minutes before")},
    ),
    HEALTH: Scenario("late-records", START + 7200, true=set(), false=set()),
}


class Run(NamedTuple):
    """What flowlagmatch got and gave (empty in a search without it), and the results of the whole search."""

    given: list[Row]
    pairs: list[Row]
    results: list[Row]


def read_events(folder: str) -> list[Row]:
    with (DATA / folder / "events.csv").open(encoding="utf-8", newline="") as events:
        return list(csv.DictReader(events))


@pytest.fixture(scope="session")
def call(app, python) -> Callable[[str, list[Row]], list[Row]]:
    """Run one of our commands, as the conf text has it, as a process on events in two chunks."""

    def run(command: str, rows: list[Row]) -> list[Row]:
        script = app / "bin" / f"{command.split()[0]}.py"
        middle = len(rows) // 2
        bodies = [write_body(rows[:middle], list(rows[0])), write_body(rows[middle:], list(rows[0]))]
        _, replies = run_command(script, python, arguments_of(command), bodies)
        assert [message for reply in replies for message in reply.messages] in ([], cut_only(replies))
        return [row for reply in replies for row in reply.rows]

    return run


def cut_only(replies: Iterable[Any]) -> list[tuple[str, str]]:
    """The messages, when they only say that more flows were possible than were asked for."""
    return [message for reply in replies for message in reply.messages if "more than 1 possible" in message[1]]


@pytest.fixture(scope="session")
def runs(call) -> dict[str, Run]:
    return {stanza: run_search(stanza, call) for stanza in RULES}


def run_search(stanza: str, call: Callable[[str, list[Row]], list[Row]]) -> Run:
    scenario = SCENARIOS[stanza]
    rows, given, pairs = read_events(scenario.folder), [], []
    for command in commands_of(stanza)[1:]:
        if command.startswith("flowlagmatch"):
            given = rows
        rows = call(command, rows) if command.startswith("flowlag") else SPL[command](rows, scenario.now)
        if command.startswith("flowlagmatch"):
            pairs = rows
    return Run(given, pairs, rows)


@pytest.mark.parametrize("stanza", RULES)
def test_findings(stanza: str, runs: dict[str, Run]) -> None:
    """The search finds what findings.csv says, in the columns that it has."""
    with (DATA / SCENARIOS[stanza].folder / "findings.csv").open(encoding="utf-8", newline="") as file:
        expected = list(csv.DictReader(file))
    results = [{name: write(row[name]) for name in expected[0]} for row in runs[stanza].results]
    assert sorted(results, key=str) == sorted(expected, key=str)


def write(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("stanza", RULES)
def test_finding_has_every_field_that_its_texts_name(stanza: str, runs: dict[str, Run]) -> None:
    """A `$token$` of title, description, risk and drilldowns, and each field of throttling, is a result's field."""
    for result in runs[stanza].results:
        assert {name for name in fields_named(stanza) if result.get(name, "") == ""} == set()


def case_pairs(rows: list[Row]) -> Pairs:
    return {(row["case"], row["flow_case"]) for row in rows if row["match_certainty"] != "none"}


def join(given: list[Row], settings: MatchSettings, holds: Callable[[float], bool]) -> Pairs:
    """Return what a join on _time gives: equal keys, and `holds` for the flow's _time minus the anchor's time."""
    assert settings.marker
    field, value = settings.marker
    anchors = [row for row in given if row.get(field) == value]
    flows = [row for row in given if row.get(field) != value and row["flowlag_status"] == "ok"]

    def key(row: Row, names: Iterable[str]) -> list[str]:
        return [row[name] for name in names]

    return {
        (anchor["case"], flow["case"])
        for anchor in anchors
        for flow in flows
        if key(anchor, settings.anchor_keys) == key(flow, settings.flow_keys)
        and holds(float(flow["_time"]) - parse_instant(anchor[settings.anchor_time]) / 1_000_000)  # type: ignore[operator]
    }


@pytest.mark.parametrize("stanza", [LOGIN, SWEEP, VOLUME, MISSING])
def test_a_plain_join_misses_true_pairs_and_a_wide_one_has_false_ones(stanza: str, runs: dict[str, Run]) -> None:
    """Plain: the same second, or the order of _time within the rule's time. Wide: five minutes both ways."""
    run, scenario, settings = runs[stanza], SCENARIOS[stanza], match_settings(stanza)
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


def test_plain_joins_would_turn_the_missing_flow_around(runs: dict[str, Run]) -> None:
    """There the same second claims that the evidence of finding 1 is missing, and five minutes hide that of finding 2."""
    run, settings = runs[MISSING], match_settings(MISSING)
    assert settings is not None
    joins = [join(run.given, settings, lambda gap, most=most: abs(gap) <= most) for most in (1, 300)]  # type: ignore[misc]
    plain, wide = ({anchor[0] for anchor, _ in pairs} for pairs in joins)
    raised = {row["finding_id"][-1] for row in run.results}
    assert "1" not in plain and "1" not in raised
    assert "2" in wide and "2" in raised


def test_plain_limits_would_misjudge_late_records(runs: dict[str, Run]) -> None:
    """By _time within the hour no late record is seen; five minutes blame regular delivery; end is not the beginning."""
    events = {row["case"]: row for row in read_events("late-records")}
    late = {case for case, row in events.items() if "late" in case}
    found = {row["interface_id"] for row in runs[HEALTH].results}
    assert {events[case]["interface_id"] for case in late} <= found
    seen_within_the_hour = {
        case for case in late if float(events[case]["_indextime"]) - float(events[case]["_time"]) <= 3600
    }
    assert seen_within_the_hour == {"ten-minute window, late for its first packet"}
    by_end = events["ten-minute window, late for its first packet"]
    assert float(by_end["_indextime"]) - float(by_end["end_time"]) < number("flowlag_lookback")
    regular = events["over S3 in ten minutes"]
    assert float(regular["_indextime"]) - float(regular["_time"]) > 300 and regular["interface_id"] not in found


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


# -- both directions of one connection


def mark_sides(row: Row) -> Row:
    source, target = int(row["src_port"]), int(row["dest_port"])
    is_request = source > target or (source == target and row["src_ip"] > row["dest_ip"])
    return {**row, "connection_side": "request" if is_request else "reply"}


@pytest.mark.parametrize("keys", ["flowlag_reply_keys", "flowlag_reply_keys(interface_id)"])
def test_request_and_reply_are_tied(keys: str, call) -> None:
    """Ping, SSH and NTP, each with windows that differ; no other client, no later session, and each pair once."""
    rows = [mark_sides(row) for row in call("flowlagenrich", read_events("both-directions"))]
    pairs = call(f'flowlagmatch `{keys}` anchors="connection_side=request"', rows)
    assert sorted(case_pairs(pairs)) == [
        ("ping", "ping's reply"),
        ("ssh, first minute", "ssh's answer, first minute"),
        ("ssh, third minute", "ssh's answer, third minute"),
        ("time service's answer", "time service"),
    ]
    assert {row["case"] for row in pairs if row["match_certainty"] == "none"} == {
        "another client",
        "ssh, a later session on the same port",
    }


def test_joins_on_time_do_not_tie_them(call) -> None:
    """The same second has none of the pairs; five minutes tie every minute of the session to every other."""
    rows = [mark_sides(row) for row in call("flowlagenrich", read_events("both-directions"))]
    settings = parse_match_arguments(arguments_of('x `flowlag_reply_keys` anchors="connection_side=request"'))
    assert join(rows, settings, lambda gap: abs(gap) <= 1) == set()
    wide = join(rows, settings, lambda gap: abs(gap) <= 300)
    assert ("ssh, first minute", "ssh's answer, third minute") in wide
