# SPDX-License-Identifier: Apache-2.0
"""Owns the rules that the tests' interpreter of SPL follows: each documented one is pinned, and what it refuses."""

from __future__ import annotations

import csv

import pytest

from tests.spl.engine import Engine, SplError
from tests.support.conf import MACROS, read_conf
from tools.places import ROOT

NOW = 1602398000
FLOW = "2 123456789012 eni-1 198.51.100.7 10.0.0.5 52233 22 6 85 9000 1602397706 1602397745 ACCEPT OK"
NAMES = "version account_id interface_id src_ip dest_ip src_port dest_port protocol packets bytes start end action log_status"
EVENTS = [
    {"_time": "1602397706", "_raw": FLOW, "sourcetype": "aws:cloudwatchlogs:vpcflow", **dict(zip(NAMES.split(), FLOW.split()))},
    {"_time": "1602397700", "_raw": "sshd[5]: Accepted publickey for bob_b", "sourcetype": "linux_secure", "user": "Bob", "src": "198.51.100.7"},
    {"_time": "1602394000", "_raw": "sshd[6]: Failed password, error=9", "sourcetype": "linux_secure", "src": "2001:db8::7", "tag": ["one", "two"]},
]  # fmt: skip


@pytest.fixture
def engine(tmp_path):
    return Engine(EVENTS, tmp_path, "no-python", MACROS, NOW, {"flowlag_options": "lag=30"})


@pytest.fixture
def rows_of(tmp_path):
    """Run commands on rows that are given as the events of a search."""

    def run(commands, *rows):
        events = [{"_time": str(NOW - number), **row} for number, row in enumerate(rows)]
        return Engine(events, tmp_path, "no-python", MACROS, NOW).search(f"* | {commands}")

    return run


@pytest.fixture
def value_of(rows_of):
    """Evaluate one expression on a row that has n=10, x=text, ip=10.1.2.3, many=(b, a, b), d=0.9 and no `nil`."""
    row = {"n": "10", "x": "text", "ip": "10.1.2.3", "many": ["b", "a", "b"], "d": "0.9", "padded": "07", "_raw": "r"}
    return lambda expression: rows_of(f"eval result={expression} | table result", row)[0]["result"]


def users(rows):
    """Name the events of the tests by the position that they have in EVENTS."""
    times = [event["_time"] for event in EVENTS]
    return [times.index(row["_time"]) for row in rows]


# -- the search command


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
    ("earliest", "latest", "expected"),
    [
        ("", "", [0, 1, 2]),
        ("0", "now", [0, 1, 2]),
        ("-4h@h", "now", [0, 1, 2]),
        ("-60m@m", "", [0, 1]),
        ("1602397706", "1602397707", [0]),
        ("@d", "-5m+6s", [1, 2]),
        ("2020-10-11T06:28:26.000Z", "", [0]),
    ],
)
def test_time_range(engine, earliest, latest, expected):
    assert users(engine.search("*", earliest, latest)) == expected


def test_times_in_the_search_go_before_its_range(engine):
    assert users(engine.search("earliest=0 failed", "-1m", "now")) == [2]


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


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('`two("x, y",z)`', "x, y-z"),
        ("`two(z , `one` )`", None),
        ("`one`", "1"),
        ("`nested`", "1-1"),
        ("`changed`", "mine"),
    ],
)
def test_macros(tmp_path, query, expected):
    macros = {
        "one": {"definition": "1"},
        "two(2)": {"definition": "$a$-$b$", "args": "a, b"},
        "nested": {"definition": '`two(1,"1")`'},
        "changed": {"definition": "theirs"},
    }
    engine = Engine([], tmp_path, "no-python", macros, NOW, {"changed": "mine"})
    if expected is None:
        with pytest.raises(SplError):
            engine.macros.expand(query)
    else:
        assert engine.macros.expand(query) == expected


