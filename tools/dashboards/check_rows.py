# SPDX-License-Identifier: Apache-2.0
"""The rows of the dashboard Check: what is looked at, when it is red, amber or green, and what to do about it.

Each expression is SPL over one wide row, which check_searches.py makes of all parts. `red` is what keeps the views and
rules from an answer; `amber` is what makes them worse; `off` is what is optional and not in use.
"""

from __future__ import annotations

from tools.dashboards.check_clocks import CLOCKS
from tools.dashboards.check_words import Check, age, counted, number

#: Flow events, and other events, that are looked at: the newest ones.
MOST = 10_000
STALE_S = 3600  # a flow log is minutes late, not an hour
#: SPL for the age in seconds from which what was learned is stale. The searches run every hour. Windows that stay the
#: same are written when they are older than flowlag_windows_every, and end 20 minutes before the run; lags are written
#: when they are twelve hours old, and not used when they are older than a day.
WINDOWS_STALE, LAGS_STALE = "`flowlag_windows_every`+10800", "86400"

STATUSES = ("ok", "nodata", "skipdata", "other", "reversed", "missing", "invalid", "header")
#: The fields of an `ok` record that are looked for; the views and rules need the first two.
FIELDS = ("src_ip", "dest_ip", "src_port", "dest_port", "interface_id", "action")

EVENTS = Check(
    "Flow events",
    f'case(found=0,"red",flow_age>{STALE_S},"amber",true(),"green")',
    f"""if(found=0,"No flow event was found in this time range.",
        {counted("found", "flow event")} . ": " . mvjoin(places,"; ") . ". The newest began " . {age("flow_age")}
        . if(until<now(), " before the end of the time range.", " ago."))""",
    """case(found=0,"Set your index and sourcetype in the macro flowlag_index (click it below). See that your role may "
            . "search that index, and that flow logs came in this time range.",
        true(),"See that flow logs still come: look at the input, and at the flow log in AWS.")""",
)
TIMES = Check(
    "Packet times",
    """case(found=0 OR (examined>0 AND other+header=examined),"not checked",
            examined=0 OR (ok=0 AND nodata+skipdata=0),"red",ok=0 OR bad>0,"amber",true(),"green")""",
    f"""case(found=0,"There was no flow event to look at.",
        examined=0,"flowlagenrich gave no event back: it failed.",
        ok=0 AND nodata+skipdata>0,"No record has packet times (" . {counted("examined", "event")} . ": "
            . mvjoin(shares,", ") . ").",
        true(),if(examined<found,"The newest ","") . {counted("examined", "event")} . ": "
            . mvjoin(shares,", ") . ".")""",
    """case(examined=0,"Open the search (magnifying glass of this table) and read its messages; see Troubleshooting in "
            . "docs/install.md.",
        ok=0 AND nodata+skipdata>0,"NODATA: the interfaces had no traffic. SKIPDATA: AWS dropped records. Choose a "
            . "longer time range, or look at interfaces with traffic.",
        true(),"Some records have no readable times (reversed, missing, invalid). If your layout is your own, give it "
            . "in flowlag_options: format=...")""",
    "Flow events and Layouts",
)
LAYOUTS = Check(
    "Layouts",
    """case(examined=0,"not checked",other+header=examined,"red",other>0,"amber",true(),"green")""",
    f"""case(examined=0,"No event was examined.",
        other=0,"All " . {counted("examined", "examined event")} . " were recognised as flow records.",
        other+header=examined,"None of " . {counted("examined", "event")} . " was recognised as a flow record.",
        true(),{number("examined-other")} . " of " . {counted("examined", "event")}
            . " were recognised as flow records, " . {number("other")} . " were not.")""",
    """"Give the layout of your flow logs in flowlag_options (format=...), or name the fields of the times there "
        . "(start=, end=). If these are other events, exclude them in flowlag_index." """,
    "Packet times",
)
ADDRESSES = Check(
    "Fields",
    """case(ok=0,"not checked",ok_src_ip=0 OR ok_dest_ip=0,"red",isnotnull(lacking),"amber",true(),"green")""",
    f"""case(ok=0,"There was no record with packet times to look at.",
        isnull(lacking),"All " . {counted("ok", "record")} . " with packet times have {", ".join(FIELDS)}.",
        true(),"Of " . {counted("ok", "record")} . " with packet times, some lack " . mvjoin(lacking,", ") . ".")""",
    """"Install the Splunk Add-on for AWS on the search head, or give the sourcetype field aliases with these CIM "
        . "names. Packet time and the rules find records by them." """,
    "Packet times",
)
OTHERS = Check(
    "Other events",
    """case(others=0,"amber",keyed=0 OR logins=0,"amber",true(),"green")""",
    f"""case(others=0,"No login and no other event was found in this time range.",
        true(),{counted("others", "event")} . " of flowlag_events and flowlag_logins: " . {number("keyed")}
            . " with a name and a key (for Packet time), " . {number("logins")}
            . " with user, src and src_port (for the rules on logins).")""",
    """case(others=0,"Set your index in flowlag_logins, and in flowlag_events if you ask about other events. A short "
            . "time range may have none.",
        keyed=0,"Set flowlag_event_fields: event and event_key must have a value.",
        true(),"For the rules, flowlag_logins must find logins with user, src (an address) and src_port: install the "
            . "Splunk Add-on for Unix and Linux, or give aliases.")""",
)
INDEXERS = Check(
    "Indexers",
    """case(found=0,"not checked",isnotnull(silent),"red",true(),"green")""",
    f"""case(found=0,"There was no flow event to look at.",
        isnotnull(silent),"Flow events are on " . {counted("servers", "server")}
            . ", but none came back with tags from " . mvjoin(mvindex(silent,0,4),", ") . ".",
        true(),"Flow events are on " . {counted("servers", "server")} . ", and each one that was asked gave tags: "
            . mvjoin(mvindex(server_names,0,4),", ") . if(servers>5,", and others.","."))""",
    """"Restart the search head, then search twice: the indexers get lib/ of the app with the next knowledge bundle. "
        . "Read the messages of the search (ModuleNotFoundError)." """,
    "Flow events",
)
LAG = Check(
    "Lag",
    """case(macros=0,"not checked",mvcount(lags)>1,"amber",true(),"green")""",
    """case(macros=0,"The macros could not be read.",
        mvcount(lags)>1,"The macros have different lags: " . mvjoin(lag_settings,", ") . ".",
        true(),"All macros have the same lag: " . lags . " s.")""",
    """case(macros=0,"Your role may not read them by REST; ask an administrator to open this page.",
        true(),"Set the same lag in all of them (click them below).")""",
)
MACROS = Check(
    "Macros",
    """if(macros=0,"not checked","green")""",
    f"""case(macros=0,"The macros could not be read.",
        defaults=0,"All macros below are set for your site.",
        true(),{number("defaults")} . " of " . {number("site_macros")} . " macros below have their default.")""",
    """if(macros=0,"Your role may not read them by REST; ask an administrator to open this page.",
        "Read the list below: what finds other people's data has to be set.")""",
)


