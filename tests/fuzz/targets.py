# SPDX-License-Identifier: Apache-2.0
"""One function for each entrance, which takes bytes and asserts what has to hold; knows nothing of a fuzzer.

`run.py` feeds them what the fuzzer makes, `tests/fuzz/test_fuzz.py` what is in `corpus/`. The first bytes of an input choose
options and sizes (`Given`), the rest is what comes in. A target returns nothing; an AssertionError, or whatever else
leaves it, is a finding.
"""

from __future__ import annotations

import atexit
import csv
import functools
import gzip
import importlib
import io
import json
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from flowlag.cli.output import WRITERS, find_form
from flowlag.cli.pieces import tag_rows
from flowlag.cli.tagger import tag_batches
from flowlag.cli.terminal import encode_line
from flowlag.connect.connector import Connector
from flowlag.connect.options import parse_connect_arguments, parse_connect_settings
from flowlag.connect.rows import CONNECT_FIELDS, MULTIVALUES
from flowlag.enrich import Enricher
from flowlag.enrich_options import parse_arguments, parse_settings
from flowlag.errors import ProtocolError, SettingsError, SourceError
from flowlag.files import json_text
from flowlag.files.rows import RowReader
from flowlag.files.sources import read_batches, read_source
from flowlag.instants import parse_instant
from flowlag.learn.estimate import BINS, PARTS
from flowlag.learn.learner import Learner
from flowlag.learn.options import parse_learn_arguments, parse_learn_settings
from flowlag.learn.rows import LEARN_FIELDS
from flowlag.match import candidates
from flowlag.match.matcher import Matcher
from flowlag.match.options import parse_match_arguments, parse_match_settings
from flowlag.profile.options import parse_profile_arguments, parse_profile_settings
from flowlag.profile.profiler import PROFILE_FIELDS, Profiler
from flowlag.record import STATUSES
from flowlag.splunk.connect_table import ConnectTable
from flowlag.splunk.enrich_table import EnrichTable
from flowlag.splunk.frames import serve
from flowlag.splunk.learn_table import LearnTable
from flowlag.splunk.lookup import LAGS_PLACE, PLACE, load_lags, load_windows
from flowlag.splunk.match_table import MatchTable
from flowlag.splunk.profile_table import ProfileTable
from flowlag.words import is_header, split_words, strip_blanks
from tests.support.oracle import cut, expected_pairs, expected_reply_to, split_body
from tests.support.splunkd import getinfo_metadata
from tools.places import ROOT

T = TypeVar("T")

