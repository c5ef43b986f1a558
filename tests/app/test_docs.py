# SPDX-License-Identifier: Apache-2.0
"""Owns the truth of README.md and CHANGELOG.md: their tables are those of the code, and their examples are run.

A search (```spl) that a table follows is run on the seed records, and the table is what it gives; one that ```text follows
ends with that message. In ```console, `$` begins a command, and the lines below it are what it prints.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest

import flowlag
from flowlag.enrich_options import parse_arguments, parse_settings
from flowlag.errors import SettingsError
from flowlag.instants import parse_instant
from flowlag.interval import SECOND_US, Interval, write_seconds
from flowlag.match_options import parse_match_arguments
from flowlag.modes import MODES
from flowlag.profile_options import parse_profile_arguments
from flowlag.record import STATUSES
from flowlag.tags import TAG_FIELDS
from flowlag.timing import time_record
from flowlag.windows import find_window
from tests.app.test_conf import COMMANDS, MACROS, SEARCHBNF, evaluate
from tests.rules.test_rules import expand
from tests.support.splunkd import Splunkd, run_command, write_body
from tools import package as packaging
from tools.places import ROOT

Event = dict[str, str]
Enrich = Callable[[list[str], list[Event]], list[Event]]

# -- Markdown


class Part(NamedTuple):
    """A part of a Markdown text: `code` (info is its language), `table`, `heading` or a line of `prose`."""

    kind: str
    info: str
    text: str

    @property
    def rows(self) -> list[list[str]]:
        """The cells of a table, its heading first."""
        rows = [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in self.text.splitlines()]
        return rows[:1] + rows[2:]


PART = re.compile(
    r"^```(?P<info>\w*)\n(?P<code>[\s\S]*?)^```$|^(?P<table>(?:\|.*\n)+)|^#+ (?P<heading>.*)$|^(?P<prose>.*\S.*)$",
    re.MULTILINE,
)


def read_parts(text: str) -> list[Part]:
    """The parts of a Markdown text in their order."""
    return [
        Part(match.lastgroup or "", match["info"] or "", match[match.lastgroup or 0]) for match in PART.finditer(text)
    ]


TEXTS = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "CHANGELOG.md", "SECURITY.md", "docs/evidence.md")
}
PARTS = read_parts(TEXTS["README.md"])
TABLES = [part.rows for part in PARTS if part.kind == "table"]


def table(*heading: str) -> list[list[str]]:
    """The rows of the one table whose heading begins with these cells, without the heading."""
    (found,) = [rows[1:] for rows in TABLES if tuple(rows[0][: len(heading)]) == heading]
    return found


def plain(cell: str) -> str:
    """A cell that is code, as its text."""
    return cell.strip("`")


def codes(cell: str) -> list[str]:
    """Every piece of code in a cell."""
    return re.findall(r"`([^`]+)`", cell)


# -- a very small SPL: as much as the examples use, so that a reader gets what the tables show


def split_pipeline(search: str) -> list[str]:
    """The commands of a search; a pipe in quotes is none."""
    return [part.strip() for part in re.findall(r'(?:[^|"]|"(?:\\.|[^"\\])*")+', search) if part.strip()]


def split_arguments(text: str) -> list[str]:
    """The arguments of a command as splunkd hands them over: split at blanks outside quotes, quotes taken off."""
    words = re.findall(r'(?:[^\s"]|"(?:\\.|[^"\\])*")+', text)
    return [re.sub(r'"((?:\\.|[^"\\])*)"', lambda quoted: re.sub(r"\\(.)", r"\1", quoted[1]), word) for word in words]


def run_eval(text: str, event: Event) -> Event:
    """An event after `eval name="text"`, or after sums and quotients of its numbers."""
    literal = re.fullmatch(r'(\w+)="(.*)"', text)
    if literal:
        return {**event, literal[1]: literal[2]}
    numbers = {name: float(value) for name, value in event.items() if re.fullmatch(r"[0-9]+(\.[0-9]+)?", value)}
    made = evaluate(f"eval {text}", numbers)
    return {**event, **{name: f"{value:.15g}" for name, value in made.items() if name not in numbers}}


def is_where(text: str, event: Event) -> bool:
    """Whether an event meets comparisons of a field with a number or a text, joined by AND."""
    for condition in text.split(" AND "):
        name, sign, wanted = re.fullmatch(r"(\w+) ?(<=|>=|<|>|=) ?(\S+)", condition).groups()  # type: ignore[union-attr]
        sides = (event[name], plain(wanted).strip('"')) if '"' in wanted else (float(event[name]), float(wanted))
        order = (sides[0] > sides[1]) - (sides[0] < sides[1])  # type: ignore[operator]
        if order not in {"<=": (-1, 0), ">=": (0, 1), "<": (-1,), ">": (1,), "=": (0,)}[sign]:
            return False
    return True


def run_stats(text: str, events: list[Event]) -> list[Event]:
    """One event for each value of the field behind `by`, with `count` and `max(field)`."""
    functions, _, key = text.partition(" by ")
    rows = []
    for value in sorted({event[key] for event in events}):
        group = [event for event in events if event[key] == value]
        row = {key: value}
        for function in functions.split():
            name = re.sub(r"max\((\w+)\)", r"\1", function)
            row[function] = str(len(group)) if function == "count" else max((e[name] for e in group), key=float)
        rows.append(row)
    return rows


def run_search(search: str, index: list[Event], enrich: Enrich) -> list[Event]:
    """What a search gives on the events of an index; `enrich` runs flowlagenrich."""
    text = expand(search.strip())
    events: list[Event] = []
    for place, command in enumerate(split_pipeline(text)):
        name, _, rest = command.partition(" ")
        rest = " ".join(rest.split("\n"))
        if place == 0 and not text.startswith("|"):
            terms = dict(term.split("=", 1) for term in split_arguments(command))
            events = [event for event in index if terms.items() <= event.items()]
        elif name == "makeresults":
            events = [{"_time": "1700000000"}]
        elif name == "eval":
            events = [run_eval(rest, event) for event in events]
        elif name == "flowlagenrich":
            events = enrich(split_arguments(rest), events)
        elif name == "where":
            events = [event for event in events if is_where(rest, event)]
        elif name == "stats":
            events = run_stats(rest, events)
        elif name == "table":
            events = [{field: event.get(field, "") for field in rest.split()} for event in events]
        else:
            pytest.fail(f"the tests do not know the command {name}, so that no table may follow")
    return events


# -- the examples

EXAMPLES = [
    (part.text, PARTS[place + 1 :]) for place, part in enumerate(PARTS) if part.kind == "code" and part.info == "spl"
]


def follower(parts: list[Part]) -> Part:
    """The part behind a search, a sentence that leads over to it left out."""
    return next(part for part in parts if part.kind != "prose" or not part.text.endswith(":"))


SEARCHES = [(text, follower(parts)) for text, parts in EXAMPLES]
SHOWN = [(text, part.rows) for text, part in SEARCHES if part.kind == "table"]
REFUSED = [(text, part.text) for text, part in SEARCHES if (part.kind, part.info) == ("code", "text")]
HELP = [value for stanza in SEARCHBNF.values() for key, value in stanza.items() if key.startswith("example")]
CONSOLE = [
    (command, shown)
    for part in PARTS
    if part.info == "console"
    for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", part.text, re.MULTILINE)
]
SEED_NAMES = (
    "version account_id interface_id src_ip dest_ip src_port dest_port protocol_code packets bytes start_time end_time "
    "vpcflow_action log_status"
).split()


def first_words(value: Any) -> str:
    """A test id: the beginning of an example."""
    return " ".join(value.split())[:60] if isinstance(value, str) else ""


def arguments_of(search: str) -> list[list[str]]:
    """The arguments of every flowlagenrich in a search."""
    return [arguments for name, arguments in commands_of(search) if name == "flowlagenrich"]


def commands_of(search: str) -> list[tuple[str, list[str]]]:
    """Each of our commands in a search with its arguments."""
    commands = (command.partition(" ") for command in split_pipeline(expand(search)))
    return [(name, split_arguments(rest)) for name, _, rest in commands if name in COMMANDS]


@pytest.fixture(scope="module")
def index() -> list[Event]:
    """The seed records as the Splunk Add-on for AWS shows them."""
    lines = (ROOT / "samples" / "seed.log").read_text(encoding="utf-8").splitlines()
    events = [{"_raw": line, **dict(zip(SEED_NAMES, line.split()))} for line in lines]
    return [{"_time": e["start_time"], "sourcetype": "aws:cloudwatchlogs:vpcflow", **e} for e in events]


@pytest.fixture
def enrich(script: Path, python: str) -> Enrich:
    """The packaged command as a process."""
    return lambda arguments, events: run_command(script, python, arguments, [write_body(events)])[1][0].rows


def test_there_are_examples_of_every_kind() -> None:
    """The tests below would pass without a word if the README were written in another way."""
    assert len(SHOWN) >= 5
    assert len(SEARCHES) - len(SHOWN) - len(REFUSED) >= 3
    assert REFUSED
    assert len(HELP) >= 2
    assert len(CONSOLE) >= 4
    assert all(re.search("python -m flowlag (enrich|match|profile) ", command) for command, _ in CONSOLE)


PARSERS: dict[str, Callable[[list[str]], Any]] = {
    "flowlagenrich": parse_arguments,
    "flowlagmatch": parse_match_arguments,
    "flowlagprofile": parse_profile_arguments,
}


@pytest.mark.parametrize(
    "search", [*(text for text, _ in SEARCHES if text not in dict(REFUSED)), *HELP], ids=first_words
)
def test_search_has_options_that_are_allowed(search: str) -> None:
    """Every command of ours in the README and in the search assistant would start."""
    for name, arguments in commands_of(search):
        PARSERS[name](arguments)
    assert commands_of(search) or "`flowlag_bounds" in search


@pytest.mark.parametrize(("search", "shown"), SHOWN, ids=first_words)
def test_search_gives_the_table_below_it(
    search: str, shown: list[list[str]], index: list[Event], enrich: Enrich
) -> None:
    """The table behind a search is what the search gives on the seed records, value by value."""
    events = run_search(search, index, enrich)
    assert [list(event) for event in events] == [shown[0]] * len(events)
    assert [list(event.values()) for event in events] == shown[1:]


@pytest.mark.parametrize(("search", "message"), REFUSED, ids=first_words)
def test_wrong_search_ends_with_the_message_below_it(search: str, message: str, script: Path, python: str) -> None:
    """The message behind a search is what the packaged command ends with."""
    (arguments,) = arguments_of(search)
    with pytest.raises(SettingsError):
        parse_arguments(arguments)
    with Splunkd(script, python) as splunkd:
        reply = splunkd.getinfo(*arguments)
    assert reply.messages == [("ERROR", message.strip())]


@pytest.mark.parametrize(("command", "shown"), CONSOLE, ids=first_words)
def test_shell_example_prints_what_is_shown(command: str, shown: str, tmp_path: Path) -> None:
    """A shell example, run in the repository without installing anything, prints the lines below it."""
    shim = tmp_path / "python"
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    env = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": "lib"}
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.stdout.decode("utf-8") == shown


def test_demo_is_shown_as_it_is() -> None:
    """The lines of the demo are the first ones that it prints, up to a part's end."""
    (shown,) = [part.text for part in PARTS if part.text.startswith("flowlag, the packaged")]
    done = subprocess.run([sys.executable, "-m", "tools.demo"], cwd=ROOT, capture_output=True, check=True)
    printed = [line.rstrip() for line in done.stdout.decode("utf-8").splitlines()]
    lines = shown.splitlines()
    assert printed[: len(lines)] == lines
    assert printed[len(lines) : len(lines) + 1] in ([], [""])


