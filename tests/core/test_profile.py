# SPDX-License-Identifier: Apache-2.0
"""The profile of interfaces: counts, lengths, spans, index lag, rows; and the laws: arrival order, an oracle, memory."""

import random
import tracemalloc
from decimal import Decimal
from math import ceil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowlag.enrich import Enricher
from flowlag.enrich_options import parse_settings
from flowlag.profile.options import parse_profile_settings
from flowlag.profile.profiler import PROFILE_FIELDS, Profiler, percentile
from tests.support.strategies import events
from tools.scenarios.modes import MODES, play

T = 1_764_500_040  # a multiple of 60


def record(start, end, packets=2, status="OK", interface="eni-1", **more):
    """One record as the add-on shows it, with start and end in seconds after T."""
    times = {"start_time": str(T + start), "end_time": str(T + end), "_time": str(T + start)}
    return {**times, "packets": str(packets), "log_status": status, "interface_id": interface, **more}


def indexed(start, end, lag, **more):
    return record(start, end, _indextime=str(T + end + lag), **more)


def profile(*given, **options):
    profiler = Profiler(parse_profile_settings(options.items()))
    for event in given:
        profiler.feed(event.get)
    return list(profiler.close())


def values(row, *names):
    return tuple(row[name] for name in names)


SEED = [record(6, 65, 85), record(-354, -295, 1), record(-94, -55, 1)]


def test_the_seed():
    (row,) = profile(*SEED)
    assert list(row) == list(PROFILE_FIELDS)
    assert row == {
        "interface_id": "eni-1", "records": "3", "ok": "3", "nodata": "0", "skipdata": "0", "unreadable": "0",
        "timing_mode": "grid", "mode_support": "1", "interval": "60", "phase": "6", "window_p50": "60", "window_max": "60",
        "single_packet": "2", "single_packet_long": "2", "first_start": str(T - 354), "last_end": str(T + 65),
        "index_lag_p50": "", "index_lag_p95": "", "index_lag_p99": "", "index_lag_max": "", "suggest_delay": "",
        "suggest_lookback": "",
    }  # fmt: skip


def test_records_of_other_kinds():
    rows = profile(
        *SEED,
        record(60, 89, status="NODATA"),
        record(66, 95, status="SKIPDATA"),
        record(9, 5),
        {"start_time": "soon", "interface_id": "eni-1"},
        {"log_status": "OK", "interface_id": "eni-1"},
        {"user": "root"},
        {"_raw": "version account-id interface-id start end"},
    )
    (row,) = rows
    assert values(row, "records", "ok", "nodata", "skipdata", "unreadable") == ("8", "3", "1", "1", "3")
    assert values(row, "timing_mode", "last_end") == ("grid", str(T + 95))


def test_an_interface_without_a_record_that_can_be_read():
    (row,) = profile({"start_time": "soon", "end_time": "later", "interface_id": "eni-1"})
    assert values(row, "records", "unreadable", "timing_mode", "first_start") == ("1", "1", "unknown", "")


def test_rows_are_ordered_and_records_without_an_interface_have_a_row():
    given = [record(0, 1, interface=name) for name in ("eni-b", "", "eni-a", "-")]
    assert [values(row, "interface_id", "records") for row in profile(*given)] == [
        ("", "2"),
        ("eni-a", "1"),
        ("eni-b", "1"),
    ]


def test_nothing():
    assert profile() == [] == profile({"user": "root"})


def test_windows_are_counted_once():
    """Their lengths are those of distinct windows, not of records: one busy window does not hide the others."""
    (row,) = profile(*[record(0, 29)] * 50, record(30, 39), record(40, 45))
    assert values(row, "window_p50", "window_max") == ("10", "30")


def test_single_packets():
    (row,) = profile(record(0, 1, 1), record(3, 5, 1), record(9, 40, 1), record(50, 80, 5), record(90, 99, "-"))
    assert values(row, "single_packet", "single_packet_long") == ("3", "2")


def test_index_lag():
    given = [indexed(0, 1, lag) for lag in range(1, 101)]
    (row,) = profile(*given, record(5, 6), indexed(1, 2, 500, status="NODATA"), lag="30", interval="10m")
    lag = ("index_lag_p50", "index_lag_p95", "index_lag_p99", "index_lag_max", "suggest_delay", "suggest_lookback")
    assert values(row, *lag) == ("50", "95", "99", "100", "99", "730")


