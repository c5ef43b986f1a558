# SPDX-License-Identifier: Apache-2.0
"""What fuzzing found stays found: each kept input through its target; and the limits of what a file can make of itself."""

import gzip
import io
import json
import os
import subprocess
import sys
import time
import tracemalloc
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowlag.cli import output
from flowlag.cli.output import write_csv
from flowlag.enrich import Enricher
from flowlag.enrich_options import Settings, parse_arguments, parse_settings
from flowlag.errors import LONGEST_SHOWN, FlowlagError, ProtocolError, SettingsError
from flowlag.files import csv_rows, gunzip, json_rows, json_text, line_source, parquet_rows
from flowlag.files.limits import DEEPEST_DOCUMENT
from flowlag.files.rows import name_columns
from flowlag.files.sources import read_sources
from flowlag.match.matcher import Matcher
from flowlag.match.options import parse_match_settings
from flowlag.profile.modes import find_changes
from flowlag.splunk.enrich_table import EnrichTable
from flowlag.splunk.frames import LONGEST_METADATA, read_frame
from flowlag.splunk.match_table import MatchTable
from tests.fuzz.run import NAMES
from tests.fuzz.targets import TARGETS
from tests.support.oracle import enricher, split_body
from tests.support.strategies import HOSTILE
from tools.places import ROOT

CORPUS = ROOT / "tests" / "fuzz" / "corpus"
INPUTS = sorted(path for path in CORPUS.glob("*/*") if path.is_file())
A = "2 1 eni-1 192.0.2.1 192.0.2.2 1 22 6 1 40 1602397446 1602397505 ACCEPT OK"
EVENT = '{"start": 1602397446, "end": 1602397505}'