# -- the reference tables


def test_modes_are_those_of_the_command() -> None:
    """Every mode is there, in order."""
    assert tuple(plain(row[0]) for row in table("`timing_mode`", "when")) == MODES


def test_spans_of_the_option_table_are_allowed() -> None:
    """The examples of spans and the long forms are read."""
    for option, spans in (
        ("lag", ["60s", "1m", "3600", "0", "1sec", "500ms", "1us"]),
        ("interval", ["10m", "1hrs", "2minutes"]),
    ):
        for span in spans:
            parse_settings([(option, span)])


def test_statuses_are_those_of_the_command() -> None:
    """Every status is there, in the order in which they apply."""
    assert [plain(row[0]) for row in table("`flowlag_status`", "meaning")] == list(STATUSES)


def windows_and_stamps() -> tuple[set[str], set[str], set[str]]:
    """Every position, basis and kind of stamps that records of all offsets and lengths bring about."""
    positions, bases, stamps = set(), set(), set()
    wordings: list[dict[str, str]] = [{}, {"phase": "6"}, {"windows": "assumed"}, {"windows": "none"}]
    for wording, offset, length, packets in product(wordings, (0, 5, 20), (0, 1, 2, 30, 39, 54, 59, 90), (None, 1, 2)):
        start_us = (1602397686 + offset) * SECOND_US
        recorded = Interval(start_us, start_us + length * SECOND_US)
        window = find_window(recorded, None, parse_settings(wording.items()))
        positions.add(window.position)
        bases.add(window.basis or "empty")
        stamps.add(time_record(*recorded, packets, True, 0).stamps or "empty")
    return positions - {""}, bases, stamps


