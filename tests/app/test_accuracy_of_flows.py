# SPDX-License-Identifier: Apache-2.0
"""Owns the figures that are measured on made estates: each is counted here by hand on a handful of pairs and records."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.accuracy.estate_files import write_estate
from bench.accuracy.estates import Connection, Estate, Host, Login, Plan, Record, Seen, Sent, Series, make_estate
from bench.accuracy.groups import Group, bound, connect, gather_groups
from bench.accuracy.pairs import EXCLUSIVE, ONE_TO_ONE, STARTS, TODAY, join, list_pairs, pair_records
from bench.accuracy.scores import Bin, Candidate, Scores, add_up, claims, count_false, gather_bin, score

# -- scores

#: Five logins: 1 has its own first, 2 second, 3 not at all; 4 has no flow of its own; for 5 nothing is listed.
LISTED = {
    1: [Candidate("a", 0.9), Candidate("b", 0.1)],
    2: [Candidate("b", 0.6), Candidate("c", 0.4)],
    3: [Candidate("c", 0.5)],
    4: [Candidate("d", 0.95), Candidate("a", 0.05)],
}
TRUTH = {1: "a", 2: "c", 3: "x", 4: None, 5: "y"}


def test_pairs_are_counted() -> None:
    """Four logins own a flow, one of these comes first and two are listed; three or four false pairs score as high."""
    assert score(LISTED, TRUTH) == Scores(logins=5, owned=4, first=1, listed=2, false=(3, 3, 3))
    assert sorted(claims(LISTED, TRUTH)) == [
        (0.05, False), (0.1, False), (0.4, True), (0.5, False), (0.6, False), (0.9, True), (0.95, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("recall", "count"), [(1.0, 6), (0.99, 6), (0.95, 4), (0.9, 2), (0.05, 1)], ids=["all", "99", "95", "90", "one"]
)
def test_false_pairs_are_counted_down_to_what_keeps_the_recall(recall: float, count: int) -> None:
    """Of twenty true pairs, 99 % are all of them; a tie counts as false."""
    assert count_false(range(20, 0, -1), [20, 3, 2.5, 2, 1.5, 1, 0.5], recall) == count
    assert count_false([], [1.0], recall) == 0


def test_counts_add_up() -> None:
    """Each by itself."""
    assert add_up([Scores(5, 4, 1, 2, (3, 2, 1)), Scores(1, 1, 1, 1, (0, 0, 1))]) == Scores(6, 5, 2, 3, (3, 2, 2))


def test_claims_are_held_against_what_is_right() -> None:
    """0.9 is in the upper bin, 1 too; the excess is the mean claim less the share that is right."""
    made = [(0.9, True), (1.0, True), (0.95, False), (0.95, True), (0.8, False)]
    assert gather_bin(made, 0.9) == Bin(4, 0.9 + 1.0 + 0.95 + 0.95, 3)
    assert gather_bin(made, 0.9).excess == pytest.approx(0.2)
    assert gather_bin(made, 0.7, 0.9) == Bin(1, 0.8, 0)
    assert gather_bin(made, 0.5, 0.7).excess == 0


# -- a tiny estate: two connections of one client to one server

OUTSIDE, SERVER = Host("198.51.100.7"), Host("10.0.0.10", "eni-1", "grid")
OUT, BACK = Series("198.51.100.7", "10.0.0.10", 40001, 22, 6), Series("10.0.0.10", "198.51.100.7", 22, 40001, 6)
OTHER = OUT._replace(srcport=40002)


def seen(passed: float, series: Series, connection: int, flags: int) -> Seen:
    return Seen(passed + 2, passed, series, connection, flags, 60)


CONNECTIONS = [
    Connection(0, OUTSIDE, SERVER, 40001, 22, 6, 0.2, (Sent(99.9, False, 0, 2, 60), Sent(101.1, True, 0, 1, 60))),
    Connection(1, OUTSIDE, SERVER, 40002, 22, 6, 0.2, (Sent(149.9, False, 0, 2, 60),)),
]
RECORDS = [
    Record("eni-1", 60, 119, (seen(100.0, OUT, 0, 2),)),
    Record("eni-1", 60, 119, (seen(101.1, BACK, 0, 1),)),
    Record("eni-1", 120, 179, (seen(150.0, OTHER, 1, 2),)),
]
LOGINS = [Login(0, 100.0, OUTSIDE, SERVER, 0, 0), Login(1, 500.0, OUTSIDE, SERVER, None, None)]
TINY = Estate(CONNECTIONS, RECORDS, LOGINS)


def test_a_join_finds_what_starts_near() -> None:
    """Within 30 s of 100 starts the other record only, within 60 s both do; replies have another key."""
    assert join(TINY, 30)[:4] == (2, 1, 0, 0)
    assert join(TINY, 60) == Scores(2, 1, 1, 1, (1, 1, 1))


def row(**values: object) -> dict[str, str]:
    """A row of `flowlagconnect` for the first connection, with changes."""
    first = {
        "src": "198.51.100.7", "src_port": 40001, "dest": "10.0.0.10", "dest_port": 22, "home": "eni-1",
        "start_earliest": 0, "start_latest": 120, "end_earliest": 100, "end_latest": 102, "first_start": 60,
    }  # fmt: skip
    return {name: str(value) for name, value in {**first, **values}.items()}


OTHERS = row(src_port=40002, first_start=120, start_earliest=60, start_latest=180, end_earliest=60, end_latest=150)


def test_rows_get_their_records() -> None:
    """By the ends in either direction; of several rows the last that starts no later than the record."""
    whole, other = gather_groups(TINY, [OTHERS, row()])
    assert (whole.members, other.members) == ([0, 1], [2])
    turned = row(src="10.0.0.10", src_port=22, dest="198.51.100.7", dest_port=40001)
    late = row(first_start=100)
    assert [group.members for group in gather_groups(TINY, [late, turned])] == [[0, 1], []]
    assert [group.members for group in gather_groups(TINY, [late])] == [[]]


def test_bounds_are_held_against_packets() -> None:
    """The first packet passed at 100.0 and the last at 101.1; `latest` is exclusive; the envelope of a minute is 120 s."""
    assert bound(TINY, Group(row(), [0, 1])) == ("external", True, True, (120, 120), (2, 120))
    for change in ({"start_latest": 100}, {"start_earliest": 101}):
        assert bound(TINY, Group(row(**change), [0, 1]))[1:3] == (False, True)
    for change in ({"end_latest": 101}, {"end_earliest": 102}):
        assert bound(TINY, Group(row(**change), [0, 1]))[1:3] == (True, False)


def test_whole_connections_are_counted() -> None:
    """A connection that lacks a record, or has one too many, is not whole; the bounds of all are held to account."""
    whole, other = Group(row(), [0, 1]), Group(OTHERS, [2])
    found = connect(TINY, [whole, other])
    assert (found.records, found.grouped, len(found.right), len(found.every)) == (3, 3, 2, 2)
    assert [bounded.ends_within for bounded in found.every] == [True, False]
    assert connect(TINY, [Group(row(), [0]), Group(row(), [1]), other]).grouped == 1
    assert connect(TINY, [Group(row(), [0, 1, 2])]).grouped == 0


def test_candidates_are_listed_as_they_come_or_by_start() -> None:
    """With a score in the order of the rows, without one by the distance of the start."""
    rows = [
        {"login": "0", "_time": "100", "flow_start": "120", "flow__raw": "b", "match_share": "0.5"},
        {"login": "0", "_time": "100", "flow_start": "90", "flow__raw": "a", "match_share": "0.25"},
    ]
    names = {"a": 0, "b": 1}
    assert list_pairs(rows, names, "match_share") == {0: [(1, 0.5), (0, 0.25)]}
    assert list_pairs(rows, names, "") == {0: [(0, -10), (1, -20)]}


# -- the commands


def test_the_commands_are_measured(tmp_path: Path) -> None:
    """On a small estate both list every true pair; one to one, opening records leave fewer false ones and rank best."""
    estate = make_estate(Plan("expo", hourly=8), 1)
    files = write_estate(estate, tmp_path)
    today = pair_records(estate, files, ())[TODAY].scores
    best = pair_records(estate, files, (*STARTS, *ONE_TO_ONE))[EXCLUSIVE].scores
    assert today.listed == today.owned == best.listed == best.owned
    assert best.false[0] < today.false[0]
    assert best.first > today.first
