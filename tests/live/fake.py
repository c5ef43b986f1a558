# SPDX-License-Identifier: Apache-2.0
"""A stand-in for a Splunk instance over HTTP: the REST and HEC endpoints that the live suite uses, and no other.

Written from Splunk's public documents (REST API Reference Manual: "Search endpoint descriptions", "Configuration
endpoint descriptions", "Application endpoint descriptions"; Getting Data In: "Format events for HTTP Event Collector",
"Troubleshoot HTTP Event Collector"), not from client.py. Searches are those of fake_search.py.
"""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional
from urllib.parse import parse_qsl, unquote, urlsplit

import flowlag
from tests.live.fake_search import FakeExchange, FakeSearch, flat
from tests.spl.engine import Engine, SplError
from tests.spl.values import Row
from tests.support.conf import MACROS, read_conf
from tests.support.splunkd import exited, failure

CONFS = ("analyticstories", "commands", "distsearch", "macros", "savedsearches", "searchbnf", "transforms")
BOUNDS = ("earliest_time", "latest_time", "index_earliest", "index_latest")
INTERNAL = ("_time", "_raw", "_indextime")
LAG_S = 2  # from the time an event is sent to its _indextime


@dataclass
class Job:
    """A search, and how often it says that it is still running."""

    text: str
    rows: list[Row]
    columns: list[str]
    messages: list[tuple[str, str]]
    failed: bool = False
    looks: int = 1  # until it is done, counting down


