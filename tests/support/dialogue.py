# SPDX-License-Identifier: Apache-2.0
"""Owns small dialogues with each of our commands, in bytes: events of which all make something, and the requests."""

from __future__ import annotations

import json

from tests.support.splunkd import write_body

#: Events of which every command makes something: three flows of one key and connection, and an anchor of that key.
FLOWS = [
    {"_time": str(start), "start_time": str(start), "end_time": str(start + 59), "packets": "1", "interface_id": "eni-1",
     "log_status": "OK", "src_ip": "192.0.2.1", "dest_ip": "192.0.2.2", "src_port": "52233", "dest_port": "22", "protocol": "6",
     "flowlag_status": "ok", "flowlag_start": str(start), "flowlag_end": str(start + 59), "flowlag_earliest": str(start - 60), "flowlag_latest": str(start + 60),
     "key": "a"}
    for start in (1602397446, 1602397506, 1602397566)
]  # fmt: skip
EVENTS = [*FLOWS, {"_time": "1602397450", "key": "a", "n": "1"}]
BODY = write_body(EVENTS)
ARGUMENTS = {
    "flowlagenrich": [],
    "flowlagmatch": ["by=key", "maxmatches=3"],
    "flowlagconnect": ["gap=1h"],
    "flowlagprofile": [],
    "flowlaglearn": ["by=key", "anchor_packets=n"],
}
#: Rows of the reply to one chunk that is finished, and to one that is not.
ROWS = {
    "flowlagenrich": (4, 4), "flowlagmatch": (2, 0), "flowlagconnect": (1, 0), "flowlagprofile": (1, 0),
    "flowlaglearn": (1, 0),
}  # fmt: skip


def frame(metadata, body=b""):
    text = json.dumps(metadata).encode()
    return b"chunked 1.0,%d,%d\n%b%b" % (len(text), len(body), text, body)


def execute(finished=False, body=BODY):
    return frame({"action": "execute", "finished": finished}, body)
