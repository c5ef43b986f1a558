# SPDX-License-Identifier: Apache-2.0
"""The made events on which the dashboards are tried, as search engines: one night with its truth, and odd cases."""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Optional

from flowlag.learn.estimate import estimate, write_density
from flowlag.learn.quantiles import judge
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


def lags() -> list[Event]:
    """What was learned of four interfaces: a steady lag, a short one, a lag that has changed, and too few anchors."""
    rng, learned = random.Random(3), []
    kinds = ((1, 240, 20, 26), (2, 120, 0, 4), (3, 200, 5, 9), (4, 12, 0, 60))
    for number, count, least, most in kinds:
        drawn = [round(rng.uniform(least, most) + (30 if number == 3 and i > 180 else 0), 3) for i in range(count)]
        scores = [int((lag - rng.uniform(0, 8)) * 1e6) for lag in drawn]
        found = judge(scores, 60_000_000)
        quantiles = [("" if value is None else str(value / 1e6)) for value in found[:4]]
        density = write_density(estimate([(score, score + 9_000_000) for score in scores], [1 / 81] * 81))
        names = ("interface_id", "anchors", "lag_p50", "lag_95", "lag_99", "lag_999", "density", "learned_from")
        values = (f"eni-0a1b2c3d4e5f6000{number}", str(count), *quantiles, density, str(int(NOW) - 86_400))
        rest = {"learned_to": str(int(NOW) - 600), "misses": str(found.misses), "state": found.state}
        learned.append({**dict(zip(names, values)), **rest})
    return learned


def store_lags(app: Path, rows: Sequence[Event]) -> None:
    """Put rows where `outputlookup flowlag_lags` puts them."""
    store(app, "flowlag_lags.csv", rows)


def engine(app: Path, events: Iterable[Event], now: float = NOW, local: Optional[dict[str, str]] = None) -> Engine:
    """A search head that has these events, and has learned lags."""
    store_lags(app, lags())
    return Engine(list(events), app, sys.executable, read_conf("default/macros.conf", app), now, local)


# -- the view Check


def on_server(events: Iterable[Event], server: str) -> list[Event]:
    """The events as they come from another indexer."""
    return [{**event, "splunk_server": server} for event in events]


def windows(newest: float = NOW - 1500) -> list[Event]:
    """What was learned of how an interface stamps."""
    names = ("interface_id", "timing_mode", "interval", "phase", "first_start", "last_end")
    return [dict(zip(names, ("eni-1", "grid", "60", "12", str(int(newest) - 3600), str(int(newest)))))]


def store_lookups(app: Path, **files: Optional[Sequence[Event]]) -> None:
    """Put rows where `outputlookup` puts them; a lookup that is not named, or None, has no file."""
    for name in ("windows", "lags"):
        (app / "lookups" / f"flowlag_{name}.csv").unlink(missing_ok=True)
    for name, rows in files.items():
        if rows is not None:
            store(app, f"flowlag_{name}.csv", rows)


def store(app: Path, file_name: str, rows: Sequence[Event]) -> None:
    """Write one lookup of the app."""
    (app / "lookups").mkdir(exist_ok=True)
    with (app / "lookups" / file_name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
