# SPDX-License-Identifier: Apache-2.0
"""Owns what the searches of the view Check say of a site, row by row; tests/ui draws it.

Each scene differs from a site where all is well in one thing, and the row of that thing says it.
"""

from __future__ import annotations

import re
import sys
from typing import Any, NamedTuple

import pytest

from tests.spl.engine import Engine, SplError
from tests.spl.exchange import Exchange
from tests.spl.rest import entry
from tests.support.check_site import CUSTOM, DAMAGED, FLOWS, IPV6, LOGINS, NODATA, T, copy_app, sites_of, without
from tests.support.conf import MACROS, read_conf
from tests.support.views import VIEWS, whole_query, with_result
from tests.ui.scenes import NOW, flow, lags, login, on_server, windows
from tools.dashboards.check import VERDICTS
from tools.dashboards.check_rows import CHECKS, MOST
from tools.dashboards.check_searches import SITE_MACROS
from tools.places import ROOT

VIEW = VIEWS["check"]
LEARN_WINDOWS, LEARN_LAGS = "Flow Logs - Learn Windows", "Flow Logs - Learn Lags"


class Said(NamedTuple):
    """What the view says: the verdict, the sentence, each row by its name, and the state of each macro."""

    verdict: str
    sentence: str
    rows: dict[str, tuple[str, str, str]]
    macros: dict[str, str]


@pytest.fixture(scope="module")
def own_app(app, tmp_path_factory):
    """A copy of the packaged app, whose lookups a scene may change."""
    return copy_app(app, tmp_path_factory.mktemp("check"))


@pytest.fixture
def site(own_app):
    """site(events, local=None, **lookups): a search head on which all is well but for what is given."""
    return sites_of(own_app)


def look(engine: Engine, earliest: str = "-4h@m", latest: str = "now") -> Said:
    """Run the searches of the view as the renderer does."""

    def rows(source: str, **known: Any) -> list[dict[str, Any]]:
        query = whole_query(VIEW, source)
        return engine.search(with_result(query, "ds_files", known), earliest, latest)

    (files,) = rows("ds_files")
    (verdict,) = rows("ds_verdict", **files)
    checks = {
        row["Check"]: (row["State"], row["What was found"], row["What to do"]) for row in rows("ds_checks", **files)
    }
    macros = {row["Macro"]: row["State"] for row in rows("ds_macros", **files)}
    return Said(verdict["Verdict"], verdict["sentence"], checks, macros)


def test_all_is_well(site):
    said = look(site())
    assert said.verdict == "Green" and said.sentence == (
        "Green: flow events are found and recognised, and have packet times and the fields that are needed."
    )
    assert list(said.rows) == [check.name for check in CHECKS]
    assert {state for state, _, _ in said.rows.values()} == {"green"}
    assert {todo for _, _, todo in said.rows.values()} == {"-"}
    assert (
        said.rows["Flow events"][1]
        == "5 flow events: 5 in aws (aws:cloudwatchlogs:vpcflow). The newest began 19 min ago."
    )
    assert said.rows["Learned windows"][1] == (
        "1 row of 1 interface in the app flowlag; the newest ends 25 min ago. The search is off."
    )
    assert said.macros == dict.fromkeys(SITE_MACROS, "default")


OLD = [flow(T - 6000, T - 5980)]
REVERSED = [flow(T + 20, T)]


def shifted(events, seconds):
    """Events whose _time is off."""
    return [{**event, "_time": f"{float(event['_time']) + seconds:.0f}"} for event in events]


def indexed(event, late):
    """An event that was indexed so many seconds after its _time."""
    return {**event, "_indextime": f"{float(event['_time']) + late:.0f}"}


