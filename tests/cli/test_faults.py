# SPDX-License-Identifier: Apache-2.0
"""What can go wrong around the shell as a process: readers that go, disks that fill, closed streams, signals, files that
cannot be read. Each ends with the exit code and the words that cli/terminal.py documents; none hangs.
"""

from __future__ import annotations

import gzip
import json
import os
import resource
import signal
import subprocess

import pytest

from tests.support.processes import ENVIRONMENT, PATIENCE_S, SHELL, close, ready_for_signals

pytestmark = pytest.mark.slow

RECORD = "2 123456789012 eni-1 192.0.2.1 192.0.2.2 52233 22 6 1 8216 {} {} ACCEPT OK"
ANCHOR = "_time,src,port,n\n1602397450,192.0.2.1,52233,1\n"
COMMANDS = {
    "enrich": ["FLOWS"],
    "match": ["--flows", "FLOWS", "--by", "srcaddr=src", "--maxmatches", "1000", "--anchors", "ANCHORS"],
    "connect": ["--gap", "0", "--lag", "0", "FLOWS"],
    "profile": ["--minrecords", "1", "FLOWS"],
    "learn": ["--flows", "FLOWS", "--by", "srcport=port", "--anchor-packets", "n", "--anchors", "ANCHORS"],
}


@pytest.fixture(params=COMMANDS)
def arguments(request, tmp_path):
    """A command of the shell over files whose output fills every buffer."""
    lines = [RECORD.replace("eni-1", f"eni-{i}").format(i, i + 59) for i in range(1602397446, 1602400446)]
    (tmp_path / "flow.log").write_text("\n".join(lines) + "\n")
    (tmp_path / "anchors.csv").write_text(
        "_time,src\n" + "".join(f"{1602397446 + i},192.0.2.1\n" for i in range(0, 3000, 100))
    )
    if request.param == "learn":  # each interface has an anchor of one packet, by the port of its flow
        ports = [(1602397446 + i, 20_000 + i) for i in range(1500)]
        flows = [RECORD.replace("eni-1", f"eni-{p}").replace("52233", str(p)) for _, p in ports]
        lines = [flow.format(time, time + 59) for flow, (time, _) in zip(flows, ports)]
        (tmp_path / "flow.log").write_text("\n".join(lines) + "\n")
        (tmp_path / "anchors.csv").write_text("_time,port,n\n" + "".join(f"{time},{p},1\n" for time, p in ports))
    places = {"FLOWS": str(tmp_path / "flow.log"), "ANCHORS": str(tmp_path / "anchors.csv")}
    return [request.param, *(places.get(word, word) for word in COMMANDS[request.param])]


def shell(arguments, **more):
    more = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    command = [*SHELL, *arguments]
    environment = {**ENVIRONMENT, **more.pop("variables", {})}
    return subprocess.run(command, env=environment, timeout=PATIENCE_S, **more)


def open_shell(arguments, **more):
    more = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen([*SHELL, *arguments], env=ENVIRONMENT, **more)


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
@pytest.mark.parametrize("name", COMMANDS)
def test_a_signal_ends_the_shell_quietly(name, number):
    """SIGINT with 130; SIGTERM the system's way, which a shell tells as 143."""
    words = ["-" if word == "FLOWS" else word for word in COMMANDS[name]]
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
        str(loop): "it cannot be read (Too many levels of symbolic links); check the file and the disk",
        "/proc/self/mem": "it cannot be read (Input/output error); check the file and the disk",
        str(cut): "the compressed data end too early, so its last records are missing; fetch the file again",
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_files_that_cannot_be_read_cost_themselves_only(name, tmp_path):
    """Missing, vanished, no file, damaged, with an error of the disk while it is read: the next one is read."""
    good = tmp_path / "good.log"
    good.write_text(RECORD.format(1602397446, 1602397505) + "\n")
    bad = unreadable(tmp_path)
    (tmp_path / "anchors.csv").write_text(ANCHOR)
    options = [word for word in COMMANDS[name] if word != "FLOWS"]
    words = [str(tmp_path / "anchors.csv") if word == "ANCHORS" else word for word in options]
    files = [*bad, str(good)]
    words = [words[0], *files, *words[1:]] if name in ("match", "learn") else [*words, *files]
    done = shell([name, *words, "--output", "json"], cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.decode().splitlines() == [f"flowlag: {path}: {why}" for path, why in bad.items()]
    assert json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", COMMANDS)
def test_a_file_without_permission(name, tmp_path):
    """Without root's power to read everything, where the tests run as root."""
    secret = tmp_path / "secret.log"
    secret.write_text(RECORD.format(1602397446, 1602397505) + "\n")
    secret.chmod(0)
    (tmp_path / "anchors.csv").write_text(ANCHOR)
    places = {"FLOWS": str(secret), "ANCHORS": str(tmp_path / "anchors.csv")}
    done = shell([name, *(places.get(word, word) for word in COMMANDS[name])], preexec_fn=give_up_power)
    assert done.returncode == 3
    assert done.stderr.decode().splitlines()[0] == (
        f"flowlag: {secret}: there is no permission to read it; ask for it, or run this as its owner"
    )


def give_up_power():
    """Drop what lets root read every file (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH), and stay the same user."""
    if os.geteuid() == 0:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP: gone at the next exec


@pytest.mark.parametrize("name", COMMANDS)
def test_a_writer_that_dies_leaves_what_it_wrote(name, tmp_path):
    """A pipe as a file, whose writer goes in the middle of a line: the lines before it are records."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "anchors.csv").write_text(ANCHOR)
    places = {"FLOWS": str(tmp_path / "pipe"), "ANCHORS": str(tmp_path / "anchors.csv")}
    with open_shell([name, *(places.get(word, word) for word in COMMANDS[name]), "--output", "json"]) as process:
        with (tmp_path / "pipe").open("wb") as pipe:
            pipe.write(f"{RECORD.format(1602397446, 1602397505)}\n{RECORD[:40]}".encode())
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0 and b"Traceback" not in err
    assert len(out.splitlines()) == (2 if name == "enrich" else 1)
