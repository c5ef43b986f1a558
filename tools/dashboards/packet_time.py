# SPDX-License-Identifier: Apache-2.0
"""The dashboard Packet time: when the packets of each flow can have passed, and which flows can have carried an event.

Each search builds on the one before: first the records and the other events, then their pairs, then what can be said of
each record, and from there the sentence, the lanes and the tables. The field names are used in this view only.
"""

from __future__ import annotations

from tools.dashboards.envelope import BLACK, GREY, ORANGE, PURPLE, SEA_GREEN, SKY_BLUE, SLATE, VERMILION
from tools.dashboards.parts import (
    FLOWS_INPUT,
    TIME_RANGE,
    WIDTH,
    JsonObject,
    block,
    chain,
    dropdown,
    image,
    markdown,
    search,
    sentence,
    set_tokens,
    table,
    text_input,
    time_input,
)

# A record takes the ends, as the opening side has them, and the start of its connection. The records of one pair of
# ends come in the order of their starts, and each connection comes before its first record: so the last connection seen
# is a record's own. A later connection of the same ends has a greater `turn`. A record in no connection stays as it is.
CONNECTIONS = """
    | appendpipe [
        where role="flow"
        | flowlagconnect `flowlag_connect_options`
        | eval role="connection", src_ip=src, dest_ip=dest, protocol_code=protocol, flowlag_start=first_start
        | eval client_ip=src, client_port=src_port, server_ip=dest, server_port=dest_port ]
    | eval one_end=lower(src_ip) . " " . src_port, other_end=lower(dest_ip) . " " . dest_port,
        protocol_code=coalesce(protocol_code,protocol),
        ends=if((role="flow" OR role="connection") AND isnotnull(one_end) AND isnotnull(other_end),
            mvjoin(mvsort(mvappend(one_end,other_end))," ") . " " . protocol_code, null()),
        ends=coalesce(ends,"row " . row)
    | sort 0 str(ends) num(flowlag_start) str(role)
    | streamstats count(eval(role="connection")) as turn
        last(client_ip) as client_ip last(client_port) as client_port
        last(server_ip) as server_ip last(server_port) as server_port
        last(start_earliest) as start_earliest last(start_latest) as start_latest last(start_basis) as start_basis
        by ends
    | where role!="connection"
    | eval connection=ends . " " . turn,
        src_ip=coalesce(client_ip,src_ip), src_port=coalesce(client_port,src_port),
        dest_ip=coalesce(server_ip,dest_ip), dest_port=coalesce(server_port,dest_port)
    | sort 0 num(row)
"""

# A flow has a key for each of its ends, and so a row for each: the record does not say which end the event knows.
# Whoever writes an event chooses its name, and the name goes into Markdown, tokens and searches: characters that mean
# more than themselves there are removed. If an address is given, only events that share a key with its flows are kept,
# since few events name both ends. The first row is always kept, since it tells how many were examined.
EVENTS = (
    """
    (($flows$) (src_ip=$address|s$ OR dest_ip=$address|s$) (src_port=$port|s$ OR dest_port=$port|s$))
    OR (($flows$) log_status=SKIPDATA)
    OR (`flowlag_events`)
    | flowlagenrich `flowlag_options`
    | where flowlag_status!="nodata" AND flowlag_status!="header"
    | head 10000
    | eval `flowlag_event_fields`
    | eval role=case(
        flowlag_status="ok", "flow",
        flowlag_status="skipdata", "skipped",
        flowlag_status="other" AND isnotnull(event), "event",
        true(), "unread")
    | eval event=replace(replace(event,"[\\x00-\\x1f\\x24\\x3c\\x3e\\x5b\\x5d\\x60]"," "),"://",":/")
    | eval event=if(role="event", strftime(_time,"%F %T") . " " . event, null()),
        has_key=case(role="flow" AND isnotnull(flow_key), 1, role="event" AND isnotnull(event_key), 1, true(), 0),
        key=case(
            role="flow", coalesce(flow_key,"flow without a key"),
            role="event", coalesce(event_key,"event without a key"),
            true(), role),
        index_lag=if(role="flow", _indextime-flowlag_end, null())
    | streamstats count as row
    | eventstats max(row) as looked_at
"""
    + CONNECTIONS
    + """
    | eval lane=case(
        role="event", "other events",
        role="skipped", "skipped by AWS",
        role="flow", coalesce(`flowlag_lane`,"flow without a name") . if(turn>1," (" . turn . ")",""))
    | mvexpand key
    | eventstats count(eval(role="flow")) as sharing by key
    | eval role=if(role!="event" OR $address|s$="*" OR sharing>0
        OR like(src,replace($address|s$,"[*]","%")) OR like(dest,replace($address|s$,"[*]","%")), role, "elsewhere")
    | where role!="elsewhere" OR row=1
    | addinfo
    | table row looked_at role _time event event_start event_end key has_key key_name lane interface_id
        src_ip src_port dest_ip dest_port tcp_flags action packets index_lag
        connection start_earliest start_latest start_basis
        flowlag_start flowlag_end flowlag_duration flowlag_earliest flowlag_latest flowlag_uncertainty
        info_min_time info_max_time info_search_time
"""
)

