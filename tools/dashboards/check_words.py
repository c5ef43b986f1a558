# SPDX-License-Identifier: Apache-2.0
"""Owns what a row of the dashboard Check is, and how its sentences write numbers, ages and shares in SPL."""

from __future__ import annotations

from typing import NamedTuple


class Check(NamedTuple):
    """One row: its name, and SPL expressions for its state, for what was found, and for what to do.

    `rests_on` is the row that has to be mended first where this one is not checked.
    """

    name: str
    state: str
    found: str
    todo: str
    rests_on: str = ""

    def whole_todo(self) -> str:
        """SPL for what to do, also where it was not checked."""
        return f'if(State="not checked","See {self.rests_on}.",{self.todo})' if self.rests_on else self.todo


def number(field: str) -> str:
    """SPL for a number with commas."""
    return f'tostring({field},"commas")'


def counted(field: str, noun: str) -> str:
    """SPL for a number with its noun."""
    return f'{number(field)} . if({field}=1," {noun}"," {noun}s")'


def age(seconds: str) -> str:
    """SPL for a length of time, in the unit that suits it."""
    return (
        f'case({seconds}<120, max(0,floor({seconds})) . " s", {seconds}<7200, floor({seconds}/60) . " min", '
        f'{seconds}<172800, floor({seconds}/3600) . " h", true(), floor({seconds}/86400) . " days")'
    )


def percent(part: str) -> str:
    """SPL for a share of the examined events with its name; null if there are none."""
    share = f'if(1000*{part}<examined,"under 0.1",floor(1000*{part}/examined+0.5)/10)'
    return f'if({part}>0,{share} . " % {part}",null())'


def missing(field: str) -> str:
    """SPL for a field that some `ok` records lack; null if all have it."""
    return f'if(ok_{field}<ok,"{field} (" . if(ok_{field}=0,"all",{number(f"(ok-ok_{field})")}) . ")",null())'
