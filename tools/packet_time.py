# SPDX-License-Identifier: Apache-2.0
"""The dashboard Packet time: when the packets of each flow can have passed, and which flows can have carried an event.

The searches go from one to the next: the records and the other events, the pairs of them, what can be said of each
record, and from there the sentence, the lanes and the tables. Names of fields are those of the view alone.
"""

from __future__ import annotations

from envelope import GREY, ORANGE, PURPLE, SEA_GREEN, SKY_BLUE, SLATE, VERMILION
from view_parts import (
    FLOWS_INPUT,
    TIME_INPUT,
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
)

EVENTS = """
    (($flows$) (src_ip=$address|s$ OR dest_ip=$address|s$) (src_port=$port|s$ OR dest_port=$port|s$))
    OR (($flows$) log_status=SKIPDATA)
    OR ((`flowlag_events`) (src=$address|s$ OR dest=$address|s$ OR host=$address|s$))
    | flowlagenrich `flowlag_options`
    | where flowlag_status!="nodata" AND flowlag_status!="header"
    | head 50000
    | eval `flowlag_event_fields`
    | eval role=case(
        flowlag_status="ok", "flow",
        flowlag_status="skipdata", "skipped",
        flowlag_status="other" AND isnotnull(event), "event",
        true(), "unread")
    | eval event=if(role="event", strftime(_time,"%F %T") . " " . event, null()),
        lane=case(role="event", "other events", role="skipped", "skipped by AWS", role="flow", `flowlag_lane`),
        index_lag=if(role="flow", _indextime-flowlag_end, null())
    | streamstats count as row
    | addinfo
    | table row role _time event event_start event_end event_key flow_key lane
        src_ip src_port dest_ip dest_port action packets index_lag
        flowlag_start flowlag_end flowlag_duration flowlag_earliest flowlag_latest flowlag_uncertainty
        info_min_time info_max_time info_search_time
"""

CHOICE = """
    | where role="event"
    | dedup event
    | head 200
    | eval label=event, value=event, order=0-_time
    | append [| makeresults | eval label="Any event", value="*", order=-9999999999]
    | sort 0 order
    | table label value
"""

# Every flow is to be seen, also one that belongs to no event. flowlagmatch shows every anchor, so here the flows are
# the anchors, and the events take the part of flows, with their clock error as the interval. Whatever is to be seen is
# `shown`; an event that is asked about is `compared` besides.
PAIRS = """
    | eval side=if(role="event" AND ($event|s$="*" OR event=$event|s$), mvappend("shown","compared"), "shown")
    | mvexpand side
    | eval key=case(
        side="compared", coalesce(event_key,"event without a key"),
        role="flow", coalesce(flow_key,"flow without a key"),
        true(), role)
    | eval flowlag_status="ok",
        flowlag_earliest=coalesce(if(role="event",event_start,flowlag_earliest), _time),
        flowlag_latest=coalesce(if(role="event",event_end,flowlag_latest), _time)
    | eval asked_event=if(side="compared",event,null()),
        asked_start=if(side="compared",flowlag_earliest,null()),
        asked_end=if(side="compared",flowlag_latest,null())
    | eventstats count(asked_event) as rivals min(asked_start) as rivals_start max(asked_end) as rivals_end by key
    | eventstats count(asked_event) as asked max(asked_event) as asked_event
        min(asked_start) as asked_start max(asked_end) as asked_end
    | flowlagmatch by="key" anchors="side=shown" relation=overlap maxmatches=1000
"""

