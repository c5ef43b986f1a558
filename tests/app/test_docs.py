# SPDX-License-Identifier: Apache-2.0
"""Owns the truth of the documents: every example in them is run, and every link, file and target that they name is there.

In each page, a search (```spl) that a table follows is run on the seed records and gives that table; one that ```text
follows ends with that message; every other search runs without an error. In ```console, `$` begins a command, and the
lines below it are what it prints. Tables between `<!-- generated: ... -->` and `<!-- end -->` have a test of their own.
"""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest

import flowlag
from flowlag.enrich_options import parse_settings
from flowlag.instants import parse_instant
from flowlag.interval import write_seconds
from flowlag.profile.modes import MODES
from flowlag.record import STATUSES
from flowlag.tags import Tags
from tests.spl.engine import Engine, SplError
from tests.support.conf import COMMANDS, MACROS
from tests.support.pages import (
    ANCHORS,
    CONSOLE,
    HELP,
    NAMES,
    PAGES,
    REFUSED,
    SEARCHES,
    SHOWN,
    STARTED,
    TEXTS,
    first_words,
    plain,
    read_parts,
    slug,
    table,
)
from tools import package as packaging
from tools.places import ROOT

# -- the examples

SEED_NAMES = (
    "version account_id interface_id src_ip dest_ip src_port dest_port protocol_code packets bytes start_time end_time "
    "vpcflow_action log_status"
).split()
#: Writes a lookup of the instance: what comes before it is run.
STORE = re.compile(r"\|\s*outputlookup flowlag_(?:windows|lags)\s*$")


@pytest.fixture(scope="module")
def engine(app: Path, python: str) -> Engine:
    """The seed records as the Splunk Add-on for AWS shows them, searched with the packaged commands."""
    lines = (ROOT / "samples" / "seed.log").read_text(encoding="utf-8").splitlines()
    events = [{"_raw": line, **dict(zip(SEED_NAMES, line.split()))} for line in lines]
    index = [{"_time": e["start_time"], "sourcetype": "aws:cloudwatchlogs:vpcflow", **e} for e in events]
    return Engine(index, app, python, MACROS, now=1700000000)


def test_there_are_examples_of_every_kind() -> None:
    """The tests below would pass without a word if the pages were written in another way."""
    assert len(SHOWN) >= 6
    assert len(STARTED) - len(HELP) >= 7
    assert REFUSED
    assert len(HELP) >= 2
    assert len([command for command, _ in CONSOLE if "python -m flowlag " in command]) >= 6
    assert {"README.md", "docs/package.md", "docs/enrich.md"} <= {each.page for each in SEARCHES}


@pytest.mark.parametrize(("search", "shown"), SHOWN, ids=first_words)
def test_search_gives_the_table_below_it(search: str, shown: list[list[str]], engine: Engine) -> None:
    """The table after a search is what the search gives on the seed records, value by value."""
    rows = engine.search(search)
    assert [list(row) for row in rows] == [shown[0]] * (len(shown) - 1)
    assert [list(row.values()) for row in rows] == shown[1:]


@pytest.mark.parametrize(("search", "message"), REFUSED, ids=first_words)
def test_search_ends_with_the_message_below_it(search: str, message: str, engine: Engine) -> None:
    """The message after a search is the error with which the packaged command ends it."""
    with pytest.raises(SplError) as refused:
        engine.search(search)
    assert str(refused.value) == message.strip()


@pytest.mark.parametrize("search", STARTED, ids=first_words)
def test_search_runs(search: str, engine: Engine) -> None:
    """Every other search of the pages and of the search assistant runs, and every command of ours in it accepts its options."""
    engine.search(whole(STORE.sub("", search)))
    assert re.search(r"flowlag(enrich|match|connect|profile|learn)|`flowlag_bounds", search)


def whole(search: str) -> str:
    """The search of a part that begins after a pipe, or of an example whose beginning is left out."""
    return re.sub(r"^\s*(?:\.\.\.\s*)?\|(?=\s*flowlag)", "`flowlag_index` |", search)


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
    """What the README shows of the demo are the first lines that it prints."""
    done = subprocess.run([sys.executable, "-m", "tools.demo"], cwd=ROOT, capture_output=True, check=True)
    printed = [line.rstrip() for line in done.stdout.decode("utf-8").splitlines()]
    blocks = [part.text.splitlines() for part in PAGES["README.md"] if part.info == "text"]
    (shown,) = [lines for lines in blocks if lines[0] == printed[0]]
    assert printed[: len(shown)] == shown


