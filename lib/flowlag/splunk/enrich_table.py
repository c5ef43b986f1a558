# SPDX-License-Identifier: Apache-2.0
"""A chunk's CSV bytes in, the same bytes with `_time` and the tag columns set out.

What goes out is each record's original bytes plus its tags, so every other column stays as it came, byte for byte,
whatever its quoting or encoding. A body is handled in blocks of whole records, each in one of two ways:

- read: csv.reader finds the values, and tells how far each record reaches. Always right.
- split: in a block that is proven to hold no comma and no line end inside quotes (`_Plan.split_lines`), cutting at
  commas finds the same values several times faster.

Both end the same way: a memo gives the tags by the values, and records and tags are joined. Only where a column has to
change (`_time`, tags that exist already) or a row is not as wide as its header, a record is taken apart into the raw
text of its fields and put together again. Bytes pass through as Latin-1, which maps all 256.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple, Optional, Union

from flowlag.enrich import Enricher
from flowlag.fields import Values, has_value
from flowlag.record import STATUSES, VALID, count_packets
from flowlag.splunk.answers import Answers, Key, Memo
from flowlag.splunk.csv_bytes import (
    TWIN,
    Blocks,
    close_record,
    cut_line_end,
    decode,
    is_whole,
    read_records,
    scan_record,
    split_record,
    unquote,
)
from flowlag.tags import TAG_FIELDS, Tags

#: Bytes handled at a time: few enough for the processor's cache, many enough that what a block costs is nothing.
BLOCK_SIZE = 128 * 1024

_CONTENT = bytes(set(range(256)) - set(b',"\r\n'))  # what the shape of a line leaves out
_MOST_SHAPES = 4096
_LONGEST_SHAPE = 4096


class EnrichTable:
    """Tags the bodies of one search, each on its own."""

    def __init__(self, enricher: Enricher, block_size: int = BLOCK_SIZE) -> None:
        self._enricher = enricher
        self._block_size = block_size
        self._plan: Optional[_Plan] = None

    def tag(self, body: bytes) -> bytes:
        """The reply body for a request body (CSV with a header line); empty when there is no event."""
        size = self._block_size
        return b"".join(self.tag_pieces(body[i : i + size] for i in range(0, len(body), size)))

    def tag_pieces(self, pieces: Iterable[bytes]) -> list[bytes]:
        """The same for a body that arrives in pieces of any cut; the reply body is in pieces too."""
        blocks = Blocks(pieces, self._block_size)
        reply: list[bytes] = []
        plan = None
        for block in blocks:
            if plan is None:
                header = block[: scan_record(block.decode("latin-1"), 0)]
                if len(header) == len(block):  # perhaps it goes on
                    blocks.put_back(block)
                    continue
                plan = self._plan_for(header.decode("latin-1"))
                reply.append(plan.header.encode("latin-1"))
                block = block[len(header) :]
            reply.append(self._tag_records(plan, self._take_apart(plan, block, blocks)).encode("latin-1"))
        return reply

    def _plan_for(self, header: str) -> _Plan:
        """The plan of this header; a search's header rarely changes, so what is known of the last one is kept."""
        if self._plan is None or self._plan.line != header:
            self._plan = _Plan(header, self._enricher)
        return self._plan

    def _take_apart(self, plan: _Plan, block: bytes, blocks: Blocks) -> _Records:
        text = block.decode("latin-1")
        lines = plan.split_lines(block, text)
        if lines is not None:
            return _SplitRecords(plan, lines)
        records = _ReadRecords(plan, text, blocks.is_last)
        blocks.put_back(records.rest.encode("latin-1"))
        return records

    def _tag_records(self, plan: _Plan, records: _Records) -> str:
        if not records.lines:  # the block's one record goes on in the next
            return ""
        answers = list(map(records.view.answers.__getitem__, records.view.keys(records)))
        self._count(records.view, answers)
        if plan.asks_raw and "" in answers:
            self._ask_events(plan, records, answers)
        if plan.changes(records):
            self._rebuild(plan, records, answers)
        return "".join(chain.from_iterable(zip(records.lines, records.end_lines(answers))))

    def _count(self, view: _View, answers: list[str]) -> None:
        """Count the answers by status: a status stands between commas, and no other tag has one of these words."""
        if view.all_ok:
            self._enricher.counts["ok"] += len(answers)
            return
        text, left = "".join(answers), len(answers) - answers.count("")
        for status in reversed(STATUSES):  # the most frequent first
            count = text.count(f",{status},") if left else 0
            if count:
                self._enricher.counts[status] += count
                left -= count

    def _ask_events(self, plan: _Plan, records: _Records, answers: list[str]) -> None:
        """Fill in the answers of the events whose `_raw` has to be asked."""
        for i, (answer, key) in enumerate(zip(answers, records.view.keys(records))):
            if not answer:
                raw = decode(records.value(i, plan.columns["_raw"]))
                answers[i] = records.view.write(self._enricher.tag_raw(raw, records.view.read(key)))

    def _rebuild(self, plan: _Plan, records: _Records, answers: list[str]) -> None:
        """Put the lines together anew, with the new `_time` and without the columns that are replaced."""
        for i, answer in enumerate(answers):
            time = ""
            if plan.time is not None:
                tags = Tags(*answer.rstrip("\n").split(",")[-len(TAG_FIELDS) :])
                time = self._enricher.new_time(tags, records.value(i, plan.time))
            if time or plan.kept is not None:
                records.lines[i] = plan.rebuild(records.fields(i), time)