WORK = Path(tempfile.mkdtemp(prefix="flowlag-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
(WORK / PLACE).parent.mkdir()
atexit.register(shutil.rmtree, WORK, ignore_errors=True)

OPTIONS: Sequence[dict[str, str]] = (
    {},
    {"time": "latest", "community": "true"},
    {"time": "start", "windows": "assumed"},
    {"time": "likely", "confidence": "99"},
    {"confidence": "99.9", "community": "true", "lag": "0"},
    {"phase": "6", "lag": "0.5"},
    {"phase": "66", "interval": "10m", "time": "estimate", "community": "true"},
    {"format": "none", "windows": "none"},
    {"format": "${start} ${end}"},
    {"format": "${version} ${start} ${packets} ${end} ${log-status}"},
    {"format": "default", "prefix": "x", "community": "true"},
    {"start": "a", "end": "b", "duration": "c"},
    {"start": "a.b", "end": "a.c", "packets": "start", "interface": "user", "status": "s"},
)
SIZES = (1 << 20, 1, 7, 64, 300)
#: What splunklib sets for the process when it is imported.
SDK_FIELD_SIZE = 10_485_760


class Given:
    """An input that is taken from its beginning."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def byte(self) -> int:
        """The next byte, 0 behind the last."""
        self._place += 1
        return self._data[self._place - 1] if self._place <= len(self._data) else 0

    def pick(self, choices: Sequence[T]) -> T:
        """One of `choices`, by the next byte."""
        return choices[self.byte() % len(choices)]

    def rest(self) -> bytes:
        """All that is left."""
        return self._data[self._place :]


@functools.cache
def _settings(number: int) -> Any:
    return parse_settings(OPTIONS[number].items())


def _take_settings(given: Given) -> Any:
    return _settings(given.byte() % len(OPTIONS))


def _is_sentence(text: str) -> None:
    """What a user is told is one line of a length that can be read, and safe for a terminal."""
    assert text and text.isprintable() and len(text) < 2000, text[:300]


# --- what Splunk sends ---


def chunk(data: bytes) -> None:
    """A chunk's body: the fast path is the plain path, byte for byte, wherever blocks and pieces end."""
    given = Given(data)
    chosen, block, piece = given.pick(OPTIONS), given.pick(SIZES), given.pick(SIZES)
    body = given.rest()
    records = split_body(body)
    expected, counts = expected_reply_to(records, chosen) if len(records) > 1 else (b"", Counter())
    enricher = Enricher(parse_settings(chosen.items()))
    reply = b"".join(EnrichTable(enricher, block).tag_pieces(cut(body, piece)))
    assert reply == expected, (reply, expected)
    assert enricher.counts == counts, (enricher.counts, counts)


def raw(data: bytes) -> None:
    """An event that has only its `_raw`, and one whose fields are damaged: a verdict always, the same on both paths."""
    given = Given(data)
    settings = _take_settings(given)
    text = given.rest().decode("utf-8", "replace")
    for fields in ({"_raw": text}, {"start": text, "_raw": text}, {"start": "x", "a": "1", "_raw": text}):
        enricher = Enricher(settings)
        tags = enricher.tag(fields.get)
        assert tags.status in STATUSES and all(isinstance(tag, str) for tag in tags)
        assert len(tags.community_id) in ((0, 30) if settings.community and tags.status == "ok" else (0,))
        assert bool(tags.earliest) == (tags.status in ("ok", "nodata", "skipdata"))
        assert enricher.tag(fields.get) == tags and sum(enricher.counts.values()) == 2
        assert not set('",\r\n') & set("".join(tags))
        names, cells = (
            ",".join('"' + cell.replace('"', '""') + '"' for cell in some) for some in (fields, fields.values())
        )
        reply = EnrichTable(Enricher(settings)).tag(f"{names}\n{cells}\n".encode())
        assert reply.endswith(("," + ",".join(tags[: len(enricher.fields)]) + "\n").encode()), (reply, tags)
        warning = enricher.warning()
        if warning is not None:
            _is_sentence(warning)


_PLAIN_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3}([0-9]{3})?)?\+[0-9]{2}:[0-9]{2}"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def instant(data: bytes) -> None:
    """A text that may be a time: within the years, or none; numbers and plain ISO as the standard library has them."""
    text = data.decode("utf-8", "replace")
    parsed = parse_instant(text)
    assert parsed is None or 1_388_534_400_000_000 <= parsed <= 4_102_444_800_000_000
    if parsed is not None:
        assert text.isascii() and text == text.strip() and any(c.isdigit() for c in text)
    if text.isascii() and text.isdigit() and len(text) == 10:
        expected = int(text) * 1_000_000
        assert parsed == (expected if 1_388_534_400_000_000 <= expected <= 4_102_444_800_000_000 else None)
    if _PLAIN_ISO.fullmatch(text):
        try:
            moment = (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)
        except (ValueError, OverflowError):
            moment = 0
        assert parsed == (moment if 1_388_534_400_000_000 <= moment <= 4_102_444_800_000_000 else None), (text, moment)


def options(data: bytes) -> None:
    """The options of a search command: settings, or one sentence; and the settings can be used."""
    given = Given(data)
    parse = given.pick(
        (
            parse_arguments,
            parse_match_arguments,
            parse_profile_arguments,
            parse_connect_arguments,
            parse_learn_arguments,
        )
    )
    arguments = given.rest().decode("utf-8", "replace").split("\x01")
    try:
        settings: Any = parse(arguments)
    except SettingsError as error:
        _is_sentence(str(error))
        names = {argument.partition("=")[0] for argument in arguments} | {"by", "within", "flowlag"}
        assert any(name[:50] in str(error) or not name.isprintable() for name in names), (error, arguments)
        return
    if parse is parse_arguments:
        Enricher(settings).tag({"_raw": "2 1 eni-1 - - - - - 1 1 1602397446 1602397505 - OK"}.get)
        assert settings.input_fields[-1] == "_time" and 0 <= settings.lag_us <= 3_600_000_000
        if settings.phase_us is not None:
            assert 0 <= settings.phase_us < settings.interval_us
    elif parse is parse_match_arguments:
        assert len(settings.flow_keys) == len(settings.anchor_keys) > 0 and all(settings.flow_keys)


