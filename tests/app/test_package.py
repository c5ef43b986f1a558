# SPDX-License-Identifier: Apache-2.0
"""Owns what the package looks like from outside: its members, modes, order and times, and that two builds are equal.

The package is the one that FLOWLAG_PACKAGE names, else the newest in dist/ (`make package`).
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

import pytest

from tools import package as packaging
from tools.places import ROOT

OWN = ["app.manifest", "LICENSE", "README.md", "CHANGELOG.md", "default/commands.conf", "metadata/default.meta"]
VENDORED = ["splunklib/searchcommands/search_command.py", "dateutil/parser/isoparser.py", "six.py", "flowlag/timing.py"]
LICENCES = ["splunk-sdk", "python-dateutil", "six"]
NOT_SHIPPED = {
    "tests", "tools", "bench", "samples", "build", "dist", "Makefile", "pyproject.toml", "requirements.txt", "CONTRIBUTING.md",
}  # fmt: skip


@pytest.fixture(scope="module")
def path() -> Path:
    """The package under test."""
    given = os.environ.get("FLOWLAG_PACKAGE")
    found = [Path(given)] if given else sorted(ROOT.glob("dist/*.tar.gz"), key=lambda path: path.stat().st_mtime)
    if not found or not found[-1].is_file():
        pytest.fail("there is no package to test: run `make package`, or name one in FLOWLAG_PACKAGE")
    return found[-1]


@pytest.fixture(scope="module")
def members(path: Path) -> list[tarfile.TarInfo]:
    """The members of the package, in their order."""
    with tarfile.open(path) as archive:
        return archive.getmembers()


@pytest.fixture(scope="module")
def names(members: list[tarfile.TarInfo]) -> set[str]:
    """The paths of the package's files, without the top folder."""
    return {member.name.partition("/")[2] for member in members if member.isfile()}


def test_top_folder_is_the_app(members: list[tarfile.TarInfo]) -> None:
    """There is exactly one top folder, named as the app."""
    assert {member.name.split("/")[0] for member in members} == {"flowlag"}
    assert members[0].name == "flowlag"
    assert members[0].isdir()


def test_name_states_the_version(path: Path) -> None:
    """The file is named after the app and its version."""
    assert path.name == f"flowlag-{packaging.read_version(packaging.own_files())}.tar.gz"


def test_entries_are_normalised(members: list[tarfile.TarInfo]) -> None:
    """Files are 644 and folders 755, root owns all, there is one time, and nothing but files and folders."""
    assert {member.mode for member in members if member.isfile()} == {0o644}
    assert {member.mode for member in members if member.isdir()} == {0o755}
    assert all(member.isfile() or member.isdir() for member in members)
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}
    assert len({member.mtime for member in members}) == 1


def test_entries_are_sorted_and_unique(members: list[tarfile.TarInfo]) -> None:
    """The order is that of the paths, part by part, and no path comes twice."""
    paths = [member.name.split("/") for member in members]
    assert paths == sorted(paths)
    assert len({member.name for member in members}) == len(members)


def test_gzip_header_tells_nothing(path: Path) -> None:
    """The header has no time and no file name, and the content unpacks."""
    content = path.read_bytes()
    assert content[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    assert gzip.decompress(content)


def test_nothing_comes_along_by_accident(names: set[str]) -> None:
    """No byte code, dot files, tests, tools or build files; of the vendored packages no tests either."""
    parts = {part for name in names for part in PurePosixPath(name).parts}
    assert not [part for part in parts if part.startswith(".") or part.endswith((".pyc", ".pyo"))]
    assert not parts & {"__pycache__", "test", "tests", "local"}
    assert not {PurePosixPath(name).parts[0] for name in names} & NOT_SHIPPED


@pytest.mark.parametrize("name", [*OWN, *(f"lib/{name}" for name in VENDORED)])
def test_file_is_there(names: set[str], name: str) -> None:
    """The app and what it imports are in the package."""
    assert name in names


def test_dateutil_cannot_rebuild_its_zones(names: set[str]) -> None:
    """rebuild.py starts other programs, is never used, and gives a warning in AppInspect."""
    assert not [name for name in names if name.endswith("rebuild.py")]


@pytest.mark.parametrize("project", LICENCES)
def test_licence_comes_along(path: Path, project: str) -> None:
    """The licence text of every vendored project is in the package."""
    with tarfile.open(path) as archive:
        member = archive.extractfile(f"flowlag/lib/licences/{project}/LICENSE")
        assert member
        assert b"icense" in member.read()


def test_readme_is_one_for_an_administrator(path: Path) -> None:
    """The package's README is short, and asks for nothing that only a repository has."""
    with tarfile.open(path) as archive:
        member = archive.extractfile("flowlag/README.md")
        assert member
        text = member.read().decode()
    assert len(text.splitlines()) <= 100
    assert not re.findall(r"\bmake [a-z]|!\[|\.png", text)
    assert "](docs/index.md)" in text and "](SECURITY.md)" in text


def test_pages_come_without_their_pictures(path: Path, names: set[str]) -> None:
    """The pages of docs/ are in, no picture in PNG is, and no page shows one."""
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} - {packaging.FRONT_PAGE}
    assert {name for name in names if name.startswith("docs/")} == pages
    with tarfile.open(path) as archive:
        texts = [archive.extractfile(f"flowlag/{page}").read() for page in sorted(pages)]  # type: ignore[union-attr]
    assert len(texts) > 10 and not [text for text in texts if b".png" in text]