# The best event of each record comes first. `apart` is how far a record's packets are from the events of its key.
FLOWS = """
    | dedup row
    | eval reason=case(
        role!="flow", null(),
        asked=0, "alone",
        match_certainty!="none", match_certainty,
        rivals=0, "key",
        flowlag_latest<rivals_start, "before",
        flowlag_earliest>rivals_end, "after",
        true(), "between")
    | eval certainty=case(
        reason="alone", "",
        reason="certain" OR reason="possible", reason,
        isnotnull(reason), "impossible")
    | eval event_at=round((flow_event_start+flow_event_end)/2, 3),
        apart=round(case(reason="before", rivals_start-flowlag_latest, reason="after", flowlag_earliest-rivals_end), 3)
    | eval why=case(
        reason="alone", "no other event to compare with",
        reason="certain", "all its packets passed at the time of the event",
        reason="possible", "the event is " . max(0,floor(event_at-flowlag_earliest)) . " s after its earliest and "
            . max(0,floor(flowlag_latest-event_at)) . " s before its latest packet time",
        reason="key", "another client address or port",
        reason="before", "its last packet passed at least " . floor(apart) . " s before the event",
        reason="after", "its first packet passed at least " . floor(apart) . " s after the event",
        reason="between", "its packets passed between two of the events")
    | eval rank=case(
        role="event", -2,
        role="skipped", -1,
        reason="certain", 0,
        reason="possible", round(1-match_share,6),
        reason="alone", 2,
        reason="between", 3,
        reason="key", 1000000000,
        true(), 3+apart)
    | eval from=floor(min(_time,flowlag_earliest)), to=ceiling(max(_time,flowlag_latest))+1
"""

SENTENCE = """
    | stats count as rows
        count(eval(role="flow")) as flows
        count(eval(role="event")) as events
        count(eval(role="skipped")) as skipped
        count(eval(role="unread")) as unread
        count(eval(certainty="certain" OR certainty="possible")) as can
        count(eval(reason="before")) as before
        count(eval(reason="after")) as after
        count(eval(reason="key")) as other
        max(asked) as asked
        max(asked_event) as asked_event
        min(asked_start) as asked_start
        max(asked_end) as asked_end
        max(flowlag_duration) as longest
        max(eval(flowlag_start-flowlag_earliest)) as lag
        max(index_lag) as index_lag
        max(info_min_time) as info_min_time
        max(info_max_time) as info_max_time
        max(info_search_time) as info_search_time
    | eval records=flows . if(flows=1," flow record"," flow records"),
        place=if($address|s$="*",""," of address " . $address|s$) . if($port|s$="*",""," and port " . $port|s$)
    | eval sentence=case(
        flows=0 AND events=0, "Nothing was found" . place . ": neither a flow record nor another event. "
            . "Check the time range, the search for flow logs and the macro flowlag_events; "
            . "* stands for every address and every port.",
        flows=0, "No flow record" . place . " was found, but " . events . " other events. "
            . "Check the time range and the search for flow logs.",
        asked=0 AND events=0, records . place . ", and no other event to compare with: check the macro flowlag_events.",
        asked=0, records . place . ". The chosen event is not in this time range: choose another.",
        asked=1, can . " of " . records . place . " can have carried this event: " . asked_event . "; "
            . before . " certainly ended before it, " . after . " certainly began after it"
            . if(other>0,", " . other . " have another client address or port","") . ".",
        true(), can . " of " . records . place . " can have carried one of " . asked . " events; "
            . (flows-can) . " can have carried none of them. Choose an event to ask about it alone.")
    | eval note=case(
        asked=0 OR flows=0, "",
        asked_end+lag+longest+max(0,coalesce(index_lag,0))>info_search_time,
            " Records of that time may still be on their way: they come up to " . ceiling(index_lag) . " s late.",
        asked_start-longest-2<info_min_time OR (info_max_time!="+Infinity" AND asked_end+lag+1>info_max_time),
            " The time range ends close by: widen it, more records may lie outside.",
        true(), "")
    | eval sentence=sentence . note
        . case(skipped=0, "", skipped=1, " A SKIPDATA record says that AWS dropped flows in this time range.",
            true(), " " . skipped . " SKIPDATA records say that AWS dropped flows in this time range.")
        . if(unread>0," " . unread . " more could not be read.","")
        . if(rows>=50000," Only the newest 50,000 were looked at: narrow the time range or give an address.","")
    | table sentence
"""

# A record has two bars in its lane: the wide one between the bounds, and on it the one from start to end.
LANES = """
    | where role!="unread"
    | eventstats min(rank) as lane_rank by lane
    | sort 0 lane_rank lane _time
    | streamstats dc(lane) as lane_number
    | where lane_number<=20
    | eval part=if(role="flow", mvappend("wide","inner"), role)
    | mvexpand part
    | eval category=case(
        part="event" AND asked=1 AND event=asked_event, "the chosen event",
        part="event", "another event",
        part="skipped", "records skipped by AWS",
        part="inner" AND certainty="impossible", "start to end, cannot",
        part="inner", "start to end, can",
        certainty="impossible", "packet time, cannot",
        true(), "packet time, can")
    | eval begin=case(part="event", _time, part="inner", flowlag_start, true(), flowlag_earliest),
        duration_ms=case(
            part="event", 0,
            part="inner", 1000*(flowlag_latest-flowlag_start),
            true(), 1000*(flowlag_latest-flowlag_earliest)),
        detail=coalesce(why, event, "AWS dropped flows here")
    | eval _time=begin
    | table _time lane duration_ms category detail
"""