def form(data: bytes) -> None:
    """A format string: refused in one sentence, or a layout that reads each line made for it."""
    text = data.decode("utf-8", "replace")
    try:
        settings = parse_settings([("format", text)])
    except SettingsError as error:
        _is_sentence(str(error))
        assert str(error).startswith("option format: ")
        return
    widths = {len(layout) for layout in settings.layouts}
    for layout in settings.layouts:
        words = ["1"] * len(layout)
        for name, word in (("start", "1602397446"), ("end", "1602397505"), ("log-status", "OK")):
            if name in layout.columns:
                words[layout.columns.index(name)] = word
        tags = Enricher(settings).tag({"_raw": " ".join(words)}.get)
        assert tags.status == "ok" or len(widths) < len(settings.layouts), (text, tags)
        if len(words) + 1 not in widths:
            assert Enricher(settings).tag({"_raw": " ".join([*words, "1"])}.get).status == "other"
    if len(settings.layouts) == 1:
        assert (tags.status, tags.start, tags.end) == ("ok", "1602397446", "1602397505"), (text, tags)


def frames(data: bytes) -> None:
    """Requests of the protocol: one whole reply for each whole request, then a clean end or a ProtocolError."""
    asked: list[bytes] = []

    def answer(body: Any, finished: bool) -> Any:
        asked.append(b"".join(body))
        return [asked[-1], b""], [("WARN", "é")] if finished else []

    given = Given(data)
    size = given.pick(SIZES)
    replies = io.BytesIO()
    try:
        serve(_Trickle(given.rest(), size), replies, answer)
    except ProtocolError as error:
        _is_sentence(str(error))
    bodies = [body for _, body in _read_replies(replies.getvalue())]
    assert bodies == asked[: len(bodies)] and len(asked) - len(bodies) in (0, 1)


def _read_replies(sent: bytes) -> list[tuple[dict[str, Any], bytes]]:
    """What was sent, taken apart; it has to be whole frames to its end."""
    found, place = [], 0
    while place < len(sent):
        head = re.compile(rb"chunked 1\.0,([0-9]+),([0-9]+)\n").match(sent, place)
        assert head, sent[place : place + 60]
        middle = head.end() + int(head.group(1))
        place = middle + int(head.group(2))
        assert place <= len(sent)
        found.append((json.loads(sent[head.end() : middle]), sent[middle:place]))
        assert isinstance(found[-1][0], dict)
    return found


class _Trickle(io.RawIOBase):
    """A stream that gives at most `size` bytes at a time, as a pipe may."""

    def __init__(self, content: bytes, size: int) -> None:
        self._content = io.BytesIO(content)
        self._size = size

    def readable(self) -> bool:
        return True

    def readline(self, size: Any = -1) -> bytes:
        return self._content.readline(size)

    def read(self, size: int = -1) -> bytes:
        return self._content.read(self._size if size < 0 else min(size, self._size))

    def readinto(self, buffer: Any) -> int:
        return self._content.readinto(memoryview(buffer)[: self._size])


# What a search command may touch: modules as they are imported, and its lookup. Everything else is a finding.
_WATCHED = (
    "open",
    "os.",
    "subprocess.",
    "socket.",
    "shutil.",
    "tempfile.",
    "ctypes.",
    "exec",
    "http",
    "ftplib",
    "urllib",
)
_IS_CODE = re.compile(r".*(\.pyc?|\.so|\.pyc\.[0-9]+|/|__pycache__)|<.*>")
_touched: list[tuple[str, Any]] = []
_is_watching = False


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    """Note what is touched; a file that is open already, by its number, was seen when it was opened by its name."""
    if _is_watching and event.startswith(_WATCHED) and not (event == "open" and isinstance(arguments[0], int)):
        path = str(arguments[0]) if arguments else ""
        if event not in ("os.listdir", "os.scandir", "exec") and not _IS_CODE.fullmatch(path):
            _touched.append((event, arguments))