def test_lag_is_rounded_up_where_stamps_have_decimals():
    given = [{**record(0, 1), "end_time": f"{T + 1}.25", "_indextime": str(T + 20)}]
    assert profile(*given)[0]["index_lag_max"] == "19"  # 18.75


def test_a_lag_below_zero_is_no_time_to_wait():
    (row,) = profile(*[indexed(0, 1, -7)] * 3)
    assert values(row, "index_lag_p99", "suggest_delay", "suggest_lookback") == ("-7", "0", "120")


@pytest.mark.parametrize("index_time", ["", "soon", "-5", "12"])
def test_an_index_time_that_is_none(index_time):
    assert profile(record(0, 1, _indextime=index_time))[0]["index_lag_max"] == ""


# --- tagged by flowlagenrich or not ---


def tagged(event, **options):
    enricher = Enricher(parse_settings(options.items()))
    return next(enricher.rows([dict(event)]))


@pytest.mark.parametrize("mode", MODES)
def test_behind_flowlagenrich_and_without_it(mode):
    given = [{"_raw": played.line(), "_indextime": str(played.end + 20)} for played in play(mode, 3)]
    assert profile(*given) == profile(*(tagged(event) for event in given)) != []


def test_tags_are_believed():
    """A layout that only flowlagenrich was told of, and fields of names that it was told of."""
    line = {"_raw": f"eni-1 5 {T} {T + 30}", "interface_id": "eni-1"}
    assert profile(line) == []
    (row,) = profile(tagged(line, format="${interface-id} ${packets} ${start} ${end}"))
    assert values(row, "ok", "window_max") == ("1", "31")
    odd = {"begin": str(T), "finish": str(T + 5), "start_time": "x", "interface_id": "eni-1"}
    (row,) = profile(tagged(odd, start="begin", end="finish"))
    assert values(row, "ok", "window_max") == ("1", "6")


def test_tags_of_another_prefix_are_no_tags():
    event = {**record(0, 5), "x_status": "other"}
    assert profile(event)[0]["ok"] == "1" and profile(event, prefix="x_") == []


def test_tags_that_somebody_changed_do_not_count_as_times():
    event = tagged(record(0, 5))
    for change in ({"flowlag_start": "x"}, {"flowlag_end": ""}, {"flowlag_end": str(T - 5)}):
        assert profile({**event, **change})[0]["unreadable"] == "1"


# --- changes of phase ---


def grid(first, count, phase, **more):
    return [record(first + 60 * i + phase, first + 60 * i + phase + 59, **more) for i in range(count)]


def test_a_change_of_phase_starts_a_row():
    old, new = grid(0, 10, 6, _indextime=str(T + 700)), grid(600, 5, 31)
    first, second = profile(*old, *new, record(620, 690, status="NODATA"), {"start_time": "x", "interface_id": "eni-1"})
    assert values(first, "records", "ok", "unreadable", "phase") == ("11", "10", "1", "6")
    assert values(first, "first_start", "last_end", "index_lag_max") == (str(T + 6), str(T + 605), "635")
    assert values(second, "records", "ok", "nodata", "phase") == ("6", "5", "1", "31")
    assert values(second, "first_start", "last_end", "index_lag_max") == (str(T + 620), str(T + 930), "")


def test_a_change_that_two_ends_show_is_none_yet():
    (row,) = profile(*grid(0, 10, 6), *grid(600, 2, 31))
    assert values(row, "timing_mode", "phase", "mode_support") == ("grid", "6", "0.833333")


def test_phases_that_only_chance_makes_start_no_row():
    rng = random.Random(4)
    start, given = 0, []
    for _ in range(2000):
        length = rng.randint(4, 31)
        given += [record(start, start + length)] * 2
        start += length + 1
    (row,) = profile(*given)
    assert values(row, "timing_mode", "mode_support") == ("batch", "1")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(5))
def test_the_modes_of_the_generator(mode, seed):
    """Interfaces whose truth is known; more of this is measured by bench/accuracy/truth.py."""
    records = play(mode, seed, length_s=1800, flows=40)
    (row,) = profile(*({"_raw": played.line()} for played in records))
    assert row["timing_mode"] == mode.replace("quiet-", "")
    assert row["phase"] == (str((records[0].end + 1) % 60) if "grid" in mode else "")


