# SPDX-License-Identifier: Apache-2.0
"""The dashboard How late, how wide: how uncertain packet times are, and how late records arrive."""

from __future__ import annotations

from tools.dashboards.envelope import BLUE, ORANGE, PURPLE
from tools.dashboards.parts import (
    FLOWS_INPUT,
    TIME_RANGE,
    WIDTH,
    JsonObject,
    block,
    chain,
    markdown,
    search,
    sentence,
    set_tokens,
    table,
    text_input,
    time_input,
)

# All records are read, even if no interface was extracted: this view should show what is wrong with them.
# A search must reach back further for records that are longer than the interval asked for: by AWS's 60 s before start.
PROFILE = """
    $flows$
    | flowlagenrich `flowlag_options`
    | flowlagprofile `flowlag_profile_options`
    | where $interface|s$="*" OR like(interface_id, replace($interface|s$,"[*]","%"))
    | eval reach_back=max(suggest_lookback, index_lag_max+window_max+60)
"""

SUMMARY = """
    | stats dc(interface_id) as interfaces sum(records) as records sum(ok) as ok
        sum(skipdata) as skipdata sum(unreadable) as unreadable max(index_lag_max) as latest
        max(suggest_delay) as delay max(reach_back) as lookback max(window_max) as longest
    | eval on_interfaces=" of " . interfaces . if(interfaces=1," interface"," interfaces")
    | eval sentence=case(
        isnull(records), "No flow record was found. Check the time range and the search for flow logs. "
            . "* stands for any interface.",
        ok=0, "No record" . on_interfaces . " holds packet times (all are NODATA, SKIPDATA or unreadable).",
        isnull(lookback), ok . if(ok=1," record"," records") . on_interfaces
            . ". How late records arrived is unknown: the search did not get _indextime.",
        true(), ok . if(ok=1," record"," records") . on_interfaces . " arrived, up to " . ceiling(latest)
            . " s after their end; later ones may still come. A scheduled search should wait " . ceiling(delay)
            . " s and reach back " . ceiling(lookback) . " s. The correlation searches reach back "
            . `flowlag_lookback` . " s, which is " . if(lookback<=`flowlag_lookback`,"enough.","too little."))
    | eval sentence=sentence
        . if(longest>120," Some records last " . longest . " s: if that is your interval, set it in "
            . "flowlag_profile_options.","")
        . case(skipdata=0 OR isnull(skipdata), "", skipdata=1, " A SKIPDATA record says that AWS skipped records.",
            true(), " " . skipdata . " SKIPDATA records say that AWS skipped records.")
        . if(unreadable>0," " . unreadable . " could not be read.","")
"""

# Every record is seen by some run after it was indexed, if the range is as long as the latest record needs plus the
# time between two runs.
SCHEDULE = """
    | where isnotnull(lookback)
    | eval Setting=split("cron_schedule,dispatch.latest_time,dispatch.earliest_time",",")
    | mvexpand Setting
    | eval Value=case(
            Setting="cron_schedule", "*/15 * * * *",
            Setting="dispatch.latest_time", if(delay<=0, "now", "-" . ceiling(delay/60) . "m@m"),
            true(), "-" . ceiling((lookback+900)/60) . "m@m"),
        Why=case(
            Setting="cron_schedule", "a run every 15 minutes",
            Setting="dispatch.latest_time", "by then 99 % of each interface's records had arrived",
            true(), "what the latest record needs, plus 15 minutes to the next run; some are seen twice, so throttle")
    | table Setting Value Why
"""

INTERFACES = """
    | sort 0 -reach_back interface_id first_start
    | eval Mode=timing_mode . if(isnum(mode_support), " (" . round(100*mode_support) . " %)", ""),
        Seen=strftime(first_start,"%H:%M") . " - " . strftime(last_end,"%H:%M")
    | rename interface_id as Interface, phase as Phase, records as Records,
        skipdata as Skipped, unreadable as Unread, window_p50 as "Window p50", window_max as "Window max",
        index_lag_p50 as "Late p50", index_lag_max as "Late max",
        suggest_delay as Wait, reach_back as "Reach back"
    | table Interface Seen Mode Phase Records Skipped Unread "Window p50" "Window max"
        "Late p50" "Late max" Wait "Reach back"
"""