@functools.cache
def _commands() -> dict[str, Any]:
    path, found, limit = list(sys.path), {}, csv.field_size_limit()
    for name in ("enrich", "match", "profile", "connect", "learn"):
        sys.path.insert(0, str(ROOT / "bin"))  # anew each time, since bin/ takes itself off
        module: Any = importlib.import_module(f"_{name}")
        found[name] = getattr(module, f"Flowlag{name.capitalize()}Command")
    sys.path[:] = path
    csv.field_size_limit(limit)
    sys.addaudithook(_watch)
    return found


def command(data: bytes) -> None:
    """A search command as Splunk starts it, whatever the stream: whole replies, an exit code, no file or socket."""
    global _is_watching
    given = Given(data)
    name = given.pick(("enrich", "match", "profile", "connect", "learn"))
    is_built = given.byte() % 4
    rest = given.rest()
    stream, bodies = _build_search(rest) if is_built else (rest, [])
    made = _commands()[name]()
    replies = io.BytesIO()
    code, stderr = 0, sys.stderr
    limit = csv.field_size_limit(SDK_FIELD_SIZE)
    sys.stderr = io.StringIO()
    _touched.clear()
    _is_watching = True
    try:
        made.process(["flowlag"], SimpleNamespace(buffer=io.BytesIO(stream)), SimpleNamespace(buffer=replies))
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        _is_watching = False
        sys.stderr = stderr
        csv.field_size_limit(limit)
    assert not _touched, _touched
    assert code in (0, 1)
    sent = _read_replies(replies.getvalue())
    if not is_built:
        return
    messages = [text for metadata, _ in sent for _, text in metadata.get("inspector", {}).get("messages", [])]
    for message in messages:
        _is_sentence(message)
    if code:
        assert len(sent) == 1 and messages
        return
    assert len(sent) == 1 + len(bodies)
    if name == "enrich":
        for body, (_, reply) in zip(bodies, sent[1:]):
            records = split_body(body)
            assert len(split_body(reply)) == (len(records) if len(records) > 1 else 0)


def _build_search(rest: bytes) -> tuple[bytes, list[bytes]]:
    """A whole search: arguments and bodies, with \x02 between them."""
    first, *bodies = rest.split(b"\x02")
    info = getinfo_metadata(first.decode("utf-8", "replace").split("\x01") if first else [])
    metadata = [json.dumps(info).encode()]
    metadata += [
        b'{"action":"execute","finished":%b}' % (b"true" if i == len(bodies) else b"false")
        for i in range(1, 1 + len(bodies))
    ]
    return (
        b"".join(
            b"chunked 1.0,%d,%d\n%b%b" % (len(meta), len(body), meta, body)
            for meta, body in zip(metadata, [b"", *bodies])
        ),
        bodies,
    )


# --- what is learned, matched, connected and profiled ---


def lags(data: bytes) -> None:
    """The lookup file of learned lags: rows, or one sentence; likely bounds lie in the others, on both paths the same."""
    settings = parse_settings([("confidence", "99"), ("time", "likely")])
    (WORK / LAGS_PLACE).write_bytes(data)
    learned, densities = load_lags("99", WORK), load_lags(None, WORK)
    (WORK / LAGS_PLACE).unlink()
    assert learned is not None and densities is not None
    for some in (learned, densities):
        if some.complaint is not None:
            _is_sentence(some.complaint)
            assert some.complaint.startswith(LAGS_PLACE)
    for interface in ("eni-1", ""):
        fields = {"start": "1602397446", "end": "1602397505", "interface_id": interface}
        tags, plain = (Enricher(settings, None, some).tag(fields.get) for some in (learned, None))
        assert tags[:14] == plain[:14] and tags.likely_basis in ("interface", "envelope")
        assert float(tags.earliest) <= float(tags.likely_earliest) < float(tags.latest)
        assert bool(tags.likely_anchors) == (tags.likely_basis == "interface")
        body = ",".join(fields) + "\n" + ",".join(fields.values()) + "\n"
        reply = EnrichTable(Enricher(settings, None, learned)).tag(body.encode()).decode()
        time = Enricher(settings, None, learned).new_time(tags, None)
        assert reply.endswith(",".join(["", time, *tags[:17]]) + "\n"), (reply, tags)
        density = densities.find_density(interface, 1602397446_000_000)
        if density is not None:
            assert abs(density.below(61_000_000) - 1) < 1e-9 and density.below(-20_000_000) == 0


