# SPDX-License-Identifier: Apache-2.0
"""Owns the look at an instance before the first test: the token, the app, the index and HEC. Nothing is installed or made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import flowlag
from tests.live.client import Splunk
from tests.live.settings import APP, Refusal


def make_ready(splunk: Splunk) -> str:
    """Return the token to send events with; a Refusal says what the instance lacks."""
    splunk.entry("/services/authentication/current-context")  # a wrong token ends here
    check_app(splunk)
    check_index(splunk)
    return splunk.settings.hec_token or find_hec_token(splunk)


def check_app(splunk: Splunk) -> None:
    """The app has to be there, on, and of this repository's version: another one would be tested by the wrong rules."""
    content = splunk.entry(f"/services/apps/local/{APP}")
    place = f"on the search head {splunk.settings.url}"
    if content is None:
        raise Refusal(
            f"the app {APP} is not installed {place}: run `make package`, install dist/{APP}-{flowlag.__version__}.tar.gz "
            "there and restart it."
        )
    if is_on(content.get("disabled")):
        raise Refusal(f"the app {APP} is disabled {place}: enable it under Apps > Manage Apps.")
    if content.get("version") != flowlag.__version__:
        raise Refusal(
            f"the app {APP} {place} is version {content.get('version')}, and this repository is {flowlag.__version__}: "
            "install the package of this repository, or run the suite of that version."
        )


def check_index(splunk: Splunk) -> None:
    """The index has to be on the search head itself or on one of its peers."""
    index = splunk.settings.index
    if splunk.entry(f"/services/data/indexes/{quote(index)}") is None:
        rows = splunk.oneshot(f"| eventcount summarize=false index={index} | fields index server").rows
        if not rows:
            raise Refusal(
                f"there is no index {index} on {splunk.settings.url} or its peers: make one for tests under Settings > "
                "Indexes, or name another with SPLUNK_INDEX."
            )


def find_hec_token(splunk: Splunk) -> str:
    """Return an enabled token of splunkd's own HEC that may write to the index."""
    tokens = splunk.entries("/servicesNS/-/-/data/inputs/http")
    for content in tokens.values():
        if content.get("token") and not is_on(content.get("disabled")) and may_write(content, splunk.settings.index):
            return str(content["token"])
    raise Refusal(
        f"SPLUNK_HEC_TOKEN is not set, and {splunk.settings.url} has no enabled HEC token for the index "
        f"{splunk.settings.index}: make one under Settings > Data inputs > HTTP Event Collector, and give it (and "
        "SPLUNK_HEC_URL, if HEC is on an indexer)."
    )


def may_write(content: Mapping[str, Any], index: str) -> bool:
    """Whether a HEC token may write to an index: it is in the token's list, or the token has no list."""
    allowed: Iterable[str] = content.get("indexes") or []
    names = allowed.split(",") if isinstance(allowed, str) else allowed
    listed = [name.strip() for name in names if name.strip()]
    return not listed or index in listed


def is_on(value: Any) -> bool:
    """A switch as splunkd writes it in JSON: a boolean, a number or a text."""
    return str(value).lower() in ("1", "true")