CHOICE = """
    | where role="event"
    | dedup event
    | head 200
    | eval label=event, value=event, order=0-_time
    | appendpipe [
        stats count
        | eval label="Any event", value="*", order=-9999999999
        | table label value order ]
    | sort 0 order
    | table label value
"""

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
# interfaces tell of the one packet that opened it. A record has the number if it can have carried the event.
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
# events of that key. A record that cannot be compared is called unknown, not impossible.
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
        apart=round(case(reason="before", rivals_start-flowlag_latest, reason="after", flowlag_earliest-rivals_end), 3)
    | eval why=case(
        reason="alone", "no other event to compare with",
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
        role="event", -2,
        role="skipped", -1,
        reason="certain", 0,
        reason="possible", round(1-match_share,6),
        reason="unknown" OR reason="alone", 2,
        reason="between", 3,
        reason="key", 1000000000,
        true(), 3+apart)
    | eval from=floor(min(_time,flowlag_earliest)), to=ceiling(max(_time,flowlag_latest))+1,
        label=replace(lane,"([0-9A-Fa-f:]{5})[0-9A-Fa-f:]{5,}([0-9A-Fa-f:]{7})","\\1..\\2")
"""

SENTENCE = """
    | stats count(eval(role="flow")) as flows
        count(eval(role="event")) as events
        count(eval(role="unread")) as unread
        count(eval(certainty="certain" OR certainty="possible")) as can
        count(eval((certainty="certain" OR certainty="possible") AND action="blocked")) as blocked
        count(eval(reason="before")) as before
        count(eval(reason="after")) as after
        count(eval(reason="key")) as other
        count(eval(reason="unknown")) as unknown
        values(eval(if(role="skipped",coalesce(interface_id,"an unknown interface"),null()))) as skipped_on
        max(key_name) as key_name
        max(looked_at) as looked_at
        max(asked) as asked
        max(asked_event) as asked_event
        min(asked_start) as asked_start
        max(asked_end) as asked_end
        max(eval(flowlag_start-flowlag_earliest)) as lag
        max(index_lag) as index_lag
        max(info_min_time) as info_min_time
        max(info_max_time) as info_max_time
        max(info_search_time) as info_search_time
    | eval records=flows . if(flows=1," flow record"," flow records"),
        place=case(
            $address|s$="*" AND $port|s$="*", "",
            $address|s$="*", " for port " . $port|s$,
            $port|s$="*", " for address " . $address|s$,
            true(), " for address " . $address|s$ . " and port " . $port|s$)
    | eval sentence=case(
        flows=0 AND events=0, "Nothing was found" . place . ": no flow record (by src_ip, dest_ip, src_port and "
            . "dest_port) and no other event. Check the time range, the search for flow logs and the macro "
            . "flowlag_events. * stands for any address or port; write addresses as the records do.",
        flows=0, "No flow record" . place . " was found, only " . events
            . if(events=1," other event. "," other events. ") . "Check the time range and the search for flow logs.",
        asked=0 AND events=0, records . place . ", but no other event to compare with: check the macro flowlag_events.",
        asked=0, records . place . ". The chosen event is not in this time range: choose another.",
        asked=1, can . " of " . records . place . " can have carried this event: " . asked_event . ". "
            . before . " certainly ended before it, " . after . " certainly began after it"
            . if(other>0,", " . other . if(other=1," has"," have") . " another " . coalesce(key_name,"key"),"")
            . if(unknown>0,", " . unknown . " cannot be compared","") . ".",
        true(), can . " of " . records . place . " can have carried one of the " . asked . " events"
            . if(flows-can-unknown>0,"; " . (flows-can-unknown) . " can have carried none of them","")
            . if(unknown>0,"; " . unknown . " cannot be compared","") . ". Choose an event to ask about it alone.")
    | eval note=case(
        asked=0 OR flows=0, "",
        asked_end+lag+`flowlag_longest`+max(0,coalesce(index_lag,0))>info_search_time,
            " More records of that time may still arrive" . if(index_lag>0,": so far they arrived up to "
            . ceiling(index_lag) . " s after their end","") . ".",
        asked_start-`flowlag_longest`-2<info_min_time OR (info_max_time!="+Infinity" AND asked_end+lag+1>info_max_time),
            " The time range begins or ends close by: widen it, since more records may lie outside.",
        true(), "")
    | eval sentence=sentence . coalesce(note,"")
        . case(blocked=0, "", blocked=1, " One of the records that can shows rejected traffic.",
            true(), " " . blocked . " of the records that can show rejected traffic.")
        . if(isnull(skipped_on),""," AWS skipped records (SKIPDATA) in this time range on "
            . mvjoin(mvindex(skipped_on,0,2),", ") . if(mvcount(skipped_on)>3," and others","") . ".")
        . if(unread>0," " . unread . " more could not be read.","")
        . if(looked_at>=10000," Only the newest 10,000 records and events were examined, so events may be missing: "
            . "narrow the time range or give an address.","")
    | table sentence
