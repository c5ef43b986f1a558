# SPDX-License-Identifier: Apache-2.0
"""The connections of some records, by the words of docs/connect.md alone: slow, in lists, without any of the app's code.

A record is a dict: interface, src, src_port, dest, dest_port, protocol, start, end, packets, bytes, flags, action. Times are
whole seconds; packets, bytes and flags are numbers or None. A row is a dict of texts, as the command gives it.
"""

from __future__ import annotations

import base64
import hashlib
import socket
import struct
from typing import Any

R = dict[str, Any]


def expected_rows(given: list[R], gap: int = 300, rtt: int = 1, lag: int = 60) -> list[dict[str, str]]:
    """The rows of all connections, in order."""
    groups: dict[Any, list[R]] = {}
    for record in given:
        ends = sorted([(record["src"], record["src_port"]), (record["dest"], record["dest_port"])])
        groups.setdefault((record["protocol"], *ends), []).append(record)
    rows = []
    for group in groups.values():
        for connection in divide(drop_duplicates(group), gap, lag):
            rows.append(describe(connection, rtt, lag))
    return [row for _, row in sorted(rows, key=lambda pair: pair[0])]


def drop_duplicates(group: list[R]) -> list[R]:
    """Each record once, with the number of its duplicates, all their flags and all their actions."""
    kept: list[R] = []
    same = ("interface", "src", "src_port", "dest", "dest_port", "start", "end", "packets", "bytes")
    for record in group:
        for other in kept:
            if all(record[name] == other[name] for name in same):
                other["copies"] += 1
                other["actions"].add(record["action"])
                if record["flags"] is not None:
                    other["flags"] = record["flags"] | (other["flags"] or 0)
                break
        else:
            kept.append({**record, "copies": 0, "actions": {record["action"]}})
    return kept


def has(record: R, flags: int) -> bool:
    return bool((record["flags"] or 0) & flags)


def opens(record: R) -> bool:
    return has(record, 2) and not has(record, 16)


def divide(group: list[R], gap: int, lag: int) -> list[list[R]]:
    """A pause of more than gap, or an opening record more than lag behind every end before it, begins a connection."""
    group = sorted(group, key=lambda r: (r["start"], not opens(r), r["end"]))
    parts = [[group[0]]]
    for record in group[1:]:
        latest = max(r["end"] for r in parts[-1])
        if record["start"] > latest + gap or (opens(record) and record["start"] > latest + lag):
            parts.append([])
        parts[-1].append(record)
    return parts


def series(record: R) -> tuple[Any, ...]:
    return record["interface"], record["src"], record["src_port"], record["dest"], record["dest_port"]


def describe(records: list[R], rtt: int, lag: int) -> Any:
    """What the row is ordered by, and the row."""
    seen: dict[str, int] = {}
    for r in records:
        seen[r["interface"]] = seen.get(r["interface"], 0) + (r["packets"] or 0)
    busiest = sorted(seen, key=lambda name: (-seen[name], name))[0]
    openings = [r for r in records if opens(r)]
    home, opening = busiest, None
    if openings:
        latest = max(r["start"] for r in openings)
        home = min(r["interface"] for r in openings if r["start"] == latest)
        first = [r for r in openings if r["start"] == latest and r["interface"] == home]
        opening = min(first, key=lambda r: (r["end"], (r["src"], r["src_port"]) > (r["dest"], r["dest_port"])))
    start, end = bound_start(records, opening, home, rtt, lag), bound_end(records, home, rtt, lag)
    (src, src_port), (dest, dest_port), basis = sides(records[0], opening)
    forth = [r for r in records if r["interface"] == busiest and (r["src"], r["src_port"]) == (src, src_port)]
    back = [r for r in records if r["interface"] == busiest and r not in forth]
    flags = [r["flags"] for r in records if r["flags"] is not None]
    protocol = records[0]["protocol"]
    row = {
        "src": src, "src_port": src_port, "dest": dest, "dest_port": dest_port, "protocol": protocol,
        "direction_basis": basis, "start_earliest": start[0], "start_latest": start[1], "start_basis": start[2],
        "end_earliest": end[0], "end_latest": end[1], "end_basis": end[2], "home": home,
        "interfaces": "\n".join(sorted({r["interface"] for r in records})), "records": len(records),
        "duplicates": sum(r["copies"] for r in records), "packets_out": total(forth, "packets"),
        "bytes_out": total(forth, "bytes"), "packets_in": total(back, "packets"), "bytes_in": total(back, "bytes"),
        "tcp_flags": union(flags), "action": "\n".join(sorted(set().union(*(r["actions"] for r in records)))),
        "first_start": min(r["start"] for r in records), "last_end": max(r["end"] for r in records),
        "community_id": find_community_id(protocol, (src, src_port), (dest, dest_port)),
    }  # fmt: skip
    return (start[0], src, src_port, dest, dest_port, protocol), {name: str(value) for name, value in row.items()}


