# SPDX-License-Identifier: Apache-2.0
"""Owns the command rest in the tests: what splunkd has read of the app's files, as rows.

Authority: Splunk's Search Reference (rest: strict, splunk_server) and REST API Reference Manual (`search`, a text that any
field contains). What a path shows, and that an endpoint which is refused (HTTP 403) gives no row and ends no search, was
measured by others on Splunk 9.4.6. Without splunk_server=local the indexers answer too, which is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from tests.spl.commands import only
from tests.spl.table import Table, from_text
from tests.spl.values import SplError
from tests.spl.words import Macros, take_options, truth_of, words_of
from tests.support.conf import read_conf

Entry = dict[str, str]
PATH = re.compile(r"/servicesNS/([\w-]+)/([\w-]+)/([\w/-]+)")
APP = "flowlag"
ACL = ("eai:acl.app", "eai:acl.owner", "eai:acl.sharing")


def entry(title: str, app: str = APP, sharing: str = "global", **content: str) -> Entry:
    """Return what splunkd says of one object: global, of an app, or a user's own (`user`)."""
    owner = "admin" if sharing == "user" else "nobody"
    return {"title": title, **content, **dict(zip(ACL, (app, owner, sharing)))}


class Rest:
    """The endpoints of a search head; tests add entries of other apps, or refuse an endpoint."""

    def __init__(self, app: Path, macros: Macros) -> None:
        self.app, self.macros = app, macros
        #: Endpoint -> entries beside those of the app.
        self.others: dict[str, list[Entry]] = {}
        #: Endpoints that the user may not read.
        self.forbidden: set[str] = set()

    def entries(self, endpoint: str) -> list[Entry]:
        """Return every entry of an endpoint, in any app."""
        makers = {
            "admin/macros": self._macros,
            "saved/searches": self._searches,
            "data/lookup-table-files": self._lookup_files,
        }
        if endpoint not in makers:
            raise SplError(f"unknown endpoint {endpoint!r}")
        return [*makers[endpoint](), *self.others.get(endpoint, ())]

    def _macros(self) -> list[Entry]:
        local: Mapping[str, str] = self.macros.local
        definitions = {name: keys.get("definition", "") for name, keys in self.macros.stanzas.items()}
        return [entry(name, definition=text) for name, text in {**definitions, **local}.items()]

    def _searches(self) -> list[Entry]:
        found = read_conf("default/savedsearches.conf", self.app)
        keys = {"disabled": "disabled", "is_scheduled": "enableSched"}
        return [
            entry(name, search=stanza["search"], **{key: stanza.get(own, "0") for key, own in keys.items()})
            for name, stanza in found.items()
        ]

    def _lookup_files(self) -> list[Entry]:
        """The app's own, and one that every Splunk has."""
        paths = sorted((self.app / "lookups").glob("*.csv"))
        own = [entry(path.name, sharing="app", **{"eai:data": str(path)}) for path in paths]
        return [entry("geo_attr_us_states.csv", "search"), *own]


def rest(source: Rest, text: str) -> tuple[Table, list[tuple[str, str]]]:
    """Return the rows of an endpoint and the message of a refused one."""
    options, words = take_options(words_of(text), "splunk_server search count strict")
    path = PATH.fullmatch(only(words, 1, "rest")[0])
    if path is None or options.get("splunk_server") != "local":
        raise SplError(f"rest {text}: a path below /servicesNS/ and splunk_server=local are needed")
    owner, app, endpoint = path.groups()
    if owner not in ("-", "nobody") or truth_of(options, "strict", False) or options.get("count", "0") != "0":
        raise SplError(f"rest {text}: only the users - and nobody, strict=false and count=0 are known")
    if endpoint in source.forbidden:
        return Table.of([]), [("WARN", f"The REST request on the endpoint URI {path[0]} returned code=403, Forbidden.")]
    found = [row for row in source.entries(endpoint) if is_visible(row, owner, app)]
    wanted = options.get("search", "")
    if re.search(r'[=\s*"]', wanted):
        raise SplError(f"rest search={wanted!r}: only a plain text is known")
    kept = [row for row in found if any(wanted in value for value in row.values())]
    return Table.of(from_text({**row, "splunk_server": "local"}) for row in kept), []


def is_visible(row: Entry, owner: str, app: str) -> bool:
    """`-` is any. `nobody` sees no user's own objects, but those that other apps export."""
    place, _, sharing = (row[key] for key in ACL)
    if owner == "nobody":
        return sharing != "user" and (app == "-" or place == app or sharing == "global")
    return app in ("-", place)