# Every step has a row, even without records, so that the axis has no gaps.
WIDTHS = """
    $flows$
    | flowlagenrich `flowlag_options`
    | where flowlag_status="ok" AND ($interface|s$="*" OR like(interface_id, replace($interface|s$,"[*]","%")))
    | eval over=10*(ceiling(flowlag_uncertainty/10)-1)
    | stats count as Records by over
    | appendpipe [
        stats min(over) as first max(over) as last
        | where isnotnull(first)
        | eval over=mvrange(first, last+10, 10), Records=0
        | mvexpand over
        | table over Records ]
    | stats sum(Records) as Records by over
    | sort 0 over
    | eval "± seconds"=over . " to " . (over+10)
    | table "± seconds" Records
"""

LATE = """
    $flows$
    | flowlagenrich `flowlag_options`
    | where flowlag_status="ok" AND ($interface|s$="*" OR like(interface_id, replace($interface|s$,"[*]","%")))
    | eval index_lag=_indextime-flowlag_end
    | where isnotnull(index_lag)
    | timechart minspan=5m bins=300 exactperc50(index_lag) as p50 exactperc95(index_lag) as p95 max(index_lag) as max
"""

# What `Flow Logs - Learn Lags` stored, whatever the time range is.
LAGS = """
    | inputlookup flowlag_lags
    | where $interface|s$="*" OR like(interface_id, replace($interface|s$,"[*]","%"))
"""

LEARNED = """
    | sort 0 -anchors interface_id
    | eval Use=case(state="drifting", "no: lags drift", isnull(lag_95), "no: too few anchors",
            learned_to<now()-86400, "no: learned over a day ago", isnull(lag_99), "at 95 %", true(), "yes"),
        p50=floor(10*lag_p50+0.5)/10, p95=if(isnull(lag_95),"-",floor(10*lag_95+0.5)/10),
        p99=if(isnull(lag_99),"-",floor(10*lag_99+0.5)/10), Lag=p50 . " / " . p95 . " / " . p99,
        Until=strftime(learned_to,"%m-%d %H:%M")
    | rename interface_id as Interface, anchors as Anchors, Lag as "Lag p50 / 95 / 99"
    | table Interface Anchors "Lag p50 / 95 / 99" Use Until
"""

# The density has a number for each second from -20 to 60; a bar is five seconds. Interfaces count by their anchors.
DENSITY = """
    | where isnotnull(density)
    | eval bin=mvzip(mvrange(-20,61), split(density," "), ":")
    | mvexpand bin
    | eval second=tonumber(mvindex(split(bin,":"),0)), parts=anchors*tonumber(mvindex(split(bin,":"),1))
    | eval from=5*floor(second/5)
    | stats sum(parts) as parts by from
    | eventstats sum(parts) as all
    | sort 0 from
    | eval Share=floor(1000*parts/all+0.5)/10, Lag=from . " to " . (from+5)
    | table Lag Share
"""

SOURCES: JsonObject = {
    "ds_profile": search("Profile of each interface", PROFILE),
    # The tokens of a search's result bear the search's name.
    "ds_summary": chain("ds_summary", "ds_profile", SUMMARY),
    "ds_schedule": chain("Settings of a scheduled search", "ds_profile", SUMMARY + SCHEDULE),
    "ds_interfaces": chain("Interfaces by delivery lag", "ds_profile", INTERFACES),
    "ds_widths": search("Records by uncertainty", WIDTHS),
    "ds_late": search("Delivery lag over time", LATE),
    "ds_lags": search("Learned lags", LAGS),
    "ds_learned": chain("Learned lags of each interface", "ds_lags", LEARNED),
    "ds_density": chain("Learned lags by length", "ds_lags", DENSITY),
}

