# SPDX-License-Identifier: Apache-2.0
"""Owns the one search of the view Packet time that reads events: flow records, other events, and what else was found.

Its rows have what every other search of the view needs: role, key, the connection of a record, and the label of its
lane. The field names are used in this view only.
"""

from __future__ import annotations

from tools.dashboards.odd_text import shown

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
        is_reply=if(src_ip=client_ip OR isnull(client_ip), 0, 1),
        client_seen=if(is_reply=1,dest_seen,src_seen), server_seen=if(is_reply=1,src_seen,dest_seen),
        src_ip=coalesce(client_ip,src_ip), src_port=coalesce(client_port,src_port),
        dest_ip=coalesce(server_ip,dest_ip), dest_port=coalesce(server_port,dest_port)
    | sort 0 num(row)
"""

# A lane's label is its name with long addresses cut; two names of one label get a number, since a click tells only the
# label. `from` and `to` hold the raw record whatever its _time is.
LANES = (
    """
    | eval lane=case(
        role="event", "other events",
        role="skipped", "skipped by AWS",
        role="flow", coalesce(`flowlag_lane`,"flow without a name") . if(turn>1," (" . turn . ")",""),
        true(), role)
    | eval lane="""
    + shown("lane")
    + """
    | eval label=replace(lane,"([0-9A-Fa-f:]{5})[0-9A-Fa-f:]{5,}([0-9A-Fa-f:]{7})","\\1..\\2")
    | sort 0 str(lane) num(row)
    | streamstats dc(lane) as alike by label
    | eval label=label . if(alike>1," #" . alike,""),
        from=floor(min(_time,flowlag_earliest)), to=ceiling(max(_time,flowlag_latest))+1
    | sort 0 num(row)
"""
)

# What the search for flow logs finds whatever its fields are, in its newest thousand events: records of a layout that
# nobody recognises, or without extracted addresses, would otherwise count as not there.
FOUND = """
    | append [
        search ($flows$)
        | head 1000
        | flowlagenrich `flowlag_options`
        | where flowlag_status!="header"
        | eval is_addressed=if(isnotnull(src_ip) AND isnotnull(dest_ip) AND isnotnull(src_port)
            AND isnotnull(dest_port), 1, 0)
        | stats count as found count(eval(flowlag_status!="other")) as recognised
            count(eval(flowlag_status="ok")) as readable count(eval(flowlag_status="nodata")) as nodata
            count(eval(flowlag_status="ok" AND is_addressed=1)) as addressed
            max(eval(if(flowlag_status="ok",flowlag_duration,null()))) as longest
        | eval role="found", row=0, key="found", _time=now() ]
"""

# A flow has a key for each of its ends, and so a row for each: the record does not say which end the event knows.
# Whoever writes an event chooses its name, and the name goes into Markdown, tokens and searches: see odd_text.py. If an
# address is given, only events that share a key with its flows are kept, since few events name both ends. The first
# row is always kept, since it tells how many were examined.
EVENTS = (
    """
    (($flows$) (src_ip=$address|s$ OR dest_ip=$address|s$) (src_port=$port|s$ OR dest_port=$port|s$))
    OR (($flows$) log_status=SKIPDATA)
    OR (`flowlag_events`)
    | flowlagenrich `flowlag_options`
    | where flowlag_status!="nodata" AND flowlag_status!="header"
    | head 10000
    | eval src_seen=src_ip, dest_seen=dest_ip
    | `flowlag_spell(src_ip)`
    | `flowlag_spell(dest_ip)`
    | `flowlag_spell(src)`
    | `flowlag_spell(dest)`
    | eval `flowlag_event_fields`
    | eval role=case(
        flowlag_status="ok", "flow",
        flowlag_status="skipdata", "skipped",
        flowlag_status="other" AND isnotnull(event), "event",
        true(), "unread")
    | eval event="""
    + shown("event")
    + """, interface_id="""
    + shown("interface_id")
    + """
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
    + LANES
    + """
    | mvexpand key
    | eventstats count(eval(role="flow")) as sharing by key
    | eval role=if(role!="event" OR $address|s$="*" OR sharing>0
        OR like(src,replace($address|s$,"[*]","%")) OR like(dest,replace($address|s$,"[*]","%")), role, "elsewhere")
    | where role!="elsewhere" OR row=1
"""
    + FOUND
    + """
    | addinfo
    | table row looked_at role _time event event_start event_end key has_key key_name lane label from to interface_id
        client_seen server_seen src_ip src_port dest_ip dest_port tcp_flags action packets index_lag
        connection start_earliest start_latest start_basis
        flowlag_start flowlag_end flowlag_duration flowlag_earliest flowlag_latest flowlag_uncertainty
        found recognised readable nodata addressed longest info_min_time info_max_time info_search_time
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
