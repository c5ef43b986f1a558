# SPDX-License-Identifier: Apache-2.0
"""Community ID: one text for a flow in both directions, the same in Zeek, Suricata and AWS Network Firewall.

Version 1 with seed 0, for TCP, UDP and SCTP. A flow log record has no ICMP type, on which the ID of ICMP depends.
Importing this module costs milliseconds (hashlib loads OpenSSL), so import it only if an ID is asked for.
Authority: Corelight, "Community ID Flow Hashing" (github.com/corelight/community-id-spec), read 2026-11-27.
"""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from hashlib import sha1

from flowlag.five_tuple import SCTP, TCP, UDP, FiveTuple

PROTOCOLS = frozenset((TCP, UDP, SCTP))

_SEED = bytes(2)
_PADDING = 0
_LONGEST_ADDRESS = 45  # characters of an IPv6 address that ends as an IPv4 address does


def community_id(five: FiveTuple) -> str:
    """The ID of a five-tuple and of its other direction, `1:` and 28 characters of Base64.

    Empty for a protocol other than TCP, UDP and SCTP, for an address that is none (a name, or one with a zone), and for
    addresses of two families. Ports are 0 to 65535. An IPv4-mapped IPv6 address is the IPv4 address in it.
    """
    if five.protocol not in PROTOCOLS:
        return ""
    src, dest = _pack(five.src), _pack(five.dest)
    if not src or len(src) != len(dest):
        return ""
    low, high = sorted(((src, five.src_port), (dest, five.dest_port)))
    ports = (low[1] << 16 | high[1]).to_bytes(4, "big")
    digest = sha1(_SEED + low[0] + high[0] + bytes((five.protocol, _PADDING)) + ports, usedforsecurity=False).digest()
    return "1:" + b64encode(digest).decode("ascii")


def _pack(address: str) -> bytes:
    """The 4 or 16 bytes of an address in network byte order; empty if it is none."""
    return _pack_short(address) if len(address) <= _LONGEST_ADDRESS else b""


@lru_cache(maxsize=8192)
def _pack_short(address: str) -> bytes:
    return _pack_ipv6(address) if ":" in address else _pack_ipv4(address)


def _pack_ipv4(address: str) -> bytes:
    parts = address.split(".")
    if len(parts) != 4 or not all(_is_octet(part) for part in parts):
        return b""
    return bytes(map(int, parts))


def _is_octet(text: str) -> bool:
    is_number = text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 255
    return is_number and (text == "0" or text[0] != "0")  # some programs read a leading 0 as octal


def _pack_ipv6(address: str) -> bytes:
    from ipaddress import IPv6Address  # only IPv6 needs it, and it takes milliseconds

    try:
        parsed = IPv6Address(address)
    except ValueError:
        return b""
    return b"" if parsed.scope_id else (parsed.ipv4_mapped or parsed).packed
