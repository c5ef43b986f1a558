# SPDX-License-Identifier: Apache-2.0
"""Owns the freshness of what is generated, and that one declaration of an option or a field reaches all of it."""

from __future__ import annotations

from argparse import Namespace
from typing import NamedTuple

import pytest

from flowlag.cli.command import add_options, given_options, make_parser
from flowlag.errors import SettingsError
from flowlag.match import options as match_options
from flowlag.options import Field, Option, count, gather_options, read_options
from tests.support.conf import read_conf
from tools import generated, searchbnf, tables
from tools.places import ROOT

#: Its tables are measured anew, on some ten thousand made records of each mode.
SLOW = pytest.param("docs/accuracy.md", marks=pytest.mark.slow)
NAMES = [SLOW if name == "docs/accuracy.md" else name for name in (*generated.FILES, *generated.pages())]


@pytest.mark.parametrize("name", NAMES)
def test_is_up_to_date(name: str) -> None:
    """A generated file, or a page with generated tables, is what it is made of today."""
    path = ROOT / name
    assert path.is_file() and generated.is_same(name, path.read_bytes(), generated.make(name)), (
        f"{name} is stale: run `make generated`"
    )


def test_a_stale_file_is_found() -> None:
    """The test above can fail: by one byte, by another icon, and by a page whose table is empty."""
    text = (ROOT / "default" / "searchbnf.conf").read_bytes()
    assert not generated.is_same("searchbnf.conf", text + b"\n", text)
    one, other = ((ROOT / "static" / name).read_bytes() for name in ("appIcon.png", "appIconAlt.png"))
    assert not generated.is_same("appIcon.png", one, other)
    page = "<!-- generated: layouts -->\n<!-- end -->"
    assert tables.fill(page, "x.md") != page


# -- pages


@pytest.mark.parametrize("name", [name for name in tables.TABLES if not name.startswith("accuracy")])
def test_table_is_whole(name: str) -> None:
    """Every table has rows, all as wide as its heading; the map is a list."""
    lines = tables.make_table(name)
    assert len(lines) > 2
    if name == "map":
        assert all(line.lstrip().startswith("- `") for line in lines)
        assert any(line.startswith("  - `timing`: THE model: when the packets") for line in lines)
    else:
        assert len({line.replace("\\|", "").count("|") for line in lines}) == 1


@pytest.mark.slow
def test_accuracy_tables_hold_the_claims() -> None:
    """All packets lie in their envelope, flowlagmatch misses no pair, and 20 records tell the mode of an interface."""
    envelope, joins, profile = (cells_of(f"accuracy-{name}") for name in ("envelope", "joins", "profile"))
    assert {row[3] for row in envelope} == {"100 %"}
    assert {row[0]: row[2] for row in joins}["`flowlagmatch`"] == "0"
    assert all(row[2] == "100 %" for row in profile if int(row[1]) >= 20)


@pytest.mark.slow
def test_tables_of_estates_hold_the_claims() -> None:
    """No true pair is missed; by opening records one to one, three of four logins get the right record first."""
    figures = {(row[0], row[1]): row[2:] for row in cells_of("accuracy-flows")}
    assert {cell for (_, figure), row in figures.items() if figure == "listed" for cell in row} == {"100 %"}
    best = "`starts`, `exclusive=true`"
    assert all(float(cell.removesuffix(" %")) >= 75 for cell in figures[best, "right first"])
    assert all(float(cell) <= 0.70 for cell in figures[best, "false pairs a login"])
    lags, whole, starts, _, _, _, internal, _ = zip(*cells_of("accuracy-connections"))
    assert lags[-1] == "all" and float(whole[-1].removesuffix(" %")) >= 95
    assert set(starts) == {"100 %"}
    assert float(internal[-1]) <= 0.80


def cells_of(name: str) -> list[list[str]]:
    """The cells of a table without its heading."""
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in tables.make_table(name)[2:]]


PAGE = """# Page
before
<!-- generated: packages -->
| stale |
<!-- end -->
after
```
<!-- generated: none -->
```
"""


