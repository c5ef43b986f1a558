# SPDX-License-Identifier: Apache-2.0
"""What holds for every event: nothing raises, nothing is lost, order and cuts do not matter, more lag is never narrower."""

from decimal import Decimal

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flowlag.instants import parse_instant
from flowlag.record import STATUSES
from flowlag.splunk.csv_bytes import read_records, scan_record, split_record, unquote
from flowlag.splunk.enrich_table import EnrichTable
from tests.support.oracle import cut, enricher, expected_reply, read_body, read_text, write_rows
from tests.support.splunkd import write_body
from tests.support.strategies import T, events, options, times

RELAXED = settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
COLUMNS = [
    "start_time",
    "start",
    "end_time",
    "end",
    "packets",
    "log_status",
    "interface_id",
    "src_ip",
    "srcaddr",
    "dest_ip",
    "src_port",
    "dest_port",
    "protocol",
    "transport",
    "_raw",
    "_time",
    "user",
    "ÿ",
]


@RELAXED
@given(events, options)
def test_every_event_has_one_verdict_and_all_tags(event, chosen):
    tags = enricher(chosen).tag(event.get)
    assert tags.status in STATUSES and len(tags) == 18
    assert bool(tags.earliest) == (tags.status in ("ok", "nodata", "skipdata"))


@RELAXED
@given(events, options)
def test_the_envelope_holds_the_record_and_its_middle(event, chosen):
    tags = enricher(chosen).tag(event.get)
    if tags.earliest:
        start, end, earliest, latest, time, width = map(Decimal, (*tags[1:3], *tags[4:8]))
        assert earliest <= start <= end < latest
        assert (time - width, time + width) == (earliest, latest)


@RELAXED
@given(events, st.integers(0, 3599), st.integers(0, 3599))
def test_more_lag_never_narrows_the_envelope(event, one, other):
    narrow, wide = (enricher({"lag": str(lag)}).tag(event.get) for lag in sorted((one, other)))
    assert narrow.status == wide.status and narrow.latest == wide.latest
    if narrow.earliest:
        assert Decimal(wide.earliest) <= Decimal(narrow.earliest)


@RELAXED
@given(events, options)
def test_tagging_twice_changes_nothing(event, chosen):
    tagger = enricher(chosen)
    once = next(tagger.rows([dict(event)]))
    twice = next(tagger.rows([dict(once)]))
    assert {name: twice[name] for name in tagger.fields} == {name: once[name] for name in tagger.fields}


@settings(deadline=None, max_examples=500)
@given(st.one_of(times, st.text(max_size=40), st.text("0123456789TZ:-+. /JanuryMonSep", max_size=30)))
def test_no_text_makes_a_time_reader_raise(text):
    parsed = parse_instant(text)
    assert parsed is None or isinstance(parsed, int)


@RELAXED
@given(st.lists(events, min_size=1, max_size=8), options, st.data())
def test_cutting_the_stream_anywhere_gives_the_same_events(stream, chosen, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=3)))
    whole, parts = EnrichTable(enricher(chosen)), EnrichTable(enricher(chosen))
    expected = read_body(whole.tag(encode(stream)))
    cut = [read_body(parts.tag(encode(stream[a:b]))) for a, b in zip([0, *cuts], [*cuts, len(stream)])]
    assert [row for rows in cut for row in rows[1:]] == expected[1:]


