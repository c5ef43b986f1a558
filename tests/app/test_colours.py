# SPDX-License-Identifier: Apache-2.0
"""Owns that what the timelines draw can be seen: contrast as WCAG 2.1 measures it (success criterion 1.4.11 asks for 3).

Splunk's renderer fills half transparent and draws the border at 80 %; the searches give everything twice.
"""

from __future__ import annotations

import pytest

from tools.dashboards import lag_map, packet_lanes
from tools.dashboards.envelope import BLACK, DARK, UMBER

WHITE, FILL, BORDER = (1.0, 1.0, 1.0), 0.5, 0.8
ON_BARS = (BLACK, DARK, UMBER)
COLOURS = sorted({*packet_lanes.COLOURS.values(), *lag_map.COLOURS.values()})


def parts(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def twice(colour: str, ground: tuple[float, ...], opacity: float) -> tuple[float, ...]:
    """Return what is seen of a colour that was laid twice over a ground."""
    for _ in range(2):
        ground = tuple(opacity * over + (1 - opacity) * under for over, under in zip(parts(colour), ground))
    return ground


def luminance(colour: tuple[float, ...]) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("colour", [colour for colour in COLOURS if colour != packet_lanes.COLOURS["edge"]])
def test_a_fill_is_seen_on_a_light_page(colour: str) -> None:
    assert contrast(twice(colour, WHITE, FILL), WHITE) >= 3


@pytest.mark.parametrize("colour", [colour for colour in COLOURS if colour not in ON_BARS])
def test_a_border_is_seen_on_a_dark_page(colour: str) -> None:
    """A dark panel is black. What lies on bars only need not be seen beside them."""
    assert contrast(twice(colour, (0.0, 0.0, 0.0), BORDER), (0.0, 0.0, 0.0)) >= 3


@pytest.mark.parametrize(
    ("inner", "outer"),
    [("start to end, can", "packet time, can"), ("start to end, cannot", "packet time, cannot")],
)
def test_the_record_is_seen_on_its_packet_time(inner: str, outer: str) -> None:
    ground = twice(packet_lanes.COLOURS[outer], WHITE, FILL)
    assert contrast(twice(packet_lanes.COLOURS[inner], ground, FILL), ground) >= 2