def test_a_page_is_filled_between_its_markers_only() -> None:
    """What stands around a table stays, a marker in code is none, and filling again changes nothing."""
    filled = tables.fill(PAGE, "x.md")
    assert filled == PAGE.replace("| stale |", "\n".join(tables.make_table("packages")))
    assert tables.fill(filled, "x.md") == filled


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "a\n<!-- generated: tabel -->\n<!-- end -->",
            r"docs/x\.md:2: there is no table tabel; there are enrich-options",
        ),
        ("<!-- generated: map -->\n<!-- generated: map -->", r"docs/x\.md:2: the table map has no `<!-- end -->`"),
        ("<!-- generated: map -->\n", r"docs/x\.md: the table map has no `<!-- end -->`"),
    ],
    ids=["unknown", "nested", "open"],
)
def test_a_wrong_marker_is_refused(text: str, sentence: str) -> None:
    """The sentence names page and line."""
    with pytest.raises(tables.MarkerError, match=sentence):
        tables.fill(text, "docs/x.md")


# -- one declaration

FLOWS = count("most_flows", "7", "How many `flows` to count, 100 % of them.")
LIMIT = Option("limit", "<span>", None, "a `number`", "The end.", int)
CARRIED = Field("carried", "seconds", "how long `it` was carried", "it was not")


class Read(NamedTuple):
    """What the parser of a command and that of the shell make of an option."""

    in_search: object
    in_shell: object


def read(*arguments: str) -> Read:
    """The value of most_flows, given in both ways."""
    pairs = [(name, value) for name, _, value in (argument.partition("=") for argument in arguments)]
    parser = make_parser("made", "Made.")
    add_options(parser, [FLOWS, LIMIT], ["table"])
    args: Namespace = parser.parse_args([f"--{name.replace('_', '-')}={value}" for name, value in pairs])
    texts = [gather_options(some, [FLOWS, LIMIT], "made") for some in (pairs, given_options(args, [FLOWS, LIMIT]))]
    return Read(*(read_options(given, [FLOWS, LIMIT])["most_flows"] for given in texts))


def test_an_option_is_read_as_declared() -> None:
    """Its default holds without it; a value is read or refused with what is allowed, in a search and in the shell."""
    assert read() == Read(7, 7)
    assert read("most_flows=12", "limit=1") == Read(12, 12)
    with pytest.raises(SettingsError) as caught:
        read("most_flows=0")
    assert str(caught.value) == ('option most_flows: "0" is not allowed; give a whole number from 1 to 999999999.')


def test_an_option_and_a_field_reach_help_and_tables() -> None:
    """--help, the search assistant and the table say what the declaration says; only the table has backticks."""
    sentences = "How many flows to count, 100 % of them. Allowed: a whole number from 1 to 999999999. Default: 7."
    parser = make_parser("made", "Made.")
    add_options(parser, [FLOWS, LIMIT], ["table"])
    assert f"--most-flows INT {sentences} " in " ".join(parser.format_help().split())
    stanza = searchbnf.write_stanza(searchbnf.HELP[0]._replace(options=[FLOWS, LIMIT], fields=[CARRIED]))
    assert "flowlagenrich (most_flows=<int>)? (limit=<span>)?\n" in stanza
    assert f"most_flows: {sentences} \\\n" in stanza
    assert "limit: The end. Allowed: a number. Default: not set. \\\n" in stanza
    assert "carried: how long it was carried (seconds). \\\n" in stanza
    assert list(tables.option_table([FLOWS]))[2] == (
        "| `most_flows` | `7` | a whole number from 1 to 999999999 | How many `flows` to count, 100 % of them. |"
    )
    assert list(tables.field_table([CARRIED]))[2] == "| `carried` | seconds | how long `it` was carried | it was not |"


@pytest.mark.parametrize(
    ("option", "syntax"),
    [(match_options.BY, 'by="<key>(,<key>)*"'), (match_options.ANCHORS, '(anchors="<field>=<value>")?')],
    ids=["by", "anchors"],
)
def test_syntax_has_the_quotes_that_a_search_needs(option: Option, syntax: str) -> None:
    assert searchbnf.write_syntax(option) == syntax


@pytest.mark.parametrize("help_", searchbnf.HELP, ids=lambda help_: help_.command)
def test_search_assistant_reads_the_stanza(help_: searchbnf.Help) -> None:
    """Splunk's reading of the file gives every text back: nothing in it begins or ends a setting by accident."""
    stanza = {
        key: " ".join(value.split())
        for key, value in read_conf("default/searchbnf.conf")[f"{help_.command}-command"].items()
    }
    assert stanza["syntax"] == " ".join([help_.command, *map(searchbnf.write_syntax, help_.options)])
    assert stanza["description"].startswith(help_.description)
    assert all(searchbnf.describe_field(field) in stanza["description"] for field in help_.fields)
    assert stanza["example1"] == help_.examples[0][1]
    assert "\\" not in "".join(stanza.values()) and "".join(stanza.values()).isascii()