def encode(stream, columns=COLUMNS):
    return write_body([{name: value.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape") for name, value in event.items()}
                       for event in stream], columns)  # fmt: skip


@RELAXED
@given(st.lists(events, min_size=1, max_size=6), options, st.booleans())
def test_the_byte_path_equals_the_plain_path(stream, chosen, tagged_before):
    """Same tags, same `_time`, every other column byte for byte, also when tag columns are there already."""
    columns = [*COLUMNS, "flowlag_status"] if tagged_before else COLUMNS
    body = encode(stream, columns)
    tagger = enricher(chosen)
    sent, received = read_body(body), read_body(EnrichTable(enricher(chosen)).tag(body))
    assert len(received) == len(sent)
    names = [name.encode("latin-1").decode() for name in sent[0]]
    for row, reply in zip(sent[1:], received[1:]):
        event = dict(zip(names, (value.encode("latin-1").decode("utf-8", "replace") for value in row)))
        answer = dict(zip(received[0], reply))
        plain = next(tagger.rows([{k: v for k, v in event.items() if not k.startswith("__mv_")}]))
        assert [answer[name] for name in tagger.fields] == [plain[name] for name in tagger.fields]
        assert answer["_time"] == plain["_time"]
        for name, value in zip(sent[0], row):
            if name not in ("_time", "__mv__time", *tagger.fields, *("__mv_" + field for field in tagger.fields)):
                assert answer[name] == value


SIZES = st.sampled_from([1, 20, 300, 1 << 20])


@RELAXED
@given(st.lists(events, min_size=1, max_size=8), options, SIZES, SIZES)
def test_blocks_change_nothing(stream, chosen, block_size, piece_size):
    """However the body arrives and wherever its blocks end, and whether they are split or read."""
    body = encode(stream)
    expected = EnrichTable(enricher(chosen)).tag(body)
    blocks = EnrichTable(enricher(chosen), block_size)
    assert b"".join(blocks.tag_pieces(cut(body, piece_size))) == expected
    assert b"".join(CsvAlone(enricher(chosen), block_size).tag_pieces(cut(body, piece_size))) == expected


class CsvAlone(EnrichTable):
    """Splits no block."""

    def _tag_block(self, plan, block, blocks):
        plan.splitter.split = lambda block, text: None
        return super()._tag_block(plan, block, blocks)


@RELAXED
@given(st.sampled_from([b"start\n", b"start,end\n"]), st.text('1",\n\r\0é', max_size=60), SIZES, st.integers(1, 5))
def test_blocks_change_nothing_whatever_the_text(header, text, block_size, piece_size):
    """Also where quotes stand that no CSV writer would leave."""
    body = header + text.encode()
    expected = CsvAlone(enricher({})).tag(body)
    assert b"".join(EnrichTable(enricher({}), block_size).tag_pieces(cut(body, piece_size))) == expected


@RELAXED
@given(st.lists(st.tuples(st.integers(0, 7200), st.sampled_from([-5, 0, 1, 20, 58, 59, 60, 61, 3600, 3601]),
                          st.sampled_from(["", "0", "1", "2", "77", "-", "x"]), st.sampled_from(["OK", "NODATA", "-"])),
                min_size=1, max_size=30), options, SIZES)  # fmt: skip
def test_records_moved_in_time_have_the_tags_of_their_own(flows, chosen, block_size):
    """One judged record answers for all that last as long: so each has to equal what it gets on the plain path."""
    header = [b"_time", b"start", b"end", b"packets", b'"log_status"']
    rows = [
        [b"5", b"%d" % (T + at), b"%d" % (T + at + length), packets.encode(), status.encode()]
        for at, length, packets, status in flows
    ]
    expected, counts = expected_reply(header, rows, chosen)
    tags = enricher(chosen)
    assert EnrichTable(tags, block_size).tag(write_rows(header, rows)) == expected
    assert tags.counts == counts


# Raw fields as a CSV writer, or a careless one, leaves them: bare, quoted, quotes in a bare field, text behind a closing quote.
bare = st.text('a1" é', max_size=5).filter(lambda text: not text.startswith('"'))
quoted = st.text('a,"\n', max_size=6).map(lambda text: '"' + text.replace('"', '""') + '"')
raw_records = st.lists(st.one_of(bare, quoted, st.tuples(quoted, bare).map("".join)), min_size=1, max_size=4).map(
    ",".join
)


raw_fields = st.one_of(
    st.sampled_from([b"", b"1602397446", b"1602397505", b'"1602397446"', b"1602397447", b"1", b"OK", b"-", b'"a,b"', b'"\n"', b"\0", b"\xff"]),
    st.one_of(bare, quoted, st.tuples(quoted, bare).map("".join)).map(str.encode),
)  # fmt: skip
raw_names = st.sampled_from([b"start", b"end", b'"start_time"', b"packets", b'"_time"', b'"__mv__time"', b'"_raw"', b"user", b'"__mv_user"', b'"__mv_start"', b'"flowlag_status"', b'"__mv_flowlag_status"'])  # fmt: skip


@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(raw_names, min_size=1, max_size=8), st.lists(st.lists(raw_fields, min_size=1, max_size=9), max_size=6),
       options, SIZES, SIZES)  # fmt: skip
