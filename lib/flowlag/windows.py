# SPDX-License-Identifier: Apache-2.0
"""The aggregation window in which a record sat, where that is known: given, filled by the record itself, or assumed.

Windows that were learned for an interface (learned.py) come between `option` and `record` (contract section 1). Nothing
is clock aligned at AWS, so a window is never guessed unasked.
"""

from __future__ import annotations

from typing import Callable, NamedTuple, Optional

from flowlag.enrich_options import Settings
from flowlag.interval import SECOND_US, Interval
from flowlag.timing import RESOLUTION_US

#: Windows are told apart with a tolerance of one second both ways (contract section 1).
TOLERANCE_US = SECOND_US


class Window(NamedTuple):
    """A record's window and its place in it; everything empty or None where nothing is known."""

    basis: str = ""
    position: str = ""
    bounds: Optional[Interval] = None
    offset_us: Optional[int] = None


#: (interface, recorded span) -> the window learned for it, None when nothing was learned.
Learned = Callable[[Optional[str], Interval], Optional[Window]]

UNKNOWN = Window()


def find_window(
    recorded: Interval, interface: Optional[str], settings: Settings, learned: Optional[Learned] = None
) -> Window:
    """A record's window by its stamps: by option, profile, the record itself, assumption; else UNKNOWN."""
    if settings.windows == "none":
        return UNKNOWN
    if settings.phase_us is not None:
        return locate("option", recorded, grid_window(recorded, settings.interval_us, settings.phase_us))
    window = learned(interface, recorded) if learned is not None else None
    if window is not None:
        return window
    own = Interval(recorded.end_us + RESOLUTION_US - settings.interval_us, recorded.end_us + RESOLUTION_US)
    if recorded.length_us > settings.interval_us:
        return Window("record", "multi")
    if recorded.length_us >= settings.interval_us - 2 * TOLERANCE_US:
        return Window("record", "full", own, _offset(recorded, own))
    return locate("assumed", recorded, own) if settings.windows == "assumed" else UNKNOWN


def grid_window(recorded: Interval, interval_us: int, phase_us: int) -> Interval:
    """The grid's window that contains start + 1 s: busy interfaces start at the previous window's last second."""
    inside_us = recorded.start_us + TOLERANCE_US
    opened_us = inside_us - (inside_us - phase_us) % interval_us
    return Interval(opened_us, opened_us + interval_us)


def locate(basis: str, recorded: Interval, bounds: Interval) -> Window:
    """The record's position in its window: full, head, tail, inside or multi."""
    beyond_us = recorded.end_us + RESOLUTION_US - bounds.end_us
    at_opening = recorded.start_us - bounds.start_us <= TOLERANCE_US
    at_close = abs(beyond_us) <= TOLERANCE_US
    if beyond_us > TOLERANCE_US:
        position = "multi"
    elif at_close:
        position = "full" if at_opening else "tail"
    else:
        position = "head" if at_opening else "inside"
    return Window(basis, position, bounds, _offset(recorded, bounds))


def _offset(recorded: Interval, bounds: Interval) -> int:
    return max(0, recorded.start_us - bounds.start_us)
