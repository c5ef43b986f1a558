# SPDX-License-Identifier: Apache-2.0
"""The dashboard How late, how wide: how uncertain packet times are, and how late records arrive.

Two searches read the events: one for the profile of each interface, and one for all that is counted by time. Here are
the first and what is shown; lag_map.py has the second, and learned_lags.py what the lookup of learned lags tells.
"""

from __future__ import annotations

from tools.dashboards.envelope import BLUE, PURPLE, VERMILION
from tools.dashboards.lag_map import LAG_MAP, LANES_DRAWN, LATE, MAP, RECORDS, WIDTHS
from tools.dashboards.learned_lags import DENSITY, LAGS, LEARNED, UNLEARNED
from tools.dashboards.parts import (
    FLOWS_INPUT,
    TIME_RANGE,
    TO_CHECK,
    WIDTH,
    JsonObject,
    block,
    chain,
    hidden_without_rows,
    image,
    markdown,
    search,
    sentence,
    set_tokens,
    table,
    text_input,
    time_input,
)

# All records are read, even if no interface was extracted: this view should show what is wrong with them.
# A search must reach back further for records that are longer than the interval asked for: by the lag before start.
# The last row counts what the search finds, of whatever layout.
PROFILE = """
    $flows$
    | flowlagenrich `flowlag_options`
    | flowlagprofile `flowlag_profile_options`
    | where $interface|s$="*" OR like(interface_id, replace($interface|s$,"[*]","%"))
    | eval reach_back=max(suggest_lookback, index_lag_max+window_max+`flowlag_longest_lag`)
    | append [
        search $flows$
        | head 1000
        | flowlagenrich `flowlag_options`
        | where flowlag_status!="header"
        | stats count as found count(eval(flowlag_status!="other")) as recognised ]
"""

SUMMARY = f"""
    | stats dc(interface_id) as interfaces sum(records) as records sum(ok) as ok sum(nodata) as nodata
        sum(skipdata) as skipdata sum(unreadable) as unreadable max(index_lag_max) as latest
        max(suggest_delay) as delay max(reach_back) as lookback max(window_max) as longest
        max(found) as found max(recognised) as recognised
    | eval on_interfaces=case(interfaces=0, " (no interface is known)", interfaces=1, " of 1 interface",
            true(), " of " . tostring(interfaces,"commas") . " interfaces"),
        counted=if(isnull(ok), "", tostring(ok,"commas") . if(ok=1," record"," records") . on_interfaces),
        skips=case(isnull(skipdata) OR skipdata=0, "", skipdata=1, "A SKIPDATA record says that AWS dropped records.",
            true(), tostring(skipdata,"commas") . " SKIPDATA records say that AWS dropped records."),
        sample=if(found>=1000, "The newest 1,000 events of the search for flow logs were examined",
            "The search for flow logs found " . tostring(found,"commas") . if(found=1," event"," events"))
    | eval sentence=case(
        isnull(records) AND found=0, "No flow record was found: the search for flow logs finds nothing in this time "
            . "range. Choose another one, or set the macro flowlag_index." . {TO_CHECK},
        isnull(records) AND recognised=0, sample . ", but none has a layout that flowlagenrich knows: name the layout "
            . "with format=... in the macro flowlag_options." . {TO_CHECK},
        isnull(records), "No flow record of this interface was found; there are others in this time range. "
            . "* stands for any interface.",
        ok=0 AND nodata=records, "All " . tostring(records,"commas") . " records" . on_interfaces . " are NODATA: AWS "
            . "saw no traffic." . {TO_CHECK},
        ok=0, trim(skips . " No record" . on_interfaces . " holds packet times (all are NODATA, SKIPDATA or "
            . "unreadable).") . {TO_CHECK},
        isnull(lookback), counted . ". How late records arrived is unknown: the search did not get _indextime.",
        true(), counted . " arrived, so far up to " . tostring(ceiling(latest),"commas")
            . " s after their end. A scheduled search should wait " . tostring(ceiling(delay),"commas")
            . " s and reach back " . tostring(ceiling(lookback),"commas") . " s. The correlation searches reach back "
            . tostring(`flowlag_lookback`,"commas") . " s, which is "
            . if(lookback<=`flowlag_lookback`,"enough.","too little."))
    | eval sentence=sentence
        . if(longest>120," Some records last " . longest . " s: if that is your interval, set it in "
            . "flowlag_profile_options.","")
        . if(ok=0 OR skips="", "", " " . skips)
        . if(unreadable>0," " . tostring(unreadable,"commas") . " could not be read.","")
        . if(interfaces>{LANES_DRAWN}," The map draws {LANES_DRAWN} interfaces, the table has all.","")
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

# Few columns, so that a window of 1024 pixels shows them all: of two numbers the first is the median, the second the
# most.
INTERFACES = """
    | where isnotnull(records)
    | sort 0 -reach_back interface_id first_start
    | eval Mode=timing_mode . if(isnum(phase), " at " . phase . " s", "")
            . if(isnum(mode_support), " (" . round(100*mode_support) . " %)", ""),
        form=if(strftime(first_start,"%F")=strftime(last_end,"%F"),"%H:%M","%m-%d %H:%M"),
        Seen=strftime(first_start,form) . " to " . strftime(last_end,form),
        Skipped=skipdata . if(unreadable>0, " + " . unreadable . " unread", ""),
        Window=if(isnull(window_p50),"",window_p50 . " / " . window_max),
        Late=if(isnull(index_lag_p50),"",index_lag_p50 . " / " . index_lag_max),
        wait=if(isnull(suggest_delay),"",suggest_delay . " / " . reach_back)
    | rename interface_id as Interface, records as Records, wait as "Wait / back"
    | table Interface Seen Mode Records Skipped Window Late "Wait / back"
