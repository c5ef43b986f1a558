# SPDX-License-Identifier: Apache-2.0
"""The column orders of text flow logs: what a layout is, and the layouts known by name and by shape.

Authority: Amazon VPC User Guide and VPC Transit Gateways guide (default formats), Splunk Add-on for AWS 7.0.0 (the
order of version 5). Read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from flowlag.fields import NAMES_BY_VERSION, UNCOUNTED, Names, Values, has_value

#: The name of a column that is not read.
SKIPPED = "*"


class Layout:
    """The column order of a flow log's text lines; `order` says it in words."""

    def __init__(self, name: str, columns: Sequence[str], order: str = "") -> None:
        self.name = name
        self.order = order
        self.columns = tuple(columns)
        self.version = self.places_of(("version",))
        self._roles = [self.places_of(names) for names in Names()]
        self._packets = self._roles[Names._fields.index("packets")]
        self.has_status = bool(self._roles[Names._fields.index("status")])
        places = [place for places in (*self._roles, self.version) for place in places]
        #: the columns that tell timing values or the version lie between these
        self.first, self.last = min(places, default=0), max(places, default=0)
        #: whether it has columns for a start and an end
        self.has_times = bool(self._roles[0] and self._roles[1])

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        return f"Layout({self.name!r}, {len(self)} columns)"

    def places_of(self, names: Iterable[str]) -> tuple[int, ...]:
        """Column numbers of `names`, in the order of `names`; `_` and `-` are the same in a column's name."""
        wanted = dict.fromkeys(name.replace("_", "-") for name in names)
        columns = [column.lower().replace("_", "-") for column in self.columns]
        return tuple(columns.index(name) for name in wanted if name in columns)

    @cached_property
    def places(self) -> dict[str, int]:
        """Column names with `_` -> their numbers; the first one if two have the same name. Skipped ones have none."""
        places: dict[str, int] = {}
        for place, column in enumerate(self.columns):
            places.setdefault(column.replace("-", "_"), place)
        places.pop(SKIPPED, None)
        return places

    def values(self, words: Sequence[str]) -> Values:
        """The timing values of a line that was split into exactly as many words as there are columns."""
        values = Values(*(next((words[i] for i in places if has_value(words[i])), None) for places in self._roles))
        if values.packets is None and any(words[i] == UNCOUNTED for i in self._packets):
            return values._replace(packets=UNCOUNTED)
        return values


_V2 = NAMES_BY_VERSION[2].split()
_V2_TO_V5 = [name for version in (2, 3, 4, 5) for name in NAMES_BY_VERSION[version].split()]
_TRANSIT_GATEWAY = [
    "version",
    "resource-type",
    "account-id",
    "tgw-id",
    "tgw-attachment-id",
    "tgw-src-vpc-account-id",
    "tgw-dst-vpc-account-id",
    "tgw-src-vpc-id",
    "tgw-dst-vpc-id",
    "tgw-src-subnet-id",
    "tgw-dst-subnet-id",
    "tgw-src-eni",
    "tgw-dst-eni",
    "tgw-src-az-id",
    "tgw-dst-az-id",
    "tgw-pair-attachment-id",
    "srcaddr",
    "dstaddr",
    "srcport",
    "dstport",
    "protocol",
    "packets",
    "bytes",
    "start",
    "end",
    "log-status",
    "type",
    "packets-lost-no-route",
    "packets-lost-blackhole",
    "packets-lost-mtu-exceeded",
    "packets-lost-ttl-expired",
    "tcp-flags",
    "region",
    "flow-direction",
    "pkt-src-aws-service",
    "pkt-dst-aws-service",
]

#: Layouts that `format` knows by name, in the order in which `format=auto` tries them.
LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("default", _V2, "AWS's default, version 2"),
        Layout(
            "addon-v5",
            _V2_TO_V5,
            "`default`, then the fields of versions 3, 4 and 5 as AWS lists them, which the add-on expects",
        ),
        Layout("select-all", sorted(_V2_TO_V5), "the same fields in alphabetical order"),
        Layout("tgw", _TRANSIT_GATEWAY, "AWS's default for transit gateways"),
    )
}