# -- eval


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1+2*3", "7"),
        ("(1+2)*3", "9"),
        ("10-2-3", "5"),
        ("-n+1", "-9"),
        ("n/4", "2.5"),
        ("22/7", "3.142857142857143"),
        ("n%4", "2"),
        ("n/0", ""),
        ("nil+1", ""),
        ("x*2", ""),
        ('"a"+"b"', "ab"),
        ('n."a"', "10a"),
        ('padded."a"', "07a"),
        ('(n+1)." of ".n', "11 of 10"),
        ('nil."a"', ""),
        ("n . x", "10text"),
        ("n.upper(x)", "10TEXT"),
        ('if(nil=1,"yes","no")', "no"),
        ('if(nil!=1,"yes","no")', "no"),
        ('if(n>9,"yes","no")', "yes"),
        ('if(n>"9","yes","no")', SplError),
        ('if(n="10","yes","no")', "yes"),
        ('if(padded="7","yes","no")', SplError),
        ('if(tonumber("10")>9,"yes","no")', "yes"),
        ('if("10">9,"yes","no")', "yes"),
        ('if(x="TEXT","yes","no")', "no"),
        ('if(x=5,"yes","no")', "no"),
        ('if(x>5,"yes","no")', SplError),
        ('if(true() OR true() AND false(),"yes","no")', "yes"),
        ('if(true() XOR true() OR true(),"yes","no")', "no"),
        ('if(NOT n=1 AND n=10,"yes","no")', "yes"),
        ('if(nil=1 OR n=10,"yes","no")', "yes"),
        ('if(isnum(x) AND x>5,"yes","no")', "no"),
        ('if(NOT nil=1,"yes","no")', SplError),
        ('if(n,"yes","no")', SplError),
        ("n=10", SplError),
        ("isnull(nil)", SplError),
        ('if(x LIKE "te%","yes","no")', "yes"),
        ('if(x IN ("a","text"),"yes","no")', "yes"),
        ('if(in(n,9,10),"yes","no")', "yes"),
        ('case(n<5,"low",n<50,"mid",true(),"high")', "mid"),
        ('case(n<5,"low")', ""),
        ('validate(n>5,"small",n>50,"not big")', "not big"),
        ("coalesce(nil,x,n)", "text"),
        ('nullif(x,"text")', ""),
        ("'x'", "text"),
        ("typeof(n).typeof(x).typeof(nil).typeof(1).typeof(true())", "NumberStringInvalidNumberBoolean"),
        ('typeof("5")', SplError),
        ("min(3,n,nil)", "3"),
        ("max(3,n,nil)", "10"),
        ("max(nil)", ""),
        ("round(2.5)", "3"),
        ("round(10/3,2)", "3.33"),
        ("round(16.275,2)", SplError),
        ("floor(2.7).ceiling(2.1).ceil(2)", "232"),
        ("abs(-2).sqrt(9).pow(2,10)", "231024"),
        ("d*2", SplError),
        ("exact(d*2)", "1.8"),
        ("round(d*2,1)", "1.8"),
        ("d-0.2", "0.7"),
        ("0.1+0.2", "0.3"),
        ("1602397706-1602397671.039", "34.961"),
        ('round(1,2)." s"', SplError),
        ("tonumber(x)", ""),
        ('tonumber("ff",16)', "255"),
        ('tostring(1234567,"commas")', "1,234,567"),
        ('tostring(1234.567,"commas")', "1,234.57"),
        ('tostring(90061,"duration")', "1+01:01:01"),
        ('tostring(61,"duration")', "00:01:01"),
        ("tostring(n=10)", "True"),
        ("tostring(nil)", SplError),
        ('tonumber("+Infinity")', SplError),
        ('typeof("+Infinity")', SplError),
        ('if("+Infinity"="+Infinity",now(),1)', str(NOW)),
        ("max(many)", SplError),
        ('max(split("3,12",","),n)', "12"),
        ("n*1.5", "15"),
        ("round(n/3,2)*10", "33.3"),
        ("round(n/3,2)/8", SplError),
        ('printf("%05.1f|%3d|%s%%",2.25,n,x)', "002.2| 10|text%"),
        ('printf("%x",n)', SplError),
        ('strftime(1602397706.5,"%F %T.%3N %z %b %d %Y %s")', "2020-10-11 06:28:26.500 +0000 Oct 11 2020 1602397706"),
        ('strftime(0.9999,"%S.%3N")', "00.999"),
        ('strftime(0,"%c")', SplError),
        ('strftime(nil,"%F")', ""),
        ('strptime("2020-10-11T06:28:26.500Z","%Y-%m-%dT%H:%M:%S.%3N%z")', "1602397706.5"),
        ('strptime("soon","%F")', ""),
        ('strptime("06:28","%H:%M")', SplError),
        ('relative_time(1602397706,"-1h@h")', "1602392400"),
        ('relative_time(1602397706,"@d+2h")', "1602381600"),
        ("now()", str(NOW)),
        ('lower("Ab").upper("Ab").len("abc")', "abAB3"),
        ('trim("  a ").ltrim("xxa","x").rtrim("axx","x")', "aaa"),
        ("substr(x,2,2)", "ex"),
        ("substr(x,-2)", "xt"),
        ("substr(x,0)", SplError),
        (r'replace(ip,"^(\d+)\.(\d+).*","\2-\1")', "1-10"),
        (r'if(match(ip,"^10\."),"yes","no")', "yes"),
        ('if(match(x,"EX"),"yes","no")', "no"),
        ('if(like(x,"_ex%"),"yes","no")', "yes"),
        ('if(cidrmatch("10.0.0.0/8",ip),"yes","no")', "yes"),
        ('if(cidrmatch("10.0.0.0/8",x),"yes","no")', "no"),
        ('if(cidrmatch("10.0.0.0/8",nil),"yes","no")', "no"),
        ('split("a,b",",")', ["a", "b"]),
        ('mvindex(split("a,b,c",","),1)', "b"),
        ('mvindex(split("a,b,c",","),-2,-1)', ["b", "c"]),
        ('mvindex(split("a,b",","),5)', ""),
        ("mvcount(many)", "3"),
        ("mvcount(nil)", ""),
        ('mvjoin(mvsort(mvdedup(many)),"+")', "a+b"),
        ("mvappend(n,many,nil)", ["10", "b", "a", "b"]),
        ('mvzip(many,split("1,2",","),":")', ["b:1", "a:2"]),
        ("mvrange(1,7,2)", ["1", "3", "5"]),
        ("upper(many)", SplError),
        ('many="a"', SplError),
        ('"a".n+1', SplError),
        ("a.b", SplError),
        ("1<2<3", SplError),
        ("null", SplError),
        ("n NOT IN (1)", SplError),
        ("nosuch(n)", SplError),
        ("len()", SplError),
        ("if(n>1,2)", SplError),
        ("5m", SplError),
        ("n n", SplError),
        ("(n", SplError),
        ("-5 % 3", SplError),
        (r'"a\nb"', SplError),
    ],
)
def test_eval(value_of, expression, expected):
    if expected is SplError:
        with pytest.raises(SplError):
            value_of(expression)
    else:
        assert value_of(expression) == expected


