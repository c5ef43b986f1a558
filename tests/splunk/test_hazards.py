# SPDX-License-Identifier: Apache-2.0
"""What breaks fast CSV code, one case each: the reply is what the csv module and the plain path say, byte for byte.

Every case is mixed with ordinary rows and goes through in one piece, in blocks of 300 bytes and in blocks of one.
"""

import io

import pytest

from flowlag import memo
from flowlag.errors import ProtocolError
from flowlag.lags import LearnedLags
from flowlag.splunk import blocks, enrich_table, likely_column
from flowlag.splunk.blocks import BLOCK_SIZE, Blocks, Splitter, find_cut
from flowlag.splunk.enrich_table import EnrichTable
from flowlag.splunk.frames import read_frame, write_frame
from tests.support.oracle import cut, enricher, expected_reply, write_rows

HEADER = [b'"start_time"', b'"end_time"', b"packets", b'"_time"', b'"_raw"', b"user"]
TWINS = [b'"__mv_start_time"', b'"__mv_end_time"', b'"__mv_packets"', b'"__mv__time"', b'"__mv__raw"', b'"__mv_user"']
PLAIN = [b"1602397446", b"1602397505", b"1", b'"1602397446.000"', b'"a line"', b"root"]
BLANK = [b""] * 6


def row(**cells):
    """An ordinary row with some of its fields given; user is where untouched bytes stand."""
    names = ("start", "end", "packets", "time", "raw", "user")
    return [cells.get(name, cell) for name, cell in zip(names, PLAIN)]


def rows(*chosen):
    return HEADER, [PLAIN, *chosen, row(start=b"1602397447")]


def twins(*chosen):
    return [*HEADER, *TWINS], [[*PLAIN, *BLANK], *([*one, *two] for one, two in chosen), [*PLAIN, *BLANK]]


RAW = b"2 123456789012 eni-1 198.51.100.7 10.255.1.22 52233 22 6 1 136 1602397706 1602397745 ACCEPT OK"