@dataclass
class Instance:
    """What there is on the instance; tests change it."""

    app: Path
    token: str = "session-key"
    hec_token: str = "hec-token"
    version: Optional[str] = flowlag.__version__  # None: the app is not installed
    disabled: bool = False
    index: str = "flowlag_test"
    peers: tuple[str, ...] = ("indexer-1",)
    forbidden: str = ""  # a path that the user may not read
    faults: frozenset[str] = frozenset()
    macros: dict[str, str] = field(default_factory=dict)  # what the site has changed
    events: list[Row] = field(default_factory=list)
    jobs: dict[str, Job] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    # -- searches

    def dispatch(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Run a search; a job is made of it, or the reply of a oneshot."""
        job = self.run(form)
        if form.get("exec_mode") == "oneshot":
            return (400, messages(job.messages)) if job.failed else (200, results(job, 0, 10_000, False))
        sid = f"1700000000.{len(self.jobs) + 1}"
        job.looks = 3 if form.get("preview") else 1
        self.jobs[sid] = job
        return 201, {"sid": sid}

    def run(self, form: dict[str, str]) -> Job:
        """The job of a search, or a failed one with what Splunk would say."""
        text = form["search"]
        exchange = FakeExchange(self.app, sys.executable, self.faults)
        engine = Engine(
            self.events,
            self.app,
            sys.executable,
            MACROS,
            time.time(),
            self.macros,
            exchange=exchange,
            search_type=FakeSearch,
        )
        try:
            table = engine.table(text, *(form.get(name, "") for name in BOUNDS))
        except SplError as error:
            said = failure("flowlagenrich", exited(1)) if "silent refusals" in self.faults else str(error)
            return Job(text, [], [], [("FATAL", said)], failed=True)
        if "broken bundle" in self.faults and "flowlagenrich" in text:
            engine.messages.append(("ERROR", "[indexer-1] Error in 'flowlagenrich' command: ModuleNotFoundError"))
        return Job(text, table.output(), table.columns, engine.messages)

    # -- events

    def collect(self, body: bytes, token: str) -> tuple[int, dict[str, Any]]:
        """Take events as HEC does: JSON objects one behind the other."""
        if token != self.hec_token:
            return 403, {"text": "Invalid token", "code": 4}
        decoder, text, place, count = json.JSONDecoder(), body.decode(), 0, 0
        while place < len(text):
            event, place = decoder.raw_decode(text, place)
            place += len(text[place:]) - len(text[place:].lstrip())
            if event["index"] != self.index:
                return 400, {"text": "Incorrect index", "code": 7, "invalid-event-number": count}
            self.events.append(indexed(event))
            count += 1
        self.batches.append(count)
        return 200, {"text": "Success", "code": 0}

    # -- configuration

    def stanzas(self, conf: str) -> dict[str, dict[str, Any]]:
        """A conf file as splunkd shows it."""
        content = {name: {**keys, "eai:appName": "flowlag"} for name, keys in read_conf(f"default/{conf}.conf").items()}
        if conf == "macros":
            for name, definition in self.macros.items():
                content[name]["definition"] = definition
        if "other command" in self.faults and conf == "commands":
            content["flowlagenrich"]["eai:appName"] = "other"
        return content

    def entries(self, path: str) -> Optional[dict[str, dict[str, Any]]]:
        """Name -> content at an endpoint, None where there is no such thing."""
        conf = re.fullmatch(r"/servicesNS/(?:nobody|-)/flowlag/configs/conf-(\w+)(?:/(.+))?", path)
        if conf and conf[1] in CONFS:
            stanzas = self.stanzas(conf[1])
            return stanzas if conf[2] is None else pick(stanzas, unquote(conf[2]))
        app = {} if self.version is None else {"flowlag": {"version": self.version, "disabled": self.disabled}}
        places: dict[str, dict[str, dict[str, Any]]] = {
            "/services/authentication/current-context": {"context": {"username": "tester"}},
            "/services/search/distributed/peers": {f"{peer}:8089": {"status": "Up"} for peer in self.peers},
            "/servicesNS/nobody/flowlag/data/ui/views": {
                path.stem: {} for path in (self.app / "default").glob("data/ui/views/*.xml")
            },
            "/servicesNS/-/-/data/inputs/http": {
                "http://off": {"token": "other", "disabled": True, "indexes": []},
                "http://elsewhere": {"token": "other", "disabled": False, "indexes": ["main"]},
                "http://flowlag": {"token": self.hec_token, "disabled": False, "indexes": [self.index]},
            },
        }
        if path in places:
            return places[path]
        folder, _, name = path.rpartition("/")
        singles = {"/services/apps/local": app, "/services/data/indexes": {self.index: {"totalEventCount": 0}},
                   "/servicesNS/-/-/datamodel/model": {"Network_Traffic": {}}}  # fmt: skip
        return pick(singles.get(folder, {}), unquote(name))


def pick(entries: dict[str, dict[str, Any]], name: str) -> Optional[dict[str, dict[str, Any]]]:
    """One entry by its name."""
    return {name: entries[name]} if name in entries else None


def indexed(event: dict[str, Any]) -> Row:
    """An event as a search finds it: the fields of a JSON object are extracted, those of a line are not."""
    body = event["event"]
    raw = body if isinstance(body, str) else json.dumps(body)
    metadata = {name: event[name] for name in ("index", "source", "sourcetype", "host")}
    fields = flat(extracted(body)) if isinstance(body, dict) else {}
    stamps = {"_time": event["time"], "_indextime": str(int(time.time()) + LAG_S)}
    return {**fields, **metadata, **stamps, "_raw": raw, "splunk_server": "indexer-1"}


def extracted(value: dict[str, Any], prefix: str = "") -> Row:
    """The fields of a JSON object by dotted names; `{}` behind the name of a list."""
    fields: Row = {}
    for name, inner in value.items():
        if isinstance(inner, dict):
            fields.update(extracted(inner, f"{prefix}{name}."))
        elif isinstance(inner, list):
            fields.update(extracted(inner[0], f"{prefix}{name}{{}}."))
        else:
            fields[prefix + name] = inner
    return fields


def messages(found: list[tuple[str, str]]) -> dict[str, Any]:
    """Messages as the REST API writes them."""
    return {"messages": [{"type": level, "text": text} for level, text in found]}


def results(job: Job, offset: int, count: int, preview: bool) -> dict[str, Any]:
    """A page of results; internal fields are given when a command names them, _time as text with its zone."""
    columns = [name for name in job.columns if name not in INTERNAL or name in job.text]
    page = job.rows[offset : offset + count]
    rows = [{name: row[name] for name in columns if row[name] != ""} for row in page]
    fields = [{"name": name} for name in columns]
    return {"preview": preview, "init_offset": offset, **messages(job.messages), "fields": fields, "results": rows}


class Handler(BaseHTTPRequestHandler):
    """The endpoints."""

    instance: Instance
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        with self.instance.lock:
            self.instance.requests.append((method, parts.path))
            status, content = self._reply(method, parts.path, dict(parse_qsl(parts.query)), body)
        data = b"" if status == 204 else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _reply(self, method: str, path: str, query: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        if path == "/services/collector/event":
            return self.instance.collect(body, token)
        if scheme not in ("Splunk", "Bearer") or token != self.instance.token:
            return 401, messages([("WARN", "call not properly authenticated")])
        if path == self.instance.forbidden:
            return 403, messages([("WARN", "insufficient permission to access this resource")])
        if re.fullmatch(r"/servicesNS/nobody/\w+/search/v2/jobs", path) and method == "POST":
            return self.instance.dispatch(dict(parse_qsl(body.decode())))
        job = re.fullmatch(r"/services/search/v2/jobs/([\d.]+)(/\w+)?", path)
        if job:
            return self._job(method, unquote(job[1]), job[2] or "", query)
        entries = self.instance.entries(path)
        if entries is None:
            return 404, messages([("ERROR", "Not Found")])
        return 200, {"entry": [{"name": name, "content": content} for name, content in entries.items()]}

    def _job(self, method: str, sid: str, part: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        job = self.instance.jobs.get(sid)
        if job is None:
            return 404, messages([("FATAL", "Unknown sid.")])
        if method == "DELETE":
            del self.instance.jobs[sid]
            return 200, messages([("INFO", "Search job cancelled.")])
        offset, count = int(query.get("offset", 0)), int(query.get("count", 100))
        if part == "/results":
            return (204, {}) if job.looks > 0 else (200, results(job, offset, count, False))
        if part == "/results_preview":
            return self._preview(job, offset, count)
        job.looks -= 1
        return 200, {"entry": [{"name": job.text, "content": self._properties(sid, job)}]}

    def _preview(self, job: Job, offset: int, count: int) -> tuple[int, dict[str, Any]]:
        if job.looks > 2:
            return 204, {}
        page = results(job, offset, count, job.looks > 0)
        if "wrong previews" in self.instance.faults and job.looks > 0:
            page["results"] = [{**row, "flowlag_status": "invalid"} for row in page["results"]]
        return 200, page

    def _properties(self, sid: str, job: Job) -> dict[str, Any]:
        done = job.looks <= 0
        head = re.split(
            r"\|\s*(?:flowlagmatch|flowlagconnect|flowlagprofile|flowlaglearn|stats|sort|head)\b", job.text
        )[0]
        costs = {f"dispatch.stream.remote.{peer}": {"duration_secs": 0.1} for peer in self.instance.peers}
        return {
            "sid": sid,
            "dispatchState": ("FAILED" if job.failed else "DONE") if done else "RUNNING",
            "isDone": done,
            "isFailed": done and job.failed,
            "resultCount": len(job.rows),
            "search": job.text,
            "remoteSearch": head if self.instance.peers else "",
            "performance": {"command.search": {"duration_secs": 0.1}, **costs},
            **messages(job.messages if done else []),
        }


@contextmanager
def serve(instance: Instance) -> Iterator[str]:
    """The address of a server for the instance, as long as it is needed."""
    handler = type("BoundHandler", (Handler,), {"instance": instance})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
