# SPDX-License-Identifier: Apache-2.0
"""The dashboard Check: whether the app is set up, what is wrong, and what to do about it.

check_searches.py has its searches, check_rows.py the rows of its first table. The list of macros is a search of its
own, so that a macro with an option that a command refuses can be corrected there.
"""

from __future__ import annotations

from tools.dashboards.check_rows import MOST
from tools.dashboards.check_searches import BASE, CHECKS, FILES, MACRO_ROWS, ROWS, VERDICT
from tools.dashboards.envelope import ORANGE, SEA_GREEN
from tools.dashboards.parts import (
    TIME_RANGE,
    WIDTH,
    JsonObject,
    block,
    chain,
    markdown,
    search,
    sentence,
    table,
    time_input,
)

SOURCES: JsonObject = {
    # The tokens of a search's result bear the search's name.
    "ds_files": search("ds_files", FILES),
    "ds_all": search("Everything that is checked", BASE),
    "ds_verdict": chain("ds_verdict", "ds_all", ROWS + VERDICT),
    "ds_checks": chain("Checks", "ds_all", ROWS + CHECKS),
    "ds_macros": search("Macros of the site", MACRO_ROWS),
}

#: The page of Splunk Web on which a macro is edited.
EDIT = (
    "/manager/flowlag/data/macros/{0}?action=edit&ns=flowlag&uri=%2FservicesNS%2Fnobody%2Fflowlag%2Fdata%2Fmacros%2F{0}"
)
GREEN, RED = "#00795a", "#b3261e"
#: Ground and ink of the verdict; and the pale ground of words in tables, readable in both themes.
VERDICTS = {"Red": (RED, "#ffffff"), "Amber": (ORANGE, "#000000"), "Green": (GREEN, "#ffffff")}
PALE = {"red": "#e0403588", "amber": f"{ORANGE}77", "green": f"{SEA_GREEN}66"}
HIDDEN_WITHOUT_DATA: JsonObject = {"visibility": {"hideWhenNoData": True}}


def stretched(title: str, source: str, widths: dict[str, int], narrow: str) -> JsonObject:
    """A table as wide as its panel, whose cells break between words instead of being cut.

    The renderer stretches the columns of a table, in proportion to their widths, only if one of them has none: `narrow`
    counts as about 90 then.
    """
    panel = table(title, source, widths)
    formats = panel["options"]["columnFormat"]
    for name in (*widths, narrow):
        formats.setdefault(name, {}).update(textOverflow="break-word", align="left")
    return panel


CHECKS_TABLE = stretched(
    "Is it set up?", "ds_checks", {"Check": 120, "What was found": 385, "What to do": 385}, "State"
)
CHECKS_TABLE["options"]["columnFormat"]["State"]["rowBackgroundColors"] = (
    "> table | seriesByName('State') | matchValue(pale)"
)

PANELS: JsonObject = {
    "viz_verdict": {
        "type": "splunk.singlevalue",
        "dataSources": {"primary": "ds_verdict"},
        "options": {
            "majorValue": "> primary | seriesByName('Verdict') | lastPoint()",
            "backgroundColor": "> majorValue | matchValue(grounds)",
            "majorColor": "> majorValue | matchValue(inks)",
            "majorFontSize": 32,
            "trendDisplay": "off",
            "sparklineDisplay": "off",
        },
        "context": {
            "grounds": [{"match": word, "value": ground} for word, (ground, _) in VERDICTS.items()],
            "inks": [{"match": word, "value": ink} for word, (_, ink) in VERDICTS.items()],
        },
        "containerOptions": HIDDEN_WITHOUT_DATA,
    },
    "viz_sentence": {
        **sentence("ds_verdict"),
        "dataSources": {"primary": "ds_verdict"},
        "containerOptions": HIDDEN_WITHOUT_DATA,
    },
    "viz_failed": {
        "type": "splunk.markdown",
        "options": {
            "markdown": "If there is no verdict, the search has failed: the mark in the corner of the first table has "
            "Splunk's message. Correct the macro that it names in the second table.",
            "fontSize": "small",
        },
    },
    "viz_checks": {
        **CHECKS_TABLE,
        "context": {"pale": [{"match": word, "value": value} for word, value in PALE.items()]},
    },
    "viz_macros": {
        **stretched(
            "Macros that name your site's data (click one to edit it)",
            "ds_macros",
            {"Macro": 190, "Needed for": 230, "Definition": 460},
            "State",
        ),
        "eventHandlers": [
            {"type": "drilldown.customUrl", "options": {"url": EDIT.format("$row.Macro.value$"), "newTab": True}}
        ],
    },
    "viz_notes": markdown(
        "This page reads and changes nothing. **red** keeps the views and rules from an answer, **amber** makes them "
        "worse, **off** is optional and not in use. The flow events are counted without the app's commands first, so "
        f"that a command that fails shows; then the newest {MOST:,} are examined. Searches that write what was learned "
        "have to run in the app flowlag: `outputlookup` writes a new file into the app in which the search runs, and "
        "the commands read the file of their own app only. What each row means is in docs/dashboards.md."
    ),
}

CHECK: JsonObject = {
    "title": "Check",
    "description": "Whether the app is set up, what is wrong, and what to do about it.",
    "inputs": {"input_time": time_input("-4h@m,now")},
    "dataSources": SOURCES,
    "visualizations": PANELS,
    "defaults": {"dataSources": TIME_RANGE},
    "layout": {
        "type": "grid",
        "globalInputs": ["input_time"],
        "structure": [
            block("viz_verdict", 0, 0, 180, 110),
            block("viz_sentence", 180, 0, WIDTH - 180, 110),
            block("viz_failed", 0, 110, WIDTH, 40),
            block("viz_checks", 0, 150, WIDTH, 880),
            block("viz_macros", 0, 1030, WIDTH, 1000),
            block("viz_notes", 0, 2030, WIDTH, 130),
        ],
    },
}
