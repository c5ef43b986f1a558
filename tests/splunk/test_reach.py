# SPDX-License-Identifier: Apache-2.0
"""What the packaged commands and the shell reach outside themselves, as SECURITY.md says it: they read their own folder,
Python's and the system's libraries, they write nothing, start nothing, and use no network.

Three proofs: a trace of the system calls (strace), the same dialogue without a network (unshare), and Python's own audit
events, which need neither. Where strace or unshare is missing their tests are skipped; REQUIRE_STRACE=1 makes that fail.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.support.dialogue import ARGUMENTS, BODY, execute, frame
from tests.support.splunkd import PATIENCE_S, getinfo_metadata
from tools.places import ROOT

pytestmark = pytest.mark.slow

KEY = "a-session-key-that-nobody-uses"
RECORDS = (ROOT / "samples" / "seed.log").read_text()
SHELL = {
    "enrich": ["flow.log", "--output", "csv"],
    "match": ["--flows", "flow.log", "--anchors", "anchors.csv", "--by", "srcaddr=src", "--output", "csv"],
    "connect": ["flow.log", "--output", "csv"],
    "profile": ["flow.log", "--output", "csv"],
    "learn": ["--flows", "flow.log", "--anchors", "anchors.csv", "--by", "srcaddr=src", "--output", "csv"],
}

#: What may be read beside the app's folder and, by the shell, the files that are named: path -> why.
READS = {
    sys.base_prefix: "Python's standard library",
    sys.prefix: "the environment of the tests, which Python looks through at its start",
    "/lib": "shared libraries",
    "/lib64": "shared libraries",
    "/usr/lib": "shared libraries and locales",
    "/usr/lib64": "shared libraries",
    "/usr/local/lib": "shared libraries",
    "/etc/ld.so.cache": "where shared libraries are",
    "/etc/ld.so.preload": "the system's own list of libraries",
    "/usr/share/locale": "names of locales",
    "/usr/share/zoneinfo": "the system's time zone",
    "/etc/localtime": "the system's time zone",
    "/dev/null": "nothing",
    "/proc/sys/vm/overcommit_memory": "the C library, before it gives memory back",
    "/dev/urandom": "the seed of Python's hashes, on old kernels",
}
#: System calls that tell of a file and change nothing.
LOOKS = {"access", "faccessat", "faccessat2", "stat", "lstat", "newfstatat", "fstatat64", "statx", "readlink", "readlinkat",
         "getcwd", "statfs", "fstat", "execve"}  # fmt: skip
OPENS = {"open", "openat", "openat2"}
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")
ENDS = {"exit", "exit_group"}


def dialogue(command):
    """A whole search, whose getinfo offers a session key and an address to use it at."""
    metadata = getinfo_metadata(ARGUMENTS[command], command)
    metadata["searchinfo"].update(session_key=KEY, splunkd_uri="https://localhost:8089")
    return frame(metadata) + execute() + execute(finished=True, body=BODY)


class Run:
    """Something to run: its command line, stdin, folder, and the paths that are its own."""

    def __init__(self, app, folder, name):
        self.name, self.folder = name, folder
        self.own = [app]
        if name in ARGUMENTS:
            self.words, self.stdin = [sys.executable, str(app / "bin" / f"{name}.py")], dialogue(name)
        else:
            (folder / "flow.log").write_text(RECORDS)
            (folder / "anchors.csv").write_text("_time,src\n1602397450,198.51.100.7\n")
            self.words, self.stdin = [sys.executable, "-m", "flowlag", name, *SHELL[name]], b""
            self.own += [folder / "flow.log", folder / "anchors.csv", folder / "flowlag"]
        self.env = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(app / "lib")}

    def run(self, *before, words=None):
        done = subprocess.run(
            [*before, *(words or self.words)], input=self.stdin, capture_output=True, cwd=self.folder, env=self.env,
            timeout=PATIENCE_S,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout and KEY.encode() not in done.stdout + done.stderr
        return done.stdout


@pytest.fixture(params=[*ARGUMENTS, *SHELL])
def subject(request, app, tmp_path):
    """A copy of the app that has run never before, and a folder to run it in."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    copy = tmp_path / "etc" / "apps" / "flowlag"
    shutil.copytree(app, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return Run(copy, folder, request.param)


@cache
def works(*words):
    """Whether a tool is here and may do its work."""
    try:
        return subprocess.run([*words, "true"], capture_output=True, timeout=PATIENCE_S).returncode == 0
    except FileNotFoundError:
        return False


def need(*words):
    if works(*words):
        return
    what = f"`{' '.join(words)} true` does not work here; on Debian: apt-get install strace util-linux"
    if os.environ.get("REQUIRE_STRACE", "") not in ("", "0"):
        pytest.fail(what)
    pytest.skip(what)


@cache
def cut_off():
    """What runs a command without a network: as root, or as a user who may make namespaces."""
    return next((words for words in (("unshare", "-n"), ("unshare", "-r", "-n")) if works(*words)), ("unshare", "-n"))


def is_below(path, tops):
    """Whether a path is one of these, lies below one, or leads to one (which is looked at on the way)."""
    return any(path == top or top in path.parents or path in top.parents for top in map(Path, tops))


def spellings(paths):
    """The paths as they are named and as they are behind links."""
    return {Path(form(path)) for path in paths for form in (os.path.abspath, os.path.realpath)}


def judge(line, folder):
    """A line of a trace -> (what was done, path or detail); None for what touches nothing.

    Python looks along its path for modules: that something is not there tells nothing, nor does the folder it runs in.
    """
    match = re.match(r"\d+ +(\w+)\((.*)\) += (.*)$", line)
    if match is None:
        return None if re.match(r"\d+ +(\+\+\+|---) ", line) else ("unread", line)
    call, arguments, result = match.groups()
    paths = [folder / Path(json.loads(f'"{text}"')) for text in re.findall(r'"((?:[^"\\]|\\.)*)"', arguments)]
    is_look = call in LOOKS and call != "execve"
    if call in ENDS or (is_look and (not paths or result.startswith("-1 ENOENT") or paths[0] == folder)):
        return None
    if call == "execve":
        return "start", paths[0]
    if is_look or (call in OPENS and not WRITES.search(arguments)):
        return "read", Path(os.path.normpath(paths[0]))
    if call in OPENS:
        return "write", Path(os.path.normpath(paths[0]))
    return "other", line


def trace(subject):
    """What a run did: a set of (what, path)."""
    log = subject.folder.parent / "trace"
    subject.run("strace", "-f", "-qq", "-s", "4096", "-e", "trace=%file,%network,%process", "-o", str(log))
    found = {judge(line, subject.folder) for line in log.read_text().splitlines()} - {None}
    assert any(what == "read" and path.name == "flowlag" for what, path in found), "the trace saw nothing"
    return found


def test_system_calls(subject):
    """The first run may write byte code beside the modules, as Python does; the second writes nothing."""
    need("strace", "-o", os.devnull)
    reads, own = spellings([*READS, *subject.own]), spellings(subject.own)
    for is_first in (True, False):
        found = trace(subject)
        assert [path for what, path in found if what == "start"] == [Path(sys.executable)]
        assert {line for what, line in found if what in ("other", "unread")} - set(made(found, own, is_first)) == set()
        written = [path for what, path in found if what == "write"]
        assert [
            path for path in written if not (is_first and is_byte_code(path, spellings([sys.base_prefix, *own])))
        ] == []
        assert sorted(path for what, path in found if what == "read" and not is_below(path, reads)) == []


def made(found, own, is_first):
    """The calls with which Python puts byte code in place: a folder, and a file that gets its name when it is whole."""
    for what, line in found:
        paths = [Path(text) for text in re.findall(r'"([^"]*)"', line)] if what == "other" else []
        is_made = is_first and paths and re.match(r"\d+ +(mkdir|rename)\(", line)
        tops = own | spellings([sys.base_prefix])
        if is_made and all("__pycache__" in path.parts and is_below(path, tops) for path in paths):
            yield line


def is_byte_code(path, tops):
    return path.parent.name == "__pycache__" and ".pyc" in path.name and is_below(path, tops)


def test_without_a_network_nothing_is_missing(subject):
    expected = subject.run()
    need(*cut_off())
    assert subject.run(*cut_off()) == expected


HOOK = """
import json, os, runpy, sys
allowed = json.loads(sys.argv[1])
ways = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system", "os.spawn", "pty.", "ctypes.",
        "urllib.", "http.", "ftplib.", "smtplib.", "ssl.", "shutil.", "tempfile.", "os.remove", "os.chmod", "os.chown",
        "os.link", "os.symlink", "os.truncate", "os.kill", "signal.pthread_kill", "webbrowser.", "sqlite3.")
bad = []
def hook(event, arguments):
    if event.startswith(ways):
        bad.append([event, repr(arguments)])
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path, mode, flags = arguments
        path = os.path.abspath(os.fsdecode(path))
        if (mode or "r").strip("bt") != "r" or flags & 0o1103:
            bad.append(["write", path])
        elif not any(path == top or path.startswith(top.rstrip("/") + "/") for top in allowed):
            bad.append(["read", path])
target = sys.argv[2:]
sys.dont_write_bytecode = True
sys.addaudithook(hook)
try:
    if target[0] == "-m":
        sys.argv = target[1:]
        runpy.run_module(target[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = target
        sys.path[0] = target[0].rpartition("/")[0]
        runpy.run_path(target[0], run_name="__main__")
finally:
    if bad:
        sys.stderr.write("reached: " + json.dumps(bad) + "\\n")
        sys.stderr.flush()
        os._exit(99)
"""


def test_audit_events(subject):
    """What Python itself reports: every file that is opened, every socket, every process."""
    allowed = sorted(map(str, spellings([*READS, *subject.own])))
    assert subject.run(words=[sys.executable, "-c", HOOK, json.dumps(allowed), *subject.words[1:]])


def test_the_proofs_are_sharp(subject):
    """An app that connects, starts something, or reads or writes elsewhere is found out by each of them."""
    entrance = subject.own[0] / "lib" / "flowlag" / "errors.py"
    elsewhere = subject.folder.parent / "elsewhere"
    deeds = {
        "read": "open('/etc/passwd').close()",
        "write": f"open({str(elsewhere)!r}, 'w').close()",
        "socket": "__import__('socket').socket().close()",
        "start": "__import__('subprocess').call(['true'])",
    }
    source = entrance.read_text()
    allowed = json.dumps(sorted(map(str, spellings([*READS, *subject.own]))))
    for deed in deeds.values():
        entrance.write_text(f"{source}\n{deed}\n")
        words = [sys.executable, "-c", HOOK, allowed, *subject.words[1:]]
        done = subprocess.run(words, input=subject.stdin, capture_output=True, cwd=subject.folder, env=subject.env)
        assert done.returncode == 99 and b"reached" in done.stderr
        if works("strace", "-o", os.devnull):
            with pytest.raises(AssertionError):
                test_system_calls(subject)
