# SPDX-License-Identifier: Apache-2.0
"""The shell: `python -m flowlag enrich [options] FILE...`, the same as the search command without Splunk.

Owns arguments, stdout, stderr and exit codes: 0 done; 1 done, but with --strict some records were unreadable; 2 wrong
usage; 3 an input missing or unreadable (the others are still read), or the output not to be written; 130 interrupted.
Authority: contract section 5.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, BinaryIO, NoReturn, Optional

from flowlag import __version__
from flowlag.enrich import Enricher
from flowlag.errors import SettingsError, SourceError
from flowlag.fields import LAYOUTS
from flowlag.output import WRITERS, encode_line
from flowlag.record import UNTAGGABLE
from flowlag.rows import Row
from flowlag.settings import OPTIONS, TIMES, WINDOWS, parse_settings
from flowlag.sources import Progress, read_sources

DONE, UNREADABLE, WRONG_USAGE, FAILED, INTERRUPTED = 0, 1, 2, 3, 130
#: Input below this many bytes is done before a progress bar would be read.
LONG_INPUT_BYTES = 16_000_000

#: Option -> what stands for its value, and its meaning with the default.
_HELP = {
    "lag": ("SPAN", "how long before `start` a packet may have passed: 0 to 3600 seconds, or 60s, 1m (default 60)"),
    "interval": ("SPAN", "the flow log's aggregation interval: 1 to 3600 whole seconds, or 10m (default 60)"),
    "phase": ("SECOND", "second of the interval at which windows open (default: not known)"),
    "windows": ("WHICH", f"windows to tell: {', '.join(WINDOWS)} (default auto: those known by phase or record)"),
    "time": ("WHICH", f"what _time becomes: {', '.join(TIMES)} (default keep; `start` where there is none)"),
    "start": ("FIELD", "field of the start (default: start_time, start, start_time_dt)"),
    "end": ("FIELD", "field of the end (default: end_time, end, end_time_dt)"),
    "duration": ("FIELD", "field with seconds from which a missing end is made (default: none)"),
    "packets": ("FIELD", "field of the number of packets (default: packets, traffic.packets)"),
    "interface": ("FIELD", "field of the network interface (default: interface_id and its kin)"),
    "status": ("FIELD", "field of the log status (default: log_status, status_code)"),
    "format": ("FORMAT", f"layout of text lines: auto, none, {', '.join(LAYOUTS)} or an AWS format string such as "
               '"${version} ${start} ${end}" (default auto: a header line, else the first line of a known layout)'),
    "prefix": ("TEXT", "what the names of the tags begin with (default flowlag_)"),
}  # fmt: skip


class _Parser(argparse.ArgumentParser):
    """An ArgumentParser that refuses in one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"flowlag: {message}; `{self.prog} --help` lists what there is.\n")


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run one command and return the exit code; wrong usage, --help and --version raise SystemExit as argparse does."""
    given = list(sys.argv[1:] if argv is None else argv)
    parser = _Parser(prog="python -m flowlag", description="When the packets of AWS flow log records can have passed.")
    parser.add_argument("--version", action="version", version=f"flowlag {__version__}")
    parser.add_argument("command", choices=COMMANDS, help="`%(prog)s COMMAND --help` tells more")
    command = parser.parse_args(given[:1]).command
    try:
        return int(COMMANDS[command](given[1:]))
    except KeyboardInterrupt:
        _drop_stdout()
        return INTERRUPTED
    except ModuleNotFoundError as error:  # instants.py needs it for times that are no numbers
        if (error.name or "").partition(".")[0] != "dateutil":
            raise
        _complain("a time that is no number is read with python-dateutil; run `pip install python-dateutil`")
        return FAILED


def enrich(argv: Sequence[str]) -> int:
    """`enrich`: write the records of files with their tags."""
    args = _enrich_parser().parse_intermixed_args(argv)
    pairs = [(name, value) for name in OPTIONS for value in getattr(args, name) or ()]
    try:
        enricher = Enricher(parse_settings(pairs, "flowlag enrich"))
    except SettingsError as error:
        _complain(error)
        return WRONG_USAGE
    failures: list[SourceError] = []

    def report(error: SourceError) -> None:
        failures.append(error)
        _complain(error)

    with _progress_bar(args.files) as bar:
        progress: Progress = bar.update if bar is not None else _ignore
        events = tag_rows(enricher, read_sources(args.files, enricher.settings, progress, report))
        is_written = _write(WRITERS[args.output](events, enricher.settings, _complain))
    warning = enricher.warning()
    if warning:
        _complain(warning)
    if failures or not is_written:
        return FAILED
    unreadable = sum(enricher.counts[status] for status in (*UNTAGGABLE, "other"))
    return UNREADABLE if args.strict and unreadable else DONE


def _enrich_parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m flowlag enrich",
        description="Tags every flow log record with the interval in which its packets can have passed. Reads text, "
        "CSV, JSON and Parquet, plain or in gzip; the content tells which.",
        epilog="Exit codes: 0 done; 1 done, but some records were unreadable and --strict was given; 2 wrong usage; "
        "3 input missing or unreadable.",
        allow_abbrev=False,
    )
    for name in OPTIONS:
        metavar, meaning = _HELP[name]  # appended, so that parse_settings can refuse an option that is given twice
        parser.add_argument(f"--{name}", metavar=metavar, help=meaning, action="append")
    parser.add_argument("--output", choices=WRITERS, default="table", help="how to write (default table)")
    parser.add_argument(
        "--strict", action="store_true", help="exit with 1 when records were invalid, missing, reversed or other"
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a flow log file; - is stdin")
    return parser


def tag_rows(enricher: Enricher, rows: Iterable[Row]) -> Iterator[dict[str, str]]:
    """Each row as an event with `_time` (first where the row has none) and its tags (last)."""
    for row in rows:
        if row.values is not None:
            tags = enricher.tag_line(row.values)
        else:
            tags = enricher.tag(_no_field if row.is_other else row.fields.get)
        event = row.fields if "_time" in row.fields else {"_time": "", **row.fields}
        yield enricher.write(event, tags)


def _no_field(name: str) -> Optional[str]:
    return None


def _ignore(count: int) -> None:
    """No progress is shown."""


def _complain(sentence: object) -> None:
    print(f"flowlag: {sentence}", file=sys.stderr, flush=True)


def _write(lines: Iterable[str]) -> bool:
    """Write lines to stdout; False when that fails. A reader that has seen enough (`| head`) is no failure."""
    if sys.stdout is None:
        _complain("stdout is closed; send the output somewhere")
        return False
    out: BinaryIO = sys.stdout.buffer
    try:
        for line in lines:
            out.write(encode_line(line))
        out.flush()
    except BrokenPipeError:
        _drop_stdout()
    except OSError as error:  # those of the input have become SourceError
        _complain(f"stdout: the output cannot be written ({error.strerror}); make room, or send it elsewhere")
        _drop_stdout()
        return False
    return True


def _drop_stdout() -> None:
    """Keep Python from flushing, and complaining about, a stdout that cannot take what is left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _progress_bar(paths: Sequence[str]) -> AbstractContextManager[Any]:
    """A tqdm bar over the files' bytes for long input on a terminal, else None; tqdm need not be installed."""
    total = _total_bytes(paths)
    if not sys.stderr.isatty() or (total is not None and total < LONG_INPUT_BYTES):
        return nullcontext()
    try:
        from tqdm import tqdm
    except ImportError:
        return nullcontext()
    bar: AbstractContextManager[Any] = tqdm(total=total, unit="B", unit_scale=True, leave=False, file=sys.stderr)
    return bar


def _total_bytes(paths: Sequence[str]) -> Optional[int]:
    """The size of all files, None where stdin is among them."""
    return None if "-" in paths else sum(os.path.getsize(path) for path in paths if os.path.isfile(path))


COMMANDS = {"enrich": enrich}
