# SPDX-License-Identifier: Apache-2.0
"""Pins a search as a whole: its time range, macros, subsearches, lookups, and our packaged commands in it."""

from __future__ import annotations

import pytest

from tests.spl.engine import Engine, Search, SplError
from tests.spl.exchange import Exchange
from tests.spl.made import EVENTS, NOW, users
from tests.support.conf import MACROS


@pytest.mark.parametrize(
    ("earliest", "latest", "expected"),
    [
        ("", "", [0, 1, 2]),
        ("0", "now", [0, 1, 2]),
        ("-4h@h", "now", [0, 1, 2]),
        ("-60m@m", "", [0, 1]),
        ("1602397706", "1602397707", [0]),
        ("@d", "-5m+6s", [1, 2]),
        ("2020-10-11T06:28:26.000Z", "", [0]),
    ],
)
def test_time_range(engine, earliest, latest, expected):
    assert users(engine.search("*", earliest, latest)) == expected


def test_times_in_the_search_go_before_its_range(engine):
    assert users(engine.search("earliest=0 failed", "-1m", "now")) == [2]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('`two("x, y",z)`', "x, y-z"),
        ("`two(z , `one` )`", None),
        ("`one`", "1"),
        ("`nested`", "1-1"),
        ("`changed`", "mine"),
    ],
)
def test_macros(tmp_path, query, expected):
    macros = {
        "one": {"definition": "1"},
        "two(2)": {"definition": "$a$-$b$", "args": "a, b"},
        "nested": {"definition": '`two(1,"1")`'},
        "changed": {"definition": "theirs"},
    }
    engine = Engine([], tmp_path, "no-python", macros, NOW, {"changed": "mine"})
    if expected is None:
        with pytest.raises(SplError):
            engine.macros.expand(query)
    else:
        assert engine.macros.expand(query) == expected


@pytest.mark.parametrize(
    ("earliest", "latest", "expected"),
    [
        ("", "", ("0.000", "+Infinity")),
        ("-60m@m", "now", ("1602394380.000", "1602398000.000")),
    ],
)
def test_addinfo(engine, earliest, latest, expected):
    (row,) = engine.search("| makeresults | addinfo", earliest, latest)
    assert (row["info_min_time"], row["info_max_time"]) == expected
    assert (row["_time"], row["info_search_time"]) == ("1602398000", "1602398000.000")


def test_addinfo_refuses_a_range_within_the_search(engine):
    with pytest.raises(SplError):
        engine.search("earliest=-5m | addinfo")


def test_a_subsearch_has_the_range_of_the_search_and_its_own_times_only_for_itself(engine):
    query = "user=* | append [search failed] | append [search earliest=0 failed] | addinfo | eval n=info_min_time"
    rows = engine.search(query, "-60m@m", "now")
    assert (users(rows), {row["n"] for row in rows}) == ([1, 2], {"1602394380.000"})


def test_makeresults(engine):
    rows = engine.search('| makeresults count=3 | streamstats count as n | eval n=n*10 | search n>10 | table n')  # fmt: skip
    assert rows == [{"n": "20"}, {"n": "30"}]


def test_an_event_has_a_time(tmp_path):
    with pytest.raises(SplError):
        Engine([{"_raw": "x"}], tmp_path, "no-python", {}, NOW)


# -- the time of indexing


@pytest.mark.parametrize(
    ("bounds", "expected"), [(("-10m", ""), [1]), (("", "-10m"), [0]), (("1602397400", "now"), [1]), (("", ""), [0, 1])]
)
def test_range_of_index_time(tmp_path, bounds, expected):
    """An event that came late is found by the time at which it came."""
    times = [(NOW - 60, NOW - 3000), (NOW - 70, NOW - 30)]
    events = [{"_time": str(time), "_indextime": str(came)} for time, came in times]
    found = Engine(events, tmp_path, "no-python", MACROS, NOW).search("*", "", "", *bounds)
    assert [times.index((int(row["_time"]), int(row["_indextime"]))) for row in found] == expected


def test_range_of_index_time_needs_it_in_every_event(engine):
    with pytest.raises(SplError):
        engine.search("*", "", "", "-1h", "now")


# -- lookups


@pytest.fixture
def learned(tmp_path):
    """Search on an app that has one lookup, with a file of two rows for eni-1."""
    (tmp_path / "default").mkdir()
    (tmp_path / "default" / "transforms.conf").write_text("[modes]\nfilename = modes.csv\n")
    (tmp_path / "lookups").mkdir()
    (tmp_path / "lookups" / "modes.csv").write_text("id,mode\neni-1,grid\neni-1,batch\neni-2,\n")
    return lambda query: Engine(EVENTS, tmp_path, "no-python", MACROS, NOW).search(query)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("| inputlookup modes", ["eni-1", "eni-1", "eni-2"], id="the rows of the file"),
        pytest.param("user=* | eval id=user | inputlookup append=true modes", ["Bob", "eni-1", "eni-1", "eni-2"], id="behind others"),
        pytest.param("user=* | eval id=user | table id | outputlookup modes", ["Bob"], id="written and given on"),
        pytest.param("`flowlag_index` | lookup modes id AS interface_id OUTPUT mode | eval id=mode", [["grid", "batch"]], id="all rows that match"),
        pytest.param("user=* | lookup modes id AS user OUTPUT mode | eval id=coalesce(mode,\"no\")", ["no"], id="no row that matches"),
    ],
)  # fmt: skip
def test_lookups(learned, query, expected):
    assert [row["id"] for row in learned(query)] == expected


