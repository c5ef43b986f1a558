# SPDX-License-Identifier: Apache-2.0
"""Pins the expressions of the search command: what they find, and what is refused."""

from __future__ import annotations

import pytest

from tests.spl.made import users
from tests.spl.values import SplError


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param("*", [0, 1, 2], id="everything, the newest first"),
        pytest.param("accepted", [1], id="a term, without regard to case"),
        pytest.param("accept", [0], id="a term is a whole token"),
        pytest.param("accept*", [0, 1], id="a wildcard behind a term"),
        pytest.param("*ord", [2], id="a wildcard in front"),
        pytest.param("bob", [1], id="an underscore breaks"),
        pytest.param("error=9", [], id="with = it is a field"),
        pytest.param('"error=9"', [2], id="in quotes it is a term"),
        pytest.param('"publickey for"', [1], id="a phrase"),
        pytest.param('"publickey fo"', [], id="a phrase ends at a breaker"),
        pytest.param("user=bob", [1], id="values compare without regard to case"),
        pytest.param("USER=bob", [], id="names do not"),
        pytest.param('user="B*"', [1], id="a wildcard in a value"),
        pytest.param("user=*", [1], id="the field is there"),
        pytest.param("user!=alice", [1], id="!= needs the field"),
        pytest.param("NOT user=alice", [0, 1, 2], id="NOT does not"),
        pytest.param("tag=two", [2], id="one value of a multivalue"),
        pytest.param("packets>=9", [0], id="numbers compare as numbers"),
        pytest.param("packets>=100", [], id="and not as text"),
        pytest.param('src="198.51.100.0/24"', [1], id="CIDR"),
        pytest.param("src=198.51.100.0/24", [1], id="CIDR without quotes"),
        pytest.param('src="2001:db8::/32"', [2], id="CIDR of IPv6"),
        pytest.param('src!="198.51.100.0/24"', [2], id="not in a network"),
        pytest.param("src IN (198.51.100.0/24, 2001:db8::7)", [1, 2], id="IN"),
        pytest.param("sourcetype=linux_secure failed OR accepted", [1, 2], id="OR binds tighter than AND"),
        pytest.param("accepted OR failed AND user=bob", [1], id="also in front of a written AND"),
        pytest.param("(accepted) OR (failed user=bob)", [1], id="parentheses"),
        pytest.param("NOT accepted OR user=bob", [0, 1, 2], id="NOT binds tighter than OR"),
        pytest.param("sourcetype=linux_secure NOT (accepted OR x)", [2], id="NOT of parentheses"),
        pytest.param("`flowlag_index` `flowlag_conversation`", [0], id="macros"),
        pytest.param("earliest=-10m failed", [], id="earliest within the search"),
        pytest.param("earliest=1602394000 latest=1602397706", [1, 2], id="the latest moment does not belong to it"),
        pytest.param("search user=bob", [1], id="the command by its name"),
        pytest.param("user=bob ```a comment``` | search user=*", [1], id="a comment"),
    ],
)
def test_search(engine, query, expected):
    assert users(engine.search(query)) == expected


@pytest.mark.parametrize(
    "query",
    [
        "user=a=b",
        "user=",
        "(user=bob",
        "user=bob)",
        "user=bob or user=alice",
        "fo*o",
        'user=""',
        "user!=*",
        "tag!=one",
        "packets=85.0",
        "user>5",
        "TERM(x)",
        "'user'=bob",
        "_index_earliest=0",
        "earliest=0 OR user=bob",
        "NOT (latest=5)",
        "user=bob | search earliest=0",
        "earliest=-1y",
        "earliest=-5",
        '"never closed',
        "user=bob |",
        "user=bob | | head",
        "user=bob | rex x",
        "| head 5",
        "`no_such_macro`",
        "user=$name$",
        "user=$form.name|s$",
        '"`flowlag_index`"',
        "`flowlag_bounds(5000)`",
    ],
)
def test_search_refuses(engine, query):
    with pytest.raises(SplError):
        engine.search(query)
