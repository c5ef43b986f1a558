# SPDX-License-Identifier: Apache-2.0
"""The sentences of the one warning about events that could not be used. Authority: docs/enrich.md, Warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Optional

from flowlag.enrich_options import Settings
from flowlag.errors import show_value
from flowlag.record import UNTAGGABLE

#: How to describe a layout.
EXAMPLE = 'format="${version} ... ${start} ${end}".'
_MOST_NAMES = 10


def complain_of(counts: Counter[str], failed: str, unrecognised: str, unknown_layouts: int = 0) -> Optional[str]:
    """The sentences about events that could not be used, by counts of their status; None if all is well.

    `failed`, which contains `{reasons}`, ends the one about flow log events that could not be used; `unrecognised` ends
    the one that says that there were no flow log events. `unknown_layouts` counts what looks like some.
    """
    total = sum(counts.values())
    sentences = list(_complain(counts, failed, total, unknown_layouts))
    if total and counts["other"] == total and not sentences:
        sentences = [f"no flow log event was recognised among {total} events; {unrecognised}"]
    return " ".join(sentences) or None


def _complain(counts: Counter[str], failed: str, total: int, unknown_layouts: int) -> Iterator[str]:
    untaggable = {status: counts[status] for status in UNTAGGABLE if counts[status]}
    if untaggable:
        reasons = ", ".join(f"{count} {status}" for status, count in untaggable.items())
        end = failed.replace("{reasons}", reasons)
        yield f"{sum(untaggable.values())} of {total} events look like flow log records but could not be {end}"
    if unknown_layouts:
        what = "look like flow log records of an unknown layout"
        yield f"{unknown_layouts} of {total} events {what}; give it with {EXAMPLE}"


def complain_of_columns(settings: Settings) -> Optional[str]:
    """One sentence about columns that `format` names and this release does not know; None if there are none."""
    names = settings.unknown_columns
    if not names:
        return None
    more = len(names) - _MOST_NAMES
    shown = ", ".join(map(show_value, names[:_MOST_NAMES])) + (f" and {more} more" if more > 0 else "")
    return f"format names fields that this release does not know ({shown}); they are read, but check their spelling."
