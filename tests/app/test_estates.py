# SPDX-License-Identifier: Apache-2.0
"""Owns the made estates: that they are what they say, and that the truth that is written agrees with the records."""

from __future__ import annotations

import csv
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from bench.accuracy.estate_files import write_estate
from bench.accuracy.estates import (
    BEGIN,
    HEADER,
    LAGS,
    LENGTH_S,
    LONGEST_LAG_S,
    MODES,
    OTHER_LAGS,
    TCP,
    UDP,
    Estate,
    Plan,
    make_estate,
)
from flowlag.enrich_options import Settings
from flowlag.profile.options import ProfileSettings
from flowlag.profile.profiler import Profiler

estate_of = cache(make_estate)
LONG = Plan("expo", MODES, hourly=40)
SHORT = Plan("expo", MODES, hourly=4)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_seed_decides_all(tmp_path: Path) -> None:
    """The same plan and seed give the same files to the byte, another seed or plan gives others."""
    texts = []
    for name, plan, seed in (("a", SHORT, 1), ("b", SHORT, 1), ("c", SHORT, 2), ("d", SHORT._replace(lag="tail"), 1)):
        (tmp_path / name).mkdir()
        texts.append([path.read_bytes() for path in write_estate(make_estate(plan, seed), tmp_path / name)])
    assert texts[0] == texts[1]
    assert not any(one == other for text in texts[2:] for one, other in zip(texts[0], text))


# -- packets and records


@pytest.mark.parametrize("lag", [*LAGS, *OTHER_LAGS])
def test_every_packet_is_in_its_record(lag: str) -> None:
    """It was received within the stamps, at most a minute after it passed; so the envelope holds it."""
    for record in estate_of(Plan(lag, MODES, hourly=8), 3).records:
        for packet in record.packets:
            assert record.start <= packet.received < record.end + 1
            assert 0 <= packet.received - packet.passed <= LONGEST_LAG_S
            assert record.start - LONGEST_LAG_S <= packet.passed < record.end + 1


def test_every_packet_is_recorded_once_on_each_side() -> None:
    """What was sent is what the records hold: twice if both hosts have an interface of ours."""
    estate = estate_of(LONG, 1)
    recorded = Counter(
        (record.interface, packet.connection, packet.passed, packet.flags, packet.size)
        for record in estate.records
        for packet in record.packets
    )
    sent = Counter(
        (host.interface, each.number, each.passed(packet, host), packet.flags, packet.size)
        for each in estate.connections
        for host in (each.client, each.server)
        if host.interface
        for packet in each.sent
    )
    assert recorded == sent


def test_a_record_holds_one_series_of_one_window() -> None:
    """It counts packets of one direction, and no two records of a series at an interface share a stamp."""
    records = estate_of(LONG, 1).records
    assert all(len({packet.series for packet in record.packets}) == 1 for record in records)
    spans: dict[tuple[object, ...], list[tuple[int, int]]] = {}
    for record in records:
        spans.setdefault((record.interface, record.series), []).append((record.start, record.end))
    for held in spans.values():
        held.sort()
        assert all(earlier[1] <= later[0] for earlier, later in zip(held, held[1:]))


def test_bursts_share_a_lag_unless_each_packet_has_its_own() -> None:
    """With `uniform` a burst arrives as it was sent; with `uniform_pkt` no two packets share a lag."""
    for lag, most in (("uniform", 0.6), ("uniform_pkt", 1.0)):
        lags = [
            round(packet.received - packet.passed, 4)
            for record in estate_of(Plan(lag, hourly=8), 1).records
            for packet in record.packets
        ]
        assert (len(set(lags)) / len(lags) > 0.95) == (most == 1.0)
        assert len(set(lags)) / len(lags) < most + 0.01


def test_lags_are_what_their_names_say() -> None:
    """`const` is two seconds everywhere, `offset` one lag an interface; the others vary within an interface."""
    for lag in (*LAGS, *OTHER_LAGS):
        lags: dict[str, set[float]] = {}
        for record in estate_of(Plan(lag, hourly=8), 1).records:
            lags.setdefault(record.interface, set()).update(
                round(packet.received - packet.passed, 3) for packet in record.packets
            )
        counts = {len(held) for held in lags.values()}
        assert (counts == {1}) == (lag in ("const", "offset"))
        assert (len(set.union(*lags.values())) == 1) == (lag == "const")


@pytest.mark.parametrize("number", range(len(MODES)), ids=MODES)
def test_stamps_have_the_mode(number: int) -> None:
    """flowlagprofile, which knows nothing of the simulator, tells each mode from a long run."""
    estate, mode = estate_of(LONG, 1), MODES[number]
    interval_s = 600 if mode == "ten-minute" else 60
    profiler = Profiler(ProfileSettings(Settings(interval_us=interval_s * 1_000_000)))
    interface = f"eni-{number:017x}"
    names = [name.replace("-", "_") for name in HEADER.split()]
    for record in estate.records:
        if record.interface == interface:
            profiler.feed(dict(zip(names, record.line().split())).get)
    (row,) = profiler.close()
    expected = {"quiet-grid": "grid", "ten-minute": "grid"}.get(mode, mode)
    assert (row["interface_id"], row["timing_mode"]) == (interface, expected)


