# SPDX-License-Identifier: Apache-2.0
"""The values of a key field as they are compared: addresses and numbers in one spelling, each value of a multivalue.

Only the key is rewritten; what goes out is spelled as it came. Authority: docs/match.md, Keys; RFC 5952 (addresses).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import product

from flowlag.fields import has_value

#: The values of one event for all key fields.
Key = tuple[str, ...]

#: The longest address with a zone has about 60 characters.
_LONGEST_ADDRESS = 64
#: A multivalue in its own column: `$a$;$b$`, a dollar sign in a value doubled.
_VALUE = re.compile(r"\$((?:[^$]|\$\$)*)\$(?:;|\Z)")
_WHOLE = re.compile(r"([0-9]+)\.0+")
#: An event that has more combinations of values than these has no key.
MOST_COMBINATIONS = 1000


def canonise(text: str) -> str:
    """A value as it is compared: an IPv6 address as RFC 5952 writes it, IPv4-mapped as IPv4; `22.0` as `22`."""
    if ":" in text:
        return _canonise_address(text) if len(text) <= _LONGEST_ADDRESS else text
    if text[-1:] == "0" and "." in text:
        whole = _WHOLE.fullmatch(text)
        return whole[1] if whole else text
    return text


@lru_cache(maxsize=4096)
def _canonise_address(text: str) -> str:
    from flowlag.five_tuple import read_address  # a search without IPv6 does not pay for the import

    return read_address(text) or text


def read_values(text: str) -> Key:
    """The distinct values of a field whose values stand on a line each, as they are compared; none if it has none."""
    if "\n" not in text:
        return (canonise(text),) if has_value(text) else ()
    return _distinct(text.split("\n"))


def read_multivalue(text: str) -> Key:
    """The same of a multivalue as Splunk writes it in a column of its own."""
    return _distinct(value.replace("$$", "$") for value in _VALUE.findall(text))


def _distinct(values: Iterable[str]) -> Key:
    return tuple(dict.fromkeys(canonise(value) for value in values if has_value(value)))


def combine(parts: list[Key]) -> tuple[Key, ...]:
    """Every key of an event with these values for each key field, in order; none if there are too many."""
    count = 1
    for part in parts:
        count *= len(part)
    if count == 1:  # as nearly always
        return (parts[0] if len(parts) == 1 else tuple([part[0] for part in parts]),)
    return tuple(sorted(product(*parts))) if count <= MOST_COMBINATIONS else ()
