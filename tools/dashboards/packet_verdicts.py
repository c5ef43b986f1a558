# SPDX-License-Identifier: Apache-2.0
"""Owns what the view Packet time says of each record: whether it could have carried the event, why, how probably.

It works on the rows of packet_events.py. Every other search of the view goes on from here.
"""

from __future__ import annotations

# Every flow is shown, even if it belongs to no event. flowlagmatch shows every anchor, so the flows are the anchors
# here, and the events take the part of flows, with their clock error as the interval. Rows to be seen are `shown`, with
# their role as the key if they are no flows. An event that is asked about has a second row, which is `compared`.
PAIRS = """
    | eval side="shown", event_key=key, key=if(role="flow", key, role)
    | appendpipe [
        where role="event" AND ($event|s$="*" OR event=$event|s$)
        | eval side="compared", key=event_key ]
    | eval flowlag_status="ok",
        flowlag_earliest=coalesce(if(role="event",event_start,flowlag_earliest), _time),
        flowlag_latest=coalesce(if(role="event",event_end,flowlag_latest), _time)
    | eval asked_event=if(side="compared",event,null()),
        asked_start=if(side="compared",flowlag_earliest,null()),
        asked_end=if(side="compared",flowlag_latest,null()),
        asked_keyless=if(side="compared" AND has_key=0,1,0)
    | eventstats count(asked_event) as rivals min(asked_start) as rivals_start max(asked_end) as rivals_end by key
    | eventstats count(asked_event) as asked max(asked_event) as asked_event max(asked_keyless) as asked_keyless
        min(asked_start) as asked_start max(asked_end) as asked_end
    | flowlagmatch by="key" anchors="side=shown" relation=overlap maxmatches=1000
"""

# How probable it is that an event belongs to a connection: the sum over its records, since both directions and all
# interfaces tell of the one packet that opened it. A record has the number if it could have carried the event.
CHANCES = """
    where role="flow" OR role="event"
    | eval flowlag_status=if(role="flow", "ok", "other")
    | flowlagmatch by="key" anchors="role=event" anchor_time=event_start anchor_end=event_end
        relation=overlap maxmatches=1000 unmatched=false `flowlag_event_rank`
    | eventstats sum(match_probability) as probability by row key flow_connection
"""

# With any event it is that of the event to which the connection belongs most probably.
PROBABILITY = f"""
    | appendpipe [
        {CHANCES.strip()}
        | where $event|s$="*" OR event=$event|s$
        | stats max(probability) as probability by flow_row
        | rename flow_row as row
        | eval role="chance" ]
    | eventstats max(probability) as probability by row
    | where role!="chance"
"""

PERCENT = """
    | eval Probability=case(
        isnull(probability), "",
        probability>0.99, ">99 %",
        probability<0.01, "<1 %",
        true(), floor(100*probability+0.5) . " %")
"""

# Keeps the better of the two ends of each record, with its best event. `apart` is how far the packets are from the
# events of that key, `away` from all that are asked about. A record that cannot be compared is called unknown, not
# impossible. Among records that could not have carried it, those of the key come first, and then the nearest in time.
FLOWS = """
    | eval better=case(match_certainty!="none", 0, rivals>0, 1, true(), 2), share=coalesce(match_share,0)
    | sort 0 better -share
    | dedup row
    | eval reason=case(
        role!="flow", null(),
        asked=0, "alone",
        match_certainty!="none", match_certainty,
        rivals=0 AND (has_key=0 OR asked_keyless=1), "unknown",
        rivals=0, "key",
        flowlag_latest<rivals_start, "before",
        flowlag_earliest>rivals_end, "after",
        rivals>1, "between",
        true(), "unknown")
    | eval certainty=case(
        reason="alone", "",
        reason="certain" OR reason="possible" OR reason="unknown", reason,
        isnotnull(reason), "impossible")
    | eval event_at=round((flow_event_start+flow_event_end)/2, 3),
        apart=round(case(reason="before", rivals_start-flowlag_latest, reason="after", flowlag_earliest-rivals_end), 3),
        away=round(max(0, asked_start-flowlag_latest, flowlag_earliest-asked_end), 3)
    | eval why=case(
        reason="alone", "no event to compare with",
        reason="unknown", "no key to compare: see the macro flowlag_event_fields",
        reason="certain", "all its packets passed while the event happened",
        reason="possible" AND flow_event_end-flow_event_start>10, "the event overlaps its packet time",
        reason="possible" AND event_at<flowlag_earliest, "the event is " . ceiling(flowlag_earliest-event_at)
            . " s before its earliest packet time, within the clock error",
        reason="possible" AND event_at>flowlag_latest, "the event is " . ceiling(event_at-flowlag_latest)
            . " s after its latest packet time, within the clock error",
        reason="possible", "the event is " . floor(event_at-flowlag_earliest) . " s after its earliest and "
            . floor(flowlag_latest-event_at) . " s before its latest packet time",
        reason="key", "another " . coalesce(key_name,"key"),
        reason="before", "its last packet passed at least " . floor(apart) . " s before the event",
        reason="after", "its first packet passed at least " . floor(apart) . " s after the event",
        reason="between", "its packets passed between two of the events")
    | eval rank=case(
        role="event" AND asked=1 AND event=asked_event, -3,
        role="event", -2,
        role="skipped", -1,
        reason="certain", 0,
        reason="possible", round(1-match_share,6),
        reason="unknown" OR reason="alone", 2,
        reason="between", 3,
        reason="key", 1000000000+away,
        true(), 3+apart)
"""