CASES = {
    # 1 and 2: a multivalue is one value with a line break in it, and no row may be lost
    "multivalue-start": rows(row(start=b'"1602397446\n1602397447"')),
    "multivalue-packets": rows(row(packets=b'"1\n1"')),
    "multivalue-that-glued-would-be-a-time": rows(row(start=b'"16023\n97446"')),
    # 4
    "nul": rows(row(user=b"a\0b"), row(start=b"1602397446\0"), row(raw=b'"a\0,\nb"')),
    # 6
    "no-start-column": ([b"end", b"user"], [[b"1602397505", b"x"]]),
    "no-column-at-all": ([b"user"], [[b"x"], [b'"a,b"'], [b""]]),
    "no-packets-column": ([b"start", b"end"], [[b"1602397446", b"1602397505"]]),
    # 7
    "short-row": rows(PLAIN[:2], PLAIN[:1]),
    "long-row": rows([*PLAIN, b"surplus", b'"a,b"']),
    "stray-quote": rows(row(user=b'a"b'), row(user=b'"a"b')),
    "two-stray-quotes-around-a-comma": rows([b"1602397446", b'x"1602397505', b'1"', b"5", b"", b""]),
    "empty-line": ([b"start", b"end"], [[b"1602397446", b"1602397505"], [b""], [b"", b""]]),
    # 8
    "duplicate-names": ([b"start", b"start", b"end", b"start"], [[b"", b"1602397446", b"1602397505", b"5"], [b"1602397446", b"", b"1602397505", b""]]),
    "outputs-there-already": ([b'"flowlag_status"', *HEADER, b'"__mv_flowlag_status"', b'"flowlag_stamps"'], [[b'"a,\nb"', *PLAIN, b"$a$", b"x"], [b"", *PLAIN, b"", b""]]),
    "output-twins-at-the-end": ([b'"flowlag_status"', *HEADER, b'"__mv_flowlag_status"', *TWINS], [[b"ok", *PLAIN, b"", *BLANK]] * 2),
    "no-time-column": ([b"start", b"end", b"user"], [[b"1602397446", b"1602397505", b'"a,b"'], [b"", b"", b""]]),
    "empty-time": rows(row(time=b""), row(time=b'""'), row(time=b"", start=b"x")),
    "empty-quoted-time": rows(row(time=b'""')),
    "nothing-but-outputs": ([b'"flowlag_status"'], [[b"ok"], [b""]]),
    "nothing-but-outputs-and-twins": ([b'"flowlag_status"', b"__mv_a", b"__mv_b"], [[b"ok", b"", b""]] * 2),
    "empty-time-with-twins": twins((row(time=b""), BLANK), (row(time=b""), [b"", b"", b"", b"$a$", b"", b""])),
    # 9 and 10
    "lax-numbers": rows(*(row(start=text) for text in (b"1_602397446", b'" 1602397446"', b"+1602397446", "１６０２３９７４４６".encode(), b"1602397446\xb2"))),
    "lax-numbers-of-ten": rows(*(row(start=text) for text in (b"160239744\xb2", b"1_02397446", b"+602397446", b'" 60239744"', "160239744²".encode("latin-1")))),
    "quoted-numbers": rows(row(start=b'"1602397446"', end=b'"1602397505.0"', packets=b'"1.0"'), row(start=b'"-"'), row(packets=b"")),
    "quotes-in-a-value": rows(row(start=b'"""1602397446"""'), row(packets=b'"""1"""')),
    "other-units": rows(row(start=b"1602397446000"), row(start=b"1602397446.5", end=b'"1602397446.75"'), row(start=b'"2020-10-11T06:24:06Z"')),
    "no-values": rows(row(start=b"unknown"), row(start=b'"None"', end=b"null"), row(packets=b'"-"')),
    # 11
    "commas-in-quotes": rows(row(raw=b'"a,b,,"'), row(user=b'","')),
    "doubled-quotes": rows(row(raw=b'"say ""hi"", ""x"""'), row(user=b'""""""')),
    "line-breaks-in-quotes": rows(row(raw=b'"a\nb\n\nc"'), row(user=b'"\n"'), row(raw=b'"a\r\nb"')),
    "comma-counts-that-fool": rows(row(raw=b'"\n,,,,,\n"'), row(raw=b'"\n1602397446,1602397505,1,5,x,y\n"')),
    "quote-break-quote": rows(row(user=b'"""\n"""'), row(user=b'"\n""\n"')),
    "one-comma-too-few-and-one-in-quotes": rows([b"1602397446", b"1602397505", b"1", b"5", b'"a,b"']),
    # 12
    "any-bytes": rows(*(row(user=text) for text in (b"\x85\xa0", "\u2028\u0085\ufeff".encode(), b"\xff\xfe\x80", b"\x1c\x1d\x0b\x0c", b"%s %d %%"))),
    "bytes-in-names": ([b"start", "débüt".encode(), b"\xff", b"end"], [[b"1602397446", b"x", b"y", b"1602397505"]]),
    # 13
    "twins": twins((row(user=b'"a\nb"'), [*BLANK[:5], b'"$a$;$b$"'])),
    "twin-without-a-line-break": twins((PLAIN, [*BLANK[:5], b'"$a$"']), (PLAIN, [b"x", *BLANK[:5]])),
    "interleaved-twins": ([b"start", b"__mv_start", b"end", b"__mv_end", b"user"], [[b"1602397446", b"", b"1602397505", b"", b"x"]] * 3),
    "only-twins": ([b"__mv_a", b"__mv_b"], [[b"", b""], [b"x", b""]]),
    # 14
    "twenty-digits": rows(row(start=b"16023974460000000000"), row(packets=b"9" * 400), row(start=b"9" * 400)),
    "reversed": rows(row(start=b"1602397505", end=b"1602397446"), row(end=b"1602401047"), row(end=b"1602401046")),
    "out-of-range": rows(row(start=b"1388534399", end=b"1388534400"), row(start=b"4102444800", end=b"4102444801"), row(start=b"4102444800", end=b"4102444800")),
    # what only `_raw` tells
    "raw": rows(row(start=b"", end=b"", raw=b'"' + RAW + b'"'), row(start=b"x", raw=RAW), row(start=b"", end=b"", packets=b"")),
    "raw-header": rows(row(start=b"", end=b"", raw=b'"version account-id start end"'), row(start=b"start")),
    "raw-json": rows(row(start=b"", end=b"", raw=b'"{""start"": 1602397446, ""end"": 1602397505}"')),
    # the first name that has a value
    "several-names": ([b'"start_time"', b"start", b"end", b'"end_time"', b"packets", b'"traffic.packets"'],
        [[b"", b"1602397446", b"1602397505", b"", b'"-"', b"2"], [b'"-"', b"1602397446", b"1", b"1602397505", b"x", b"1"], [b"unknown", b"", b"1602397505", b"", b"", b""]]),
    "statuses": ([b"start", b"end", b'"log_status"'], [[b"1602397446", b"1602397505", text] for text in (b"OK", b"NODATA", b"skipdata", b'" OK "', b'"-"', b"FINE", b"")]),
}  # fmt: skip

