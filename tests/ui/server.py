# SPDX-License-Identifier: Apache-2.0
"""The server behind the page: the bundle, an app's views and static files, splunkd's two answers, and the searches.

What it has no answer for is a 404 that it remembers, so that a test can fail on it.
"""

from __future__ import annotations

import json
import mimetypes
import re
import threading
import traceback
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, NamedTuple, Optional, Union
from urllib.parse import unquote, urlsplit

Value = Union[str, list[str], None]
Row = Mapping[str, Value]
Search = Callable[[str, str, str], list[Row]]

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>flowlag</title><link rel="icon" href="data:,">
<style>html, body, #page {height: 100%; margin: 0}</style><link rel="stylesheet" href="/page.css">
<script>window.$C = {SPLUNKD_PATH: "/splunkd", LOCALE: "en-US", USERNAME: "admin", MRSPARKLE_ROOT_PATH: "",
MRSPARKLE_PORT_NUMBER: 8000, SERVER_ZONEINFO: "### SERIALIZED TIMEZONE FORMAT 1.0;Y0 NW 55 54 43;@-3600 0"};</script>
</head><body><div id="page"></div><script defer src="/page.js"></script></body></html>
"""
CHECK = '<!doctype html><link rel="icon" href="data:,"><body><script src="/schemas.js"></script></body>'
EPOCH = re.compile(r"-?\d+(\.\d+)?")
EPOCH_START = datetime(1970, 1, 1, tzinfo=timezone.utc)
CONTEXT = {"entry": [{"name": "context", "content": {"username": "admin", "capabilities": [], "tz": "UTC"}}]}
TIMES: dict[str, list[str]] = {"entry": []}


class Sent(NamedTuple):
    """A search as the page sent it, with its tokens put in."""

    name: str
    query: str
    earliest: str
    latest: str


def definition(view: Path) -> Any:
    """The JSON of a Dashboard Studio view."""
    return json.loads(ElementTree.parse(view).findtext("definition") or "")


def table(rows: list[Row]) -> dict[str, Any]:
    """Rows as splunkd gives them in json_cols: fields in the order of their first appearance, and their columns.

    An empty value is null, and _time is an ISO time with milliseconds.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) or None for row in rows] for name in names}
    if "_time" in columns:
        columns["_time"] = [iso_time(value) for value in columns["_time"]]
    return {"fields": [{"name": name} for name in names], "columns": list(columns.values())}


def iso_time(value: Value) -> Value:
    """An epoch time as splunkd writes it in the zone UTC; anything else as it is."""
    if not isinstance(value, str) or not EPOCH.fullmatch(value):
        return value
    moment = EPOCH_START + timedelta(milliseconds=int(Decimal(value) * 1000))
    return moment.isoformat(timespec="milliseconds")


class Server:
    """Serves the page of one app until it is closed; a context manager."""

    def __init__(self, app: Path, bundle: Path, search: Search, port: int = 0) -> None:
        """Listen on 127.0.0.1; port 0 takes a free one."""
        self.bundle = bundle
        self.lock = threading.Lock()
        self.use(app, search)
        self.http = ThreadingHTTPServer(("127.0.0.1", port), type("Bound", (Handler,), {"owner": self}))
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening."""
        self.http.shutdown()
        self.http.server_close()

    def use(self, app: Path, search: Search) -> None:
        """Serve this app and answer with this search from now on; what was remembered is forgotten."""
        self.app, self.search = app, search
        self.searches: list[Sent] = []
        self.unanswered: list[str] = []
        self.errors: list[str] = []

    def sent(self, name: str) -> list[Sent]:
        """The searches of one data source, first to last."""
        return [search for search in self.searches if search.name == name]

    def answer(self, path: str) -> Optional[tuple[str, bytes]]:
        """Content type and body of a GET, or nothing."""
        if path == "/":
            return "text/html", PAGE.encode()
        if path == "/check":
            return "text/html", CHECK.encode()
        if path in ("/page.js", "/page.css", "/schemas.js"):
            return file(self.bundle / path[1:])
        if re.fullmatch(r"/view/\w+", path):
            view = self.app / "default" / "data" / "ui" / "views" / f"{path[6:]}.xml"
            return as_json(definition(view)) if view.is_file() else None
        static = re.fullmatch(rf"/static/app/{self.app_name}/([\w/.-]+)", path)
        if static and ".." not in static[1]:
            return file(self.app / "appserver" / "static" / static[1])
        if path.endswith("/authentication/current-context"):
            return as_json(CONTEXT)
        return as_json(TIMES) if path.endswith("/data/ui/times") else None

    app_name = "flowlag"

    def run(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The answer of a search: fields and columns, or what went wrong."""
        sent = Sent(*(str(asked.get(name, "")) for name in Sent._fields))
        self.searches.append(sent)
        try:
            with self.lock:  # an engine need not stand two searches at once
                return table(self.search(sent.query, sent.earliest, sent.latest))
        except Exception as error:  # noqa: BLE001  whatever the engine raises is shown in the panel
            self.errors.append(f"{sent.name}: {traceback.format_exc()}")
            return {"error": f"{type(error).__name__}: {error}"}


class Handler(BaseHTTPRequestHandler):
    """One request; `owner` is its Server."""

    owner: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Something that the page needs."""
        answer = self.owner.answer(unquote(urlsplit(self.path).path))
        if answer is None:
            self.refuse()
        else:
            self.reply(*answer)

    def do_POST(self) -> None:
        """A search."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if urlsplit(self.path).path != "/search":
            self.refuse()
        else:
            self.reply(*as_json(self.owner.run(json.loads(body))))

    def refuse(self) -> None:
        """A request that nobody foresaw."""
        self.owner.unanswered.append(f"{self.command} {self.path}")
        self.send_error(404)

    def reply(self, kind: str, body: bytes) -> None:
        """Send a body; a browser that has left is no error."""
        try:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "max-age=3600" if self.path.startswith("/page.") else "no-store")
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def as_json(value: Any) -> tuple[str, bytes]:
    """A JSON answer."""
    return "application/json", json.dumps(value).encode()


def file(path: Path) -> Optional[tuple[str, bytes]]:
    """A file's answer, or nothing when it is not there."""
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return (kind, path.read_bytes()) if path.is_file() else None