def lookup(data: bytes) -> None:
    """The lookup file of learned windows: rows, or one sentence; a record has one verdict with it and without."""
    settings = parse_settings([])
    (WORK / PLACE).write_bytes(data)
    learned = load_windows(settings, WORK)
    assert learned is not None
    if learned.complaint is not None:
        _is_sentence(learned.complaint)
        assert learned.complaint.startswith(PLACE)
    for interface in ("eni-1", ""):
        fields = {"start": "1602397446", "end": "1602397505", "interface_id": interface}
        tags, plain = (Enricher(settings, some).tag(fields.get) for some in (learned, None))
        assert tags[:8] == plain[:8] and tags.stamps == plain.stamps
        if tags.window_start:
            assert tags.window_end and tags.window_offset and tags.window_position


MATCH_OPTIONS: Sequence[dict[str, str]] = (
    {"by": "k"},
    {"by": "k", "relation": "before", "within": "60", "unmatched": "f"},
    {"by": "k=u", "relation": "after", "within": "5", "tolerance": "2"},
    {"by": "k,u", "anchors": "u=1", "maxmatches": "1"},
    {"by": "k", "anchor_end": "u", "maxmatches": "2", "within": "0"},
)


def pairs(data: bytes) -> None:
    """The bodies of flowlagmatch: CSV of one width, every anchor, and the same whatever the order of arrival."""
    given = Given(data)
    chosen = given.pick(MATCH_OPTIONS)
    bodies = given.rest().split(b"\x02")
    matcher, anchors = Matcher(parse_match_settings(chosen.items())), Counter[str]()
    feed_anchor = matcher.feed_anchor

    def count_anchor(get: Any, row: str) -> Any:
        taken = feed_anchor(get, row)
        anchors[taken or ""] += 1
        return taken

    matcher.feed_anchor = count_anchor  # type: ignore[method-assign]
    reply = _gather(MatchTable(matcher), matcher, bodies)
    records = split_body(reply)
    assert all(len(fields) == len(records[0][0]) and end == b"\n" for fields, end in records)
    if matcher.settings.unmatched:
        assert max(len(records) - 1, 0) >= anchors["anchor"]
    if len(bodies) == 1 and _is_closed(bodies[0]):
        other = Matcher(matcher.settings)
        assert _gather(MatchTable(other), other, [_turn(bodies[0])]) == reply


def _gather(table: Any, source: Any, bodies: Sequence[bytes]) -> bytes:
    """The reply of a command that gathers; its warning, if there is one, is a sentence."""
    for body in bodies:
        table.feed(body)
    reply: bytes = table.close()
    warning = source.warning()
    if warning is not None:
        _is_sentence(warning)
    return reply


def _is_closed(body: bytes) -> bool:
    """Whether the last record has a line end, so that records may change their places."""
    records = split_body(body)
    return bool(records) and records[-1][1] != b""


def _turn(body: bytes) -> bytes:
    """The body with its records in the reverse order."""
    header, *rows = [b",".join(fields) + end for fields, end in split_body(body)]
    return b"".join([header, *reversed(rows)])


def match(data: bytes) -> None:
    """A stream of flows and anchors: the pairs that trying every one gives; blocks small, so that they are used."""
    given = Given(data)
    relation = given.pick(("overlap", "before", "after"))
    within, tolerance = given.pick((0, 1, 5, 90)), given.pick((0, 2))
    most, marker, unmatched = given.pick((1, 2, 100)), given.pick((False, True)), given.pick((True, False))
    sizes = given.pick(((16, 200), (2, 0), (3, 1)))
    base, events = 1602397440, []
    rest = given.rest()[:160]
    for i in range(0, len(rest) - 3, 4):
        kind, time, length, more = rest[i : i + 4]
        fields = {"key": "ab"[kind >> 1 & 1], "row": f"{i:03}", **({"mark": "yes"} if kind & 4 else {})}
        start, lag = base + 2 * time - 256, (0, 1, 60)[more % 3]
        if kind & 1:
            fields.update(
                flowlag_status="ok", flowlag_start=str(start), flowlag_earliest=str(start - lag),
                flowlag_latest=str(start + length * (1 + 9 * (more >> 7)) + 1),
            )  # fmt: skip
        else:
            fields.update(_time=f"{start}.5", until="end", end=f"{start + more % 40}.5")
        events.append(fields)
    expected = expected_pairs(events, relation, within, tolerance, most, marker, unmatched)
    asked = {"by": "key", "relation": relation, "within": str(within), "tolerance": str(tolerance),
             "maxmatches": str(most), "unmatched": str(unmatched), "anchor_end": "end"}  # fmt: skip
    matcher = Matcher(parse_match_settings([*asked.items(), *([("anchors", "mark=yes")] if marker else [])]))
    before = candidates.FANOUT, candidates.SMALL_RANGE
    candidates.FANOUT, candidates.SMALL_RANGE = sizes
    try:
        for event in events:
            matcher.feed(event.get, event["row"])
        found = [(m.anchor, m.flow, m.tags[0], int(m.tags[5]), int(m.tags[6])) for m in matcher.close()]
    finally:
        candidates.FANOUT, candidates.SMALL_RANGE = before
    assert found == expected, (found, expected)


