# SPDX-License-Identifier: Apache-2.0
"""The texts that are added to records by their `_raw`, for many lines at once.

Lines of equally many words are read by columns (line_grid.py): a layout is tried on all of them, and the texts come
from a memo, as they do for fields (replies.py). A layout that content shows is taken from one line, and proved for all
others by counts. Only valid records get a text. All other lines are left to the reading line by line, which is
the reference (recognition.py) and gives the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Optional, cast

from flowlag.enrich import Enricher
from flowlag.layouts import LAYOUTS, Layout
from flowlag.line_grid import Grid, Picked, find_width, make_grids
from flowlag.memo import Memo
from flowlag.recognition import (
    FEWEST_WORDS,
    MOST_WORDS,
    derive_layout,
    is_interface_id,
    is_stamp,
    is_time_in_front,
    may_have_status,
)
from flowlag.splunk.line_replies import UNFIT, Cut, LineReplies, Proof
from flowlag.splunk.replies import Table, Writer
from flowlag.words import STATUS_WORDS

_STAMP = r"(?<![^ \n])[1-4][0-9]{9}(?![^ \n])"
_MOST_LAYOUTS = 64  # of one width, that the content of the lines of one block may show


class Alike(NamedTuple):
    """Lines that are valid records of one layout behind as many words, and the text of each."""

    lines: Sequence[str]
    layout: Layout
    offset: int
    texts: list[str]

    def columns(self) -> dict[str, list[str]]:
        """The words of each column that has a name, by this."""
        words = list(zip(*[line.split(" ") for line in self.lines]))
        places = self.layout.places.items()
        return {name: list(words[self.offset + place]) for name, place in places if name != "_raw"}


class RawLines:
    """Reads the lines of blocks, for one way in which texts are written."""

    def __init__(self, enricher: Enricher, ending: Writer) -> None:
        settings = enricher.settings
        #: these texts depend on more than a layout's timing values
        self._is_off = settings.community or settings.confidence is not None
        self._needs_interface = "interface" in enricher.roles
        self._guesses = settings.guesses_layout
        self._layouts = list(settings.layouts or LAYOUTS.values())
        self._replies: Memo[tuple[Layout, Proof], LineReplies] = Memo(
            lambda key: LineReplies(enricher, key[0], ending, key[1]), lambda key: 0, 256
        )
        self._is_id = Memo(is_interface_id, len)
        self._is_stamp = Memo(is_stamp, len)

    def read(self, lines: Sequence[str]) -> list[Optional[str]]:
        """For each line the text to add, None if it is to be read alone."""
        found: list[Optional[str]] = [None] * len(lines)
        asked: Sequence[int] = range(0 if self._is_off else len(lines))
        if self._guesses:  # nearly all others are no records, and would be tried in vain
            asked = [row for row in asked if may_have_status(lines[row])]
        if not asked:
            return found
        for grid in make_grids(lines if len(asked) == len(lines) else [lines[row] for row in asked]):
            for row, text in zip(grid.rows, self._read_grid(grid)):
                found[asked[row]] = text or None
        return found

    def read_alike(self, lines: Sequence[str], layout: Optional[Layout] = None) -> Optional[Alike]:
        """The records of lines if all are valid and have one layout, which may be known; else None."""
        width = 0 if self._is_off or not lines else find_width(lines)
        if not width or (layout is not None and len(layout) != width):
            return None
        attempts = self._attempts(width) if layout is None else [(layout, 0)]
        for attempt, offset in attempts:
            picked = Picked(lines, width, 0 if offset else attempt.first, offset + attempt.last)
            texts = self._texts(picked, attempt, offset, None if layout is None else Proof.KNOWN)
            if all(texts):
                return Alike(lines, attempt, offset, cast("list[str]", texts))
            if texts.count(UNFIT) != len(texts):
                return None
        return self._read_alike_by_content(lines) if self._guesses and layout is None else None

    def _read_alike_by_content(self, lines: Sequence[str]) -> Optional[Alike]:
        (grid,) = make_grids(lines)
        layout = derive_layout(grid.words(0))
        if (
            layout is None
            or len(self._places_with(grid, layout)) != len(grid.rows)
            or not self._is_proved(grid, layout)
        ):
            return None
        texts = self._replies[layout, Proof.FIT].texts(Cut(grid, 0))
        return Alike(lines, layout, 0, cast("list[str]", texts)) if all(texts) else None

    def _read_grid(self, grid: Grid) -> Sequence[Optional[str]]:
        texts: list[Optional[str]] = [UNFIT] * len(grid.rows)
        for layout, offset in self._attempts(grid.width):
            left = self._left(texts)
            if not left:
                return texts
            self._try(grid, left, layout, offset, texts)
        left = self._left(texts)
        if left and self._guesses and FEWEST_WORDS <= grid.width <= MOST_WORDS:
            self._read_by_content(grid, left, texts)
        return texts

    def _attempts(self, width: int) -> Iterator[tuple[Layout, int]]:
        """The layouts that lines of a width may have, with the number of words in front, in the reference's order."""
        for offset in (0, 1, 2):
            yield from ((layout, offset) for layout in self._layouts if len(layout) + offset == width)

    def _left(self, texts: Sequence[Optional[str]]) -> list[int]:
        """The places that the next layout may settle. With `auto`, a line that fits a layout has it, valid or not."""
        if self._guesses:
            return [] if UNFIT not in texts else [place for place, text in enumerate(texts) if text == UNFIT]
        return [place for place, text in enumerate(texts) if not text]

    def _try(self, grid: Grid, left: list[int], layout: Layout, offset: int, texts: list[Optional[str]]) -> None:
        """Put the texts of the lines of a grid in a layout into `texts`."""
        found = self._texts(grid.take(left), layout, offset)
        if len(left) == len(texts):
            texts[:] = found
        else:
            for place, text in zip(left, found):
                texts[place] = text or texts[place] if not self._guesses else text

    def _texts(self, table: Table, layout: Layout, offset: int, proof: Optional[Proof] = None) -> list[Optional[str]]:
        """The text of each line in a layout, behind so many words."""
        proof = proof or (Proof.FIT if self._guesses or offset > 0 else Proof.EVIDENCE)
        found = self._replies[layout, proof].texts(Cut(table, offset))
        if not offset:
            return found
        return [text if is_time_in_front(time) else UNFIT for text, time in zip(found, table.column(0))]

    def _read_by_content(self, grid: Grid, left: list[int], texts: list[Optional[str]]) -> None:
        """Put in the texts of lines that no known layout fits: each layout that a line shows is tried on all."""
        for place in left:
            texts[place] = None
        waiting, first, shown = left, 0, 0
        while first < len(waiting) and shown < _MOST_LAYOUTS:
            layout = derive_layout(grid.words(waiting[first]))
            if layout is None:
                first += 1
                continue
            shown += 1
            waiting = waiting[first:]
            fitting = [waiting[i] for i in self._places_with(grid.take(waiting), layout)]
            self._prove(grid.take(fitting), layout, fitting, texts)
            settled = {waiting[0], *fitting}
            waiting, first = [place for place in waiting if place not in settled], 0

    def _places_with(self, grid: Grid, layout: Layout) -> Sequence[int]:
        """The places of lines with stamps and a log status where a layout has them."""
        columns = [grid.column(layout.places[name]) for name in ("start", "end", "log_status")]
        starts, ends, statuses = columns
        stamps = {*starts, *ends}
        if STATUS_WORDS.keys() >= set(statuses) and all(map(self._is_stamp.__getitem__, stamps)):
            return range(len(starts))
        return [
            place
            for place, (start, end, status) in enumerate(zip(starts, ends, statuses))
            if status in STATUS_WORDS and is_stamp(start) and is_stamp(end)
        ]

    def _prove(self, grid: Grid, layout: Layout, places: list[int], texts: list[Optional[str]]) -> None:
        """Put in the texts of lines whose content shows this layout and no other; grids with other lines are halved."""
        if self._is_proved(grid, layout):
            found = self._replies[layout, Proof.FIT].texts(Cut(grid, 0))
            for place, text in zip(places, found):
                texts[place] = text or None
        elif len(places) == 1:
            texts[places[0]] = None
        else:
            middle = len(places) // 2
            self._prove(grid.take(range(middle)), layout, places[:middle], texts)
            self._prove(grid.take(range(middle, len(places))), layout, places[middle:], texts)

    def _is_proved(self, grid: Grid, layout: Layout) -> bool:
        """Whether no line has another stamp or log status than where the layout has it, and each has an id."""
        text, count = "\n".join(grid.lines), len(grid.lines)
        if text.count("OK") + text.count("DATA") != count and sum(map(grid.count, STATUS_WORDS)) != count:
            return False
        if not self._have_ids(grid, layout, text):
            return False
        stamps = re.findall(_STAMP, text)
        return len(stamps) == 2 * count or sum(map(is_stamp, stamps)) == 2 * count

    def _have_ids(self, grid: Grid, layout: Layout, text: str) -> bool:
        place = layout.places.get("interface_id")
        if place is None:  # there are two, or the first is another's
            return not self._needs_interface and all(any(map(is_interface_id, line.split(" "))) for line in grid.lines)
        if not all(map(self._is_id.__getitem__, set(grid.column(place)))):
            return False
        return not self._needs_interface or text.count("eni-") + text.count("tgw-attach-") == len(grid.lines)
