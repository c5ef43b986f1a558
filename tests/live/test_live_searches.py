# SPDX-License-Identifier: Apache-2.0
"""Live: the saved searches with the text that splunkd has, on the scenarios of tests/rules and sets of known truth.

What the offline tests play in Python, Splunk does here itself: base searches, eval, stats, dedup, now(), index time.
"""

from __future__ import annotations

import pytest

from flowlag.learned import COLUMNS
from tests.live.samples import RULE_SETS, profile_rows
from tests.live.searches import differing, place, site, texts, whole_set, without_lookup
from tests.live.settings import APP
from tests.rules.scenarios import read_findings
from tests.support.conf import MACROS
from tests.support.saved_searches import DELIVERY, HEALTH, LEARN, LOGIN, MEASURE
from tests.support.views import VIEWS, whole_query, with_result
from tools.dashboards.check_rows import CHECKS
from tools.dashboards.check_searches import SITE_MACROS
from tools.dashboards.odd_text import shown

pytestmark = pytest.mark.live

NO_LOOKUP = "the lookup flowlag_windows has no file yet: learn the windows once (docs/profile.md, Learned windows)"
NOT_ALLOWED = "it writes the lookup flowlag_windows of the instance and takes its rows out again: allow that with SPLUNK_WRITE_LOOKUP=1"


@pytest.fixture(scope="module")
def definitions(splunk):
    """The macros of the instance."""
    stanzas = splunk.entries(f"/servicesNS/nobody/{APP}/configs/conf-macros")
    return {name: stanza.get("definition", "") for name, stanza in stanzas.items()}


@pytest.fixture
def saved(splunk, definitions):
    """The text of a saved search on the instance, its site macros in place; skipped where the site changed another one."""

    def text(name, macros):
        placed = place(splunk.stanza("savedsearches", name)["search"].replace("\\\n", " "), macros)
        changed = differing(placed, definitions)
        if changed:
            pytest.skip(f"this site has its own definition of {', '.join(changed)}, so that other results are right")
        return placed

    return text


@pytest.fixture(scope="module")
def learned(splunk):
    """Whether the lookup has a file."""
    outcome = splunk.oneshot("| inputlookup flowlag_windows | stats count")
    return not outcome.failed and not outcome.said("ERROR", "FATAL")


@pytest.mark.parametrize("rule", RULE_SETS)
def test_rule_finds_what_its_scenario_says(search, saved, sent, rule):
    """The findings of tests/rules, with macros, stats and now() done by Splunk."""
    expected = read_findings(rule)
    names = list(expected[0])
    outcome = search(saved(rule, site(sent, RULE_SETS[rule])))
    assert sorted(texts(outcome.rows, names)) == sorted([row[name] for name in names] for row in expected)


def test_health_rule_finds_late_and_skipped_records(search, saved, sent):
    """Index time is Splunk's own here: an hour late is late, five minutes are not."""
    outcome = search(saved(HEALTH, whole_set(sent, "health")))
    names = ["subject", "late_records", "skipdata_records"]
    assert sorted(texts(outcome.rows, names)) == [["eni-late", "1", "0"], ["eni-skipped", "0", "1"]]


def test_accelerated_data_model_is_read(splunk, search):
    """Whether it has records is for the site's tags to say; here the macro is understood, and its rows reach the command."""
    if splunk.entry("/servicesNS/-/-/datamodel/model/Network_Traffic") is None:
        pytest.skip(
            "the instance has no data model Network_Traffic: install the Splunk Common Information Model Add-on"
        )
    outcome = search('| `flowlag_traffic("All_Traffic.dest_port=22")` | stats count dc(flowlag_status)')
    assert list(outcome.rows[0]) == ["count", "dc(flowlag_status)"]


@pytest.mark.parametrize(("latest", "found"), [("now", True), (None, False)], ids=["up to now", "before the run"])
def test_window_of_index_time_selects(splunk, saved, sent, latest, found):
    """dispatch.index_* of a rule: events that were indexed within it are seen, others are not."""
    text = saved(LOGIN, site(sent, "login"))
    end = "+5m" if latest else str(sent.now - 3600)
    outcome = splunk.search(text, index_earliest="-62m@m" if latest else "-62d@d", index_latest=end)
    assert not outcome.failed and bool(outcome.rows) == found


def test_learning_gives_the_rows_of_the_packaged_profile(search, saved, sent, packaged, run):
    """All of the search but reading and writing the lookup."""
    outcome = search(without_lookup(saved(LEARN, whole_set(sent, "profile"))))
    profile = packaged(profile_rows(run.now), ["flowlagenrich"], ["flowlagprofile"])
    expected = [row for row in profile if row["timing_mode"] in ("grid", "batch", "flow")]
    assert expected and sorted(texts(outcome.rows, COLUMNS)) == sorted(texts(expected, COLUMNS))


