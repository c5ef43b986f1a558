# SPDX-License-Identifier: Apache-2.0
"""Owns how a view shows text that others chose, such as the name with which somebody tries to log in.

Characters that change the page, its searches, or the order of what stands beside them leave a mark, so that nothing is
dropped in silence. That regular expressions of SPL take characters by number, as in \\x{202e}: Splunk's own detection
of right-to-left overrides (security_content, Detect RTLO In File Name, read 2026-11-27).
"""

from __future__ import annotations

#: U+FFFD, which stands for a character that is not shown; in SPL.
MARK = 'urldecode("%EF%BF%BD")'
#: U+200E, after which text goes on from left to right, whatever was before it; in SPL.
LEFT_TO_RIGHT = 'urldecode("%E2%80%8E")'

#: $ and ` begin tokens and macros, also within quotes.
MEANT_OTHERWISE = r"\x24\x60"
#: Controls, what is not seen, and what changes the direction of text.
UNSEEN = (
    r"\x00-\x1f\x7f-\x{9f}\x{ad}\x{34f}\x{61c}\x{115f}\x{1160}\x{17b4}\x{17b5}\x{180b}-\x{180f}\x{200b}-\x{200f}"
    r"\x{2028}-\x{202e}\x{2060}-\x{206f}\x{3164}\x{fe00}-\x{fe0f}\x{feff}\x{ffa0}\x{fff0}-\x{fffb}\x{e0000}-\x{e0fff}"
)
#: What Markdown gives a meaning, with the entity that stands for it; & comes first.
ENTITIES = {r"\x26": "&amp;", **{rf"\x{ord(c):x}": f"&#{ord(c)};" for c in "\\*_~[]<>"}}


def shown(text: str) -> str:
    """SPL for a text whose odd characters are marks."""
    return f'replace({text},"[{MEANT_OTHERWISE}{UNSEEN}]",{MARK})'


def in_markdown(text: str) -> str:
    """SPL for a text of `shown` within Markdown: it is no link, and what comes after it goes on from left to right."""
    for character, entity in ENTITIES.items():
        text = f'replace({text},"{character}","{entity}")'
    return f'replace({text},"(?i)(:/|@|www)","\\1" . {LEFT_TO_RIGHT}) . {LEFT_TO_RIGHT}'
