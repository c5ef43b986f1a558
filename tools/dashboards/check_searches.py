# SPDX-License-Identifier: Apache-2.0
"""The searches of the dashboard Check: what is found of flow events, other events, lookups and macros.

One search finds everything, each part in its own rows, so that an empty or refused part takes nothing else away. The
flow events are counted without our commands first, so that a command that fails, or an indexer without lib/, shows.
What is large is the main search; the appended parts read the newest events only. check_rows.py makes sentences of the
parts.
"""

from __future__ import annotations

import hashlib

from tools.dashboards.check_clocks import AHEAD, EARLY_S, FAULTS, STRAY_S
from tools.dashboards.check_rows import FIELDS, MOST, STATUSES, write_rows
from tools.dashboards.check_words import missing, percent
from tools.package import read_conf
from tools.places import ROOT

MACROS_CONF = "default/macros.conf"
#: The macros that name a site's data, and what needs them. The others are told in docs/install.md.
SITE_MACROS = {
    "flowlag_index": "everything: finds the flow logs",
    "flowlag_options": "everything: lag, and format of a layout of your own",
    "flowlag_connect_options": "connections: the same lag",
    "flowlag_profile_options": "profiles: interval, the same lag",
    "flowlag_traffic_options": "the data model: the same lag",
    "flowlag_logins": "logins: Packet time and the rule on logins",
    "flowlag_login_match": "logins: keys and clock error",
    "flowlag_events": "Packet time: other events",
    "flowlag_event_fields": "Packet time: their names and keys",
    "flowlag_outside(1)": "rules: the allow list of addresses",
    "flowlag_accepted": "rules: accepted traffic",
    "flowlag_rejected": "rules: rejected traffic",
    "flowlag_outbound": "rules: your private addresses",
    "flowlag_credential_use": "rules: uses of credentials",
    "flowlag_findings": "rules: threat findings",
    "flowlag_lookback": "rules: how late records may come",
    "flowlag_anchors": "learned lags: events whose time is exact",
    "flowlag_anchor_fields": "learned lags: their fields",
    "flowlag_longest_lag": "learned lags: the same lag",
}
LAG_MACROS = ("flowlag_options", "flowlag_connect_options", "flowlag_profile_options", "flowlag_traffic_options")


def shipped() -> dict[str, str]:
    """The first characters of the MD5 of each definition as the app has it: what REST gives is compared with them."""
    conf = read_conf({MACROS_CONF: (ROOT / MACROS_CONF).read_bytes()}, MACROS_CONF)
    digests = {name: hashlib.md5(conf[name]["definition"].encode(), usedforsecurity=False) for name in SITE_MACROS}
    return {name: f"md5 {digest.hexdigest()[:8]}" for name, digest in digests.items()}


def by_title(values: dict[str, str]) -> str:
    """SPL that chooses a text by `title`."""
    return "case(" + ", ".join(f'title="{title}","{value}"' for title, value in values.items()) + ")"


# Where the files of the lookups are. Reading a lookup that has no file may end a search, so what reads them is chosen
# here.
FILES = """
    | rest /servicesNS/-/-/data/lookup-table-files splunk_server=local
    | eval place='eai:acl.app' . if('eai:acl.sharing'="user"," (a private file)","")
    | stats count as files
        count(eval(title="flowlag_windows.csv" AND place="flowlag")) as windows_here
        count(eval(title="flowlag_lags.csv" AND place="flowlag")) as lags_here
        values(eval(if(title="flowlag_windows.csv",place,null()))) as windows_places
        values(eval(if(title="flowlag_lags.csv",place,null()))) as lags_places
    | eval windows=if(windows_here>0,"inputlookup flowlag_windows","makeresults | where 1=0"),
        lags=if(lags_here>0,"inputlookup flowlag_lags","makeresults | where 1=0"),
        windows_places=case(files=0,"unknown",isnull(windows_places),"none",true(),mvjoin(windows_places,", ")),
        lags_places=case(files=0,"unknown",isnull(lags_places),"none",true(),mvjoin(lags_places,", "))
"""

