# SPDX-License-Identifier: Apache-2.0
"""Errors that reach the user, each one clear sentence: what, where, what to do.

A bad *record* is no error: it is a value, `flowlag_status` (record.py), because one event must never stop a search.
"""

from __future__ import annotations


class FlowlagError(Exception):
    """Root of every error that flowlag raises on purpose."""


class SettingsError(FlowlagError):
    """An option has a name or value that is not allowed; stops the search before its first event."""


class ProtocolError(FlowlagError):
    """The peer did not speak Splunk's chunked protocol 1.0 (frames.py)."""


class SourceError(FlowlagError):
    """An input file is missing, unreadable or of a shape that needs something not installed (sources.py)."""
