# SPDX-License-Identifier: Apache-2.0
"""Events with nothing but `_raw`: many lines at once give the same bytes and counts as one after the other."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlag.enrich import Enricher
from flowlag.enrich_options import parse_settings
from flowlag.layouts import LAYOUTS
from flowlag.learned import LearnedWindows
from flowlag.line_grid import Grid, make_grids
from flowlag.splunk.enrich_table import EnrichTable

T = 1764500000
ENI, TGW = "eni-0a1b2c3d4e5f60718", "tgw-attach-0a1b2c3d"
LEARNED = {
    "interface_id": ENI,
    "timing_mode": "grid",
    "interval": "60",
    "phase": "9",
    "first_start": str(T - 9000),
    "last_end": str(T + 9000),
}
CUSTOM = "${interface-id} ${srcaddr} ${start} ${end} ${packets} ${log-status}"
OPTIONS = {
    "auto": {},
    "given": {"format": CUSTOM},
    "without-status": {"format": "${start} ${end} ${packets} *"},
    "several": {"format": f"{CUSTOM};" + "${end} ${start} ${packets} ${log-status} ${interface-id} *;default;tgw"},
    "time": {"time": "estimate"},
    "community": {"community": "true"},
    "confidence": {"confidence": "99"},
    "assumed": {"windows": "assumed", "interval": "60", "phase": "9"},
}

stamps = st.one_of(
    st.integers(T, T + 70).map(str), st.sampled_from(["-", "x", "start", f"{T}000", "1999999999", f"{T + 3700}"])
)
statuses = st.sampled_from(["OK", "OK", "OK", "NODATA", "SKIPDATA", "INCOMPLETEDATA", "ok", "-", "FINE"])
ids = st.sampled_from([ENI, ENI, TGW, "eni-1", "-"])
packets = st.sampled_from(["1", "7", "-", "0", "2.0"])
VALUES = {"start": stamps, "end": stamps, "log-status": statuses, "interface-id": ids, "packets": packets,
          "tgw-attachment-id": ids, "version": st.sampled_from(["2", "5", "x", "version"])}  # fmt: skip
ORDERS = {
    **{name: layout.columns for name, layout in LAYOUTS.items()},
    "custom": ("interface-id", "srcaddr", "start", "end", "packets", "log-status"),
    "other-order": ("end", "start", "packets", "log-status", "interface-id", "region"),
    "no-status": ("start", "end", "packets", "region"),
    "wide": ("region", "interface-id", "bytes", "end", "start", "packets", "log-status", "tgw-attachment-id", "bytes"),
}


@st.composite
def lines(draw):
    columns = ORDERS[draw(st.sampled_from(sorted(ORDERS)))]
    words = [draw(VALUES.get(column, st.sampled_from(["-", "6", "-", "a,b", "OK", str(T)]))) for column in columns]
    front = draw(
        st.sampled_from(
            ["", "", "", f"{T}000 ", "2025-11-30T10:53:20Z ", "2025-11-30T10:53:20.5+00:00 eni-1-all ", "x "]
        )
    )
    between = draw(st.sampled_from([" ", " ", " ", " ", "  ", "\t"]))
    end = draw(st.sampled_from(["", "", "", "", " ", " x", "\r", "é", '"', "'"]))
    return front + between.join(words) + end


damage = st.sampled_from(["", "hello", "version start end", "account-id action bytes", '{"start": 1764500000, "end": 1764500009}',
                          f"2 1 {ENI} - - - - - 1 1 {T} {T + 9} - OK\nsecond line", "Failed password for root", '"version" x'])  # fmt: skip
blocks = st.lists(st.one_of(lines(), lines(), lines(), damage), max_size=30)
repeated = st.builds(lambda block, count: block * count, blocks, st.integers(1, 3))


def write(rows, quoting):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=quoting)
    writer.writerows([["start_time", "end_time", "_raw", "_time"], *rows])
    return out.getvalue().encode()


def reply(enricher, body, size):
    return EnrichTable(enricher, size).tag(body).decode()


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("name", OPTIONS)
@settings(max_examples=40, deadline=None)
@given(
    raws=repeated,
    times=st.sampled_from([("", ""), ("471", "123456789012"), ("", "-")]),
    size=st.sampled_from([300, 1 << 17]),
    is_quoted=st.booleans(),
)
def test_many_lines_at_once_and_one_after_the_other_agree(name, raws, times, size, is_quoted):
    given_settings = parse_settings(OPTIONS[name].items())
    learned = LearnedWindows.from_rows([list(LEARNED), list(LEARNED.values())], 60_000_000) if size == 300 else None
    fast, plain = Enricher(given_settings, learned), Enricher(given_settings, learned)
    events = [[*times, raw, "5"] for raw in raws]
    must_quote = any("\r" in raw for raw in raws)  # the csv module of Python 3.9 does not see to it
    body = write(events, csv.QUOTE_ALL if is_quoted or must_quote else csv.QUOTE_MINIMAL)
    found = rows_of(reply(fast, body, size))
    expected = list(plain.rows(dict(zip(("start_time", "end_time", "_raw", "_time"), event)) for event in events))
    assert found == expected
    assert fast.counts == plain.counts and fast.unknown_layouts == plain.unknown_layouts


def test_most_lines_are_read_at_once(monkeypatch):
    """The fast way is taken for each kind of layout; else the law above would hold for nothing."""
    monkeypatch.setattr(Enricher, "tag_raw", lambda *_: pytest.fail("a line was read alone"))
    default = f"2 1 {ENI} - - - - - 1 1 {T} {T + 9} - OK"
    content = f"{TGW} {T + 9} 1 NODATA {T} x"
    for options, raws in (({}, [default] * 3), ({}, [content, default] * 3), ({}, [f"{T}000 {default}"]), ({"format": CUSTOM}, [f"{ENI} - {T} {T} 1 OK"])):  # fmt: skip
        enricher = Enricher(parse_settings(options.items()))
        reply(enricher, write([["", "", raw, "5"] for raw in raws], csv.QUOTE_ALL), 1 << 17)
        assert sum(enricher.counts.values()) == len(raws) and enricher.counts["other"] == 0


@pytest.mark.parametrize(
    ("end", "most"),
    [
        ("port 40000 ssh2", 0),
        ("OK", 3000),
    ],  # a line with the letters of a status may be a record, and is looked at once
    ids=["login", "status-alone"],
)
def test_lines_of_other_logs_are_not_tried_again_and_again(monkeypatch, end, most):
    """Logins beside flow records are the usual case; each layout tried on all of them would cost ten times as much."""
    looked = []
    words, take = Grid.words, Grid.take
    monkeypatch.setattr(Grid, "words", lambda grid, place: looked.append(1) or words(grid, place))
    monkeypatch.setattr(Grid, "take", lambda grid, places: looked.extend(places) or take(grid, places))
    raws = [
        f"Oct 11 06:27:00 host sshd[{number}]: Accepted publickey for root from ::1 {end}" for number in range(1000)
    ]
    enricher = Enricher(parse_settings([]))
    reply(enricher, write([["", "", raw, "5"] for raw in raws], csv.QUOTE_MINIMAL), 1 << 20)
    assert enricher.counts == {"other": 1000} and len(looked) <= most


def test_grids_have_lines_of_one_width():
    found = {
        grid.width: (list(grid.rows), grid.column(1))
        for grid in make_grids(["a b", "c d e", "f g", "h  i", "", "version x"])
    }
    assert found == {2: ([0, 2], ["b", "g"]), 3: ([1], ["d"])}
