# SPDX-License-Identifier: Apache-2.0
"""Owns what an administrator sees and does in the view Check, drawn by Splunk's renderer; tests/app has its sentences."""

from __future__ import annotations

import pytest

from tests.spl.rest import entry
from tests.support.check_site import CUSTOM, DAMAGED, IPV6, LOGINS, NODATA, copy_app, sites_of
from tools.dashboards.check_rows import CHECKS
from tools.dashboards.check_searches import SITE_MACROS

VIEW = "check"
PANELS = ["viz_verdict", "viz_sentence", "viz_failed", "viz_checks", "viz_macros", "viz_notes"]
WIDE, NARROW = (1440, 900), (1024, 768)
#: The texts of a table that reach beyond their cells, and the words of its header that are broken across two lines.
CUT = """panel => {
    const found = [];
    for (const cell of panel.querySelectorAll('[data-test="cell"], [data-test="head-cell"]')) {
        const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), edge = cell.getBoundingClientRect();
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            for (const word of node.data.matchAll(/\\S+/g)) {
                const range = document.createRange();
                range.setStart(node, word.index);
                range.setEnd(node, word.index + word[0].length);
                const boxes = [...range.getClientRects()];
                const isBroken = new Set(boxes.map(box => Math.round(box.top))).size > 1;
                if (isBroken && cell.dataset.test === 'head-cell') found.push(`broken: ${word[0]}`);
                if (boxes.some(box => box.right > edge.right || box.bottom > edge.bottom)) found.push(`cut: ${word[0]}`);
            }
        }
    }
    return found;
}"""


@pytest.fixture(scope="module")
def own_app(app, tmp_path_factory):
    """A copy of the packaged app, whose lookups a scene may change."""
    return copy_app(app, tmp_path_factory.mktemp("check"))


@pytest.fixture
def site(own_app):
    """site(events, local=None, **lookups): a search head on which all is well but for what is given."""
    return sites_of(own_app)


@pytest.fixture
def draw(open_view, own_app):
    """draw(engine, **options): the view on a site."""
    return lambda engine, **options: open_view(VIEW, search=engine.search, app=own_app, **options)


def states(view):
    """The state of each check by its name."""
    return {row[0]: row[1] for row in view.rows("viz_checks")}


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1440", "1024"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_is_drawn_and_nothing_is_cut(draw, site, theme, viewport):
    """Green and every row; also at 1024 no column is out of sight, and no header broken within a word."""
    view = draw(site(), theme=theme, viewport=viewport)
    assert view.panels() == PANELS
    assert view.value("viz_verdict") == "Green" and view.text("viz_sentence").startswith("Green: flow events are found")
    assert states(view) == {check.name: "green" for check in CHECKS}
    assert [row[0] for row in view.rows("viz_macros")] == list(SITE_MACROS)
    check_layout(view)


def check_layout(view):
    """Nothing is cut at the right or below, and no word of a header is broken."""
    for name in ("viz_checks", "viz_macros"):
        panel = view.panel(name)
        assert panel.evaluate(CUT) == [], name
        outer, rows = panel.bounding_box(), panel.locator('[data-test="body"] [data-test="row"]')
        last = rows.nth(rows.count() - 1).bounding_box()
        assert last["y"] + last["height"] <= outer["y"] + outer["height"], f"{name}: its last row is out of sight"
        assert last["x"] + last["width"] <= outer["x"] + outer["width"] + 1, f"{name}: a column is out of sight"
    sentence = view.panel("viz_sentence")
    assert sentence.evaluate("item => item.scrollHeight <= item.clientHeight + 1"), "the sentence is cut"


#: Events -> verdict, the first words of the sentence, and the checks that are not green.
SCENES = {
    "nothing": ([], "Red", "No flow event was found in this time range. Set your index",
                {"Flow events": "red", "Packet times": "not checked", "Layouts": "not checked", "Fields": "not checked",
                 "Other events": "amber", "Clocks": "not checked", "Indexers": "not checked"}),
    "custom layout": (CUSTOM, "Red", "None of 50 events was recognised as a flow record. Give the layout of your flow logs in",
                      {"Packet times": "not checked", "Layouts": "red", "Fields": "not checked", "Other events": "amber"}),
    "nodata": (NODATA + LOGINS, "Amber", "No record has packet times (5 events: 100 % nodata). NODATA: the interfaces had",
               {"Packet times": "amber", "Fields": "not checked"}),
    "ipv6": (IPV6 + LOGINS, "Green", "flow events are found and recognised", {}),
}  # fmt: skip