"""

# A record has two bars in its lane: a wide one between the bounds, and on it a second one from start to end. Two marks
# say between which times the first packet of the connection passed: a bar there would hide the colours below it. The
# chosen event is drawn in each lane that can have it. Records with the same stamps, as both directions and several
# interfaces often have them, are drawn once.
LANES = """
    | where role="flow" OR role="event" OR role="skipped"
    | eventstats min(rank) as lane_rank by lane
    | sort 0 lane_rank lane _time
    | streamstats dc(lane) as lane_number
    | where lane_number<=20
    | eval part=case(
        role!="flow", role,
        asked=1 AND (reason="certain" OR reason="possible"), mvappend("wide","inner","since","until","here"),
        true(), mvappend("wide","inner","since","until"))
    | mvexpand part
    | eval is_bound=if(part="since" OR part="until",1,0)
    | where is_bound=0 OR isnotnull(start_earliest)
    | eventstats min(flowlag_earliest) as drawn_from max(flowlag_latest) as drawn_to
    | eval mark=round(min((drawn_to-drawn_from)/200, (start_latest-start_earliest)/2), 3),
        category=case(
        is_bound=1, "bounds of its first packet",
        part="here" OR part="event" AND asked=1 AND event=asked_event, "the chosen event",
        part="event", "another event",
        part="skipped", "records skipped by AWS",
        part="inner" AND certainty="impossible", "start to end, cannot",
        part="inner", "start to end, can",
        certainty="impossible", "packet time, cannot",
        true(), "packet time, can")
    | eval begin=case(
            part="event", _time,
            part="here", event_at,
            part="since", start_earliest,
            part="until", start_latest-mark,
            part="inner", flowlag_start,
            true(), flowlag_earliest),
        duration_ms=case(
            part="event" OR part="here", 0,
            is_bound=1, 1000*mark,
            part="inner", 1000*(flowlag_latest-flowlag_start),
            true(), 1000*(flowlag_latest-flowlag_earliest)),
        order=case(part="wide", 1, part="inner", 2, is_bound=1, 3, true(), 4),
        first_packet="its first packet passed between " . strftime(floor(start_earliest),"%T") . " and "
            . strftime(ceiling(start_latest),"%T") . case(
                start_basis="syn", "",
                start_basis="doubt", ", or the ports were used again",
                true(), ", unless it began before these records"),
        what=if(is_bound=1, first_packet, why),
        detail=case(
            role="event", event,
            part="here", asked_event,
            role="skipped", "AWS skipped records here, on " . coalesce(interface_id,"an unknown interface"),
            label!=lane, lane . ": " . what,
            true(), what)
    | eval _time=begin, lane=label
    | dedup lane _time duration_ms category detail
    | sort 0 lane_number order _time
    | table _time lane duration_ms category detail
"""

# A click on the timeline tells only the lane's label, no other field of its row. The two lanes without flows stand for
# all flows.
CHOSEN = """
    | where role="flow" AND ($lane|s$="other events" OR $lane|s$="skipped by AWS" OR label=$lane|s$
        OR like(lane, replace($lane|s$,"[*]","%")))
"""

TABLE = (
    """
    | sort 0 rank -_time
