# SPDX-License-Identifier: Apache-2.0
"""Owns what an administrator sees and does in the view How late, how wide, drawn by Splunk's renderer."""

from __future__ import annotations

import re

import pytest

from . import scenes
from .scenes import NOW, engine, flow

VIEW = "how_late"
PANELS = ["viz_sentence", "viz_widths", "viz_late", "viz_map_key", "viz_map", "viz_interfaces", "viz_learned"]
PANELS += ["viz_density", "viz_schedule", "viz_model"]
GRID, BATCH, OWN = (f"eni-0a1b2c3d4e5f6000{number}" for number in (1, 2, 3))
SEARCHES = ("ds_profile", "ds_records")
T = int(NOW) - 1800


@pytest.fixture(scope="module")
def whole_night(app):
    """The search head of the night; it remembers what it has run."""
    return engine(app, scenes.flows())


@pytest.fixture
def draw(open_view, whole_night):
    """draw(**options): the view on the night, or on another engine."""

    def open_(search=None, **options):
        return open_view(VIEW, search=(search or whole_night).search, **options)

    return open_


def lags(interface):
    """Seconds from each record's end to its indexing, smallest first."""
    events = [event for event in scenes.flows() if event["interface_id"] == interface and event["log_status"] == "OK"]
    return sorted(int(event["_indextime"]) - int(event["end_time"]) for event in events)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_is_drawn(draw, theme):
    view = draw(theme=theme)
    assert view.panels() == PANELS
    latest = max(lags(OWN))
    assert view.text("viz_sentence") == (
        f"49 records of 3 interfaces arrived, so far up to {latest} s after their end. A scheduled search should wait {latest} "
        f"s and reach back {latest + 120} s. The correlation searches reach back 2,700 s, which is enough. A SKIPDATA record "
        "says that AWS dropped records."
    )
    assert re.findall(r"\d0 to \d0", view.text("viz_widths")) == ["30 to 40", "40 to 50", "50 to 60"]
    assert {"p50", "p95", "max"} <= set(view.text("viz_late").split())


def test_each_interface_has_its_row(draw):
    """Mode, phase, windows and lags of three interfaces that stamp in three ways; the latest comes first."""
    rows = [dict(zip(draw().header("viz_interfaces"), row)) for row in draw().rows("viz_interfaces")]
    assert [row["Interface"] for row in rows] == [OWN, GRID, BATCH]
    assert [row["Mode"].split()[0] for row in rows] == ["flow", "grid", "mixed"]
    assert rows[1]["Mode"] == "grid at 12 s (100 %)"
    assert [row["Records"] for row in rows] == ["12", "21", "17"] and [row["Skipped"] for row in rows] == [
        "0",
        "0",
        "1",
    ]
    assert [row["Late"].split(" / ")[1] for row in rows] == [str(max(lags(name))) for name in (OWN, GRID, BATCH)]
    assert rows[1]["Window"] == "60 / 60" and rows[0]["Wait / back"] == f"{max(lags(OWN))} / {max(lags(OWN)) + 120}"


def test_a_click_on_an_interface_shows_it_alone(draw):
    view = draw()
    view.click_cell("viz_interfaces", 1, "Mode")
    assert view.tokens()["interface"] == GRID
    assert all(f'like(interface_id, replace("{GRID}"' in view.server.sent(name)[-1].query for name in SEARCHES)
    assert view.text("viz_sentence").startswith("21 records of 1 interface arrived, so far up to")
    assert [row[0] for row in view.rows("viz_interfaces")] == [GRID]


def minutes(setting):
    """Seconds of -7m@m."""
    return int(re.fullmatch(r"-(\d+)m@m", setting)[1]) * 60


def test_the_suggested_schedule_sees_every_record(draw):
    """Each record of the night is in the range of some run that starts after it was indexed, whatever the first minute."""
    rows = draw().rows("viz_schedule")
    settings = {row[0]: row[1] for row in rows}
    assert settings["cron_schedule"] == "*/15 * * * *"
    earliest, latest = minutes(settings["dispatch.earliest_time"]), minutes(settings["dispatch.latest_time"])
    for offset in range(0, 900, 60):
        runs = [NOW - NOW % 900 + offset + 900 * number for number in range(-6, 3)]
        for event in scenes.flows():
            start, indexed = int(event["_time"]), int(event["_indextime"])
            assert any(run >= indexed and run - earliest <= start < run - latest for run in runs), (event, offset)