# A click on the timeline tells the lane and no other field of its row; the two lanes without flows stand for all.
CHOSEN = """
    | where role="flow" AND ($lane|s$="other events" OR $lane|s$="skipped by AWS"
        OR like(lane, replace($lane|s$,"[*]","%")))
"""

TABLE = """
    | sort 0 rank -_time
    | eval Earliest=strftime(floor(flowlag_earliest),"%F %T"), Latest=strftime(ceiling(flowlag_latest),"%F %T")
    | rename lane as Flow, flowlag_uncertainty as "± s", certainty as Certainty, why as Why,
        packets as Packets, action as Action
    | table Flow Earliest Latest "± s" Certainty Why Packets Action
"""

# What finds the raw records: a time range that holds them whatever their _time is, and the flow, if it is one.
SPAN = """
    | stats min(from) as from max(to) as to dc(lane) as lanes max(src_ip) as src_ip max(src_port) as src_port
        max(dest_ip) as dest_ip max(dest_port) as dest_port
    | eval from=coalesce(from,0), to=coalesce(to,1),
        src_ip=if(lanes=1,src_ip,"*"), src_port=if(lanes=1,src_port,"*"),
        dest_ip=if(lanes=1,dest_ip,"*"), dest_port=if(lanes=1,dest_port,"*")
"""

# Of every event, also where one of them is chosen.
ASKED = """
    | where role="flow" OR role="event"
    | eval key=if(role="event", coalesce(event_key,"event without a key"), coalesce(flow_key,"flow without a key")),
        flowlag_status=if(role="flow", "ok", "other")
    | flowlagmatch by="key" anchors="role=event" anchor_time=event_start anchor_end=event_end
        relation=overlap maxmatches=1000
    | stats max(match_count) as Possible count(eval(match_certainty="certain")) as Certain
        min(flow_flowlag_earliest) as first max(flow_flowlag_latest) as last by event
    | sort 0 Possible -event
    | eval From=strftime(floor(first),"%T"), To=strftime(ceiling(last),"%T")
    | rename event as Event
    | table Event Possible Certain From To
"""

RECORDS_SEARCH = (
    "($flows$) src_ip=$ds_span:result.src_ip|s$ dest_ip=$ds_span:result.dest_ip|s$ "
    "src_port=$ds_span:result.src_port|s$ dest_port=$ds_span:result.dest_port|s$"
)
RECORDS_TIME = {"earliest": "$ds_span:result.from$", "latest": "$ds_span:result.to$"}
RECORDS = f"""
    {RECORDS_SEARCH}
    | head 1000
    | eval Time=strftime(_time,"%F %T"), Indexed=strftime(_indextime,"%F %T"), Record=_raw
    | rename interface_id as Interface
    | table Time Indexed Interface Record
"""

SOURCES: JsonObject = {
    "ds_events": search("Flow records and other events", EVENTS),
    "ds_choice": chain("Events to choose from", "ds_events", CHOICE),
    "ds_pairs": chain("Flow records against the chosen event", "ds_events", PAIRS),
    "ds_flows": chain("What can be said of each flow record", "ds_pairs", FLOWS),
    # Tokens of a search's result are called after the search's name.
    "ds_sentence": chain("ds_sentence", "ds_flows", SENTENCE),
    "ds_lanes": chain("Lanes of the timeline", "ds_flows", LANES),
    "ds_chosen": chain("Flow records of the flow that was clicked", "ds_flows", CHOSEN),
    "ds_table": chain("Flow records by certainty", "ds_chosen", TABLE),
    "ds_span": chain("ds_span", "ds_chosen", SPAN),
    "ds_asked": chain("Possible flow records of each event", "ds_events", ASKED),
    "ds_records": search("Raw flow records of what was clicked", RECORDS, **RECORDS_TIME),
}

