# SPDX-License-Identifier: Apache-2.0
"""The connections of records: an oracle, the laws, each rule of doubt, simulated connections, and hostile events."""

import random
import tracemalloc
from collections import Counter

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flowlag.connect.connector import Connector
from flowlag.connect.options import parse_connect_settings
from flowlag.connect.reading import read_count
from flowlag.connect.records import Records
from flowlag.connect.rows import CONNECT_FIELDS
from flowlag.connect.signs import SignsMemo
from tests.core.connect_oracle import expected_rows
from tests.support.strategies import HOSTILE

T = 1_764_500_000
A, B = ("10.0.0.9", 40001), ("10.0.0.10", 22)
SYN, SYN_ACK, FIN, RST = 2, 18, 1, 4


def record(start, end, flags=None, interface="a", src=A, dest=B, **more):
    """A record of T + start to T + end, as the oracle knows it."""
    return {
        "interface": interface, "src": src[0], "src_port": src[1], "dest": dest[0], "dest_port": dest[1], "protocol": 6,
        "start": T + start, "end": T + end, "packets": 3, "bytes": 180, "flags": flags, "action": "ACCEPT", **more,
    }  # fmt: skip


def reply(start, end, flags=None, interface="a", **more):
    return record(start, end, flags, interface, src=B, dest=A, **more)


def event(record):
    """The event of a record, tagged."""
    texts = {name: "" if value is None else str(value) for name, value in record.items()}
    names = {"interface": "interface_id", "flags": "tcp_flags", "src": "src_ip", "dest": "dest_ip"}
    tags = {"flowlag_status": "ok", "flowlag_start": texts.pop("start"), "flowlag_end": texts.pop("end")}
    return {**{names.get(name, name): text for name, text in texts.items()}, **tags}


def run(events, **options):
    connector = Connector(parse_connect_settings(options.items()))
    for i in range(0, len(events), 3):
        connector.feed([event.get for event in events[i : i + 3]])
    return list(connector.close(lambda row: dict(zip(CONNECT_FIELDS, row)))), connector.warning()


def connect(*records, **options):
    return run(list(map(event, records)), **options)[0]


def start_of(*records, **options):
    """Earliest and latest of the first packet, in seconds after T, and the basis, of the one connection."""
    (row,) = connect(*records, **options)
    return int(row["start_earliest"]) - T, int(row["start_latest"]) - T, row["start_basis"]


def end_of(*records, **options):
    (row,) = connect(*records, **options)
    return int(row["end_earliest"]) - T, int(row["end_latest"]) - T, row["end_basis"]


# --- the oracle, and the laws ---

ENDS = st.sampled_from([A, B, ("10.0.0.9", 22), ("10.0.0.10", 40001)])
FLAGS = st.sampled_from([None, 0, FIN, SYN, 3, RST, 6, 16, SYN_ACK, 19, 22])
STARTS = st.one_of(st.integers(0, 8), st.integers(0, 900))


def records(starts, ends, protocols):
    return st.builds(
        lambda start, length, ends, **more: record(start, start + length, src=ends[0], dest=ends[1], **more),
        starts,
        st.sampled_from([0, 1, 5, 30, 59, 600]),
        ends,
        flags=FLAGS,
        interface=st.sampled_from("abc"),
        protocol=st.sampled_from(protocols),
        packets=st.sampled_from([None, 0, 3, 50]),
        bytes=st.sampled_from([None, 180, 10**15]),
        action=st.sampled_from(["ACCEPT", "REJECT"]),
    )


RECORDS = records(STARTS, st.tuples(ENDS, ENDS), [6, 6, 6, 17, 1])
#: The two directions of one pair of endpoints, so that most records come together.
OF_ONE = records(STARTS, st.sampled_from([(A, B), (B, A)]), [6])
NEAR = records(st.integers(0, 120), st.sampled_from([(A, B), (B, A)]), [6])
GIVEN = st.one_of(st.lists(OF_ONE, min_size=1, max_size=8), st.lists(RECORDS, min_size=1, max_size=14))
OPTIONS = st.fixed_dictionaries(
    {"gap": st.sampled_from([0, 60, 300]), "rtt": st.sampled_from([0, 1, 5]), "lag": st.sampled_from([0, 10, 60, 600])}
)


