# SPDX-License-Identifier: Apache-2.0
"""What can go wrong around the packaged commands and the shell, as processes: peers that die, pipes that close or fill,
signals, closed streams, no memory. Each ends with the exit code and the words that session.py and shell.py document;
none hangs, which PATIENCE_S decides, and what was accepted before is answered.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading

import pytest

from tests.support.splunkd import PATIENCE_S, Splunkd, getinfo_metadata, write_body
from tools.places import ROOT

pytestmark = pytest.mark.slow

#: Events of which every command makes something: three flows of one key, and an anchor of that key.
FLOWS = [
    {"_time": str(start), "start_time": str(start), "end_time": str(start + 59), "packets": "1", "interface_id": "eni-1",
     "log_status": "OK", "flowlag_status": "ok", "flowlag_earliest": str(start - 60), "flowlag_latest": str(start + 60),
     "key": "a"}
    for start in (1602397446, 1602397506, 1602397566)
]  # fmt: skip
EVENTS = [*FLOWS, {"_time": "1602397450", "key": "a"}]
BODY = write_body(EVENTS)
ARGUMENTS = {"flowlagenrich": [], "flowlagmatch": ["by=key", "maxmatches=3"], "flowlagprofile": []}
#: Rows of the reply to one chunk that is finished, and to one that is not.
ROWS = {"flowlagenrich": (4, 4), "flowlagmatch": (2, 0), "flowlagprofile": (1, 0)}


def frame(metadata, body=b""):
    text = json.dumps(metadata).encode()
    return b"chunked 1.0,%d,%d\n%b%b" % (len(text), len(body), text, body)


def execute(finished=False, body=BODY):
    return frame({"action": "execute", "finished": finished}, body)


@pytest.fixture(params=ARGUMENTS)
def command(request):
    return request.param


@pytest.fixture
def getinfo(command):
    return frame(getinfo_metadata(ARGUMENTS[command], command))


@pytest.fixture
def start(app, python, command):
    """The command as a process that is killed when it hangs."""
    return lambda **more: Splunkd(app / "bin" / f"{command}.py", python, patience_s=PATIENCE_S, **more)


def finish(splunkd):
    """What the command does when nothing more comes: exit code, what it still wrote, stderr."""
    if not splunkd.process.stdin.closed:
        splunkd.send()
        splunkd.process.stdin.close()
    rest = splunkd.process.stdout.read()
    code = splunkd.process.wait()
    splunkd._drain.join()
    return code, rest, splunkd.stderr.decode()


def is_one_line(text, command):
    return text.startswith(f"{command}: ") and text.endswith(".\n") and text.count("\n") == 1


# --- the peer's end of the requests ---


@pytest.mark.parametrize("requests", range(4))
def test_a_stream_that_ends_between_requests_is_the_end(start, command, getinfo, requests):
    """Before the first, too: splunkd starts a command and thinks better of it."""
    with start() as splunkd:
        for request in [getinfo, execute(), execute(finished=True)][:requests]:
            splunkd.send(request)
            reply = splunkd.read()
        assert finish(splunkd) == (0, b"", "")
    if requests == 3:
        assert len(reply.rows) >= ROWS[command][0] and reply.metadata["finished"] is True


def deaths():
    """Where in its request the peer dies: (which request, how many of its bytes it sends)."""
    whole = execute()
    metadata = whole.index(b"\n") + 1
    body = len(whole) - len(BODY)
    yield from [(0, 1), (0, 9), (0, 14), (0, 40), (0, -1)]
    yield from [(n, place) for n in (1, 2) for place in (1, metadata - 1, metadata, body - 1, body, body + 30, -1)]


@pytest.mark.parametrize(("number", "place"), deaths())
def test_a_peer_that_dies_within_a_request(start, command, getinfo, number, place):
    """What it sent before is answered; then one sentence in a reply, for a peer that closed only its end of this pipe."""
    requests = [getinfo, execute(), execute()]
    with start() as splunkd:
        for request in requests[:number]:
            splunkd.send(request)
            reply = splunkd.read()
        assert number < 2 or len(reply.rows) == ROWS[command][1]
        splunkd.send(requests[number][:place])
        splunkd.process.stdin.close()
        reply = splunkd.read()
        code, rest, stderr = finish(splunkd)
    ((level, sentence),) = reply.messages
    assert (code, rest, stderr, level, reply.metadata["finished"]) == (1, b"", "", "ERROR", True)
    assert sentence.startswith(f"{command}: ") and ("ended in the middle" in sentence or "chunk header" in sentence)


BROKEN = {
    "garbage": b"hello\n",
    "version": b"chunked 2.0,2,0\n{}",
    "no-lengths": b"chunked 1.0\n",
    "negative": b"chunked 1.0,-1,0\n",
    "metadata-no-json": b"chunked 1.0,2,0\n{]",
    "metadata-no-object": b"chunked 1.0,2,0\n[]",
    "wrong-action": b'chunked 1.0,17,0\n{"action":"help"}',
    "endless-header": b"chunked 1.0," + b"1" * 5000,
    "lengths-without-measure": b"chunked 1.0,999999999999999999,0\n",
    "endless-action": frame({"action": "x" * 100_000}),
    "no-searchinfo": b'chunked 1.0,20,0\n{"action":"getinfo"}',
    "arguments-no-list": frame({"action": "getinfo", "searchinfo": {"args": "lag=60"}}),
    "arguments-no-texts": frame({"action": "getinfo", "searchinfo": {"args": [60]}}),
}


@pytest.mark.parametrize("request_bytes", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
def test_a_peer_that_breaks_the_protocol_gets_one_sentence(start, command, getinfo, is_first, request_bytes):
    with start() as splunkd:
        if not is_first:
            splunkd.send(getinfo)
            splunkd.read()
        splunkd.send(request_bytes)
        splunkd.process.stdin.close()
        reply = splunkd.read()
        code, rest, stderr = finish(splunkd)
    ((level, sentence),) = reply.messages
    assert (code, rest, stderr, level) == (1, b"", "", "ERROR")
    assert sentence.startswith(f"{command}: ") and ".py" not in sentence and len(sentence) < 600


def test_getinfo_needs_no_more_than_the_arguments(start, command):
    """Whatever else splunkd leaves out or writes differently in another release is not used."""
    with start() as splunkd:
        splunkd.send(frame({"action": "getinfo", "searchinfo": {"args": ARGUMENTS[command], "earliest_time": "now"}}))
        assert "type" in splunkd.read().metadata
        splunkd.send(execute(finished=True))
        assert len(splunkd.read().rows) == ROWS[command][0]
        assert finish(splunkd) == (0, b"", "")


# --- the peer's end of the replies ---


def large():
    """A request whose reply, also of the commands that gather, is larger than any pipe's buffer."""
    events = [{**EVENTS[i % 4], "user": "x" * 100, "interface_id": f"eni-{i}"} for i in range(8_000)]
    return execute(finished=True, body=write_body(events))


