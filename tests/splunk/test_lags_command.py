# SPDX-License-Identifier: Apache-2.0
"""The way back over the real protocol: what the packaged flowlaglearn gave is what flowlagenrich and flowlagmatch use."""

import shutil

import pytest

from tests.support.splunkd import run_command, write_body

T = 1_602_397_440
#: Times of anchors, and lags of 2, 3 and 4 s in turn.
OPENED = [(T + i * 60, i % 3 + 2) for i in range(120)]
LIKELY = ["flowlag_likely_earliest", "flowlag_likely_basis", "flowlag_likely_anchors"]


def record(i, start, interface="eni-1"):
    return {
        "start_time": str(start), "end_time": str(start), "interface_id": interface, "src_ip": "2001:db8::9",
        "src_port": str(40_000 + i), "packets": "1", "tcp_flags": "2", "_time": str(start),
    }  # fmt: skip


FLOWS = [record(i, time + lag) for i, (time, lag) in enumerate(OPENED)]
ANCHORS = [{"src": "2001:db8::9", "sport": str(40_000 + i), "_time": str(time)} for i, (time, _) in enumerate(OPENED)]


@pytest.fixture
def own_app(app, tmp_path):
    """A copy of the packaged app into whose lookups a test may write."""
    shutil.copytree(app, tmp_path / "flowlag")
    (tmp_path / "flowlag" / "lookups").mkdir()
    return tmp_path / "flowlag"


@pytest.fixture
def ask(own_app, python):
    def call(command, arguments, events):
        body = events if isinstance(events, bytes) else write_body(events)
        _, (reply,) = run_command(own_app / "bin" / f"flowlag{command}.py", python, arguments, [body])
        return reply

    return call


@pytest.fixture
def lookup(own_app, ask):
    tagged = ask("enrich", [], [*FLOWS, *ANCHORS])
    learned = ask("learn", ["by=src_ip=src,src_port=sport", "flags=tcp_flags"], tagged.body)
    path = own_app / "lookups" / "flowlag_lags.csv"
    path.write_bytes(learned.body)
    return path


def test_what_was_learned_narrows_the_bounds(ask, lookup):
    reply = ask("enrich", ["confidence=99", "time=likely"], [*FLOWS, record(0, T, "eni-2"), *ANCHORS[:1]])
    assert reply.messages == [] and list(reply.rows[0])[-3:] == LIKELY
    for row, (time, lag) in zip(reply.rows, OPENED):
        assert [row[name] for name in LIKELY] == [str(time + lag - 4), "interface", "120"]
        assert row["_time"] == f"{time + lag - 1.5:.1f}" and row["flowlag_earliest"] == str(time + lag - 60)
    assert [reply.rows[120][name] for name in LIKELY] == [str(T - 60), "envelope", ""]
    assert [reply.rows[121][name] for name in LIKELY] == ["", "", ""]
    few = ask("enrich", ["confidence=99.9"], FLOWS[:1])
    assert few.rows[0]["flowlag_likely_basis"] == "envelope"
    assert not any(name in ask("enrich", [], FLOWS[:1]).rows[0] for name in LIKELY)


def test_what_was_learned_ranks(ask, lookup):
    """Of two records, the one that is as late as its interface always is; without the lookup both are alike."""
    events = [record(0, T + 7203), record(0, T + 7230), {"src": "2001:db8::9", "_time": str(T + 7200)}]
    arguments = ["by=src_ip=src", "rank=probability"]
    tagged = ask("enrich", [], events)
    first = ask("match", arguments, tagged.body).rows[0]
    assert first["flow_start_time"] == str(T + 7203) and float(first["match_probability"]) > 0.9
    share = ask("match", ["by=src_ip=src"], tagged.body).body
    lookup.unlink()
    assert float(ask("match", arguments, tagged.body).rows[0]["match_probability"]) < 0.9
    assert ask("match", ["by=src_ip=src"], tagged.body).body == share


def test_a_damaged_lookup_is_one_warning_and_only_where_it_is_used(ask, lookup):
    lookup.write_bytes(b"\xff\xfe\n")
    reply = ask("enrich", ["confidence=99"], FLOWS)
    ((level, sentence),) = reply.messages
    assert level == "WARN" and sentence.startswith("flowlagenrich: lookups/flowlag_lags.csv: it is damaged")
    assert {row["flowlag_likely_basis"] for row in reply.rows} == {"envelope"} and len(reply.rows) == 120
    tagged = ask("enrich", [], [*FLOWS, *ANCHORS])
    assert tagged.messages == []
    reply = ask("match", ["by=src_ip=src,src_port=sport", "rank=probability"], tagged.body)
    ((level, sentence),) = reply.messages
    assert level == "WARN" and sentence.startswith("flowlagmatch: lookups/flowlag_lags.csv: it is damaged")
    assert len(reply.rows) >= 120
    assert ask("match", ["by=src_ip=src,src_port=sport"], tagged.body).messages == []
