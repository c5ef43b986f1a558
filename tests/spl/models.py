# SPDX-License-Identifier: Apache-2.0
"""Owns data models and tstats in the tests: what a model makes of events, and how tstats counts them.

Authority: Splunk's Search Reference (tstats) and the CIM's page Network Traffic; what the Splunk Add-on for AWS gives the
model is that of its props: only events without `-` (status OK), duration from the stamps, dvc from the interface. Known is
`count` by fields and the second of _time; everything else that tstats can do is refused. A summary that is not complete,
and a range of index time, are not modelled.
"""

from __future__ import annotations

import math
import re
from typing import Callable, NamedTuple, Optional

from tests.spl.search import compile_search
from tests.spl.stats import group_rows
from tests.spl.table import Table
from tests.spl.values import Field, Num, Row, SplError, as_number
from tests.spl.words import name_of, take_options, truth_of, words_of

DEFAULT_FIELDS = ("index", "source", "sourcetype", "host")
TRANSPORTS = {"1": "icmp", "6": "tcp", "17": "udp"}


def traffic(event: Row) -> Optional[Row]:
    """Return the fields of All_Traffic of a flow record, None for an event that is not in the model."""
    if not str(event.get("sourcetype", "")).endswith(":vpcflow") or event.get("log_status") != "OK":
        return None
    start, end = as_number(event.get("start_time")), as_number(event.get("end_time"))
    made: Row = {name: event[name] for name in MODEL_FIELDS if name in event}
    if start is not None and end is not None:
        made["duration"] = Num(end - start)
    if "interface_id" in event:
        made["dvc"] = event["interface_id"]
    code = str(event.get("protocol_code", ""))
    return {**made, "transport": Field(TRANSPORTS.get(code, "unknown"))}


MODEL_FIELDS = (
    "action", "bytes", "dest", "dest_ip", "dest_port", "packets", "src", "src_ip", "src_port",
)  # fmt: skip
#: Data model -> what it makes of an event.
MODELS: dict[str, Callable[[Row], Optional[Row]]] = {"Network_Traffic.All_Traffic": traffic}


class Question(NamedTuple):
    """What tstats is asked: the name of the count, the model, a condition, the fields, and what stands for null."""

    name: str
    model: str
    condition: str
    by: list[str]
    filler: Optional[str]


def parse_tstats(text: str) -> Question:
    """Return what tstats is asked; refuses what this module does not know."""
    match = re.fullmatch(r"(.*?)\bfrom\s+datamodel=(\S+)\s+where\s+(.*)\sby\s+(.*)", text, re.S)
    if match is None:
        raise SplError(f"tstats without from, where and by: {text!r}")
    options, words = take_options(words_of(match[1]), "summariesonly fillnull_value")
    truth_of(options, "summariesonly", False)
    if words[:1] != ["count"] or (len(words) > 1 and words[1].lower() != "as") or len(words) not in (1, 3):
        raise SplError(f"tstats knows count only: {words!r}")
    if match[2] not in MODELS:
        raise SplError(f"unknown data model {match[2]!r}")
    spans, by = take_options(words_of(match[4]), "span")
    if by[-1:] != ["_time"] or spans != {"span": "1s"}:
        raise SplError("tstats needs `_time span=1s` at its end, since stamps are whole seconds")
    name = name_of(words[2]) if len(words) > 1 else "count"
    return Question(name, match[2], match[3], by, options.get("fillnull_value"))


def tstats(events: list[Row], text: str) -> Table:
    """Return a row with the number of events for each combination of fields.

    An event without one of the fields is in no row, unless fillnull_value fills it.
    """
    asked = parse_tstats(text)
    predicate = compile_search(asked.condition)
    rows = [row for row in (model_row(event, asked) for event in events) if row is not None and predicate(row)]
    check_fields(asked)
    if asked.filler is not None:
        rows = [{**{name: Field(asked.filler) for name in asked.by}, **row} for row in rows]
    made: list[Row] = []
    for members in group_rows(rows, asked.by).values():
        first = {name: members[0][name] for name in asked.by}
        made.append({**first, asked.name: Num(len(members))})
    return Table.of(made, [*asked.by, asked.name])


def check_fields(asked: Question) -> None:
    """A misspelt field would be null in each event, and with it the whole result empty or filled."""
    prefix = asked.model.rpartition(".")[2]
    known = {f"{prefix}.{name}" for name in (*MODEL_FIELDS, "duration", "dvc", "transport")}
    named = set(re.findall(r"[A-Za-z_][\w.]*(?=\s*(?:!=|=|<|>|\sIN\b))", re.sub(r'"[^"]*"', "", asked.condition)))
    wrong = (set(asked.by) - known - {"_time"}) | (named - known - set(DEFAULT_FIELDS))
    if wrong:
        raise SplError(f"{asked.model} has no {sorted(wrong)}")


def model_row(event: Row, asked: Question) -> Optional[Row]:
    """Return an event as tstats sees it: its fields with the name of the data set before them, default fields without."""
    made = MODELS[asked.model](event)
    if made is None:
        return None
    prefix = asked.model.rpartition(".")[2]
    time = Num(math.floor(float(str(event["_time"]))))
    given = {name: event[name] for name in DEFAULT_FIELDS if name in event}
    return {"_time": time, **given, **{f"{prefix}.{name}": value for name, value in made.items()}}
