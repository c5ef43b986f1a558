# SPDX-License-Identifier: Apache-2.0
"""The errors that a user sees: each is one sentence that says what is wrong, where, and what to do.

A bad *record* is not an error but a value, `flowlag_status` (record.py), because one event must never stop a search.
"""

from __future__ import annotations

#: Characters of a value that are shown: enough to recognise it, few enough that the sentence stays readable.
LONGEST_SHOWN = 200


def show_text(text: str) -> str:
    """The text as one line that is safe on a terminal: unprintable characters become escapes such as \\x1b."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def show_value(value: object) -> str:
    """A value for a sentence: safe, and cut if it is long."""
    text = str(value)
    return show_text(text[:LONGEST_SHOWN]) + ("..." if len(text) > LONGEST_SHOWN else "")


class FlowlagError(Exception):
    """The root of all errors that flowlag raises on purpose; its sentence is always one line."""

    def __init__(self, sentence: str) -> None:
        super().__init__(show_text(sentence))


class SettingsError(FlowlagError):
    """An option has a name or a value that is not allowed; this stops the search before its first event."""


class ProtocolError(FlowlagError):
    """The peer did not speak Splunk's chunked protocol 1.0 (frames.py)."""


class SourceError(FlowlagError):
    """An input file is missing or unreadable, or needs a package that is not installed (files/sources.py)."""


class LimitError(FlowlagError):
    """A file holds more in one piece than is read (limits.py); sources.py makes it a SourceError with its name."""
