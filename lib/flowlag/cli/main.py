# SPDX-License-Identifier: Apache-2.0
"""The shell: `python -m flowlag COMMAND [options] FILE...`; finds the command, and says how what stopped it ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Optional

from flowlag import __version__
from flowlag.cli.connect import connect
from flowlag.cli.enrich import enrich
from flowlag.cli.learn import learn
from flowlag.cli.match import match
from flowlag.cli.profile import profile
from flowlag.cli.terminal import FAILED, INTERRUPTED, WRONG_USAGE, Parser, complain, drop_stdout
from flowlag.errors import SettingsError, SourceError

COMMANDS = {"enrich": enrich, "match": match, "connect": connect, "profile": profile, "learn": learn}


def main(argv: Optional[Sequence[str]] = None) -> int:
    """Run one command and return the exit code; wrong usage, --help and --version raise SystemExit as argparse does."""
    given = list(sys.argv[1:] if argv is None else argv)
    parser = Parser(prog="python -m flowlag", description="When the packets of AWS flow log records can have passed.")
    parser.add_argument("--version", action="version", version=f"flowlag {__version__}")
    parser.add_argument("command", choices=COMMANDS, help="`%(prog)s COMMAND --help` tells more")
    command = parser.parse_args(given[:1]).command
    try:
        return int(COMMANDS[command](given[1:]))
    except SettingsError as error:
        complain(error)
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