@given(GIVEN, OPTIONS, st.randoms(use_true_random=False))
def test_the_oracle(records, options, order):
    copies = [*records, *order.sample(records, order.randrange(len(records) + 1))]
    copies = [{**copy, "flags": order.choice([copy["flags"], SYN, SYN_ACK])} for copy in copies]
    order.shuffle(copies)
    found = connect(*copies, **{name: str(value) for name, value in options.items()})
    assert found == expected_rows(copies, **options)


@given(GIVEN, st.randoms(use_true_random=False))
def test_duplicates_and_the_order_of_arrival_change_nothing_but_the_count(records, order):
    once = connect(*records)
    again = [*records, *records]
    order.shuffle(again)
    twice = connect(*again)
    assert [{**row, "duplicates": ""} for row in twice] == [{**row, "duplicates": ""} for row in once]
    assert all(int(two["records"]) * 2 + 2 * int(one["duplicates"]) == int(two["records"]) + int(two["duplicates"])
               for one, two in zip(once, twice))  # fmt: skip


@given(GIVEN, OPTIONS)
def test_bounds_are_never_empty(records, options):
    for row in connect(*records, **{name: str(value) for name, value in options.items()}):
        assert int(row["start_earliest"]) < int(row["start_latest"])
        assert int(row["end_earliest"]) < int(row["end_latest"])


@given(st.lists(NEAR, min_size=1, max_size=6), st.integers(0, 59))
def test_a_wider_lag_never_narrows_a_bound_of_the_same_basis(records, lag):
    """As long as the same records are one connection."""
    narrow, wide = connect(*records, lag=str(lag)), connect(*records, lag="60")
    for one, other in zip(narrow, wide) if len(narrow) == len(wide) == 1 else ():
        for of in ("start", "end"):
            if one[f"{of}_basis"] == other[f"{of}_basis"]:
                assert int(other[f"{of}_earliest"]) <= int(one[f"{of}_earliest"])
                assert int(other[f"{of}_latest"]) >= int(one[f"{of}_latest"])


def test_the_law_of_the_lag_looks_at_something():
    """The records above make connections of every basis."""
    found = set()
    for seed in range(300):
        dice = random.Random(seed)
        starts = [dice.randrange(120) for _ in range(3)]
        near = [record(start, start + 30, dice.choice([None, SYN, FIN, 3]), dice.choice("ab")) for start in starts]
        found |= {(row["start_basis"], row["end_basis"]) for row in connect(*near)}
    assert {start for start, _ in found} == {"syn", "doubt", "none"}
    assert {end for _, end in found} == {"fin", "doubt", "none"}


# --- which records are one connection ---


def parts(*records, **options):
    """How many records each connection has."""
    return [int(row["records"]) for row in connect(*records, **options)]


def test_a_row():
    rows = connect(
        record(0, 20, SYN), reply(1, 20, SYN_ACK, packets=2, bytes=120), record(3, 25, SYN, "b"),
        reply(2, 60, 19, "b", packets=9, bytes=900), record(0, 20, SYN, action="REJECT"),
    )  # fmt: skip
    assert rows == [
        {
            "src": "10.0.0.9", "src_port": "40001", "dest": "10.0.0.10", "dest_port": "22", "protocol": "6",
            "direction_basis": "syn", "start_earliest": str(T - 57), "start_latest": str(T + 22), "start_basis": "syn",
            "end_earliest": str(T - 57), "end_latest": str(T + 62), "end_basis": "fin", "home": "b", "interfaces": "a\nb",
            "records": "4", "duplicates": "1", "packets_out": "3", "bytes_out": "180", "packets_in": "9",
            "bytes_in": "900", "tcp_flags": "19", "action": "ACCEPT\nREJECT", "first_start": str(T), "last_end": str(T + 60),
            "community_id": rows[0]["community_id"],
        }
    ]  # fmt: skip
    assert list(rows[0]) == list(CONNECT_FIELDS) and rows[0]["community_id"].startswith("1:")