def test_records_of_ten_minutes_are_looked_back_to(draw, app):
    """Although the profile was asked for a grid of a minute: the record, its delivery, and 15 minutes to the next run."""
    events = [{**flow(T - 600 * i, T - 600 * i + 599), "_indextime": str(T - 600 * i + 699)} for i in range(5)]
    view = draw(engine(app, events))
    assert "Some records last 600 s: if that is your interval, set it in flowlag_profile_options." in view.text(
        "viz_sentence"
    )
    settings = {row[0]: row[1] for row in view.rows("viz_schedule")}
    assert minutes(settings["dispatch.earliest_time"]) >= 599 + 100 + 900


def test_learned_lags_are_told_by_interface(draw):
    """Whether an interface's quantile is used, and why not; a click shows one alone."""
    view = draw()
    rows = [dict(zip(view.header("viz_learned"), row)) for row in view.rows("viz_learned")]
    assert [(row["Interface"][-1], row["Anchors"], row["Use"]) for row in rows] == [
        ("1", "240", "yes"), ("3", "200", "no: lags drift (19 misses)"), ("2", "120", "yes"), ("4", "12", "no: too few anchors"),
    ]  # fmt: skip
    first, *_, last = (row["Lag p50 / 95 / 99"] for row in rows)
    assert first == "19.2 / 23.6 / 25.3" and last.endswith(" / - / -")
    assert "17 bars" in view.text("viz_density")
    view.click_cell("viz_learned", 1, "Use")
    assert [row[0] for row in view.rows("viz_learned")] == [OWN]


def test_without_learned_lags_a_sentence_says_so(draw, app, whole_night):
    """The lookup has no file before the search has run once; Splunk calls that an error."""
    (app / "lookups" / "flowlag_lags.csv").unlink()
    try:
        view = draw(whole_night)
        assert view.text("viz_unlearned") == (
            "No lag has been learned yet: the saved search Flow Logs - Learn Lags, which is off at first, has stored nothing."
        )
        assert not {"viz_learned", "viz_density"} & set(view.panels())
        assert view.text("viz_sentence").startswith("49 records of 3 interfaces arrived")
    finally:
        scenes.store_lags(app, scenes.lags())


def test_an_interface_without_learned_lags(draw):
    view = draw(tokens={"interface": "eni-0a1b2c3d4e5f60009"})
    assert view.text("viz_unlearned") == "No lag of this interface has been learned."


# -- the map of lags


def cells(view):
    """What the map was given, drawn once: interface, category, minute after T, minutes."""
    sent = [search for search in view.server.sent("ds_map") if search.query][-1]
    rows = view.server.search(sent.query, sent.earliest, sent.latest)
    return list(
        dict.fromkeys(
            (row["lane"], row["category"], (float(row["_time"]) - T) / 60, float(row["duration_ms"]) / 60_000)
            for row in rows
        )
    )


def seen(interface, minute, lag):
    """A record of an interface, minutes after T, with its delivery lag in seconds."""
    event = flow(T + 60 * minute, T + 60 * minute + 59)
    return {**event, "interface_id": interface, "_indextime": str(T + 60 * minute + 59 + lag)}


def test_one_slow_interface_is_seen(draw, app):
    """Twenty quick ones hide it in the median; the map has it first, in the five minutes in which it was slow."""
    quick = [seen(f"eni-{number}", 5 * step, 60) for number in range(20) for step in range(4)]
    slow = [seen("eni-slow", 5 * step, 60 if step != 2 else lag) for step in range(4) for lag in (90, 1000)]
    view = draw(engine(app, [*quick, *slow]))
    lanes = view.lanes("viz_map")
    assert lanes[0] == "eni-slow" and len(lanes) == 10
    assert "The map draws 10 interfaces, the table has all." in view.text("viz_sentence")
    assert [cell for cell in cells(view) if cell[1] != "to 2 min"] == [("eni-slow", "over 15 min", 10, 5)]
    assert "2026-03-14 02:55:00 to 03:00:00 +0000: the latest came 1000 s after its end (2 records)" in str(
        view.hover_bar("viz_map", "eni-slow", "over 15 min")
    )
    view.click_lane("viz_map", "eni-1")
    assert view.tokens()["interface"] == "eni-1" and view.lanes("viz_map") == ["eni-1"]


