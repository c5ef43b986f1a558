# SPDX-License-Identifier: Apache-2.0
"""Owns what an administrator sees and does in the view How late, how wide, drawn by Splunk's renderer."""

from __future__ import annotations

import re

import pytest

from . import scenes
from .scenes import NOW, engine, flow

VIEW = "how_late"
PANELS = ["viz_sentence", "viz_widths", "viz_late", "viz_interfaces", "viz_learned", "viz_density"]
PANELS += ["viz_schedule", "viz_model"]
GRID, BATCH, OWN = (f"eni-0a1b2c3d4e5f6000{number}" for number in (1, 2, 3))
SEARCHES = ("ds_profile", "ds_widths", "ds_late")
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
        f"49 records of 3 interfaces arrived, up to {latest} s after their end; later ones may still come. A scheduled search "
        f"should wait {latest} s and reach back {latest + 120} s. The correlation searches reach back 2700 s, which is enough. A SKIPDATA record says that AWS "
        "skipped records."
    )
    assert re.findall(r"\d0 to \d0", view.text("viz_widths")) == ["30 to 40", "40 to 50", "50 to 60"]
    assert {"p50", "p95", "max"} <= set(view.text("viz_late").split())


def test_each_interface_has_its_row(draw):
    """Mode, phase, windows and lags of three interfaces that stamp in three ways; the latest comes first."""
    rows = [dict(zip(draw().header("viz_interfaces"), row)) for row in draw().rows("viz_interfaces")]
    assert [row["Interface"] for row in rows] == [OWN, GRID, BATCH]
    assert [row["Mode"].split()[0] for row in rows] == ["flow", "grid", "mixed"]
    assert [row["Phase"] for row in rows] == ["", "12", ""]
    assert [row["Records"] for row in rows] == ["12", "21", "17"] and [row["Skipped"] for row in rows] == [
        "0",
        "0",
        "1",
    ]
    assert [row["Late max"] for row in rows] == [str(max(lags(name))) for name in (OWN, GRID, BATCH)]
    assert rows[1]["Window p50"] == rows[1]["Window max"] == "60"


def test_a_click_on_an_interface_shows_it_alone(draw):
    view = draw()
    view.click_cell("viz_interfaces", 1, "Mode")
    assert view.tokens()["interface"] == GRID
    assert all(f'like(interface_id, replace("{GRID}"' in view.server.sent(name)[-1].query for name in SEARCHES)
    assert view.text("viz_sentence").startswith("21 records of 1 interface arrived, up to")
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
        ("1", "240", "yes"), ("3", "200", "no: lags drift"), ("2", "120", "yes"), ("4", "12", "no: too few anchors"),
    ]  # fmt: skip
    first, *_, last = (row["Lag p50 / 95 / 99"] for row in rows)
    assert first == "19.2 / 23.6 / 25.3" and last.endswith(" / - / -")
    assert "17 bars" in view.text("viz_density")
    view.click_cell("viz_learned", 1, "Use")
    assert [row[0] for row in view.rows("viz_learned")] == [OWN]


def test_without_learned_lags_the_rest_is_drawn(draw, app, whole_night):
    """The lookup has no file before the search has run once; Splunk calls that an error."""
    (app / "lookups" / "flowlag_lags.csv").unlink()
    try:
        view = draw(whole_night, expect_problems=True)
        assert view.text("viz_sentence").startswith("49 records of 3 interfaces arrived")
        assert view.text("viz_learned").startswith("The lag of each interface") and GRID not in view.text("viz_learned")
        assert len(view.rows("viz_interfaces")) == 3
    finally:
        scenes.store_lags(app, scenes.lags())


def test_records_whose_interface_nobody_extracts(draw, app):
    """They are read from their text, and not lost."""
    events = [flow(T + 60 * i, T + 60 * i + 59) for i in range(3)]
    for event in events:
        for name in ("interface_id", "src_ip", "dest_ip", "start_time", "end_time"):
            del event[name]
    view = draw(engine(app, events))
    assert view.text("viz_sentence").startswith("3 records of 1 interface arrived, up to 60 s")


def test_records_that_come_too_late_for_the_rules(draw, app):
    view = draw(engine(app, [{**flow(T - 1700, T - 1641), "_indextime": str(T + 1700)}]))
    assert "The correlation searches reach back 2700 s, which is too little." in view.text("viz_sentence")


def test_records_that_cannot_be_read_are_counted(draw, app):
    view = draw(engine(app, [flow(T, T + 59), flow(T, T - 60), flow(T, T + 9000)]))
    assert view.text("viz_sentence").endswith(" 2 could not be read.")
    assert dict(zip(view.header("viz_interfaces"), view.rows("viz_interfaces")[0]))["Unread"] == "2"


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
    assert (
        "arrived, up to 0 s after their end; later ones may still come. A scheduled search should wait 0 s"
        in view.text("viz_sentence")
    )
    assert view.rows("viz_schedule")[1][1] == "now"
    assert "p95" in view.text("viz_late")


def test_only_skipped_records(draw, app):
    skipped = [event for event in scenes.flows() if event["log_status"] == "SKIPDATA"]
    assert draw(engine(app, skipped)).text("viz_sentence").startswith("No record of 1 interface holds packet times")


def test_nothing_at_all_is_said_in_words(draw, app):
    view = draw(engine(app, []))
    assert view.text("viz_sentence") == (
        "No flow record was found. Check the time range and the search for flow logs. * stands for any interface."
    )
    assert "No search results returned" in view.text("viz_interfaces")
