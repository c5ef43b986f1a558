# SPDX-License-Identifier: Apache-2.0
"""Owns the timeline of the view Packet time: what is drawn in each lane, and in which colours."""

from __future__ import annotations

from tools.dashboards.envelope import BLACK, BLUE, DARK, GREY, PURPLE, TEAL, UMBER, VERMILION
from tools.dashboards.odd_text import LEFT_TO_RIGHT
from tools.dashboards.packet_answer import LANE_EVENTS, LANE_RECORDS, LANES_DRAWN
from tools.dashboards.parts import JsonObject, timeline

# A record has two bars in its lane: a wide one between the bounds, and on it a second one from start to end. Two marks
# say between which times the first packet of the connection passed: a bar there would hide the colours below it. The
# event is drawn in each lane that can have it, if one is asked about. Records with the same stamps, as both directions
# and several interfaces often have them, are drawn once; of a lane, the best records are. The renderer draws no more
# than 10,000 rows.
BARS = f"""
    | where role="flow" OR role="event" OR role="skipped"
    | eventstats min(rank) as lane_rank by lane
    | sort 0 lane_rank lane _time
    | streamstats dc(lane) as lane_number
    | where lane_number<={LANES_DRAWN}
    | sort 0 lane_number rank _time
    | streamstats count as nth by lane
    | where nth<=if(role="flow",{LANE_RECORDS},{LANE_EVENTS})
    | eval part=case(
        role!="flow", role,
        asked=1 AND (reason="certain" OR reason="possible"), mvappend("wide","inner","since","until","here"),
        true(), mvappend("wide","inner","since","until"))
    | mvexpand part
    | eval is_bound=if(part="since" OR part="until",1,0)
    | where is_bound=0 OR isnotnull(start_earliest)
    | eventstats min(flowlag_earliest) as drawn_from max(flowlag_latest) as drawn_to
    | eval radius=floor((drawn_to-drawn_from)*12.5)/1000,
        is_other=if(part="event" AND (asked!=1 OR event!=asked_event),1,0)
    | sort 0 is_other _time
    | streamstats current=f last(_time) as time_before by is_other
    | eval begins=if(is_other=1 AND _time-time_before<2*radius,0,1)
    | streamstats sum(begins) as burst by is_other
    | streamstats count as nth_in_burst by is_other burst
    | eval burst_name=if(is_other=1 AND nth_in_burst<=3,event,null())
    | eventstats count as burst_events min(_time) as burst_from max(_time) as burst_to values(burst_name) as burst_names
        by is_other burst
    | eval is_burst=if(is_other=1 AND burst_events>1,1,0)
    | sort 0 lane_number rank _time
    | eval mark=round(min((drawn_to-drawn_from)/200, (start_latest-start_earliest)/2), 3),
        category=case(
        is_bound=1, "bounds of its first packet",
        part="here" OR part="event" AND asked=1 AND event=asked_event, "the event asked about",
        part="event", "another event",
        part="skipped", "records skipped by AWS",
        part="inner" AND certainty="impossible", "start to end, cannot",
        part="inner", "start to end, can",
        certainty="impossible", "packet time, cannot",
        true(), "packet time, can")
    | eval begin=case(
            is_burst=1, burst_from-radius,
            part="event", _time,
            part="here", event_at,
            part="since", start_earliest,
            part="until", start_latest-mark,
            part="inner", flowlag_start,
            true(), flowlag_earliest),
        duration_ms=case(
            is_burst=1, 1000*(burst_to-burst_from+2*radius),
            part="event" OR part="here", 0,
            is_bound=1, 1000*mark,
            part="inner", 1000*(flowlag_latest-flowlag_start),
            true(), 1000*(flowlag_latest-flowlag_earliest)),
        order=case(part="wide", 1, part="inner", 2, is_bound=1, 3, true(), 4)
"""

# A tooltip has no seconds and the zone of the browser, so the detail begins with both in Splunk's zone.
DETAILS = f"""
    | eval verdict=case(role!="flow" OR asked=0, "", lane_rank<=1, "can: ", lane_rank=2, "unknown: ",
            true(), "cannot: "),
        passed=strftime(floor(flowlag_earliest),"%T") . " to " . strftime(ceiling(flowlag_latest),"%T %z") . ": ",
        first_packet="its first packet passed between " . strftime(floor(start_earliest),"%T") . " and "
            . strftime(ceiling(start_latest),"%T %z") . case(
                start_basis="syn", "",
                start_basis="doubt", ", or the ports were used again",
                true(), ", unless it began before these records"),
        what=if(is_bound=1, first_packet, passed . why),
        zone={LEFT_TO_RIGHT} . strftime(_time," (%z)"),
        burst_span=strftime(burst_from,"%T") . if(burst_to-burst_from<1, "", " to " . strftime(burst_to,"%T")),
        detail=case(
            is_burst=1, tostring(burst_events,"commas") . " events, " . burst_span . strftime(burst_to," %z") . ": "
                . mvjoin(burst_names,", ") . if(burst_events>3,", and others",""),
            role="event", event . zone,
            part="here", asked_event . zone,
            role="skipped", passed . "AWS skipped records, on " . coalesce(interface_id,"an unknown interface"),
            label!=lane, what . " - " . lane,
            true(), what)
    | eval _time=begin, lane=verdict . label
    | dedup lane _time duration_ms category detail
"""

# The renderer's axis ends where the data ends and would cut circles there: a thin line at each side makes room. It
# draws everything half transparent, too pale on a light page, so everything is drawn twice.
EDGES = """
    | appendpipe [
        eval finish=_time+duration_ms/1000
        | stats min(_time) as first max(finish) as last min(lane_number) as lane_number
            first(lane) as lane
        | where isnotnull(first)
        | eval room=max(1, round(0.03*(last-first), 3)), edge=mvappend(first-room, last+room)
        | mvexpand edge
        | eval _time=tonumber(edge), duration_ms=1, category="edge", detail="the edge of what is drawn", order=0 ]
    | eval layer=mvappend("below","above")
    | mvexpand layer
    | sort 0 lane_number order _time
    | table _time lane duration_ms category detail
"""
LANES = BARS + DETAILS + EDGES

#: A timeline's own legend changes its colours with the data, so the colours are fixed here and a picture explains them.
#: The second colour within a bar is the record from start to end.
COLOURS = {
    "packet time, can": VERMILION,
    "start to end, can": UMBER,
    "packet time, cannot": GREY,
    "start to end, cannot": DARK,
    "records skipped by AWS": PURPLE,
    "bounds of its first packet": BLACK,
    "the event asked about": BLUE,
    "another event": TEAL,
    "edge": "#808080",
}

TIMELINE: JsonObject = timeline(
    "ds_lanes",
    "When the packets of each connection can have passed (second colour: start to end of the record)",
    COLOURS,
    chosen="lane",
    label_width=430,
)