# -- commands

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


@pytest.mark.parametrize(
    ("earliest", "latest", "expected"),
    [
        ("", "", ("0.000", "+Infinity")),
        ("-60m@m", "now", ("1602394380.000", "1602398000.000")),
    ],
)
def test_addinfo(engine, earliest, latest, expected):
    (row,) = engine.search("| makeresults | addinfo", earliest, latest)
    assert (row["info_min_time"], row["info_max_time"]) == expected
    assert (row["_time"], row["info_search_time"]) == ("1602398000", "1602398000.000")


def test_addinfo_refuses_a_range_within_the_search(engine):
    with pytest.raises(SplError):
        engine.search("earliest=-5m | addinfo")


def test_a_subsearch_has_the_range_of_the_search_and_its_own_times_only_for_itself(engine):
    query = "user=* | append [search failed] | append [search earliest=0 failed] | addinfo | eval n=info_min_time"
    rows = engine.search(query, "-60m@m", "now")
    assert (users(rows), {row["n"] for row in rows}) == ([1, 2], {"1602394380.000"})


def test_makeresults(engine):
    rows = engine.search('| makeresults count=3 | streamstats count as n | eval n=n*10 | search n>10 | table n')  # fmt: skip
    assert rows == [{"n": "20"}, {"n": "30"}]