def learned(name: str, key: str, search: str, stale: str, use: str) -> Check:
    """The row of a lookup that a saved search writes; its fields begin with `key`."""
    elsewhere, misplaced = f"isnotnull({key}_elsewhere)", f'({key}_here=0 AND {key}_places!="none")'
    old = f"{key}_age>{stale}"
    return Check(
        name,
        f"""case({key}_places="unknown","not checked",{elsewhere} OR {misplaced},"amber",
            {key}_here=0 AND {key}_runs=0,"off",
            {key}_here=0 OR {key}_rows=0 OR {key}_readable<{key}_rows OR {old},"amber",true(),"green")""",
        f"""case({key}_places="unknown","The lookup files could not be read.",
            {misplaced},"The file flowlag_{key}.csv is not in the app flowlag, but in "
                . {key}_places . ", where the commands do not read it.",
            {elsewhere},"A search that writes the lookup flowlag_{key} runs in another app: "
                . mvjoin({key}_elsewhere,", ") . ".",
            {key}_here=0 AND {key}_runs=0,"Not in use: there is no file flowlag_{key}.csv, and the search {search} is "
                . "off.",
            {key}_here=0,"The search {search} is on, but there is no file flowlag_{key}.csv yet.",
            {key}_rows=0,"The file flowlag_{key}.csv is empty.",
            {key}_readable<{key}_rows,{number(f"({key}_rows-{key}_readable)")}
                . " of " . {counted(f"{key}_rows", "row")} . " of flowlag_{key}.csv cannot be read.",
            true(),{counted(f"{key}_rows", "row")} . " of " . {counted(f"{key}_interfaces", "interface")}
                . " in the app " . {key}_places . "; the newest ends " . {age(f"{key}_age")} . " ago. The search is "
                . if({key}_runs>0,"on.","off."))""",
        f"""case({key}_places="unknown","Your role may not read them by REST; ask an administrator to open this page.",
            {elsewhere} OR {misplaced},"Run the search in the app flowlag, and delete what "
                . "another app has: outputlookup writes a new file into the app in which the search runs.",
            {key}_here=0 AND {key}_runs=0,"{use}",
            {key}_here=0,"Run it once by hand as its description says, in the app flowlag.",
            {key}_rows=0 OR {key}_readable<{key}_rows,"Delete the file, and run {search} once by hand as its "
                . "description says, in the app flowlag.",
            {key}_runs=0,"Turn {search} on, in the app flowlag.",
            true(),"See in Activity > Jobs that {search} runs every hour and finds events.")""",
    )


WINDOWS = learned(
    "Learned windows",
    "windows",
    "Flow Logs - Learn Windows",
    WINDOWS_STALE,
    "To tell where in its window a record lies, run the search once by hand as its description says, in the app "
    "flowlag; then turn it on.",
)
LAGS = learned(
    "Learned lags",
    "lags",
    "Flow Logs - Learn Lags",
    LAGS_STALE,
    "For likely bounds and better probabilities, set flowlag_anchors and flowlag_anchor_fields, run the search once by "
    "hand as its description says, in the app flowlag; then turn it on.",
)
CHECKS = (EVENTS, TIMES, LAYOUTS, ADDRESSES, OTHERS, CLOCKS, INDEXERS, LAG, MACROS, WINDOWS, LAGS)


def write_rows() -> str:
    """SPL that makes a row of each check, with Check, State, Found and Todo; green and off rows say what they need."""

    def cases(expressions: list[tuple[str, str]]) -> str:
        return "case(" + ",\n        ".join(f'Check="{name}", {expression}' for name, expression in expressions) + ")"

    names = "|".join(check.name for check in CHECKS)
    return f"""
    | eval Check=split("{names}","|")
    | mvexpand Check
    | streamstats count as order
    | eval State={cases([(check.name, check.state) for check in CHECKS])}
    | eval Found={cases([(check.name, check.found) for check in CHECKS])}
    | eval Todo=if(State="green","-",{cases([(check.name, check.whole_todo()) for check in CHECKS])})
"""