def read(path, content):
    """The statuses of a file's rows, and the one complaint about it."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    complaints = []
    tagger = Enricher(Settings())
    rows = list(read_sources([str(path)], tagger.settings, lambda count: None, complaints.append))
    statuses = [
        (
            tagger.tag_line(row.values, row.fields.get)
            if row.values
            else tagger.tag({}.get if row.is_other else row.fields.get)
        ).status
        for row in rows
    ]
    return statuses, "; ".join(map(str, complaints)).replace(f"{path}: ", "")


# --- inputs that were kept ---


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_kept_input(path):
    if path.parent.name == "parquet":
        pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow, which is not installed")
    TARGETS[path.parent.name](path.read_bytes())


def test_every_target_has_inputs_and_is_run():
    assert {path.parent.name for path in INPUTS} == set(TARGETS) == set(NAMES)
    assert len(INPUTS) < 200 and sum(path.stat().st_size for path in INPUTS) < 500_000


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("command", "parquet", "lookup", "chunk")])
def test_any_bytes_at_all(name):
    """What the fuzzer does for hours, for a moment, also where there is no atheris."""

    @settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=80))
    def run(data):
        TARGETS[name](data)

    run()


# --- an event that stopped the search ---


@pytest.mark.parametrize("shape", ['{"start":%s%s}', '{"message":%s%s}', '{"packets":%s%s,"start":1602397446}'])
@pytest.mark.parametrize(("opening", "closing"), ["[]", ('{"a":', "1}")], ids=["list", "object"])
def test_no_depth_of_json_makes_an_event_raise(shape, opening, closing):
    """What json.loads can just read, json.dumps could not write: Python 3.9 from 985 levels on, 3.13 at 9,997."""
    limit = sys.getrecursionlimit()
    for depth in (*range(limit - 130, limit + 10), *range(9950, 10050, 3)):
        tags = enricher({}).tag({"_raw": shape % (opening * depth, closing[-1] * depth)}.get)
        assert tags.status in ("other", "invalid", "missing"), depth


def test_a_name_of_a_thousand_dots_reaches_as_deep():
    name = ".".join(["a"] * 2000)
    raw = '{"a":' * 2000 + "1602397446" + "}" * 2000
    assert enricher({"start": name, "end": name}).tag({"_raw": raw}.get).status in ("ok", "other")


# --- what stands behind an open quote ---


def test_tags_do_not_stand_inside_an_open_quote():
    body = b'start,end,user\n1602397446,1602397505,"abc\n'
    (_, end), (fields, _) = split_body(EnrichTable(enricher({})).tag(body))
    assert end == b"\n" and fields[:3] == [b"1602397446", b"1602397505", b'"abc\n"'] and b"ok" in fields


def test_an_open_quote_costs_no_other_pair():
    head = b"k,flowlag_status,flowlag_earliest,flowlag_latest,_time,x\n"
    flow, anchor = b"1,ok,1602397386,1602397506,,\n", b"1,,,,1602397450,"
    table = MatchTable(Matcher(parse_match_settings([("by", "k")])))
    table.feed(head + flow + anchor + b'"open\n')
    table.feed(head + anchor + b"later\n")
    records = split_body(table.close())
    assert len(records) == 3 and {len(fields) for fields, _ in records} == {len(records[0][0])}


# --- sentences ---


@pytest.mark.parametrize("value", ["5\nforged", "\x1b[2J", "x" * 100_000, "\ud800", *HOSTILE], ids=ascii)
def test_a_refusal_is_one_line_that_can_be_read(value):
    with pytest.raises(SettingsError) as caught:
        parse_arguments([f"lag={value}x"])
    assert str(caught.value).isprintable() and len(str(caught.value)) < LONGEST_SHOWN * 8
    with pytest.raises(SettingsError) as caught:
        parse_arguments([f"no{value}=5"])
    assert str(caught.value).isprintable()


def test_every_error_is_one_line():
    assert str(FlowlagError("a\nb\x07é")) == "a\\nb\\x07é"


# --- the protocol ---


def test_metadata_has_a_limit():
    with pytest.raises(ProtocolError, match="at most 16777216 bytes"):
        read_frame(io.BytesIO(b"chunked 1.0,%d,0\n" % (LONGEST_METADATA + 1)))


# --- what a file can make of itself; small limits, so that the tests are fast, and real sizes below ---


@pytest.fixture
def small(monkeypatch):
    """Limits a thousand times as small."""
    for module, name in ((line_source, "LONGEST_LINE"), (csv_rows, "LONGEST_LINE"), (json_rows, "LONGEST_DOCUMENT"),
                         (json_text, "LONGEST_DOCUMENT"),
                         (json_rows, "MOST_REPEATED"), (gunzip, "FREE_UNPACKED"), (parquet_rows, "FREE_UNPACKED"),
                         (csv_rows, "MOST_COLUMNS"), (output, "LONGEST_SAMPLE")):  # fmt: skip
        monkeypatch.setattr(module, name, getattr(module, name) // 1000)
    monkeypatch.setattr(json_text, "PIECE_BYTES", 4096)


def test_a_line_without_end(small, tmp_path):
    """The lines before it are read."""
    found, complaint = read(tmp_path / "x", f"{A}\n{A}\n" + "x" * 20_000)
    assert found == ["ok", "ok"] and complaint.startswith("one of its lines is longer than 0 MB")
    assert read(tmp_path / "x", f"{A}\n" + "x" * 16_000) == (["ok", "other"], "")


@pytest.mark.parametrize(
    "row", ['5,6,"' + "y" * 20_000 + '"\n', '5,6,"' + "y\n" * 9_000, '"a\n",' * 4000], ids=["cell", "open", "cells"]
)
def test_a_row_of_csv_without_end(small, tmp_path, row):
    found, complaint = read(tmp_path / "x", "start,end,x\n1602397446,1602397505,\n" + row)
    assert found == ["ok"] and "is longer than 0 MB" in complaint


def test_columns_of_csv(small, tmp_path):
    assert read(tmp_path / "x", "start,end" + ",a" * 8 + "\n1602397446,1602397505\n")[1] == ""
    found, complaint = read(tmp_path / "x", "start,end" + ",a" * 9 + "\n1602397446,1602397505\n")
    assert not found and complaint == "its header has 11 columns, and only 10 can be read; leave some out"


def test_a_document_without_end(small, tmp_path):
    """As far as it was held, its lines are tried as documents of their own."""
    found, complaint = read(tmp_path / "x", f"{EVENT}\n[\n" + f"{EVENT},\n" * 5000)
    assert complaint.startswith("one of its JSON documents is longer than 0 MB; write each event on a line")
    assert len(found) > 500 and set(found) == {"ok", "other"}
    assert read(tmp_path / "x", f"{EVENT}\n" * 5000) == (["ok"] * 5000, "")


@pytest.mark.parametrize("depth", [DEEPEST_DOCUMENT - 1, DEEPEST_DOCUMENT, 500, 5000, 100_000])
def test_depth_of_a_document(tmp_path, depth):
    """One limit on every Python; what is deeper is one row, and the next document is read."""
    nested = '{"a":' * depth + "1" + "}" * depth
    found, complaint = read(tmp_path / "x", f"[{nested}]\n{EVENT}\n")
    assert found == ["other", "ok"] and not complaint


def test_names_that_grow_with_the_depth(small, tmp_path):
    """A document of kilobytes whose dotted names would have megabytes."""
    wide = '{"' + "a" * 2000 + '": {' + ", ".join(f'"{i}": 1' for i in range(100)) + "}}"
    assert read(tmp_path / "x", f"{wide}\n{EVENT}") == (["other", "ok"], "")


def test_what_is_said_of_all_events_is_not_repeated_without_end(small, tmp_path):
    common = {"note": "x" * 3000}
    events = [json.loads(EVENT)] * 200
    found, complaint = read(tmp_path / "x", json.dumps({**common, "logEvents": events}))
    assert found == ["ok"] * 200 + ["other"] and not complaint


def pack(content, layers):
    for _ in range(layers):
        content = gzip.compress(content, mtime=0)
    return content


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_a_gzip_bomb(small, tmp_path, layers):
    bomb = pack(b"\n" * 10_000_000, layers)
    found, complaint = read(tmp_path / "x", bomb)
    assert not found and complaint == "it unpacks to more than 250 times its size; if that is right, unpack it first"


def test_what_is_in_proportion_is_read(small, tmp_path):
    lines = b"".join(f"{A}\n".replace(" 22 ", f" {i} ").encode() for i in range(20_000))
    assert len(lines) > 20 * 65_536
    assert read(tmp_path / "x", pack(lines, 1)) == (["ok"] * 20_000, "")


def cost_s(work, size):
    """The least CPU time of three runs."""
    costs = []
    for _ in range(3):
        started = time.process_time()
        work(size)
        costs.append(time.process_time() - started)
    return min(costs)


def assert_linear(work, size):
    """Eight times as much costs about eight times the time, on any machine, and not 64 times."""
    assert cost_s(work, size) < 30 * cost_s(work, size // 8)


@pytest.mark.parametrize(
    ("content", "size"),
    [
        pytest.param(lambda n: pack(gzip.compress(b"") * n + gzip.compress(A.encode()), 1), 200_000, id="empty"),
        pytest.param(lambda n: gzip.compress(A.encode()) + bytes(n), 20_000_000, id="zeros"),
        pytest.param(lambda n: gzip.compress(b"\n") * n + gzip.compress(A.encode()), 20_000, id="one-byte"),
    ],
)
def test_a_million_members_without_content(tmp_path, content, size):
    """The gzip module takes minutes for them; and for zeros between members, one by one."""

    def work(count):
        assert read(tmp_path / "x", content(count)) == (["ok"], "")

    assert_linear(work, size)


@pytest.mark.parametrize("place", [-1, -5, -8], ids=["length", "checksum", "checksum-first"])
def test_a_wrong_checksum_costs_no_record(tmp_path, place):
    data = bytearray(gzip.compress(f"{A}\n".encode() * 3))
    data[place] ^= 255
    found, complaint = read(tmp_path / "x", bytes(data))
    assert found == ["ok"] * 3 and complaint.startswith("the compressed data are damaged (")


def test_documents_that_are_broken_again_and_again(tmp_path):
    """Each line looks like the beginning of a document that goes on to the end of the file."""

    def work(count):
        found, complaint = read(tmp_path / "x", '{"a":[1],"b":\n' * count + f"{EVENT}\n")
        assert found == ["other"] * count + ["ok"] and not complaint

    assert_linear(work, 20_000)


def test_a_header_of_one_name():
    """Was quadratic: a header of 32 kB took half a minute."""

    def work(count):
        names = name_columns(["a"] * count)
        assert len(set(names)) == count and names[-1] == f"a_{count}"

    assert_linear(work, 100_000)
    assert name_columns(["a", "a", "a_2", "a", "a_2"]) == ["a", "a_2", "a_2_2", "a_3", "a_2_3"]


@pytest.mark.parametrize("interval_s", [1, 2])
def test_intervals_without_a_phase(interval_s):
    """Was quadratic: flowlagprofile interval=2 over a day of ends took an hour."""
    assert find_changes(range(1_602_397_446, 1_602_397_446 + 200_000), interval_s) == []


def test_the_sample_of_a_csv_is_bounded(small):
    """Columns are then those of fewer first rows, and the warning says of how many."""
    warnings = []
    events = [{"a": "x" * 10_000}] * 20 + [{"b": "y", **{f"c{i}": "z" for i in range(20)}}]
    lines = list(write_csv([events], parse_settings([]), warnings.append))
    assert len(lines) == 22 and warnings[0].startswith("the CSV has the columns of its first 7 rows")


def test_memory_stays_in_bounds(tmp_path):
    """The real limits: a line of 200 MB, packed to 200 kB, and what is held of it."""
    packer = zlib.compressobj(wbits=31)
    path = tmp_path / "x"
    path.write_bytes(
        packer.compress(f"{A}\n".encode())
        + b"".join(packer.compress(b"x" * (1 << 20)) for _ in range(200))
        + packer.flush()
    )
    tracemalloc.start()
    complaints = []
    rows = list(read_sources([str(path)], Settings(), lambda count: None, complaints.append))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(rows) == 1 and str(complaints[0]).endswith(
        "one of its lines is longer than 16 MB; check that it is a flow log"
    )
    assert peak < 150_000_000


@pytest.mark.parametrize("output", ["csv", "json", "table"])
def test_the_exit_code(tmp_path, output):
    path = tmp_path / "x"
    path.write_bytes(pack(b"x" * 20_000_000, 2))
    done = subprocess.run(
        [sys.executable, "-m", "flowlag", "enrich", "--output", output, str(path)], capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "lib")},
    )  # fmt: skip
    assert done.returncode == 3
    assert (
        done.stderr.decode() == f"flowlag: {path}: one of its lines is longer than 16 MB; check that it is a flow log\n"
    )


# --- Parquet ---


def write_parquet(path, table, **options):
    pq = pytest.importorskip("pyarrow.parquet", reason="Parquet is read with pyarrow, which is not installed")
    pq.write_table(table, path, **options)
    return path.read_bytes()


@pytest.mark.parametrize("nested", [False, True])
def test_a_dictionary_that_stands_for_gigabytes(small, tmp_path, nested):
    """A hundred thousand times one text of 90 kB: nine gigabytes, in a file of some kilobytes."""
    pa = pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow, which is not installed")
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 90_000]))
    column = pa.StructArray.from_arrays([text], ["a"]) if nested else text
    content = write_parquet(tmp_path / "p", pa.table({"x": column}), compression="zstd")
    assert len(content) < 50_000
    found, complaint = read(tmp_path / "x", content)
    assert len(found) < 1000 and complaint == "it unpacks to more than 250 times its size"


def test_a_row_group_beyond_the_limit(tmp_path, monkeypatch):
    pa = pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow, which is not installed")
    monkeypatch.setattr(parquet_rows, "LARGEST_ROW_GROUP", 1 << 20)
    content = write_parquet(tmp_path / "p", pa.table({"x": ["y" * (2 << 20)]}), use_dictionary=False)
    found, complaint = read(tmp_path / "x", content)
    assert (
        not found and complaint == "one of its row groups unpacks to more than 1 MB; write it with smaller row groups"
    )


def test_fixed_values_beyond_the_limit(tmp_path):
    pa = pytest.importorskip("pyarrow", reason="Parquet is read with pyarrow, which is not installed")
    content = write_parquet(tmp_path / "p", pa.table({"x": pa.array([b"y" * 70_000], pa.binary(70_000))}))
    assert read(tmp_path / "x", content)[1].startswith("a column has fixed-length values of more than 65536 bytes")


def test_a_damaged_footer_does_not_end_the_process(tmp_path):
    """pyarrow 26 aborts, with no exception, when it is asked for a column's metadata of such a footer."""
    content = bytearray((CORPUS / "parquet" / "lists").read_bytes()[2:])
    path = tmp_path / "x"
    for place in range(780, 790):
        for bit in (1, 2):
            damaged = bytearray(content)
            damaged[place - 4] ^= bit
            found, complaint = read(path, b"PAR1" + bytes(damaged))
            assert found or complaint
