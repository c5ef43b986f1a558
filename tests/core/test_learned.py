# SPDX-License-Identifier: Apache-2.0
"""Learned windows: which row of the lookup counts for a record, what it gives, and what a damaged lookup does."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowlag.enrich import Enricher
from flowlag.enrich_options import Settings, parse_settings
from flowlag.interval import Interval
from flowlag.learned import COLUMNS, LearnedWindows
from flowlag.profile.options import ProfileSettings
from flowlag.profile.profiler import PROFILE_FIELDS, Profiler
from flowlag.splunk.enrich_table import EnrichTable
from flowlag.splunk.lookup import MOST_BYTES, PLACE, load_windows
from flowlag.windows import place_window
from tests.support.splunkd import Reply, write_body

S = 1_000_000
T = 1_602_397_440  # a multiple of 60


def row(mode, first, last, interval="", phase="", interface="eni-1"):
    return [interface, mode, str(interval), str(phase), str(T + first), str(T + last)]


def find(rows, start, end, interface="eni-1", interval_us=60 * S):
    """The learned window of a record, times as seconds after T."""
    learned = LearnedWindows.from_rows([list(COLUMNS), *rows], interval_us)
    assert learned.complaint is None
    recorded = Interval((T + start) * S, (T + end) * S)
    rule = learned.find(interface, *recorded)
    if rule is None:
        return None
    window = place_window(recorded, rule)
    bounds = window.bounds and tuple(us // S - T for us in window.bounds)
    return window.basis, window.position, bounds, window.offset_us and window.offset_us // S


GRID = row("grid", 0, 600, 60, 6)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (GRID, ("profile", "tail", (6, 66), 20)),
        (row("grid", 0, 600, 600, 26), ("profile", "head", (26, 626), 0)),
        (row("batch", 0, 600), ("profile", "full", (26, 66), 0)),
        (row("flow", 0, 600), ("profile", "", None, None)),
        (row("mixed", 0, 600), None),
        (row("unknown", 0, 600), None),
        (row("grid", 0, 600, 60, 6, interface="eni-2"), None),
        (row("grid", 0, 600, 60, 6, interface=""), None),
    ],
    ids=["grid", "grid-600", "batch", "flow", "mixed", "unknown", "other", "none"],
)
def test_what_a_row_gives(mode, expected):
    if mode[2] == "600":  # its phase counts from the epoch
        mode[3] = str((T + 26) % 600)
    assert find([mode], 26, 65) == expected


def test_a_record_without_an_interface_learns_nothing():
    assert find([row("batch", 0, 600, interface="")], 26, 65, interface=None) is None


@pytest.mark.parametrize(
    ("start", "end", "is_covered"),
    [(0, 600, True), (-60, 0, True), (-61, 0, False), (600, 660, True), (600, 661, False), (660, 660, True)],
)
def test_the_span_and_an_interval_on_both_sides(start, end, is_covered):
    assert (find([GRID], start, end) is not None) == is_covered


def test_the_interval_of_a_batch_is_that_of_the_options():
    assert find([row("batch", 0, 600)], 700, 730) is None
    assert find([row("batch", 0, 600)], 700, 730, interval_us=600 * S) is not None


def test_the_nearest_span_then_the_later():
    before, after = row("grid", 0, 600, 60, 6), row("grid", 640, 900, 60, 31)
    for rows in ([before, after], [after, before]):
        assert find(rows, 596, 610)[2] == (546, 606), "10 s away from the one, 44 s from the other"
        assert find(rows, 628, 640)[2] == (571, 631), "40 s away from the one, 12 s from the other"
    twice = [row("grid", 0, 600, 60, 6), row("grid", 0, 600, 60, 6), row("grid", 0, 630, 60, 31)]
    assert find(twice, 100, 110)[2] == find(twice[::-1], 100, 110)[2] == (91, 151), "the one that ends later"


def test_only_the_latest_rows_of_an_interface_are_kept():
    many = [row("grid", 600 * i, 600 * i + 599, 60, 6) for i in range(1200)]
    assert find(many, 0, 20) is None and find(many, 600 * 1199, 600 * 1199 + 20) is not None


DAMAGED = {
    "word-for-a-time": ["eni-1", "grid", "60", "6", "soon", str(T)],
    "no-time": ["eni-1", "grid", "60", "6", "", str(T)],
    "backwards": row("grid", 600, 0, 60, 6),
    "phase-beyond": row("grid", 0, 600, 60, 60),
    "phase-below": row("grid", 0, 600, 60, -1),
    "no-phase": row("grid", 0, 600, 60, ""),
    "interval-0": row("grid", 0, 600, 0, 0),
    "interval-of-a-day": row("grid", 0, 600, 86400, 0),
    "no-mode": row("", 0, 600, 60, 6),
    "other-mode": row("GRID!", 0, 600, 60, 6),
    "too-short": ["eni-1", "grid"],
    "milliseconds": ["eni-1", "grid", "60", "6", f"{T}000", f"{T}999"],
}


@pytest.mark.parametrize("cells", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_row_is_left_out_and_told_of(cells):
    learned = LearnedWindows.from_rows([list(COLUMNS), cells, row("batch", 0, 600)], 60 * S)
    assert learned.complaint == "rows that cannot be read and are left out: 1"
    assert learned.find("eni-1", T * S, (T + 30) * S).kind == "batch"


def test_other_columns_and_any_order_are_fine():
    header = ["x", *reversed(COLUMNS), "y"]
    learned = LearnedWindows.from_rows([header, ["1", *reversed(GRID), "2"], [], [""] * 8], 60 * S)
    assert learned.complaint is None and learned.find("eni-1", T * S, T * S) is not None


def test_a_table_without_the_columns():
    assert "no column timing_mode, interval" in LearnedWindows.from_rows([["interface_id", "phase"]], 60 * S).complaint
    assert "no column" in LearnedWindows.from_rows([], 60 * S).complaint


# --- the file ---


@pytest.fixture
def lookup(tmp_path):
    (tmp_path / PLACE).parent.mkdir()
    return tmp_path / PLACE


def load(lookup, **options):
    return load_windows(parse_settings(options.items()), lookup.parent.parent)


def write(*rows):
    return "".join(",".join(cells) + "\n" for cells in (COLUMNS, *rows))


def test_no_file_no_folder(tmp_path, lookup):
    assert load(lookup) is None and load_windows(Settings(), tmp_path / "nowhere") is None


@pytest.mark.parametrize("text", [write(GRID), write(GRID).replace("\n", "\r\n"), "\ufeff" + write(GRID)])
def test_the_file(lookup, text):
    lookup.write_bytes(text.encode())
    learned = load(lookup)
    assert learned.complaint is None and learned.find("eni-1", T * S, T * S).basis == "profile"


@pytest.mark.parametrize("options", [{"windows": "none"}, {"phase": "6"}])
def test_where_windows_come_from_elsewhere_it_is_not_opened(lookup, options):
    lookup.write_bytes(b"\xff")
    assert load(lookup, **options) is None


FILES = {
    "empty": (b"", "no column interface_id"),
    "binary": (bytes(range(256)), "it is damaged"),
    "nul": (write(GRID).encode() + b"\0\0,\0\n", "rows that cannot be read"),
    "not-utf-8": (write(GRID).encode() + b"\xff\n", "it is damaged"),
    "html": (b"<html>\n<body>\n", "no column"),
    "cut-off": (write(GRID, GRID).encode()[:-30], "rows that cannot be read"),
    "open-quote": (write(GRID).encode() + b'"eni-2,grid,' + b"x" * 200_000, "it is damaged"),
    "digits": (write(["eni-1", "grid", "60", "6", "9" * 5000, "1"]).encode(), "rows that cannot be read"),
}


@pytest.mark.parametrize(("content", "words"), FILES.values(), ids=FILES)
def test_a_damaged_file_is_one_complaint(lookup, content, words):
    lookup.write_bytes(content)
    learned = load(lookup)
    learned.find("eni-1", T * S, T * S)
    assert learned.complaint.startswith(f"lookups/flowlag_windows.csv: {words}") or words in learned.complaint
    assert "\n" not in learned.complaint


def test_a_huge_file_is_not_read(lookup, monkeypatch):
    with lookup.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    monkeypatch.setattr("flowlag.splunk.lookup.open", pytest.fail, raising=False)
    assert "larger than 32 MB" in load(lookup).complaint


def test_nothing_outside_the_app_is_read(lookup, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "flowlag_windows.csv"
    elsewhere.write_text(write(GRID))
    lookup.symlink_to(elsewhere)
    learned = load(lookup)
    assert "not a file in the folder of the app" in learned.complaint
    assert learned.find("eni-1", T * S, T * S) is None


def test_a_folder_or_a_pipe_is_no_file(lookup):
    os.mkfifo(lookup)
    assert "not a file" in load(lookup).complaint
    lookup.unlink()
    lookup.mkdir()
    assert "not a file" in load(lookup).complaint


def test_a_file_that_may_not_be_read(lookup, monkeypatch):
    lookup.write_text(write(GRID))

    def refuse(path, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("flowlag.splunk.lookup.open", refuse, raising=False)
    assert "Permission denied" in load(lookup).complaint


# --- all the way ---


def test_what_was_learned_of_the_seed_is_what_enrich_says():
    """docs/model.md, The bounds: tail, 20, once the profile has learned phase 6 from the three records."""
    records = [
        {"start_time": str(T + start), "end_time": str(T + end), "interface_id": "eni-1"}
        for start, end in ((366, 425), (6, 65), (266, 305))
    ]
    profiler = Profiler(ProfileSettings())
    for event in records:
        profiler.feed(event.get)
    rows = [list(found.values()) for found in profiler.close()]
    enricher = Enricher(Settings(), LearnedWindows.from_rows([PROFILE_FIELDS, *rows], Settings().interval_us))
    tags = [enricher.tag(event.get) for event in records]
    assert [(t.window_position, t.window_offset, t.window_basis) for t in tags] == [
        ("full", "0", "profile"),
        ("full", "0", "profile"),
        ("tail", "20", "profile"),
    ]
    assert enricher.warning() is None


def test_one_warning_says_both():
    enricher = Enricher(Settings(), LearnedWindows.from_rows([list(COLUMNS), DAMAGED["no-mode"]], 60 * S))
    assert enricher.warning() == "rows that cannot be read and are left out: 1."
    enricher.tag({"start_time": "x"}.get)
    assert enricher.warning().startswith("1 of 1 events look") and enricher.warning().endswith("left out: 1.")


def test_the_fast_path_gives_the_windows_of_the_plain_path():
    """Records that are alike but for their time: the row that counts differs from record to record."""
    rows = [row("grid", 0, 600, 60, 6), row("grid", 660, 1200, 60, 31), row("batch", 0, 900, interface="eni-2")]
    learned = LearnedWindows.from_rows([list(COLUMNS), *rows, row("flow", 0, 90, interface="eni-3")], 60 * S)
    events = [
        {"start_time": str(T + start), "end_time": str(T + start + 29), "interface_id": f"eni-{i}", "_time": "1"}
        for start in range(-120, 1400, 7)
        for i in (1, 2, 3, 4)
    ]
    body = write_body(events, ["start_time", "end_time", "interface_id", "_time"])
    reply = Reply({}, EnrichTable(Enricher(Settings(), learned)).tag(body)).rows
    plain = list(Enricher(Settings(), learned).rows(dict(event) for event in events))
    assert reply == plain
    assert {event["flowlag_window_position"] for event in plain} >= {"", "full", "head", "tail", "inside"}


LESSONS = st.lists(
    st.tuples(
        st.sampled_from(["eni-1", "eni-2", "eni-3"]),
        st.sampled_from([("grid", 60), ("grid", 600), ("grid", 7), ("batch", 0), ("flow", 0)]),
        st.integers(0, 9),
        st.integers(0, 60),
        st.integers(0, 1200),
    ),
    min_size=1,
    max_size=6,
)
RECORDS = st.lists(
    st.tuples(
        st.sampled_from(["eni-1", "eni-2", "eni-3", "eni-4", ""]),
        st.integers(-70, 130),
        st.sampled_from([0, 30, 59]),
        st.sampled_from(["1", "7"]),
    ),
    min_size=10,
    max_size=40,
)


@given(
    LESSONS, RECORDS, st.sampled_from([{}, {"phase": "6"}, {"windows": "assumed"}, {"windows": "none"}, {"lag": "0.5"}])
)
def test_the_byte_path_learns_the_same(lessons, records, options):
    """Records that the memo takes for alike, whatever their interface, have the tags of the plain path."""
    rows = [
        row(mode, first, first + length, interval or "", phase % interval if interval else "", interface)
        for interface, (mode, interval), phase, first, length in lessons
    ]
    settings = parse_settings(options.items())
    events = [
        {
            "interface_id": interface,
            "start_time": str(T + start),
            "end_time": str(T + start + length),
            "packets": packets,
        }
        for interface, start, length, packets in records
    ]

    def enricher():
        return Enricher(settings, LearnedWindows.from_rows([list(COLUMNS), *rows], settings.interval_us))

    plain = list(enricher().rows([dict(event) for event in events]))
    names = [*("interface_id", "start_time", "end_time", "packets"), *enricher().fields]
    tagged = Reply({}, EnrichTable(enricher()).tag(write_body(events))).rows
    assert [[event[name] for name in names] for event in tagged] == [[event[name] for name in names] for event in plain]
