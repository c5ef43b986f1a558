# SPDX-License-Identifier: Apache-2.0
"""Community ID: one text for a flow in both directions, the same in Zeek, Suricata and other network monitors.

Version 1 with seed 0, for TCP, UDP and SCTP. A flow log record has no ICMP type, on which the ID of ICMP depends.
Importing this module costs milliseconds (hashlib loads OpenSSL), so import it only if an ID is asked for. SHA-1 is no
security here, and is said not to be, so that Pythons whose OpenSSL allows only FIPS algorithms compute it too.
Authority: Corelight, "Community ID Flow Hashing" (github.com/corelight/community-id-spec), read 2026-11-27.
"""

from __future__ import annotations

from binascii import b2a_base64
from functools import lru_cache
from hashlib import sha1
from struct import Struct

from flowlag.five_tuple import SCTP, TCP, UDP, FiveTuple

_SEED = 0
_PROTOCOLS = frozenset((TCP, UDP, SCTP))
#: Bytes of an address -> what is hashed: the seed, both addresses, the protocol, a byte of padding, and both ports.
_HASHED = {4: Struct(">H4s4sBxHH"), 16: Struct(">H16s16sBxHH")}
#: No sign, blank or digit of another script counts, nor a leading 0, which some programs read as octal.
_OCTETS = {str(number): bytes((number,)) for number in range(256)}
_LONGEST_ADDRESS = 45  # characters of an IPv6 address that ends as an IPv4 address does

#: One end of a flow: its address, 4 or 16 bytes in network byte order (no byte if it has none), and its port.
End = tuple[bytes, int]


def community_id(five: FiveTuple) -> str:
    """The ID of a five-tuple and of its other direction, `1:` and 28 characters of Base64.

    Empty for a protocol other than TCP, UDP and SCTP, for an address that is none (a name, or one with a zone), and for
    addresses of two families. Ports are 0 to 65535. An IPv4-mapped IPv6 address is the IPv4 address in it.
    """
    src, dest = (pack_address(five.src), five.src_port), (pack_address(five.dest), five.dest_port)
    return hash_ends(five.protocol, src, dest)


def hash_ends(protocol: int, one: End, other: End) -> str:
    """The same for the two ends of a flow, in any order."""
    length = len(one[0])
    if protocol not in _PROTOCOLS or length not in _HASHED or len(other[0]) != length:
        return ""
    low, high = (one, other) if one <= other else (other, one)
    text = _HASHED[length].pack(_SEED, low[0], high[0], protocol, low[1], high[1])
    return "1:" + b2a_base64(sha1(text, usedforsecurity=False).digest(), newline=False).decode("ascii")


def pack_address(address: str) -> bytes:
    """The 4 or 16 bytes of an address in network byte order; empty if it is none."""
    return _pack_short(address) if len(address) <= _LONGEST_ADDRESS else b""


@lru_cache(maxsize=8192)
def _pack_short(address: str) -> bytes:
    return _pack_ipv6(address) if ":" in address else _pack_ipv4(address)


def _pack_ipv4(address: str) -> bytes:
    try:
        packed = b"".join(map(_OCTETS.__getitem__, address.split(".")))
    except KeyError:
        return b""
    return packed if len(packed) == 4 else b""


def _pack_ipv6(address: str) -> bytes:
    from ipaddress import IPv6Address  # only IPv6 needs it, and it takes milliseconds

    try:
        parsed = IPv6Address(address)
    except ValueError:
        return b""
    return b"" if parsed.scope_id else (parsed.ipv4_mapped or parsed).packed