def test_a_pause_of_more_than_gap_begins_a_connection():
    assert parts(record(0, 10), record(310, 320)) == [2]
    assert parts(record(0, 10), record(311, 320)) == [1, 1]
    assert parts(record(0, 10), record(71, 80), gap="60") == [1, 1]
    # the latest end so far counts, not that of the record before
    assert parts(record(0, 200), record(5, 10), record(490, 500)) == [3]


def test_a_port_that_is_used_again_begins_a_connection():
    assert parts(record(0, 10), record(70, 80, SYN)) == [2]
    assert parts(record(0, 10), record(71, 80, SYN)) == [1, 1]
    assert parts(record(0, 10), record(71, 80, SYN_ACK)) == [2]
    assert parts(record(0, 10), record(41, 80, SYN), lag="30") == [1, 1]
    # the opening record comes first among those of its start, so they belong to it
    assert parts(record(0, 10), reply(71, 75), record(71, 80, SYN)) == [1, 2]


def test_pairs_and_protocols_are_kept_apart():
    other = ("10.0.0.9", 40002)
    assert parts(record(0, 1), reply(0, 1), record(0, 1, src=other), record(0, 1, protocol=17)) == [2, 1, 1]
    assert parts(record(0, 1, src=A, dest=A), record(0, 1, src=A, dest=A, interface="b")) == [2]


def test_duplicates_have_the_flags_and_actions_of_all():
    (row,) = connect(record(0, 9, SYN), record(0, 9, None, action="REJECT"), record(0, 9, FIN))
    assert (row["records"], row["duplicates"], row["tcp_flags"], row["action"]) == ("1", "2", "3", "ACCEPT\nREJECT")
    assert (row["packets_out"], row["start_basis"], row["end_basis"]) == ("3", "syn", "fin")
    for other in ({"interface": "b"}, {"packets": 4}, {"bytes": 181}, {"end": T + 8}):
        assert connect(record(0, 9), record(0, 9) | other)[0]["duplicates"] == "0"


# --- when it began ---


def test_the_start_lies_in_every_record_that_must_hold_it():
    assert start_of(record(0, 30, SYN)) == (-60, 31, "syn")
    assert start_of(record(0, 30, SYN), reply(20, 50, SYN_ACK)) == (-41, 31, "syn")  # a round trip later
    assert start_of(record(20, 50, SYN), record(0, 30, SYN, "b")) == (-40, 32, "syn")  # less and plus rtt elsewhere
    assert start_of(record(20, 50, SYN), record(20, 25)) == (-40, 26, "syn")  # any record's end
    assert start_of(record(0, 30, SYN), reply(20, 50, SYN_ACK), rtt="5", lag="30") == (-15, 31, "syn")


def test_home_is_the_interface_of_the_latest_opening_record():
    assert connect(record(0, 9, SYN, "a"), record(1, 9, SYN, "b"))[0]["home"] == "b"
    assert connect(record(0, 9, SYN, "b"), record(0, 9, SYN, "a", packets=1))[0]["home"] == "a"
    assert connect(record(0, 9, SYN_ACK, "b"), record(0, 9, 0, "a"))[0]["home"] == "a"  # the least of equals
    assert connect(record(0, 9, packets=4, interface="b"), record(0, 9, interface="a"))[0]["home"] == "b"
    assert connect(record(0, 9, packets=None, interface="a"), record(0, 9, interface="b"))[0]["home"] == "b"


def test_doubt_a_second_syn_in_a_series():
    assert start_of(record(0, 30, SYN), record(20, 50, SYN)) == (-60, 51, "doubt")
    assert start_of(record(0, 30, SYN), reply(0, 30, SYN_ACK), reply(20, 50, SYN_ACK)) == (-60, 31, "doubt")