FOUND = """
    `flowlag_index`
    | stats count as events max(_time) as newest by index sourcetype splunk_server
    | eval part="found"
"""
# Behind head, the search head would run the command, and nothing would be known of the indexers.
TAGGED = f"""
    | append [
        search `flowlag_index`
        | flowlagenrich `flowlag_options`
        | head {MOST}
        | eval off=if(flowlag_status="ok",round(_time-flowlag_start),null())
        | stats count as events min(_time) as oldest min(off) as least_off max(off) as most_off
            count(eval(abs(off)>{STRAY_S})) as strayed count(eval(_indextime<flowlag_end-{EARLY_S})) as early
            {" ".join(f"count({name}) as has_{name}" for name in FIELDS)}
            by splunk_server flowlag_status
        | eval part="tagged" ]
"""
OTHERS = f"""
    | append [
        search (`flowlag_events`) OR (`flowlag_logins`)
        | head {MOST}
        | eval `flowlag_event_fields`
        | eval late=_indextime-_time
        | stats min(late) as others_least_late count(eval(late<0-{EARLY_S})) as early count as others
            count(eval(isnotnull(event) AND isnotnull(event_key))) as keyed
            count(eval(isnotnull(user) AND isnotnull(src) AND isnotnull(src_port))) as logins
        | eval part="others" ]
"""
MACROS_READ = f"""
    | rest /servicesNS/nobody/flowlag/admin/macros splunk_server=local
    | where 'eai:acl.app'="flowlag"
    | eval shipped={by_title(shipped())}
    | eval is_default=if(isnull(shipped),null(),if(("md5 " . substr(md5(definition),1,8))=shipped,1,0))
"""
MACROS = f"""
    | append [
        {MACROS_READ}
        | eval lag=case(title="flowlag_longest_lag",definition,
                NOT in(title,{", ".join(f'"{name}"' for name in LAG_MACROS)}),null(),
                match(definition,"lag=[0-9]"),replace(definition,"(?s)^.*lag=([0-9.]+).*","\\1"),true(),"60"),
            lag_setting=if(isnull(lag),null(),lag . " s in " . title), part="macro"
        | table part title definition is_default lag lag_setting ]
"""
WRITERS = """
    | append [
        | rest /servicesNS/-/-/saved/searches splunk_server=local search="flowlag_"
        | eval place='eai:acl.app', part="writer",
            runs=if(in(lower(disabled),"1","true") OR NOT in(lower(is_scheduled),"1","true"),0,1),
            writes=case(match(search,"outputlookup[^|]*flowlag_windows"),"windows",
                match(search,"outputlookup[^|]*flowlag_lags"),"lags")
        | where isnotnull(writes)
        | eval writer=title . " (" . place . ")"
        | table part writes writer place runs ]
"""


def read_lookup(key: str, newest: str, first: str) -> str:
    """SPL that appends what a lookup holds; `newest` and `first` are columns that a readable row has as numbers."""
    return f"""
    | append [
        | $ds_files:result.{key}$
        | eval is_readable=if(isnotnull(interface_id) AND isnum({first}) AND isnum({newest}),1,0)
        | stats count as {key}_rows sum(is_readable) as {key}_readable dc(interface_id) as {key}_interfaces
            max(eval(if(is_readable=1,tonumber({newest}),null()))) as {key}_newest
        | eval part="lookup" ]
"""


# Every part is in the same table; this row is there whatever the others find.
RANGE = """
    | append [
        | makeresults
        | addinfo
        | eval part="range", until=if(info_max_time="+Infinity",now(),floor(min(now(),info_max_time))),
            windows_places=$ds_files:result.windows_places|s$, windows_here=$ds_files:result.windows_here$,
            lags_places=$ds_files:result.lags_places|s$, lags_here=$ds_files:result.lags_here$
        | table part until windows_places windows_here lags_places lags_here ]
"""
WINDOWS, LAGS = read_lookup("windows", "last_end", "first_start"), read_lookup("lags", "learned_to", "learned_from")
BASE = FOUND + TAGGED + OTHERS + AHEAD + MACROS + WRITERS + WINDOWS + LAGS + RANGE

OF_STATUSES = " ".join(f'sum(eval(if(flowlag_status="{name}",events,null()))) as {name}' for name in STATUSES)
OF_FIELDS = " ".join(f'sum(eval(if(flowlag_status="ok",has_{name},null()))) as ok_{name}' for name in FIELDS)
OK_FIELDS = " ".join(f"ok_{name}" for name in FIELDS)


def of_lookup(key: str) -> str:
    """SPL for what is told of a lookup: its writers, rows and place."""
    return f"""
        count(eval(writes="{key}" AND runs=1)) as {key}_runs
        values(eval(if(writes="{key}" AND runs=1 AND place!="flowlag",writer,null()))) as {key}_elsewhere
        sum({key}_rows) as {key}_rows sum({key}_readable) as {key}_readable
        sum({key}_interfaces) as {key}_interfaces max({key}_newest) as {key}_newest
        values({key}_places) as {key}_places max({key}_here) as {key}_here"""