def test_a_reply_that_nobody_takes(start, command, getinfo):
    """The reading end is closed before getinfo's reply, or before that of a chunk: one line for search.log."""
    for requests in ([], [getinfo]):
        with start() as splunkd:
            for request in requests:
                splunkd.send(request)
                splunkd.read()
            splunkd.process.stdout.close()
            splunkd.send(execute() if requests else getinfo)
            code = splunkd.process.wait()
            splunkd._drain.join()
        assert code == 1 and is_one_line(splunkd.stderr.decode(), command) and b"Broken pipe" in splunkd.stderr


def test_a_reader_that_goes_while_it_reads(start, command, getinfo):
    """The command is in the middle of writing a reply that no pipe's buffer holds."""
    with start() as splunkd:
        splunkd.send(getinfo)
        splunkd.read()
        sender = threading.Thread(target=splunkd.send, args=(large(),))
        sender.start()
        assert splunkd.process.stdout.read(1000).startswith(b"chunked 1.0,")
        splunkd.process.stdout.close()
        code = splunkd.process.wait()
        sender.join()
        splunkd._drain.join()
    assert code == 1 and is_one_line(splunkd.stderr.decode(), command)


@pytest.mark.parametrize("place", [10, -5])
def test_a_peer_that_is_gone_altogether(start, command, getinfo, place):
    """Both its ends are closed in the middle of a request, as when splunkd is killed."""
    with start() as splunkd:
        splunkd.send(getinfo)
        splunkd.read()
        splunkd.process.stdout.close()
        splunkd.send(execute()[:place])
        splunkd.process.stdin.close()
        code = splunkd.process.wait()
        splunkd._drain.join()
    assert code == 1 and splunkd.stderr.count(b"\n") == 1 and splunkd.stderr.startswith(command.encode())