"""
    + PERCENT
    + """
    | eval Earliest=strftime(floor(flowlag_earliest),"%F %T"), Latest=strftime(ceiling(flowlag_latest),"%F %T")
    | rename lane as Flow, flowlag_uncertainty as "± s", certainty as Certainty, why as Why,
        packets as Packets, action as Action
    | table Flow Earliest Latest "± s" Certainty Probability Why Packets Action
"""
)

# Finds the raw records: by a time range that holds them whatever their _time is, and by what the chosen ones have in
# common. If none is chosen, the range is empty and the panel is hidden.
SPAN = """
    | stats min(from) as from max(to) as to
        dc(src_ip) as sources max(src_ip) as src_ip dc(src_port) as source_ports max(src_port) as src_port
        dc(dest_ip) as targets max(dest_ip) as dest_ip dc(dest_port) as target_ports max(dest_port) as dest_port
    | eval is_chosen=if($lane|s$="*" OR $lane|s$="other events" OR $lane|s$="skipped by AWS", 0, 1)
    | eval from=if(is_chosen=1,coalesce(from,0),0), to=if(is_chosen=1,coalesce(to,1),1),
        src_ip=if(sources=1,src_ip,"*"), src_port=if(source_ports=1,src_port,"*"),
        dest_ip=if(targets=1,dest_ip,"*"), dest_port=if(target_ports=1,dest_port,"*")
"""

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
    | eval Possible=if(has_key=0, "not known", possible)
    | sort 0 possible -event
{PERCENT.strip()}
    | eval From=strftime(floor(first),"%T"), To=strftime(ceiling(last),"%T")
    | rename event as Event, likely as "Most probable flow"
    | table Event Possible From To "Most probable flow" Probability
"""

# A connection has records of both directions.
RECORDS_SEARCH = (
    "($flows$) ((src_ip=$ds_span:result.src_ip|s$ dest_ip=$ds_span:result.dest_ip|s$ "
    "src_port=$ds_span:result.src_port|s$ dest_port=$ds_span:result.dest_port|s$) OR "
    "(src_ip=$ds_span:result.dest_ip|s$ dest_ip=$ds_span:result.src_ip|s$ "
    "src_port=$ds_span:result.dest_port|s$ dest_port=$ds_span:result.src_port|s$))"
)
RECORDS_TIME = {"earliest": "$ds_span:result.from$", "latest": "$ds_span:result.to$"}
RECORDS = f"""
    {RECORDS_SEARCH}
    | head 1000
    | eval Time=strftime(_time,"%F %T"), Indexed=strftime(_indextime,"%F %T"), Record=_raw
    | rename interface_id as Interface
    | table Time Indexed Interface Record
"""

# Each chain starts from the events: older versions of Dashboard Studio allow few chains in a row.
SOURCES: JsonObject = {
    "ds_events": search("Flow records and other events", EVENTS),
    "ds_choice": chain("Events to choose from", "ds_events", CHOICE),
    # The tokens of a search's result bear the search's name.
    "ds_sentence": chain("ds_sentence", "ds_events", PAIRS + FLOWS + SENTENCE),
    "ds_lanes": chain("Lanes of the timeline", "ds_events", PAIRS + FLOWS + LANES),
    "ds_table": chain("Flow records by certainty", "ds_events", PROBABILITY + PAIRS + FLOWS + CHOSEN + TABLE),
    "ds_span": chain("ds_span", "ds_events", PAIRS + FLOWS + CHOSEN + SPAN),
    "ds_asked": chain("Possible flow records of each event", "ds_events", ASKED),
    "ds_records": search("Raw flow records of the chosen flow", RECORDS, **RECORDS_TIME),
}

OPEN_RECORDS: JsonObject = {
    "type": "drilldown.linkToSearch",
    "options": {"query": RECORDS_SEARCH, **RECORDS_TIME, "type": "custom", "newTab": True},
}
TABLE_WIDTHS = {
    "Flow": 290,
    "Earliest": 165,
    "Latest": 165,
    "± s": 70,
    "Certainty": 115,
    "Probability": 130,
    "Why": 260,
    "Packets": 105,
}
RECORD_WIDTHS = {"Time": 160, "Indexed": 160, "Interface": 200, "Record": 660}

#: A click on a lane's name tells its label in `value`. A click on a bar tells a duration there, and the label in a key
#: of its own: the later of the two counts. The name is the easier target, because Splunk draws the timeline anew when
#: the mouse comes onto a bar, and a bar takes no click before the mouse has moved on it.
CHOOSE_LANE: JsonObject = {
    "type": "drilldown.setToken",
    "options": {"tokens": [{"token": "lane", "key": "value"}, {"token": "lane", "key": "row.lane.value"}]},
}