# -- the tables that are not generated


def test_statuses_and_modes_are_those_of_the_commands() -> None:
    """Every status in the order in which they apply, and every timing mode."""
    assert [plain(row[0]) for row in table("docs/enrich.md", "`flowlag_status`", "meaning")] == list(STATUSES)
    assert tuple(plain(row[0]) for row in table("docs/profile.md", "`timing_mode`", "when")) == MODES


@pytest.mark.parametrize("row", table("docs/enrich.md", "text", "read as"), ids=lambda row: plain(row[0]))
def test_time_is_read_as_shown(row: list[str]) -> None:
    """Every text of the table is that time, or none."""
    instant = parse_instant(plain(row[0]))
    assert row[1].startswith("invalid") if instant is None else row[1] == write_seconds(instant)


def test_spans_that_the_page_names_are_read() -> None:
    """Every unit, and the long forms, after a number."""
    (sentence,) = re.findall(r"^Spans know (.*?)\.", TEXTS["docs/enrich.md"], re.MULTILINE)
    units = re.findall(r"`(\w+)`", sentence)
    assert len(units) == 10
    for unit in units:
        parse_settings([("lag", f"1{unit}")])


@pytest.mark.parametrize("row", table("docs/model.md", "start", "end"), ids=lambda row: row[0])
def test_worked_example_is_what_the_model_gives(row: list[str], engine: Engine) -> None:
    """The numbers of the table, and the window with and without the phase that it names."""
    event = f'| makeresults | eval start="{row[0]}", end="{row[1]}", packets="{row[2]}"'
    (tags,) = engine.search(f"{event} | flowlagenrich")
    (placed,) = engine.search(f"{event} | flowlagenrich phase=6")
    names = [f"flowlag_{name}" for name in ("earliest", "latest", "time", "uncertainty", "stamps")]
    assert [tags[name] for name in names] == row[3:8]
    unasked, _, asked = row[8].partition("; with `phase=6`: ")
    assert window_of(tags) == ("" if unasked == "empty" else unasked)
    assert window_of(placed) == (asked or unasked.replace("record", "option"))


def window_of(tags: dict[str, str]) -> str:
    """Position, offset and basis, as the table of examples writes them."""
    values = [tags[f"flowlag_window_{name}"] for name in ("position", "offset", "basis")]
    return ", ".join(values) if any(values) else ""


def every_record() -> list[dict[str, str]]:
    """Records of all offsets, lengths and numbers of packets that bring about another word of the model."""
    shapes = product((0, 5, 20), (0, 1, 2, 30, 39, 54, 59, 90), ("", "1", "2"))
    starts = [(1602397686 + offset, length, packets) for offset, length, packets in shapes]
    return [
        {
            "_time": str(start),
            "sourcetype": "aws:cloudwatchlogs:vpcflow",
            "start_time": str(start),
            "end_time": str(start + length),
            "packets": packets,
        }
        for start, length, packets in starts
    ]


def test_words_of_the_model_are_explained(app: Path, python: str) -> None:
    """Window positions, bases and stamps: what the command can say is what the tables explain (`profile` needs a lookup)."""
    engine = Engine(every_record(), app, python, MACROS, now=1700000000)
    wordings = ("", "phase=6", "windows=assumed", "windows=none")
    rows = [row for wording in wordings for row in engine.search(f"`flowlag_index` | flowlagenrich {wording}")]
    for name, added in (("window_position", set()), ("window_basis", {"profile"}), ("stamps", set())):
        said = {row[f"flowlag_{name}"] or "empty" for row in rows} | added
        explained = {plain(row[0]) for row in table("docs/model.md", f"`flowlag_{name}`")}
        assert explained == (said - {"empty"} if name == "window_position" else said), name


