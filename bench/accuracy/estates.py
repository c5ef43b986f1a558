# SPDX-License-Identifier: Apache-2.0
"""Makes estates whose truth is known: connections, flow log records of them, and logins that belong to some of them.

Clients open connections to servers, 25 an hour each unless the plan says otherwise. A packet passes an interface, is
received there 0 to 60 s later, and is recorded with all that the interface received of its series in the same window:

    connection --packets--> interface --lag--> receipt --mode--> record

The lag is the part that AWS does not tell, so there are several kinds, and no estate knows which one it has. Packets
of a burst share a lag, and bursts overtake each other. Nothing here is shared with the product, and times are plain
seconds since 1970.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Callable, NamedTuple, Optional

BEGIN = 1_790_000_000
LENGTH_S = 3600
LONGEST_LAG_S = 60.0

FIN, SYN, RST, SYN_ACK = 1, 2, 4, 18
TCP, UDP = 6, 17

ONE_MINUTE = ("grid", "quiet-grid", "batch", "flow")
MODES = (*ONE_MINUTE, "ten-minute")

LOGIN_SHARE = 0.8
NO_FLOW_SHARE = 0.05  # of logins
LOOKUPS = 10  # UDP, of each client of ours

HEADER = (
    "version interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status tcp-flags"
)


class Host(NamedTuple):
    """A machine; one without an interface of ours is external."""

    address: str
    interface: str = ""
    mode: str = ""


class Sent(NamedTuple):
    """A packet as its sender sees it: when it left, its direction, burst, TCP flags and bytes."""

    time: float
    is_reply: bool
    burst: int
    flags: int
    size: int


class Connection(NamedTuple):
    """What a client and a server sent each other from one port, half a round trip apart."""

    number: int
    client: Host
    server: Host
    client_port: int
    server_port: int
    protocol: int
    round_trip: float
    sent: tuple[Sent, ...]

    @property
    def is_internal(self) -> bool:
        """Whether interfaces of ours see it on both sides."""
        return bool(self.client.interface)

    def passed(self, packet: Sent, host: Host) -> float:
        """When a packet passed the interface of one of the two hosts."""
        is_sender = packet.is_reply == (host == self.server)
        return packet.time + (0 if is_sender else self.round_trip / 2)

    def bounds(self, host: Host) -> tuple[float, float]:
        """When the first and the last packet passed the interface of a host."""
        times = [self.passed(packet, host) for packet in self.sent]
        return min(times), max(times)

    def series(self, is_reply: bool) -> Series:
        """The addresses and ports of a direction."""
        client, server = (self.client.address, self.client_port), (self.server.address, self.server_port)
        source, target = (server, client) if is_reply else (client, server)
        return Series(source[0], target[0], source[1], target[1], self.protocol)


class Series(NamedTuple):
    """What a record counts the packets of."""

    srcaddr: str
    dstaddr: str
    srcport: int
    dstport: int
    protocol: int


class Seen(NamedTuple):
    """A packet at an interface: when it was received and when it passed, and whose it is."""

    received: float
    passed: float
    series: Series
    connection: int
    flags: int
    size: int


class Record(NamedTuple):
    """A flow log record, with the packets in it."""

    interface: str
    start: int
    end: int
    packets: tuple[Seen, ...]

    @property
    def series(self) -> Series:
        """The addresses, ports and protocol."""
        return self.packets[0].series

    @property
    def flags(self) -> int:
        """All TCP flags of its packets."""
        flags = 0
        for packet in self.packets:
            flags |= packet.flags
        return flags

    @property
    def connections(self) -> set[int]:
        """The connections in it: one, or two if a port was used again within a window."""
        return {packet.connection for packet in self.packets}

    def line(self) -> str:
        """The record as the flow log writes it, by HEADER."""
        series, size = self.series, sum(packet.size for packet in self.packets)
        return (
            f"5 {self.interface} {series.srcaddr} {series.dstaddr} {series.srcport} {series.dstport} "
            f"{series.protocol} {len(self.packets)} {size} {self.start} {self.end} ACCEPT OK {self.flags}"
        )


class Login(NamedTuple):
    """A login at a time, and the record that holds the first packet of its connection; None for neither."""

    number: int
    time: float
    client: Host
    server: Host
    connection: Optional[int]
    record: Optional[int]


class Plan(NamedTuple):
    """What an estate is like: its kind of lag, its modes, and how clients open connections.

    `hourly` connections of a client and a server; `clumped`: two of three follow another one within 10 s. Logins are of
    the last of its `hours`.
    """

    lag: str
    modes: tuple[str, ...] = ONE_MINUTE
    hourly: int = 25
    clumped: bool = False
    hours: int = 1

    @property
    def name(self) -> str:
        """Tells it from others. Hours that are one have no part in it, so that figures which were published stay."""
        parts = (f"{key}={value!r}" for key, value in self._asdict().items() if key != "hours" or value != 1)
        return f"Plan({', '.join(parts)})"

    @property
    def last_hour(self) -> float:
        """When the last hour begins."""
        return BEGIN + (self.hours - 1) * LENGTH_S


class Estate(NamedTuple):
    """All of it; a record's number is its place."""

    connections: list[Connection]
    records: list[Record]
    logins: list[Login]

    @property
    def hosts(self) -> list[Host]:
        """All hosts that have an interface of ours."""
        hosts = {host for connection in self.connections for host in (connection.client, connection.server)}
        return sorted(host for host in hosts if host.interface)