# -- connections and logins


def test_ports_are_used_again_after_a_while_only() -> None:
    """Two connections of the same hosts and ports are at least 90 s apart, and there are some."""
    held: dict[tuple[object, ...], list[tuple[float, float]]] = {}
    for each in estate_of(LONG, 1).connections:
        held.setdefault(each.series(False), []).append((each.sent[0].time, each.sent[-1].time))
    again = [sorted(spans) for spans in held.values() if len(spans) > 1]
    assert len(again) > 10
    assert all(later[0] - earlier[1] > 90 for spans in again for earlier, later in zip(spans, spans[1:]))


def test_connections_are_of_all_kinds() -> None:
    """External and internal, TCP and UDP; they end by FIN, by RST or by nothing, and some are refused."""
    connections = estate_of(LONG, 1).connections
    assert {(each.is_internal, each.protocol) for each in connections} == {(True, TCP), (True, UDP), (False, TCP)}
    ends = Counter(each.sent[-1].flags | each.sent[-2].flags for each in connections if each.protocol == TCP)
    assert set(ends) == {0, 1, 4, 6}
    assert ends[1] > 2 * (ends[0] + ends[4] + ends[6])
    assert all(each.round_trip < 1 for each in connections)


def test_logins_have_their_shares() -> None:
    """A fifth of the connections has no login, 5 % of the logins have no flow; times lie within the hour."""
    estate = estate_of(LONG, 1)
    owned = [login for login in estate.logins if login.record is not None]
    sessions = sum(each.protocol == TCP for each in estate.connections)
    assert 0.75 < len(owned) / sessions < 0.85
    assert 0.03 < 1 - len(owned) / len(estate.logins) < 0.07
    assert all(BEGIN <= login.time <= BEGIN + LENGTH_S + 1 for login in estate.logins)
    assert sorted(login.number for login in estate.logins) == list(range(len(estate.logins)))


def test_clumps_are_closer() -> None:
    """In clumps most connections of a pair of hosts follow another within 10 s; else few do."""

    def close(estate: Estate) -> float:
        opened: dict[tuple[object, ...], list[float]] = {}
        for each in estate.connections:
            opened.setdefault((each.client, each.server), []).append(each.sent[0].time)
        gaps = [after - before for times in map(sorted, opened.values()) for before, after in zip(times, times[1:])]
        return sum(gap <= 10 for gap in gaps) / len(gaps)

    assert close(estate_of(Plan("const"), 1)) < 0.2 < 0.6 < close(estate_of(Plan("const", clumped=True), 1))


# -- files


def test_truth_agrees_with_the_flow_logs(tmp_path: Path) -> None:
    """By the files alone: packets, bytes and flags of each line, its connection, and the opening record of a login."""
    estate = estate_of(LONG, 1)
    files = write_estate(estate, tmp_path)
    lines = {path.name: path.read_text(encoding="utf-8").splitlines() for path in (files.servers, files.others)}
    held: dict[int, set[int]] = {}
    texts: dict[int, dict[str, str]] = {}
    for row in read(files.records):
        number = int(row["record"])
        texts[number] = dict(zip(HEADER.split(), lines[row["file"]][int(row["line"]) - 1].split()))
        held.setdefault(number, set()).add(int(row["connection"]))
    assert sorted(texts) == list(range(sum(map(len, lines.values())) - 2))
    for number, record in enumerate(estate.records):
        flags = 0
        for packet in record.packets:
            flags |= packet.flags
        counted = (len(record.packets), sum(packet.size for packet in record.packets), flags)
        assert tuple(int(texts[number][name]) for name in ("packets", "bytes", "tcp-flags")) == counted
        assert held[number] == record.connections
    logins = {row["login"]: row for row in read(files.logins)}
    bounds = {(row["connection"], row["interface"]): row for row in read(files.connections)}
    for row in read(files.truth):
        login = logins[row["login"]]
        if row["record"]:
            text = texts[int(row["record"])]
            assert (text["srcaddr"], text["dstaddr"], text["srcport"]) == (
                login["src"],
                login["dest"],
                login["src_port"],
            )
            assert int(text["tcp-flags"]) & 18 == 2
            first = float(bounds[row["connection"], text["interface-id"]]["first_packet"])
            assert abs(first - float(login["_time"])) <= 0.001
        else:
            assert row["connection"] == login["src_port"] == ""


def test_bounds_are_those_of_the_packets(tmp_path: Path) -> None:
    """The first and the last packet of a connection at an interface are those that its records there hold."""
    estate = estate_of(LONG, 1)
    passed: dict[tuple[int, str], list[float]] = {}
    for record in estate.records:
        for packet in record.packets:
            passed.setdefault((packet.connection, record.interface), []).append(packet.passed)
    rows = read(write_estate(estate, tmp_path).connections)
    assert len(rows) == len(passed)
    sides = Counter(number for number, _ in passed)
    for row in rows:
        times = passed[int(row["connection"]), row["interface"]]
        assert (f"{min(times):.6f}", f"{max(times):.6f}") == (row["first_packet"], row["last_packet"])
        assert row["kind"] == ("internal" if sides[int(row["connection"])] == 2 else "external")
