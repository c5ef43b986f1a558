# SPDX-License-Identifier: Apache-2.0
"""The bounded memo: each answer is computed once, and neither many keys nor long ones fill it."""

import pytest

from flowlag.memo import LONGEST, Bounded, Memo, longest_of


@pytest.fixture
def asked():
    return []


def test_an_answer_is_computed_once(asked):
    memo = Memo(lambda text: asked.append(text) or text.upper(), len)
    assert [memo["a"], memo["b"], memo["a"]] == ["A", "B", "A"]
    assert asked == ["a", "b"]


def test_a_full_memo_forgets_everything_and_goes_on(asked):
    memo = Memo(lambda text: asked.append(text), len, size=3)
    for text in "abcd":
        assert memo[text] is None
        assert len(memo) <= 3
    assert list(memo) == ["d"]
    assert memo["a"] is None
    assert asked == ["a", "b", "c", "d", "a"]


def test_a_long_key_is_computed_each_time(asked):
    memo = Memo(lambda text: asked.append(len(text)) or len(text), len)
    for text in ("x" * LONGEST, "x" * (LONGEST + 1)) * 2:
        assert memo[text] == len(text)
    assert asked == [LONGEST, LONGEST + 1, LONGEST + 1]


def test_what_is_kept_by_hand_is_bounded_too():
    kept = Bounded(size=2)
    for number in range(5):
        kept.keep(number, number)
        assert len(kept) <= 2


@pytest.mark.parametrize(("texts", "length"), [((), 0), ((None, ""), 0), (("ab", None, "abc"), 3)])
def test_the_longest_text_counts(texts, length):
    assert longest_of(texts) == length


def test_the_longest_key_is_a_choice(asked):
    memo = Memo(lambda text: asked.append(len(text)), len, longest=1000)
    for text in ("x" * 1000, "x" * 1001) * 2:
        assert memo[text] is None
    assert asked == [1000, 1001, 1001]
