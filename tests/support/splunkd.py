# SPDX-License-Identifier: Apache-2.0
"""A stand-in for splunkd: starts a search command as a process and speaks the chunked protocol to it, in lock step.

Written from the recorded dialogues (splunkd 8.2.1), not from lib/flowlag/splunk/frames.py, so that the two check each other.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import subprocess
import tarfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Optional

#: How long a process may take on the slowest machine: one that takes longer hangs, and is killed.
PATIENCE_S = 600
_BARE = re.compile(r"[A-Za-z0-9]*")


class Reply(NamedTuple):
    """One reply: its metadata and the bytes of its CSV body."""

    metadata: dict[str, Any]
    body: bytes

    @property
    def messages(self) -> list[tuple[str, str]]:
        """Messages for the user as (level, text)."""
        return [tuple(message) for message in self.metadata.get("inspector", {}).get("messages", [])]

    @property
    def error(self) -> Optional[str]:
        """The sentence that ends the search; splunkd puts the command's name before it."""
        return self.metadata.get("error")

    @property
    def rows(self) -> list[dict[str, str]]:
        """The body's events, without the `__mv_` twins."""
        rows = csv.DictReader(io.StringIO(self.body.decode("utf-8", "surrogateescape"), newline=""))
        return [{k: v for k, v in row.items() if not k.startswith("__mv_")} for row in rows]


def quote(text: str) -> str:
    """A field as splunkd writes it: quoted if and only if it holds anything but ASCII letters and digits."""
    return text if _BARE.fullmatch(text) else '"' + text.replace('"', '""') + '"'


def write_body(rows: Sequence[dict[str, Any]], columns: Optional[Sequence[str]] = None) -> bytes:
    """Events as splunkd sends them: plain columns, then a `__mv_` twin for each; LF; list values are multivalues."""
    names = list(columns) if columns is not None else list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join([*map(quote, names), *(quote("__mv_" + name) for name in names)])]
    for row in rows:
        values = [row.get(name, "") for name in names]
        plain = ["\n".join(value) if isinstance(value, list) else str(value) for value in values]
        twins = [
            ";".join("$" + item.replace("$", "$$") + "$" for item in value) if isinstance(value, list) else ""
            for value in values
        ]
        lines.append(",".join(map(quote, [*plain, *twins])))
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def getinfo_metadata(arguments: Sequence[str], command: str = "flowlagenrich") -> dict[str, Any]:
    """What splunkd asks first; `arguments` are unquoted, as `args` has them."""
    return {
        "action": "getinfo",
        "preview": False,
        "streaming_command_will_restart": False,
        "searchinfo": {
            "args": list(arguments),
            "raw_args": [re.sub(r"=(.*[^\w].*)", r'="\1"', argument, flags=re.S) for argument in arguments],
            "dispatch_dir": "/opt/splunk/var/run/splunk/dispatch/1700000000.12",
            "sid": "1700000000.12",
            "app": "search",
            "owner": "admin",
            "username": "admin",
            "session_key": "not-a-key",
            "splunkd_uri": "https://127.0.0.1:8089",
            "splunk_version": "9.4.1",
            "search": f"litsearch%20index%3Dnet%20%7C%20{command}",
            "command": command,
            "maxresultrows": 50000,
            "earliest_time": "0",
            "latest_time": "0",
        },
    }


def refusal(reply: Reply, command: str) -> str:
    """The one sentence of a reply that ends the search, in the shape in which a user of Splunk 9.4 sees it."""
    assert list(reply.metadata) == ["inspector", "finished", "error"] and reply.metadata["finished"] is True
    assert reply.body == b"" and reply.messages == [("ERROR", f"{command}: {reply.error}")]
    assert reply.error and not reply.error.startswith(command) and "\n" not in reply.error
    return reply.error


def failure(command: str, sentence: str) -> str:
    """What splunkd says of a command that ends the search."""
    return f"Error in '{command}' command: {sentence}"


def exited(code: int) -> str:
    """All that splunkd says of a command that ended and gave no `error`."""
    return f"External search command exited unexpectedly with non-zero error code {code}."


