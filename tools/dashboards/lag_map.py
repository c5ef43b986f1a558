# SPDX-License-Identifier: Apache-2.0
"""Owns what the view How late, how wide counts by time: a search that reads events, and the charts made of its counts.

One slow interface is invisible in a line over all of them, so there is a map: a lane for each interface, and in it a
bar for each five minutes, coloured by the longest delivery lag.
"""

from __future__ import annotations

from tools.dashboards.envelope import BLUE, GREY, PURPLE, RED, TEAL, VERMILION
from tools.dashboards.parts import JsonObject, timeline

#: How many interfaces the map draws; the panel is as high as these.
LANES_DRAWN = 10

# Each record counts in three ways: for its interface, for its uncertainty and for its delivery lag. So one search
# serves three charts, and its rows do not multiply. Five minutes become longer in a range of more than five hours.
RECORDS = """
    $flows$
    | flowlagenrich `flowlag_options`
    | where (flowlag_status="ok" OR flowlag_status="skipdata")
        AND ($interface|s$="*" OR like(interface_id, replace($interface|s$,"[*]","%")))
    | addinfo
    | eval until=if(info_max_time="+Infinity", now(), min(info_max_time,now())),
        span=300*max(1, ceiling((until-info_min_time)/18000)),
        slot=span*floor(flowlag_start/span), on=coalesce(interface_id,"unknown"),
        index_lag=if(flowlag_status="ok", ceiling(_indextime-flowlag_end), null()),
        over=10*(ceiling(flowlag_uncertainty/10)-1),
        what=if(flowlag_status="skipdata", "skip " . on, mvappend("late " . on, "wide " . over,
            if(isnull(index_lag), null(), "lag " . index_lag)))
    | stats count as records max(index_lag) as longest max(span) as span by slot what
    | eval kind=mvindex(split(what," "),0), name=mvindex(split(what," "),1)
    | table slot span kind name records longest
"""

# Every step has a row, even without records, so that the axis has no gaps.
WIDTHS = """
    | where kind="wide"
    | eval over=tonumber(name)
    | stats sum(records) as Records by over
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

# Percentiles are of the nearest rank.
LATE = """
    | where kind="lag"
    | eval lag=tonumber(name)
    | stats sum(records) as records by slot lag
    | sort 0 slot lag
    | eventstats sum(records) as all by slot
    | streamstats sum(records) as so_far by slot
    | stats min(eval(if(so_far>=0.5*all,lag,null()))) as p50 min(eval(if(so_far>=0.95*all,lag,null()))) as p95
        max(lag) as max by slot
    | sort 0 slot
    | eval _time=slot
    | table _time p50 p95 max
"""

# Interfaces with skipped records come first, then the slowest. A tooltip has the zone of the browser, so the detail
# begins with the time in Splunk's. Everything is drawn twice, since the renderer draws it half transparent.
MAP = f"""
    | where kind="late" OR kind="skip"
    | eventstats max(longest) as worst count(eval(kind="skip")) as skips by name
    | eval worst=coalesce(worst,-1), has_skips=if(skips>0,1,0)
    | sort 0 -has_skips -worst str(name) slot
    | streamstats dc(name) as lane_number
    | where lane_number<={LANES_DRAWN}
    | eval category=case(kind="skip", "skipped by AWS", isnull(longest), "index time unknown", longest<=120, "to 2 min",
            longest<=300, "to 5 min", longest<=900, "to 15 min", true(), "over 15 min"),
        detail=strftime(slot,"%F %T") . " to " . strftime(slot+span,"%T %z") . ": " . case(
            kind="skip", "AWS skipped records here (SKIPDATA)",
            isnull(longest), "when records were indexed is not known",
            true(), "the latest came " . longest . " s after its end") . " (" . records
            . if(records=1," record)"," records)"),
        lane=name, _time=if(kind="skip", slot+span/2, slot), duration_ms=if(kind="skip", 0, 1000*span),
        order=if(kind="skip",1,0), layer=mvappend("below","above")
    | mvexpand layer
    | sort 0 lane_number order _time
    | table _time lane duration_ms category detail
"""

COLOURS = {
    "to 2 min": GREY,
    "to 5 min": BLUE,
    "to 15 min": VERMILION,
    "over 15 min": RED,
    "index time unknown": TEAL,
    "skipped by AWS": PURPLE,
}

LAG_MAP: JsonObject = timeline(
    "ds_map",
    "Longest delivery lag by interface and time of the records (click an interface to see it alone)",
    COLOURS,
    chosen="interface",
    label_width=230,
)
