# SPDX-License-Identifier: Apache-2.0
"""Pins the commands that choose, order, change and gather rows: what they give, and what is refused."""

from __future__ import annotations

import pytest

from tests.spl.values import SplError

NUMBERED = [{"n": number, "k": key} for number, key in zip("9 10 2 10".split(), "b a a c".split())]
EMPTY_K = [{"n": "1", "k": "x"}, {"n": "2"}, {"n": "3", "k": "x"}, {"n": "4"}]


@pytest.mark.parametrize(
    ("commands", "rows", "expected"),
    [
        pytest.param("sort n", NUMBERED, "2 9 10 10", id="sort: numbers as numbers"),
        pytest.param("sort str(n)", NUMBERED, "10 10 2 9", id="sort: numbers as text"),
        pytest.param("sort 2 -n", NUMBERED, "10 10", id="sort: count and descending"),
        pytest.param("sort - n, k", NUMBERED, "10 10 9 2", id="sort: a minus apart"),
        pytest.param("sort k, -n", NUMBERED, "10 2 9 10", id="sort: several fields"),
        pytest.param("sort k", EMPTY_K, "1 3 2 4", id="sort: null comes last"),
        pytest.param("sort -k", EMPTY_K, "1 3 2 4", id="sort: also descending"),
        pytest.param("sort k", [{"n": "a", "k": "10.0.0.10"}, {"n": "b", "k": "10.0.0.9"}], "b a", id="sort: addresses"),
        pytest.param("head 2", NUMBERED, "9 10", id="head"),
        pytest.param("tail 2", NUMBERED, "10 2", id="tail: the last one first"),
        pytest.param("reverse", NUMBERED, "10 2 10 9", id="reverse"),
        pytest.param("dedup n", NUMBERED, "9 10 2", id="dedup: the first stays"),
        pytest.param("dedup n k", NUMBERED, "9 10 2 10", id="dedup: combinations"),
        pytest.param("dedup 2 k", [*NUMBERED, *NUMBERED], "9 10 2 10 9 10", id="dedup: count"),
        pytest.param("dedup k", EMPTY_K, "1", id="dedup: null goes"),
        pytest.param("dedup k keepempty=true", EMPTY_K, "1 2 4", id="dedup: null stays"),
        pytest.param("where isnull(k)", EMPTY_K, "2 4", id="where"),
        pytest.param('where k!="y"', EMPTY_K, "1 3", id="where: null is not unequal"),
        pytest.param("mvexpand n", [{"n": ["1", "2"]}, {"n": "3"}], "1 2 3", id="mvexpand"),
        pytest.param('makemv delim="," n | mvexpand n', [{"n": "1,,2"}], "1 2", id="makemv: no empty values"),
        pytest.param("append [| makeresults | eval n=5]", EMPTY_K, "1 2 3 4 5", id="append"),
        pytest.param("append [search k=x | head 1]", EMPTY_K, "1 2 3 4 1", id="append: a search"),
        pytest.param("appendpipe [stats sum(n) as n]", EMPTY_K, "1 2 3 4 10", id="appendpipe"),
    ],
)  # fmt: skip
def test_rows(rows_of, commands, rows, expected):
    assert " ".join(row["n"] for row in rows_of(commands, *rows)) == expected


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        pytest.param("table k, n", [{"k": "x", "n": "1"}, {"k": "", "n": "2"}], id="table"),
        pytest.param("table n nil", [{"n": "1", "nil": ""}, {"n": "2", "nil": ""}], id="table: a field that is not there"),
        pytest.param("fields n | fields - _time", [{"n": "1"}, {"n": "2"}], id="fields: the inner ones stay"),
        pytest.param("fields - _*, k*", [{"n": "1"}, {"n": "2"}], id="fields: wildcards"),
        pytest.param('rename n as "a b", k as c | table "a b" c', [{"a b": "1", "c": "x"}, {"a b": "2", "c": ""}], id="rename"),
        pytest.param("rename n* as m* | table m", [{"m": "1"}, {"m": "2"}], id="rename: wildcards"),
        pytest.param("fillnull value=none k | table k", [{"k": "x"}, {"k": "none"}], id="fillnull"),
        pytest.param("fillnull k, z | table k z", [{"k": "x", "z": "0"}, {"k": "0", "z": "0"}], id="fillnull: zero"),
        pytest.param("eval a=n*2, b=a+1 | table a b", [{"a": "2", "b": "3"}, {"a": "4", "b": "5"}], id="eval: in order"),
        pytest.param("eval n=null() | table n", [{"n": ""}, {"n": ""}], id="eval: null takes the value away"),
        pytest.param("bin _time span=5m | table _time", [{"_time": "1602397800"}] * 2, id="bin: time"),
        pytest.param("bin n span=2 as r | table n r", [{"n": "1", "r": "0-2"}, {"n": "2", "r": "2-4"}], id="bin: numbers"),
        pytest.param("stats count", [{"count": "2"}], id="stats"),
        pytest.param("stats count by k", [{"k": "x", "count": "1"}], id="stats: null has no group"),
        pytest.param("stats sum(n) as s count(k) by n", [{"n": "1", "s": "1", "count(k)": "1"}, {"n": "2", "s": "2", "count(k)": "0"}], id="stats: by numbers"),
        pytest.param("eventstats sum(n) as s by k | table n s", [{"n": "1", "s": "1"}, {"n": "2", "s": ""}], id="eventstats"),
        pytest.param("streamstats count sum(n) as s | table count s", [{"count": "1", "s": "1"}, {"count": "2", "s": "3"}], id="streamstats"),
        pytest.param("streamstats current=f last(n) as before sum(n) as s | table before s", [{"before": "", "s": ""}, {"before": "1", "s": "1"}], id="streamstats-before"),
        pytest.param("eval _time=if(n=1,1602397750,1602398699) | timechart minspan=5m bins=300 max(n) as m", [{"_time": "1602397500", "m": "1"}, {"_time": "1602397800", "m": ""}, {"_time": "1602398100", "m": ""}, {"_time": "1602398400", "m": "2"}], id="timechart: no holes"),
        pytest.param("eval _time=if(n=1,1602397750,1602398699) | timechart minspan=5m bins=3 max(n) as m", [{"_time": "1602397200", "m": "1"}, {"_time": "1602397800", "m": ""}, {"_time": "1602398400", "m": "2"}], id="timechart: few bins"),
        pytest.param('fillnull value=y k | eval a="r" | xyseries a k n', [{"a": "r", "x": "1", "y": "2"}], id="xyseries"),
    ],
)  # fmt: skip
def test_columns(rows_of, commands, expected):
    assert rows_of(commands, {"n": "1", "k": "x"}, {"n": "2"}) == expected
    assert [list(row) for row in rows_of(commands, {"n": "1", "k": "x"}, {"n": "2"})] == [list(row) for row in expected]