"""

SOURCES: JsonObject = {
    "ds_profile": search("Profile of each interface", PROFILE),
    # The tokens of a search's result bear the search's name.
    "ds_summary": chain("ds_summary", "ds_profile", SUMMARY),
    "ds_schedule": chain("Settings of a scheduled search", "ds_profile", SUMMARY + SCHEDULE),
    "ds_interfaces": chain("Interfaces by delivery lag", "ds_profile", INTERFACES),
    "ds_records": search("Records by time", RECORDS),
    "ds_widths": chain("Records by uncertainty", "ds_records", WIDTHS),
    "ds_late": chain("Delivery lag over time", "ds_records", LATE),
    "ds_map": chain("Delivery lag by interface and time", "ds_records", MAP),
    "ds_lags": search("Learned lags", LAGS),
    "ds_unlearned": chain("ds_unlearned", "ds_lags", UNLEARNED),
    "ds_learned": chain("Learned lags of each interface", "ds_lags", LEARNED),
    "ds_density": chain("Learned lags by length", "ds_lags", DENSITY),
}

#: See packet_time.py: each table has one column without a width, and the sums fit a window of 1024 pixels.
INTERFACE_WIDTHS = {"Interface": 168, "Seen": 108, "Mode": 125, "Records": 92, "Skipped": 92, "Window": 88, "Late": 88}
LEARNED_WIDTHS = {"Interface": 165, "Anchors": 98, "Lag p50 / 95 / 99": 135, "Use": 182}

PANELS: JsonObject = {
    "viz_sentence": sentence("ds_summary"),
    "viz_widths": hidden_without_rows(
        {
            "type": "splunk.column",
            "title": "How wide: records by ± seconds",
            "dataSources": {"primary": "ds_widths"},
            "options": {
                "xAxisTitleText": "± seconds",
                "yAxisTitleText": "records",
                "legendDisplay": "off",
                "seriesColors": [BLUE],
            },
        }
    ),
    "viz_late": hidden_without_rows(
        {
            "type": "splunk.line",
            "title": "How late: seconds from the end of a record to its indexing",
            "dataSources": {"primary": "ds_late"},
            "options": {
                "xAxisTitleVisibility": "hide",
                "yAxisTitleText": "seconds",
                "yAxisMin": 0,  # without it the chart cannot draw lags that are all 0
                "legendDisplay": "bottom",
                "nullValueDisplay": "connect",
                "seriesColors": [BLUE, VERMILION, PURPLE],
                "lineDashStylesByField": {"max": "shortDash"},  # p95 shows through where both are equal
                "markerDisplay": "filled",  # a range with one span of records has points and no line
            },
        }
    ),
    "viz_map_key": hidden_without_rows({**image("lag_key.svg"), "dataSources": {"primary": "ds_map"}}),
    "viz_map": LAG_MAP,
    "viz_interfaces": hidden_without_rows(
        {
            **table(
                "Interfaces, latest delivery first (window and late: median / most; all in seconds)",
                "ds_interfaces",
                INTERFACE_WIDTHS,
                count=8,
            ),
            "eventHandlers": [set_tokens(interface="row.Interface.value")],
        }
    ),
    "viz_unlearned": sentence("ds_unlearned"),
    "viz_learned": hidden_without_rows(
        {
            **table(
                "Lags as learned from events whose time is exact (seconds; Flow Logs - Learn Lags)",
                "ds_learned",
                LEARNED_WIDTHS,
                count=5,
            ),
            "eventHandlers": [set_tokens(interface="row.Interface.value")],
        }
    ),
    "viz_density": hidden_without_rows(
        {
            "type": "splunk.column",
            "title": "Openings by seconds of lag",
            "dataSources": {"primary": "ds_density"},
            "options": {
                "xAxisTitleText": "seconds, five a bar",
                "yAxisTitleText": "% of openings",
                "legendDisplay": "off",
                "seriesColors": [PURPLE],
            },
        }
    ),
    # This one stays if there is nothing, to show an error of the searches.
    "viz_schedule": table(
        "A scheduled search that would have missed no record",
        "ds_schedule",
        {"Setting": 165, "Why": 280},
    ),
    "viz_model": markdown(
        "**Mode** says how an interface collects packets into records. **grid**: in windows of one length that open at "
        "the same second. **batch**: in windows of varying length that flows share. **flow**: each record has its own "
        "stamps. **mixed**: none of these fits nearly all records. **unknown**: there are too few records. **Late** "
        "counts from the end of a record to its indexing, **Skipped** counts SKIPDATA records. **Wait** is how long a "
        "scheduled search should wait, **back** how far its event-time range must go back. **Use** says whether "
        "`flowlagenrich confidence=99` trusts the learned **p99** of an interface; **misses** are those of its last 50 "
        "anchors that were above the p99 of all before them."
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
            block("viz_widths", 0, 84, 460, 300),
            block("viz_late", 460, 84, 740, 300),
            block("viz_map_key", 0, 384, WIDTH, 44),
            block("viz_map", 0, 428, WIDTH, 430),
            block("viz_interfaces", 0, 858, WIDTH, 440),
            block("viz_unlearned", 0, 1298, WIDTH, 60),
            block("viz_learned", 0, 1358, 860, 330),
            block("viz_density", 860, 1358, 340, 330),
            block("viz_schedule", 0, 1688, 700, 270),
            block("viz_model", 700, 1688, 500, 270),
        ],
    },
}