class _Role(NamedTuple):
    """A timing value's place in Values, and the columns where it is looked for."""

    name: str
    places: tuple[int, ...]


class _Plan:
    """What one header asks for: where inputs stand, which columns go out, and the header line that is sent."""

    def __init__(self, line: str, enricher: Enricher) -> None:
        self.line = line
        text, line_end = cut_line_end(line)
        raw_names = split_record(text)
        names = [decode(unquote(name)) for name in raw_names]
        replaced = {twin + name for name in enricher.fields for twin in ("", TWIN)}
        kept = [i for i, name in enumerate(names) if name not in replaced]
        self.width = len(names)
        self.columns = {name: i for i, name in reversed(list(enumerate(names)))}  # of two with one name, the first
        self.kept = None if len(kept) == len(names) else kept  # None when every column stays
        self.time = self.columns.get("_time")
        roles = [_Role(name, self._places(names)) for name, names in enricher.roles.items()]
        self.roles = [role for role in roles if role.places or role.name in ("start", "end")]
        self.asks_raw = enricher.settings.reads_raw and "_raw" in self.columns
        self._time_twin = self.columns.get(TWIN + "_time")
        self._always_sets_time = enricher.settings.time != "keep"
        sent = [raw_names[i] for i in kept] + ([] if self.time is not None else ['"_time"'])
        self.header = ",".join([*sent, *(f'"{name}"' for name in enricher.fields)]) + (line_end or "\n")
        self.plain_width = max(1, 1 + max((i for i, name in enumerate(names) if not name.startswith(TWIN)), default=0))
        self.tail = "," * (self.width - self.plain_width) + "\n"  # how a line ends that has no multivalue
        kept_twins = [i for i in kept if i >= self.plain_width]
        self.split_view = _View(self, enricher, unquote, "," * len(kept_twins), kept != kept_twins)
        self.read_view = _View(self, enricher, str, "", kept != [])
        self._shapes: set[bytes] = set()

    def _places(self, names: Iterable[str]) -> tuple[int, ...]:
        return tuple(self.columns[name] for name in names if name in self.columns)

    def split_lines(self, block: bytes, text: str) -> Optional[list[str]]:
        """The lines of a block without their tails, if each is a record as wide as the header; else None.

        A line's shape is what stays of it without all but commas, quotes and line ends. Lines have few shapes, so each
        is looked at once. Where every field has an even number of quotes, none of them can hold the comma behind it.
        """
        lines = text.split(self.tail)
        if lines.pop():  # there is no tail at the end
            return None
        bare = block.translate(None, _CONTENT)
        first = bare[: bare.index(b"\n") + 1]
        if bare == first * len(lines):
            shapes = {first[:-1]}
        elif bare.count(b"\n") == len(lines):
            shapes = set(bare[:-1].split(b"\n"))
        else:  # some line has another tail
            return None
        return lines if self._are_plain(shapes - self._shapes) else None

    def _are_plain(self, shapes: set[bytes]) -> bool:
        if not all(map(self._is_plain_shape, shapes)):
            return False
        if len(self._shapes) > _MOST_SHAPES:
            self._shapes.clear()
        self._shapes |= shapes
        return True

    def _is_plain_shape(self, shape: bytes) -> bool:
        quotes = shape.split(b",")
        is_even = all(len(run) % 2 == 0 for run in quotes)
        return len(quotes) == self.width and is_even and b"\r" not in shape and len(shape) <= _LONGEST_SHAPE

    def changes(self, records: _Records) -> bool:
        """Whether some line has to change before its tags are put behind it."""
        if self.kept is not None:
            return True
        return self.time is not None and (self._always_sets_time or records.has_empty(self.time))

    def fit(self, line: str) -> str:
        """A record's line with as many fields as the header has."""
        return ",".join([*split_record(line), *[""] * self.width][: self.width])

    def rebuild(self, fields: list[str], time: str) -> str:
        """A record's line from its fields, with the new `_time` if there is one, without the replaced columns."""
        if time and self.time is not None:
            fields[self.time] = time
            if self._time_twin is not None and self._time_twin < len(fields):
                fields[self._time_twin] = ""
        return ",".join(fields if self.kept is None else [fields[i] for i in self.kept if i < len(fields)])


