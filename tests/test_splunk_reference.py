# SPDX-License-Identifier: Apache-2.0
"""The SDK's own loop over stream() is the reference: it and the byte path give the same events, in the packaged app."""

import csv
import io

from conftest import ROOT

from scp import run_command, write_body

REFERENCE = """
import runpy, sys
from pathlib import Path
sys.argv = [sys.argv[1]]
sys.path.insert(0, str(Path(sys.argv[0]).parent))
command = runpy.run_path(sys.argv[0], run_name="reference")["FlowlagEnrichCommand"]
from splunklib.searchcommands import StreamingCommand
command._execute = StreamingCommand._execute
command().process()
"""


def test_the_byte_path_equals_the_sdks_loop(script, python, tmp_path):
    runner = tmp_path / "reference.py"
    runner.write_text(REFERENCE.replace("sys.argv[1]", repr(str(script))))
    lines = [line for name in ("seed.log", "modes.log") for line in (ROOT / "samples" / name).read_text().splitlines()]
    events = [
        {"_raw": line, "_time": "", "_chunked_idx": str(i), "tag": ["network", "communicate"]}
        for i, line in enumerate(lines)
    ]
    events += [
        {"start_time": "x", "end_time": "1602397505"},
        {"user": 'a "quoted", é\nname'},
        {"flowlag_status": "old"},
    ]
    body = write_body(events)
    _, (expected,) = run_command(runner, python, ["phase=6"], [body])
    _, (reply,) = run_command(script, python, ["phase=6"], [body])
    assert sorted(reply.rows[0]) == sorted(expected.rows[0])
    assert [dict(sorted(row.items())) for row in reply.rows] == [dict(sorted(row.items())) for row in expected.rows]
    assert next(csv.reader(io.StringIO(reply.body.decode())))[-14:] == [
        name for name in expected.rows[0] if name.startswith("flowlag_")
    ]
