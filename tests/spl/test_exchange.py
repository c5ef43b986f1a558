# SPDX-License-Identifier: Apache-2.0
"""What the stand-in for splunkd shows of a command that ends a search, case by case as others saw it on Splunk 9.4."""

from __future__ import annotations

import sys

import pytest

from tests.spl.exchange import Exchange
from tests.spl.table import Table
from tests.spl.values import SplError

#: A command that gives these replies, one to each request, and ends.
COMMAND = """
import json, sys
for reply in {replies!r}:
    header = sys.stdin.buffer.readline()
    if not header:
        break
    sys.stdin.buffer.read(sum(map(int, header.split(b",")[1:])))
    text = json.dumps(reply).encode()
    sys.stdout.buffer.write(b"chunked 1.0,%d,0\\n%b" % (len(text), text))
    sys.stdout.buffer.flush()
sys.exit({code})
"""
INFO = {"type": "reporting"}
SAID = {"inspector": {"messages": [["ERROR", "made: no."]]}}
ENDED = {"finished": True, "error": "no."}
EXITED = "Error in 'made' command: External search command exited unexpectedly with non-zero error code 1."


@pytest.fixture
def shown(tmp_path):
    """The messages of a search with a command that gives these replies, or the sentence that ends it."""

    def run(*replies, code=1):
        (tmp_path / "bin").mkdir()
        text = COMMAND.format(replies=replies, code=code)
        (tmp_path / "bin" / "made.py").write_text(text, encoding="utf-8")
        try:
            return Exchange(tmp_path, sys.executable).run("made", [], Table.of([{"a": "1"}, {"a": "2"}]))[1]
        except SplError as error:
            return str(error)

    return run


CASES = {
    "message of getinfo is dropped": ([{**INFO, **SAID}], EXITED),
    "message of a finished getinfo too": ([{**SAID, "finished": True}], EXITED),
    "error of getinfo": ([{**SAID, **ENDED}], "Error in 'made' command: no."),
    "error of execute": ([INFO, {**SAID, **ENDED}], "Error in 'made' command: no."),
    "message of execute, then the end": ([INFO, {**SAID, "finished": True}], EXITED),
    "no reply at all": ([INFO], EXITED),
}


@pytest.mark.parametrize(("replies", "sentence"), CASES.values(), ids=CASES)
def test_what_ends_a_search(shown, replies, sentence):
    assert shown(*replies) == sentence


def test_message_of_execute_ends_no_search(shown):
    last = {"finished": True}
    assert shown(INFO, {**SAID, "finished": False}, last, code=0) == [("ERROR", "made: no.")]
