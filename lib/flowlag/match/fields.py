# SPDX-License-Identifier: Apache-2.0
"""What a pair of anchor and flow has besides the fields of both, declared once and in order.

Authority: docs/match.md, Output fields.
"""

from __future__ import annotations

from flowlag.match.options import MatchSettings
from flowlag.options import Field

_NO_FLOW = "the certainty is `none`"
FIELDS = (
    Field("match_certainty", "word", "`certain`, `possible`, or `none` for an anchor without a possible flow"),
    Field("match_relation", "word", "the relation that was asked for"),
    Field("match_gap_min", "seconds", "the least possible gap, flow minus anchor", _NO_FLOW),
    Field("match_gap_max", "seconds", "the greatest possible gap, flow minus anchor", _NO_FLOW),
    Field(
        "match_share",
        "0 to 1",
        "the share of the possible gaps for which the relation holds; it ranks, it is no probability",
        _NO_FLOW,
    ),
    Field("match_count", "number", "how many flows are possible for this anchor"),
    Field("match_truncated", "number", "1 if `maxmatches` left some of them out (the search warns too), else 0"),
    Field(
        "match_probability",
        "0 to 1",
        "how probable it is that this flow is the anchor's; the field is there with `rank=probability` only",
        _NO_FLOW,
    ),
    Field(
        "match_none",
        "0 to 1",
        "how probable it is that none of the flows is the anchor's; the field is there with `rank=probability` only",
    ),
)
#: The names of all of them, in order, after the fields of the anchor and of the flow.
ALL_FIELDS = tuple(field.name for field in FIELDS)
#: Those that are always there.
MATCH_FIELDS = ALL_FIELDS[:-2]


def fields_of(settings: MatchSettings) -> tuple[str, ...]:
    """The names of the fields that a pair has."""
    return MATCH_FIELDS if settings.rank == "share" else ALL_FIELDS
