# SPDX-License-Identifier: Apache-2.0
"""Whose packets a record counts: protocol, addresses and ports, and what its TCP flags say of a connection.

Names and spellings differ between sources (the Splunk Add-on for AWS, AWS, the CIM, OCSF); here they become one.
Authority: Amazon VPC User Guide, "Flow log records" (tcp-flags; protocol is the IANA number), Splunk Add-on for AWS
7.0.0, OCSF 1.1.0 class 4001, RFC 5952 (addresses). Read 2026-11-27.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

from flowlag.fields import has_value

#: The field names tried for each part, in order; the first one with a value counts.
SRC_NAMES = ("src_ip", "srcaddr", "src", "src_endpoint.ip", "srcAddr", "pkt_srcaddr", "pkt-srcaddr")
DEST_NAMES = ("dest_ip", "dstaddr", "dest", "dst_endpoint.ip", "dstAddr", "pkt_dstaddr", "pkt-dstaddr")
SRC_PORT_NAMES = ("src_port", "srcport", "src_endpoint.port", "srcPort")
DEST_PORT_NAMES = ("dest_port", "dstport", "dst_endpoint.port", "dstPort")
PROTOCOL_NAMES = ("protocol_code", "protocol", "connection_info.protocol_num", "transport")
FLAGS_NAMES = ("tcp_flags", "tcp-flags", "connection_info.tcp_flags")

TCP, UDP, SCTP = 6, 17, 132
_PROTOCOLS = {"icmp": 1, "tcp": TCP, "udp": UDP, "gre": 47, "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58,
              "sctp": SCTP}  # fmt: skip

FIN, SYN, RST, ACK = 1, 2, 4, 16


class FiveTuple(NamedTuple):
    """The five-tuple of a flow; addresses in one spelling, ports 0 for a protocol without ports."""

    protocol: int
    src: str
    src_port: int
    dest: str
    dest_port: int

    def reversed(self) -> FiveTuple:
        """The five-tuple of the other direction."""
        return FiveTuple(self.protocol, self.dest, self.dest_port, self.src, self.src_port)


def read_protocol(text: Optional[str]) -> Optional[int]:
    """The IANA number of a protocol, written as a number from 0 to 255 or as a common name; else None."""
    number = read_whole(text)
    if number is None:
        return _PROTOCOLS.get((text or "").lower())
    return number if number <= 255 else None


def read_port(text: Optional[str]) -> Optional[int]:
    """A port, 0 to 65535; else None."""
    number = read_whole(text)
    return number if number is not None and number <= 65535 else None


def read_flags(text: Optional[str]) -> Optional[int]:
    """TCP flags as AWS writes them, a whole number; else None."""
    return read_whole(text)


def opens_connection(flags: Optional[int]) -> bool:
    """Whether a record with these flags holds the packet that opens a connection: SYN without ACK."""
    return flags is not None and flags & (SYN | ACK) == SYN


def read_whole(text: Optional[str]) -> Optional[int]:
    """A whole number of at most nine digits, which may have `.0` behind it; else None."""
    digits = (text or "").removesuffix(".0")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else None


def read_address(text: Optional[str]) -> Optional[str]:
    """An address in one spelling (IPv6 as RFC 5952 writes it, IPv4-mapped as IPv4); any other text as it is.

    None if there is no value.
    """
    if not has_value(text) or text is None:
        return None
    if ":" not in text:
        return text
    from ipaddress import IPv6Address  # only IPv6 needs it, and it takes milliseconds

    try:
        address = IPv6Address(text)
    except ValueError:
        return text
    return str(address.ipv4_mapped or address)