OPTIONS = [{}, {"time": "latest"}, {"phase": "6", "lag": "0.5"}, {"format": "none", "windows": "assumed"}]


@pytest.mark.parametrize("block_size", [BLOCK_SIZE, 300, 1])
@pytest.mark.parametrize("chosen", OPTIONS, ids=str)
@pytest.mark.parametrize("case", CASES)
def test_the_reply_is_the_oracles(case, chosen, block_size):
    header, records = CASES[case]
    expected, counts = expected_reply(header, records, chosen)
    tags = enricher(chosen)
    tagger = EnrichTable(tags, block_size)
    for size in (1 << 30, 7):
        assert b"".join(tagger.tag_pieces(cut(write_rows(header, records), size))) == expected
    assert tags.counts == {status: 2 * count for status, count in counts.items()}


@pytest.mark.parametrize("block_size", [BLOCK_SIZE, 300, 1])
def test_all_hazards_in_one_body(block_size):
    """15 and 17: blocks end anywhere among them, and no end is guessed."""
    bodies = [records for header, records in CASES.values() if header == HEADER]
    records = [record for body in bodies for record in body]
    expected, _ = expected_reply(HEADER, records, {})
    assert b"".join(EnrichTable(enricher({}), block_size).tag_pieces(cut(write_rows(HEADER, records), 64))) == expected


@pytest.mark.parametrize("block_size", [BLOCK_SIZE, 60])
@pytest.mark.parametrize("case", [case for case in CASES if b"\r" not in b"".join(map(b"".join, CASES[case][1]))])
def test_crlf_line_ends(case, block_size):
    """5: not what splunkd sends, but what other tools write."""
    header, records = CASES[case]
    expected, _ = expected_reply(header, records, {}, b"\r\n")
    assert EnrichTable(enricher({}), block_size).tag(write_rows(header, records, b"\r\n")) == expected


@pytest.mark.parametrize("case", ["twins", "empty-time", "commas-in-quotes"])
def test_a_missing_line_end(case):
    """14: the last record is a record without it, and gets it."""
    header, records = CASES[case]
    expected, _ = expected_reply(header, records, {})
    assert EnrichTable(enricher({})).tag(write_rows(header, records)[:-1]) == expected


@pytest.mark.parametrize("body", [b"", b"start,end\n", b"start,end", b'"start\n', b'"a"', b"\n"], ids=repr)
@pytest.mark.parametrize("size", [1, 100])
def test_no_record_no_reply(body, size):
    assert EnrichTable(enricher({}), size).tag_pieces(cut(body, size)) == []


