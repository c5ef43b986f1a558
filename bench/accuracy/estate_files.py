# SPDX-License-Identifier: Apache-2.0
"""Writes an estate as flow logs and logins, which the commands read, and as its truth, which they do not."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.accuracy.estates import HEADER, Estate


class Files(NamedTuple):
    """What an estate is written to; the last three are the truth, which no command reads."""

    servers: Path
    others: Path
    logins: Path
    truth: Path
    records: Path
    connections: Path


def write_estate(estate: Estate, folder: Path) -> Files:
    """Write flow logs (of the servers' interfaces, and of all others), the logins, and three files of truth."""
    names = ("servers.log", "others.log", "logins.csv", "truth.csv", "records.csv", "connections.csv")
    files = Files(*(folder / name for name in names))
    places = _write_records(estate, files)
    write_csv(files.logins, ("login", "_time", "src", "dest", "src_port"), _login_rows(estate))
    own = ((login.number, login.record, login.connection) for login in estate.logins)
    write_csv(files.truth, ("login", "record", "connection"), own)
    held = ((i, *places[i], number) for i, each in enumerate(estate.records) for number in sorted(each.connections))
    write_csv(files.records, ("record", "file", "line", "connection"), held)
    heading = ("connection", "kind", "interface", "first_packet", "last_packet")
    write_csv(files.connections, heading, _bounds_rows(estate))
    return files


def _write_records(estate: Estate, files: Files) -> list[tuple[str, int]]:
    """Write both flow logs; the name and line of each record."""
    servers = {login.server.interface for login in estate.logins}
    texts = {files.servers: [HEADER], files.others: [HEADER]}
    places = []
    for each in estate.records:
        path = files.servers if each.interface in servers else files.others
        texts[path].append(each.line())
        places.append((path.name, len(texts[path])))
    for path, lines in texts.items():
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return places


def _login_rows(estate: Estate) -> Iterator[tuple[object, ...]]:
    for login in sorted(estate.logins, key=lambda each: each.time):
        port = "" if login.connection is None else estate.connections[login.connection].client_port
        yield login.number, f"{login.time:.3f}", login.client.address, login.server.address, port


def _bounds_rows(estate: Estate) -> Iterator[tuple[object, ...]]:
    for connection in estate.connections:
        for host in (connection.client, connection.server):
            if host.interface:
                kind = "internal" if connection.is_internal else "external"
                first, last = connection.bounds(host)
                yield connection.number, kind, host.interface, f"{first:.6f}", f"{last:.6f}"


def write_csv(path: Path, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write CSV with a header line."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([heading, *rows])
