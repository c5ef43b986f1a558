# SPDX-License-Identifier: Apache-2.0
"""The shell: `flowlag COMMAND [options] FILE...`; finds the command, and says how what stopped it ends."""

from __future__ import annotations

import os
import sys
from argparse import SUPPRESS, RawDescriptionHelpFormatter
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Optional

from flowlag import __version__
from flowlag.cli.connect import connect
from flowlag.cli.enrich import enrich
from flowlag.cli.learn import learn
from flowlag.cli.match import match
from flowlag.cli.profile import profile
from flowlag.cli.speech import speak
from flowlag.cli.terminal import FAILED, INTERRUPTED, WRONG_USAGE, Parser, complain, drop_stdout, program
from flowlag.errors import SettingsError, SourceError

COMMANDS = {"enrich": enrich, "match": match, "connect": connect, "profile": profile, "learn": learn}


#: What each command does, and an example.
_HELP = {
    "enrich": ("tag each record with the interval in which its packets passed", "enrich flows.log.gz"),
    "match": (
        "find the flows that can belong to logins or other events",
        "match --flows flows.log --anchors logins.csv --by srcaddr=src,dstaddr=dest",
    ),
    "connect": ("put the records of one connection in one row, with bounds on both ends", "connect FOLDER"),
    "profile": ("tell how each interface stamps its records, and how late they arrive", "profile flows.log"),
    "learn": (
        "learn the lag of each interface from events whose time is exact",
        "learn --flows flows.log --anchors opened.csv --by srcaddr=src,srcport=src_port",
    ),
}


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run one command and return the exit code; wrong usage, --help and --version raise SystemExit as argparse does."""
    given = list(sys.argv[1:] if argv is None else argv)
    parser = _main_parser()
    if given and not given[0].startswith("-") and given[0] not in COMMANDS:
        parser.error(_refuse(given[0]))
    command = parser.parse_args(given[:1]).command
    try:
        return int(COMMANDS[command](given[1:]))
    except SettingsError as error:
        complain(speak(str(error)))
        return WRONG_USAGE
    except SourceError as error:  # without it nothing can be done; of other files the rest is read
        complain(error)
        return FAILED
    except KeyboardInterrupt:
        drop_stdout()
        return INTERRUPTED
    except MemoryError:
        complain("there is not enough memory for this input; give it in smaller parts")
        return FAILED
    except ModuleNotFoundError as error:  # instants.py needs it for times that are no numbers
        if (error.name or "").partition(".")[0] != "dateutil":
            raise
        complain("a time that is no number is read with python-dateutil; run `pip install python-dateutil`")
        return FAILED


def _main_parser() -> Parser:
    name = program()
    lines = [f"  {command:9}{meaning}\n           {name} {example}" for command, (meaning, example) in _HELP.items()]
    parser = Parser(
        prog=name,
        usage=f"{name} COMMAND [options] FILE...",
        description="When the packets of AWS flow log records can have passed.\n\ncommands:\n" + "\n".join(lines),
        epilog=f"`{name} COMMAND --help` tells more. A pipe is read in place of a FILE.",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"flowlag {__version__}")
    parser.add_argument("command", help=SUPPRESS)
    return parser


def _refuse(word: str) -> str:
    if os.path.exists(word):
        return f"{word} is no command; type `{program()} enrich {word}` to tag its records"
    near = get_close_matches(word, COMMANDS, 1)
    hint = f"; did you mean {near[0]}?" if near else f"; the commands are {', '.join(COMMANDS)}"
    return f"there is no command {word}{hint}"
