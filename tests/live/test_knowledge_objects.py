# SPDX-License-Identifier: Apache-2.0
"""What pytest-splunk-addon finds in the package offline, in its own environment; and the YAML of the containers."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

import flowlag
from tests.live.settings import INDEX
from tests.support.conf import SEARCHES, read_conf
from tools.places import ROOT

FOLDER = ROOT / "tests" / "live" / "knowledge"
COMPOSE = ROOT / "tests" / "live" / "docker-compose.yml"
DEFAULTS = COMPOSE.with_name("docker-defaults.yml")
TESTS = 16 + len(SEARCHES)  # one of each kind of test of the plug-in, and one for each saved search
BACKSLASH = "\\\n"


@pytest.fixture(scope="module")
def psa() -> Path:
    """The interpreter of the plug-in's environment, which `make test` makes."""
    python = Path(os.environ.get("FLOWLAG_PSA", ROOT / "build" / "venv-psa" / "bin" / "python"))
    if not python.is_file():
        reason = "the environment of pytest-splunk-addon is not here: `make build/venv-psa/.stamp` makes it"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return python


def ask(psa, *arguments):
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [psa, "-m", "tests.live.addon", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


@pytest.fixture(scope="module")
def found(psa, app):
    done = ask(psa, "find", app)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def conf(name):
    return read_conf(f"default/{name}.conf") if (ROOT / "default" / f"{name}.conf").is_file() else {}


def test_parser_finds_every_saved_search_whole(found):
    """Name and text; the parser leaves the backslashes of continued lines."""
    texts = {name: " ".join(text.replace(BACKSLASH, " ").split()) for name, text in found["savedsearches"].items()}
    assert texts == {name: " ".join(keys["search"].split()) for name, keys in SEARCHES.items()}


def test_parser_finds_every_lookup(found):
    assert found["transforms"] == conf("transforms") and "flowlag_windows" in found["transforms"]


def test_parser_finds_every_eventtype_tag_and_prop(found):
    """As many as the app has: none by now; a file that is added has to be found."""
    assert found["eventtypes"] == sorted(conf("eventtypes"))
    assert found["tags"] == sorted(f"{name}::{tag}" for name, tags in conf("tags").items() for tag in tags)
    assert found["props"] == sorted(conf("props"))


def test_collection_makes_a_test_of_each_saved_search(psa, app):
    done = ask(psa, "collect", app)
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(re.findall(r"test_savedsearches\[(.*)\]$", done.stdout, re.MULTILINE)) == sorted(SEARCHES)
    assert f"{TESTS} tests collected" in done.stdout
    assert "::test_indextime_line_breaker[aws:cloudwatchlogs:vpcflow::flow_records.log]" in done.stdout


def test_generated_events_are_flow_records(found, packaged):
    """All lines of the sample with their stamps in place; the packaged command reads each of them."""
    lines = (FOLDER / "samples" / "flow_records.log").read_text(encoding="utf-8").splitlines()
    assert len(found["events"]) == len(lines) == 5
    rows = packaged([{"_raw": event} for event in found["events"]], ["flowlagenrich"])
    assert [row["flowlag_status"] for row in rows] == ["ok"] * 4 + ["nodata"]
    assert len({row["flowlag_start"] for row in rows}) == 1, "one time for all, 20 minutes before they are made"


def test_continued_lines_are_joined_before_a_search_is_sent():
    """Of the saved searches one is run by the plug-in; the others are skipped with the reason."""
    spec = importlib.util.spec_from_file_location("knowledge_conftest", FOLDER / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    items = []
    for name in ("Flow Logs - Delivery Lag", "Flow Logs - Learn Windows"):
        marks: list[object] = []
        params = {"splunk_searchtime_fields_savedsearches": {"search": f"a {BACKSLASH}| b"}}
        items.append(
            SimpleNamespace(
                name=f"test_savedsearches[{name}]",
                callspec=SimpleNamespace(params=params),
                marks=marks,
                add_marker=marks.append,
            )
        )
    module.pytest_collection_modifyitems(items)
    texts = [item.callspec.params["splunk_searchtime_fields_savedsearches"]["search"] for item in items]
    assert texts == ["a \n| b"] * 2 and [len(item.marks) for item in items] == [0, 1]


def test_data_generator_sends_to_the_test_index():
    keys = read_conf("tests/live/knowledge/pytest-splunk-addon-data.conf")
    assert {stanza["index"] for stanza in keys.values()} == {INDEX}


# -- containers


@pytest.fixture(scope="module")
def yaml(psa):
    """Read a YAML file with the parser of the plug-in's environment; here there may be none."""

    def load(path):
        script = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1], encoding='utf-8'))))"
        done = subprocess.run([psa, "-c", script, path], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return load


def test_containers_are_a_search_head_and_an_indexer(yaml):
    """Of one pinned image; the app is on the search head only, HEC on the indexer, and no port is open to others."""
    services = yaml(COMPOSE)["services"]
    roles = {name: service["environment"]["SPLUNK_ROLE"] for name, service in services.items()}
    assert roles == {"searchhead": "splunk_search_head", "indexer": "splunk_indexer"}
    assert {service["image"] for service in services.values()} == {"splunk/splunk:${SPLUNK_TAG:-9.4}"}
    assert [name for name, service in services.items() if "SPLUNK_APPS_URL" in service["environment"]] == ["searchhead"]
    ports = [port for service in services.values() for port in service["ports"]]
    assert (
        all(port.startswith("127.0.0.1:") for port in ports) and "127.0.0.1:8088:8088" in services["indexer"]["ports"]
    )
    for service in services.values():
        assert service["environment"]["SPLUNK_SEARCH_HEAD_URL"] == "searchhead"
        assert service["environment"]["SPLUNK_INDEXER_URL"] == "indexer"


def test_nothing_is_accepted_and_no_secret_is_set_for_the_user(yaml):
    """Each of these has to be given; the message says how."""
    for service in yaml(COMPOSE)["services"].values():
        for name in ("SPLUNK_START_ARGS", "SPLUNK_GENERAL_TERMS", "SPLUNK_PASSWORD", "SPLUNK_HEC_TOKEN"):
            assert service["environment"][name].startswith(f"${{{name}:?")


def test_files_of_the_containers_are_there(yaml):
    """The package by the name that the build gives it, and the defaults with the test index."""
    head = yaml(COMPOSE)["services"]["searchhead"]
    package = re.sub(r"\$\{FLOWLAG_VERSION:.*?\}", flowlag.__version__, head["environment"]["SPLUNK_APPS_URL"])
    assert package == f"/tmp/dist/flowlag-{flowlag.__version__}.tar.gz"
    sources = {volume.split(":")[-2]: volume.split(":")[0] for volume in head["volumes"]}
    assert (COMPOSE.parent / sources["/tmp/defaults/default.yml"]).resolve() == DEFAULTS
    assert (COMPOSE.parent / sources["/tmp/dist"]).resolve() == ROOT / "dist"
    confs = {entry["key"]: entry["value"]["content"] for entry in yaml(DEFAULTS)["splunk"]["conf"]}
    assert list(confs["indexes"]) == [INDEX] and INDEX in confs["authorize"]["role_admin"]["srchIndexesDefault"].split(
        ";"
    )
