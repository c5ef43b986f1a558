# SPDX-License-Identifier: Apache-2.0
"""What the renderer's own validator does not see in a Dashboard Studio view: a list of sentences, empty when all is well.

The validator checks types of visualisations, enums and the layout. It says nothing of options that do not exist, of
searches without a query, of tokens that nobody sets, or of macros and pictures that are not there; these show only as
an empty panel on somebody's screen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Optional
from xml.etree import ElementTree

JsonObject = dict[str, Any]

TOP_KEYS = {"title", "description", "inputs", "dataSources", "visualizations", "defaults", "expressions", "layout"}
SEARCH_OPTIONS = {"query", "queryParameters", "enableSmartSources", "refresh", "refreshType"}
CHAIN_OPTIONS = {"extend", "query", "enableSmartSources"}
PANEL_KEYS = {
    "type", "title", "description", "dataSources", "options", "context", "containerOptions", "eventHandlers",
}  # fmt: skip
TOKEN = re.compile(r"\$([\w. ]+?(?::result\.\w+)?)(?:\|\w)?\$")
#: What a click knows of the row that was clicked.
CLICKED = {"row"}
MACRO = re.compile(r"`(\w+)(?:\(([^`]*)\))?`")


def read_view(text: str) -> JsonObject:
    """Return the definition in a view's XML; a label and a version are there, or it is an AssertionError."""
    root = ElementTree.fromstring(text)
    assert root.tag == "dashboard" and root.get("version") == "2" and root.get("theme") in ("light", "dark")
    assert root.findtext("label") and root.findtext("description")
    definition = json.loads(root.findtext("definition") or "")
    assert isinstance(definition, dict)
    return definition


def lint(
    view: JsonObject, macros: Iterable[str], pictures: Iterable[str], schemas: Optional[Mapping[str, Any]] = None
) -> list[str]:
    """Return what is wrong with a view.

    macros: the stanzas of macros.conf; pictures: the file names of appserver/static; schemas: the options that each type
    has in the renderer (`{"visualizations": {type: {"options": ...}}, ...}`), None where the renderer is not at hand.
    """
    return [
        *lint_keys(view),
        *lint_sources(view),
        *lint_tokens(view),
        *lint_macros(view, set(macros)),
        *lint_layout(view),
        *lint_pictures(view, set(pictures)),
        *(lint_options(view, schemas) if schemas else ()),
    ]


def lint_keys(view: JsonObject) -> Iterator[str]:
    """Yield keys that Splunk does not know, at the top and in panels."""
    for key in sorted(set(view) - TOP_KEYS):
        yield f"{key}: not a key of a definition"
    for name, panel in view["visualizations"].items():
        for key in sorted(set(panel) - PANEL_KEYS):
            yield f"{name}: {key} is not a key of a visualisation"


def lint_sources(view: JsonObject) -> Iterator[str]:
    """Yield searches without a query, options that they do not have, and sources that are missing or unused."""
    sources = view["dataSources"]
    used = {parent for source in sources.values() if (parent := source["options"].get("extend"))}
    for name, source in sources.items():
        options = source["options"]
        known = {"ds.search": SEARCH_OPTIONS, "ds.chain": CHAIN_OPTIONS}.get(source["type"])
        if known is None:
            yield f"{name}: {source['type']} is not a type of data source"
            continue
        for key in sorted(set(options) - known):
            yield f"{name}: {key} is not an option of {source['type']}"
        if not options.get("query", "").strip():
            yield f"{name}: no query"
        if source["type"] == "ds.chain" and options.get("extend") not in sources:
            yield f"{name}: goes on with {options.get('extend')}, which is not there"
    for owner, item in [*view["visualizations"].items(), *view["inputs"].items()]:
        for source in item.get("dataSources", {}).values():
            used.add(source)
            if source not in sources:
                yield f"{owner}: shows {source}, which is not there"
    named = {source.get("name", key): key for key, source in sources.items()}
    used |= {named.get(token.partition(":")[0], token) for token in tokens_read(view) if ":result." in token}
    for name in sorted(set(sources) - used):
        yield f"{name}: no panel shows it"


