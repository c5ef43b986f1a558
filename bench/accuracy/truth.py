# SPDX-License-Identifier: Apache-2.0
"""Measures the envelope and flowlagprofile on packets played through the timing modes, whose truth is known.

`PYTHONPATH=lib python -m bench.accuracy.truth` prints two tables, always the same. Each interface sends for an hour,
and each packet is received 0 to 60 s after it passed. The envelope is right if a packet's true time is in it. The
profile sees some consecutive records of the interface, and is right if it gives the mode (and the phase of a grid). A
window is right if the record was made in it, and wrong if it is any other.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from flowlag.enrich import Enricher
from flowlag.enrich_options import Settings
from flowlag.interval import SECOND_US, Interval
from flowlag.learned import LearnedWindows
from flowlag.profile.options import ProfileSettings
from flowlag.profile.profiler import PROFILE_FIELDS, Profiler
from flowlag.windows import Rules, place_window
from tools.scenarios.modes import MODES, Played, play

INTERFACES = 60  # of each mode
RECORDS = (3, 5, 10, 20, 50, 100)
LENGTH_S, FLOWS = 3600, 90
NAMES = {"grid": "grid", "quiet-grid": "grid", "batch": "batch", "flow": "flow"}


class Score(NamedTuple):
    """Shares of interfaces by the verdict of the profile, and shares of records by that on their window."""

    right: float
    unsure: float
    wrong: float
    windows_right: float
    windows_wrong: float


@cache
def records_of(mode: str, number: int) -> list[Played]:
    """The records of one interface within an hour, ordered by end."""
    return play(mode, number, LENGTH_S, FLOWS)


def true_window(mode: str, record: Played) -> Interval | None:
    """The aggregation window in which a record was made; None if the mode has none."""
    if mode == "flow":
        return None
    close = record.end + 1
    opening = record.start if mode == "batch" else close - 60
    return Interval(opening * SECOND_US, close * SECOND_US)


def profile(records: list[Played]) -> list[dict[str, str]]:
    """The rows of the profile of some records."""
    profiler = Profiler(ProfileSettings())
    for record in records:
        profiler.feed({"_raw": record.line()}.get)
    return list(profiler.close())


def is_right(mode: str, rows: list[dict[str, str]], records: list[Played]) -> bool:
    """Return whether the profile gives one mode, the true one, and the true phase."""
    phase = str((records[0].end + 1) % 60) if NAMES[mode] == "grid" else ""
    return [(row["timing_mode"], row["phase"]) for row in rows] == [(NAMES[mode], phase)]


def count_windows(mode: str, records: list[Played], learned: LearnedWindows) -> Counter[bool | None]:
    """Count the records that get the true window (True), another one (False) or none (None)."""
    counts: Counter[bool | None] = Counter()
    rules = Rules(Settings(), learned.find)
    for record in records:
        recorded = Interval(record.start * SECOND_US, record.end * SECOND_US)
        bounds = place_window(recorded, rules.find(record.interface, *recorded)).bounds
        counts[None if bounds is None else bounds == true_window(mode, record)] += 1
    return counts


def score(mode: str, count: int) -> Score:
    """Score the profile of `count` consecutive records, over all interfaces of a mode."""
    verdicts: Counter[str] = Counter()
    windows: Counter[bool | None] = Counter()
    for number in range(INTERFACES):
        records = records_of(mode, number)
        first = random.Random(number).randrange(max(1, len(records) - count))
        stretch = records[first : first + count]
        rows = profile(stretch)
        unsure = {row["timing_mode"] for row in rows} <= {"unknown", "mixed"}
        verdicts["unsure" if unsure else "right" if is_right(mode, rows, stretch) else "wrong"] += 1
        learned = LearnedWindows.from_rows(
            [PROFILE_FIELDS, *(list(row.values()) for row in rows)], Settings().interval_us
        )
        windows += count_windows(mode, stretch, learned)
    total = sum(windows.values())
    shares = {name: verdicts[name] / INTERFACES for name in ("right", "unsure", "wrong")}
    return Score(**shares, windows_right=windows[True] / total, windows_wrong=windows[False] / total)


def envelope_table() -> Iterator[str]:
    """Tabulate how many packets are in the envelope of their record, and how wide it is."""
    tagger = Enricher(Settings())
    yield "| mode | records | packets | in the envelope | in [start, end + 1) | width, median | width, longest |"
    yield "|---|---|---|---|---|---|---|"
    for mode in MODES:
        records, packets, inside, stamped = 0, 0, 0, 0
        widths = []
        for number in range(INTERFACES):
            for record in records_of(mode, number):
                tags = tagger.tag({"_raw": record.line()}.get)
                earliest, latest = float(tags.earliest), float(tags.latest)
                records += 1
                packets += len(record.passed)
                inside += sum(earliest <= passed < latest for passed in record.passed)
                stamped += sum(record.start <= passed < record.end + 1 for passed in record.passed)
                widths.append(latest - earliest)
        widths.sort()
        shares = f"{_percent(inside / packets)} | {_percent(stamped / packets)}"
        yield f"| {mode} | {records} | {packets} | {shares} | {widths[len(widths) // 2]:g} s | {widths[-1]:g} s |"


def profile_table() -> Iterator[str]:
    """Tabulate how right the profile is, by the number of records that it sees of an interface."""
    yield "| true mode | records seen | mode and phase right | not sure | wrong | windows right | windows wrong |"
    yield "|---|---|---|---|---|---|---|"
    for mode in MODES:
        for count in RECORDS:
            cells = " | ".join(map(_percent, score(mode, count)))
            yield f"| {mode} | {count} | {cells} |"


def _percent(share: float) -> str:
    """A share in whole percents; 100 and 0 only if all or none is meant."""
    rounded = round(share * 100)
    if rounded in (0, 100) and share not in (0, 1):
        return f"{share * 100:.2f} %"
    return f"{rounded} %"


if __name__ == "__main__":
    print("\n".join([*envelope_table(), "", *profile_table()]))
