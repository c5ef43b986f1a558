# SPDX-License-Identifier: Apache-2.0
"""Makes the benchmark's chunks: flow log events as splunkd sends them, always the same for a data set and a number.

The traffic is a model, not a recording: 400 interfaces with one window a minute (60 s on most, 5 to 32 s on the others)
and one to four flows in each, newest first. A chunk of 50,000 events has about 9,000 distinct (start, end) and 30,000
distinct (start, end, packets); the next chunk is an hour earlier and shares none of them. Quoting and order are
splunkd's: quotes around everything but ASCII letters and digits, and the twins of all fields after all fields.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.support.splunkd import quote

LAST_EPOCH = 1_700_000_000
INTERFACES = 400


def write_lookup() -> str:
    """The lookup of learned windows that this traffic would give, for any number of chunks."""
    lines = ["interface_id,timing_mode,interval,phase,first_start,last_end"]
    for interface in range(INTERFACES):
        mode = f"grid,60,{interface % 60}" if interface % 5 < 3 else "batch,,"
        lines.append(f"eni-{interface * 7919:017x},{mode},{LAST_EPOCH - 30 * 86400},{LAST_EPOCH}")
    return "\n".join([*lines, ""])


def write_lags() -> str:
    """The lookup of learned lags that this traffic would give, for any number of chunks: 2 to 7 s with 99 %."""
    lines = ["interface_id,anchors,lag_95,lag_99,lag_999,density,learned_from,learned_to,state"]
    for interface in range(INTERFACES):
        lag = interface % 6 + 2
        density = " ".join(str(10_000 // lag * (20 <= second < 20 + lag)) for second in range(81))
        span = f"{LAST_EPOCH - 30 * 86400},{LAST_EPOCH}"
        lines.append(f"eni-{interface * 7919:017x},500,{lag},{lag},,{density},{span},ok")
    return "\n".join([*lines, ""])


class Shape(NamedTuple):
    """The columns of a data set; whether its `tag` has two values, which puts a line break into every row; and whether
    fields were extracted (if not, there is only `_raw`, in an order of its own if it is `reordered`)."""

    columns: tuple[str, ...]
    multivalue: bool = False
    extracted: bool = True
    reordered: bool = False


_WIDE = (
    "_bkt", "_cd", "_chunked_idx", "_indextime", "_raw", "_serial", "_si", "_sourcetype", "_time", "account_id",
    "action", "bytes", "dest_ip", "dest_port", "end_time", "host", "index", "interface_id", "linecount", "log_status",
    "packets", "protocol", "punct", "source", "sourcetype", "splunk_server", "src_ip", "src_port", "start_time", "tag",
    "vpcflow_action",
)  # fmt: skip

_ASKED = (
    "start_time", "start", "start_time_dt", "end_time", "end", "end_time_dt", "packets", "traffic.packets",
    "interface_id", "interface-id", "src_endpoint.interface_uid", "dst_endpoint.interface_uid", "resource_id",
    "resource-id", "tgw_attachment_id", "tgw-attachment-id", "dvc", "log_status", "log-status", "status_code", "_raw",
    "_time", "_chunked_idx",
)  # fmt: skip

#: `wide`: about all that arrives without required_fields. `narrow`: all that a few names in them leave. `asked`: every
#: field that the command names by default, most of which such events lack. `raw`: the same without extractions.
SHAPES = {
    "wide": Shape(_WIDE),
    "narrow": Shape((
        "start_time", "end_time", "packets", "bytes", "interface_id", "src_ip", "log_status", "vpcflow_action", "_time",
        "_chunked_idx")),
    "asked": Shape(_ASKED),
    "raw": Shape(_ASKED, extracted=False),
    "content": Shape(_ASKED, extracted=False, reordered=True),
    "nfour": Shape(("start_time", "end_time", "packets", "_chunked_idx")),
    "widemv": Shape(_WIDE, multivalue=True),
}  # fmt: skip


def make_chunk(name: str, number: int, rows: int) -> bytes:
    """The body of chunk `number` (0 is the newest) of a data set, with this many events."""
    columns, multivalue, extracted, reordered = SHAPES[name]
    rng = random.Random(f"{number} {rows}")
    header = ",".join([*map(quote, columns), *(quote("__mv_" + column) for column in columns)])
    twins = [',"$network$;$communicate$"' if multivalue and column == "tag" else "," for column in columns]
    template = ",".join(f"%({column})s" for column in columns) + "".join(twins)
    events = _events(rng, number, rows, multivalue)
    if not extracted:
        events = (
            dict.fromkeys(event, "") | {k: event[k] for k in ("_raw", "_time", "_chunked_idx")} for event in events
        )
    if reordered:
        events = (event | {"_raw": _reorder(event["_raw"])} for event in events)
    lines = [template % event for event in events]
    return "\n".join([header, *lines, ""]).encode()


#: The layout of `reordered` records.
REORDERED = (
    "${end} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${log-status} "
    "${start} ${action} ${version}"
)


def _reorder(raw: str) -> str:
    version, _, eni, *flow, start, end, action, status = raw.strip('"').split(" ")
    return '"' + " ".join((end, eni, *flow, status, start, action, version)) + '"'


def _windows(rng: random.Random, number: int, rows: int) -> Iterator[tuple[int, int, int]]:
    """(start, end, interface) of the windows of a chunk, newest first; enough for its events."""
    newest = LAST_EPOCH - number * 3600
    for i in range(rows):
        interface = rng.randrange(INTERFACES)
        closed = newest - i * 60 // INTERFACES
        closed -= (closed - interface) % 60
        length = 60 if interface % 5 < 3 else 5 + (interface * 7 + i) % 28
        yield closed - length, closed - 1, interface


def _events(rng: random.Random, number: int, rows: int, multivalue: bool) -> Iterator[dict[str, Any]]:
    serial = 0
    for start, end, interface in _windows(rng, number, rows):
        for _ in range(rng.randint(1, 4)):
            if serial == rows:
                return
            yield _event(rng, start, end, interface, serial, multivalue)
            serial += 1


def _event(rng: random.Random, start: int, end: int, interface: int, serial: int, multivalue: bool) -> dict[str, Any]:
    packets = 1 if rng.random() < 0.4 else min(int(rng.expovariate(0.1)) + 1, 400)
    size = packets * rng.randint(40, 1400)
    source, target = f"10.0.{interface % 250}.{serial % 250}", f"203.0.113.{rng.randrange(250)}"
    ports = f"{rng.randint(1024, 65535)}", rng.choice(("22", "53", "80", "443", "3389"))
    eni = f"eni-{interface * 7919:017x}"
    action = rng.choice(("ACCEPT", "REJECT"))
    raw = f"2 123456789012 {eni} {source} {target} {ports[0]} {ports[1]} 6 {packets} {size} {start} {end} {action} OK"
    event = dict.fromkeys(_ASKED, "")
    values = {
        "_bkt": f'"net~{interface}~8A3F2C11-5D0E-4B6A-9C77-1F2E3D4C5B6A"', "_cd": f'"{interface}:{serial * 131}"',
        "_chunked_idx": serial, "_indextime": end + 137, "_raw": f'"{raw}"', "_serial": serial,
        "_si": '"idx-7.example.net"', "_sourcetype": '"aws:cloudwatchlogs:vpcflow"',
        "_time": f'"{start}.000"', "account_id": 123456789012, "action": "allowed", "bytes": size,
        "dest_ip": f'"{target}"', "dest_port": ports[1], "dvc": f'"{eni}"', "end_time": end,
        "host": f'"{source}"', "index": "net", "interface_id": f'"{eni}"', "linecount": 1, "log_status": "OK",
        "packets": packets, "protocol": "tcp", "punct": '"_____..._..._______"', "source": '"us-east-1:/flows:eni-all"',
        "sourcetype": '"aws:cloudwatchlogs:vpcflow"', "splunk_server": '"idx-7.example.net"', "src_ip": f'"{source}"',
        "src_port": ports[0], "start_time": start, "tag": '"network\ncommunicate"' if multivalue else "",
        "vpcflow_action": action,
    }  # fmt: skip
    event.update({name: str(value) for name, value in values.items()})
    return event