HUNDRED = [{"n": str(number)} for number in range(1, 101)]
MIXED = [{"n": "9"}, {"n": "10"}, {"n": "x"}, {"k": "nothing"}, {"n": "9"}]


@pytest.mark.parametrize(
    ("statistic", "rows", "expected"),
    [
        ("count", [], "0"),
        ("count(n)", [], "0"),
        ("dc(n)", [], "0"),
        ("sum(n)", [], ""),
        ("values(n)", [], ""),
        ("max(n)", [], ""),
        ("count", MIXED, "5"),
        ("count(n)", MIXED, "4"),
        ("count(eval(n=9))", MIXED, "2"),
        ("count(eval(isnull(n)))", MIXED, "1"),
        ("sum(n)", MIXED, "28"),
        ("sum(eval(if(n=9,1,0)))", MIXED, "2"),
        ("sum(eval(n=9))", MIXED, SplError),
        ("avg(n)", MIXED, "9.333333333333334"),
        ("dc(n)", MIXED, "3"),
        ("values(n)", MIXED, ["10", "9", "x"]),
        ("list(n)", MIXED, ["9", "10", "x", "9"]),
        ("first(n)", MIXED, "9"),
        ("last(n)", MIXED, "9"),
        ("latest(n)", MIXED[1:], "10"),
        ("earliest(n)", MIXED[:2], "10"),
        ("max(n)", MIXED[:2], "10"),
        ("min(n)", MIXED[:2], "9"),
        ("max(n)", MIXED, SplError),
        ("range(n)", MIXED[:2], "1"),
        ("median(n)", MIXED[:2], SplError),
        ("median(n)", HUNDRED[:99], "50"),
        ("exactperc50(n)", HUNDRED, "50"),
        ("exactperc95(n)", HUNDRED, "95"),
        ("exactperc99(n)", HUNDRED[:10], "10"),
        ("perc25(n)", HUNDRED[:2], "1"),
        ("p99.9(n)", HUNDRED, "100"),
        ("perc(n)", HUNDRED, SplError),
        ("stdev(n)", HUNDRED, SplError),
        ("count(n", HUNDRED, SplError),
        ("sum(n*)", HUNDRED, SplError),
    ],
)
def test_statistics(rows_of, statistic, rows, expected):
    commands = f'stats {statistic} as "the result"'
    if expected is SplError:
        with pytest.raises(SplError):
            rows_of(commands, *rows)
    else:
        assert rows_of(commands, *rows) == [{"the result": expected}]


