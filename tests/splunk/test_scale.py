# SPDX-License-Identifier: Apache-2.0
"""Small versions of what bench/scale.py measures: the packaged commands over many tiny chunks, thousands of columns
and of interfaces. Answers are right, each request has its reply, and memory does not grow with what is not held.

Nothing here looks at a clock. Work that grows with the square of the input takes minutes at these sizes, and PATIENCE_S
ends it; what can be counted is counted instead.
"""

from __future__ import annotations

import csv
import io
import os

import pytest

from bench.traffic import make_chunk
from flowlag.files.rows import name_columns
from flowlag.match import candidates
from flowlag.match.candidates import Anchor, Candidates, Flow
from flowlag.match.relation import target_of
from tests.support.dialogue import ARGUMENTS
from tests.support.splunkd import PATIENCE_S, Splunkd

pytestmark = pytest.mark.slow

BEGIN = 1_600_000_000
HEAD = (
    "start_time,end_time,packets,interface_id,log_status,flowlag_status,flowlag_start,flowlag_end,flowlag_earliest,"
    "flowlag_latest,key,_time,src_ip,dest_ip,protocol"
)


def flow(i, interface):
    start = BEGIN + 60 * i
    tags = f"ok,{start},{start + 59},{start - 60},{start + 60}"
    return f"{start},{start + 59},1,eni-{interface},OK,{tags},{interface},{start},192.0.2.{interface},198.51.100.1,1"


def anchor(i, key):
    return f",,1,,,,,,,,{key},{BEGIN + 60 * i},,,"


class Search:
    """One search; its replies one by one, and the most memory that the process had."""

    def __init__(self, app, python, command, arguments=None):
        self.splunkd = Splunkd(app / "bin" / f"{command}.py", python, patience_s=PATIENCE_S)
        self.arguments = ARGUMENTS[command] if arguments is None else arguments
        if command == "flowlaglearn" and arguments is None:
            self.arguments = ["by=key", "anchor_packets=packets"]

    def run(self, bodies):
        with self.splunkd as splunkd:
            splunkd.getinfo(*self.arguments)
            for body in bodies:
                yield splunkd.execute(body)
            yield splunkd.execute(b"", finished=True)
            splunkd.process.stdin.close()
            _, status, usage = os.wait4(splunkd.process.pid, 0)
            splunkd.process.returncode = status
        assert (status, splunkd.stderr) == (0, b"")
        self.peak_kb = usage.ru_maxrss


@pytest.fixture
def search(app, python):
    """A whole search: what was done with each reply, and the peak of memory in KB."""

    def run(command, bodies, take=lambda reply: reply.body, arguments=None):
        one = Search(app, python, command, arguments)
        return [take(reply) for reply in one.run(bodies)], one.peak_kb

    return run


def read(body):
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


def tiny(count):
    return (f"{HEAD}\n{flow(i // 2, i % 7) if i % 2 else anchor(i // 2, (i + 1) % 7)}\n".encode() for i in range(count))


@pytest.mark.parametrize("command", ARGUMENTS)
def test_thousands_of_chunks_of_one_event(search, command):
    """Each has one reply, and a command that holds nothing has the memory that it had after a tenth of them."""
    replies, peak_kb = search(command, tiny(3000))
    assert len(replies) == 3001
    if command == "flowlagenrich":
        assert all(body.count(b"\n") == 2 for body in replies[:-1]) and replies[-1] == b""
        assert sum(b",ok,16" in body for body in replies) == 1500
    else:
        assert set(replies[:-1]) == {b""}
        assert len(read(replies[-1])) == (1500 if command == "flowlagmatch" else 7) or command == "flowlagmatch"
    if command in ("flowlagenrich", "flowlagprofile"):
        assert peak_kb <= 1.3 * search(command, tiny(300))[1]


