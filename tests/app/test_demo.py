# SPDX-License-Identifier: Apache-2.0
"""`make demo`: it fits a screen, its numbers are those of the commands and of the truth, and it explains its words."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from datetime import datetime, timezone

import pytest

from flowlag.enrich_options import ENRICH_OPTIONS
from flowlag.match.options import MATCH_OPTIONS
from flowlag.profile.profiler import PROFILE_FIELDS
from flowlag.tags import TAG_FIELDS
from tests.support.splunkd import run_command, write_body
from tools.places import ROOT, SAMPLES

#: Words of the app and of Splunk, with the phrase of the demo that explains each; nothing uses the word before it.
EXPLAINED = {
    "flow log": "A flow log is AWS's list of network traffic",
    "record": "One record counts the packets that one connection sent in one direction",
    "start": "It has a start and an end in whole seconds",
    "end": "It has a start and an end in whole seconds",
    "bounds": "passed between start - 60 s and end + 1 s; nothing tells where between these bounds",
    "flowlagenrich": "flowlagenrich adds the bounds",
    "flowlagmatch": "flowlagmatch compares them with the login",
    "_time": "Splunk gives each event one time, _time; that of a record is its start",
    "join": "A join pairs a login with the records whose start is near",
}
#: The headings ask what the lines below them answer.
HEADINGS = re.compile(r"flowlag: .*\n|^\d\. .*?[.?] ", re.MULTILINE)
#: The vocabulary of the docs that is not in a name of an option or a field.
JARGON = {
    "aggregation", "anchor", "anchors", "basis", "batch", "certain", "cim", "eni", "envelope", "epoch", "grid", "index",
    "indexer", "jitter", "key", "nodata", "overlap", "resolution", "skew", "skipdata", "spl", "splunkd", "stamp",
    "tag", "tags", "window",
}  # fmt: skip
#: Parts of names that are plain English, too.
PLAIN = {"by", "first", "last", "packet", "packets", "records", "time", "within"}


@pytest.fixture(scope="module")
def demo():
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def rows_below(demo, head):
    """The cells of the table whose head begins so."""
    lines = iter(demo.splitlines())
    next(line for line in lines if line.strip().startswith(head))
    return [re.split(r" {3,}", line.strip()) for line in iter(lambda: next(lines), "")]


def clock(epoch):
    return datetime.fromtimestamp(float(epoch), timezone.utc).strftime("%H:%M:%S")


def in_words(demo):
    """The text with its line breaks and indents as single blanks."""
    return " ".join(demo.split())


def read(name):
    with (SAMPLES / "logins" / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def flows():
    return [line.split() for line in (SAMPLES / "logins" / "flows.log").read_text().splitlines()[1:]]


@pytest.fixture(scope="module")
def ask(app, flows):
    """What the packaged commands say of all logins, asked without any help of the demo: (login, flow) in their order."""
    events = [
        {
            "_raw": " ".join(flow),
            "_time": flow[10],
            "start": flow[10],
            "end": flow[11],
            "flags": flow[14],
            "n": i,
            "a": flow[3],
            "b": flow[4],
        }
        for i, flow in enumerate(flows)
    ]
    events += [
        {"_time": row["_time"], "n": i, "src": row["src"], "dest": row["dest"]}
        for i, row in enumerate(read("logins.csv"))
    ]
    _, (tagged,) = run_command(app / "bin" / "flowlagenrich.py", sys.executable, [], [write_body(events)])

    def answer(*options):
        options = ["by=a=src,b=dest", "maxmatches=1000", *options]
        _, (reply,) = run_command(app / "bin" / "flowlagmatch.py", sys.executable, options, [tagged.body])
        return [(int(row["n"]), int(row["flow_n"])) for row in reply.rows if row["flow_n"]]

    return answer


@pytest.fixture(scope="module")
def matched(ask):
    return ask()


@pytest.fixture(scope="module")
def opening(ask):
    return ask("starts=flags", "rank=probability", "exclusive=true")


def test_it_fits_a_screen(demo):
    lines = demo.splitlines()
    assert max(map(len, lines)) <= 100 and len(lines) <= 41
    assert not [line for line in lines if line != line.rstrip() or "\t" in line]


def test_the_records_of_the_login(demo, flows, matched):
    """Part 1: bounds by the rule that the demo states, the verdict of flowlagmatch, and the truth."""
    source, target, time = re.search(r"1\. (\S+) logs in to (\S+) at (\S+)\.", demo).groups()
    (login,) = [
        i
        for i, row in enumerate(read("logins.csv"))
        if (row["src"], row["dest"]) == (source, target)
        and row["_time"].endswith(time[-4:])
        and clock(row["_time"]) == time[:8]
    ]
    at = float(read("logins.csv")[login]["_time"])
    truth = {(int(row["login"]), int(row["flow"])) for row in read("truth.csv")}
    near = [
        i for i, flow in enumerate(flows) if (flow[3], flow[4]) == (source, target) and abs(int(flow[10]) - at) <= 60
    ]
    expected = []
    for i in near:
        start, end = int(flows[i][10]), int(flows[i][11])
        cells = [
            clock(start),
            clock(end),
            f"{clock(start - 60)} and {clock(end + 1)}",
            "yes" if (login, i) in matched else "no",
        ]
        expected.append(cells + ["<- the right one"] * ((login, i) in truth))
        assert ((login, i) in matched) == (start - 60 <= at + 1 and at - 1 <= end + 1)
    assert rows_below(demo, "start ") == expected
    assert f"{len(near)} records of the two addresses" in demo
    # the case tells something: there is a no, the right one starts after the login, and the nearest is another one
    assert ["no" in row for row in expected].count(True) and [row[-1] for row in expected].count(
        "<- the right one"
    ) == 1
    (right,) = [i for i in near if (login, i) in truth]
    assert int(flows[right][10]) > at and min(near, key=lambda i: abs(int(flows[i][10]) - at)) != right


def pairs_of_joins(flows):
    """Plain joins on `_time`, written down once more: all records of a login's addresses by distance of their start."""
    for number, row in enumerate(read("logins.csv")):
        at = float(row["_time"])
        mine = [i for i, flow in enumerate(flows) if (flow[3], flow[4]) == (row["src"], row["dest"])]
        yield number, sorted((abs(int(flows[i][10]) - at), i) for i in mine)