def test_accuracy_is_what_the_text_beside_it_claims() -> None:
    """All packets are in the envelope, modes are right from 20 records on, and flowlagmatch misses no pair."""
    assert {row[3] for row in table("docs/accuracy.md", "mode", "records")} == {"100 %"}
    modes = table("docs/accuracy.md", "true mode")
    assert all(row[2] == "100 %" for row in modes if int(row[1]) >= 20)
    for page in ("README.md", "docs/accuracy.md"):
        ways = {row[0]: row[1:] for row in table(page, "way", "true pairs found")}
        assert ways["`flowlagmatch`"][1] == "0"
        assert int(ways["`flowlagmatch`"][2]) < int(ways["join within ±5 min"][2])
    text = " ".join(TEXTS["README.md"].split())
    first, opening, probable = (ways[f"`flowlagmatch`{what}"] for what in (
        ", the first flow of each login", " of opening records",
        " of opening records, the most probable flow of each login",
    ))  # fmt: skip
    assert f"is right for {probable[0]} of the {ways['`flowlagmatch`'][0]} logins" in text
    near, near_opening = ways["nearest start"][0], ways["nearest start of opening records"][0]
    assert f"is right for {near_opening} if only opening records are asked, and for {near} among all records" in text
    assert opening[1] == "0" and int(first[0]) < int(probable[0])
    assert 0.38 < 1 - int(opening[2]) / int(ways["`flowlagmatch`"][2]) < 0.45  # two of five
    assert "each join misses some" in text
    assert min(int(row[1]) for way, row in ways.items() if way.startswith("join")) > 0


def test_every_macro_is_explained() -> None:
    """Each macro of the app is named in a page, and no other name with the prefix stands for nothing."""
    text = "\n".join(TEXTS.values())
    assert [macro for macro in MACROS if macro.partition("(")[0] not in text] == []
    known = {f"flowlag_{name}" for name in Tags._fields} | {macro.partition("(")[0] for macro in MACROS}
    known |= {"flowlag_windows", "flowlag_lags", "flowlag_test"}  # the lookups, and the index of the live suite
    known |= {"flowlag_entity", "flowlag_copies"}  # fields
    assert {word for word in re.findall(r"\bflowlag_\w*", text) if word != "flowlag_"} <= known


def test_pythons_are_those_of_the_conf() -> None:
    """The settings of commands.conf are quoted as they are."""
    for key in ("python.version", "python.required"):
        (value,) = {stanza[key] for stanza in COMMANDS.values()}
        assert f"`{key} = {value}`" in TEXTS["docs/install.md"]


# -- what the pages name, and how they are written


def test_readme_is_for_the_first_minute() -> None:
    """It is short, and it shows the picture, the price and where to read on."""
    assert len(TEXTS["README.md"].splitlines()) <= 250


def test_every_page_says_what_it_is_for() -> None:
    """After its title each page has a paragraph of prose, and the index lists every page."""
    for name, parts in PAGES.items():
        assert [part.kind for part in parts[:2]] == ["heading", "prose"] or name == "SECURITY.md", name
    listed = set(re.findall(r"\]\((\w+\.md)\)", TEXTS["docs/index.md"]))
    assert {f"docs/{page}" for page in listed} == {n for n in NAMES if n.startswith("docs/")} - {
        "docs/index.md",
        packaging.FRONT_PAGE,
    }


def links(text: str) -> list[str]:
    """The targets of the links of a page that lead to a place in the repository."""
    prose = re.sub(r"```[\s\S]*?```|`[^`\n]*`", "", text)
    return [target for target in re.findall(r"\]\(([^)]+)\)", prose) if not target.startswith("https://")]


def followed(name: str, target: str) -> tuple[str, str]:
    """The file and the anchor that a link in a page leads to."""
    path, _, anchor = target.partition("#")
    return (posixpath.normpath(f"{posixpath.dirname(name)}/{path}").lstrip("/") if path else name), anchor


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    """Files are in the repository, and anchors are headings of their page."""
    for target in links(TEXTS[name]):
        path, anchor = followed(name, target)
        assert (ROOT / path).is_file(), target
        assert not anchor or anchor in ANCHORS[path], target