@pytest.mark.parametrize(
    ("page", "packed"),
    [
        ("a\n\n![x](y.png)\n\nb\n", "a\n\nb\n"),
        ("a\n\n![x](../appserver/static/y.svg)\n\nb\n", "a\n\n![x](../appserver/static/y.svg)\n\nb\n"),
        ("see ![x](y.png)\n", "see ![x](y.png)\n"),
    ],
    ids=["png", "svg", "within-a-line"],
)
def test_a_picture_on_a_line_of_its_own_is_left_out(page: str, packed: str) -> None:
    """Text and other pictures stay as they are."""
    assert packaging.PICTURE.sub(b"", page.encode()).decode() == packed


@pytest.mark.parametrize(
    ("link", "moved"),
    [
        ("[a](enrich.md#layouts)", "[a](docs/enrich.md#layouts)"),
        ("[a](../LICENSE)", "[a](LICENSE)"),
        ("[a](#here) [b](https://example.com/x)", "[a](#here) [b](https://example.com/x)"),
    ],
)
def test_links_follow_a_page_that_moves_up(link: str, moved: str) -> None:
    """A page of docs/ that becomes the README still leads to the same places."""
    assert packaging.move_up(link.encode()).decode() == moved


def test_every_tracked_file_of_the_app_is_in(names: set[str]) -> None:
    """All that git tracks below the shipped names is in, and below lib/ git tracks the app's own package only."""
    own = set(packaging.own_files())
    assert own <= names
    assert {PurePosixPath(name).parts[1] for name in own if name.startswith("lib/")} == {"flowlag"}


def build(folder: Path, **env: str) -> bytes:
    """Return the bytes of a package built somewhere else, from the same downloads."""
    command = [sys.executable, "-m", "tools.package", "--dist", str(folder / "dist")]
    options = ["--build", str(folder / "build"), "--cache", str(ROOT / "build" / "downloads")]
    done = subprocess.run([*command, *options], cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (package,) = (folder / "dist").iterdir()
    return package.read_bytes()


def test_two_builds_are_byte_identical(tmp_path: Path) -> None:
    """Two builds in different folders, under another time zone and umask, give the same bytes."""
    first = build(tmp_path / "a", TZ="UTC")
    mask = os.umask(0o077)
    try:
        assert build(tmp_path / "b", TZ="Asia/Tokyo", LC_ALL="C") == first
    finally:
        os.umask(mask)


def test_source_date_epoch_is_honoured(tmp_path: Path) -> None:
    """SOURCE_DATE_EPOCH is the time of every entry."""
    build(tmp_path, SOURCE_DATE_EPOCH="1602397706")
    with tarfile.open(next(tmp_path.glob("dist/*"))) as archive:
        assert {member.mtime for member in archive.getmembers()} == {1602397706}


def test_older_packages_are_removed(tmp_path: Path) -> None:
    """There is exactly one package after a build."""
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "flowlag-0.0.1.tar.gz").write_bytes(b"old")
    build(tmp_path)


def test_tree_in_build_is_what_is_packed(tmp_path: Path, members: list[tarfile.TarInfo]) -> None:
    """The folder that a build leaves to look at has the files of the package, with their modes."""
    build(tmp_path)
    tree = tmp_path / "build" / "flowlag"
    found = {str(path.relative_to(tree.parent)): path.stat().st_mode & 0o777 for path in [tree, *tree.rglob("*")]}
    assert found == {member.name: member.mode for member in members}


def test_versions_that_differ_are_refused() -> None:
    """A build stops with the places and what they state."""
    files = packaging.own_files()
    files["lib/flowlag/__init__.py"] = b'__version__ = "9.9.9"\n'
    with pytest.raises(packaging.PackageError, match=r"app\.manifest has .*__init__\.py has 9\.9\.9"):
        packaging.read_version(files)


def test_a_spoilt_download_is_not_used(tmp_path: Path) -> None:
    """A file in the cache counts by its hash alone."""
    requirements = packaging.read_requirements((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    cache = tmp_path / "cache"
    shutil.copytree(ROOT / "build" / "downloads", cache)
    assert set(packaging.find_downloads(cache, requirements)) == set(packaging.VENDORED)
    for archive in cache.iterdir():
        archive.write_bytes(archive.read_bytes() + b"\0")
    assert packaging.find_downloads(cache, requirements) == {}
