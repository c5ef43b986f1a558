# SPDX-License-Identifier: Apache-2.0
"""Owns the row of the dashboard Check about _time: wrong zones and wrong clocks.

The commands take packet times from start and end; but time ranges, and the times of logins, go by _time.
"""

from __future__ import annotations

from tools.dashboards.check_words import Check, age, counted

#: A _time this far from the start of a record is wrong: most likely by the hours of a zone, of which some have halves.
STRAY_S = 1500
#: An event that was indexed so long before its _time, or whose _time is still to come, has a wrong clock or zone.
EARLY_S = 120

# A range that ends now does not find what has a later _time.
AHEAD = f"""
    | append [
        search ((`flowlag_index`) OR (`flowlag_events`) OR (`flowlag_logins`)) earliest=+{EARLY_S}s latest=+1d
        | head 10000
        | stats count as ahead max(_time) as furthest by sourcetype
        | eval part="ahead" ]
"""


def has(field: str) -> str:
    """SPL for what goes between a number of events and what they have."""
    return f'if({field}=1," has"," have")'


FAULTS = f"""
    | eval off=if(abs(most_off)>abs(least_off),most_off,least_off),
        clock_faults=mvappend(
            if(strayed>0,{counted("strayed", "flow record")} . {has("strayed")} . " a _time far from start, up to "
                . {age("abs(off)")} . if(off>0," after it"," before it"),null()),
            if(ahead>0,{counted("ahead", "event")} . {has("ahead")} . " a _time that is still to come, up to "
                . {age("(furthest-now())")} . " ahead (" . mvjoin(ahead_of,", ") . ")",null()),
            if(early>0,{counted("early", "event")} . if(early=1," was"," were") . " indexed before "
                . if(early=1,"it","they") . " can have happened",null())),
        others_late=if(others>2 AND others_least_late>={STRAY_S},"All " . {counted("others", "other event")}
            . " were indexed " . {age("others_least_late")} . " or more after their _time",null())
"""

CLOCKS = Check(
    "Clocks",
    """case(found=0 AND others=0 AND ahead=0,"not checked",
            2*strayed>ok AND ok>0 OR 2*(ahead+early)>ok+others+ahead,"red",
            isnotnull(clock_faults) OR isnotnull(others_late),"amber",true(),"green")""",
    """case(found=0 AND others=0 AND ahead=0,"There was no event to look at.",
        isnotnull(clock_faults),mvjoin(clock_faults,"; ") . ".",
        isnotnull(others_late),others_late . ".",
        true(),"_time is near the start of all flow records, and no event has a _time that was still to come.")""",
    """case(isnotnull(clock_faults),"Set TZ, TIME_PREFIX and TIME_FORMAT of the sourcetype in props.conf (flow logs: "
            . "as the Splunk Add-on for AWS has them), and see that hosts use NTP. Packet times come from start and "
            . "end; but time ranges, and logins, go by _time.",
        true(),"If these events do not come so late, set TZ of the sourcetype in props.conf.")""",
    "Flow events and Other events",
)