def test_an_event_has_a_time(tmp_path):
    with pytest.raises(SplError):
        Engine([{"_raw": "x"}], tmp_path, "no-python", {}, NOW)


# -- our commands


@pytest.fixture(scope="module")
def search(app, python):
    engine = Engine(EVENTS, app, python, MACROS, NOW, {"flowlag_options": 'lag="30"'})
    return lambda query: (engine.search(query), engine.messages)


def test_packaged_commands(search):
    """The base search, both commands with macros, and a table: the login's flow is found."""
    rows, messages = search(
        "`flowlag_index` OR user=* | flowlagenrich `flowlag_options` "
        '| flowlagmatch by="src_ip=src" within=100 | eval gap=round(match_gap_max) '
        "| table user match_certainty flow_interface_id flow_flowlag_earliest gap"
    )
    assert rows == [
        {
            "user": "Bob",
            "match_certainty": "certain",
            "flow_interface_id": "eni-1",
            "flow_flowlag_earliest": "1602397676",
            "gap": "46",
        }
    ]
    assert messages == []


def test_packaged_command_keeps_multivalues(search):
    rows, _ = search("tag=* | flowlagenrich | table tag flowlag_status flowlag_start")
    assert rows == [{"tag": ["one", "two"], "flowlag_status": "other", "flowlag_start": ""}]


def test_packaged_command_on_nothing(search):
    assert search("nothing_at_all | flowlagenrich | flowlagprofile | stats count")[0] == [{"count": "0"}]


def test_packaged_command_warns(search):
    _, messages = search('* | eval flowlag_start="soon" | flowlagmatch by="src_ip=src" relation=before within=1')
    assert messages and all(level == "WARN" for level, _ in messages)


@pytest.mark.parametrize("arguments", ["lag=x", "nosuch=1", r'format="\\"'])
def test_packaged_command_refuses(search, arguments):
    with pytest.raises(SplError):
        search(f"* | flowlagenrich {arguments}")


#: What an administrator of tests/rules would have in local/macros.conf, and the time from which the searches run.
SITE = {
    "flowlag_outside(1)": 'if(cidrmatch("10.0.0.0/8",$ip$) OR cidrmatch("192.0.2.0/24",$ip$),0,1)=1',
    "flowlag_sweep_ports": "3",
}
START = 1772366400


@pytest.mark.parametrize(
    ("stanza", "folder", "seconds"),
    [
        ("Access - Remote Login Tied To Its Flow - Rule", "remote-login", 3600),
        ("Network - Rejected Ports Then Accepted Connection - Rule", "sweep", 7200),
        ("Threat - Outbound Volume After Use Of Instance Credential - Rule", "credential-volume", 3600),
        ("Threat - Finding Without Possible Flow - Rule", "missing-flow", 10000),
        ("Audit - Flow Records Late Or Skipped - Rule", "late-records", 7200),
    ],
)
def test_correlation_searches_find_what_their_truth_says(app, python, stanza, folder, seconds):
    """The interpreter and the Python of test_rules.py, written apart, agree on all that is behind the base search."""
    events, expected = (read_csv(ROOT / "tests" / "rules" / folder / name) for name in ("events.csv", "findings.csv"))
    _, pipe, rest = read_conf("default/savedsearches.conf")[stanza]["search"].partition("|")
    found = Engine(events, app, python, MACROS, START + seconds, SITE).search(f"* {pipe} {rest}")
    assert sorted(str({name: row[name] for name in expected[0]}) for row in found) == sorted(map(str, expected))


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
