# SPDX-License-Identifier: Apache-2.0
"""Owns the picture of the timing model in appserver/static.

It shows one record to scale: the third of samples/seed.log,
start 1602397706, end 1602397745, lag 60 s. The colours are those of Okabe and Ito, which colour-blind readers can tell
apart; position and label differ too. The pale ground is part of the picture, so that it is readable on a dark page.
"""

from __future__ import annotations

from xml.sax.saxutils import escape

from tools.places import GENERATED

#: What stands at the head of each picture.
HEAD = f"<!-- SPDX-License-Identifier: Apache-2.0 -->\n<!-- {GENERATED} -->"

LAG_S, DURATION_S, RESOLUTION_S = 60, 39, 1
LENGTH_S = LAG_S + DURATION_S + RESOLUTION_S
START_EPOCH = 1602397706
END_EPOCH = START_EPOCH + DURATION_S

WIDTH, HEIGHT = 920, 372
LEFT, SCALE = 76, 7.1  # the x at which the envelope opens, and pixels per second
INK, QUIET, GROUND, FRAME = "#1b1b1b", "#4d4d4d", "#fcfcfa", "#c9c9c4"
BLUE, SKY, ORANGE, GREEN = "#0072b2", "#cfe8f7", "#e69f00", "#00795a"
SEA_GREEN = "#009e73"
#: For the timeline, which draws bars half transparent on a light or a dark page: as bright as a middle grey, so that
#: each differs from both, and three dark ones for what lies on a bar.
VERMILION, GREY, PURPLE, TEAL, RED = "#c24f00", "#6f6f6f", "#9a4d8d", "#007d60", "#c4001f"
UMBER, DARK, BLACK = "#6b2d00", "#454545", "#000000"


def at(second: float) -> float:
    """Return the x of a second, counted from the opening of the envelope."""
    return round(LEFT + second * SCALE, 1)


def rect(x: float, y: float, width: float, height: float, style: str) -> str:
    """Return a rectangle."""
    return f'<rect x="{x:g}" y="{y:g}" width="{round(width, 1):g}" height="{height:g}" {style}/>'


def line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    """Return a line."""
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" {style}/>'


def text(x: float, y: float, words: str, size: int = 14, anchor: str = "middle", style: str = "") -> str:
    """Return a line of text; anchor says whether x is its start, middle or end."""
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" {style}>{escape(words)}</text>'


def frame() -> list[str]:
    """Return the ground, the pattern of the lag, and the heading."""
    stripes = f'<path d="M0 8 L8 0" stroke="{ORANGE}" stroke-width="2.4"/>'
    return [
        f'<defs><pattern id="lag" width="8" height="8" patternUnits="userSpaceOnUse">{stripes}</pattern></defs>',
        rect(1, 1, WIDTH - 2, HEIGHT - 2, f'rx="14" fill="{GROUND}" stroke="{FRAME}" stroke-width="2"'),
        text(LEFT, 40, "When can the packets of this flow record have passed?", 18, "start", 'font-weight="bold"'),
        text(LEFT, 62, "start 1602397706, end 1602397745, lag 60 s; drawn to scale", 13, "start", f'fill="{QUIET}"'),
    ]


def guides() -> list[str]:
    """Return the upright lines from the bars down to the axis."""
    style = f'stroke="{FRAME}" stroke-width="1.5" stroke-dasharray="3 3"'
    return [line(at(second), 84, at(second), 286, style) for second in (0, LAG_S, LENGTH_S - RESOLUTION_S, LENGTH_S)]


def envelope_row() -> list[str]:
    """Return the bar of the whole envelope."""
    return [
        rect(at(0), 84, LENGTH_S * SCALE, 36, f'rx="4" fill="{SKY}" stroke="{BLUE}" stroke-width="1.5"'),
        text(
            at(LENGTH_S / 2), 107, "envelope: every packet of the record passed in here", 15, style='font-weight="bold"'
        ),
    ]


def record_row() -> list[str]:
    """Return the lag, the record and the last second."""
    end = LENGTH_S - RESOLUTION_S
    return [
        rect(at(0), 134, LAG_S * SCALE, 36, f'fill="url(#lag)" stroke="{ORANGE}" stroke-width="1.5"'),
        rect(at(LAG_S / 2) - 104, 141, 208, 22, f'rx="4" fill="{GROUND}"'),
        text(at(LAG_S / 2), 157, "lag: up to 60 s before start"),
        rect(at(LAG_S), 134, DURATION_S * SCALE, 36, f'fill="{BLUE}"'),
        text(at(LAG_S + DURATION_S / 2), 157, "record: duration 39 s", style='fill="#ffffff"'),
        rect(at(end), 134, RESOLUTION_S * SCALE, 36, f'fill="{ORANGE}"'),
        text(at(LENGTH_S) + 10, 147, "1 s:", 13, "start"),
        text(at(LENGTH_S) + 10, 164, "whole", 13, "start"),
        text(at(LENGTH_S) + 10, 181, "seconds", 13, "start"),
    ]


def estimate_row() -> list[str]:
    """Return the best single estimate with its bound."""
    middle, y = at(LENGTH_S / 2), 206
    style = f'stroke="{GREEN}" stroke-width="2.5"'
    ends = [line(at(second), y - 8, at(second), y + 8, style) for second in (0, LENGTH_S)]
    return [
        line(at(0), y, at(LENGTH_S), y, style),
        *ends,
        f'<circle cx="{middle:g}" cy="{y}" r="7" fill="{GREEN}"/>',
        rect(middle - 140, y + 14, 280, 40, f'fill="{GROUND}"'),
        text(middle, y + 30, "time 1602397696 ± uncertainty 50 s", 15, style='font-weight="bold"'),
        text(middle, y + 49, "a bound, not a standard deviation", 13, style=f'fill="{QUIET}"'),
    ]


def axis() -> list[str]:
    """Return the time axis with its four instants; the labels of the last second stand to its left and right."""
    y, end = 286, LENGTH_S - RESOLUTION_S
    style = f'stroke="{INK}" stroke-width="2"'
    labels = [
        (0, 0, "middle", "s − 60", "earliest", START_EPOCH - LAG_S),
        (LAG_S, 0, "middle", "s", "start", START_EPOCH),
        (end, -4, "end", "e", "end", END_EPOCH),
        (LENGTH_S, 4, "start", "e + 1", "latest", END_EPOCH + RESOLUTION_S),
    ]
    parts = [line(30, y, WIDTH - 40, y, style), f'<path d="M{WIDTH - 40} {y - 6} l12 6 l-12 6 z" fill="{INK}"/>']
    for second, shift, anchor, sign, name, epoch in labels:
        x = at(second) + shift
        parts += [
            line(at(second), y - 7, at(second), y + 7, style),
            text(x, y + 25, sign, 15, anchor, 'font-weight="bold"'),
            text(x, y + 44, name, 13, anchor),
            text(x, y + 62, str(epoch), 13, anchor, f'fill="{QUIET}"'),
        ]
    return parts


def draw() -> str:
    """Return the picture as SVG."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
        f' role="img" font-family="Helvetica, Arial, sans-serif" fill="{INK}">'
    )
    title = "<title>The envelope of a flow record: from start - 60 s to end + 1 s</title>"
    parts = [*frame(), *guides(), *envelope_row(), *record_row(), *estimate_row(), *axis()]
    return "\n".join([HEAD, head, title, *parts, "</svg>", ""])
