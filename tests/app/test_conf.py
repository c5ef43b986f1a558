# SPDX-License-Identifier: Apache-2.0
"""Owns the coherence of the app's shell: conf files, manifest and icons agree with each other and with the code."""

from __future__ import annotations

import json
import re
import struct
from fnmatch import fnmatch
from ipaddress import ip_address
from pathlib import Path

import pytest

import flowlag
from tests.spl.engine import Engine
from tests.support.conf import COMMANDS, MACROS, SEARCHBNF, read_conf
from tools.places import ROOT

CHUNKED_KEYS = {
    "chunked",
    "filename",
    "is_risky",
    "maxchunksize",
    "maxwait",
    "python.required",
    "python.version",
    "run_in_preview",
}
SEARCHBNF_KEYS = {"syntax", "shortdesc", "description", "usage", "example1", "comment1", "example2", "comment2", "tags"}
ICONS = {"appIcon.png": 36, "appIconAlt.png": 36, "appIcon_2x.png": 72, "appIconAlt_2x.png": 72}
REPLICATED = ["__init__.py", "timing.py", "deep/er/module.py"]


def splunk_pattern(pattern: str) -> re.Pattern[str]:
    """Return a path pattern of Splunk's as a regular expression: `...` is anything, `*` anything but a slash."""
    parts = re.split(r"(\.\.\.|\*)", pattern)
    return re.compile("".join({"...": ".*", "*": "[^/]*"}.get(part, re.escape(part)) for part in parts))


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("default/*.conf")))
def test_every_conf_file_is_readable(name: str) -> None:
    """Each file has stanzas, names none twice, and every line in it is a comment, a stanza or a setting."""
    assert read_conf(f"default/{name}")


@pytest.mark.parametrize("command", COMMANDS)
def test_command_has_its_script_and_pythons(command: str) -> None:
    """The script of a command is there, and both ways of choosing a Python are used."""
    stanza = COMMANDS[command]
    assert (ROOT / "bin" / stanza["filename"]).is_file()
    assert stanza["chunked"] == "true"
    assert stanza["python.version"] in ("python3", "python3.9")
    assert set(stanza["python.required"].split(",")) == {"3.9", "3.13"}


@pytest.mark.parametrize("command", COMMANDS)
def test_command_has_only_keys_that_count_for_the_chunked_protocol(command: str) -> None:
    """Keys of the old protocol are ignored without a word, so that none may stand there."""
    keys = set(COMMANDS[command])
    assert not {key for key in keys - CHUNKED_KEYS if not fnmatch(key, "command.arg.*")}
    assert COMMANDS[command].get("is_risky", "false") == "false"


def test_every_script_in_bin_is_a_command_or_private() -> None:
    """A script without a stanza could not be called; modules of bin/ itself begin with an underscore."""
    scripts = {path.name for path in ROOT.glob("bin/*.py") if not path.name.startswith("_")}
    assert scripts == {stanza["filename"] for stanza in COMMANDS.values()}


def test_searchbnf_has_one_stanza_per_command() -> None:
    """The search assistant knows every command, and no other."""
    assert set(SEARCHBNF) == {f"{command}-command" for command in COMMANDS}


@pytest.mark.parametrize("stanza", SEARCHBNF)
def test_searchbnf_stanza_is_complete(stanza: str) -> None:
    """All keys are there, usage is public, and every example has its comment and uses the command."""
    settings = SEARCHBNF[stanza]
    assert set(settings) >= SEARCHBNF_KEYS
    assert settings["usage"] == "public"
    for number in re.findall(r"example(\d+)", " ".join(settings)):
        assert settings[f"comment{number}"]
        assert stanza.removesuffix("-command") in settings[f"example{number}"]


@pytest.mark.parametrize("macro", MACROS)
def test_macro_is_well_formed(macro: str) -> None:
    """The number in the name is that of the arguments, and the definition uses these and no other."""
    arity = re.fullmatch(r"\w+(?:\((\d+)\))?", macro)
    assert arity, macro
    arguments = [name.strip() for name in MACROS[macro].get("args", "").split(",") if name.strip()]
    assert len(arguments) == int(arity[1] or 0)
    assert set(re.findall(r"\$(\w+)\$", MACROS[macro]["definition"])) == set(arguments)
    assert MACROS[macro]["description"]


@pytest.mark.parametrize(
    ("macro", "expected"),
    [
        pytest.param("flowlag_bounds", ["1602397646", "1602397746", "1602397696", "50", "39"], id="default lag"),
        pytest.param("flowlag_bounds(30)", ["1602397676", "1602397746", "1602397711", "35", "39"], id="lag of 30 s"),
    ],
)
def test_flowlag_bounds_is_the_model(macro: str, expected: list[str], tmp_path: Path) -> None:
    """The macros give the numbers that the timing model gives for the third seed record."""
    engine = Engine([], tmp_path, "no-python", MACROS, 0)
    (row,) = engine.search(f"| makeresults | eval start_time=1602397706, end_time=1602397745 | `{macro}`")
    names = ("earliest", "latest", "time", "uncertainty", "duration")
    assert [row[f"flowlag_{name}"] for name in names] == expected


