# SPDX-License-Identifier: Apache-2.0
"""Keys of flowlagmatch and flowlaglearn: addresses and numbers in any spelling, and multivalues."""

import pytest

from flowlag.match.keys import MOST_COMBINATIONS, canonise, read_multivalue, read_values
from tests.core.test_match import anchor, flow, pairs, run


@pytest.mark.parametrize(
    ("text", "compared"),
    [
        ("2001:DB8:0:1::7", "2001:db8:0:1::7"),
        ("2001:0db8:0000:0001:0000:0000:0000:0007", "2001:db8:0:1::7"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("::FFFF:c633:6407", "198.51.100.7"),
        ("198.51.100.7", "198.51.100.7"),
        ("10.0.0.0", "10.0.0.0"),
        ("22.0", "22"),
        ("22.000", "22"),
        ("22.5", "22.5"),
        ("0.0", "0"),
        (".0", ".0"),
        ("arn:aws:iam::123456789012:user/a", "arn:aws:iam::123456789012:user/a"),
        ("0a:1b:2c:3d:4e:5f", "0a:1b:2c:3d:4e:5f"),
        ("Root", "Root"),
    ],
)
def test_one_spelling(text, compared):
    assert canonise(text) == compared


def test_values_of_a_field():
    assert read_values("a\n-\n\nb\na\n22.0") == ("a", "b", "22")
    assert read_values("unknown") == read_values("") == read_multivalue("$-$") == ()
    assert read_multivalue("$a;$$b$;$::FFFF:c633:6407$;$$") == ("a;$b", "198.51.100.7")


def test_an_address_is_found_in_any_spelling():
    events = [flow(0, 30, "2001:db8:0:1::7"), anchor(10, "2001:DB8:0:1:0::7")]
    assert pairs(events) == [("anchor 10", "flow 0-30", "possible")]


def test_a_multivalue_matches_by_any_value_and_a_pair_comes_once():
    events = [
        flow(0, 30, "a\nb"), flow(1, 31, "b"), flow(2, 32, "c"),
        anchor(10, "b\nc\nb"), anchor(11, "a"), anchor(12, "a\nb"), anchor(13, "d\ne"),
    ]  # fmt: skip
    rows, _ = run(events)
    found = {}
    for row in rows:
        found.setdefault(row.anchor, set()).add((row.flow, row.tags[5]))
    assert found == {
        "anchor 10": {("flow 0-30", "3"), ("flow 1-31", "3"), ("flow 2-32", "3")},
        "anchor 11": {("flow 0-30", "1")},
        "anchor 12": {("flow 0-30", "2"), ("flow 1-31", "2")},
        "anchor 13": {(None, "0")},
    }
    assert len(rows) == 7


def test_the_best_of_several_keys():
    events = [*(flow(i, i + 30, "ab"[i % 2]) for i in range(20)), anchor(10, "a\nb")]
    rows, matcher = run(events, maxmatches="3")
    single = [event | {"key": "a"} for event in events]
    assert [row.flow for row in rows] == [row.flow for row in run(single, maxmatches="3")[0]]
    assert {row.tags[5:7] for row in rows} == {("20", "1")} and matcher.cut == 1


def test_probabilities_of_several_keys_are_those_of_one():
    events = [*(flow(i * 7, i * 7 + 30, "ab"[i % 2]) for i in range(6)), anchor(10, "a\nb"), anchor(20, "a\nb")]
    single = [event | {"key": "a"} for event in events]
    for exclusive in ("false", "true"):
        several, one = (
            [(m.anchor, m.flow, m.tags) for m in run(some, rank="probability", exclusive=exclusive)[0]]
            for some in (events, single)
        )
        assert several == one


def test_two_twins_are_read_before_the_joined_text():
    """What `mvcombine delim=","` leaves in the column itself is no list."""
    events = [flow(0, 30, "a"), anchor(10, "a,b") | {"__mv_key": "$a$;$b$"}]
    assert pairs(events) == [("anchor 10", "flow 0-30", "possible")]


def test_too_many_combinations_are_counted():
    many = "\n".join(map(str, range(MOST_COMBINATIONS + 1)))
    _, matcher = run([flow(0, 30), anchor(10, many), anchor(10)])
    assert (
        matcher.warning() == ("events that took no part: 1 (more than 1000 combinations of the values of by: 1).")
        and matcher.unusable == 1
    )


@pytest.mark.parametrize("time", ["1000000000", "4200000000", "1999-12-31T00:00:00Z"])
def test_an_anchor_of_another_century_is_said_so(time):
    _, matcher = run([flow(0, 30), anchor(10), {"_time": time, "key": "k", "row": "far"}])
    assert matcher.warning() == "events that took no part: 1 (anchors before 2014 or after 2100: 1)."