def test_delivery_lag_lists_every_interface_latest_first(search, saved, sent):
    outcome = search(saved(DELIVERY, whole_set(sent, "profile")))
    lookbacks = [int(str(row["suggest_lookback"])) for row in outcome.rows]
    assert len(lookbacks) == 3 and lookbacks == sorted(lookbacks, reverse=True)


#: Logins as anchors, with the fields that the search names.
LOGINS_AS_ANCHORS = {
    "flowlag_anchor_fields": 'eval anchor_src=if(kind="event",src,null()), anchor_src_port=if(kind="event",src_port,null()), '
    "anchor_time=_time",
    "flowlag_learn_options": 'by="src_ip=anchor_src,src_port=anchor_src_port" anchor_time=anchor_time tolerance=2',
}


def test_measured_lag_has_a_row_for_each_interface_with_an_anchor(search, saved, sent):
    outcome = search(saved(MEASURE, {**site(sent, "login"), **LOGINS_AS_ANCHORS}))
    assert outcome.rows
    for row in outcome.rows:
        assert int(str(row["anchors"])) > 0 and row["within"] == "unknown" and row["state"] == "few"


def test_learned_windows_are_written_and_used(splunk, search, sent, learned):
    """outputlookup writes where flowlagenrich reads, beside what was there; then the rows of this run are taken out again."""
    if not splunk.settings.writes_lookup:
        pytest.skip(NOT_ALLOWED)
    mark = f"live-{sent.id}-"
    flows = f'{sent.base("profile")} | eval interface_id="{mark}".interface_id'
    append = "| inputlookup append=true flowlag_windows " if learned else ""
    columns = " ".join(COLUMNS)
    search(
        f"{flows} | flowlagenrich windows=none | flowlagprofile | fields {columns} {append}| outputlookup flowlag_windows"
    )
    try:
        kept = search("| inputlookup flowlag_windows")
        assert len([row for row in kept.rows if str(row["interface_id"]).startswith(mark)]) >= 3
        used = search(f"{flows} | sort 0 _time | flowlagenrich | stats count by flowlag_window_basis")
        assert "profile" in [row["flowlag_window_basis"] for row in used.rows]
    finally:
        search(f'| inputlookup flowlag_windows | where NOT like(interface_id,"{mark}%") | outputlookup flowlag_windows')


def test_odd_characters_are_marked_and_addresses_spelled_in_one_way(search):
    """Packet time counts on urldecode of UTF-8, on characters by number in regular expressions, and on the macro."""
    (row,) = search(
        '| makeresults | eval text="a" . urldecode("%E2%80%AE%24") . "b", address="2001:0DB8:0:0::0007" '
        f"| eval text={shown('text')} | `flowlag_spell(address)` | table text address"
    ).rows
    assert (row["text"], row["address"]) == ("a\ufffd\ufffdb", "2001:db8::7")


# -- the view Check, whose searches read what splunkd knows, too


@pytest.fixture
def check(search, sent):
    """check(source): the rows of a search of the view over a set of this run, with what its first search found put in."""

    def run(source):
        (files,) = search(whole_query(VIEWS["check"], "ds_files")).rows
        text = place(whole_query(VIEWS["check"], source), site(sent, "login"))
        return search(with_result(text, "ds_files", files)).rows

    return run


def test_check_sees_the_files_of_lookups(check, learned):
    """The command rest gives the files of all apps; the lookup is read only if it has one."""
    (files,) = check("ds_files")
    assert int(files["files"]) > 0 and files["windows_places"] != "unknown"
    assert (files["windows"] == "inputlookup flowlag_windows") == learned == (files["windows_here"] != "0")


def test_check_has_a_row_of_each_part(check):
    """No subsearch keeps back what another finds."""
    parts = {str(row["part"]) for row in check("ds_all")}
    assert parts - {"ahead"} == {"found", "tagged", "others", "macro", "writer", "lookup", "range"}


def test_check_judges_the_events_of_this_run(check, sent):
    rows = {row["Check"]: row for row in check("ds_checks")}
    assert list(rows) == [row.name for row in CHECKS]
    assert f" in {sent.index} (" in rows["Flow events"]["What was found"]
    assert {rows[name]["State"] for name in ("Packet times", "Layouts", "Indexers")} == {"green"}


def test_check_answers_in_a_sentence(check):
    (verdict,) = check("ds_verdict")
    assert verdict["Verdict"] in ("Red", "Amber", "Green") and verdict["sentence"].startswith(f"{verdict['Verdict']}: ")


def test_check_knows_which_macros_the_site_changed(check, definitions):
    """By their definition as the command rest gives it."""
    states = {row["Macro"]: row["State"] for row in check("ds_macros")}
    assert states == {
        name: "default" if definitions[name] == MACROS[name]["definition"] else "changed" for name in SITE_MACROS
    }