def bound_start(records: list[R], opening: Any, home: str, rtt: int, lag: int) -> tuple[int, int, str]:
    if opening is None:
        return min(r["start"] for r in records) - lag, min(r["end"] for r in records) + 1 + rtt, "none"
    syn = [r for r in records if has(r, 2)]
    doubt = any(
        [
            any(len([r for r in syn if series(r) == series(one)]) > 1 for one in syn),
            any(r["end"] + 1 < opening["start"] - lag - rtt for r in records),
            any(has(r, 5) and r["interface"] == home and r["end"] < opening["start"] for r in records),
        ]
    )
    earliest = max(r["start"] - lag - (rtt if r["interface"] != home or has(r, 16) else 0) for r in syn)
    near = [r for r in records if r["start"] <= opening["end"] + lag + 1]
    latest = min(r["end"] + 1 + (rtt if r["interface"] != home else 0) for r in near)
    if not doubt and earliest < latest:
        return earliest, latest, "syn"
    mine = [r for r in records if opens(r) and r["interface"] == home]
    return min(r["start"] for r in mine) - lag, max(r["end"] for r in mine) + 1, "doubt"


def bound_end(records: list[R], home: str, rtt: int, lag: int) -> tuple[int, int, str]:
    closing = [r for r in records if has(r, 5)]
    basis = "none"
    if closing:
        doubt = any(len([r for r in closing if series(r) == series(one)]) > 1 for one in closing)
        doubt = doubt or any(r["start"] - lag > one["end"] + 1 + rtt for r in records for one in closing)
        earliest = max(r["start"] - lag - (rtt if r["interface"] != home else 0) for r in records)
        latest = min(r["end"] for r in closing) + 1 + rtt
        if not doubt and earliest < latest:
            return earliest, latest, "fin"
        basis = "doubt"
    return max(r["start"] for r in records) - lag, max(r["end"] for r in records) + 1 + rtt, basis


def sides(record: R, opening: Any) -> Any:
    """The side that opened the connection, the other one, and how that is known."""
    of = record if opening is None else opening
    src, dest = (of["src"], of["src_port"]), (of["dest"], of["dest_port"])
    if opening is not None:
        return src, dest, "syn"
    if src[1] != dest[1]:
        return (src, dest, "port") if src[1] > dest[1] else (dest, src, "port")
    return min(src, dest), max(src, dest), "address"


def total(records: list[R], name: str) -> Any:
    numbers = [r[name] for r in records if r[name] is not None]
    return sum(numbers) if numbers or not records else ""


def union(flags: list[int]) -> Any:
    result: Any = ""
    for each in flags:
        result = each | (result or 0)
    return result


def find_community_id(protocol: int, *ends: tuple[str, int]) -> str:
    """By the published specification: seed, addresses and ports in order, protocol, padding."""
    if protocol not in (6, 17, 132):
        return ""
    packed = [(socket.inet_pton(socket.AF_INET6 if ":" in a else socket.AF_INET, a), p) for a, p in ends]
    (a, a_port), (b, b_port) = sorted(packed)
    data = struct.pack("!H", 0) + a + b + struct.pack("!BBHH", protocol, 0, a_port, b_port)
    return "1:" + base64.b64encode(hashlib.sha1(data).digest()).decode()
