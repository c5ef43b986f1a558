# SPDX-License-Identifier: Apache-2.0
"""Sites for the view Check, for the tests of its searches and of its drawing: one where all is well, and what differs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any, Callable

from tests.spl.engine import Engine
from tests.support.conf import MACROS
from tests.ui.scenes import NOW, flow, lags, login, store_lookups, windows

T = int(NOW) - 1200
FLOWS = [flow(T + i, T + i + 20) for i in range(5)]
LOGINS = [login(T + 2)]


def without(event: dict[str, str], *names: str) -> dict[str, str]:
    """The event without fields."""
    return {name: value for name, value in event.items() if name not in names}


STAMPS = ("start_time", "end_time", "log_status")
ENDS = ("src_ip", "dest_ip", "src_port", "dest_port", "interface_id", "action")
#: A layout that nobody knows, with the columns in an order of its own.
CUSTOM = [
    {**without(event, *STAMPS, *ENDS), "_raw": f"OK {event['end_time']} {event['start_time']} use1-az1 vpc-1 eni-1"}
    for event in FLOWS
] * 10
NODATA = [
    {**without(event, *ENDS), "log_status": "NODATA", "_raw": f"2 1 eni-1 - - - - - - - {T} {T + 59} - NODATA"}
    for event in FLOWS
]
IPV6 = [{**flow(T, T + 20), "src_ip": "2001:db8::7", "dest_ip": "2001:db8::22"}]
#: Learned windows, the first of which cannot be read.
DAMAGED = [{**windows()[0], "last_end": "yesterday"}, *windows()]


def copy_app(app: Path, folder: Path) -> Path:
    """A copy of the packaged app, whose lookups a scene may change."""
    return Path(shutil.copytree(app, folder / "flowlag"))


def sites_of(own_app: Path) -> Callable[..., Engine]:
    """make(events, local=None, **lookups): a search head on which all is well but for what is given."""

    def make(events: Any = (*FLOWS, *LOGINS), local: Any = None, exchange: Any = None, **lookups: Any) -> Engine:
        store_lookups(own_app, **{"windows": windows(), "lags": lags(), **lookups})
        return Engine(list(events), own_app, sys.executable, MACROS, NOW, local, exchange=exchange)

    return make