def install_app(package: Path, folder: Path) -> Path:
    """Unpack a built package into a folder of apps, as an admin does; the app's folder."""
    with tarfile.open(package) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)
    return folder / "flowlag"


class Splunkd:
    """One run of a search command: `getinfo`, any number of `execute`, `close`."""

    def __init__(
        self, script: Path, python: str, *, env: Optional[dict[str, str]] = None, patience_s: float = 0, **more: Any
    ) -> None:
        """`patience_s`: after so long the command counts as hanging and is killed; `more` is Popen's."""
        self.process: subprocess.Popen[bytes] = subprocess.Popen(
            [python, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ if env is None else env),
            **more,
        )
        self._watchdog = threading.Timer(patience_s, self.process.kill) if patience_s else None
        if self._watchdog is not None:
            self._watchdog.daemon = True
            self._watchdog.start()
        assert self.process.stdin and self.process.stdout and self.process.stderr
        self._requests, self._replies, self._log = self.process.stdin, self.process.stdout, self.process.stderr
        self.stderr = b""
        self._drain = threading.Thread(target=self._read_stderr, daemon=True)
        self._drain.start()

    def __enter__(self) -> Splunkd:
        return self

    def __exit__(self, *_: object) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._drain.join()
        for pipe in (self._requests, self._replies, self._log):
            with contextlib.suppress(BrokenPipeError):
                pipe.close()

    def _read_stderr(self) -> None:
        self.stderr = self._log.read()

    def getinfo(self, *arguments: str) -> Reply:
        """Send the first request, pretty-printed as splunkd does, and read the reply."""
        return self.request(json.dumps(getinfo_metadata(arguments), indent=4).encode())

    def execute(self, body: bytes, finished: bool = False) -> Reply:
        """Send one chunk of events and read its one reply."""
        return self.request(b'{"action":"execute","finished":%b}' % (b"true" if finished else b"false"), body)

    def request(self, metadata: bytes, body: bytes = b"") -> Reply:
        """Send one request in bytes of one's own and read the reply."""
        writer = threading.Thread(
            target=self.send, args=(b"chunked 1.0,%d,%d\n" % (len(metadata), len(body)), metadata, body)
        )
        writer.start()  # a thread, so that a body larger than the pipe's buffer cannot deadlock
        try:
            return self.read()
        finally:
            writer.join()

    def send(self, *parts: bytes) -> None:
        """Write raw bytes to the command's stdin; a command that has gone is no error here."""
        with contextlib.suppress(BrokenPipeError):
            for part in parts:
                self._requests.write(part)
            self._requests.flush()

    def read(self) -> Reply:
        """Read one reply; EOFError with the command's stderr when there is none."""
        header = self._replies.readline()
        match = re.fullmatch(rb"chunked 1\.0,(\d+),(\d+)\n", header)
        if match is None:
            self.process.wait(PATIENCE_S) if not header else self.process.kill()
            self._drain.join()
            raise EOFError(f"no reply header but {header!r}; stderr: {self.stderr.decode(errors='replace')}")
        metadata = self._replies.read(int(match.group(1)))
        return Reply(json.loads(metadata), self._replies.read(int(match.group(2))))

    def close(self) -> int:
        """End the stream; the exit code. Whatever the command still writes to stdout is an error."""
        self.send()
        with contextlib.suppress(BrokenPipeError):
            self._requests.close()
        rest = self._replies.read()
        code = self.process.wait(PATIENCE_S)
        self._drain.join()
        if rest:
            raise AssertionError(f"unasked output behind the last reply: {rest[:200]!r}")
        return code


def run_command(
    script: Path, python: str, arguments: Sequence[str], bodies: Iterable[bytes], **options: Any
) -> tuple[Reply, list[Reply]]:
    """One whole search: the getinfo reply, and a reply for every body, the last one sent as finished."""
    with Splunkd(script, python, **options) as splunkd:
        info = splunkd.getinfo(*arguments)
        chunks = list(bodies)
        replies = [splunkd.execute(body, finished=i == len(chunks) - 1) for i, body in enumerate(chunks)]
        code = splunkd.close()
    if code != 0:
        raise AssertionError(f"exit code {code}; stderr: {splunkd.stderr.decode(errors='replace')}")
    return info, replies
