# SPDX-License-Identifier: Apache-2.0
"""Finds the Python interpreters that the tests run on.

`pythons.py list` prints the versions to test, one a line: those of WANTED that are found, else the version that runs
this script. With CI=true or REQUIRE_PYTHONS=1 a missing one is an error. `pythons.py path 3.9` prints the executable
of a version. Messages for people go to stderr. A name on the PATH proves nothing (it may be a pyenv shim for a
version that is not selected), so each candidate is started and asked.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

WANTED = ("3.9", "3.13")
OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"
# ensurepip and venv are separate system packages on some distributions; without them an interpreter is of no use here.
PROBE = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2], sys.executable, sep='\\n')"


def run(command: list[str], **env: str) -> tuple[str, str]:
    """Return stdout and stderr of a command; stdout is empty if it fails."""
    try:
        done = subprocess.run(
            command, env={**os.environ, **env}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return "", str(error)
    return (done.stdout if done.returncode == 0 else ""), done.stderr


def on_path(name: str) -> Iterator[str]:
    """Yield every executable of this name on the PATH, in its order."""
    for folder in os.get_exec_path():
        found = shutil.which(name, path=folder)
        if found:
            yield found


def uv_pythons(version: str) -> Iterator[str]:
    """Yield the interpreters of a version that uv has installed."""
    uv = shutil.which("uv")
    if uv:
        yield run([uv, "python", "find", "--no-python-downloads", version])[0].strip()


def ask(executable: str, version: str, **env: str) -> tuple[str | None, str]:
    """Return the real path of an executable if it is of this version, else None; and what it said on stderr."""
    stdout, stderr = run([executable, "-c", PROBE], **env)
    answer = stdout.split("\n")
    return (answer[1] if answer[0] == version and len(answer) > 1 else None), stderr


def resolve(executable: str, version: str) -> str | None:
    """Return the real path of an executable; a pyenv shim is asked again with the versions that it names."""
    real, stderr = ask(executable, version)
    if real:
        return real
    for selected in re.findall(rf"^\s*({re.escape(version)}(?:\.\d+)?)\s*$", stderr, re.MULTILINE):
        real, _ = ask(executable, version, PYENV_VERSION=selected)
        if real:
            return real
    return ask(executable, version, PYENV_VERSION=version)[0]


def candidates(version: str) -> Iterator[str]:
    """Yield possible interpreters of a version, the most likely first."""
    yield from on_path(f"python{version}")
    yield sys.executable
    yield from on_path("python3")
    yield from filter(None, uv_pythons(version))


def find(version: str) -> str | None:
    """Return the path of the interpreter of a version such as 3.9, or None."""
    return next(filter(None, (resolve(candidate, version) for candidate in candidates(version))), None)


def required() -> bool:
    """Return whether a missing interpreter is an error."""
    return os.environ.get("CI", "").lower() == "true" or os.environ.get("REQUIRE_PYTHONS", "") not in ("", "0")


def list_versions() -> int:
    """Print the versions to test, one a line; return the exit code."""
    found = {version: path for version in WANTED for path in [find(version)] if path}
    missing = [version for version in WANTED if version not in found]
    for version, path in found.items():
        print(f"Python {version}: {path}", file=sys.stderr)
    if missing and required():
        print(
            f"Python {' and '.join(missing)} not found: required, as CI=true or REQUIRE_PYTHONS is set.",
            file=sys.stderr,
        )
        return 1
    if missing:
        print(f"Python {' and '.join(missing)} not found: not tested here.", file=sys.stderr)
    if not found:
        print(f"Testing on Python {OWN}: {sys.executable}", file=sys.stderr)
    print("\n".join(found or [OWN]))
    return 0


def print_path(versions: list[str]) -> int:
    """Print the executable of the first of the versions that is found; return the exit code."""
    path = next(filter(None, map(find, versions)), sys.executable if OWN in versions else None)
    print(path or f"Python {' or '.join(versions)} not found.", file=sys.stdout if path else sys.stderr)
    return 0 if path else 1


def main() -> int:
    """Read the command line, act, return the exit code."""
    parser = argparse.ArgumentParser(description="Finds the Python interpreters to test on.")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="print the versions to test")
    path = actions.add_parser("path", help="print where the first of these versions that is found is")
    path.add_argument("versions", nargs="+")
    arguments = parser.parse_args()
    return list_versions() if arguments.action == "list" else print_path(arguments.versions)


if __name__ == "__main__":
    sys.exit(main())
