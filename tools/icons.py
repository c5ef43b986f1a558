# SPDX-License-Identifier: Apache-2.0
"""Owns the app icons in static/: `python -m tools.icons` draws them, always the same bytes.

They show the time axis of a record: the short solid bar is the record, the soft margins on both sides are the lag and
the stamp resolution, the upright tick is the moment in question. Formulas with supersampling draw them and a PNG writer
of a few lines writes them, so no image library is needed.
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import NamedTuple

from tools.places import ROOT

STATIC = ROOT / "static"
SAMPLES = 6  # per axis and pixel

Colour = tuple[int, int, int]


class Palette(NamedTuple):
    """The colours of one icon; without a ground, it is transparent around the bar."""

    ground: Colour | None
    margin: Colour
    bar: Colour
    tick: Colour


NAVY, SKY, ORANGE, WHITE = (13, 38, 66), (86, 180, 233), (230, 159, 0), (255, 255, 255)
ICONS = {
    "appIcon.png": (36, Palette(NAVY, SKY, WHITE, ORANGE)),
    "appIcon_2x.png": (72, Palette(NAVY, SKY, WHITE, ORANGE)),
    "appIconAlt.png": (36, Palette(None, SKY, WHITE, ORANGE)),
    "appIconAlt_2x.png": (72, Palette(None, SKY, WHITE, ORANGE)),
}


def in_box(x: float, y: float, left: float, top: float, right: float, bottom: float, radius: float) -> bool:
    """Return whether a point lies in a box with rounded corners."""
    dx = max(left + radius - x, x - right + radius, 0.0)
    dy = max(top + radius - y, y - bottom + radius, 0.0)
    return dx * dx + dy * dy <= radius * radius


def margin_strength(x: float) -> float:
    """Return how solid the envelope is at x, from 0 at its ends to 1 at the record: certainty fades outwards."""
    if x < 0.44:
        return max(0.0, (x - 0.08) / 0.36) * 0.75 + 0.15
    return 0.9 if x < 0.80 else 0.9 - (x - 0.80) / 0.12 * 0.5


def blend(under: tuple[float, ...], colour: Colour, alpha: float) -> tuple[float, ...]:
    """Return a premultiplied colour (red, green, blue, alpha) with another laid over it."""
    over = (*(channel * alpha for channel in colour), alpha)
    return tuple(o + u * (1 - alpha) for o, u in zip(over, under))


def paint(x: float, y: float, palette: Palette) -> tuple[float, ...]:
    """Return the premultiplied colour at a point of the unit square."""
    pixel: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0)
    if palette.ground and in_box(x, y, 0.0, 0.0, 1.0, 1.0, 0.2):
        pixel = blend(pixel, palette.ground, 1.0)
    if in_box(x, y, 0.08, 0.34, 0.92, 0.66, 0.07):
        pixel = blend(pixel, palette.margin, margin_strength(x))
    if in_box(x, y, 0.44, 0.42, 0.80, 0.58, 0.03):
        pixel = blend(pixel, palette.bar, 1.0)
    if in_box(x, y, 0.30, 0.18, 0.38, 0.82, 0.03):
        pixel = blend(pixel, palette.tick, 1.0)
    return pixel


def draw_pixel(column: int, row: int, size: int, palette: Palette) -> bytes:
    """Return the four bytes of one pixel: the mean over its samples, no longer premultiplied."""
    offsets = [(index + 0.5) / SAMPLES for index in range(SAMPLES)]
    samples = [paint((column + dx) / size, (row + dy) / size, palette) for dy in offsets for dx in offsets]
    red, green, blue, alpha = (math.fsum(channel) / len(samples) for channel in zip(*samples))
    if alpha == 0:
        return bytes(4)
    return bytes([*(min(255, round(channel / alpha)) for channel in (red, green, blue)), round(alpha * 255)])


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """Return one chunk of a PNG file."""
    return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))


def draw(size: int, palette: Palette) -> bytes:
    """Return an icon as a PNG file with 8 bits per channel and an alpha channel."""
    rows = (b"\0" + b"".join(draw_pixel(x, y, size, palette) for x in range(size)) for y in range(size))
    header = struct.pack(">LLBBBBB", size, size, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, content) for kind, content in chunks)


def main() -> None:
    """Write all icons."""
    STATIC.mkdir(exist_ok=True)
    for name, (size, palette) in ICONS.items():
        (STATIC / name).write_bytes(draw(size, palette))


if __name__ == "__main__":
    main()
