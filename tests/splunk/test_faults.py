# SPDX-License-Identifier: Apache-2.0
"""What can go wrong around the packaged commands as processes: peers that die, pipes that close or fill, signals, closed
streams, no memory. Each ends with the exit code and the words that session.py documents; none hangs, which PATIENCE_S
decides, and what was accepted before is answered.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import threading

import pytest

from tests.support.dialogue import ARGUMENTS, BODY, EVENTS, ROWS, execute, frame
from tests.support.processes import close, ready_for_signals
from tests.support.splunkd import PATIENCE_S, Splunkd, getinfo_metadata, refusal, write_body

pytestmark = pytest.mark.slow


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
    sentence = refusal(reply, command)
    assert (code, rest, stderr) == (1, b"", "")
    assert "ended in the middle" in sentence or "chunk header" in sentence


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
    sentence = refusal(reply, command)
    assert (code, rest, stderr) == (1, b"", "")
    assert ".py" not in sentence and len(sentence) < 600


def test_getinfo_needs_no_more_than_the_arguments(start, command):
    """Whatever else splunkd leaves out or writes differently in another release is not used."""
    with start() as splunkd:
        splunkd.send(frame({"action": "getinfo", "searchinfo": {"args": ARGUMENTS[command], "earliest_time": "now"}}))
        assert "type" in splunkd.read().metadata
        splunkd.send(execute(finished=True))
        assert len(splunkd.read().rows) == ROWS[command][0]
        assert finish(splunkd) == (0, b"", "")


# --- the peer's end of the replies ---


def large(command):
    """A request whose reply, also of the commands that gather, is larger than any pipe's buffer."""
    events = [{**EVENTS[i % 4], "user": "x" * 100, "interface_id": f"eni-{i}"} for i in range(8_000)]
    if command == "flowlaglearn":  # a connection passes few interfaces
        events = [{**EVENTS[i % 4], "key": f"k{i // 4}", "interface_id": f"eni-{i // 4}"} for i in range(2_400)]
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
        sender = threading.Thread(target=splunkd.send, args=(large(command),))
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
    requests = [getinfo, execute(), large(command)]
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
            threading.Thread(target=splunkd.send, args=(large(command),), daemon=True).start()
            assert splunkd.process.stdout.read(10) == b"chunked 1."
        splunkd.process.send_signal(number)
        code = splunkd.process.wait()
        splunkd._drain.join()
    assert (code, splunkd.stderr) == (-number, b"")


# --- closed streams, no memory, errors of our own ---


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
    sentence = refusal(reply, command)
    assert (splunkd.process.returncode, splunkd.stderr) == (1, b"")
    assert sentence.startswith("this process has used up the memory that it may have")


def test_an_error_of_the_app_itself_is_told_and_traced(app, python, command, getinfo, tmp_path):
    """The user gets one sentence, search.log the traceback that a report needs."""
    shutil.copytree(app, tmp_path / "flowlag")
    for name in ("enrich_table", "match_table", "connect_table", "profile_table", "learn_table"):
        path = tmp_path / "flowlag" / "lib" / "flowlag" / "splunk" / f"{name}.py"
        path.write_text(path.read_text().replace("import annotations\n", "import annotations\nlater = lambda *_: 1 // 0\n") + (
            "\nfor _table in [value for name, value in list(globals().items()) if name in "
            "('EnrichTable', 'MatchTable', 'ConnectTable', 'ProfileTable', 'LearnTable')]:\n    _table.feed = _table.tag_pieces = later\n"))  # fmt: skip
    with Splunkd(tmp_path / "flowlag" / "bin" / f"{command}.py", python, patience_s=PATIENCE_S) as splunkd:
        splunkd.send(getinfo, execute())
        splunkd.read()
        sentence = refusal(splunkd.read(), command)
        code, rest, stderr = finish(splunkd)
    assert (code, rest) == (1, b"") and "Traceback" in stderr and "ZeroDivisionError" in stderr
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