HUGE = {
    "line-breaks": b'"' + b"\n" * 3_000_000 + b'"',
    "quotes": b'"' + b'""' * 3_000_000 + b'"',
    "quotes-and-line-breaks": b'"' + b'""\n' * 2_000_000 + b'"',
    "bare": b"x" * 6_000_000,
    "commas": b'"' + b"," * 6_000_000 + b'"',
}


@pytest.mark.slow
@pytest.mark.parametrize("field", HUGE.values(), ids=HUGE)
@pytest.mark.parametrize("stray", [b"", b'a"'], ids=["", "behind-a-stray-quote"])
def test_a_huge_field(field, stray):
    """3: the work stays in proportion to the body, also behind a stray quote."""
    records = [row(user=stray), row(user=field), row(user=b'"a\nb"')]
    body = write_rows(HEADER, records)
    reply = b"".join(EnrichTable(enricher({})).tag_pieces(cut(body, 1 << 17)))
    small, _ = expected_reply(HEADER, [row(user=stray), row(user=b"HERE"), row(user=b'"a\nb"')], {})
    assert reply == small.replace(b"HERE", field)


def test_a_huge_field_is_looked_at_a_few_times_only(monkeypatch):
    """Each time twice as much has arrived, so that all looks together cost as much as a few at the whole."""
    cuts, reads = [], []

    class Reader(enrich_table.ReadRecords):
        def __init__(self, header, text, is_last):
            reads.append(len(text))
            super().__init__(header, text, is_last)

    monkeypatch.setattr(blocks, "find_cut", lambda block: cuts.append(len(block)) or find_cut(block))
    monkeypatch.setattr(enrich_table, "ReadRecords", Reader)
    body = write_rows(HEADER, [row(user=HUGE["line-breaks"])])
    EnrichTable(enricher({})).tag_pieces(cut(body, 1 << 12))
    assert sum(cuts) <= 2 * len(body) and sum(reads) <= 3 * len(body)


@pytest.mark.parametrize("field", [b'"\r', b'a"\r', b"\r\r", b'\r"'])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_quotes_and_carriage_returns_are_told_apart(field, line_end, monkeypatch):
    """Two odd characters make no even number of quotes."""
    body = b"start,end,user\n1602397446,1602397505," + field + line_end + b"1602397447,1602397505,x\n"
    split = EnrichTable(enricher({})).tag(body)
    monkeypatch.setattr(Splitter, "split", lambda splitter, block, text: None)
    assert EnrichTable(enricher({})).tag(body) == split


def test_the_header_changes_from_chunk_to_chunk():
    """18: nothing that was learned from one header is used for another."""
    tagger = EnrichTable(enricher({}))
    for case in [*CASES, *reversed(CASES)]:
        header, records = CASES[case]
        assert tagger.tag(write_rows(header, records)) == expected_reply(header, records, {})[0]


def test_what_splunkd_sends_is_split(monkeypatch):
    """The fast way is taken, not only allowed: csv.reader never sees such a block."""
    monkeypatch.setattr(enrich_table, "ReadRecords", None)
    header, records = twins((row(packets=b'"-"', user=b'"say ""hi"""'), BLANK), (row(time=b""), BLANK))
    expected, _ = expected_reply(header, records, {})
    assert EnrichTable(enricher({})).tag(write_rows(header, records)) == expected


def test_what_is_remembered_is_bounded(monkeypatch):
    """Distinct values without end, and values without measure."""
    monkeypatch.setattr(memo, "SIZE", 50)
    tagger = EnrichTable(enricher({}))
    records = [row(start=b"%d" % (1602397446 - i), packets=b"%d" % i) for i in range(200)]
    records += [row(start=b"9" * 1000 + b"%d" % i, packets=b"9" * 1000 + b"%d" % i) for i in range(200)]
    assert tagger.tag(write_rows(HEADER, records)) == expected_reply(HEADER, records, {})[0]
    way = tagger._plan.split
    for kept in (way.replies, way.replies._patterns, way.replies.seconds, way.keys._packets):
        assert 0 < len(kept) <= 50 and max(map(len, map(str, kept))) < 200