class _View:
    """How values look in split or in read records, and what is remembered of them."""

    def __init__(self, plan: _Plan, enricher: Enricher, value: Callable[[str], str], twins: str, follows: bool) -> None:
        self._plan = plan
        self._enricher = enricher
        self._value = value  # field text -> value
        self._twins = twins
        self._follows = follows  # whether any field stands before what is written
        self.all_ok = True  # whether no answer says anything else; so it is in most searches
        self._packets: Memo[str] = Memo(self._class_packets)
        roles = [role.name for role in plan.roles]
        place = roles.index("interface") if "interface" in roles else None
        self.answers = Answers(enricher, self._judge, self._write_or_ask, self._read_interface, place)

    def keys(self, records: _Records) -> Iterator[Key]:
        """For each record, the texts that its tags depend on, by role."""
        return zip(*(self._texts(records, role) for role in self._plan.roles))

    def _texts(self, records: _Records, role: _Role) -> Iterable[str]:
        """For each record, the text of the first of a role's columns that has a value."""
        columns = [records.column(place) for place in role.places]
        columns = columns[:1] + [column for column in columns[1:] if any(column)]
        if not columns:
            return [""] * len(records.lines)
        texts = columns[0] if len(columns) == 1 else map(self._first_text, *columns)
        return map(self._packets.__getitem__, texts) if role.name == "packets" else texts

    def write(self, tags: Tags) -> str:
        """What stands behind a record's line: the twins that were cut off, `_time` where it is new, the tags."""
        time = [] if self._plan.time is not None else [self._enricher.new_time(tags, None)]
        text = ",".join([self._twins, *time, *tags]) + "\n"
        return text if self._follows else text[1:]

    def _write_or_ask(self, tags: Tags) -> str:
        self.all_ok = self.all_ok and tags.status == "ok"
        return "" if self._plan.asks_raw and tags.status not in VALID else self.write(tags)

    def _judge(self, key: Key) -> Tags:
        return self._enricher.judge(self.read(key))

    def read(self, key: Key) -> Values:
        """The values that a key stands for."""
        values = (decode(self._value(text)) for text in key)
        return Values(**{role.name: text for role, text in zip(self._plan.roles, values) if has_value(text)})

    def _read_interface(self, text: str) -> Optional[str]:
        value = decode(self._value(text))
        return value if has_value(value) else None

    def _first_text(self, *texts: str) -> str:
        return next((text for text in texts if has_value(self._value(text))), "")

    def _class_packets(self, text: str) -> str:
        """Of the number of packets only this matters: none, one, several, unknown. So more records have one answer."""
        value = self._value(text)
        count = count_packets(value) if has_value(value) else None
        return "" if count is None else str(count)


class _SplitRecords:
    """The records of a plain block; `lines` are without the twins at the end, which are empty."""

    def __init__(self, plan: _Plan, lines: list[str]) -> None:
        self.view = plan.split_view
        self.lines = lines
        self._cells = ",".join(lines).split(",")
        self._step = plan.plain_width

    def column(self, place: int) -> list[str]:
        """The raw texts of a column."""
        return self._cells[place :: self._step] if place < self._step else [""] * len(self.lines)

    def has_empty(self, place: int) -> bool:
        """Whether a column is empty in some record."""
        column = self.column(place)
        return "" in column or '""' in column

    def value(self, i: int, place: int) -> str:
        """A value of record i."""
        return unquote(self._cells[i * self._step + place]) if place < self._step else ""

    def fields(self, i: int) -> list[str]:
        """The raw texts of record i's fields, as far as they are in its line."""
        return self.lines[i].split(",")

    def end_lines(self, answers: list[str]) -> list[str]:
        """The answers with the line ends that the records had."""
        return answers


class _ReadRecords:
    """The records of any block; `rest` is the last one's text when it goes on in the next block."""

    def __init__(self, plan: _Plan, text: str, is_last: bool) -> None:
        self.view = plan.read_view
        self.lines: list[str] = []
        self.rest = ""
        self._rows: list[list[str]] = []
        self._ends: list[str] = []
        record = ""
        for values, record in read_records(text, 0):
            line, line_end = cut_line_end(record)
            if len(values) != plan.width:
                values, line = [*values, *[""] * plan.width][: plan.width], plan.fit(line)
            self._rows.append(values)
            self.lines.append(line)
            self._ends.append(line_end)
        if record and not is_whole(record):
            if is_last:
                self.lines[-1], self._ends[-1] = cut_line_end(close_record(record))
                self.lines[-1] = plan.fit(self.lines[-1])
            else:
                self.rest = record
                del self._rows[-1], self.lines[-1], self._ends[-1]

    def column(self, place: int) -> list[str]:
        """The values of a column."""
        return [row[place] for row in self._rows]

    def has_empty(self, place: int) -> bool:
        """Whether a column is empty in some record."""
        return "" in self.column(place)

    def value(self, i: int, place: int) -> str:
        """A value of record i."""
        return self._rows[i][place]

    def fields(self, i: int) -> list[str]:
        """The raw texts of record i's fields."""
        return split_record(self.lines[i])

    def end_lines(self, answers: list[str]) -> list[str]:
        """The answers with the line ends that the records had; a missing one at the end of a body is added."""
        return [text if end == "\n" else text[:-1] + (end or "\n") for text, end in zip(answers, self._ends)]


_Records = Union[_SplitRecords, _ReadRecords]
