# SPDX-License-Identifier: Apache-2.0
"""What the TCP flags of a connection's records say of it, before any time is looked at.

Few combinations of flags are most of all, so each is examined once. Authority: docs/connect.md, When it began.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import itemgetter, or_
from typing import Callable, NamedTuple, Optional

from flowlag.connect.records import FOLLOWS, HAS_FLAGS, Records
from flowlag.five_tuple import ACK, FIN, RST, SYN
from flowlag.memo import Bounded

_CLOSES, _SYN_ACK = FIN | RST, SYN | ACK
#: Connections of more records are examined anew: hardly two of them have the same flags in the same order.
_MOST_RECORDS = 12


class Signs(NamedTuple):
    """What the flags of records in their order say; records by their places.

    `opening` have SYN without ACK, `answering` SYN with ACK; `take_closing` gives the values of a column for those with
    FIN or RST (a single one twice), None if there are none. `opens_twice` and `closes_twice`: a series, which is what
    one interface saw in one direction, has two records with SYN, or two with FIN or RST. `flags` is the text of all
    flags; empty if none is readable.
    """

    opening: Sequence[int]
    answering: Sequence[int]
    take_closing: Optional[Callable[[Sequence[int]], Sequence[int]]]
    opens_twice: bool
    closes_twice: bool
    flags: str


class SignsMemo(Bounded[tuple[object, ...], Signs]):
    """The signs of the connections of a search."""

    def find(self, records: Records, is_alone: bool) -> Signs:
        """The signs of a connection's records; `is_alone` says that one interface has seen them."""
        _, flags, _, directions, interfaces, _, _, _ = records
        if len(flags) > _MOST_RECORDS:
            return read_signs(flags, list(zip(directions, interfaces)))
        key: tuple[object, ...] = flags, directions
        if not is_alone:
            names = list(dict.fromkeys(interfaces))
            key = (*key, *map(names.index, interfaces))
        signs = self.get(key)
        if signs is None:
            signs = read_signs(flags, list(zip(directions, interfaces)))
            self.keep(key, signs)
        return signs


def read_signs(flags: Sequence[int], series: Sequence[object]) -> Signs:
    """The signs of records in their order, by their flags and the series that each belongs to."""
    places = range(len(flags))
    opening = [place for place in places if flags[place] < FOLLOWS]
    answering = [place for place in places if flags[place] & _SYN_ACK == _SYN_ACK]
    closing = [place for place in places if flags[place] & _CLOSES]
    opens_twice, closes_twice = (
        len({series[place] for place in found}) < len(found) for found in (opening + answering, closing)
    )
    known = reduce(or_, flags) & ~FOLLOWS
    take_closing = itemgetter(closing[0], *closing) if closing else None
    return Signs(opening, answering, take_closing, opens_twice, closes_twice, str(known ^ HAS_FLAGS) if known else "")