def test_doubt_a_fin_or_rst_at_home_before_the_opening_record():
    for flags in (FIN, RST, FIN | RST):
        assert start_of(record(-50, -10, flags), record(0, 30, SYN)) == (-60, 31, "doubt")
        assert start_of(reply(-50, -10, flags), record(0, 30, SYN)) == (-60, 31, "doubt")
    assert start_of(record(-50, -10, FIN, "b"), record(0, 30, SYN)) == (-60, -8, "syn")  # not at home
    assert start_of(record(-50, 0, FIN), record(0, 30, SYN)) == (-60, 1, "syn")  # not before


def test_doubt_a_record_certainly_before_the_opening_one():
    long = record(-100, -5)
    assert start_of(long, record(-100, -62), record(0, 30, SYN)) == (-60, 31, "doubt")
    assert start_of(long, record(-100, -60), record(0, 30, SYN)) == (-60, -59, "syn")
    assert start_of(long, record(-100, -63, interface="b"), record(0, 30, SYN)) == (-60, 31, "doubt")


def test_doubt_nothing_between_the_bounds():
    assert start_of(record(0, 30, SYN), reply(91, 99, SYN_ACK)) == (30, 31, "syn")
    assert start_of(record(0, 30, SYN), reply(92, 99, SYN_ACK)) == (-60, 31, "doubt")


def test_in_doubt_all_opening_records_at_home_count():
    found = start_of(record(0, 30, SYN), record(20, 50, SYN), record(-5, 90, SYN, "b"), reply(-9, 99, SYN_ACK))
    assert found == (-60, 51, "doubt")


def test_no_opening_record():
    assert start_of(record(0, 30), reply(-5, 50, SYN_ACK)) == (-65, 32, "none")
    assert start_of(record(0, 30, None), record(5, 20, interface="b"), rtt="3") == (-60, 24, "none")


# --- when it ended ---


def test_the_end_lies_in_every_record_that_must_hold_it():
    assert end_of(record(0, 30, FIN)) == (-60, 32, "fin")
    assert end_of(record(0, 30, FIN), reply(10, 40, RST)) == (-50, 32, "fin")
    assert end_of(record(0, 30, FIN), reply(10, 40)) == (-50, 32, "fin")
    assert end_of(record(0, 30, FIN), reply(10, 40, packets=1, interface="b")) == (-51, 32, "fin")  # home is a


def test_doubt_a_second_fin_in_a_series():
    assert end_of(record(0, 30, FIN), record(20, 50, RST)) == (-40, 52, "doubt")
    assert end_of(record(0, 30, FIN), record(20, 50, FIN, "b"), reply(20, 50, FIN)) == (-40, 32, "fin")


def test_doubt_a_record_certainly_after_the_fin():
    elsewhere = {"packets": 1, "interface": "b"}
    assert end_of(record(0, 0, FIN), record(66, 70, **elsewhere), rtt="5") == (1, 6, "fin")
    assert end_of(record(0, 0, FIN), record(67, 70, **elsewhere), rtt="5") == (7, 76, "doubt")


def test_doubt_nothing_between_the_bounds_of_the_end():
    assert end_of(record(0, 0, FIN), record(61, 70)) == (1, 2, "fin")
    assert end_of(record(0, 0, FIN), record(62, 70)) == (2, 72, "doubt")


def test_no_fin():
    assert end_of(record(0, 30), reply(20, 25)) == (-40, 32, "none")


# --- simulated connections, whose truth is known ---