@pytest.mark.parametrize("scene", SCENES)
def test_other_data(draw, site, scene):
    """The verdict in words, a colour of its own, and at the narrow width all that is longer."""
    events, verdict, words, others = SCENES[scene]
    view = draw(site(events), viewport=NARROW)
    assert view.value("viz_verdict") == verdict and view.text("viz_sentence").startswith(f"{verdict}: {words}")
    assert {name: state for name, state in states(view).items() if state != "green"} == others
    assert all(all(row) for row in view.rows("viz_checks"))
    check_layout(view)


def test_each_verdict_and_each_state_has_its_colour(draw, site):
    """Red, amber and green differ, besides in words."""
    ground = "item => getComputedStyle(item).backgroundColor"
    colours, pale = {}, {}
    for scene in ("nothing", "nodata", "ipv6"):
        view = draw(site(SCENES[scene][0]))
        boxes = view.panel("viz_verdict").locator("*").all()
        colours[SCENES[scene][1]] = {colour for box in boxes if (colour := box.evaluate(ground)) != "rgba(0, 0, 0, 0)"}
        cells = view.panel("viz_checks").locator('[data-test="body"] [data-test="row"] [data-test="cell"]:nth-child(2)')
        pale.update({cell.inner_text().strip(): cell.evaluate(ground) for cell in cells.all()})
    assert len(set(map(frozenset, colours.values()))) == 3, colours
    assert len({pale["red"], pale["amber"], pale["green"]}) == 3, pale


def test_the_worst_of_lookups_fits(draw, site):
    """A damaged lookup, an old one in another app, and macros that differ: the longest sentences."""
    engine = site([], {"flowlag_options": "lag=30"}, windows=DAMAGED, lags=None)
    engine.rest.others["data/lookup-table-files"] = [entry("flowlag_lags.csv", "search", "app")]
    view = draw(engine, viewport=NARROW)
    assert [states(view)[name] for name in ("Lag", "Learned windows", "Learned lags")] == ["amber"] * 3
    check_layout(view)


def test_a_lookup_without_a_file_is_never_read(draw, site):
    """Whether Splunk goes on without the file is not certain, so the search is made without it."""
    view = draw(site(windows=None))
    assert "inputlookup flowlag_windows" not in view.server.sent("ds_all")[-1].query
    assert "inputlookup flowlag_lags" in view.server.sent("ds_all")[-1].query
    assert states(view)["Learned windows"] == "off"


def test_without_the_right_to_read_by_rest_every_row_is_there(draw, site):
    engine = site()
    engine.rest.forbidden = {"admin/macros", "saved/searches", "data/lookup-table-files"}
    view = draw(engine)
    assert view.value("viz_verdict") == "Green"
    assert list(states(view).values()).count("not checked") == 4
    assert {row[1] for row in view.rows("viz_macros")} == {"not readable"} and len(view.rows("viz_macros")) == len(
        SITE_MACROS
    )


@pytest.mark.parametrize(("row", "macro"), [(0, "flowlag_index"), (9, "flowlag_outside(1)")])
def test_a_click_opens_the_macro(draw, site, row, macro):
    """On Splunk's page for macros, in a new tab."""
    view = draw(site(local={"flowlag_index": "index=aws"}))
    assert view.rows("viz_macros")[row][0] == macro
    view.click_cell("viz_macros", row, "Macro")
    (link,) = view.opened()
    assert link["newTab"] and link["followed"]
    assert link["url"].startswith(f"/manager/flowlag/data/macros/{macro}?action=edit&ns=flowlag&uri=")
    assert link["url"].endswith(f"%2Fdata%2Fmacros%2F{macro}")


def test_a_command_that_refuses_its_options(draw, site):
    """A sentence at the top says where Splunk's message is; the macro can be corrected; no token is shown raw."""
    view = draw(site(local={"flowlag_options": "lag=soon"}), expect_problems=True)
    assert view.panels() == ["viz_failed", "viz_checks", "viz_macros", "viz_notes"] and "ds_verdict" not in view.text()
    assert view.rows("viz_macros")[1][:2] == ["flowlag_options", "changed"]
    assert view.text("viz_failed").strip().startswith("If there is no verdict, the search has failed")


def test_the_page_is_read_in_four_searches_at_the_most(draw, site):
    """One over the events and all else, two over what splunkd has read; none in a range of its own."""
    view = draw(site())
    roots = {sent.name for sent in view.server.searches} - {"ds_checks", "ds_verdict"}
    assert roots == {"ds_files", "ds_all", "ds_macros"} or roots == {"ds_files", "ds_macros"}
    assert {(sent.earliest, sent.latest) for sent in view.server.searches} == {("-4h@m", "now")}