def test_the_ways_to_pair(demo, flows, matched, opening):
    """Part 2: right and wrong pairs of each way, counted against the truth."""
    truth = {(int(row["login"]), int(row["flow"])) for row in read("truth.csv")}
    joins = list(pairs_of_joins(flows))
    expected = {"join on the nearest start": {(number, mine[0][1]) for number, mine in joins}}
    for name, limit in (("within ±60 s", 60.0001), ("within ±5 min", 300.0001)):
        expected[f"join {name}"] = {(number, i) for number, mine in joins for distance, i in mine if distance < limit}
    expected["flowlagmatch"] = set(matched)
    expected["opening records only"] = set(opening)
    opens = {i for i, flow in enumerate(flows) if int(flow[14]) & 2 and not int(flow[14]) & 16}
    expected["the nearest of these"] = {(number, next(i for _, i in mine if i in opens)) for number, mine in joins}
    expected["the most probable one"] = set(dict(reversed(opening)).items())
    shown = {row[0]: row[-2:] for row in rows_below(demo, "records for this login")}
    assert shown == {name: [str(len(pairs & truth)), str(len(pairs - truth))] for name, pairs in expected.items()}
    assert truth <= expected["opening records only"] < expected["flowlagmatch"]


def test_what_the_ways_give_for_the_login(demo, flows):
    """The second column agrees with part 1: same login, same records."""
    records = rows_below(demo, "start ")
    shown = {row[0]: row[1] for row in rows_below(demo, "records for this login")}
    possible = [row for row in records if row[3] == "yes"]
    assert shown["flowlagmatch"] == f"{len(possible)}, the right one among them"
    assert shown["join within ±60 s"] == f"{len(records)}, the right one among them"
    (right,) = [row for row in records if row[-1] == "<- the right one"]
    for name in ("join on the nearest start", "the nearest of these", "the most probable one"):
        start, verdict = shown[name].split(", the ")
        assert verdict == ("right one" if start == right[0] else "wrong one")
        assert start in [row[0] for row in records]


def test_the_seed_records(demo):
    """Part 3: the three records, bounded by the rule that the demo states."""
    expected = []
    for line in (SAMPLES / "seed.log").read_text().splitlines():
        packets, start, end = line.split()[8], *map(int, line.split()[10:12])
        middle, width = (start - 60 + end + 1) / 2, (end + 1 - start + 60) / 2
        cells = [packets, clock(start), clock(end), f"{clock(start - 60)} and {clock(end + 1)}"]
        expected.append([*cells, f"{clock(middle)} ± {width:g} s"])
    assert rows_below(demo, "packets ") == expected


@pytest.mark.parametrize("word", EXPLAINED)
def test_a_word_is_explained_where_it_is_first_used(demo, word):
    """Before its explanation is over the word is in headings only, or in the explanation itself."""
    text = in_words(HEADINGS.sub("", demo))
    explanation = EXPLAINED[word]
    before, found, _ = text.partition(explanation)
    assert found and not re.search(rf"(?<!\w){re.escape(word)}s?(?!\w)", before)


def test_no_other_word_needs_an_explanation(demo):
    """Whatever is a name of an option or a field, or jargon of the docs, is explained, or is not in the demo."""
    options = [option.name for option in (*ENRICH_OPTIONS, *MATCH_OPTIONS)]
    names = [*options, *PROFILE_FIELDS, *TAG_FIELDS]
    vocabulary = JARGON | {name for field in names for name in (field, *field.replace("flowlag_", "").split("_"))}
    used = set(re.findall(r"[a-z_]+", demo.lower()))
    assert used & vocabulary - set(EXPLAINED) <= PLAIN
