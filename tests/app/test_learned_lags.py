# SPDX-License-Identifier: Apache-2.0
"""Owns a day at two interfaces for each source of exact times: what is learned of it is the truth, and holds the next day.

The events are in their source's own words: AWS Network Firewall, "Contents of a firewall log" (Suricata's netflow); Zeek,
conn.log; Elastic Load Balancing, "Connection logs for your Application Load Balancer"; OpenSSH, sshd.c (LogLevel VERBOSE).
"""

import json
import random
import shutil
from datetime import datetime, timezone
from math import ceil

import pytest

from tests.spl.engine import Engine
from tests.support.conf import MACROS
from tests.support.saved_searches import LAGS, REPORTS

DAY = 86_400
BEGIN = 1_764_460_800  # midnight
CLIENT, SERVERS = "2001:db8::9", {"eni-a": "2001:db8:1::10", "eni-b": "2001:db8:1::20"}
#: Interface -> its lags: always about the same; early or late.
TRUE_LAGS = {"eni-a": lambda rng: 24 + rng.random(), "eni-b": lambda rng: rng.choice([2, 2, 2, 50]) + 3 * rng.random()}


def iso(time, end="Z"):
    return datetime.fromtimestamp(time, timezone.utc).strftime(f"%Y-%m-%dT%H:%M:%S.%f{end}")


def indexed(time, document, sourcetype):
    """An event of JSON with its fields, as Splunk extracts them."""

    def flatten(part, before=""):
        for name, value in part.items():
            if isinstance(value, dict):
                yield from flatten(value, f"{before}{name}.")
            else:
                yield before + name, str(value)

    return {"_time": f"{time:.6f}", "_raw": json.dumps(document), "sourcetype": sourcetype, **dict(flatten(document))}


def firewall(time, port, server):
    """Both directions, written when the connection has ended, and an alert of the same flow."""

    def event(kind, src, src_port, dest, dest_port, **more):
        head = {"timestamp": iso(time + 80, "+0000"), "flow_id": 1770453319291727, "event_type": kind, "proto": "TCP"}
        ends = {"src_ip": src, "src_port": src_port, "dest_ip": dest, "dest_port": dest_port}
        document = {"firewall_name": "f", "event_timestamp": str(int(time + 80)), "event": {**head, **ends, **more}}
        return indexed(time + 80, document, "aws:firewall")

    there, back = (CLIENT, port, server, 22), (server, 22, CLIENT, port)
    first = {"pkts": 9, "start": iso(time, "+0000"), "end": iso(time + 20, "+0000")}
    return [
        event("netflow", *there, netflow=first),
        event("netflow", *back, netflow={**first, "start": iso(time + 0.001, "+0000")}),
        event("alert", *there, alert={"signature": "x"}),
    ]


def zeek(time, port, server):
    ends = {"id.orig_h": CLIENT, "id.orig_p": port, "id.resp_h": server, "id.resp_p": 22}
    document = {"ts": round(time, 6), "uid": "C1", **ends, "proto": "tcp", "conn_state": "SF", "orig_pkts": 9}
    return [indexed(time, document, "zeek:conn:json")]


def load_balancer(time, port, server):
    """A connection log, and the access log of a request."""
    tls = 'TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256 4.036 "-" - - "-" - TID_3180a73013c8ca4bac2f731159d4b0fe'
    request = (
        f"https {iso(time + 3)} app/lb/50dc6c495c0c9188 [{CLIENT}]:{port} [{server}]:80 0.0 0.0 0.0 200 200 34 366"
    )
    lines = (f"{iso(time)} {CLIENT} {port} 22 {tls}", request)
    return [{"_time": f"{time:.6f}", "_raw": line, "sourcetype": "aws:elb"} for line in lines]


def sshd(time, port, server):
    """What LogLevel VERBOSE adds, and the login three seconds later."""
    lines = {
        time: f'sshd[812]: Connection from {CLIENT} port {port} on {server} port 22 rdomain ""',
        time + 3: f"sshd[812]: Accepted publickey for root from {CLIENT} port {port} ssh2",
    }
    return [
        {"_time": f"{at:.6f}", "_raw": f"{iso(at)} host {line}", "sourcetype": "linux_secure"}
        for at, line in lines.items()
    ]