FLOW_HEADER = [b"start", b"end", b"src_port", b"src_ip", b'"dest_ip"', b"dest_port", b"protocol"]
FLOW = [b"1602397446", b"1602397505", b"34855", b'"128.232.110.120"', b'"66.35.250.204"', b"80", b"6"]


def test_what_is_remembered_of_flows_is_bounded(monkeypatch):
    """Each flow has its own ID, but not its own timing."""
    monkeypatch.setattr(memo, "SIZE", 50)
    tagger = EnrichTable(enricher({"community": "true"}))
    records = [[*FLOW[:2], b"%d" % port, *FLOW[3:]] for port in range(200)]
    records += [[*FLOW[:2], b"9" * 1000 + b"%d" % port, *FLOW[3:]] for port in range(200)]
    expected, _ = expected_reply(FLOW_HEADER, records, {"community": "true"})
    assert tagger.tag(write_rows(FLOW_HEADER, records)) == expected and expected.count(b",1:") == 200
    replies, ids = tagger._plan.split.replies, tagger._plan.split.ids
    assert len(replies) == 1
    assert 0 < len(ids) <= 50 and max(map(len, map(str, ids))) < 200


def test_what_is_remembered_of_interfaces_is_bounded(monkeypatch):
    """Starts and interfaces without end."""
    monkeypatch.setattr(memo, "SIZE", 50)
    monkeypatch.setattr(likely_column, "_MOST_TEXTS", 300)
    tagger = EnrichTable(enricher({"confidence": "99"}), 300)
    tagger._enricher.lags = LearnedLags()
    header = [b"start", b"end", b"interface_id", b"user"]
    records = [[b"%d" % (1602397446 - i), b"1602397505", b"eni-%d" % (i % 60), b"x"] for i in range(2000)]
    records += [[b"1602397446", b"1602397505", b"9" * 1000 + b"%d" % i, b""] for i in range(200)]
    assert tagger.tag(write_rows(header, records)) == expected_reply(header, records, {"confidence": "99"})[0]
    likely = tagger._plan.split.likely
    assert 0 < len(likely._moved) <= 50 and max(map(len, likely._moved)) < 200
    assert sum(map(len, likely._moved.values())) <= 300


def test_blocks_are_cut_at_the_last_line_end():
    assert find_cut(b'a\n"b\nc"\nd') == 8
    assert find_cut(b'"a') == 0 and find_cut(b"") == 0


def test_blocks_joined_are_the_body_again():
    body = b'a,"b\nc"\n' * 50 + b"d"
    for size in (1, 10, 1000):
        whole = Blocks(cut(body, 3), size)
        assert b"".join(whole) == body and whole.is_last


class Trickle(io.RawIOBase):
    """A stream that takes or gives three bytes at a time, or none, as a raw pipe may."""

    def __init__(self, data=b""):
        self.data, self.turn = data, 0

    def readable(self):
        return True

    def read(self, size=-1):
        piece, self.data = self.data[: min(size, 3)], self.data[min(size, 3) :]
        return piece

    def write(self, data):
        self.turn += 1
        if self.turn % 2:
            return None
        self.data += bytes(data[:3])
        return min(3, len(data))


def test_a_raw_pipe_takes_and_gives_a_part_at_a_time():
    """16: as with PYTHONUNBUFFERED."""
    stream = Trickle()
    write_frame(stream, {"finished": False}, [b"start,end\n", b"", b"5,6\n"])
    frame = read_frame(Trickle(stream.data))
    assert frame.metadata == {"finished": False} and b"".join(frame.body) == b"start,end\n5,6\n"


def test_a_body_that_is_cut_off():
    frame = read_frame(io.BytesIO(b"chunked 1.0,2,10\n{}abc"))
    with pytest.raises(ProtocolError, match="in the middle of a chunk's body: 3 of 10 bytes"):
        list(frame.body)