def talk(splunkd, requests):
    """All requests, sent before the first reply is read, and their replies."""
    sender = threading.Thread(target=splunkd.send, args=requests)
    sender.start()
    replies = [splunkd.read() for _ in requests]
    sender.join()
    return replies


def test_a_slow_reader_gets_every_byte(start, command, getinfo):
    """Nothing is read until the command is stuck in its reply and can take no more requests; then, byte by byte."""
    requests = [getinfo, execute(), large()]
    with start() as splunkd:
        quick = talk(splunkd, requests)
        assert finish(splunkd) == (0, b"", "")
    with start(bufsize=0) as splunkd:
        sender = threading.Thread(target=splunkd.send, args=requests)
        sender.start()
        wanted = sum(len(frame_of(splunkd.process.stdout, size)) for size in (1, 7, 4096))
        sender.join()
        assert finish(splunkd) == (0, b"", "")
    assert wanted == sum(len(reply.body) for reply in quick) and quick[2].body


def frame_of(stream, size):
    """The body of one reply, read from an unbuffered stream by so many bytes at a time."""
    header = b""
    while not header.endswith(b"\n"):
        header += stream.read(1)
    metadata, body = (int(text) for text in header.decode().split(",")[1:])
    taken = b""
    while len(taken) < metadata + body:
        taken += stream.read(min(size, metadata + body - len(taken)))
    return taken[metadata:]


def test_a_peer_that_writes_byte_by_byte(start, command, getinfo):
    requests = [getinfo, execute(), execute(finished=True)]
    with start() as splunkd:
        expected = talk(splunkd, requests)
        assert finish(splunkd)[0] == 0
    with start(bufsize=0) as splunkd:
        for request, wanted in zip(requests, expected):
            for i in range(len(request)):
                splunkd.send(request[i : i + 1])
            header = b""
            while not header.endswith(b"\n"):
                header += splunkd.process.stdout.read(1)
            metadata, body = (int(text) for text in header.decode().split(",")[1:])
            rest = b"".join(splunkd.process.stdout.read(1) for _ in range(metadata + body))
            assert rest[metadata:] == wanted.body
        assert finish(splunkd) == (0, b"", "")


# --- signals ---