CONNECT_OPTIONS: Sequence[dict[str, str]] = (
    {},
    {"gap": "0", "lag": "0", "rtt": "0"},
    {"gap": "10m", "rtt": "0.5", "lag": "0.000001"},
    {"src": "a", "dest": "b", "flags": "f", "interface": "a", "prefix": "x_"},
)


def connect(data: bytes) -> None:
    """The bodies of flowlagconnect: every record is in one row, bounds are in order, and the order of arrival and the
    size of the blocks change nothing."""
    given = Given(data)
    settings = parse_connect_settings(given.pick(CONNECT_OPTIONS).items())
    bodies = given.rest().split(b"\x02")
    connector = Connector(settings)
    reply = _gather(ConnectTable(connector), connector, bodies)
    records = split_body(reply)
    assert all(len(fields) == len(CONNECT_FIELDS) + len(MULTIVALUES) for fields, _ in records)
    rows = [dict(zip(CONNECT_FIELDS, fields)) for fields, _ in records[1:]]
    assert sum(int(row["records"]) + int(row["duplicates"]) for row in rows) == connector.taken
    for row in rows:
        assert float(row["start_earliest"]) <= float(row["start_latest"])  # a float has not all decimals
        assert float(row["end_earliest"]) <= float(row["end_latest"])
    for size in (1, 64):
        other = Connector(settings)
        assert _gather(ConnectTable(other, size), other, bodies) == reply and other.counts == connector.counts
    if len(bodies) == 1 and _is_closed(bodies[0]):
        other = Connector(settings)
        assert _gather(ConnectTable(other), other, [_turn(bodies[0])]) == reply


LEARN_OPTIONS: Sequence[dict[str, str]] = (
    {"by": "k"},
    {"by": "k", "tolerance": "0", "lag": "0"},
    {"by": "k=u", "anchors": "u=1", "anchor_packets": "n", "flags": "f"},
    {"by": "k,u", "anchor_time": "t", "tolerance": "5m", "prefix": "x_"},
)


def learn(data: bytes) -> None:
    """The bodies of flowlaglearn: no anchor counts twice on an interface, quantiles ascend and are not above the lag,
    the density is whole, and the order of arrival changes nothing."""
    given = Given(data)
    settings = parse_learn_settings(given.pick(LEARN_OPTIONS).items())
    bodies = given.rest().split(b"\x02")
    learner, anchors = Learner(settings), 0
    feed_anchor = learner.feed_anchor

    def count_anchor(get: Any) -> None:
        nonlocal anchors
        anchors += 1
        feed_anchor(get)

    learner.feed_anchor = count_anchor  # type: ignore[method-assign]
    records = split_body(_gather(LearnTable(learner), learner, bodies))
    assert all(len(fields) == len(LEARN_FIELDS) for fields, _ in records)
    for fields, _ in records[1:]:
        row = dict(zip(LEARN_FIELDS, (field.decode("utf-8", "replace").strip('"') for field in fields)))
        assert 0 < int(row["anchors"]) <= anchors
        known = [float(row[name]) for name in LEARN_FIELDS if name.startswith("lag_") and row[name]]
        assert known == sorted(known) and known[-1] <= settings.lag_us / 1_000_000
        parts = list(map(int, row["density"].split(" ")))
        assert (len(parts), sum(parts), min(parts) > 0) == (BINS, PARTS, True)
        assert float(row["learned_from"]) <= float(row["learned_to"])
    if len(bodies) == 1 and _is_closed(bodies[0]):
        reply = _gather(LearnTable(Learner(settings)), learner, bodies)
        other = Learner(settings)
        assert _gather(LearnTable(other), other, [_turn(bodies[0])]) == reply