# A click on the timeline tells only the lane's label, with the verdict before it. The two lanes without flows, and no
# click at all, choose nothing.
CHOSEN = """
    | eval wanted=replace($lane|s$,"^(can|cannot|unknown): ",""),
        is_chosen=if(role="flow" AND wanted!="*" AND (label=wanted OR like(lane,replace(wanted,"[*]","%"))), 1, 0)
"""

# The flow that was chosen comes first, and the others stay.
TABLE = (
    CHOSEN
    + """
    | where role="flow"
    | sort 0 -is_chosen rank -_time
"""
    + PERCENT
    + """
    | eval first=floor(flowlag_earliest), last=ceiling(flowlag_latest),
        time=strftime(first,"%F %T") . " to " . if(strftime(first,"%F")=strftime(last,"%F"), strftime(last,"%T"),
            strftime(last,"%F %T")) . " ± " . flowlag_uncertainty . " s",
        Packets=coalesce(packets,"") . if(isnotnull(action)," " . action,"")
    | rename lane as Flow, time as "Packet time", certainty as Certainty, why as Why
    | table Flow "Packet time" Certainty Probability Why Packets
"""
)

# Finds the raw records: by a time range that holds them, and by what the chosen ones have in common, as they spell it.
# If none is chosen, the row has no end of that range: so its token has no value, and Splunk does not run the search. A
# Splunk that ran it all the same would search from now on.
SPAN = (
    CHOSEN
    + """
    | where is_chosen=1
    | stats count as records min(from) as from max(to) as to
        dc(client_seen) as sources max(client_seen) as src_ip dc(src_port) as source_ports max(src_port) as src_port
        dc(server_seen) as targets max(server_seen) as dest_ip dc(dest_port) as target_ports max(dest_port) as dest_port
    | eval from=coalesce(from,now()), src_ip=if(sources=1,src_ip,"*"), src_port=if(source_ports=1,src_port,"*"),
        dest_ip=if(targets=1,dest_ip,"*"), dest_port=if(target_ports=1,dest_port,"*")
"""
)

# All events, even if one of them is chosen. What is possible does not depend on the macro flowlag_event_rank, which may
# leave out flows, so the two are asked apart.
ASKED = f"""
    | appendpipe [
        {CHANCES.strip()}
        | sort 0 -probability
        | dedup event
        | rename flow_lane as likely
        | table event likely probability ]
    | appendpipe [
        where role="flow" OR role="event"
        | eval flowlag_status=if(role="flow", "ok", "other")
        | flowlagmatch by="key" anchors="role=event" anchor_time=event_start anchor_end=event_end
            relation=overlap maxmatches=1000
        | stats dc(flow_row) as possible min(has_key) as has_key
            min(flow_flowlag_earliest) as first max(flow_flowlag_latest) as last by event ]
    | where isnull(role)
    | stats max(possible) as possible min(has_key) as has_key min(first) as first max(last) as last
        max(likely) as likely max(probability) as probability by event
    | eval Possible=if(has_key=0, "not known", possible), first=floor(first), last=ceiling(last)
    | sort 0 possible -event
{PERCENT.strip()}
    | eval form=if(strftime(first,"%F")=strftime(last,"%F"),"%T","%F %T"),
        time=strftime(first,form) . " to " . strftime(last,form)
    | rename event as Event, time as "Packet times", likely as "Most probable flow"
    | table Event Possible "Packet times" "Most probable flow" Probability
"""
