# SPDX-License-Identifier: Apache-2.0
"""Owns the words of the view Packet time: the sentence that answers, what keeps from an answer, and the model."""

from __future__ import annotations

from tools.dashboards.odd_text import MARK, in_markdown, shown
from tools.dashboards.parts import TO_CHECK

#: How many lanes the timeline draws, and how many records or other events in each; the panel is as high as these lanes.
LANES_DRAWN, LANE_RECORDS, LANE_EVENTS = 16, 60, 500

COUNTS = f"""
    | eventstats count as in_lane by lane
    | eval is_marked=if(like(coalesce(event,"") . lane, "%" . {MARK} . "%"), 1, 0)
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
        dc(eval(if(role="flow",lane,null()))) as lanes
        max(eval(if(role="flow",in_lane,null()))) as busiest
        max(found) as found max(recognised) as recognised max(readable) as readable max(nodata) as nodata
        max(addressed) as addressed max(longest) as longest max(flowlag_duration) as longest_here
        max(key_name) as key_name
        max(looked_at) as looked_at
        max(asked) as asked
        max(asked_event) as asked_event max(is_marked) as is_marked
        min(asked_start) as asked_start
        max(asked_end) as asked_end
        max(eval(if(role="flow",flowlag_start-flowlag_earliest,null()))) as lag
        max(index_lag) as index_lag
        max(info_min_time) as info_min_time
        max(info_max_time) as info_max_time
        max(info_search_time) as info_search_time
    | eval zone=strftime(info_search_time,"%z"),
        skipped=if(isnull(skipped_on), null(), mvjoin(mvindex(skipped_on,0,2),", ")
            . if(mvcount(skipped_on)>3," and others",""))
"""

# Why nothing was found, from what the search for flow logs finds without a condition.
MISSING = f"""
    | eval typed=$address|s$
    | `flowlag_spell(typed)`
    | eval address={in_markdown(shown("$address|s$"))}, port={in_markdown(shown("$port|s$"))},
        place=case(
            $address|s$="*" AND $port|s$="*", "",
            $address|s$="*", " for port " . port,
            $port|s$="*", " for address " . address,
            true(), " for address " . address . " and port " . port),
        others=case(events=0, ", and no other event", events=1, ", only 1 other event",
            true(), ", only " . tostring(events,"commas") . " other events"),
        sample=if(found>=1000, "The newest 1,000 events of the search for flow logs were examined",
            "The search for flow logs found " . tostring(found,"commas") . if(found=1," event"," events")),
        missing=case(
            found=0, "No flow record was found" . place . others . ": the search for flow logs finds nothing in "
                . "this time range. Choose another one, or set the macro flowlag_index.",
            recognised=0, sample . ", but none has a layout that flowlagenrich knows: name the layout with format=... "
                . "in the macro flowlag_options.",
            readable=0 AND nodata=recognised, sample . ", all of them NODATA: AWS saw no traffic.",
            readable=0, sample . ", but none of them says when packets passed: they are NODATA, SKIPDATA or "
                . "unreadable.",
            addressed=0, sample . ", and packet times can be read, but no event has the fields src_ip, dest_ip, "
                . "src_port and dest_port: extract them, as the Splunk Add-on for AWS does.",
            true(), "No flow record was found" . place . others . ". There are other flow records in this time "
                . "range: * stands for any address or port" . if(typed=$address|s$, "; write addresses as the records "
                . "do", ""). "." . if(typed=$address|s$, "", " Records write this address " . typed . ".")),
        missing=missing . if(found>0 AND addressed>0, "", {TO_CHECK}),
        missing=if(isnull(skipped), "", "AWS dropped flow records (SKIPDATA) in this time range on " . skipped
            . ", so what you look for may be among them. ") . missing
"""

