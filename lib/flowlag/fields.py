# SPDX-License-Identifier: Apache-2.0
"""The names of AWS flow log fields, and the fields in which each timing value is looked for.

Authority: Amazon VPC User Guide, "Flow log records" (versions 2 to 10; version 11 of 2026-06-10), VPC Transit Gateways
guide, "Transit Gateway Flow Log records" (version 6), Splunk Add-on for AWS 7.0.0 (field names), OCSF 1.0.0-rc.2 and
1.1.0 class 4001. Read 2026-11-23.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Callable, NamedTuple, Optional

#: Version -> the fields that it introduced, in AWS's order.
NAMES_BY_VERSION = {
    2: "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
    "log-status",
    3: "vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr",
    4: "region az-id sublocation-type sublocation-id",
    5: "pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path",
    6: "resource-type tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id tgw-src-vpc-id "
    "tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id tgw-dst-az-id "
    "tgw-pair-attachment-id packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded "
    "packets-lost-ttl-expired",
    7: "ecs-cluster-arn ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id ecs-container-id "
    "ecs-second-container-id ecs-service-name ecs-task-definition-arn ecs-task-arn ecs-task-id",
    8: "reject-reason",
    9: "resource-id",
    10: "encryption-status",
    11: "instance-tag instance-tag-2 interface-tag interface-tag-2 asg-tag asg-tag-2 interface-type "
    "next-hop-interface-id next-hop-subnet-id next-hop-az-id next-hop-vpc-id next-hop-interface-type",
}

#: AWS field name -> version that introduced it.
FIELD_VERSIONS = {name: version for version, names in NAMES_BY_VERSION.items() for name in names.split()}

#: Timing value -> the field names tried; the first one with a value counts (docs/enrich.md, Where values come from).
START_NAMES = ("start_time", "start", "start_time_dt", "startTime")
END_NAMES = ("end_time", "end", "end_time_dt", "endTime")
PACKETS_NAMES = ("packets", "traffic.packets")
INTERFACE_NAMES = (
    "interface_id",
    "interface-id",
    "src_endpoint.interface_uid",
    "dst_endpoint.interface_uid",
    "resource_id",
    "resource-id",
    "tgw_attachment_id",
    "tgw-attachment-id",
    "dvc",
    "interfaceId",
)
STATUS_NAMES = ("log_status", "log-status", "status_code", "logStatus")

#: The values of a multivalue field are in a second column, its twin, whose name begins with this.
TWIN = "__mv_"

#: What AWS writes for the packets of a record that counts none: one of NODATA or SKIPDATA.
UNCOUNTED = "-"
NO_VALUES = frozenset(("", "-", "unknown", "null", "none"))
_LONGEST_NO_VALUE = max(map(len, NO_VALUES))


class Names(NamedTuple):
    """The field names to try for each value, in order; `duration` is empty unless asked for."""

    start: Sequence[str] = START_NAMES
    end: Sequence[str] = END_NAMES
    packets: Sequence[str] = PACKETS_NAMES
    interface: Sequence[str] = INTERFACE_NAMES
    status: Sequence[str] = STATUS_NAMES
    duration: Sequence[str] = ()

    def all(self) -> list[str]:
        """Every name once, in order of first use."""
        return list(dict.fromkeys(name for names in self for name in names))


class Values(NamedTuple):
    """A record's timing values as text, before anything is judged; None where there is no value."""

    start: Optional[str] = None
    end: Optional[str] = None
    packets: Optional[str] = None
    interface: Optional[str] = None
    status: Optional[str] = None
    duration: Optional[str] = None


def has_value(text: Optional[str]) -> bool:
    """Whether a field says anything: not absent, empty, `-`, `unknown`, `null` or `none` (any case)."""
    if not text:
        return False
    return len(text) > _LONGEST_NO_VALUE or not text.isascii() or text.lower() not in NO_VALUES


def first_value(get: Callable[[str], Optional[str]], names: Iterable[str]) -> Optional[str]:
    """The value of the first of `names` that has one, else None; `get` maps a name to its text or None."""
    for name in names:
        text = get(name)
        if has_value(text):
            return text
    return None


def pick_text(*texts: str) -> str:
    """The first text that is a value; empty if there is none."""
    return next(filter(has_value, texts), "")


def pick_values(get: Callable[[str], Optional[str]], names: Names) -> Values:
    """The timing values of one event whose fields `get` returns; `packets` is UNCOUNTED where AWS counted none."""
    values = Values(*(first_value(get, candidates) for candidates in names))
    if values.packets is None and any(get(name) == UNCOUNTED for name in names.packets):
        return values._replace(packets=UNCOUNTED)
    return values
