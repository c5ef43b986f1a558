# SPDX-License-Identifier: Apache-2.0
"""Records that are tagged many at a time are written as those that are read row by row; and they are tagged so."""

import csv
import gzip
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlag.cli import tagger
from flowlag.cli.main import main
from flowlag.cli.period import Period
from flowlag.layouts import LAYOUTS
from tests.files.made import HEADER, NAMES, assert_same_output, parquet, subscription, write_output

START = 1602397446
LAYOUT_NAMES = {**{name: layout.columns for name, layout in LAYOUTS.items()}, "own": (
    "interface-id", "tcp-flags", "start", "srcaddr", "end", "log-status", "dstport", "instance-id"
)}  # fmt: skip
OTHERS = [
    "sshd[812]: Accepted publickey for root from 192.0.2.1 port 22 ssh2: OK",
    HEADER,
    "interface-id start end log-status",
    "# a comment",
    "",
    "2 1 eni-1 NODATA",
    'a "quoted" word, and a comma',
    "{broken",
]


def word(name, i):
    """A word of a column; those of some records are alike, as in a batch."""
    words = {
        "version": "5", "account-id": "123456789010", "interface-id": f"eni-0a1b2c3d4e5f6789{i % 10}",
        "tgw-attachment-id": f"tgw-attach-0a1b2c3d4e5f6789{i % 10}", "srcaddr": f"192.0.2.{i % 250}",
        "dstaddr": "2001:db8::1", "srcport": str(1024 + i), "dstport": "443", "protocol": "6", "packets": str(i % 3),
        "bytes": str(40 * i), "start": str(START + i // 3), "end": str(START + i // 3 + i % 70), "action": "ACCEPT",
        "log-status": "OK", "tcp-flags": str(i % 20),
    }  # fmt: skip
    return words.get(name, "-")


def damage(kind, words, columns):
    """The words of a record with something unusual."""
    changed = dict(zip(columns, words))
    changed.update(
        {
            "nodata": {"log-status": "NODATA", "packets": "-", "bytes": "-", "srcaddr": "-"},
            "skipdata": {"log-status": "SKIPDATA", "packets": "-"},
            "invalid": {"start": "yesterday"},
            "reversed": {"end": "1402397446"},
            "iso": {"start": "2020-10-11T06:24:06Z"},
            "decimals": {"end": f"{START + 3}.25"},
            "quotes": {"srcaddr": '"192.0.2.1"'},
            "comma": {"dstaddr": "192.0.2.1,192.0.2.2"},
            "letters": {"dstaddr": "höst"},
            "unread letters": {"packets": "€"},
            "named": {"version": "version"},
        }.get(kind, {})
    )
    return [changed[name] for name in columns]


KINDS = (
    "plain",
    "nodata",
    "skipdata",
    "invalid",
    "reversed",
    "iso",
    "decimals",
    "quotes",
    "comma",
    "letters",
    "unread letters",
    "named",
)
FRONTS = ("", "2020-10-11T06:24:06Z ", "1602397446000 eni-0a1b2c3d4e5f67890-all ", " ", "\t")


@st.composite
def runs(draw):
    """Runs of records, most of them plain, in one layout or in several, with other lines between them."""
    found = []
    some = draw(st.sampled_from([["default"], ["own"], ["addon-v5"], ["tgw", "default"], list(LAYOUT_NAMES)]))
    for _ in range(draw(st.integers(1, 4))):
        layout = LAYOUT_NAMES[draw(st.sampled_from(some))]
        kind = draw(st.sampled_from(("plain", *KINDS)))
        first = draw(st.integers(0, 1000))
        for i in range(draw(st.sampled_from([1, 2, 40, 100]))):
            found.append((layout, damage(kind, [word(name, first + i) for name in layout], layout)))
        found.extend((None, [draw(st.sampled_from(OTHERS))]) for _ in range(draw(st.integers(0, 1))))
    return found


def as_lines(records, front=""):
    return [front + " ".join(words) for _, words in records]


def write_csv(rows):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()


def as_objects(records, extra):
    return [
        {**dict(zip([name.replace("-", "_") for name in layout or ["_raw"]], words)), **extra}
        for layout, words in records
    ]


def as_csv(records, extra):
    objects = as_objects(records, extra)
    names = list(dict.fromkeys(name for one in objects for name in one))
    return write_csv([names, *([one.get(name, "") for name in names] for one in objects)])


def numbered(objects):
    """Objects with numbers as numbers, and a member that is an object."""
    return [
        {name: int(text) if text.isdecimal() else text for name, text in one.items()} | {"inner": {"a": "b", "c": None}}
        for one in objects
    ]


EXTRAS = ({}, {"_time": "1602390000"}, {"_time": ""}, {"source": "here", "flowlag_start": "x"}, {"user": "a,b"})
SHAPES = {
    "text": lambda records, extra, front: "\n".join(as_lines(records, front)),
    "crlf": lambda records, extra, front: "".join(line + "\r\n" for line in as_lines(records, front)),
    "below-a-header": lambda records, extra, front: "\n".join([HEADER, *as_lines(records, front)]),
    "csv": lambda records, extra, front: as_csv(records, extra),
    "csv-crlf": lambda records, extra, front: as_csv(records, extra).replace("\n", "\r\n"),
    "csv-message": lambda records, extra, front: write_csv(
        [["timestamp", "message"], *(["1", line] for line in as_lines(records, front))]
    ),
    "csv-raw": lambda records, extra, front: write_csv(
        [["_raw", "srcaddr", *extra], *([line, "", *extra.values()] for line in as_lines(records, front))]
    ),
    "json-lines": lambda records, extra, front: "".join(
        json.dumps(one) + "\n" for one in as_objects(records, extra)
    ),
    "json-numbers": lambda records, extra, front: "".join(
        json.dumps(one) + "\n" for one in numbered(as_objects(records, extra))
    ),
    "json-messages": lambda records, extra, front: "".join(
        json.dumps({"message": line, **extra}) + "\n" for line in as_lines(records, front)
    ),
    "json-array": lambda records, extra, front: json.dumps(as_objects(records, extra)),
    "cloudwatch": lambda records, extra, front: json.dumps(subscription(*as_lines(records, front))),
}  # fmt: skip
OPTIONS = (
    {}, {"format": "default"}, {"format": "tgw;default"}, {"format": "none"}, {"time": "estimate"}, {"prefix": "x_"},
    {"interval": "60"}, {"phase": "7", "lag": "5"}, {"time": "end", "windows": "none"}, {"start": "end"},
    {"community": "true"}, {"confidence": "95"},
)  # fmt: skip
PERIODS = (None, None, None, Period(since_us=(START + 20) * 1_000_000), Period(until_us=START * 1_000_000))


def default_lines(count, **changed):
    """Records in the default layout, each with some words changed."""
    return [
        " ".join({**{name: word(name, i) for name in LAYOUT_NAMES["default"]}, **changed}.values())
        for i in range(count)
    ]


@pytest.mark.parametrize(
    "lines",
    [
        [HEADER, *default_lines(40), *("#" + line for line in default_lines(3)), *default_lines(40)],
        [*default_lines(40), *default_lines(1, version="version"), *default_lines(40)],
        [*default_lines(40, packets="€"), *default_lines(1, start="€"), *default_lines(40, dstaddr="höst")],
        [HEADER, *default_lines(40), HEADER.replace("start end", "end start"), *default_lines(40)],
        [*default_lines(40), " ".join([*HEADER.split()[1:], "version"]), *default_lines(40)],
        [*default_lines(40), "interface-id start end log-status", "eni-1 1602397446 1602397505 OK"],
    ],
    ids=["commented-out", "version-again", "letters", "another-header", "version-last", "narrower-header"],
)
@pytest.mark.parametrize("shape", ["text", "csv", "message"])
def test_lines_that_settle_how_others_are_read(lines, shape, tmp_path):
    path = tmp_path / "x"
    content = {
        "text": lines,
        "csv": [",".join(NAMES), *(line.replace(" ", ",") for line in lines)],
        "message": ["timestamp,message", *(f"1,{line}" for line in lines)],
    }[shape]
    path.write_text("\n".join(content))
    for output in ("csv", "json"):
        assert_same_output([str(path)], output)


@settings(max_examples=100, deadline=None)
@given(
    records=runs(), shape=st.sampled_from(sorted(SHAPES)), options=st.sampled_from(OPTIONS),
    extra=st.sampled_from(EXTRAS), front=st.sampled_from(("", "", "", *FRONTS)), period=st.sampled_from(PERIODS),
    output=st.sampled_from(["csv", "json"]), is_packed=st.booleans(), size=st.sampled_from([100, 5000, 1 << 18]),
)  # fmt: skip
def test_many_at_a_time_as_one_by_one(
    records, shape, options, extra, front, period, output, is_packed, size, tmp_path_factory
):
    content = SHAPES[shape](records, extra, front).encode()
    path = tmp_path_factory.getbasetemp() / "many"
    path.write_bytes(gzip.compress(content, 1) if is_packed else content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flowlag.files.line_source.PIECE_BYTES", size)
        patch.setattr("flowlag.files.json_text.PIECE_BYTES", size)
        assert_same_output([str(path)], output, period, **options)


def test_several_files_with_their_names(tmp_path):
    records = [(LAYOUT_NAMES["default"], [word(name, i) for name in LAYOUT_NAMES["default"]]) for i in range(100)]
    paths = []
    for shape, write in SHAPES.items():
        paths.append(str(tmp_path / shape))
        (tmp_path / shape).write_text(write(records, {}, ""))
    for output in ("csv", "json"):
        assert_same_output(paths, output)


def plain_records(layout):
    return [(LAYOUT_NAMES[layout], [word(name, i) for name in LAYOUT_NAMES[layout]]) for i in range(1000)]


@pytest.mark.parametrize("layout", sorted(LAYOUT_NAMES))
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_hardly_any_record_is_read_alone(shape, layout, tmp_path, monkeypatch):
    """No more than a header line and what stands beside it."""
    alone = []
    tag_rows = tagger.tag_rows
    monkeypatch.setattr(tagger, "tag_rows", lambda enricher, rows, period: tag_rows(enricher, note(rows), period))

    def note(rows):
        for row in rows:
            alone.append(row)
            yield row

    path = tmp_path / "x"
    path.write_text(SHAPES[shape](plain_records(layout), {}, ""))
    is_told = shape == "below-a-header" and layout != "default"  # these are not below their own header
    lines, counts, _, said = write_output([str(path)], "csv", is_fast=True)
    assert len(lines) == 1001 and counts == {"ok": 1000} and not said
    assert is_told or len(alone) <= 64


def test_hardly_any_record_of_parquet_is_read_alone(tmp_path, monkeypatch):
    path = tmp_path / "x"
    rows = [dict(zip(NAMES, words)) for _, words in plain_records("default")]
    path.write_bytes(parquet([{**row, "start": int(row["start"]), "bytes": None} for row in rows]))
    assert_same_output([str(path)], "csv")
    monkeypatch.setattr(tagger, "tag_rows", lambda enricher, rows, period: pytest.fail("a row is read alone"))
    assert len(write_output([str(path)], "csv", is_fast=True)[0]) == 1001


@pytest.mark.parametrize("command", ["profile", "connect", "learn"])
@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_other_commands_take_records_by_columns(command, shape, tmp_path, capsysbinary, monkeypatch):
    """And tell what they tell of rows."""
    columns, kinds = LAYOUT_NAMES["default"], KINDS[:-1]
    records = [
        (
            columns,
            damage(kinds[i % 40] if i % 40 < len(kinds) else "plain", [word(name, i) for name in columns], columns),
        )
        for i in range(250)
    ]
    (tmp_path / "x").write_text(SHAPES[shape](records, {}, ""))
    flows, given = str(tmp_path / "x"), [str(tmp_path / "x")]
    if command == "learn":
        anchors = [f"{START + i // 3},192.0.2.{i},1\n" for i in range(250)]
        (tmp_path / "anchors").write_text("".join(["_time,src,count\n", *anchors]))
        given = ["--flows", flows, "--anchors", str(tmp_path / "anchors"), "--by", "srcaddr=src"]
        given += ["--anchor-packets", "count"]
    found = []
    for is_fast in (True, False):
        if not is_fast:
            monkeypatch.setattr(tagger._Tagger, "split", lambda self, batch, source: iter([batch]))
        code = main([command, "--output", "csv", *given])
        found.append((code, *capsysbinary.readouterr()))
    assert found[0] == found[1] and found[0][1].count(b"\n") > 5
