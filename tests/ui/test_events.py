# SPDX-License-Identifier: Apache-2.0
"""Events as the add-on makes them of flow records, and rows as splunkd sends them."""

from __future__ import annotations

import json

from tests.support.events import read_events, read_flows

from .build import HERE
from .server import table

FLOW = "2 123456789012 eni-1 198.51.100.7 10.0.0.5 52233 22 6 85 9000 1602397706 1602397745 REJECT OK"
SKIPPED = "2 123456789012 eni-1 - - - - - - - 1602397706 1602397745 - SKIPDATA"


def test_flow_records_become_events(tmp_path):
    (tmp_path / "flows.log").write_text(f"version account-id\n{FLOW}\n{SKIPPED}\n")
    flow, skipped = read_flows(tmp_path / "flows.log", lag=90)
    assert flow["_time"] == flow["start_time"] == "1602397706" and flow["_indextime"] == "1602397796"
    assert (flow["src_ip"], flow["dest_port"], flow["protocol_code"]) == ("198.51.100.7", "22", "6")
    assert (flow["vpcflow_action"], flow["action"], flow["_raw"]) == ("REJECT", "blocked", FLOW)
    assert skipped["log_status"] == "SKIPDATA" and "action" not in skipped


def test_a_csv_file_can_say_when_a_record_was_indexed(tmp_path):
    (tmp_path / "flows.csv").write_text(f"_raw,_indextime\n{FLOW},1602398000\n{FLOW},\n")
    assert [flow["_indextime"] for flow in read_flows(tmp_path / "flows.csv")] == ["1602398000", "1602397766"]


def test_events_are_read_as_they_are(tmp_path):
    (tmp_path / "events.csv").write_text("_time,user,src\n1602397706.5,bob,\n")
    assert read_events(tmp_path / "events.csv") == [{"_time": "1602397706.5", "user": "bob"}]


def test_rows_as_splunkd_sends_them():
    rows = [{"_time": "1602397706.5", "a": ""}, {"_time": "1602397706", "b": ["x", "y"]}]
    assert table(rows) == {
        "fields": [{"name": "_time"}, {"name": "a"}, {"name": "b"}],
        "columns": [
            ["2020-10-11T06:28:26.500+00:00", "2020-10-11T06:28:26.000+00:00"],
            [None, None],
            [None, ["x", "y"]],
        ],
    }


def test_the_lock_file_names_no_registry():
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert all("integrity" in package for name, package in packages.items() if name)
