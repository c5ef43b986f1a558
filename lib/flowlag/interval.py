# SPDX-License-Identifier: Apache-2.0
"""Spans of time in whole microseconds, and how they are written as seconds. It knows nothing of flows.

Microseconds are integers, so sums and comparisons are exact; a stamp has at most six decimals.
"""

from __future__ import annotations

from typing import NamedTuple

SECOND_US = 1_000_000


class Interval(NamedTuple):
    """A span from `start_us` to `end_us` (microseconds since the epoch, start <= end)."""

    start_us: int
    end_us: int

    @property
    def length_us(self) -> int:
        """Length in microseconds."""
        return self.end_us - self.start_us

    def widened(self, before_us: int, after_us: int) -> Interval:
        """The span that opens `before_us` earlier and closes `after_us` later."""
        return Interval(self.start_us - before_us, self.end_us + after_us)


def write_seconds(count: int, decimals: int = 6) -> str:
    """`count` units of 10**-decimals seconds as text without exponent or needless digits: `60`, `49.5`, `0.0000005`."""
    sign, count = ("-", -count) if count < 0 else ("", count)
    whole, rest = divmod(count, 10**decimals)
    if not rest:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{rest:0{decimals}d}".rstrip("0")


def write_half_us(halves: int) -> str:
    """Half microseconds as seconds, with up to seven decimals, for midpoints and half widths."""
    return write_seconds(halves * 5, 7)