#: A timeline's own legend changes its colours with the data, so the colours are fixed here and a picture explains them.
#: The second colour within a bar is the record from start to end.
COLOURS = {
    "packet time, can": ORANGE,
    "start to end, can": VERMILION,
    "packet time, cannot": GREY,
    "start to end, cannot": SLATE,
    "records skipped by AWS": SKY_BLUE,
    "bounds of its first packet": BLACK,
    "the chosen event": PURPLE,
    "another event": SEA_GREEN,
}
#: Backgrounds of words in tables: pale, so that the words can be read in both themes.
PALE = {"certain": f"{SEA_GREEN}66", "possible": f"{ORANGE}66", "impossible": f"{GREY}33"}

PANELS: JsonObject = {
    "viz_sentence": sentence("ds_sentence"),
    "viz_key": image("timeline_key.svg"),
    "viz_lanes": {
        "type": "splunk.timeline",
        "title": "When the packets of each flow can have passed (second colour: from start to end of the record)",
        "dataSources": {"primary": "ds_lanes"},
        "options": {
            "x": "> primary | seriesByName('_time')",
            "y": "> primary | seriesByName('lane')",
            "duration": "> primary | seriesByName('duration_ms')",
            "category": "> primary | seriesByName('category')",
            "dataColors": "> primary | seriesByName('category') | matchValue(colours)",
            "additionalTooltipFields": ["detail"],
            "yAxisLabelWidth": 400,
        },
        "context": {"colours": [{"match": name, "value": value} for name, value in COLOURS.items()]},
        "containerOptions": {"visibility": {"hideWhenNoData": True}},
        "eventHandlers": [CHOOSE_LANE],
    },
    "viz_table": {
        **table(
            "Flow records, possible ones first (click one to see its raw records)",
            "ds_table",
            TABLE_WIDTHS,
            coloured="Certainty",
        ),
        "context": {"pale": [{"match": name, "value": value} for name, value in PALE.items()]},
        "eventHandlers": [set_tokens(lane="row.Flow.value")],
    },
    "viz_records": {
        **table("Raw flow records of $lane$ (click one to open Search)", "ds_records", RECORD_WIDTHS),
        "containerOptions": {"visibility": {"hideWhenNoData": True}},
        "eventHandlers": [OPEN_RECORDS],
    },
    "viz_asked": {
        **table(
            "Other events, those without a possible record first (click one to choose it)",
            "ds_asked",
            {"Event": 440, "Possible": 105, "From": 85, "To": 85, "Most probable flow": 320, "Probability": 130},
        ),
        "eventHandlers": [set_tokens(event="row.Event.value")],
    },
    "viz_model": markdown(
        "A flow record's `start` and `end` say when AWS *received* packets for aggregation, up to 60 seconds after "
        "they passed the network interface. So every packet of a record passed between `start - 60 s` and `end + 1 s`: "
        "bounds, not an estimate."
    ),
    "viz_envelope": image("envelope.svg"),
}

PACKET_TIME: JsonObject = {
    "title": "Packet time",
    "description": "When the packets of each flow can have passed, and which flows can have carried an event.",
    "inputs": {
        "input_time": time_input("-60m@m,now"),
        "input_flows": FLOWS_INPUT,
        "input_address": text_input("Address", "address", "*"),
        "input_port": text_input("Port", "port", "*"),
        "input_event": dropdown("Event", "event", "ds_choice"),
        "input_lane": text_input("Flow", "lane", "*"),
    },
    "dataSources": SOURCES,
    "visualizations": PANELS,
    "defaults": {"dataSources": TIME_RANGE},
    "layout": {
        "type": "grid",
        "globalInputs": ["input_time", "input_flows", "input_address", "input_port", "input_event", "input_lane"],
        "structure": [
            block("viz_sentence", 0, 0, WIDTH, 84),
            block("viz_key", 0, 84, WIDTH, 44),
            block("viz_lanes", 0, 128, WIDTH, 760),
            block("viz_table", 0, 888, WIDTH, 460),
            block("viz_records", 0, 1348, WIDTH, 260),
            block("viz_asked", 0, 1608, WIDTH, 420),
            block("viz_model", 0, 2028, 620, 310),
            block("viz_envelope", 620, 2028, 580, 310),
        ],
    },
}
