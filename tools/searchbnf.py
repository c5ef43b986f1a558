# SPDX-License-Identifier: Apache-2.0
"""Owns default/searchbnf.conf, the help of Splunk's search assistant: made of the declarations of options and fields.

What a declaration does not say stands here: what a command is for, its examples, its tags.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from flowlag.connect import rows as connect_rows
from flowlag.connect.options import CONNECT_OPTIONS
from flowlag.enrich_options import ENRICH_OPTIONS
from flowlag.learn import rows as learn_rows
from flowlag.learn.options import LEARN_OPTIONS
from flowlag.match import fields as match_fields
from flowlag.match.options import MATCH_OPTIONS
from flowlag.options import REQUIRED, Field, Option, describe, plain
from flowlag.profile import profiler
from flowlag.profile.options import PROFILE_OPTIONS
from tools.declared import tag_fields
from tools.places import GENERATED

WIDTH = 118


class Help(NamedTuple):
    """The help of one command; an example is a comment and a search."""

    command: str
    short: str
    description: str
    options: Sequence[Option]
    fields: Sequence[Field]
    examples: Sequence[tuple[str, str]]
    tags: str
    related: str


HELP = (
    Help(
        "flowlagenrich",
        "Tags AWS VPC flow log events with bounds on when their packets can have passed.",
        "AWS stamps the start and end of a flow log record in whole seconds when it receives packets for aggregation, "
        "up to 60 seconds after they passed the network interface. flowlagenrich tags every event with the interval in "
        "which all packets of the record passed. Every event comes back, in the same order, with all output fields; a "
        "field is empty if nothing is known.",
        ENRICH_OPTIONS,
        tag_fields(),
        (
            (
                "Show between which times the packets of each flow can have passed.",
                "`flowlag_index` | flowlagenrich | table src_ip dest_ip flowlag_earliest flowlag_latest "
                "flowlag_uncertainty",
            ),
            (
                "Windows open at second 6 of each minute; sort by the best single estimate of the time of a packet.",
                "`flowlag_index` | flowlagenrich interval=60 phase=6 time=estimate | sort 0 _time",
            ),
            (
                "Read _raw in a custom layout, with a lag of 30 seconds.",
                "index=net sourcetype=my:flow | flowlagenrich lag=30 "
                'format="${version} ${interface-id} ${start} ${end}"',
            ),
        ),
        "aws vpc flow log netflow time interval uncertainty lag",
        "flowlagmatch, flowlagconnect, flowlagprofile, eval, bin, transaction",
    ),
    Help(
        "flowlagmatch",
        "Tells which flows could belong to which other events, when flow times are intervals.",
        "Matches flow log events with other events (anchors: logins, findings, API calls). The input is one mixed "
        "stream after flowlagenrich: events with flowlag_status=ok are flows; events with status other, or without "
        "one, are anchors at their _time. A flow is given for an anchor if the relation is possible; it is certain if "
        "the relation holds wherever in their intervals the two lie. No possible pair is missed, and the order of "
        "events does not matter. There is one row for each pair, with the fields of the anchor, those of the flow as "
        "flow_<name>, and the output fields.",
        MATCH_OPTIONS,
        match_fields.FIELDS,
        (
            (
                "Which flow can have carried each SSH login? The clocks of the servers may be off by two seconds.",
                '(`flowlag_index`) OR (index=os sourcetype=linux_secure "Accepted") | flowlagenrich | flowlagmatch '
                'by="src_ip=src,dest_ip=host_ip" tolerance=2',
            ),
            (
                "The same by probability, one connection for one login, if the layout has tcp-flags.",
                '(`flowlag_index`) OR (index=os sourcetype=linux_secure "Accepted") | flowlagenrich | flowlagmatch '
                'by="src_ip=src,dest_ip=host_ip" tolerance=2 starts=tcp_flags rank=probability exclusive=true',
            ),
            (
                "Which refused connections came from an address before one was accepted, within ten minutes?",
                '`flowlag_index` | flowlagenrich | flowlagmatch by="src_ip" anchors="action=allowed" relation=before '
                "within=10m",
            ),
        ),
        "aws vpc flow log netflow correlate join interval uncertainty",
        "flowlagenrich, flowlagconnect, join, transaction",
    ),
    Help(
        "flowlagconnect",
        "Tells which AWS flow log records are of one connection, and when it began and ended.",
        "Gives one row for each connection: its records in both directions, from all network interfaces that saw it "
        "and from all windows of time. The first packet of a connection lies in every record that must hold it, so its "
        "bounds are narrower than those of one record; the same holds for the last packet. The input is flow log "
        "events after flowlagenrich. The order of events does not matter.",
        CONNECT_OPTIONS,
        connect_rows.FIELDS,
        (
            (
                "Which connections to SSH were there, and when can each have begun?",
                "`flowlag_index` | flowlagenrich | flowlagconnect | where dest_port=22 | table src dest start_earliest "
                "start_latest start_basis records",
            ),
            (
                "Connections that had no answer.",
                "`flowlag_index` | flowlagenrich | flowlagconnect | where packets_in=0 | table src dest dest_port "
                "start_earliest packets_out action",
            ),
        ),
        "aws vpc flow log netflow connection session direction interval uncertainty community id",
        "flowlagenrich, flowlagmatch, transaction, stats",
    ),
    Help(
        "flowlagprofile",
        "Tells how each network interface stamps its AWS flow log records, and how late they arrive.",
        "Gives one row for each network interface over the time range of the search, and one more for each change of "
        "the second at which its aggregation windows open. The input is flow log events, with or without flowlagenrich "
        "before it. Stored with outputlookup flowlag_windows, the rows tell flowlagenrich windows=auto the window of "
        "each record. The order of events does not matter.",
        PROFILE_OPTIONS,
        profiler.FIELDS,
        (
            (
                "How do the interfaces stamp their records, and how late do these arrive?",
                "`flowlag_index` | flowlagenrich | flowlagprofile | table interface_id timing_mode phase index_lag_p99 "
                "suggest_lookback",
            ),
            (
                "Learn the windows, for flowlagenrich windows=auto.",
                "`flowlag_index` | flowlagenrich | flowlagprofile | outputlookup flowlag_windows",
            ),
        ),
        "aws vpc flow log netflow profile window phase delay index lag",
        "flowlagenrich, stats, outputlookup",
    ),
    Help(
        "flowlaglearn",
        "Learns how much later than its packets each network interface stamps its AWS flow log records.",
        "Anchors are events that tell exactly when a connection was opened: flow logs of AWS Network Firewall, Zeek or "
        "Suricata, connection logs of an Application Load Balancer, lines of sshd. Gives one row for each network "
        "interface: the lag that 95, 99 and 99.9 % of the next openings do not exceed if lags stay as they are, and "
        "how likely each lag is. The input is flow log events after flowlagenrich, and the anchors. Stored with "
        "outputlookup flowlag_lags, the rows are what flowlagenrich confidence=99 and flowlagmatch rank=probability "
        "read. The order of events does not matter.",
        LEARN_OPTIONS,
        learn_rows.FIELDS,
        (
            (
                "How late does each interface stamp? The macros say which events have exact times.",
                "(`flowlag_index`) OR (`flowlag_anchors`) | flowlagenrich | `flowlag_anchor_fields` "
                "| flowlaglearn `flowlag_learn_options`",
            ),
            (
                "The same, stored for flowlagenrich confidence=99.",
                "(`flowlag_index`) OR (`flowlag_anchors`) | flowlagenrich | `flowlag_anchor_fields` "
                "| flowlaglearn `flowlag_learn_options` | outputlookup flowlag_lags",
            ),
        ),
        "aws vpc flow log netflow lag learn calibrate quantile conformal",
        "flowlagenrich, flowlagmatch, flowlagprofile, outputlookup",
    ),
)


def write() -> str:
    """The file."""
    heading = f"# SPDX-License-Identifier: Apache-2.0\n# {GENERATED}\n"
    return heading + "".join(f"\n{write_stanza(help_)}" for help_ in HELP)


def write_stanza(help_: Help) -> str:
    """The help of one command as a stanza."""
    syntax = " ".join([help_.command, *map(write_syntax, help_.options)])
    described = [
        help_.description,
        "Options:",
        *(f"{option.name}: {describe(option)}" for option in help_.options),
        "Output fields:",
        *map(describe_field, help_.fields),
        "A wrong option ends the search with a sentence that names it.",
    ]
    settings = {"syntax": [syntax], "shortdesc": [help_.short], "description": described}
    lines = [f"[{help_.command}-command]", *(wrap(key, parts) for key, parts in settings.items())]
    for number, (comment, search) in enumerate(help_.examples, 1):
        lines += [f"comment{number} = {comment}", f"example{number} = {search}"]
    return "\n".join([*lines, "usage = public", f"tags = {help_.tags}", f"related = {help_.related}", ""])


def write_syntax(option: Option) -> str:
    """An option in the syntax of searchbnf, with quotes if Splunk would split its value or take it for an option."""
    form = f'"{option.form}"' if set(",=") & set(option.form) else option.form
    return f"{option.name}={form}" if option.unset == REQUIRED else f"({option.name}={form})?"


def describe_field(field: Field) -> str:
    """A field with its meaning, and its unit if it has one."""
    unit = "" if field.unit in ("word", "number") else f" ({field.unit})"
    return plain(f"{field.name}: {field.meaning}{unit}.")


def wrap(key: str, parts: Sequence[str]) -> str:
    """A setting over several lines, a backslash at the end of each but the last; each part begins a line."""
    parts = [f"{key} = {parts[0]}", *parts[1:]]
    lines = [line for part in parts for line in textwrap.wrap(part, WIDTH, break_on_hyphens=False)]
    return " \\\n".join(lines)