def strings(value: Any) -> Iterator[str]:
    """Yield every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def tokens_read(view: JsonObject) -> set[str]:
    """Return the tokens in searches, titles and options; of `$time.earliest$` its first part."""
    found = {token for text in strings(view) for token in TOKEN.findall(text)}
    return {token if ":result." in token else token.partition(".")[0] for token in found}


def tokens_set(view: JsonObject) -> set[str]:
    """Return the tokens that inputs, clicks and defaults set."""
    by_inputs = {item["options"]["token"] for item in view["inputs"].values()}
    by_default = set(view.get("defaults", {}).get("tokens", {}).get("default", {}))
    handlers = [handler for panel in view["visualizations"].values() for handler in panel.get("eventHandlers", ())]
    by_clicks = {entry["token"] for handler in handlers for entry in handler["options"].get("tokens", ())}
    return by_inputs | by_default | by_clicks


def tokens_at_start(view: JsonObject) -> set[str]:
    """Return the tokens that have a value before anybody clicks."""
    with_default = {i["options"]["token"] for i in view["inputs"].values() if i["options"].get("defaultValue")}
    return with_default | set(view.get("defaults", {}).get("tokens", {}).get("default", {}))


def lint_tokens(view: JsonObject) -> Iterator[str]:
    """Yield tokens that nobody sets, that have no value at the start, or that nobody reads."""
    names = {source.get("name", key) for key, source in view["dataSources"].items()}
    for token in sorted(tokens_read(view)):
        if ":result." in token:
            if token.partition(":")[0] not in names:
                yield f"${token}$: there is no data source of that name"
        elif token not in tokens_set(view) | CLICKED:
            yield f"${token}$: nobody sets it"
        elif token not in tokens_at_start(view) | CLICKED:
            yield f"${token}$: has no value before the first click, so that searches wait for it"
    for token in sorted(tokens_set(view) - tokens_read(view)):
        yield f"${token}$: is set, and nobody reads it"


def lint_macros(view: JsonObject, macros: set[str]) -> Iterator[str]:
    """Yield macros that macros.conf does not have."""
    for text in strings(view["dataSources"]):
        for name, arguments in MACRO.findall(text):
            macro = f"{name}({arguments.count(',') + 1})" if arguments else name
            if macro not in macros:
                yield f"`{macro}`: not in macros.conf"


def lint_layout(view: JsonObject) -> Iterator[str]:
    """Yield panels and inputs that are not placed, and panels that overlap or leave the row."""
    layout = view["layout"]
    places = {item["item"]: item["position"] for item in layout["structure"]}
    for name in sorted(set(view["visualizations"]) ^ set(places)):
        yield f"{name}: in the layout or among the visualisations, not in both"
    for name in sorted(set(view["inputs"]) ^ set(layout["globalInputs"])):
        yield f"{name}: among the inputs or in globalInputs, not in both"
    boxes = [(name, p["x"], p["y"], p["x"] + p["w"], p["y"] + p["h"]) for name, p in places.items()]
    for i, (name, left, top, right, bottom) in enumerate(boxes):
        if right > 1200:
            yield f"{name}: reaches beyond the row of 1200"
        for other, left_2, top_2, right_2, bottom_2 in boxes[:i]:
            if left < right_2 and left_2 < right and top < bottom_2 and top_2 < bottom:
                yield f"{name}: overlaps {other}"


def lint_pictures(view: JsonObject, pictures: set[str]) -> Iterator[str]:
    """Yield pictures that the app does not have, or that come from elsewhere."""
    for name, panel in view["visualizations"].items():
        if panel["type"] == "splunk.image":
            folder, _, file = panel["options"]["src"].rpartition("/")
            if folder != "/static/app/flowlag" or file not in pictures:
                yield f"{name}: {panel['options']['src']} is not in appserver/static"


def lint_options(view: JsonObject, schemas: Mapping[str, Any]) -> Iterator[str]:
    """Yield options that the renderer does not have for a type of visualisation or input, and unknown handlers."""
    for kind in ("visualizations", "inputs"):
        for name, item in view[kind].items():
            known = schemas[kind].get(item["type"])
            if known is None:
                yield f"{name}: {item['type']} is not a type that the renderer draws"
                continue
            for option in sorted(set(item.get("options", {})) - set(known["options"])):
                yield f"{name}: {option} is not an option of {item['type']}"
    for name, panel in view["visualizations"].items():
        for handler in panel.get("eventHandlers", ()):
            known = schemas["eventHandlers"].get(handler["type"])
            if known is None:
                yield f"{name}: {handler['type']} is not a kind of event handler"
                continue
            for option in sorted(set(handler["options"]) - set(known["options"])):
                yield f"{name}: {option} is not an option of {handler['type']}"