FIVE = MACROS["flowlag_learn_options"]["definition"]
#: Source -> macros of a site that has it.
SITES = {
    sshd: {},
    firewall: {"flowlag_anchors": 'sourcetype="aws:firewall" netflow', "flowlag_anchor_fields": "`flowlag_anchor_firewall`"},
    zeek: {"flowlag_anchors": 'sourcetype="zeek:conn:json"', "flowlag_anchor_fields": "`flowlag_anchor_zeek`"},
    load_balancer: {
        "flowlag_anchors": 'sourcetype="aws:elb"', "flowlag_anchor_fields": "`flowlag_anchor_alb`",
        "flowlag_learn_options": FIVE.replace("dest_ip=anchor_dest,", ""),
    },
}  # fmt: skip


def record(interface, port, server, start, flags, packets):
    ends = {"src_ip": CLIENT, "src_port": str(port), "dest_ip": server, "dest_port": "22", "protocol": "6"}
    raw = f"3 1 {interface} {CLIENT} {server} {port} 22 6 {packets} 900 {start} {start + 30} ACCEPT OK {flags}"
    return {
        "sourcetype": "aws:cloudwatchlogs:vpcflow", "_raw": raw, "_time": str(start), "interface_id": interface, **ends,
        "start_time": str(start), "end_time": str(start + 30), "log_status": "OK", "tcp_flags": str(flags),
        "packets": str(packets),
    }  # fmt: skip


def a_day(source, day, connections):
    """Events of one day, and the truth: (interface, time of the first packet, start of its record)."""
    rng = random.Random(f"{source.__name__} {day}")
    events, truth = [], []
    for first_port, (interface, server) in zip((40_000, 50_000), SERVERS.items()):
        for number in range(connections):
            time = BEGIN + day * DAY + 300 + number * (DAY - 600) // connections + rng.randrange(200) + rng.random()
            time = round(time, 6)
            port = first_port + number
            start = int(time + TRUE_LAGS[interface](rng))
            events += source(time, port, server)
            events += [record(interface, port, server, start, 2, 4), record(interface, port, server, start + 60, 16, 9)]
            truth.append((interface, time, start))
    return events, truth


@pytest.fixture
def run(app, tmp_path, python):
    """Run a search on events, with the macros of a site, in an app of the test's own."""
    own_app = shutil.copytree(app, tmp_path / "flowlag")

    def call(search, events, now, site):
        return Engine(events, own_app, python, MACROS, now=now, local=site).search(search)

    return call


@pytest.mark.parametrize("source", SITES)
def test_what_a_day_teaches_is_true_and_holds_the_next_day(run, source):
    site = SITES[source]
    events, truth = a_day(source, 0, 130)
    search = REPORTS[LAGS]["search"]
    run(f"{search.split('| eval is_new')[0]} | outputlookup flowlag_lags", events, BEGIN + DAY, site)
    rows = {row["interface_id"]: row for row in run("| inputlookup flowlag_lags", [], BEGIN + DAY, site)}
    assert list(rows) == list(SERVERS)
    for interface, row in rows.items():
        lags = sorted(start - time for name, time, start in truth if name == interface)
        assert (row["anchors"], row["state"]) == ("130", "ok")
        for column, share in (("lag_95", 0.95), ("lag_99", 0.99)):
            assert float(row[column]) == pytest.approx(lags[ceil(share * 131) - 1], abs=1e-5)
    assert run(search, events, BEGIN + DAY, site) == [], "the same day again is no news"
    events, truth = a_day(source, 1, 130)
    found = {
        (row["interface_id"], row["flowlag_start"]): row
        for row in run("* | flowlagenrich confidence=95", events, BEGIN + 2 * DAY, site)
        if row["flowlag_status"] == "ok"
    }
    tried = [(found[name, str(start)], time) for name, time, start in truth if time < BEGIN + 2 * DAY - 4000]
    assert {row["flowlag_likely_basis"] for row, _ in tried} == {"interface"}
    covered = sum(float(row["flowlag_likely_earliest"]) <= time for row, time in tried)
    assert 0.92 < covered / len(tried) < 1
    narrow = [row for row, _ in tried if row["interface_id"] == "eni-a"]
    assert all(float(row["flowlag_likely_earliest"]) > float(row["flowlag_earliest"]) + 30 for row in narrow)
