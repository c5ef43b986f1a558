# SPDX-License-Identifier: Apache-2.0
"""Owns the keys to the colours of both timelines, pictures in appserver/static.

Splunk's own legend changes its colours with the data. The ground is dark on every page: a picture cannot know whether
the page is light, and a light one is glaring on a dark page.
"""

from __future__ import annotations

from tools.dashboards.envelope import BLACK, BLUE, DARK, GREY, HEAD, PURPLE, RED, TEAL, UMBER, VERMILION, rect, text

#: Each mark of the timeline: its place in pixels, its colours and its meaning. Fonts differ in width, so there is room
#: behind each text.
BARS = (
    (12, (VERMILION, UMBER), "could have carried the event"),
    (280, (GREY, DARK), "could not"),
    (558, (PURPLE, PURPLE), "skipped by AWS"),
)
MARKS = (412, "first packet")
CIRCLES = ((726, BLUE, "the event asked about"), (934, TEAL, "another event (bar: several)"))
LAGS = (
    (120, GREY, "up to 2 minutes"),
    (320, BLUE, "up to 5 minutes"),
    (520, VERMILION, "up to 15 minutes"),
    (726, RED, "over 15 minutes"),
)
WIDTH, HEIGHT = 1200, 36
GROUND, WORDS = "#1f262d", "#ffffff"


def bar(x: float, colours: tuple[str, str]) -> list[str]:
    """Return a bar; its right half is the record from start to end."""
    return [
        rect(x, 11, 44, 14, f'rx="3" fill="{colours[0]}"'),
        rect(x + 22, 12, 21, 12, f'rx="2" fill="{colours[1]}"'),
    ]


def marks(x: float) -> list[str]:
    """Return the bounds of the first packet, on a bar."""
    sides = [rect(side, 11, 5, 14, f'fill="{BLACK}"') for side in (x + 6, x + 33)]
    return [rect(x, 11, 44, 14, f'rx="3" fill="{GREY}"'), *sides]


def circle(x: float, colour: str, words: str) -> list[str]:
    """Return a circle and its meaning."""
    return [f'<circle cx="{x + 20}" cy="18" r="8" fill="{colour}"/>', text(x + 36, 23, words, 14, "start")]


def drawn(title: str, parts: list[str]) -> str:
    """Return a key as SVG, in one line."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
        f' height="{HEIGHT}" role="img" font-family="Helvetica, Arial, sans-serif" fill="{WORDS}">'
    )
    ground = rect(1, 1, WIDTH - 2, HEIGHT - 2, f'rx="8" fill="{GROUND}"')
    return "\n".join([HEAD, head, f"<title>{title}</title>", ground, *parts, "</svg>", ""])


def draw_key() -> str:
    """Return the key to the timeline of Packet time."""
    parts = [*marks(MARKS[0]), text(MARKS[0] + 52, 23, MARKS[1], 14, "start")]
    for x, colours, words in BARS:
        parts += [*bar(x, colours), text(x + 52, 23, words, 14, "start")]
    for x, colour, words in CIRCLES:
        parts += circle(x, colour, words)
    return drawn("What the colours of the timeline mean", parts)


def draw_lag_key() -> str:
    """Return the key to the map of delivery lags."""
    parts = [text(14, 23, "longest lag:", 14, "start")]
    for x, colour, words in LAGS:
        parts += [rect(x, 11, 44, 14, f'rx="3" fill="{colour}"'), text(x + 52, 23, words, 14, "start")]
    return drawn("What the colours of the map mean", [*parts, *circle(910, PURPLE, "skipped by AWS (SKIPDATA)")])