def test_links_lead_somewhere_in_the_package(app: Path) -> None:
    """An administrator who reads the pages of the package finds what they lead to."""
    pages = {path.relative_to(app).as_posix(): path.read_text(encoding="utf-8") for path in app.glob("*.md")}
    pages.update({f"docs/{path.name}": path.read_text(encoding="utf-8") for path in app.glob("docs/*.md")})
    assert {"README.md", "SECURITY.md", "CHANGELOG.md", "docs/index.md"} <= set(pages)
    for name, text in pages.items():
        for target in links(text):
            path, anchor = followed(name, target)
            assert (app / path).is_file(), (name, target)
            headings = {slug(part.text) for part in read_parts(pages.get(path, "")) if part.kind == "heading"}
            assert not anchor or anchor in headings, (name, target)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_page_names_is_there(name: str, app: Path) -> None:
    """Files and folders in the repository or the package, modules that `python -m` runs, and targets of make."""
    named = set(re.findall(r"`((?:tests|tools|bench|samples|docs|lib|default)/[\w./]*)`", TEXTS[name]))
    named |= {f"{m.replace('.', '/')}.py" for m in re.findall(r"python -m ((?:tests|tools|bench)[\w.]*)", TEXTS[name])}
    assert [path for path in sorted(named) if not ((ROOT / path).exists() or (app / path).exists())] == []
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", TEXTS[name], re.MULTILINE)) <= targets


def cited(text: str) -> list[tuple[str, str]]:
    """The pages that code cites with a heading, `docs/<page>.md, <Heading>`, each with the text that begins at the heading."""
    prose = re.sub(r"\s*\n[\s#:]*", " ", text)
    return [(m[1], prose[m.end() :][:60]) for m in re.finditer(r"(docs/\w+\.md), (?=[A-Z])", prose)]


CODE = [path for top in ("lib", "bin", "tools", "bench", "tests") for path in sorted((ROOT / top).rglob("*.py"))]
CITED = [(path.relative_to(ROOT), *found) for path in CODE for found in cited(path.read_text(encoding="utf-8"))]


def test_headings_that_code_cites_are_there() -> None:
    """The pages are the contract of the code, so each heading that it cites is one of the page."""
    headings = {name: [part.text for part in parts if part.kind == "heading"] for name, parts in PAGES.items()}
    lost = [
        (str(path), f"{page}, {rest}")
        for path, page, rest in CITED
        if not any(re.match(rf"{re.escape(heading)}(?!\w)", rest) for heading in headings.get(page, ()))
    ]
    assert lost == [] and len(CITED) > 20
    old = re.compile(r"contract sections? \d", re.IGNORECASE)
    assert [path for path in CODE if old.search(path.read_text(encoding="utf-8"))] == []


def test_evidence_names_its_tests() -> None:
    """The test above would pass if the page named nothing."""
    assert len(set(re.findall(r"`((?:tests|tools|bench|samples)/[\w./]*)`", TEXTS["docs/evidence.md"]))) > 30


def test_what_was_never_run_is_one_list() -> None:
    """The list is in the page of evidence; the README and the package's README lead to it."""
    anchor = "evidence.md#what-was-never-run-on-a-live-splunk"
    listed = TEXTS["docs/evidence.md"].partition("## What was never run on a live Splunk\n")[2]
    assert listed.count("\n- ") > 8
    assert f"](docs/{anchor})" in TEXTS["README.md"] and f"]({anchor})" in TEXTS[packaging.FRONT_PAGE]


def test_changelog_ends_at_this_version() -> None:
    """The newest release is the version of the code, every release has its day, and what is vendored is named."""
    headings = re.findall(r"^## (.*)$", TEXTS["CHANGELOG.md"], re.MULTILINE)
    releases = [heading for heading in headings if heading != "[Unreleased]"]
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", release) for release in releases)
    assert releases[0].startswith(f"[{flowlag.__version__}]")
    requirements = packaging.read_requirements((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    assert all(f"{name} {version}" in TEXTS["CHANGELOG.md"] for name, (version, _) in requirements.items())


@pytest.mark.parametrize("name", NAMES)
def test_words_are_fit_for_readers(name: str) -> None:
    """No notes to ourselves, no places on a machine, no signs that are no text."""
    text = TEXTS[name]
    assert not re.findall(
        r"TODO|FIXME|XXX|TBD|(?<!\w)/(?:work|home|root|tmp|Users|opt|var)/|file://|contract\.md|shared/", text
    )
    assert not [sign for sign in text if ord(sign) >= 0x2190]
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