def test_a_group_for_each_value_of_a_multivalue(rows_of):
    rows = rows_of("stats count by n", {"n": ["1", "2"]}, {"n": "2"})
    assert rows == [{"n": "1", "count": "1"}, {"n": "2", "count": "2"}]


def test_stats_on_nothing_with_by(rows_of):
    assert rows_of("stats count by n") == []


@pytest.mark.parametrize(
    "commands",
    [
        "sort",
        "sort num(k)",
        "sort n desc",
        "sort 5",
        "head n=1",
        "head 0",
        "head limit=5",
        "dedup",
        "dedup n consecutive=true",
        "table",
        "table n*",
        "fields",
        "rename n",
        "rename n as k",
        "rename z as k",
        "rename n* as m",
        "eval",
        "eval n",
        "eval n=1,",
        "eval n==1",
        "where",
        "where n",
        "where n=1 and k=2",
        "bin n",
        "bin n span=5m",
        "bin _time span=1mon",
        "bin _time span=0",
        "bin k span=5",
        "mvexpand k",
        "mvexpand n limit=5",
        "makemv tokenizer=x n",
        "fillnull vlue=0 n",
        "stats",
        "stats by n",
        "stats count by",
        "stats count as n by n",
        "stats count(eval(n=1))",
        "stats count sparkline(n)",
        "eventstats allnum=true count",
        "streamstats window=2 count",
        "streamstats current=x count",
        "xyseries n k",
        "append n",
        "append [head 5]",
        "appendpipe [nosuch]",
        "addinfo x",
        "flowlagother",
        "timechart count",
        "head 5 ]",
    ],
)
def test_commands_refuse(rows_of, commands):
    with pytest.raises(SplError):
        rows_of(commands, {"n": "1", "k": "x"}, {"n": "2"})


@pytest.mark.parametrize(
    ("rows", "command"),
    [
        pytest.param([{"n": "1"}, {"n": "x"}, {"n": "0"}], "sort num(n)", id="text among numbers"),
        pytest.param([{"n": "9.1.a"}, {"n": "10.1.a"}], "sort n", id="text that begins with digits"),
        pytest.param([{"n": ["1", "2"]}, {"n": "1"}], "sort n", id="a multivalue"),
        pytest.param([{"n": "1e5"}, {"n": "7"}], "where n>5", id="an exponent"),
        pytest.param([{"n": "0.33"}], "eval a=n/7", id="fewer digits than the quotient has"),
    ],
)
def test_data_that_splunk_may_read_otherwise(rows_of, rows, command):
    with pytest.raises(SplError):
        rows_of(command, *rows)
