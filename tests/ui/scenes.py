# SPDX-License-Identifier: Apache-2.0
"""The made events on which the dashboards are tried, as search engines: one night with its truth, and odd cases."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Optional

from tests.spl.engine import Engine
from tests.support.conf import read_conf
from tests.support.events import flow_event, read_events, read_flows

from .see import ROOT

FOLDER = ROOT / "samples" / "night"
#: A quarter of an hour after the last record was indexed; the dashboards look at the hour before.
NOW = 1_773_458_100.0

Event = dict[str, Any]


def flows() -> list[Event]:
    """The flow records of the night."""
    return read_flows(FOLDER / "flows.csv")


def logins() -> list[Event]:
    """Its logins."""
    return read_events(FOLDER / "logins.csv")


def flow(start: int, end: int, source: str = "198.51.100.7:40000", target: str = "10.0.0.22:22", **more: str) -> Event:
    """One made record with two packets, indexed a minute after its end."""
    (src_ip, src_port), (dest_ip, dest_port) = source.rsplit(":", 1), target.rsplit(":", 1)
    raw = f"2 123456789012 eni-1 {src_ip} {dest_ip} {src_port} {dest_port} 6 2 152 {start} {end} ACCEPT OK"
    return {**flow_event(raw, str(end + 60), 0), **more}


def login(time: float, source: str = "198.51.100.7:40000") -> Event:
    """One made login of alice."""
    src, src_port = source.rsplit(":", 1)
    return {
        "_time": str(time),
        "_raw": f"sshd[1]: Accepted publickey for alice from {src} port {src_port} ssh2",
        **{"sourcetype": "linux_secure", "host": "10.0.0.22", "app": "sshd", "action": "success", "user": "alice"},
        **{"src": src, "src_port": src_port, "dest": "10.0.0.22"},
    }


def engine(app: Path, events: Iterable[Event], now: float = NOW, local: Optional[dict[str, str]] = None) -> Engine:
    """A search head that has these events."""
    return Engine(list(events), app, sys.executable, read_conf("default/macros.conf", app), now, local)
