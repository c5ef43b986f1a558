# SPDX-License-Identifier: Apache-2.0
"""Owns what the live suite is told about a Splunk instance, and the sentences with which it refuses to start.

Everything comes from the environment. A refusal says in one sentence what is wrong, where, and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Optional
from urllib.parse import urlsplit

APP = "flowlag"
INDEX = "flowlag_test"
HEC_PORT = 8088  # the default of the HTTP Event Collector


class Refusal(Exception):
    """The suite cannot run; the text is one sentence for the person who started it."""


class LiveSettings(NamedTuple):
    """Where splunkd and its HTTP Event Collector are, and what they let in."""

    url: str
    token: str
    index: str
    hec_url: str
    hec_token: Optional[str]  # None: one that splunkd itself knows is taken
    ca: Optional[str]
    insecure: bool
    writes_lookup: bool


def read_settings(environ: Mapping[str, str]) -> LiveSettings:
    """Return the settings of an environment; a Refusal names the variable that is missing or wrong."""
    url = read_url(environ, "SPLUNK_URL") or refuse(
        "SPLUNK_URL is not set: give the management address of a search head that has the app, "
        "for example SPLUNK_URL=https://splunk.example:8089."
    )
    token = environ.get("SPLUNK_TOKEN", "") or refuse(
        "SPLUNK_TOKEN is not set: give a token of Settings > Tokens, or a session key, of a user who may search."
    )
    ca = environ.get("SPLUNK_CA") or None
    if ca and not Path(ca).is_file():
        refuse(f"SPLUNK_CA={ca}: there is no such file; give the certificate authority of splunkd as a PEM file.")
    index = environ.get("SPLUNK_INDEX") or INDEX
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", index):
        refuse(f"SPLUNK_INDEX={index} is no name of an index: give one that was made for tests, such as {INDEX}.")
    return LiveSettings(
        url=url,
        token=token,
        index=index,
        hec_url=read_url(environ, "SPLUNK_HEC_URL") or beside(url),
        hec_token=environ.get("SPLUNK_HEC_TOKEN") or None,
        ca=ca,
        insecure=read_flag(environ, "SPLUNK_INSECURE"),
        writes_lookup=read_flag(environ, "SPLUNK_WRITE_LOOKUP"),
    )


def read_url(environ: Mapping[str, str], name: str) -> str:
    """Return the address without a slash at its end, empty when it is not set."""
    text = environ.get(name, "").rstrip("/")
    parts = urlsplit(text)
    if text and not (parts.scheme in ("http", "https") and parts.hostname and not parts.query):
        refuse(f"{name}={text} is no address: give scheme, host and port, for example https://splunk.example:8089.")
    return text


def beside(url: str) -> str:
    """Return where the HTTP Event Collector of the same host is by default."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{HEC_PORT}"


def read_flag(environ: Mapping[str, str], name: str) -> bool:
    """Return whether a switch is on: 1, or 0 and empty for off."""
    text = environ.get(name, "")
    if text not in ("", "0", "1"):
        refuse(f"{name}={text} is not allowed: give 1, or leave it out.")
    return text == "1"


def refuse(sentence: str) -> str:
    """Raise a Refusal; declared to return, so that it can stand behind `or`."""
    raise Refusal(sentence)