def test_flowlag_spell_spells_as_rfc_5952(tmp_path: Path) -> None:
    """Addresses in every spelling, with runs of zeros of each length and place; what is no address stays as it is."""
    others = ["web-1", "10.0.0.1", "00:1a:2b:3c:4d:5e", "12:30:59", "fe80::1%eth0", "1::2::3", "::"]
    addresses = [
        ip_address(bytes(byte for place in range(8) for byte in (0, 0 if zeros >> place & 1 else place * 16 + 10)))
        for zeros in range(256)
    ]
    spelled = {text: str(each) for each in addresses for text in (str(each), each.exploded, each.exploded.upper())}
    spelled |= {text: text for text in others}
    spelled |= {"::ffff:10.0.0.1": "10.0.0.1", "2001:db8:0::7": "2001:db8::7", "::0": "::"}
    events = [{"_time": "0", "address": text, "wanted": wanted} for text, wanted in spelled.items()]
    rows = Engine(events, tmp_path, "", MACROS, 0).search("search * | `flowlag_spell(address)` | where address!=wanted")
    assert not rows and len(events) > 600


def test_flowlag_index_is_the_only_site_value() -> None:
    """No other conf file names an index or a sourcetype, but for the examples of the help."""
    others = [path for path in ROOT.glob("default/*.conf") if path.name not in ("macros.conf", "searchbnf.conf")]
    assert MACROS["flowlag_index"]["definition"] == "sourcetype=aws:cloudwatchlogs:vpcflow"
    assert not [path.name for path in others if re.search(r"\b(index|sourcetype)\s*=", path.read_text("utf-8"))]


@pytest.mark.parametrize("module", REPLICATED)
@pytest.mark.parametrize("folder", ["flowlag", "splunklib", "dateutil"])
def test_lib_reaches_the_indexers(folder: str, module: str) -> None:
    """The allow list of the bundle, as Splunk reads its patterns, has all of lib/ and nothing else."""
    patterns = list(map(splunk_pattern, read_conf("default/distsearch.conf")["replicationAllowlist"].values()))
    assert any(pattern.fullmatch(f"apps/flowlag/lib/{folder}/{module}") for pattern in patterns)
    assert not any(pattern.fullmatch(f"apps/flowlag/{folder}/{module}") for pattern in patterns)
    assert not any(pattern.fullmatch(f"apps/other/lib/{folder}/{module}") for pattern in patterns)


def test_metadata_exports_what_other_apps_use() -> None:
    """Commands, their help, the macros and the lookup work in every app; only administrators write."""
    meta = read_conf("metadata/default.meta")
    kinds = ("commands", "searchbnf", "macros", "savedsearches", "analyticstories", "transforms", "lookups")
    assert all(meta[kind] == {"export": "system"} for kind in kinds)
    assert meta[""]["access"] == "read : [ * ], write : [ admin, sc_admin ]"


def test_versions_agree() -> None:
    """The manifest, app.conf and the package state one version, of three numbers."""
    conf = read_conf("default/app.conf")
    manifest = json.loads((ROOT / "app.manifest").read_text(encoding="utf-8"))
    stated = {
        flowlag.__version__,
        conf["launcher"]["version"],
        conf["id"]["version"],
        manifest["info"]["id"]["version"],
    }
    assert stated == {flowlag.__version__}
    assert re.fullmatch(r"\d+\.\d+\.\d+", flowlag.__version__)


def test_app_is_visible_only_with_a_view() -> None:
    """A visible app without a view would open on an empty page."""
    visible = read_conf("default/app.conf")["ui"]["is_visible"] in ("1", "true")
    assert visible == bool(list(ROOT.glob("default/data/ui/views/*.xml")))


def test_manifest_has_the_shape_of_schema_2() -> None:
    """The manifest has every section of the schema, names the app as app.conf does, and its files are there."""
    manifest = json.loads((ROOT / "app.manifest").read_text(encoding="utf-8"))
    conf = read_conf("default/app.conf")
    assert manifest["schemaVersion"] == "2.0.0"
    assert manifest["info"]["id"]["name"] == conf["package"]["id"] == conf["id"]["name"] == "flowlag"
    assert manifest["info"]["description"] == conf["launcher"]["description"]
    assert manifest["info"]["title"] == conf["ui"]["label"] and len(conf["ui"]["label"]) <= 80
    assert "VPC Flow Log" in conf["ui"]["label"], "the menu of apps says what it is"
    assert {"dependencies", "incompatibleApps", "platformRequirements", "supportedDeployments"} <= set(manifest)
    for section in ("license", "releaseNotes"):
        assert (ROOT / manifest["info"][section]["text"]).is_file()


@pytest.mark.parametrize(("name", "size"), ICONS.items())
def test_icon_has_its_size(name: str, size: int) -> None:
    """The icon is a PNG of the size that Splunk Web expects."""
    content = (ROOT / "static" / name).read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">LL", content[16:24]) == (size, size)