def test_words_of_the_model_are_explained() -> None:
    """Window positions, bases and stamps: what the code can say is what the tables explain (`profile` is reserved)."""
    positions, bases, stamps = windows_and_stamps()
    assert {plain(row[0]) for row in table("`flowlag_window_position`")} == positions
    assert {plain(row[0]) for row in table("`flowlag_window_basis`")} == bases | {"profile"}
    assert {plain(row[0]) for row in table("`flowlag_stamps`")} == stamps


@pytest.mark.parametrize("row", table("text", "read as"), ids=lambda row: plain(row[0]))
def test_time_is_read_as_shown(row: list[str]) -> None:
    """Every text of the table is that time, or none."""
    instant = parse_instant(plain(row[0]))
    assert row[1].startswith("invalid") if instant is None else row[1] == write_seconds(instant)


def test_every_macro_is_explained() -> None:
    """Each macro of the app is used by its name, and no other name with the prefix stands for nothing."""
    text = TEXTS["README.md"]
    assert all(f"{macro.partition('(')[0]}" in text for macro in MACROS)
    known = {f"flowlag_{name}" for name in TAG_FIELDS} | {macro.partition("(")[0] for macro in MACROS}
    known |= {"flowlag_windows", "flowlag_test"}  # the lookup, and the index of the live suite
    assert {word for word in re.findall(r"\bflowlag_\w*", text) if word != "flowlag_"} <= known