def test_skipped_records_are_marked_in_the_map(draw):
    """Their interface comes first, with a circle in the middle of the five minutes."""
    view = draw()
    assert view.lanes("viz_map") == [BATCH, OWN, GRID]
    (mark,) = (cell for cell in cells(view) if cell[1] == "skipped by AWS")
    assert mark == (BATCH, "skipped by AWS", 7.5, 0)
    assert {cell[3] for cell in cells(view)} == {0, 5}


def test_the_line_is_that_of_the_records(draw):
    """Percentiles of the nearest rank, from counts: the same as from the records."""
    view = draw()
    (sent,) = [search for search in view.server.sent("ds_late") if search.query][-1:]
    rows = view.server.search(sent.query, sent.earliest, sent.latest)
    events = [event for event in scenes.flows() if event["log_status"] == "OK"]
    for row in rows:
        slot = float(row["_time"])
        found = sorted(
            int(event["_indextime"]) - int(event["end_time"])
            for event in events
            if slot <= int(event["start_time"]) < slot + 300
        )
        ranks = [found[-(-len(found) * part // 100) - 1] for part in (50, 95, 100)]
        assert [int(row[name]) for name in ("p50", "p95", "max")] == ranks
    assert len(rows) == 4


def test_records_whose_interface_nobody_extracts(draw, app):
    """They are read from their text, and not lost."""
    events = [flow(T + 60 * i, T + 60 * i + 59) for i in range(3)]
    for event in events:
        for name in ("interface_id", "src_ip", "dest_ip", "start_time", "end_time"):
            del event[name]
    view = draw(engine(app, events))
    assert view.text("viz_sentence").startswith("3 records of 1 interface arrived, so far up to 60 s")


def test_records_that_come_too_late_for_the_rules(draw, app):
    view = draw(engine(app, [{**flow(T - 1700, T - 1641), "_indextime": str(T + 1700)}]))
    assert "The correlation searches reach back 2,700 s, which is too little." in view.text("viz_sentence")


def test_records_that_cannot_be_read_are_counted(draw, app):
    view = draw(engine(app, [flow(T, T + 59), flow(T, T - 60), flow(T, T + 9000)]))
    assert view.text("viz_sentence").endswith(" 2 could not be read.")
    assert dict(zip(view.header("viz_interfaces"), view.rows("viz_interfaces")[0]))["Skipped"] == "0 + 2 unread"


def test_an_unknown_time_of_indexing_is_said(draw, app):
    event = flow(T, T + 59)
    del event["_indextime"]
    view = draw(engine(app, [event]))
    assert view.text("viz_sentence") == (
        "1 record of 1 interface. How late records arrived is unknown: the search did not get _indextime."
    )
    assert "No search results returned" in view.text("viz_schedule")


@pytest.mark.parametrize("count", [1, 3])
def test_lags_that_are_all_zero_are_drawn(draw, app, count):
    """The renderer's axis has no length then, unless it is told where to begin; an error on the console would fail."""
    events = [{**flow(T + 300 * i, T + 300 * i + 59), "_indextime": str(T + 300 * i + 59)} for i in range(count)]
    view = draw(engine(app, events))
    assert "arrived, so far up to 0 s after their end. A scheduled search should wait 0 s" in view.text("viz_sentence")
    assert view.rows("viz_schedule")[1][1] == "now"
    assert "p95" in view.text("viz_late")


def test_only_skipped_records(draw, app):
    skipped = [event for event in scenes.flows() if event["log_status"] == "SKIPDATA"]
    assert (
        draw(engine(app, skipped))
        .text("viz_sentence")
        .startswith("A SKIPDATA record says that AWS dropped records. No record of 1 interface holds packet times")
    )


def test_nothing_at_all_is_said_in_words(draw, app):
    view = draw(engine(app, []))
    assert view.text("viz_sentence") == (
        "No flow record was found: the search for flow logs finds nothing in this time range. Choose another one, or set the "
        "macro flowlag_index. The dashboard Check says what is missing."
    )
    assert view.panels() == ["viz_sentence", "viz_learned", "viz_density", "viz_schedule", "viz_model"]
