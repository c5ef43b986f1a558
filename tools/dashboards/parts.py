# SPDX-License-Identifier: Apache-2.0
"""The parts of all dashboards: data sources, inputs and panels as Dashboard Studio's JSON.

Chains feed the panels: one search reads the events and the rest works on its rows, so that a click does not search the
index again. Authority for the shapes: Splunk's Dashboard Studio definition reference, read 2026-11-25.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

JsonObject = dict[str, Any]

WIDTH = 1200  # pixels of a full row; the grid stretches it to the window


def spl(text: str) -> str:
    """Return a search without the indentation and the empty lines that it has in the Python file."""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def search(name: str, text: str, **times: str) -> JsonObject:
    """Return a data source that searches events, in the time range of the input unless times are given."""
    options: JsonObject = {"query": spl(text), "enableSmartSources": True}
    if times:
        options["queryParameters"] = times
    return {"type": "ds.search", "name": name, "options": options}


def chain(name: str, parent: str, text: str) -> JsonObject:
    """Return a data source that works on the rows of another."""
    options = {"extend": parent, "query": spl(text), "enableSmartSources": True}
    return {"type": "ds.chain", "name": name, "options": options}


def text_input(title: str, token: str, default: str) -> JsonObject:
    """Return an input for a line of text."""
    return {"type": "input.text", "title": title, "options": {"token": token, "defaultValue": default}}


def dropdown(title: str, token: str, source: str) -> JsonObject:
    """Return an input to choose a value from: the fields `label` and `value` of a data source, which has a row for `*`.

    The input has no such item of its own, because an input whose data source has no rows offers nothing at all.
    """
    shaped = "> primary | seriesByName('{0}') | renameSeries('{0}') | formatByType(formattedConfig)"
    return {
        "type": "input.dropdown",
        "title": title,
        "dataSources": {"primary": source},
        "options": {"token": token, "defaultValue": "*", "items": "> frame(label, value) | objects()"},
        "context": {
            "formattedConfig": {"number": {"prefix": ""}},
            "label": shaped.format("label"),
            "value": shaped.format("value"),
        },
    }


def time_input(default: str) -> JsonObject:
    """Return the input for the time range; the default is `earliest,latest`."""
    options = {"token": "time", "defaultValue": default}
    return {"type": "input.timerange", "title": "Time range", "options": options}


#: A search without a time range of its own has that of the input.
TIME_RANGE: JsonObject = {
    "ds.search": {"options": {"queryParameters": {"earliest": "$time.earliest$", "latest": "$time.latest$"}}}
}
#: SPL for the next step where a sentence says that data are missing.
TO_CHECK = '" The dashboard [Check](/app/flowlag/check) says what is missing."'
FLOWS_INPUT = text_input("Flow logs", "flows", "`flowlag_index`")


def markdown(text: str) -> JsonObject:
    """Return a panel with text; Splunk fills in the tokens."""
    return {"type": "splunk.markdown", "options": {"markdown": text}}


def text_of(source: str, field: str, **options: str) -> JsonObject:
    """Return a panel with the Markdown that a field of the first row of a data source has.

    The panel is a view of the data source, too: without it, Splunk would show the bare token until there is a row.
    """
    return hidden_without_rows(
        {
            "type": "splunk.markdown",
            "dataSources": {"primary": source},
            "options": {"markdown": f"${source}:result.{field}$", **options},
        }
    )


def sentence(source: str) -> JsonObject:
    """Return the panel that answers in a sentence: the field `sentence` of the first row of a data source."""
    return text_of(source, "sentence", fontSize="extraLarge")


def hidden_without_rows(panel: JsonObject) -> JsonObject:
    """Return a panel that is there only if its data source has rows."""
    return {**panel, "containerOptions": {"visibility": {"hideWhenNoData": True}}}


def image(file: str) -> JsonObject:
    """Return a panel with a picture from appserver/static."""
    return {"type": "splunk.image", "options": {"src": f"/static/app/flowlag/{file}", "preserveAspectRatio": True}}


def table(
    title: str, source: str, widths: dict[str, int], coloured: Optional[str] = None, count: int = 20
) -> JsonObject:
    """Return a table of a data source's rows, with the widths of its columns in pixels and `count` rows on a page.

    A panel cannot grow with its rows: a page that is higher than its panel scrolls within it.

    Columns that begin with an underscore are hidden; clicks use them. Cells of the column `coloured` get the colours of
    the panel's context `pale`.
    """
    formats: JsonObject = {name: {"width": width} for name, width in widths.items()}
    if coloured:
        formats[coloured]["rowBackgroundColors"] = f"> table | seriesByName('{coloured}') | matchValue(pale)"
    return {
        "type": "splunk.table",
        "title": title,
        "dataSources": {"primary": source},
        "options": {"count": count, "showInternalFields": False, "columnFormat": formats},
    }


def set_tokens(**keys: str) -> JsonObject:
    """Return what a click does: each token takes a value of the clicked row (`row.<field>.value`)."""
    tokens = [{"token": token, "key": key} for token, key in keys.items()]
    return {"type": "drilldown.setToken", "options": {"tokens": tokens}}


def block(item: str, x: int, y: int, width: int, height: int) -> JsonObject:
    """Return the place of a panel, in pixels."""
    return {"item": item, "type": "block", "position": {"x": x, "y": y, "w": width, "h": height}}


def timeline(source: str, title: str, colours: Mapping[str, str], *, chosen: str, label_width: int) -> JsonObject:
    """Bars and circles in lanes, coloured by category; a click on a lane puts its name into the token `chosen`.

    A click on a lane's name tells its label in `value`. A click on a bar tells a duration there, and the label in a key
    of its own: the later of the two counts. The name is the easier target, because Splunk draws the timeline anew when
    the mouse comes onto a bar, and a bar takes no click before the mouse has moved on it.
    """
    tokens = [{"token": chosen, "key": "value"}, {"token": chosen, "key": "row.lane.value"}]
    return hidden_without_rows(
        {
            "type": "splunk.timeline",
            "title": title,
            "dataSources": {"primary": source},
            "options": {
                "x": "> primary | seriesByName('_time')",
                "y": "> primary | seriesByName('lane')",
                "duration": "> primary | seriesByName('duration_ms')",
                "category": "> primary | seriesByName('category')",
                "dataColors": "> primary | seriesByName('category') | matchValue(colours)",
                "additionalTooltipFields": ["detail"],
                "yAxisLabelWidth": label_width,
            },
            "context": {"colours": [{"match": name, "value": value} for name, value in colours.items()]},
            "eventHandlers": [{"type": "drilldown.setToken", "options": {"tokens": tokens}}],
        }
    )