#: Events -> verdict, row, its state, and words of what was found and of what to do.
EVENT_SCENES = {
    "nothing": ([], "Red", "Flow events", "red", "No flow event was found", "macro flowlag_index"),
    "old only": (OLD + LOGINS, "Amber", "Flow events", "amber", "began 2 h ago", "flow logs still come"),
    "custom layout": (CUSTOM + LOGINS, "Red", "Layouts", "red", "None of 50 events was recognised", "format=..."),
    "some custom": (FLOWS + CUSTOM[:5] + LOGINS, "Amber", "Layouts", "amber", "5 of 10 events were", "format=..."),
    "nodata": (NODATA + LOGINS, "Amber", "Packet times", "amber", "(5 events: 100 % nodata).", "no traffic"),
    "reversed": (FLOWS + REVERSED + LOGINS, "Amber", "Packet times", "amber", "83.3 % ok, 16.7 % reversed", "format=..."),
    "ipv6": (IPV6 + LOGINS, "Green", "Fields", "green", "All 1 record with packet times have src_ip", "-"),
    "no aliases": (
        [without(event, "src_ip", "dest_ip") for event in FLOWS] + LOGINS,
        "Red", "Fields", "red", "some lack src_ip (all), dest_ip (all).", "Add-on for AWS",
    ),
    "no action": (
        [*FLOWS[:3], *(without(event, "action") for event in FLOWS[3:]), *LOGINS],
        "Amber", "Fields", "amber", "some lack action (2).", "Add-on for AWS",
    ),
    "flows of another zone": (
        shifted(FLOWS, -7200) + LOGINS,
        "Red", "Clocks", "red", "5 flow records have a _time far from start, up to 2 h before it.", "Set TZ",
    ),
    "one flow of another zone": (
        [*FLOWS[:4], *shifted(FLOWS[4:], -3600), *LOGINS],
        "Amber", "Clocks", "amber", "1 flow record has a _time far from start, up to 60 min before it.", "Set TZ",
    ),
    "a login that is still to come": (
        [*FLOWS, *LOGINS, *shifted(LOGINS, 4800)],
        "Amber", "Clocks", "amber", "1 event has a _time that is still to come, up to 60 min ahead (linux_secure).", "NTP",
    ),
    "a zone ahead": (
        shifted(FLOWS, 36_000) + LOGINS,
        "Red", "Clocks", "red", "5 events have a _time that is still to come, up to 9 h ahead (aws:cloudwatch", "Set TZ",
    ),
    "a clock ahead": (
        [*FLOWS, indexed(LOGINS[0], -600)],
        "Amber", "Clocks", "amber", "1 event was indexed before it can have happened.", "NTP",
    ),
    "logins an hour late": (
        [*FLOWS, *(indexed(login(T + n), 3600 + n) for n in range(3))],
        "Amber", "Clocks", "amber", "All 3 other events were indexed 60 min or more after their _time.", "set TZ of the",
    ),
    "logins in time": (
        [*FLOWS, *(indexed(login(T + n), 3600 * n) for n in range(3))],
        "Green", "Clocks", "green", "_time is near the start of all flow records, and no event", "-",
    ),
    "no login": (FLOWS, "Amber", "Other events", "amber", "No login", "flowlag_logins"),
    "no port": (
        [*FLOWS, without(LOGINS[0], "src_port")],
        "Amber", "Other events", "amber", "1 event of flowlag_events and flowlag_logins: 0 with a name", "event_key",
    ),
}  # fmt: skip


@pytest.mark.parametrize("scene", EVENT_SCENES)
def test_events_that_are_not_as_they_should_be(site, scene):
    """The row says what was found and what to do, and the sentence begins with the verdict."""
    events, verdict, row, state, found, todo = EVENT_SCENES[scene]
    said = look(site(events))
    assert said.verdict == verdict and said.sentence.startswith(f"{verdict}: "), said
    assert said.rows[row][0] == state and found in said.rows[row][1] and todo in said.rows[row][2], said.rows[row]
    assert all(all(cells) for cells in said.rows.values()), "an empty cell"


def test_of_what_is_not_there_nothing_is_said_but_where_to_begin(site):
    rows = look(site([])).rows
    unchecked = {name: todo for name, (state, _, todo) in rows.items() if state == "not checked"}
    assert unchecked == {
        "Packet times": "See Flow events and Layouts.",
        "Layouts": "See Packet times.",
        "Fields": "See Packet times.",
        "Clocks": "See Flow events and Other events.",
        "Indexers": "See Flow events.",
    }


def test_worst_comes_first_and_the_rest_is_counted(site):
    said = look(site([]))
    assert said.sentence.startswith("Red: No flow event was found in this time range. Set your index and sourcetype")
    assert said.sentence.endswith(" One more point is below.")
    assert look(site(CUSTOM)).sentence.startswith(
        "Red: None of 50 events was recognised as a flow record. Give the layout"
    )


def test_a_layout_of_ones_own_is_recognised_by_its_format(site):
    """Addresses are another matter: the command reads times only."""
    told = {"flowlag_options": 'lag=60 format="${log-status} ${end} ${start} ${az-id} ${vpc-id} ${interface-id}"'}
    said = look(site(CUSTOM + LOGINS, told))
    assert said.rows["Layouts"][0] == said.rows["Packet times"][0] == "green"
    assert said.verdict == "Red" and said.sentence.startswith(
        "Red: Of 50 records with packet times, some lack src_ip (all)"
    )
    assert said.macros["flowlag_options"] == "changed"