PROFILE_OPTIONS: Sequence[dict[str, str]] = (
    {},
    {"interval": "1"},
    {"interval": "10m", "minrecords": "1"},
    {"interval": "2"},
)


def profile(data: bytes) -> None:
    """The bodies of flowlagprofile: every record is in one row, and the order of arrival changes nothing."""
    given = Given(data)
    settings = parse_profile_settings(given.pick(PROFILE_OPTIONS).items())
    bodies = given.rest().split(b"\x02")
    profiler = Profiler(settings)
    reply = _gather(ProfileTable(profiler), profiler, bodies)
    records = split_body(reply)
    assert all(len(fields) == len(PROFILE_FIELDS) for fields, _ in records)
    counted = sum(profiler.counts.values()) - profiler.counts["other"] - profiler.counts["header"]
    assert sum(int(fields[1]) for fields, _ in records[1:]) == counted
    for fields, _ in records[1:]:
        assert int(fields[1]) == sum(map(int, fields[2:6]))
    if len(bodies) == 1 and _is_closed(bodies[0]):
        other = Profiler(settings)
        assert _gather(ProfileTable(other), other, [_turn(bodies[0])]) == reply


# --- what the shell reads ---


@contextmanager
def _pipe(content: bytes, size: int) -> Iterator[None]:
    """Stdin as a pipe with this content, which comes in pieces of so many bytes."""
    stdin = sys.stdin
    sys.stdin = io.TextIOWrapper(io.BufferedReader(_Trickle(content, size)))
    try:
        yield
    finally:
        sys.stdin = stdin


def _read(content: bytes, settings: Any, size: int = 1 << 20) -> tuple[list[Any], str]:
    """The rows of a file that comes through a pipe, and why it could not be read on."""
    rows: list[Any] = []
    with _pipe(content, size):
        try:
            rows.extend(read_source("-", settings, lambda count: None))
        except SourceError as error:
            _is_sentence(str(error))
            assert str(error).startswith("-: "), error
            return rows, str(error)
    return rows, ""


def _write_many(content: bytes, settings: Any, output: str, size: int) -> tuple[bytes, Counter[str], list[str]]:
    """What is written of a file whose records are tagged many at a time, their statuses, and the warnings."""
    enricher, warnings = Enricher(settings), []
    with _pipe(content, size):
        batches = read_batches(["-"], settings, lambda count: None, lambda error: None)
        pieces = tag_batches(enricher, batches, None, find_form(output, settings))
        lines = b"".join(map(encode_line, WRITERS[output](pieces, settings, warnings.append)))
    return lines, enricher.counts, warnings


def _write(rows: list[Any], settings: Any, output: str, content: bytes, size: int = 1 << 20) -> None:
    """The rows with their tags, written: one line each, and each a verdict; the same as many at a time."""
    enricher = Enricher(settings)
    warnings: list[str] = []
    copies = [row._replace(fields=dict(row.fields)) for row in rows]
    lines = b"".join(map(encode_line, WRITERS[output]([list(tag_rows(enricher, copies))], settings, warnings.append)))
    assert sum(enricher.counts.values()) == len(rows) and set(enricher.counts) <= set(STATUSES)
    assert _write_many(content, settings, output, size) == (lines, enricher.counts, warnings)
    for warning in warnings:
        _is_sentence(warning)
    if output == "json":
        assert [[*json.loads(line)][-len(enricher.fields) :] for line in lines.splitlines()] == [
            [*enricher.fields]
        ] * len(rows)
    elif output == "csv":
        records = split_body(lines)
        assert len(records) == len(rows) + 1 and all(len(fields) == len(records[0][0]) for fields, _ in records)
    else:
        assert len(lines.splitlines()) == (len(rows) + 1 if rows else 0)


