# SPDX-License-Identifier: Apache-2.0
"""Owns what the view How late, how wide tells of learned lags: the rows of the lookup flowlag_lags, whatever the time
range is.
"""

from __future__ import annotations

# What `Flow Logs - Learn Lags` stored. The lookup has no file before that search has run once: the error of a subsearch
# leaves the other row.
LAGS = """
    | makeresults
    | append [| inputlookup flowlag_lags]
"""

UNLEARNED = """
    | stats count(interface_id) as learned
        count(eval($interface|s$="*" OR like(interface_id, replace($interface|s$,"[*]","%")))) as wanted
    | where wanted=0 OR learned=0
    | eval sentence=if(learned=0, "No lag has been learned yet: the saved search Flow Logs - Learn Lags, which is off "
        . "at first, has stored nothing.", "No lag of this interface has been learned.")
    | table sentence
"""

WANTED = """
    | where isnotnull(interface_id) AND ($interface|s$="*" OR like(interface_id, replace($interface|s$,"[*]","%")))
"""

LEARNED = (
    WANTED
    + """
    | sort 0 -anchors interface_id
    | eval Use=case(state="drifting", "no: lags drift", isnull(lag_95), "no: too few anchors",
            learned_to<now()-86400, "no: learned over a day ago", isnull(lag_99), "at 95 %", true(), "yes")
            . case(misses=1, " (1 miss)", misses>1, " (" . misses . " misses)", true(), ""),
        p50=floor(10*lag_p50+0.5)/10, p95=if(isnull(lag_95),"-",floor(10*lag_95+0.5)/10),
        p99=if(isnull(lag_99),"-",floor(10*lag_99+0.5)/10), Lag=p50 . " / " . p95 . " / " . p99,
        Until=strftime(learned_to,"%m-%d %H:%M")
    | rename interface_id as Interface, anchors as Anchors, Lag as "Lag p50 / 95 / 99"
    | table Interface Anchors "Lag p50 / 95 / 99" Use Until
"""
)

# The density has a number for each second from -20 to 60; a bar is five seconds. Interfaces count by their anchors.
DENSITY = (
    WANTED
    + """
    | where isnotnull(density)
    | eval bin=mvzip(mvrange(-20,61), split(density," "), ":")
    | mvexpand bin
    | eval second=tonumber(mvindex(split(bin,":"),0)), parts=anchors*tonumber(mvindex(split(bin,":"),1))
    | eval from=5*floor(second/5)
    | stats sum(parts) as parts by from
    | eventstats sum(parts) as all
    | sort 0 from
    | eval Share=floor(1000*parts/all+0.5)/10, Lag="" . from
    | table Lag Share
"""
)