def play(dice, begin):
    """The records of one connection from a to b, and when its first and its last packet passed at each of the two."""
    delay, length = dice.uniform(0, 0.4), dice.choice([0.2, 5, 90, 400])
    closed = begin + 2 + length
    sent = [("out", begin, SYN), ("back", begin + delay, SYN_ACK), ("out", closed, FIN), ("back", closed + delay, FIN)]
    sent.append(("out", closed + 2 * delay, 0))
    sent += [(dice.choice(["out", "back"]), dice.uniform(begin + 2 * delay, closed), 0) for _ in range(20)]
    records, seen = [], {}
    for interface, interval in (("a", 60), ("b", dice.choice([60, 600]))):
        is_far = interface == "b"
        passed = [(way, sent_at + delay * (is_far == (way == "out")), flags) for way, sent_at, flags in sent]
        seen[interface] = min(at for _, at, _ in passed), max(at for _, at, _ in passed)
        windows = {}
        for way, at, flags in passed:
            windows.setdefault((way, at // interval), []).append((at, flags))
        for (way, _), held in windows.items():
            lag, early = dice.choice([0, dice.uniform(0, 59.9)]), dice.choice([0, 0, 20])  # a batch may begin before it
            start, end = (int(pick(held)[0] + lag) - T for pick in (min, max))
            flags = 0
            for _, more in held:
                flags |= more
            make = record if way == "out" else reply
            records.append(make(start - early, end, flags, interface, packets=len(held)))
    return records, seen


def test_first_and_last_packet_of_every_simulated_connection_are_within_their_bounds():
    starts, ends = Counter(), Counter()
    for seed in range(400):
        dice = random.Random(seed)
        records, seen = play(dice, T + dice.uniform(0, 600))
        (row,) = connect(*records, gap="700")
        first, last = seen[row["home"]]
        starts[row["start_basis"]] += 1
        ends[row["end_basis"]] += 1
        assert float(row["start_earliest"]) <= first < float(row["start_latest"]), (seed, row)
        assert float(row["end_earliest"]) <= last < float(row["end_latest"]), (seed, row)
        assert (row["direction_basis"], row["src_port"]) == ("syn", "40001")
    assert starts["syn"] > 250 and ends["fin"] > 250


# --- what is read ---


def base(**more):
    return {**event(record(0, 30, SYN)), **more}


def test_values_under_other_names_and_in_other_spellings():
    aws = {
        "flowlag_status": "ok", "flowlag_start": f"{T}.5", "flowlag_end": str(T + 30), "srcaddr": "2001:DB8::0009",
        "dstaddr": "::ffff:10.0.0.1", "srcport": "40001.0", "dstport": "22", "protocol": "ip", "transport": "tcp",
        "interface-id": "a", "tcp-flags": "2.0", "traffic.bytes": "180.0", "packets": "003", "disposition": "Allowed",
    }  # fmt: skip
    (row,), warning = run([aws])
    assert (row["src"], row["dest"], row["src_port"]) == ("2001:db8::9", "10.0.0.1", "40001") and warning is None
    assert (row["protocol"], row["packets_out"], row["bytes_out"], row["action"]) == ("6", "3", "180", "Allowed")
    assert (row["tcp_flags"], row["home"], row["first_start"], row["community_id"]) == ("2", "a", f"{T}.5", "")


def test_one_address_in_two_spellings_is_one_connection():
    spelled = [base(src_ip=text, dest_ip="2001:db8::2") for text in ("2001:db8::1", "2001:DB8:0::0001")]
    (row,), _ = run([*spelled, base(src_ip="2001:db8::2", dest_ip="2001:db8:0:0::1", src_port="22", dest_port="40001")])
    assert (row["records"], row["duplicates"], row["src"]) == ("2", "1", "2001:db8::1")


def test_named_fields_replace_the_known_ones():
    names = ("flags", "src", "dest", "src_port", "dest_port", "protocol", "interface", "packets", "bytes")
    own = {f"x_{name}": text for name, text in zip(names, ("2", "h1", "h2", "7", "8", "udp", "eni", "5", "6"))}
    (row,), _ = run([base(**own)], **{name: f"x_{name}" for name in names})
    found = [row[n] for n in ("tcp_flags", "src", "dest", "src_port", "dest_port", "protocol", "home", "packets_out", "bytes_out")]  # fmt: skip
    assert found == ["2", "h1", "h2", "7", "8", "17", "eni", "5", "6"]
    rows, warning = run([base()], src="nowhere")
    assert rows == [] and "records without a readable address: 1" in warning and "name its fields" in warning


def test_protocols_without_ports():
    icmp = base(protocol="1", src_port="-", dest_port="", tcp_flags="")
    back = {**icmp, "src_ip": "10.0.0.10", "dest_ip": "10.0.0.9", "src_port": "x", "packets": "5"}
    (row,), warning = run([icmp, back])
    assert (row["src"], row["src_port"], row["dest_port"], row["direction_basis"]) == ("10.0.0.10", "0", "0", "address")
    assert (row["records"], row["packets_out"], row["packets_in"], row["community_id"]) == ("2", "5", "3", "")
    assert warning is None


def test_sides_without_an_opening_record():
    assert connect(reply(0, 9))[0]["src_port"] == "40001" and connect(reply(0, 9))[0]["direction_basis"] == "port"
    (row,) = connect(record(0, 9, src=("b", 5), dest=("a", 5)))
    assert (row["src"], row["dest"], row["direction_basis"]) == ("a", "b", "address")
    assert (row["packets_out"], row["packets_in"]) == ("0", "3")


def test_unknown_counts_are_no_numbers():
    (row,) = connect(record(0, 9, packets=None), record(5, 9, bytes=None), reply(0, 9, packets=None, bytes=None))
    assert (row["packets_out"], row["bytes_out"], row["packets_in"], row["bytes_in"]) == ("3", "180", "", "")
    (row,) = connect(record(0, 9, flags=None), record(5, 9, flags="x"))
    assert row["tcp_flags"] == "" and row["records"] == "2"


@pytest.mark.parametrize(
    ("text", "count"),
    [("0", 0), ("7.0", 7), ("007", 7), ("9" * 18, 10**18 - 1), ("0" * 30 + "1", 1), ("9" * 19, -1), ("", -1), ("-", -1),
     ("1_0", -1), ("+5", -1), (" 5", -1), ("²", -1), ("5.5", -1), (".0", -1)],
)  # fmt: skip
def test_counts(text, count):
    assert read_count(text) == count


def test_what_takes_no_part_is_counted_by_reason():
    rows, warning = run([
        base(), base(flowlag_status="nodata"), base(flowlag_status="other"), base(flowlag_status="?"), base(flowlag_status=""),
        base(flowlag_start=""), base(flowlag_end=str(T - 1)), base(flowlag_end="9" * 30), base(protocol="ip"),
        base(src_ip="-"), base(dest_port="65536"), base(src_port="-"), base(tcp_flags="x" * 300),
    ])  # fmt: skip
    assert [(row["records"], row["duplicates"]) for row in rows] == [("1", "1")]
    assert warning == (
        "events that took no part: 11 (events without flowlag_status: 1, flowlag_status=nodata: 1, flowlag_status=other: 1, "
        "records without a readable address: 1, records without a readable port: 2, records without a readable protocol: 1, "
        "records without a readable start and end: 3, unknown flowlag_status: 1)."
    )


def test_without_tags_the_warning_says_what_to_do():
    rows, warning = run([{"src_ip": "10.0.0.9"}] * 2)
    assert (
        rows == []
        and "put flowlagenrich before flowlagconnect" in warning
        and "events without flowlag_status: 2" in warning
    )
    assert "put flowlagenrich" not in run([{"flowlag_status": "nodata"}])[1]
    assert "no event has a flowlag_status of flowlagenrich: put" in run([{"flowlag_status": "fine"}, {}])[1]
    assert run([]) == ([], None)


def test_hostile_values_stop_nothing():
    names = ["flowlag_start", "flowlag_end", "src_ip", "dest_ip", "src_port", "protocol", "interface_id", "packets", "bytes",
             "tcp_flags", "action"]  # fmt: skip
    events = [base(**{name: text}) for name in names for text in [*HOSTILE, "a b 9 c", "1 2 3"]]
    rows, warning = run(events)
    left_out = int(warning.split("events that took no part: ")[1].split(" ")[0])
    assert sum(int(row["records"]) + int(row["duplicates"]) for row in rows) + left_out == len(events)


LINES = st.text().filter(lambda text: "\n" not in text)


@given(LINES, LINES, st.integers(0, 65535), st.integers(0, 65535))
def test_any_text_is_an_address(src, dest, port, other):
    """Names come back as they are, whatever is in them but a line end, which parts the values of a multivalue."""
    assume(not {src.lower(), dest.lower()} & {"", "-", "unknown", "null", "none"} and ":" not in src + dest)
    (row,), _ = run([base(src_ip=src, dest_ip=dest, src_port=str(port), dest_port=str(other))])
    assert (row["src"], row["dest"], row["src_port"], row["dest_port"]) == (src, dest, str(port), str(other))


ONCE = {"src_ip": "2001:db8::9", "dest_ip": "10.0.0.10", "interface_id": "a", "src_port": "40001", "protocol_code": "6",
        "packets": "3", "bytes": "180", "tcp_flags": "2", "action": "ACCEPT", "flowlag_start": str(T)}  # fmt: skip


def test_equal_values_count_once():
    """Events whose fields were extracted twice have every value twice."""
    twice = {name: f"{value}\n{value}" for name, value in ONCE.items()}
    again = {**twice, "src_ip": "2001:DB8:0::9\n-\n2001:db8::9"}
    (row,), warning = run([base(**ONCE), base(**twice), base(**again)])
    assert (row["records"], row["duplicates"], warning) == ("1", "2", None)
    (alone,), _ = run([base(**ONCE)])
    assert {**row, "duplicates": "0"} == alone


def test_the_order_of_values_changes_nothing():
    both = [
        base(src_ip="10.0.0.7\n10.0.0.9", interface_id="b\na"),
        base(src_ip="10.0.0.9\n10.0.0.7", interface_id="a\nb"),
    ]
    (row,), _ = run(both)
    assert (row["records"], row["duplicates"], row["src"], row["home"]) == ("1", "1", "10.0.0.7\n10.0.0.9", "a\nb")


@pytest.mark.parametrize(
    ("field", "reason"),
    [("src_port", "port"), ("protocol", "protocol"), ("flowlag_end", "start and end")],
)
def test_values_that_differ_are_not_readable(field, reason):
    rows, warning = run([base(**{field: "17\n22"})])
    assert rows == [] and f"records without a readable {reason}: 1" in warning


# --- sizes ---


def feed_many(count, make):
    connector = Connector(parse_connect_settings([]))
    for i in range(0, count, 1000):
        connector.feed([make(n).get for n in range(i, min(i + 1000, count))])
    return connector


def test_a_hundred_thousand_interfaces():
    connector = feed_many(100_000, lambda n: base(interface_id=f"eni-{n:06}"))
    (row,) = connector.close(lambda row: dict(zip(CONNECT_FIELDS, row)))
    assert row["home"] == "eni-000000" and row["interfaces"].count("\n") == 99_999 and row["records"] == "100000"


def test_interfaces_are_not_compared_with_each_other():
    """Two minutes otherwise, for a connection that 100,000 interfaces saw."""
    compared = 0

    class Counted(int):
        __hash__ = int.__hash__

        def __eq__(self, other):
            nonlocal compared
            compared += 1
            return int(self) == int(other)

    count = 2000
    seen_by = tuple(Counted(number + 1) for number in range(count))
    columns = [(0,) * count] * 4 + [seen_by] + [(0,) * count] * 3
    SignsMemo().find(Records(*columns), False)
    assert compared < 20 * count


@pytest.mark.slow
def test_a_connection_of_a_million_records():
    """Its work grows with n log n, or this would not end."""
    connector = feed_many(
        1_000_000, lambda n: base(flowlag_start=str(T + n), flowlag_end=str(T + n + 59), tcp_flags="0")
    )
    (row,) = connector.close(lambda row: dict(zip(CONNECT_FIELDS, row)))
    assert (row["records"], row["packets_out"], row["start_basis"]) == ("1000000", "3000000", "none")


@pytest.mark.parametrize(("per", "most"), [(1, 400), (8, 130)])
def test_bytes_that_a_record_is_held_in(per, most):
    """As docs/connect.md says: a record takes some 40 bytes, and a new address some 200; here a port does too."""

    def make(n):
        return base(
            src_port=str(n // per % 50_000), dest_ip=f"10.0.{n // per // 50_000}.1", flowlag_start=str(T + n % per)
        )

    feed_many(1000, make)
    tracemalloc.start()
    connector = feed_many(40_000, make)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert connector.taken == 40_000 and held / 40_000 < most