OPEN_RECORDS: JsonObject = {
    "type": "drilldown.linkToSearch",
    "options": {"query": RECORDS_SEARCH, **RECORDS_TIME, "type": "custom", "newTab": True},
}
RECORD_WIDTHS = {"Time": 160, "Indexed": 160, "Interface": 200, "Record": 660}

#: A timeline's legend changes its colours with the data, so they are fixed here, and explained by a picture. The second
#: colour within a bar is the record from start to end.
COLOURS = {
    "packet time, can": ORANGE,
    "start to end, can": VERMILION,
    "packet time, cannot": GREY,
    "start to end, cannot": SLATE,
    "records skipped by AWS": SKY_BLUE,
    "the chosen event": PURPLE,
    "another event": SEA_GREEN,
}
#: Behind the words in tables: pale, so that they can be read in both themes.
PALE = {"certain": f"{SEA_GREEN}66", "possible": f"{ORANGE}66", "impossible": f"{GREY}33"}

PANELS: JsonObject = {
    "viz_sentence": sentence("ds_sentence"),
    "viz_key": image("timeline_key.svg"),
    "viz_lanes": {
        "type": "splunk.timeline",
        "title": "When the packets of each flow can have passed (the second colour: its record, start to end)",
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
        "eventHandlers": [set_tokens(lane="row.lane.value")],
    },
    "viz_table": {
        **table(
            "Flow records, those that can belong first (click one for its raw records)",
            "ds_table",
            {"Flow": 320, "Earliest": 160, "Latest": 160, "± s": 60, "Certainty": 100, "Why": 280, "Packets": 95},
            coloured="Certainty",
        ),
        "context": {"pale": [{"match": name, "value": value} for name, value in PALE.items()]},
        "eventHandlers": [set_tokens(lane="row.Flow.value")],
    },
    "viz_records": {
        **table("Raw flow records of $lane$ (click one to open Search)", "ds_records", RECORD_WIDTHS),
        "containerOptions": {"visibility": {"showConditions": ["one_flow"]}},
        "eventHandlers": [OPEN_RECORDS],
    },
    "viz_asked": {
        **table(
            "Other events, those without a possible flow first (click one to choose it)",
            "ds_asked",
            {"Event": 300, "Possible": 105, "Certain": 95, "From": 90, "To": 90},
        ),
        "eventHandlers": [set_tokens(event="row.Event.value")],
    },
    "viz_model": markdown(
        "A flow record's `start` and `end` say when packets were *received for aggregation*, up to 60 seconds after "
        "they passed the network interface. So all packets of a record passed between `start - 60 s` and `end + 1 s`: "
        "a bound, not an estimate."
    ),
    "viz_envelope": image("envelope.svg"),
}

PACKET_TIME: JsonObject = {
    "title": "Packet time",
    "description": "When the packets of each flow can have passed, and which flows can have carried an event.",
    "inputs": {
        "input_time": TIME_INPUT,
        "input_flows": FLOWS_INPUT,
        "input_address": text_input("Address", "address", "*"),
        "input_port": text_input("Port", "port", "*"),
        "input_event": dropdown("Event", "event", "ds_choice"),
        "input_lane": text_input("Flow", "lane", "*"),
    },
    "dataSources": SOURCES,
    "visualizations": PANELS,
    "defaults": {"dataSources": TIME_RANGE},
    "expressions": {"conditions": {"one_flow": {"name": "one flow was clicked", "value": '$lane$ != "*"'}}},
    "layout": {
        "type": "grid",
        "globalInputs": ["input_time", "input_flows", "input_address", "input_port", "input_event", "input_lane"],
        "structure": [
            block("viz_sentence", 0, 0, WIDTH, 84),
            block("viz_key", 0, 84, WIDTH, 44),
            block("viz_lanes", 0, 128, WIDTH, 760),
            block("viz_table", 0, 888, WIDTH, 460),
            block("viz_records", 0, 1348, WIDTH, 260),
            block("viz_asked", 0, 1608, 620, 420),
            block("viz_model", 620, 1608, 580, 110),
            block("viz_envelope", 620, 1718, 580, 310),
        ],
    },
}
