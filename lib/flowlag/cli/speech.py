# SPDX-License-Identifier: Apache-2.0
"""Sentences of the commands as the shell says them: `--lag 30` for `lag=30`, and nothing that only Splunk has.

The commands are written for Splunk's search bar. Texts in quotes are what the user typed, and stay.
"""

from __future__ import annotations

import re

from flowlag.connect.options import CONNECT_OPTIONS
from flowlag.enrich_options import ENRICH_OPTIONS
from flowlag.learn.options import LEARN_OPTIONS
from flowlag.match.options import MATCH_OPTIONS
from flowlag.profile.options import PROFILE_OPTIONS

_EVERY = (ENRICH_OPTIONS, MATCH_OPTIONS, CONNECT_OPTIONS, LEARN_OPTIONS, PROFILE_OPTIONS)
_OWN = ("lags", "since", "until")
_KNOWN = {*_OWN, *(option.name for options in _EVERY for option in options)}
_NAMES = "|".join(sorted(_KNOWN, key=len, reverse=True))
_SPL = re.compile(
    rf'\b(?P<quoted>{_NAMES})="(?P<text>[^"]*)"|\b(?P<name>{_NAMES})=(?P<value>[\w.]+)|"[^"]*"'
    rf"|\boption (?P<option>{_NAMES})\b"
)
#: What is not written as `name=value`.
_PHRASES = (
    (re.compile(r"no event is a flow \((\w+=ok)\): put flowlagenrich before \w+"), r"no flow has \1: check --flows"),
    (re.compile(r"no event is an anchor: .*?(?=[;.])"), "there is no anchor: check --anchors"),
    (re.compile(r"write options as name=value, no blanks at \"=\""), "write options as --name VALUE"),
    (re.compile(r"a higher maxmatches"), "a higher --maxmatches"),
    (re.compile(r"\b(of|in|check) by\b"), r"\1 --by"),
    (re.compile(r"\bcheck (starts|flags)\b"), r"check --\1"),
    (re.compile(r"\bwith (anchor_packets)\b"), r"with --\1"),
    (re.compile(r"\b(without|give) confidence\b(?!=)"), r"\1 --confidence"),
)


def speak(sentence: str) -> str:
    """A sentence of a command as the shell says it."""
    for pattern, words in _PHRASES:
        sentence = pattern.sub(words, sentence)
    return _SPL.sub(_rewrite, sentence)


def _rewrite(match: re.Match[str]) -> str:
    if match["quoted"]:
        return f"--{match['quoted']} '{match['text']}'"
    if match["name"]:
        return f"--{match['name']} {match['value']}"
    return f"option --{match['option']}" if match["option"] else match[0]
