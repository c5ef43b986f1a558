# SPDX-License-Identifier: Apache-2.0
"""flowlagenrich on the wire: CSV bytes of a chunk in, the same bytes with `_time` and tag columns out.

The reply has the original bytes of each record plus its tags, so every other column stays as it came, byte for byte,
whatever its quoting or encoding. A body is handled in blocks (blocks.py), whose records get their tags by their keys
(replies.py). A record is split into the raw texts of its fields and joined again only if a column has to change
(`_time`, tags that exist already) or the record is not as wide as its header.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from operator import add
from typing import TYPE_CHECKING, NamedTuple, Optional, cast

from flowlag.enrich import Enricher
from flowlag.record import STATUSES
from flowlag.splunk.blocks import BLOCK_SIZE, Blocks, ReadRecords, Records, Splitter
from flowlag.splunk.columns import TWIN, Header
from flowlag.splunk.csv_bytes import decode, scan_record, unquote, unquote_all
from flowlag.splunk.endings import Ending
from flowlag.splunk.raw_lines import RawLines
from flowlag.splunk.replies import Key, Keys, ReplyCache

if TYPE_CHECKING:
    from flowlag.splunk.id_column import IdColumn
    from flowlag.splunk.likely_column import LikelyColumn


class EnrichTable:
    """Tags the bodies of one search, each on its own."""

    def __init__(self, enricher: Enricher, block_size: int = BLOCK_SIZE) -> None:
        self._enricher = enricher
        self._block_size = block_size
        self._plan: Optional[_Plan] = None

    def tag(self, body: bytes) -> bytes:
        """The reply body for a request body (CSV with a header line); empty if there is no event."""
        size = self._block_size
        return b"".join(self.tag_pieces(body[i : i + size] for i in range(0, len(body), size)))

    def tag_pieces(self, pieces: Iterable[bytes]) -> list[bytes]:
        """The same for a body that arrives in pieces cut anywhere; the reply body is in pieces too."""
        blocks = Blocks(pieces, self._block_size)
        reply: list[bytes] = []
        plan = None
        for block in blocks:
            if plan is None:
                header = block[: scan_record(block.decode("latin-1"), 0)]
                if len(header) == len(block):  # the header line may go on
                    blocks.put_back(block)
                    continue
                plan = self._plan_for(header.decode("latin-1"))
                reply.append(plan.reply_header.encode("latin-1"))
                block = block[len(header) :]
            reply.append(self._tag_block(plan, block, blocks).encode("latin-1"))
        return reply

    def _plan_for(self, header: str) -> _Plan:
        """The plan of this header; the last one is kept, because the header of a search rarely changes."""
        if self._plan is None or self._plan.header.line != header:
            self._plan = _Plan(Header(header), self._enricher)
        return self._plan

    def _tag_block(self, plan: _Plan, block: bytes, blocks: Blocks) -> str:
        text = block.decode("latin-1")
        split = plan.splitter.split(block, text)
        if split is not None:
            return self._tag_records(plan, plan.split, split)
        records = ReadRecords(plan.header, text, blocks.is_last)
        blocks.put_back(records.rest.encode("latin-1"))
        return self._tag_records(plan, plan.read, records)

    def _tag_records(self, plan: _Plan, way: _Way, records: Records) -> str:
        if not records.lines:  # the block's one record goes on in the next
            return ""
        columns = self._find_endings(plan, way, records)
        if not plan.changes(records) and way is plan.split:
            return "".join(chain.from_iterable(zip(records.lines, *columns)))
        endings = columns[0] if len(columns) == 1 else list(map(add, *columns))
        if plan.changes(records):
            self._rebuild(plan, way.ending, records, endings)
        return "".join(chain.from_iterable(zip(records.lines, records.end_lines(endings))))

    def _find_endings(self, plan: _Plan, way: _Way, records: Records) -> list[list[str]]:
        """One or two columns with the text to add to each record; `_raw` is read if the fields do not settle it."""
        texts = list(map(way.replies.__getitem__, way.keys.of(records)))
        settled = texts if way.replies.settles_all else [text for text in texts if text is not None]
        self._count(way, cast("list[str]", settled))
        columns = [texts] if way.likely is None else way.likely.complete(records, texts, way.replies.all_ok)
        if way.ids is not None:
            columns[-1] = way.ids.complete(records, columns[-1], way.replies.all_ok)
        if way.replies.settles_all:
            return cast("list[list[str]]", columns)
        return [self._ask_lines(plan, way, records, columns[0])]  # there is one column, since not all are ok

    def _ask_lines(self, plan: _Plan, way: _Way, records: Records, texts: list[Optional[str]]) -> list[str]:
        """The texts with those that `_raw` gives in place of None: of many lines at once, or of one after the other."""
        asked = [i for i, text in enumerate(texts) if text is None]
        if not asked:
            return cast("list[str]", texts)
        cells = records.column(plan.header.places["_raw"])
        found = way.lines.read(way.values_of(cells if len(asked) == len(cells) else [cells[i] for i in asked]))
        if None not in found and len(asked) == len(texts):
            self._count_texts(cast("list[str]", found))
            return cast("list[str]", found)
        self._count_texts([text for text in found if text is not None])
        for i, text in zip(asked, found):
            texts[i] = text
        keys = list(way.keys.of(records)) if None in texts else []
        return [self._ask_raw(plan, way, records, i, keys[i]) if text is None else text for i, text in enumerate(texts)]

    def _count(self, way: _Way, endings: list[str]) -> None:
        if way.replies.all_ok:
            self._enricher.counts["ok"] += len(endings)
        else:
            self._count_texts(endings)

    def _count_texts(self, endings: list[str]) -> None:
        """Count the endings by status: a status is between commas, and no other tag has one of these words."""
        text, left = "".join(endings), len(endings)
        for status in reversed(STATUSES):  # the most frequent first
            count = text.count(f",{status},") if left else 0
            if count:
                self._enricher.counts[status] += count
                left -= count

    def _ask_raw(self, plan: _Plan, way: _Way, records: Records, i: int, key: Key) -> str:
        raw = decode(records.value(i, plan.header.places["_raw"]))
        return way.ending.write_whole(self._enricher.tag_raw(raw, way.keys.values[key]))

    def _rebuild(self, plan: _Plan, written: Ending, records: Records, endings: list[str]) -> None:
        """Join the lines again, with the new `_time` and without the columns that are replaced."""
        for i, ending in enumerate(endings):
            time = ""
            if plan.time is not None:
                current = records.value(i, plan.time)
                time = self._enricher.new_time(written.read(ending), current)
                time = "" if time == current else time  # its bytes stay, quotes and all
            if time or plan.kept is not None:
                records.lines[i] = plan.rebuild(records.fields(i), time)


class _Way(NamedTuple):
    """How the records of a block get their tags. Split records hold raw texts, read ones hold values."""

    keys: Keys
    ending: Ending
    replies: ReplyCache
    likely: Optional[LikelyColumn]
    ids: Optional[IdColumn]
    lines: RawLines
    values_of: Callable[[list[str]], list[str]]


class _Plan:
    """What follows from one header: the columns that go out, the reply's header line, and both ways to the tags."""

    def __init__(self, header: Header, enricher: Enricher) -> None:
        self.header = header
        self.splitter = Splitter(header)
        replaced = {twin + name for name in enricher.fields for twin in ("", TWIN)}
        kept = [i for i, name in enumerate(header.names) if name not in replaced]
        self.kept = None if len(kept) == len(header) else kept  # None if every column stays
        self.time = header.places.get("_time")
        self._time_twin = header.places.get(TWIN + "_time")
        self._always_sets_time = enricher.settings.time != "keep"
        sent = [header.cells[i] for i in kept] + ([] if self.time is not None else ['"_time"'])
        self.reply_header = ",".join([*sent, *(f'"{name}"' for name in enricher.fields)]) + (header.line_end or "\n")
        cut_off = [i for i in kept if i >= self.splitter.width]
        split = Ending(enricher, "," * len(cut_off), sets_time=self.time is None, follows=kept != cut_off)
        self.split = self._way(enricher, unquote, split)
        self.read = self._way(enricher, str, Ending(enricher, "", sets_time=self.time is None, follows=kept != []))

    def _way(self, enricher: Enricher, value: Callable[[str], str], ending: Ending) -> _Way:
        keys = Keys(self.header, enricher.roles, value)
        asks_raw = enricher.settings.reads_raw and "_raw" in self.header.places
        replies = ReplyCache(enricher, keys, ending, asks_raw)
        likely, is_split = None, value is unquote
        if enricher.settings.confidence is not None:
            from flowlag.splunk.likely_column import LikelyColumn  # only a process that needs it pays for the import

            likely = LikelyColumn(self.header, enricher, keys, ending, value, replies.seconds)
        ids = None
        if enricher.settings.community:
            from flowlag.splunk.id_column import IdColumn  # only a process that needs it pays for the import

            ids = IdColumn(self.header, value)
        return _Way(keys, ending, replies, likely, ids, RawLines(enricher, ending), unquote_all if is_split else list)

    def changes(self, records: Records) -> bool:
        """Whether some line has to change before its tags are added."""
        if self.kept is not None:
            return True
        return self.time is not None and (self._always_sets_time or records.has_empty(self.time))

    def rebuild(self, fields: list[str], time: str) -> str:
        """A record's line from its fields, with the new `_time` if there is one, without the replaced columns."""
        if time and self.time is not None:
            fields[self.time] = time
            if self._time_twin is not None and self._time_twin < len(fields):
                fields[self._time_twin] = ""
        return ",".join(fields if self.kept is None else [fields[i] for i in self.kept if i < len(fields)])