def test_pythons_are_those_of_the_conf() -> None:
    """The settings of commands.conf are quoted as they are."""
    for key in ("python.version", "python.required"):
        (value,) = {stanza[key] for stanza in COMMANDS.values()}
        assert f"`{key} = {value}`" in TEXTS["README.md"]


# -- the house, the build, the words


def test_third_party_packages_are_those_of_the_build() -> None:
    """Name and version of everything that the build takes in."""
    requirements = packaging.read_requirements((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    shown = {row[0]: row[1] for row in table("package", "version")}
    assert shown == {name: version for name, (version, _) in requirements.items()}
    assert all(f"{name} {version}" in TEXTS["CHANGELOG.md"] for name, version in shown.items())


def test_changelog_ends_at_this_version() -> None:
    """The newest release is the version of the code, and every release has its day."""
    headings = re.findall(r"^## (.*)$", TEXTS["CHANGELOG.md"], re.MULTILINE)
    releases = [heading for heading in headings if heading != "[Unreleased]"]
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", release) for release in releases)
    assert releases[0].startswith(f"[{flowlag.__version__}]")


def slug(heading: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("name", TEXTS)
def test_links_lead_somewhere(name: str, app: Path) -> None:
    """Anchors are headings; files are in the repository and in the package."""
    anchors = {slug(part.text) for part in read_parts(TEXTS[name]) if part.kind == "heading"}
    prose = re.sub(r"```[\s\S]*?```", "", TEXTS[name])
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif not target.startswith("https://"):
            place = (Path(name).parent / target).as_posix().replace("docs/../", "")
            assert (ROOT / place).is_file(), target
            assert (app / place).is_file(), target


def test_evidence_is_where_it_is_said_to_be() -> None:
    """Every file and folder that the page names is there, and so is every target of make."""
    page = TEXTS["docs/evidence.md"]
    named = set(re.findall(r"`((?:tests|tools|samples|docs)/[\w./]*)`", page))
    assert len(named) > 30 and [name for name in sorted(named) if not (ROOT / name).exists()] == []
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"`make ([a-z]+)", page)) <= set(targets)


def test_what_was_never_run_is_one_list() -> None:
    """The README and the page of evidence say the same."""
    heading = "## What was never run on a live Splunk\n"
    never = TEXTS["docs/evidence.md"].partition(heading)[2].strip()
    assert never.count("\n- ") > 8
    assert TEXTS["README.md"].partition(heading)[2].startswith(f"\n{never}\n")


def test_contents_list_every_chapter() -> None:
    """The table of contents has the chapters in their order."""
    chapters = re.findall(r"^## (.*)$", TEXTS["README.md"], re.MULTILINE)
    listed = re.findall(r"^- \[(.*)\]\((#.*)\)$", TEXTS["README.md"], re.MULTILINE)
    assert listed == [(chapter, f"#{slug(chapter)}") for chapter in chapters if chapter != "Contents"]


@pytest.mark.parametrize("name", TEXTS)
def test_words_are_fit_for_readers(name: str) -> None:
    """No notes to ourselves, no places on a machine, no signs that are no text."""
    text = TEXTS[name]
    assert not re.findall(
        r"TODO|FIXME|XXX|TBD|(?<!\w)/(?:work|home|root|tmp|Users|opt|var)/|file://|contract\.md|shared/", text
    )
    assert not [sign for sign in text if ord(sign) >= 0x2190]
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