# --- laws ---

some_records = st.lists(
    st.builds(
        record,
        st.integers(0, 300),
        st.integers(0, 360),
        st.sampled_from(["1", "2", "-"]),
        st.sampled_from(["OK", "NODATA", "SKIPDATA", "FINE"]),
        st.sampled_from(["eni-1", "eni-2", ""]),
        _indextime=st.one_of(st.just(""), st.integers(T, T + 900).map(str)),
    ),
    max_size=30,
)


@settings(deadline=None)
@given(some_records, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(given_records, rng):
    shuffled = list(given_records)
    rng.shuffle(shuffled)
    assert profile(*given_records, minrecords="1") == profile(*shuffled, minrecords="1")


@settings(deadline=None, max_examples=200)
@given(st.lists(events, max_size=8))
def test_nothing_stops_it(given_events):
    for row in profile(*given_events):
        assert list(row) == list(PROFILE_FIELDS)
        assert int(row["records"]) == sum(int(row[name]) for name in ("ok", "nodata", "skipdata", "unreadable"))


def nearest_rank(numbers, percent):
    return sorted(numbers)[ceil(Decimal(percent) / 100 * len(numbers)) - 1]


@given(st.lists(st.integers(-50, 900), min_size=1, max_size=60))
def test_percentiles_are_those_of_the_sorted_list(numbers):
    counts = {number: numbers.count(number) for number in numbers}
    for percent in (50, 95, 99):
        assert percentile(counts, percent) == nearest_rank(numbers, percent)
    assert percentile({}, 50) is None


@settings(deadline=None)
@given(some_records)
def test_numbers_are_those_of_an_oracle_over_the_list(given_records):
    """Where an interface has one row, every count, length, span and lag is that of the list of its records."""
    ok = [r for r in given_records if r["interface_id"] == "eni-1" and r["log_status"] == "OK"]
    ok = [r for r in ok if int(r["end_time"]) >= int(r["start_time"])]
    rows = [row for row in profile(*given_records) if row["interface_id"] == "eni-1"]
    if not ok or len(rows) != 1:
        return
    spans = {(int(r["start_time"]), int(r["end_time"])) for r in ok}
    lengths = [end + 1 - start for start, end in spans]
    assert values(rows[0], "ok", "window_p50", "window_max") == (
        str(len(ok)),
        str(nearest_rank(lengths, 50)),
        str(max(lengths)),
    )
    lags = [int(r["_indextime"]) - int(r["end_time"]) for r in ok if r["_indextime"]]
    expected = [str(nearest_rank(lags, p)) for p in (50, 95, 99)] + [str(max(lags))] if lags else [""] * 4
    assert [rows[0][f"index_lag_{name}"] for name in ("p50", "p95", "p99", "max")] == expected


def test_memory_is_that_of_windows_not_of_records():
    """Ten times the records of the same hour need no more memory; an hour of batches takes a quarter of a megabyte."""

    def used(times):
        rng = random.Random(7)
        profiler = Profiler(parse_profile_settings([]))
        windows, start = [], 0
        while start < 3600:
            length = rng.randint(4, 31)
            windows.append((start, start + length))
            start += length + 1
        tracemalloc.start()
        for _ in range(times):
            for start, end in windows:
                for packets in (1, 2, 3):
                    profiler.feed(indexed(start, end, 20 + rng.randrange(3), packets=packets).get)
        profiler._enricher._judged.clear()
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return size

    used(1)  # what is cached once and for all
    once, often = used(3), used(30)
    assert often < 1.3 * once and often < 300_000


def test_the_warning():
    profiler = Profiler(parse_profile_settings([]))
    profiler.feed(record(0, 5).get)
    assert profiler.warning() is None
    profiler.feed(record(9, 5).get)
    assert profiler.warning() == (
        "1 of 2 events look like flow log records but could not be read (1 reversed); they count as unreadable."
    )
    silent = Profiler(parse_profile_settings([]))
    assert silent.warning() is None
    silent.feed({"user": "root"}.get)
    assert "put flowlagenrich" in silent.warning()
