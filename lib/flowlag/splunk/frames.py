# SPDX-License-Identifier: Apache-2.0
"""The frames of Splunk's chunked protocol 1.0, read and written as bytes.

A frame is `chunked 1.0,<metadata bytes>,<body bytes>`, LF, JSON, CSV. The SDK's reader decodes the body, which would
damage invalid UTF-8; here bytes stay bytes. A body is passed on while it arrives, so that memory never holds all of
the request and of the reply twice.
Authority: dialogues recorded from splunkd 8.2.1 (public app CustomSearchCommandExamples), splunk-sdk-python 2.1.1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, Callable, NamedTuple, Optional

from flowlag.errors import ProtocolError, show_value
from flowlag.splunk.stdio import write_all

_HEADER = re.compile(rb"chunked\s+1\.0\s*,\s*([0-9]{1,18})\s*,\s*([0-9]{1,18})\s*\n")
_LONGEST_HEADER = 100
_PIECE = 64 * 1024
#: splunkd sends a few thousand bytes, mostly the text of the search. A body may have any length, because it is passed
#: on in pieces.
LONGEST_METADATA = 16 * 1024 * 1024

Messages = list[tuple[str, str]]  # (level such as WARN or ERROR, one sentence)
Handler = Callable[[Iterable[bytes], bool], tuple[list[bytes], Messages]]


class Frame(NamedTuple):
    """One message of the protocol: its metadata, and its CSV body in pieces. Take all of it before the next frame."""

    metadata: dict[str, Any]
    body: Iterator[bytes]


def read_frame(stream: BinaryIO) -> Optional[Frame]:
    """The next frame, None at the end of the stream; raises ProtocolError if the bytes are not a whole frame."""
    header = stream.readline(_LONGEST_HEADER)
    if not header:
        return None
    match = _HEADER.fullmatch(header)
    if match is None:
        raise ProtocolError(f"expected a chunk header of protocol 1.0, received {header!r}")
    if int(match.group(1)) > LONGEST_METADATA:
        raise ProtocolError(f"expected chunk metadata of at most {LONGEST_METADATA} bytes, received {header!r}")
    metadata = b"".join(_read_exactly(stream, int(match.group(1)), "metadata"))
    try:
        document = json.loads(metadata)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise ProtocolError(f"expected a JSON object as chunk metadata, received {metadata[:200]!r}")
    return Frame(document, _read_exactly(stream, int(match.group(2)), "body"))


def write_frame(stream: BinaryIO, metadata: dict[str, Any], body: Iterable[bytes] = ()) -> None:
    """Send one frame and flush it."""
    pieces = list(body)
    header = json.dumps(metadata, separators=(",", ":")).encode()
    write_all(stream, b"chunked 1.0,%d,%d\n%b" % (len(header), sum(map(len, pieces)), header))
    for piece in pieces:
        write_all(stream, piece)
    stream.flush()


def _read_exactly(stream: BinaryIO, length: int, what: str) -> Iterator[bytes]:
    left = length
    while left:
        piece = stream.read(min(left, _PIECE))
        if not piece:
            raise ProtocolError(
                f"the stream ended in the middle of a chunk's {what}: {length - left} of {length} bytes arrived"
            )
        left -= len(piece)
        yield piece


def serve(requests: BinaryIO, replies: BinaryIO, handle: Handler) -> None:
    """Send exactly one reply to each execute request, until the peer ends the stream.

    `handle` maps (body, finished) to the reply body, both in pieces, and the messages for the user.
    """
    while True:
        frame = read_frame(requests)
        if frame is None:
            return
        action = frame.metadata.get("action")
        if action != "execute":
            raise ProtocolError(f"expected an execute request, received action {show_value(repr(action))}")
        finished = bool(frame.metadata.get("finished"))
        body, messages = handle(frame.body, finished)
        metadata: dict[str, Any] = {"inspector": {"messages": messages}} if messages else {}
        write_frame(replies, {**metadata, "finished": finished}, body)