def wide(rows, columns=10_000):
    count = columns - HEAD.count(",") - 1
    names = HEAD + "".join(f",field {i}" for i in range(count))
    tail = "".join(f",{i}" for i in range(count))
    for i in range(0, rows, 50):
        lines = [(flow(n // 2, 1) if n % 2 else anchor(n // 2, 1)) + tail for n in range(i, min(i + 50, rows))]
        yield "\n".join([names, *lines, ""]).encode()


@pytest.mark.parametrize("command", ARGUMENTS)
def test_ten_thousand_columns(search, command):
    """Every column comes back, in its order; memory follows the chunk and not the search."""
    bodies = list(wide(200))
    replies, peak_kb = search(command, bodies)
    if command == "flowlagenrich":
        for body, reply in zip(bodies, replies):
            # the tags that came are replaced: they stand behind all else
            rows, given = read(reply), read(body)
            assert len(rows) == len(given) and len(rows[0]) == 10_000 - 5 + 14
            assert [[row[f"field {i}"] for i in (0, 9_984)] for row in rows] == [["0", "9984"]] * len(rows)
            assert [row["flowlag_status"] for row in rows] == ["other", "ok"] * (len(rows) // 2)
        assert peak_kb <= 1.3 * search(command, list(wide(50)))[1]
    elif command == "flowlagmatch":
        rows = read(replies[-1])
        assert rows and all(row["field 9984"] == row["flow_field 9984"] == "9984" for row in rows)
    else:
        counts = {"flowlagprofile": "ok", "flowlagconnect": "records", "flowlaglearn": "anchors"}
        names = ("home" if command == "flowlagconnect" else "interface_id", counts[command])
        assert [tuple(row[name] for name in names) for row in read(replies[-1])] == [("eni-1", "100")]
        assert peak_kb <= 1.3 * search(command, list(wide(50)))[1]


def test_columns_without_end_of_both_sides(search):
    """flowlagmatch gives each column twice, by the name of its side; 100,000 names are looked up and not searched."""
    (_, body), _ = search("flowlagmatch", wide(2, columns=100_000))
    ((name, value), *_) = reversed(list(zip(*csv.reader(io.StringIO(body.decode())))))
    assert (name, value) == ("match_truncated", "0") and body.count(b"flow_field") > 99_000


def test_twenty_thousand_interfaces(search):
    """In any order and over many chunks: a row for each, in order, with its own phase."""
    rows = [flow(i, n).replace(f"eni-{n},", f"eni-{n:05},") for i in range(4) for n in range(20_000)]
    bodies = ["\n".join([HEAD, *rows[i : i + 9_000], ""]).encode() for i in range(0, len(rows), 9_000)]
    replies, _ = search("flowlagprofile", bodies, arguments=["minrecords=1"])
    assert set(replies[:-1]) == {b""}
    found = [(row["interface_id"], row["records"], row["timing_mode"], row["phase"]) for row in read(replies[-1])]
    assert found == [(f"eni-{n:05}", "4", "grid", str(BEGIN % 60)) for n in range(20_000)]


@pytest.mark.parametrize("interval", ["60", "2", "1"])
def test_an_interface_with_windows_without_end(search, interval):
    """Months of them: each is looked at a few times, whatever the interval that is looked for."""
    lines = [flow(i, 0) for i in range(150_000)]
    bodies = ["\n".join([HEAD, *lines[i : i + 50_000], ""]).encode() for i in range(0, len(lines), 50_000)]
    replies, _ = search("flowlagprofile", bodies, arguments=[f"interval={interval}"])
    ((row),) = read(replies[-1])
    assert row["records"] == "150000" and (row["timing_mode"] == "grid") == (interval == "60")


def test_ten_times_the_events_take_the_same_memory(search):
    """flowlagenrich holds a chunk, whose size is the peer's choice, and never the search."""

    def peak_kb(chunks):
        counts, peak = search("flowlagenrich", (make_chunk("narrow", n, 5000) for n in range(chunks)), count_rows)
        assert counts == [5000] * chunks + [-1]
        return peak

    assert peak_kb(30) <= 1.3 * peak_kb(3)


def count_rows(reply):
    return reply.body.count(b"\n") - 1


def test_thousands_of_flows_of_one_batch(monkeypatch):
    """A scan: flows of one key and one window have the same stamps, and are told apart by their rows alone."""
    ranked = []
    rank_flow = candidates.rank_flow
    monkeypatch.setattr(candidates, "rank_flow", lambda *given: ranked.append(1) or rank_flow(*given))
    flows = [Flow(0, 120_000_000, 60_000_000, f"row {i:06}") for i in range(20_000)]
    count, best, _ = Candidates(flows[::-1], target_of("overlap", 1_000_000)).best(Anchor(60_000_000, 60_000_000), 100)
    assert count == 20_000 and [found.row for _, found in best] == [found.row for found in flows[:100]]
    assert len(ranked) <= 200


def test_names_of_columns_that_are_all_the_same():
    """A header of one word without end: each double gets the next number, and the numbers before are not tried again."""
    assert name_columns(["a", "a_2", "a", "a", "", "a_2"]) == ["a", "a_2", "a_3", "a_4", "column_5", "a_2_2"]
    assert name_columns(["a"] * 200_000)[-1] == "a_200000"


def test_a_header_line_of_sixty_thousand_characters(app, python, tmp_path):
    """Many of them, in the shell: each settles the layout anew."""
    import subprocess

    header = "version " + " ".join(f"{i:x}" for i in range(10_000))
    (tmp_path / "flow.log").write_text(f"{header}\n" * 20 + "1 2 3\n")
    env = {**os.environ, "PYTHONPATH": str(app / "lib")}
    command = [python, "-m", "flowlag", "enrich", str(tmp_path / "flow.log"), "--output", "csv"]
    done = subprocess.run(command, env=env, capture_output=True, timeout=PATIENCE_S)
    assert done.returncode == 0 and b"1 2 3,other," in done.stdout
