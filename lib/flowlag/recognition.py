# SPDX-License-Identifier: Apache-2.0
"""What a line is a record of: a layout that was given, a known one that it fits, or one that its content shows.

A line that is a record as it stands is never cut. Before a record, a time and the name of a log stream may stand, as
CloudWatch's export tasks and `aws logs tail` write them. Nothing else is guessed.
Authority: docs/enrich.md, Layouts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple, Optional

from flowlag.fields import Values
from flowlag.instants import FIRST_US, LAST_US, parse_instant
from flowlag.interval import SECOND_US
from flowlag.layouts import LAYOUTS, SKIPPED, Layout
from flowlag.record import LONGEST_RECORD_US, judge_values
from flowlag.words import STATUS_WORDS, split_words, status_of

#: How many words a record of an undeclared layout has. AWS knows fewer than a hundred fields.
FEWEST_WORDS, MOST_WORDS = 5, 200

_FIRST, _LAST = str(FIRST_US // SECOND_US), str(LAST_US // SECOND_US)
_LONGEST_RECORD_S = LONGEST_RECORD_US // SECOND_US
# texts, because few searches need them compiled
_ID = r"(?:eni|tgw-attach)-(?:[0-9a-f]{17}|[0-9a-f]{8})"
#: A time in front of a record: ISO 8601 with time of day and zone, or milliseconds since the epoch.
_TIME_IN_FRONT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})|[0-9]{13}"
)
_SHORTEST_TIME = 13
_ID_BEGINNINGS = ("eni-", "tgw-attach-")


class Found(NamedTuple):
    """A record found in a line: the layout that it has, and its words, one for each column."""

    layout: Layout
    words: Sequence[str]

    @property
    def values(self) -> Values:
        """The timing values."""
        return self.layout.values(self.words)


def find_record(words: Sequence[str], layouts: Sequence[Layout] = ()) -> Optional[Found]:
    """The record in the words of a line: in one of `layouts`, or without any (`format=auto`) as far as it is known."""
    if layouts:
        return _find_given(words, layouts)
    known = LAYOUTS.values()
    return _find_fitting(words, known) or find_behind_time(words, known) or find_by_content(words)


def _find_given(words: Sequence[str], layouts: Sequence[Layout]) -> Optional[Found]:
    """The first layout with as many columns that gives a valid record; without one, the first that has evidence."""
    found = [Found(layout, words) for layout in layouts if len(layout) == len(words)]
    found = [one for one in found if tells_record(one.values)]
    valid = next((one for one in found if judge_values(one.values, recognised=True).is_valid), None)
    return valid or find_behind_time(words, layouts) or next(iter(found), None)


def tells_record(values: Values) -> bool:
    """Whether there is evidence of a flow log record: a plausible start or end, or a log status."""
    stamps = (text for text in (values.start, values.end) if text is not None)
    return status_of(values.status) is not None or any(parse_instant(text) is not None for text in stamps)


def _find_fitting(words: Sequence[str], layouts: Iterable[Layout]) -> Optional[Found]:
    return next((Found(layout, words) for layout in layouts if fits(layout, words)), None)


def match_layout(line: str) -> Optional[Layout]:
    """The known layout that a line fits exactly: number of columns, version, stamps and log status; else None."""
    found = _find_fitting(split_words(line), LAYOUTS.values())
    return None if found is None else found.layout


def fits(layout: Layout, words: Sequence[str]) -> bool:
    """Whether words are exactly a record of a layout: their number, stamps and, if it has them, version and status."""
    if len(words) != len(layout) or not all(is_version(words[place]) for place in layout.version):
        return False
    values = layout.values(words)
    if values.start is None or values.end is None or (layout.has_status and status_of(values.status) is None):
        return False
    return parse_instant(values.start) is not None and parse_instant(values.end) is not None


def is_version(word: str) -> bool:
    """Whether a word can be the version of a record."""
    return word.isascii() and word.isdigit()


def find_behind_time(words: Sequence[str], layouts: Iterable[Layout]) -> Optional[Found]:
    """The record behind a time, or behind a time and one more word, which names a log stream; else None."""
    if not words or not is_time_in_front(words[0]):
        return None
    return _find_fitting(words[1:], layouts) or _find_fitting(words[2:], layouts)


def is_time_in_front(word: str) -> bool:
    """Whether a word is a time that may stand before a record."""
    return len(word) >= _SHORTEST_TIME and word[0].isdecimal() and re.fullmatch(_TIME_IN_FRONT, word) is not None


def find_by_content(words: Sequence[str]) -> Optional[Found]:
    """The record of an undeclared layout, if the words leave no doubt; else None.

    They do if there is exactly one log status, exactly two stamps at most an hour apart, and the id of an interface.
    """
    layout = derive_layout(words)
    return None if layout is None else Found(layout, words)


def derive_layout(words: Sequence[str]) -> Optional[Layout]:
    """The layout that the content of a line shows, with all columns skipped that it does not show; else None."""
    if not FEWEST_WORDS <= len(words) <= MOST_WORDS:
        return None
    statuses = list(_places_of_statuses(words))
    stamps = list(_places_of_stamps(words)) if len(statuses) == 1 else []
    if len(stamps) != 2:
        return None
    ids = [place for place, word in enumerate(words) if is_interface_id(word)]
    start, end = sorted(stamps, key=words.__getitem__)
    if not ids or int(words[end]) - int(words[start]) > _LONGEST_RECORD_S:
        return None
    is_one = len({words[place] for place in ids}) == 1
    return _make_layout(len(words), start, end, statuses[0], ids[0] if is_one else None)


@lru_cache(maxsize=1024)
def _make_layout(width: int, start: int, end: int, status: int, interface: Optional[int]) -> Layout:
    names = {start: "start", end: "end", status: "log-status", interface: "interface-id"}
    return Layout("content", [names.get(place, SKIPPED) for place in range(width)])


def may_have_status(line: str) -> bool:
    """Whether a line has the letters of a log status, which is cheap to ask; without them it shows no layout."""
    return "OK" in line or "DATA" in line


def looks_like_record(words: Sequence[str]) -> bool:
    """Whether a line that was not read has a log status and two stamps, so that its layout is unknown."""
    has_status = next(_places_of_statuses(words), None) is not None
    stamps = _places_of_stamps(words)
    return has_status and next(stamps, None) is not None and next(stamps, None) is not None


def _places_of_statuses(words: Sequence[str]) -> Iterator[int]:
    return (place for place, word in enumerate(words) if word in STATUS_WORDS)


def _places_of_stamps(words: Sequence[str]) -> Iterator[int]:
    return (place for place, word in enumerate(words) if is_stamp(word))


def is_stamp(word: str) -> bool:
    """Whether a word is a plausible time in whole seconds."""
    return len(word) == 10 and word.isdecimal() and word.isascii() and _FIRST <= word <= _LAST


def is_interface_id(word: str) -> bool:
    """Whether a word is the id of a network interface or of a transit gateway's attachment."""
    return word.startswith(_ID_BEGINNINGS) and re.fullmatch(_ID, word) is not None