def ready_for_signals():
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's `&` has it ignored
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup make test` has it ignored


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.parametrize("moment", ["waiting", "within-a-body", "within-a-reply"])
def test_a_signal_ends_it_at_once_and_quietly(start, command, getinfo, number, moment):
    """The system's own way, so that a shell says 128 + the number; what was answered before stays answered."""
    with start(preexec_fn=ready_for_signals) as splunkd:
        splunkd.send(getinfo)
        splunkd.read()
        splunkd.send(execute())
        assert len(splunkd.read().rows) == ROWS[command][1]
        if moment == "within-a-body":
            splunkd.send(execute()[:-9])
        if moment == "within-a-reply":
            threading.Thread(target=splunkd.send, args=(large(),), daemon=True).start()
            assert splunkd.process.stdout.read(10) == b"chunked 1."
        splunkd.process.send_signal(number)
        code = splunkd.process.wait()
        splunkd._drain.join()
    assert (code, splunkd.stderr) == (-number, b"")


# --- closed streams, no memory, errors of our own ---


def close(*numbers):
    return lambda: [os.close(number) for number in numbers]


@pytest.mark.parametrize("closed", [(0,), (1,), (0, 1), (0, 1, 2)], ids=str)
def test_streams_that_are_closed_from_the_start(app, python, command, closed):
    done = subprocess.run(
        [python, str(app / "bin" / f"{command}.py")],
        stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=close(*closed), timeout=PATIENCE_S,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr == b"" if 2 in closed else is_one_line(done.stderr.decode(), command)


def test_words_for_a_closed_stderr_do_not_land_on_the_wire(start, command, getinfo):
    with start(preexec_fn=close(2)) as splunkd:
        splunkd.send(getinfo)
        splunkd.read()
        splunkd.send(b"nonsense\n")
        assert "nonsense" in splunkd.read().messages[0][1]
        assert finish(splunkd) == (1, b"", "")


def test_a_memory_that_is_used_up_is_one_sentence(start, command, getinfo):
    """ulimit -v, as an administrator may set it for searches."""
    most = 200 << 20
    with start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most))) as splunkd:
        splunkd.send(getinfo)
        splunkd.read()
        value = b"x" * (1 << 20)
        body = b"start_time,key,user\n" + b"1602397446,a," + value * 150 + b"\n"
        sender = threading.Thread(target=splunkd.send, args=(execute(True, body),))
        sender.start()
        reply = splunkd.read()
        splunkd.process.wait()
        sender.join()
        splunkd._drain.join()
    ((level, sentence),) = reply.messages
    assert (splunkd.process.returncode, splunkd.stderr, level) == (1, b"", "ERROR")
    assert sentence.startswith(f"{command}: the memory that this process may have is used up")


def test_an_error_of_the_app_itself_is_told_and_traced(app, python, command, getinfo, tmp_path):
    """The user gets one sentence, search.log the traceback that a report needs."""
    shutil.copytree(app, tmp_path / "flowlag")
    for name in ("enrich_table", "match_table", "profile_table"):
        path = tmp_path / "flowlag" / "lib" / "flowlag" / "splunk" / f"{name}.py"
        path.write_text(path.read_text().replace("import annotations\n", "import annotations\nlater = lambda *_: 1 // 0\n") + (
            "\nfor _table in [value for name, value in list(globals().items()) if name in "
            "('EnrichTable', 'MatchTable', 'ProfileTable')]:\n    _table.feed = _table.tag_pieces = later\n"))  # fmt: skip
    with Splunkd(tmp_path / "flowlag" / "bin" / f"{command}.py", python, patience_s=PATIENCE_S) as splunkd:
        splunkd.send(getinfo, execute())
        splunkd.read()
        ((level, sentence),) = splunkd.read().messages
        code, rest, stderr = finish(splunkd)
    assert (code, rest, level) == (1, b"", "ERROR") and "Traceback" in stderr and "ZeroDivisionError" in stderr
    assert "ZeroDivisionError" in sentence and "report" in sentence and "\n" not in sentence


@pytest.mark.parametrize("kind", ["vanished", "folder", "pipe", "link-out", "loop", "device"])
def test_a_lookup_file_that_is_none_wedges_no_search(app, python, tmp_path, kind):
    """lookups/flowlag_windows.csv: whatever stands in its place, events are tagged and the warning says what was not."""
    shutil.copytree(app, tmp_path / "flowlag")
    place = tmp_path / "flowlag" / "lookups" / "flowlag_windows.csv"
    place.parent.mkdir(exist_ok=True)
    {
        "vanished": lambda: place.symlink_to("nothing"),
        "folder": place.mkdir,
        "pipe": lambda: os.mkfifo(place),
        "link-out": lambda: place.symlink_to("/etc/passwd"),
        "loop": lambda: place.symlink_to(place),
        "device": lambda: place.symlink_to("/dev/zero"),
    }[kind]()
    with Splunkd(tmp_path / "flowlag" / "bin" / "flowlagenrich.py", python, patience_s=PATIENCE_S) as splunkd:
        splunkd.getinfo()
        reply = splunkd.execute(BODY, finished=True)
        assert splunkd.close() == 0
    assert len(reply.rows) == 4 and splunkd.stderr == b""
    assert [level for level, _ in reply.messages] == ([] if kind == "vanished" else ["WARN"])


# --- the shell ---

RECORD = "2 123456789012 eni-1 192.0.2.1 192.0.2.2 52233 22 6 85 8216 {} {} ACCEPT OK"
SHELL = {
    "enrich": ["FLOWS"],
    "match": ["--flows", "FLOWS", "--by", "srcaddr=src", "--maxmatches", "1000", "--anchors", "ANCHORS"],
    "profile": ["--minrecords", "1", "FLOWS"],
}
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "lib"), "COLUMNS": "200"}
ENVIRONMENT.pop("PYTHONUNBUFFERED", None)


@pytest.fixture(params=SHELL)
def arguments(request, tmp_path):
    """A command of the shell over files whose output fills every buffer."""
    lines = [RECORD.replace("eni-1", f"eni-{i}").format(i, i + 59) for i in range(1602397446, 1602400446)]
    (tmp_path / "flow.log").write_text("\n".join(lines) + "\n")
    (tmp_path / "anchors.csv").write_text(
        "_time,src\n" + "".join(f"{1602397446 + i},192.0.2.1\n" for i in range(0, 3000, 100))
    )
    places = {"FLOWS": str(tmp_path / "flow.log"), "ANCHORS": str(tmp_path / "anchors.csv")}
    return [request.param, *(places.get(word, word) for word in SHELL[request.param])]


def shell(arguments, **more):
    more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    command = [sys.executable, "-W", "error", "-m", "flowlag", *arguments]
    environment = {**ENVIRONMENT, **more.pop("variables", {})}
    return subprocess.run(command, env=environment, timeout=PATIENCE_S, **more)


def open_shell(arguments, **more):
    more = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen([sys.executable, "-W", "error", "-m", "flowlag", *arguments], env=ENVIRONMENT, **more)


@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_a_reader_of_the_shell_that_has_seen_enough(arguments, output):
    """`| head`: no failure, and no word."""
    with open_shell([*arguments, "--output", output]) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b"" and process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("output", ["table", "csv", "json"])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk(arguments, output):
    with open("/dev/full", "wb") as full:
        done = shell([*arguments, "--output", output], stdout=full)
    assert done.returncode == 3 and done.stderr.count(b"\n") == 1
    assert done.stderr.startswith(b"flowlag: stdout: the output cannot be written (No space left")


@pytest.mark.parametrize("variables", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_a_disk_that_fills_on_the_way(arguments, tmp_path, variables):
    """What fits is the beginning of the output, and the exit code tells that it is not all."""
    whole = shell([*arguments, "--output", "csv"]).stdout
    most = 30_000
    with (tmp_path / "out").open("wb") as out:
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))  # noqa: E731
        done = shell([*arguments, "--output", "csv"], stdout=out, preexec_fn=limit, variables=variables)
    assert (
        done.returncode == 3 and done.stderr.count(b"\n") == 1 and b"cannot be written (File too large" in done.stderr
    )
    assert (tmp_path / "out").read_bytes() == whole[:most] and len(whole) > most


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["enrich", "--help"]], ids=" ".join)
def test_help_that_nobody_can_read(words):
    with open("/dev/full", "wb") as full:
        done = shell(words, stdout=full)
    assert done.returncode == 3 and done.stderr.count(b"\n") == 1 and b"cannot be written" in done.stderr
    reading, writing = os.pipe()
    os.close(reading)
    done = shell(words, stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_closed_stdout(arguments):
    done = shell(arguments, preexec_fn=close(1))
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr == b"flowlag: stdout is closed; send the output somewhere\n"


def test_a_closed_stdin_is_an_input_that_cannot_be_read(arguments):
    done = shell(
        [arguments[0], *("-" if word.endswith("flow.log") else word for word in arguments[1:])], preexec_fn=close(0)
    )
    assert (
        done.returncode == 3
        and done.stderr.startswith(b"flowlag: -: stdin is closed")
        and b"Traceback" not in done.stderr
    )


@pytest.mark.parametrize("words", [["enrich", "nothing"], ["enrich", "--lag=x", "y"], ["nonsense"], []], ids=" ".join)
def test_complaints_for_a_closed_or_full_stderr_go_nowhere(words):
    """Above all not to stdout, where `print` would put them."""
    expected = shell(words)
    done = shell(words, preexec_fn=close(2))
    assert (done.returncode, done.stdout) == (expected.returncode, expected.stdout) and expected.returncode in (2, 3)
    with open("/dev/full", "wb") as full:
        done = shell(words, stderr=full)
    assert (done.returncode, done.stdout) == (expected.returncode, expected.stdout)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("name", SHELL)
def test_a_signal_ends_the_shell_quietly(name, number):
    """SIGINT with 130; SIGTERM the system's way, which a shell tells as 143."""
    words = ["-" if word == "FLOWS" else word for word in SHELL[name]]
    with open_shell([name, *words], preexec_fn=ready_for_signals) as process:
        # more than a pipe's buffer holds: when all is written, the command runs and reads
        process.stdin.write(
            b"".join(b"%s\n" % RECORD.format(i, i + 59).encode() for i in range(1602397446, 1602398446))
        )
        process.stdin.flush()
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (130 if number == signal.SIGINT else -number, b"")


def test_a_slow_reader_and_a_slow_writer_of_the_shell(arguments, tmp_path):
    """One byte at a time into its stdin, and out of its stdout."""
    small = (tmp_path / "flow.log").read_bytes()[:3000]
    (tmp_path / "flow.log").write_bytes(small)
    expected = shell([*arguments, "--output", "csv"])
    words = ["-" if word.endswith("flow.log") else word for word in arguments]
    with open_shell([*words, "--output", "csv"], bufsize=0) as process:
        for i in range(len(small)):
            process.stdin.write(small[i : i + 1])
        process.stdin.close()
        out = b""
        while piece := process.stdout.read(1):
            out += piece
        assert (process.wait(PATIENCE_S), process.stderr.read()) == (0, expected.stderr)
    assert out == expected.stdout and out.count(b"\n") > 2


def unreadable(folder):
    """Things that are no file to read, and the sentence that says so."""
    gone = folder / "gone.log"
    gone.symlink_to("deleted.log")
    loop = folder / "loop.log"
    loop.symlink_to(loop)
    cut = folder / "cut.gz"
    cut.write_bytes(gzip.compress((RECORD.format(1602397446, 1602397505) + "\n").encode() * 50)[:-20])
    return {
        "nothing.log": "there is no such file; check its name",
        str(gone): "there is no such file; check its name",
        str(folder): "this is a folder; name the files in it",
        str(loop): "it cannot be read (Too many levels of symbolic links); check the file and the disk",
        "/proc/self/mem": "it cannot be read (Input/output error); check the file and the disk",
        str(cut): "the compressed data end too early, so its last records are missing; fetch the file again",
    }


@pytest.mark.parametrize("name", SHELL)
def test_files_that_cannot_be_read_cost_themselves_only(name, tmp_path):
    """Missing, vanished, no file, damaged, with an error of the disk while it is read: the next one is read."""
    good = tmp_path / "good.log"
    good.write_text(RECORD.format(1602397446, 1602397505) + "\n")
    bad = unreadable(tmp_path)
    (tmp_path / "anchors.csv").write_text("_time,src\n1602397450,192.0.2.1\n")
    options = [word for word in SHELL[name] if word != "FLOWS"]
    words = [str(tmp_path / "anchors.csv") if word == "ANCHORS" else word for word in options]
    files = [*bad, str(good)]
    words = [words[0], *files, *words[1:]] if name == "match" else [*words, *files]
    done = shell([name, *words, "--output", "json"], cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.decode().splitlines() == [f"flowlag: {path}: {why}" for path, why in bad.items()]
    assert json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", SHELL)
def test_a_file_without_permission(name, tmp_path):
    """Without root's power to read everything, where the tests run as root."""
    secret = tmp_path / "secret.log"
    secret.write_text(RECORD.format(1602397446, 1602397505) + "\n")
    secret.chmod(0)
    (tmp_path / "anchors.csv").write_text("_time,src\n1602397450,192.0.2.1\n")
    places = {"FLOWS": str(secret), "ANCHORS": str(tmp_path / "anchors.csv")}
    done = shell([name, *(places.get(word, word) for word in SHELL[name])], preexec_fn=give_up_power)
    assert done.returncode == 3
    assert done.stderr.decode().splitlines()[0] == (
        f"flowlag: {secret}: it may not be read; ask for the permission, or run this as its owner"
    )


def give_up_power():
    """Drop what lets root read every file (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH), and stay the same user."""
    if os.geteuid() == 0:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP: gone at the next exec


@pytest.mark.parametrize("name", SHELL)
def test_a_writer_that_dies_leaves_what_it_wrote(name, tmp_path):
    """A pipe as a file, whose writer goes in the middle of a line: the lines before it are records."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "anchors.csv").write_text("_time,src\n1602397450,192.0.2.1\n")
    places = {"FLOWS": str(tmp_path / "pipe"), "ANCHORS": str(tmp_path / "anchors.csv")}
    with open_shell([name, *(places.get(word, word) for word in SHELL[name]), "--output", "json"]) as process:
        with (tmp_path / "pipe").open("wb") as pipe:
            pipe.write(f"{RECORD.format(1602397446, 1602397505)}\n{RECORD[:40]}".encode())
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0 and b"Traceback" not in err
    assert len(out.splitlines()) == (2 if name == "enrich" else 1)
