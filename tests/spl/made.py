# SPDX-License-Identifier: Apache-2.0
"""Owns the three made events on which the rules of the interpreter are tried."""

from __future__ import annotations

NOW = 1602398000
FLOW = "2 123456789012 eni-1 198.51.100.7 10.0.0.5 52233 22 6 85 9000 1602397706 1602397745 ACCEPT OK"
NAMES = "version account_id interface_id src_ip dest_ip src_port dest_port protocol packets bytes start end action log_status"
EVENTS = [
    {"_time": "1602397706", "_raw": FLOW, "sourcetype": "aws:cloudwatchlogs:vpcflow", **dict(zip(NAMES.split(), FLOW.split()))},
    {"_time": "1602397700", "_raw": "sshd[5]: Accepted publickey for bob_b", "sourcetype": "linux_secure", "user": "Bob", "src": "198.51.100.7"},
    {"_time": "1602394000", "_raw": "sshd[6]: Failed password, error=9", "sourcetype": "linux_secure", "src": "2001:db8::7", "tag": ["one", "two"]},
]  # fmt: skip


def users(rows):
    """Name the events of the tests by the position that they have in EVENTS."""
    times = [event["_time"] for event in EVENTS]
    return [times.index(row["_time"]) for row in rows]