def text(data: bytes) -> None:
    """Lines of text: each that is no header, blank or comment is a row with its text, whatever the pipe's pieces."""
    given = Given(data)
    settings, size, output = _take_settings(given), given.pick(SIZES), given.pick(sorted(WRITERS))
    content = given.rest()
    rows, error = _read(content, settings, size)
    _write(rows, settings, output, content, size)
    lines = content.decode("utf-8-sig", "surrogateescape").split("\n")
    told = [line for line in map(strip_blanks, lines) if line and not line.startswith("#")]
    shown = content.lstrip(b" \t\r\n\0\xef\xbb\xbf")
    if (
        error
        or not told
        or not shown
        or shown.startswith((b"{", b"[", b"PAR1", b"\x1f\x8b", b"#"))
        or content.startswith(b"\x1f\x8b")
    ):
        return
    if RowReader(settings).is_csv_header(
        shown.split(b"\n")[0].strip(b" \t\r\n\0\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    ):
        return
    expected = [line.rstrip("\r\n") for line in lines if strip_blanks(line) and not strip_blanks(line).startswith("#")]
    assert [row.fields["_raw"] for row in rows] == [line for line in expected if not is_header(strip_blanks(line))]
    for row in rows:
        assert row.values is None or set(split_words(strip_blanks(row.fields["_raw"]))) >= {v for v in row.values if v}


def table(data: bytes) -> None:
    """CSV with a header: rows keep every cell, whatever the pipe's pieces."""
    given = Given(data)
    settings, size, output = _take_settings(given), given.pick(SIZES), given.pick(sorted(WRITERS))
    content = given.pick((b"start,end,user\n", b"timestamp,message\n", b"version,a,a,,_raw\n", b"")) + given.rest()
    rows, _ = _read(content, settings, size)
    assert rows == _read(content, settings)[0]
    _write(rows, settings, output, content, size)


def documents(data: bytes) -> None:
    """JSON documents: the same rows wherever the blocks end, and the numbers as they are written."""
    given = Given(data)
    settings, size, output = _take_settings(given), given.pick(SIZES), given.pick(sorted(WRITERS))
    content = given.rest()
    rows, error = _read(content, settings)
    before = json_text.PIECE_BYTES
    json_text.PIECE_BYTES = size
    try:
        assert _read(content, settings, size) == (rows, error)
    finally:
        json_text.PIECE_BYTES = before
    _write(rows, settings, output, content)
    for row in rows:
        assert all(isinstance(name, str) and isinstance(value, str) for name, value in row.fields.items())


def packed(data: bytes) -> None:
    """Gzip: what is in it has the rows that it has by itself; cut off or damaged, it ends in one sentence."""
    given = Given(data)
    way, size, settings = given.byte() % 7, given.pick(SIZES), _take_settings(given)
    cut_at, content = given.byte(), given.rest()
    if way == 0:  # the bytes themselves
        _read(b"\x1f\x8b" + content, settings, size)
        return
    rows, error = _read(content, settings)
    whole = gzip.compress(content, 1, mtime=0)
    if way == 1:
        whole = b"".join(gzip.compress(content[i : i + 9], 1, mtime=0) for i in range(0, len(content), 9)) or whole
    for _ in range(way - 2 if way in (3, 4) else 0):
        whole = gzip.compress(whole, 0, mtime=0)
    if way < 5 and not (way == 4 and content.startswith(b"\x1f\x8b")) and not content.startswith(b"\x1f\x8b"):
        assert _read(whole, settings, size) == (rows, error)
    elif way == 5:
        got, failure = _read(whole[: 1 + cut_at % max(1, len(whole) - 1)], settings, size)
        assert failure or len(got) <= max(len(rows), 1) or not content.isascii()
    else:
        place = cut_at % len(whole)
        _read(whole[:place] + bytes([whole[place] ^ (1 << (size % 7))]) + whole[place + 1 :], settings, size)


def parquet(data: bytes) -> None:
    """Parquet, damaged anywhere: rows, or one sentence."""
    given = Given(data)
    settings, output = _take_settings(given), given.pick(sorted(WRITERS))
    content = b"PAR1" + given.rest()
    rows, _ = _read(content, settings)
    _write(rows, settings, output, content)


#: Every entrance by its name, which is that of its folder of inputs.
TARGETS: dict[str, Callable[[bytes], None]] = {
    function.__name__: function
    for function in (
        chunk, raw, instant, options, form, frames, command, lookup, lags, pairs, match, connect, learn, profile, text, table,
        documents, packed, parquet,
    )
}  # fmt: skip
