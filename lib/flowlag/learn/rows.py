# SPDX-License-Identifier: Apache-2.0
"""The row of an interface whose lag was learned: its fields, declared once and in order, and how they are written.

Authority: docs/learn.md, Output fields.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Optional

from flowlag.interval import write_seconds
from flowlag.learn.estimate import Range, estimate, estimate_estate, write_density
from flowlag.learn.quantiles import judge
from flowlag.options import Field

_FEWER = "there are fewer than {} anchors"
FIELDS = (
    Field("interface_id", "word", "the network interface"),
    Field("anchors", "number", "how many anchors have a record of this interface"),
    Field("lag_p50", "seconds", "the median of start of the record less time of the anchor"),
    Field("lag_95", "seconds", "what at least 95 % of the next lags do not exceed", _FEWER.format(19)),
    Field("lag_99", "seconds", "the same for 99 %", _FEWER.format(99)),
    Field("lag_999", "seconds", "the same for 99.9 %", _FEWER.format(999)),
    Field("density", "81 numbers", "how likely each lag is: parts of 10,000 for each second from -20 to 60"),
    Field("learned_from", "epoch seconds", "the first anchor"),
    Field("learned_to", "epoch seconds", "the last anchor"),
    Field("misses", "number", "of the last 50 anchors, those above what 99 % of all earlier ones do not exceed"),
    Field("state", "word", "`ok`, `few` (too few anchors for any share) or `drifting` (4 misses or more)"),
)
#: Output fields in order.
LEARN_FIELDS = tuple(field.name for field in FIELDS)

Row = tuple[str, ...]


def describe_all(seen: Mapping[str, list[tuple[int, Range]]], lag_us: int) -> Iterator[Row]:
    """A row for each interface, ordered by name; `seen` has the time of each of its anchors, and the range of its lag.

    A lag is at least what the range begins with, which is its score.
    """
    estate = [lags for _, lags in sorted(pair for some in seen.values() for pair in some)]
    prior = estimate_estate(estate)
    for name in sorted(seen):
        if seen[name]:
            yield _describe(name, sorted(seen[name]), prior, lag_us)


def _describe(name: str, anchors: Sequence[tuple[int, Range]], prior: Sequence[float], lag_us: int) -> Row:
    ranges = [lags for _, lags in anchors]
    found = judge([score_us for score_us, _ in ranges], lag_us)
    quantiles = map(_write_lag, (found.p50, found.q95, found.q99, found.q999))
    span = (write_seconds(anchors[0][0]), write_seconds(anchors[-1][0]))
    density = write_density(estimate(ranges, prior))
    return (name, str(len(anchors)), *quantiles, density, *span, str(found.misses), found.state)


def _write_lag(lag_us: Optional[int]) -> str:
    return "" if lag_us is None else write_seconds(lag_us)
