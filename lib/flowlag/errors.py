# SPDX-License-Identifier: Apache-2.0
"""Errors that reach the user, each one clear sentence: what, where, what to do.

A bad *record* is no error: it is a value, `flowlag_status` (record.py), because one event must never stop a search.
"""

from __future__ import annotations

#: Characters of a value that are shown: enough to know it again, few enough that the sentence around it is read.
LONGEST_SHOWN = 200


def show_text(text: str) -> str:
    """Text that is safe on a terminal and one line: whatever is not printable is written as an escape such as \\x1b."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def show_value(value: object) -> str:
    """A value for a sentence: safe, and cut where it is long."""
    text = str(value)
    return show_text(text[:LONGEST_SHOWN]) + ("..." if len(text) > LONGEST_SHOWN else "")


class FlowlagError(Exception):
    """Root of every error that flowlag raises on purpose; its sentence is one line, whatever was put into it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(show_text(sentence))


class SettingsError(FlowlagError):
    """An option has a name or value that is not allowed; stops the search before its first event."""


class ProtocolError(FlowlagError):
    """The peer did not speak Splunk's chunked protocol 1.0 (frames.py)."""


class SourceError(FlowlagError):
    """An input file is missing, unreadable or of a shape that needs something not installed (sources.py)."""


class LimitError(FlowlagError):
    """A file holds more in one piece than is read (limits.py); sources.py makes it a SourceError with its name."""