# A server is silent if it has events that were to be examined, and none came back. Of a server with old events only,
# none may be among the newest.
SUMMARY = f"""
    | eventstats sum(events) as of_place by part index sourcetype
    | eventstats count(eval(part="tagged")) as answers by splunk_server
    | eventstats sum(eval(if(part="tagged",events,null()))) as examined min(oldest) as oldest_examined
    | eval place_text=if(part="found",tostring(of_place,"commas") . " in " . index . " (" . sourcetype . ")",null()),
        server=if(part="found",splunk_server,null()),
        silent=if(part="found" AND answers=0
            AND (isnull(examined) OR examined<{MOST} OR newest>=oldest_examined),server,null())
    | stats sum(eval(if(part="found",events,null()))) as found max(newest) as newest
        values(place_text) as places values(server) as server_names dc(server) as servers values(silent) as silent
        sum(eval(if(part="tagged",events,null()))) as examined
        {OF_STATUSES}
        {OF_FIELDS}
        sum(strayed) as strayed min(least_off) as least_off max(most_off) as most_off sum(early) as early
        sum(ahead) as ahead max(furthest) as furthest values(eval(if(part="ahead",sourcetype,null()))) as ahead_of
        max(others_least_late) as others_least_late
        sum(others) as others sum(keyed) as keyed sum(logins) as logins
        count(eval(part="macro")) as macros count(is_default) as site_macros sum(is_default) as defaults
        values(lag) as lags values(lag_setting) as lag_settings
        {of_lookup("windows")}
        {of_lookup("lags")}
        max(until) as until
    | fillnull value=0 strayed early ahead found examined {" ".join(STATUSES)} {OK_FIELDS} others keyed logins
        defaults windows_rows windows_readable lags_rows lags_readable
    | eval bad=reversed+missing+invalid, flow_age=until-floor(newest),
        windows_age=now()-floor(windows_newest), lags_age=now()-floor(lags_newest),
        shares=mvappend({", ".join(map(percent, STATUSES))}),
        lacking=mvappend({", ".join(map(missing, FIELDS))}),
        places=if(mvcount(places)>5,mvappend(mvindex(places,0,4),"others"),places)
"""
ROWS = SUMMARY + FAULTS + write_rows()

CHECKS = """
    | sort 0 num(order)
    | rename Found as "What was found", Todo as "What to do"
    | table Check State "What was found" "What to do"
"""

VERDICT = """
    | eval rank=case(State="red",1,State="amber",2,true(),3)
    | eventstats count(eval(State="red")) as reds count(eval(State="amber")) as ambers
        count(eval(State="not checked")) as unchecked count(eval(State="off")) as offs
    | sort 0 num(rank) num(order)
    | head 1
    | eval Verdict=case(reds>0,"Red",ambers>0,"Amber",true(),"Green"), more=reds+ambers-1
    | eval sentence=case(
        rank<3, Verdict . ": " . Found . " " . Todo
            . case(more=0,"",more=1," One more point is below.",true()," " . more . " more points are below."),
        true(), "Green: flow events are found and recognised, and have packet times and the fields that are needed."
            . case(unchecked=0,"",unchecked=1," One point could not be checked.",
                true()," " . unchecked . " points could not be checked.")
            . case(offs=0,"",offs=1," One optional part is off.",true()," " . offs . " optional parts are off."))
    | table Verdict sentence
"""

# A search of its own, so that a macro whose options a command refuses can be edited here.
MACRO_ROWS = f"""
    {MACROS_READ}
    | where isnotnull(is_default)
    | table title definition is_default
    | appendpipe [
        stats count
        | eval title=split("{"|".join(SITE_MACROS)}","|")
        | mvexpand title
        | table title ]
    | stats first(definition) as definition first(is_default) as is_default by title
    | eval order={by_title({name: str(number) for number, name in enumerate(SITE_MACROS, 100)})},
        Needed={by_title(SITE_MACROS)},
        State=case(is_default=1,"default",is_default=0,"changed",true(),"not readable"),
        definition=case(isnull(definition),"ask an administrator to open this page",
            len(definition)>90,substr(definition,1,87) . "...",true(),definition)
    | sort 0 num(order)
    | rename title as Macro, definition as Definition, Needed as "Needed for"
    | table Macro State "Needed for" Definition
"""