def test_places_are_counted_and_the_first_are_named(site):
    events = [{**event, "index": f"aws{n}"} for n, event in enumerate(FLOWS * 2)]
    found = look(site(events)).rows["Flow events"][1]
    assert found.startswith("10 flow events: 1 in aws0 (aws:cloudwatchlogs:vpcflow); 1 in aws1 ")
    assert "; others. The newest" in found and "aws5" not in found


def test_only_the_newest_events_are_examined(site):
    """Their number is told, and a server that has older ones only is not said to be silent."""
    old = on_server([flow(T - 3000, T - 2990)], "idx-2")
    said = look(site([*(FLOWS * (MOST // 5)), *old, *LOGINS]))
    assert f"The newest {MOST:,} events: 100 % ok." == said.rows["Packet times"][1]
    assert said.rows["Indexers"][:2] == (
        "green",
        "Flow events are on 2 servers, and each one that was asked gave tags: idx-1, idx-2.",
    )


def test_indexers_run_the_command():
    """A command behind head is run by the search head alone."""
    tagged = re.search(r"flowlagenrich.*?\]", whole_query(VIEW, "ds_all"), re.DOTALL)
    before = whole_query(VIEW, "ds_all")[: tagged.start()].rpartition("[")[2] if tagged else "head"
    assert "head" not in before and before.split() == ["search", "`flowlag_index`", "|"]


class Silent(Exchange):
    """An indexer that has no lib/ of the app: its events do not come back from our commands."""

    def received(self, rows):
        return [row for row in rows if row.get("_chunked_idx") != "0"]


def test_an_indexer_that_gives_no_tags(site, own_app):
    """Its events are counted, and none comes back from the command."""
    events = [*on_server([flow(T + 30, T + 40)], "idx-2"), *FLOWS, *LOGINS]
    said = look(site(events, exchange=Silent(own_app, sys.executable)))
    assert said.verdict == "Red" and said.rows["Indexers"][0] == "red"
    assert "on 2 servers, but none came back with tags from idx-2." in said.sentence
    assert "Restart the search head, then search twice" in said.sentence


class Mute(Exchange):
    """A command from which nothing comes back."""

    def received(self, rows):
        return []


def test_a_command_from_which_nothing_comes_back(site, own_app):
    said = look(site(exchange=Mute(own_app, sys.executable)))
    assert said.sentence.startswith("Red: flowlagenrich gave no event back: it failed. Open the search")
    assert said.rows["Flow events"][0] == "green" and said.rows["Indexers"][0] == "red"


def test_an_option_that_the_command_refuses_can_be_corrected(site):
    """Its search fails with the command's sentence; the list of macros is a search of its own."""
    engine = site(local={"flowlag_options": "lag=soon"})
    with pytest.raises(SplError, match="option lag"):
        look(engine)
    macros = {row["Macro"]: row["State"] for row in engine.search(whole_query(VIEW, "ds_macros"))}
    assert macros["flowlag_options"] == "changed" and macros["flowlag_index"] == "default"


# -- lookups

#: Lookups -> row, its state, and words of what was found and of what to do.
LOOKUP_SCENES = {
    "off": ({"windows": None}, "Learned windows", "off", "Not in use: there is no file", "run the search once by hand"),
    "damaged": ({"windows": DAMAGED}, "Learned windows", "amber", "1 of 2 rows of flowlag_windows.csv cannot be", "Delete"),
    "other columns": ({"lags": [{"a": "1", "b": "2"}]}, "Learned lags", "amber", "1 of 1 row of flowlag_lags.csv", "Delete"),
    "old windows": ({"windows": windows(NOW - 5 * 3600)}, "Learned windows", "amber", "ends 5 h ago", "Turn Flow Logs"),
    "seldom written": ({"windows": windows(NOW - 3.5 * 3600)}, "Learned windows", "green", "ends 3 h ago", "-"),
    "old lags": (
        {"lags": [{**row, "learned_to": str(int(NOW) - 90_000)} for row in lags()]},
        "Learned lags", "amber", "ends 25 h ago", f"Turn {LEARN_LAGS} on",
    ),
}  # fmt: skip


@pytest.mark.parametrize("scene", LOOKUP_SCENES)
def test_lookups(site, scene):
    lookups, row, state, found, todo = LOOKUP_SCENES[scene]
    said = look(site(**lookups))
    assert said.verdict == ("Amber" if state == "amber" else "Green")
    assert said.rows[row][0] == state and found in said.rows[row][1] and todo in said.rows[row][2], said.rows[row]


def test_an_empty_lookup(site, own_app):
    engine = site()
    (own_app / "lookups" / "flowlag_windows.csv").write_text("interface_id,timing_mode,first_start,last_end\n")
    assert look(engine).rows["Learned windows"][:2] == ("amber", "The file flowlag_windows.csv is empty.")


def turned_on(own_app, name, app="flowlag"):
    """A saved search of the app as it is when it runs."""
    search = read_conf("default/savedsearches.conf", own_app)[name]["search"]
    return entry(name, app, search=search, disabled="0", is_scheduled="1")


def test_a_search_that_runs_but_has_written_nothing_yet(site, own_app):
    engine = site(windows=None)
    engine.rest.others["saved/searches"] = [turned_on(own_app, LEARN_WINDOWS)]
    state, found, todo = look(engine).rows["Learned windows"]
    assert (state, found) == (
        "amber",
        f"The search {LEARN_WINDOWS} is on, but there is no file flowlag_windows.csv yet.",
    )
    assert todo == "Run it once by hand as its description says, in the app flowlag."


def test_a_search_that_runs_is_told(site, own_app):
    engine = site()
    engine.rest.others["saved/searches"] = [turned_on(own_app, LEARN_LAGS)]
    assert look(engine).rows["Learned lags"][1].endswith(" The search is on.")


def test_a_search_that_runs_in_another_app(site, own_app):
    """outputlookup writes a new file into the app in which it runs."""
    engine = site()
    engine.rest.others["saved/searches"] = [turned_on(own_app, LEARN_WINDOWS, "search")]
    state, found, todo = look(engine).rows["Learned windows"]
    assert state == "amber" and found.endswith(f"runs in another app: {LEARN_WINDOWS} (search).")
    assert todo.startswith("Run the search in the app flowlag")


@pytest.mark.parametrize(
    ("file", "place"),
    [
        pytest.param(entry("flowlag_lags.csv", "search", "app"), "search", id="another app"),
        pytest.param(entry("flowlag_lags.csv", sharing="user"), "flowlag (a private file)", id="a user's own"),
    ],
)
def test_a_file_that_the_commands_do_not_read(site, file, place):
    engine = site(lags=None)
    engine.rest.others["data/lookup-table-files"] = [file]
    state, found, _ = look(engine).rows["Learned lags"]
    assert state == "amber"
    assert (
        found
        == f"The file flowlag_lags.csv is not in the app flowlag, but in {place}, where the commands do not read it."
    )


# -- macros, and what REST refuses


def test_macros_that_the_site_changed(site):
    """A private copy or one of another app does not count: scheduled searches do not see them."""
    engine = site(local={"flowlag_index": "index=aws sourcetype=aws:cloudwatchlogs:vpcflow"})
    engine.rest.others["admin/macros"] = [
        entry("flowlag_logins", sharing="user", definition="mine"),
        entry("flowlag_outbound", "search", definition="theirs"),
    ]
    said = look(engine)
    assert said.macros == {**dict.fromkeys(SITE_MACROS, "default"), "flowlag_index": "changed"}
    assert said.rows["Macros"][1] == f"{len(SITE_MACROS) - 1} of {len(SITE_MACROS)} macros below have their default."


def test_lags_that_differ(site):
    said = look(site(local={"flowlag_options": "lag=30 windows=none"}))
    assert said.rows["Lag"][0] == said.verdict.lower() == "amber"
    assert "30 s in flowlag_options" in said.rows["Lag"][1] and "60 s in flowlag_longest_lag" in said.rows["Lag"][1]


def test_without_the_right_to_read_by_rest(site):
    """No row is lost, each says why, and the events are judged as ever."""
    engine = site()
    engine.rest.forbidden = {"admin/macros", "saved/searches", "data/lookup-table-files"}
    said = look(engine)
    refused = {name for name, (state, _, _) in said.rows.items() if state == "not checked"}
    assert refused == {"Lag", "Macros", "Learned windows", "Learned lags"}
    assert all("ask an administrator" in said.rows[name][2] for name in refused)
    assert said.sentence.endswith(" 4 points could not be checked.")
    assert set(said.macros.values()) == {"not readable"} and list(said.macros) == list(SITE_MACROS)


def test_every_macro_is_in_the_app_and_every_row_in_the_documents():
    assert set(SITE_MACROS) <= set(MACROS)
    page = (ROOT / "docs" / "dashboards.md").read_text(encoding="utf-8")
    assert [name for name in (check.name for check in CHECKS) if f"| *{name}* |" not in page] == []


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("word", VERDICTS)
def test_the_verdict_can_be_read(word):
    """WCAG asks for a contrast of 4.5."""
    dark, light = sorted(map(luminance, VERDICTS[word]))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
