# SPDX-License-Identifier: Apache-2.0
"""Owns the README's pictures of the views: `make screenshots` takes them, and a test says when they are out of date.

Pixels differ with fonts and versions of Chromium. So what was to be read in the view is kept inside the picture, as a
text chunk of the PNG, and compared with what is to be read today.
"""

from __future__ import annotations

import re
import struct
import zlib
from pathlib import Path

import pytest

from . import scenes
from .see import ROOT

DOCS = ROOT / "docs"
EVENT = "2026-03-14 02:50:25 login of bob from 198.51.100.23 port 52137"
PICTURES = {
    "packet_time": ({"event": EVENT}, (1440, 1500)),
    "how_late": ({}, (1600, 1790)),
    "check": ({}, (1440, 1180)),
}
KEYWORD = b"Description\0"


def chunks(png: bytes):
    """Each chunk of a PNG as (type, content)."""
    position = 8
    while position < len(png):
        (length,) = struct.unpack(">L", png[position : position + 4])
        yield png[position + 4 : position + 8], png[position + 8 : position + 8 + length]
        position += length + 12


def with_text(png: bytes, text: str) -> bytes:
    """The picture with a text in it, behind its header."""
    content = b"iTXt" + KEYWORD + b"\1\0\0\0" + zlib.compress(text.encode())
    chunk = struct.pack(">L", len(content) - 4) + content + struct.pack(">L", zlib.crc32(content))
    return png[:33] + chunk + png[33:]


def text_in(png: bytes) -> str:
    """The text that `with_text` put into a picture."""
    (content,) = [content for kind, content in chunks(png) if kind == b"iTXt" and content.startswith(KEYWORD)]
    return zlib.decompress(content[len(KEYWORD) + 4 :]).decode()


@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_shows_the_view_as_it_is(name, open_view, app, request):
    tokens, size = PICTURES[name]
    events = [*scenes.flows(), *scenes.logins()]
    view = open_view(name, search=scenes.engine(app, events).search, tokens=tokens, viewport=size)
    words = " ".join(view.text(panel) for panel in view.panels()).split()
    text = re.sub(r"_\d+", "", " ".join(words))  # charts number their axes through the life of a page
    path: Path = DOCS / f"{name}.png"
    if request.config.getoption("--update-pictures"):
        path.write_bytes(with_text(view.page.screenshot(), text))
    assert text_in(path.read_bytes()) == text, "the picture is out of date: `make screenshots` takes it again"
