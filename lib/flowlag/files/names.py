# SPDX-License-Identifier: Apache-2.0
"""Names of fields in files: compared without case, `-` and `_`, and AWS, CIM and OCSF names that mean the same.

In Splunk a name is exactly one field. Files come from Athena, CloudWatch Logs Insights, Spark, jq and spreadsheets,
which spell AWS's names each in their own way. Authority: docs/shell.md, Names; Amazon Athena User Guide, "Query Amazon
VPC flow logs" (the older table). Read 2026-11-24.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Callable, Optional

from flowlag.enrich_options import Settings
from flowlag.five_tuple import DEST_NAMES, DEST_PORT_NAMES, FLAGS_NAMES, PROTOCOL_NAMES, SRC_NAMES, SRC_PORT_NAMES
from flowlag.memo import Memo

#: Names that mean the same, as `squeeze` leaves them; those of Athena's older table are among them.
_ALIKE = (
    ("srcaddr", "srcip", "src", "srcendpoint.ip", "sourceaddress"),
    ("dstaddr", "destip", "dest", "dstendpoint.ip", "destinationaddress"),
    ("srcport", "srcendpoint.port", "sourceport"),
    ("dstport", "destport", "dstendpoint.port", "destinationport"),
    ("protocol", "protocolcode", "connectioninfo.protocolnum", "transport"),
    ("action", "vpcflowaction", "activityname"),
    ("packets", "numpackets", "traffic.packets"),
    ("bytes", "numbytes", "traffic.bytes"),
    ("tcpflags", "connectioninfo.tcpflags"),
    ("interfaceid", "srcendpoint.interfaceuid", "dstendpoint.interfaceuid", "dvc"),
    ("start", "starttime", "starttimedt"),
    ("end", "endtime", "endtimedt"),
    ("logstatus", "statuscode"),
)
_GROUP = {name: group for group in _ALIKE for name in group}
#: What Athena's older table has in place of a known name.
_ATHENA = {
    "packets": "numpackets", "bytes": "numbytes", "srcaddr": "sourceaddress", "dstaddr": "destinationaddress",
    "srcport": "sourceport", "dstport": "destinationport",
}  # fmt: skip

Get = Callable[[str], Optional[str]]
#: A name that is asked for -> the name that a row has in its place.
Aliases = Mapping[str, str]


def squeeze(name: str) -> str:
    """A name without case, `-` and `_`."""
    return name.lower().replace("-", "").replace("_", "")


class AliasFinder:
    """Finds, for the names that are asked for, those that rows have in their place; each set of columns once."""

    def __init__(self, wanted: Iterable[str]) -> None:
        self._wanted = {name: squeeze(name) for name in wanted}
        #: The names of all rows, in order of their first use.
        self.names: dict[str, None] = {}
        self._found: Memo[tuple[str, ...], Aliases] = Memo(self._find, lambda names: 0, 64)

    def find(self, names: Iterable[str]) -> Aliases:
        """The aliases among the names of a row."""
        return self._found[tuple(names)]

    def _find(self, names: tuple[str, ...]) -> Aliases:
        self.names.update(dict.fromkeys(names))
        spelled: dict[str, str] = {}
        for name in names:
            spelled.setdefault(squeeze(name), name)
        found = {}
        for name, short in self._wanted.items():
            actual = spelled.get(short) or spelled.get(_ATHENA.get(short, short))
            if actual is not None and name not in names:
                found[name] = actual
        return found


def read_as(fields: Mapping[str, str], aliases: Aliases) -> Get:
    """A function that gives a field by its own name or by an alias."""
    if not aliases:
        return fields.get
    return lambda name: fields.get(aliases.get(name, name))


def known_names(settings: Settings) -> list[str]:
    """Every name under which a command looks for a value of a flow log record."""
    parts = (SRC_NAMES, SRC_PORT_NAMES, DEST_NAMES, DEST_PORT_NAMES, PROTOCOL_NAMES, FLAGS_NAMES, ("bytes",))
    return [*settings.input_fields, *chain.from_iterable(parts)]


class KeyFinder(AliasFinder):
    """Finds the keys of one side of `match` and `learn`, and `others` that are asked for."""

    def __init__(self, keys: Iterable[str], others: Iterable[str]) -> None:
        #: For each key that stands for an address, a port or the like, the names that mean the same, squeezed.
        self.synonyms = {name: _GROUP[squeeze(name)] for name in keys if squeeze(name) in _GROUP}
        super().__init__([*keys, *chain.from_iterable(self.synonyms.values()), *others])

    def has(self, key: str) -> bool:
        """Whether some row has a field of this name, or one that means the same."""
        wanted = {squeeze(key), *self.synonyms.get(key, ())}
        return key in self.names or not wanted.isdisjoint(map(squeeze, self.names))