# -- lags

Lag = Callable[[float], float]  # the lag of a burst that passes at a time


def make_lag(kind: str, rng: random.Random) -> Lag:
    """The lag of one interface; each call draws again."""
    level = rng.uniform(0, 50)
    period, phase = rng.uniform(10, 50), rng.uniform(0, 50)
    levels = [rng.uniform(0, 50) for _ in range(32)]
    lags: dict[str, Lag] = {
        "const": lambda passed: 2.0,
        "offset": lambda passed: level,
        "tail": lambda passed: rng.uniform(0, LONGEST_LAG_S if rng.random() < 0.01 else 2),
        "expo": lambda passed: min(rng.expovariate(1 / 8), LONGEST_LAG_S),
        "poll": lambda passed: period - (passed - phase) % period,
        "uniform": lambda passed: rng.uniform(0, LONGEST_LAG_S),
        "drift": lambda passed: levels[int(passed - BEGIN) // 1200 % len(levels)],
        "load": lambda passed: rng.uniform(0, LONGEST_LAG_S) * (0.1 + 0.9 * ((passed - BEGIN) % 3600) / 3600),
    }
    return lags["uniform" if kind == "uniform_pkt" else kind]


LAGS = ("const", "offset", "tail", "expo", "poll", "uniform")
OTHER_LAGS = ("uniform_pkt", "drift", "load")


# -- connections


def send_session(rng: random.Random, opened: float, round_trip: float) -> tuple[Sent, ...]:
    """The packets of a TCP connection: its opening, some bursts of data, and most often an end."""
    half, sent = round_trip / 2, []
    if rng.random() < 0.01:  # lost behind the interface, and sent again
        sent.append(Sent(opened, False, -1, SYN, 60))
        opened += 1
    time = opened + round_trip
    sent += [
        Sent(opened, False, 0, SYN, 60),
        Sent(opened + half, True, 0, SYN_ACK, 60),
        Sent(time, False, 0, 0, 52),
    ]
    is_long = rng.random() < 0.1
    for burst in range(rng.randint(8, 16) if is_long else rng.randint(1, 8)):
        for _ in range(rng.randint(1, 3)):
            sent.append(Sent(time, False, burst, 0, rng.randint(60, 400)))
            sent.append(Sent(time + half, True, burst, 0, rng.randint(60, 1400)))
            time += max(round_trip, 0.1)
        time += rng.uniform(20, 200) if is_long else rng.uniform(2, 30)
    return (*sent, *_send_end(rng, time, round_trip, sent[-1].burst + 1))


def _send_end(rng: random.Random, time: float, round_trip: float, burst: int) -> list[Sent]:
    way, is_reply = rng.random(), rng.random() < 0.5
    if way < 0.10:
        return []
    if way < 0.22:
        return [Sent(time, is_reply, burst, RST, 40)]
    return [
        Sent(time, is_reply, burst, FIN, 52),
        Sent(time + round_trip / 2, not is_reply, burst, FIN, 52),
        Sent(time + round_trip, is_reply, burst, 0, 52),
    ]


def send_attempt(rng: random.Random, opened: float, round_trip: float) -> tuple[Sent, ...]:
    """A connection that the server refuses."""
    return Sent(opened, False, 0, SYN, 60), Sent(opened + round_trip / 2, True, 0, RST, 40)


def send_lookups(rng: random.Random, opened: float, round_trip: float) -> tuple[Sent, ...]:
    """Questions and answers over UDP from one port."""
    sent = []
    for burst in range(rng.randint(1, 3)):
        sent += [Sent(opened, False, burst, 0, 70), Sent(opened + round_trip / 2, True, burst, 0, 130)]
        opened += rng.uniform(1, 40)
    return tuple(sent)


Send = Callable[[random.Random, float, float], "tuple[Sent, ...]"]


def connect(rng: random.Random, client: Host, server: Host, times: Iterable[float], send: Send) -> Iterator[Connection]:
    """Connections of two hosts, each from a port of its own; they are numbered later."""
    port, protocol = (53, UDP) if send is send_lookups else (22, TCP)
    own_ports = iter(rng.sample(range(32768, 61000), 1000))
    for opened in times:
        round_trip = min(rng.expovariate(1 / 0.05), 0.9) if rng.random() < 0.95 else rng.uniform(0.1, 0.95)
        is_refused = send is send_session and rng.random() < 0.02
        sent = (send_attempt if is_refused else send)(rng, opened, round_trip)
        yield Connection(0, client, server, next(own_ports), port, protocol, round_trip, sent)


def draw_times(rng: random.Random, hourly: int, plan: Plan) -> list[float]:
    """When `hourly` connections open: at any time of the plan's hours, or in clumps."""
    times: list[float] = []
    while len(times) < hourly * plan.hours:
        follows = plan.clumped and times and rng.random() < 2 / 3
        times.append(times[-1] + rng.uniform(0, 10) if follows else BEGIN + rng.uniform(0, LENGTH_S * plan.hours))
    return times


def use_ports_again(rng: random.Random, connections: Iterable[Connection]) -> list[Connection]:
    """The connections by time; one in twenty gets the port of one of the same hosts that ended 90 to 900 s before."""
    changed: list[Connection] = []
    closed: dict[tuple[Host, Host], dict[int, float]] = defaultdict(dict)  # when a port was last in use
    for connection in sorted(connections, key=lambda each: each.sent[0].time):
        opened, ports = connection.sent[0].time, closed[connection.client, connection.server]
        free = [port for port, time in ports.items() if 90 < opened - time < 900]
        if free and connection.protocol == TCP and rng.random() < 0.05:
            connection = connection._replace(client_port=free[-1])
        ports[connection.client_port] = connection.sent[-1].time
        changed.append(connection)
    return changed


# -- records


def see(host: Host, connections: Iterable[Connection], lag: Lag, by_packet: bool) -> list[Seen]:
    """The packets at the interface of a host, in order of receipt; a burst in one direction shares a lag."""
    seen = []
    for connection in connections:
        lags: dict[tuple[object, ...], float] = {}
        for number, packet in enumerate(connection.sent):
            passed = connection.passed(packet, host)
            burst = (packet.is_reply, packet.burst, number if by_packet else 0)
            if burst not in lags:
                lags[burst] = lag(passed)
            series = connection.series(packet.is_reply)
            seen.append(Seen(passed + lags[burst], passed, series, connection.number, packet.flags, packet.size))
    return sorted(seen)


def record(rng: random.Random, host: Host, seen: Sequence[Seen]) -> Iterator[Record]:
    """The records that an interface makes, by its mode."""
    if host.mode == "flow":
        yield from _record_flows(host, seen)
        return
    edges = _window_edges(rng, host.mode, seen)
    windows: dict[int, list[Seen]] = defaultdict(list)
    for packet in seen:
        windows[bisect_right(edges, packet.received) - 1].append(packet)
    for window, members in windows.items():
        start, close = edges[window], edges[window + 1]
        if host.mode == "quiet-grid":
            start = int(members[0].received)
        for packets in _by_series(members).values():
            yield Record(host.interface, start, close - 1, tuple(packets))


def _window_edges(rng: random.Random, mode: str, seen: Sequence[Seen]) -> list[int]:
    """Where windows begin: after 60 or 600 s, or, in batches, after 4 to 31 s."""
    interval = 600 if mode == "ten-minute" else 60
    edges = [int(seen[0].received) - rng.randrange(interval)]
    while edges[-1] <= seen[-1].received:
        edges.append(edges[-1] + (rng.randint(5, 32) if mode == "batch" else interval))
    return edges


def _record_flows(host: Host, seen: Sequence[Seen]) -> Iterator[Record]:
    """Records of what one series received within two seconds of the clock."""
    for packets in _by_series(seen).values():
        group: list[Seen] = []
        for packet in packets:
            if group and packet.received >= int(group[0].received) + 2:
                yield Record(host.interface, int(group[0].received), int(group[-1].received), tuple(group))
                group = []
            group.append(packet)
        yield Record(host.interface, int(group[0].received), int(group[-1].received), tuple(group))


def _by_series(seen: Iterable[Seen]) -> dict[Series, list[Seen]]:
    groups: dict[Series, list[Seen]] = defaultdict(list)
    for packet in seen:
        groups[packet.series].append(packet)
    return groups


# -- estates


def make_estate(plan: Plan, seed: int) -> Estate:
    """An estate: a server of each mode, two external clients and two of ours, and a resolver."""
    rng = random.Random(f"{plan.name} {seed}")
    connected = use_ports_again(rng, _connect_hosts(rng, plan))
    connections = [each._replace(number=number) for number, each in enumerate(connected)]
    estate = Estate(connections, [], [])
    for host in estate.hosts:
        own = [each for each in connections if host in (each.client, each.server)]
        seen = see(host, own, make_lag(plan.lag, rng), by_packet=plan.lag == "uniform_pkt")
        estate.records.extend(record(rng, host, seen))
    estate.records.sort(key=lambda each: (each.end, each.interface, each.series))
    estate.logins.extend(_log_in(rng, estate, plan.last_hour))
    return estate


def _connect_hosts(rng: random.Random, plan: Plan) -> Iterator[Connection]:
    servers = [Host(f"10.0.0.{10 + i}", f"eni-{i:017x}", mode) for i, mode in enumerate(plan.modes)]
    ours = [Host(f"10.0.1.{20 + i}", f"eni-{256 + i:017x}", rng.choice(plan.modes)) for i in range(2)]
    resolver = Host("10.0.2.53", f"eni-{512:017x}", rng.choice(plan.modes))
    for client in (Host("198.51.100.7"), Host("203.0.113.9"), *ours):
        for server in servers:
            yield from connect(rng, client, server, draw_times(rng, plan.hourly, plan), send_session)
    for client in ours:
        yield from connect(rng, client, resolver, draw_times(rng, LOOKUPS, plan._replace(clumped=False)), send_lookups)


def _log_in(rng: random.Random, estate: Estate, since: float) -> list[Login]:
    """Logins at the first packet of most sessions, and some without a connection; numbers say nothing."""
    opening = find_openings(estate)
    logins = []
    for connection in estate.connections:
        if connection.protocol == UDP or len(connection.sent) == 2 or rng.random() >= LOGIN_SHARE:
            continue
        client, server = connection.client, connection.server
        first, _ = connection.bounds(server)
        if first < since:
            continue
        number = opening[connection.number, server.interface]
        logins.append(Login(0, round(first, 3), client, server, connection.number, number))
        if rng.random() < NO_FLOW_SHARE / (1 - NO_FLOW_SHARE):
            logins.append(Login(0, round(since + rng.uniform(0, LENGTH_S), 3), client, server, None, None))
    rng.shuffle(logins)
    return [login._replace(number=number) for number, login in enumerate(logins)]


def find_openings(estate: Estate) -> dict[tuple[int, str], int]:
    """(connection, interface) -> the record that holds the first packet from the client."""
    first: dict[tuple[int, str], tuple[float, int]] = {}
    for number, each in enumerate(estate.records):
        for packet in each.packets:
            is_reply = packet.series == estate.connections[packet.connection].series(True)
            key, found = (packet.connection, each.interface), (packet.passed, number)
            if not is_reply and found < first.get(key, (float("inf"), 0)):
                first[key] = found
    return {key: number for key, (_, number) in first.items()}