# Counts that are zero are left out.
ANSWER = f"""
    | eval chosen={in_markdown("asked_event")}
    | eval records=tostring(flows,"commas") . if(flows=1," flow record"," flow records"),
        parts=mvappend(
            if(before>0, tostring(before,"commas") . " certainly ended before it", null()),
            if(after>0, tostring(after,"commas") . " certainly began after it", null()),
            if(other>0, tostring(other,"commas") . if(other=1," has"," have") . " another " . coalesce(key_name,"key"),
                null()),
            if(unknown>0, tostring(unknown,"commas") . " cannot be compared", null())),
        rest=if(isnull(parts), "", mvjoin(parts,", ") . "."),
        sentence=case(
        flows=0, missing,
        asked=0 AND events=0, records . place . ", but no other event to compare with: set the macro flowlag_events."
            . {TO_CHECK},
        asked=0, records . place . ". The chosen event is not in this time range: choose another.",
        asked=1 AND can=0 AND unknown>0, "Whether a flow record fits this event cannot be said: " . chosen
            . ". Of " . records . place . ", " . rest,
        asked=1 AND can=0, "No flow record fits this event: " . chosen . ". Of " . records . place . ", " . rest,
        asked=1, tostring(can,"commas") . " of " . records . place . " could have carried this event: " . chosen
            . "." . if(rest="", "", " " . rest),
        true(), tostring(can,"commas") . " of " . records . place . " could have carried one of the "
            . tostring(asked,"commas") . " events"
            . if(flows-can-unknown>0,"; " . tostring(flows-can-unknown,"commas")
                . " could have carried none of them","")
            . if(unknown>0,"; " . tostring(unknown,"commas") . " cannot be compared","")
            . ". Choose an event to ask about it alone."),
        sentence=sentence . case(blocked=0, "", blocked=1, " One of the records that could shows rejected traffic.",
            true(), " " . tostring(blocked,"commas") . " of the records that could show rejected traffic.")
"""

# The most serious comes first. Records of an event can be missing at the edges of a time range, or still be on their
# way; that is said only of one event, since it is true of some event in nearly every range. How long records last is
# taken from the data: AWS aggregates over one minute or ten.
NOTES = f"""
    | eval longest=min(`flowlag_longest`, if(max(longest,longest_here)>60,600,60)),
        drawn=min(lanes, {LANES_DRAWN}-if(events>0,1,0)-if(isnull(skipped),0,1)),
        notes=mvappend(
        if(looked_at>=10000, "**Only the newest 10,000 records and events were examined**, so events may be missing: "
            . "narrow the time range or give an address.", null()),
        if(flows>0 AND isnotnull(skipped), "AWS dropped flow records (SKIPDATA) in this time range on " . skipped . ".",
            null()),
        if(unread>0, tostring(unread,"commas") . " more could not be read.", null()),
        case(flows=0 OR asked!=1, null(),
            asked_end+lag+longest+max(0,coalesce(index_lag,0))>info_search_time, "More records of that time may still "
                . "arrive" . if(index_lag>0, ": so far they came up to " . ceiling(index_lag) . " s after their end",
                "") . ".",
            asked_start-longest-2<info_min_time OR (info_max_time!="+Infinity" AND asked_end+lag+1>info_max_time),
                "The time range begins or ends close to the event: widen it, since more records may lie outside."),
        if(lanes>drawn, "The timeline draws " . drawn . " of " . tostring(lanes,"commas") . " connections"
            . if(asked=0, "", ", those nearest to " . if(asked=1,"the event","the events") . " first")
            . "; the table has all records.", null()),
        if(busiest>{LANE_RECORDS}, "No lane shows more than {LANE_RECORDS} records.", null()),
        if(events>{LANE_EVENTS}, "The timeline draws {LANE_EVENTS} of " . tostring(events,"commas") . " events.",
            null()),
        if(is_marked=1, {MARK} . " stands for a character that cannot be seen or would change this page.", null()),
        "Times have Splunk's zone, " . zone . "; only the axis of the timeline has that of your browser."),
        note=mvjoin(notes," "),
        model="A flow record's **start** and **end** say when AWS *received* packets for aggregation, up to "
            . coalesce(lag . " seconds", "the lag set in the macro flowlag_options")
            . " after they passed the network interface" . if(isnull(lag), "", " (the lag in use)")
            . ". So every packet of a record passed between **start - " . coalesce(lag . " s","lag")
            . "** and **end + 1 s**: bounds, not an estimate."
"""

SENTENCE = (
    COUNTS
    + MISSING
    + ANSWER
    + NOTES
    + """
    | table sentence note model
"""
)