PANELS: JsonObject = {
    "viz_sentence": sentence("ds_summary"),
    "viz_widths": {
        "type": "splunk.column",
        "title": "How wide: records by ± seconds of packet time",
        "dataSources": {"primary": "ds_widths"},
        "options": {
            "xAxisTitleText": "± seconds",
            "yAxisTitleText": "records",
            "legendDisplay": "off",
            "seriesColors": [BLUE],
        },
    },
    "viz_late": {
        "type": "splunk.line",
        "title": "How late: seconds from the end of a record to its indexing",
        "dataSources": {"primary": "ds_late"},
        "options": {
            "xAxisTitleVisibility": "hide",
            "yAxisTitleText": "seconds",
            "yAxisMin": 0,  # without it the chart cannot draw lags that are all 0
            "legendDisplay": "bottom",
            "nullValueDisplay": "connect",
            "seriesColors": [BLUE, ORANGE, PURPLE],
        },
    },
    "viz_interfaces": {
        **table(
            "Interfaces, latest delivery first (window, late, wait and reach back in seconds)",
            "ds_interfaces",
            {"Interface": 190, "Seen": 110, "Mode": 115},
        ),
        "eventHandlers": [set_tokens(interface="row.Interface.value")],
    },
    "viz_learned": {
        **table(
            "The lag of each interface as learned from events whose time is exact (seconds; Flow Logs - Learn Lags)",
            "ds_learned",
            {"Interface": 190, "Anchors": 105, "Lag p50 / 95 / 99": 175, "Use": 175, "Until": 115},
        ),
        "eventHandlers": [set_tokens(interface="row.Interface.value")],
    },
    "viz_density": {
        "type": "splunk.column",
        "title": "Openings by seconds of lag, in percent",
        "dataSources": {"primary": "ds_density"},
        "options": {
            "xAxisTitleText": "seconds from a packet to the start of its record, at the most",
            "yAxisTitleText": "% of openings",
            "legendDisplay": "off",
            "seriesColors": [PURPLE],
        },
        "containerOptions": {"visibility": {"hideWhenNoData": True}},
    },
    "viz_schedule": table(
        "A scheduled search by event time that would have missed none of these records",
        "ds_schedule",
        {"Setting": 190, "Value": 120, "Why": 370},
    ),
    "viz_model": markdown(
        "**Mode** says how an interface collects packets into records. `grid`: in windows of one length that open at "
        "the same second, the phase. `batch`: in windows of varying length that flows share. `flow`: each record has "
        "its own stamps. **Late** counts from the end of a record to its indexing, **Skipped** counts SKIPDATA "
        "records. **Wait** is how long a scheduled search should wait, **Reach back** how far its event-time range "
        "must go back. **Use** says whether `flowlagenrich confidence=99` trusts the learned **p99** of an interface."
    ),
}

HOW_LATE: JsonObject = {
    "title": "How late, how wide",
    "description": "How uncertain packet times are, how late records arrive, and how each interface stamps them.",
    "inputs": {
        "input_time": time_input("-4h@m,now"),
        "input_flows": FLOWS_INPUT,
        "input_interface": text_input("Interface", "interface", "*"),
    },
    "dataSources": SOURCES,
    "visualizations": PANELS,
    "defaults": {"dataSources": TIME_RANGE},
    "layout": {
        "type": "grid",
        "globalInputs": ["input_time", "input_flows", "input_interface"],
        "structure": [
            block("viz_sentence", 0, 0, WIDTH, 84),
            block("viz_widths", 0, 84, 500, 320),
            block("viz_late", 500, 84, 700, 320),
            block("viz_interfaces", 0, 404, WIDTH, 400),
            block("viz_learned", 0, 804, 760, 280),
            block("viz_density", 760, 804, 440, 280),
            block("viz_schedule", 0, 1084, 700, 240),
            block("viz_model", 700, 1084, 500, 240),
        ],
    },
}