@example([b"start_time", b'"_time"'], [[b"1602397446", b'"1602397446"']], {"time": "start"}, 1, 1)  # the same time
def test_the_byte_path_equals_the_oracle(header, rows, chosen, block_size, piece_size):
    """Any columns, any order, twins anywhere, rows of any width, fields quoted as they like."""
    expected, counts = expected_reply(header, rows, chosen)
    tags = enricher(chosen)
    reply = b"".join(EnrichTable(tags, block_size).tag_pieces(cut(write_rows(header, rows), piece_size)))
    assert reply == (expected if rows else b"")
    assert tags.counts == counts


flow_columns = {
    b"start": st.integers(T, T + 90).map(lambda time: b"%d" % time),
    b"end": st.integers(T + 60, T + 90).map(lambda time: b"%d" % time),
    b"src_ip": st.sampled_from([b"10.0.0.1", b'"10.0.0.2"', b"-", b"", b'"2001:db8::1"', b"999.1.1.1", b'"a,b"']),
    b'"srcaddr"': st.sampled_from([b"10.0.0.3", b'"10.0.0.4"', b"", b'"::ffff:10.0.0.9"']),
    b'"dest_ip"': st.sampled_from([b"10.0.0.1", b'"10.0.0.2"', b'"2001:DB8::2"', b'"fe80::1%eth0"', b"-"]),
    b"src_port": st.sampled_from([b"22", b'"22.0"', b"70000", b"-", b"443"]),
    b"dest_port": st.sampled_from([b"22", b'"443"', b"443", b""]),
    b"protocol": st.sampled_from([b"6", b"ip", b"tcp", b"1", b""]),
    b"transport": st.sampled_from([b"17", b"udp", b"sctp", b'"\xff"']),
    b"log_status": st.sampled_from([b"OK", b"NODATA", b"bad"]),
    b'"_raw"': st.sampled_from([b"", b'"2 1 eni-1 10.0.0.7 10.0.0.8 1 2 6 1 136 1602397446 1602397505 ACCEPT OK"', b"x"]),
}  # fmt: skip
flow_headers = st.lists(st.sampled_from([*flow_columns]), min_size=4, max_size=14, unique=True)


@RELAXED
@given(st.data(), flow_headers, st.sampled_from(["keep", "latest"]), SIZES)
def test_ids_on_the_byte_path_equal_the_oracle(data, header, time, block_size):
    """Whatever names of the five-tuple are there, and whether the record is in the fields or in `_raw`."""
    rows = data.draw(st.lists(st.tuples(*map(flow_columns.get, header)), min_size=1, max_size=8))
    chosen = {"community": "true", "time": time}
    expected, counts = expected_reply(header, rows, chosen)
    tags = enricher(chosen)
    assert EnrichTable(tags, block_size).tag(write_rows(header, rows)) == expected
    assert tags.counts == counts


@settings(deadline=None, max_examples=500)
@given(st.lists(raw_records, max_size=4), st.booleans())
def test_the_scanner_reads_as_the_csv_module_does(records, open_end):
    text = "".join(record + "\n" for record in records)
    text = text[:-1] if open_end and not text.endswith("\n\n") else text
    scanned, start = [], 0
    while start < len(text):
        end = scan_record(text, start)
        fields = split_record(text[start:end].rstrip("\n") if text[start:end] != "\n" else "")
        scanned.append([unquote(field) for field in fields] if fields != [""] else [])
        start = end
    assert scanned == read_text(text)
    assert [values for values, _ in read_records(text, 0)] == scanned


@settings(deadline=None, max_examples=500)
@given(st.text('a1,"\n\r\0é', max_size=60))
def test_records_joined_are_the_text_again(text):
    """Whatever the text: no record is skipped, none is read twice."""
    assert "".join(record for _, record in read_records(text, 0)) == text