def test_a_lookup_that_was_written_is_read(learned):
    learned("user=* | eval id=user, mode=1 | table id mode | outputlookup modes")
    assert learned("| inputlookup modes") == [{"id": "Bob", "mode": "1"}]


@pytest.mark.parametrize(
    "query",
    [
        "| inputlookup nosuch",
        "user=* | inputlookup modes",
        "user=* | outputlookup modes",
        "tag=* | table tag | outputlookup modes",
        "* | lookup modes id OUTPUT mode",
        "* | lookup modes id AS interface_id OUTPUT user",
        "* | lookup modes id AS tag OUTPUT mode",
    ],
)
def test_lookups_refuse(learned, query):
    with pytest.raises(SplError):
        learned(query)


def test_a_lookup_without_its_file(learned, tmp_path):
    (tmp_path / "lookups" / "modes.csv").unlink()
    with pytest.raises(SplError, match="has no file"):
        learned("| inputlookup modes")


# -- our commands


@pytest.fixture(scope="module")
def search(app, python):
    engine = Engine(EVENTS, app, python, MACROS, NOW, {"flowlag_options": 'lag="30"'})
    return lambda query: (engine.search(query), engine.messages)


def test_packaged_commands(search):
    """The base search, both commands with macros, and a table: the login's flow is found."""
    rows, messages = search(
        "`flowlag_index` OR user=* | flowlagenrich `flowlag_options` "
        '| flowlagmatch by="src_ip=src" within=100 | eval gap=round(match_gap_max) '
        "| table user match_certainty flow_interface_id flow_flowlag_earliest gap"
    )
    assert rows == [
        {
            "user": "Bob",
            "match_certainty": "certain",
            "flow_interface_id": "eni-1",
            "flow_flowlag_earliest": "1602397676",
            "gap": "46",
        }
    ]
    assert messages == []


def test_packaged_command_keeps_multivalues(search):
    rows, _ = search("tag=* | flowlagenrich | table tag flowlag_status flowlag_start")
    assert rows == [{"tag": ["one", "two"], "flowlag_status": "other", "flowlag_start": ""}]


def test_packaged_command_on_nothing(search):
    assert search("nothing_at_all | flowlagenrich | flowlagprofile | stats count")[0] == [{"count": "0"}]


def test_packaged_command_warns(search):
    _, messages = search('* | eval flowlag_start="soon" | flowlagmatch by="src_ip=src" relation=before within=1')
    assert messages and all(level == "WARN" for level, _ in messages)


@pytest.mark.parametrize("arguments", ["lag=x", "nosuch=1", r'format="\\"'])
def test_packaged_command_refuses(search, arguments):
    with pytest.raises(SplError):
        search(f"* | flowlagenrich {arguments}")


def test_a_streaming_command_gets_what_it_asks_for_and_the_rest_is_merged(app, python):
    """Fields that it did not ask for come back with their own row, multivalues too; none is made by asking."""
    seen = []

    class Watched(Exchange):
        def sent(self, rows):
            seen.extend(rows)
            return rows

    engine = Engine(EVENTS, app, python, MACROS, NOW, exchange=Watched(app, python))
    rows = engine.search("* | flowlagenrich")
    assert len(seen) == 3 and not {"user", "tag", "src", "bytes"} & set(seen[0])
    assert [(row["user"], row["tag"]) for row in rows] == [("", ""), ("Bob", ""), ("", ["one", "two"])]
    assert [row["flowlag_status"] for row in rows] == ["ok", "other", "other"]
    assert "end_time" in seen[0] and "end_time" not in rows[0]


def test_a_fault_that_is_seeded_shows(app, python):
    """Rows that are merged with the wrong number; a search that forgets a command."""

    class Shifted(Exchange):
        def received(self, rows):
            return [{**row, "_chunked_idx": str(n)} for n, row in enumerate(rows[1:] + rows[:1])]

    class Forgetful(Search):
        def apply(self, table, name, text):
            return table if name == "head" else super().apply(table, name, text)

    query = "* | head 2 | flowlagenrich"
    right = Engine(EVENTS, app, python, MACROS, NOW).search(query)
    shifted = Engine(EVENTS, app, python, MACROS, NOW, exchange=Shifted(app, python)).search(query)
    assert [row["flowlag_status"] for row in shifted] == [row["flowlag_status"] for row in reversed(right)]
    assert len(Engine(EVENTS, app, python, MACROS, NOW, search_type=Forgetful).search(query)) == 3
