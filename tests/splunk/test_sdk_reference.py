# SPDX-License-Identifier: Apache-2.0
"""The SDK's own loop over stream() is the reference: it and the byte path give the same events, in the packaged app."""

import csv
import io
import json
import subprocess

import pytest

from bench.traffic import SHAPES, make_chunk
from tests.support.splunkd import run_command, write_body
from tools.places import ROOT

REFERENCE = """
import runpy, sys
from pathlib import Path
sys.argv = [sys.argv[1]]
sys.path.insert(0, str(Path(sys.argv[0]).parent))
command = runpy.run_path(sys.argv[0], run_name="reference")["FlowlagEnrichCommand"]
from splunklib.searchcommands import StreamingCommand
command.process = StreamingCommand.process
command._protocol_v2_option_parser = lambda self, argument: [argument]
command.prepare = lambda self: self.configure(self.fieldnames)
command().process()
"""


STAND_INS = """
import json, runpy, sys
from pathlib import Path
sys.path.insert(0, str(Path(sys.argv[1]).parent))
runpy.run_path(sys.argv[1], run_name="imported")
from _sdk import DEFERRED
left = [name for name in DEFERRED if name in sys.modules and not getattr(sys.modules[name], "__file__", None)]
from splunklib.searchcommands import environment, search_command
service = search_command.Service(host="localhost", token="none")
Path(sys.argv[2]).write_text("[loggers]\\nkeys=root\\n[handlers]\\nkeys=\\n[formatters]\\nkeys=\\n[logger_root]\\nhandlers=\\nlevel=ERROR\\n")
logger, file = environment.configure_logging("x", sys.argv[2])
try:
    raise ValueError
except ValueError as error:
    traces = search_command.traceback.format_tb(error.__traceback__)
import shutil, splunklib.client, tempfile
print(json.dumps([left, type(service) is splunklib.client.Service, file == sys.argv[2], len(traces), shutil.__name__, tempfile.__file__ is not None]))
"""


def test_the_sdk_is_whole_though_half_of_it_is_imported_when_needed(script, python, tmp_path):
    """No stand-in outlives the import, and what the SDK took from one is the real thing when it is called."""
    conf = tmp_path.resolve() / "logging.conf"
    done = subprocess.run(
        [python, "-c", STAND_INS, str(script), str(conf)], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[], True, True, 1, "shutil", True]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("arguments", [[], ["time=latest", "format=none"]], ids=str)
def test_traffic_gives_the_same_events(script, python, tmp_path, shape, arguments):
    """The benchmark's data sets, through the SDK's own loop and through ours."""
    bodies = [make_chunk(shape, number, 200) for number in range(2)]
    _, expected = run_command(write_runner(script, tmp_path), python, arguments, bodies)
    _, replies = run_command(script, python, arguments, bodies)
    for one, other in zip(replies, expected):
        assert [dict(sorted(row.items())) for row in one.rows] == [dict(sorted(row.items())) for row in other.rows]


def write_runner(script, folder):
    """The packaged command with the SDK's loop in place of its own."""
    runner = folder / "reference.py"
    runner.write_text(REFERENCE.replace("sys.argv[1]", repr(str(script))))
    return runner


def test_the_byte_path_equals_the_sdks_loop(script, python, tmp_path):
    runner = write_runner(script, tmp_path)
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
