# SPDX-License-Identifier: Apache-2.0
"""One search of a command: its configuration, chunk after chunk, and the report when it ends.

    how it ends                                                    exit code   report
    the peer ends the stream between two requests, or before any   0           nothing
    a wrong option, a broken request, a stream that ends in one    1           one sentence, in the reply
    nobody reads the reply, or a pipe is broken or closed          1           one line on stderr (search.log)
    the memory is used up                                          1           one sentence, in the reply
    an error in the app itself                                     1           the same, and the traceback on stderr
    SIGTERM, SIGINT                                                the signal  nothing: Python does not handle it

Before any of these, every request that arrived whole has got its reply, unless nobody read it.
Authority: dialogues recorded from splunkd 8.2.1, as in frames.py; for refusals, what Splunk's Machine Learning Toolkit
writes, and a report of what splunkd 9.4 shows of them (docs/evidence.md, What others have seen on a live Splunk).
"""

from __future__ import annotations

from typing import Any, BinaryIO, Optional, Protocol

from flowlag.errors import FlowlagError, ProtocolError, show_value
from flowlag.splunk.frames import Handler, Messages, read_frame, serve, write_frame
from flowlag.splunk.stdio import drop, say

DONE, FAILED = 0, 1


class Command(Protocol):
    """The part of a search command that a session needs."""

    name: str

    def configure(self, arguments: list[str]) -> None:
        """Read the arguments; raises SettingsError."""

    def describe(self) -> dict[str, Any]:
        """The reply to getinfo."""

    def handler(self) -> Handler:
        """The function from a request body to its reply."""


def hold(command: Command, requests: Optional[BinaryIO], replies: Optional[BinaryIO]) -> int:
    """Hold one search from its first request to its end, and return the exit code. A pipe is None if it is closed.

    An error in the app itself is reported, and then raised.
    """
    if requests is None or replies is None:
        say(command.name, "stdin or stdout is closed; splunkd starts this command with a pipe on each.")
        return FAILED
    try:
        return _converse(command, requests, replies)
    except FlowlagError as error:
        sentence = str(error)
    except MemoryError:  # reported below, after the memory held here has been freed
        sentence = "this process has used up the memory that it may have; search for fewer events or fields."
    except OSError as error:
        _lose(command, replies, f"the pipe to splunkd is broken ({error.strerror or error}); this ends the command.")
        return FAILED
    except Exception as error:
        what = f"an error in the app itself, {type(error).__name__}: {error}"
        _refuse(command, replies, f"{what}; please report it with the traceback in search.log.")
        raise
    _refuse(command, replies, sentence)
    return FAILED


def _converse(command: Command, requests: BinaryIO, replies: BinaryIO) -> int:
    arguments = _read_arguments(requests)
    if arguments is None:
        return DONE
    command.configure(arguments)
    write_frame(replies, command.describe())
    serve(requests, replies, command.handler())
    return DONE


def _read_arguments(requests: BinaryIO) -> Optional[list[str]]:
    """The arguments in the getinfo request, None if the peer ends the stream without one."""
    frame = read_frame(requests)
    if frame is None:
        return None
    for _ in frame.body:  # as far as we know, it is always empty
        pass
    action, about = frame.metadata.get("action"), frame.metadata.get("searchinfo")
    if action != "getinfo" or not isinstance(about, dict):
        raise ProtocolError(f"expected a getinfo request with searchinfo, received action {show_value(repr(action))}")
    arguments = about.get("args") or []
    if not isinstance(arguments, list) or not all(isinstance(text, str) for text in arguments):
        what = show_value(repr(arguments))
        raise ProtocolError(f"expected the command's arguments as a list of texts, received {what}")
    return arguments


def _refuse(command: Command, replies: BinaryIO, sentence: str) -> None:
    """End the search with a sentence for the user, or for search.log if nobody reads the reply.

    splunkd drops the message of a getinfo reply; without `error` it then says only that the command exited. It puts the
    command's name before an error, but not before a message. `inspector` has to come first.
    """
    messages: Messages = [("ERROR", f"{command.name}: {sentence}")]
    try:
        write_frame(replies, {"inspector": {"messages": messages}, "finished": True, "error": sentence})
    except OSError:
        _lose(command, replies, sentence)


def _lose(command: Command, replies: BinaryIO, sentence: str) -> None:
    drop(replies)
    say(command.name, sentence)
