# SPDX-License-Identifier: Apache-2.0
"""The options of flowlagconnect, each declared once, and the settings that are made of them.

Authority: docs/connect.md, Options. `lag`, `interface`, `packets` and `prefix` are read as for flowlagenrich.
"""

from collections.abc import Iterable, Sequence  # and no annotations as strings: see options.py
from typing import NamedTuple

from flowlag.enrich_options import FIELD_OPTIONS, LAG, Settings, make_settings
from flowlag.five_tuple import (
    DEST_NAMES,
    DEST_PORT_NAMES,
    FLAGS_NAMES,
    PROTOCOL_NAMES,
    SRC_NAMES,
    SRC_PORT_NAMES,
)
from flowlag.interval import SECOND_US
from flowlag.options import (
    NotAllowed,
    Option,
    field_name,
    gather_options,
    parse_span,
    prefix,
    read_options,
    split_arguments,
)

#: As in five_tuple.py: the field names tried for each value, in order; the first one with a value counts.
BYTES_NAMES = ("bytes", "traffic.bytes")
ACTION_NAMES = ("action", "vpcflow_action", "disposition")

#: About 30 years: more than any records are apart.
_LONGEST_S = 999_999_999
_SPAN = f"0 to {_LONGEST_S} seconds with at most six decimals, plain ({{0}}, 0.5) or as a time span ({{0}}s, 5m)"


def _parse_span(text: str) -> int:
    span_us = parse_span(text)
    if span_us > _LONGEST_S * SECOND_US:
        raise NotAllowed
    return span_us


def _field(name: str, meaning: str, known: Sequence[str]) -> Option:
    return field_name(name, meaning, unset=f"`{known[0]}` and other known names")


FLAGS = _field(
    "flags",
    "Where the TCP flags are, as AWS writes them (a whole number). A name given here replaces the known ones.",
    FLAGS_NAMES,
)
SRC = _field("src", "Where the source address is.", SRC_NAMES)
DEST = _field("dest", "Where the destination address is.", DEST_NAMES)
SRC_PORT = _field("src_port", "Where the source port is.", SRC_PORT_NAMES)
DEST_PORT = _field("dest_port", "Where the destination port is.", DEST_PORT_NAMES)
PROTOCOL = _field(
    "protocol", "Where the protocol is, as a number or a name; the first known name that is readable counts.",
    PROTOCOL_NAMES,
)  # fmt: skip
INTERFACE, PACKETS = (option for name in ("interface", "packets") for option in FIELD_OPTIONS if option.name == name)
BYTES = _field("bytes", "Where the number of bytes is.", BYTES_NAMES)
#: Long enough for the keep-alives of most programs, and with it hardly a connection was split in simulated estates.
GAP = Option(
    "gap",
    "<span>",
    "300",
    _SPAN.format(300),
    "A longer pause between the latest end so far and the next start begins a new connection.",
    _parse_span,
)
RTT = Option(
    "rtt",
    "<span>",
    "1",
    _SPAN.format(1),
    "The longest round trip: how much later one end of the connection can see what the other end sees, and how long "
    "an answer can take.",
    _parse_span,
)

#: In the order of the docs.
CONNECT_OPTIONS = (
    FLAGS, SRC, DEST, SRC_PORT, DEST_PORT, PROTOCOL, INTERFACE, PACKETS, BYTES, GAP, RTT,
    LAG._replace(meaning="The longest time between a packet and its stamp; give the same to flowlagenrich."),
    prefix("The prefix that flowlagenrich was given."),
)  # fmt: skip


class Roles(NamedTuple):
    """For each value that flowlagconnect takes from an event, the field names that are tried, in order."""

    status: Sequence[str]
    start: Sequence[str]
    end: Sequence[str]
    protocol: Sequence[str]
    src: Sequence[str]
    src_port: Sequence[str]
    dest: Sequence[str]
    dest_port: Sequence[str]
    interface: Sequence[str]
    packets: Sequence[str]
    bytes: Sequence[str]
    flags: Sequence[str]
    action: Sequence[str]


def _find_roles(reading: Settings) -> Roles:
    """The roles for the known names; the tags have the prefix of flowlagenrich."""
    status, start, end = ((reading.prefix + name,) for name in ("status", "start", "end"))
    return Roles(
        status=status,
        start=start,
        end=end,
        protocol=PROTOCOL_NAMES,
        src=SRC_NAMES,
        src_port=SRC_PORT_NAMES,
        dest=DEST_NAMES,
        dest_port=DEST_PORT_NAMES,
        interface=reading.names.interface,
        packets=reading.names.packets,
        bytes=BYTES_NAMES,
        flags=FLAGS_NAMES,
        action=ACTION_NAMES,
    )


class ConnectSettings(NamedTuple):
    """What flowlagconnect was asked for; `reading` tells how records are read, and has lag and prefix."""

    reading: Settings = Settings()
    roles: Roles = _find_roles(Settings())
    gap_us: int = GAP.initial
    rtt_us: int = RTT.initial

    @property
    def lag_us(self) -> int:
        """The longest time between a packet and its stamp, in microseconds."""
        return self.reading.lag_us

    @property
    def input_fields(self) -> list[str]:
        """Every event field that may be read, for Splunk to extract."""
        return list(dict.fromkeys(name for names in self.roles for name in names))


def parse_connect_settings(
    pairs: Iterable[tuple[str, str]], command: str = "flowlagconnect", options: Iterable[Option] = CONNECT_OPTIONS
) -> ConnectSettings:
    """Settings from (option, value) pairs as the user typed them, unquoted; raises SettingsError, one sentence."""
    given = gather_options(pairs, options, command)
    values = read_options(given, CONNECT_OPTIONS)
    reading = make_settings(given)
    named = (FLAGS, SRC, DEST, SRC_PORT, DEST_PORT, PROTOCOL, BYTES)
    roles = _find_roles(reading)._replace(**{o.name: (values[o.name],) for o in named if o.name in given})
    return ConnectSettings(reading, roles, values["gap"], values["rtt"])


def parse_connect_arguments(arguments: Iterable[str], command: str = "flowlagconnect") -> ConnectSettings:
    """Settings from a search command's arguments, each `name=value` with quotes taken off as splunkd sends them."""
    return parse_connect_settings(split_arguments(arguments, command), command)
