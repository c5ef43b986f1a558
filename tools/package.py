# SPDX-License-Identifier: Apache-2.0
"""Owns the package, dist/flowlag-<version>.tar.gz: the files in it, and every byte of the archive.

It holds the files that git tracks (as they are in the work tree, by an explicit list of top-level names) and the
run-time requirements, vendored into lib/. It is written twice: to build/flowlag, to look at and to run, and to the
archive. The package has a README of its own, docs/package.md, and its pages have no pictures in PNG. Order, times,
modes and owners are fixed, so nothing of the building machine gets in and two builds of one commit are byte-identical.
Standard library only, any Python from 3.9; pip downloads what is not in the cache yet.
"""

from __future__ import annotations

import argparse
import configparser
import hashlib
import io
import json
import os
import posixpath
import re
import shutil
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from tools.places import ROOT

APP = "flowlag"

# The administrator gets these; everything else stays in the repository.
SHIPPED = (
    "CHANGELOG.md",
    "LICENSE",
    "README",
    "SECURITY.md",
    "app.manifest",
    "appserver",
    "bin",
    "default",
    "docs",
    "lib",
    "lookups",
    "metadata",
    "static",
)
# The README of the package; README.md of the repository is for those who build it.
FRONT_PAGE = "docs/package.md"
# A picture on a line of its own, with the blank line after it.
PICTURE = re.compile(rb"(?m)^!\[[^\]]*\]\([^)]+\.png\)\n\n?")
# The target of a link within the repository.
LINK = re.compile(rb"\]\((?!https?:|#)([^)]+)\)")
# The part that is vendored of each run-time requirement, by its name in requirements.txt.
VENDORED = {
    "splunk-sdk": "splunklib/",
    "python-dateutil": "dateutil/",
    "six": "six.py",
}
# It rebuilds dateutil's time zones by starting other programs: never used here, and AppInspect warns about it.
LEFT_OUT = ("dateutil/zoneinfo/rebuild.py",)
LICENCE_NAME = re.compile(r"(?i)(licen[cs]e|copying|notice)[^/]*")

# 1980-01-01: the oldest time that every archive format can hold; for a tree without a commit.
OLDEST = 315532800


class PackageError(Exception):
    """The package cannot be built; the text says why and what to do."""


def git(*arguments: str) -> str:
    """Return what a git command prints in this repository."""
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=True)
    except FileNotFoundError as error:
        raise PackageError("git is not installed; the package is made of the files that git tracks.") from error
    except subprocess.CalledProcessError as error:
        raise PackageError(f"git {arguments[0]}: {error.stderr.decode(errors='replace').strip()}") from error
    return done.stdout.decode()


# -- the app's own files


def is_shipped(name: str) -> bool:
    """Return whether a tracked file belongs to the package: by its top-level name, and no dot file or byte code."""
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
    picture = parts[0] == "docs" and name.endswith(".png")
    return parts[0] in SHIPPED and not hidden and not picture and not name.endswith((".pyc", ".pyo"))


def own_files() -> dict[str, bytes]:
    """Return path -> content of the tracked files that are shipped, as the package has them."""
    files = tracked_files()
    if FRONT_PAGE not in files:
        raise PackageError(f"git does not track {FRONT_PAGE}, the README of the package.")
    pages = {name: PICTURE.sub(b"", files[name]) for name in files if name.startswith("docs/") and name.endswith(".md")}
    front = pages.pop(FRONT_PAGE)
    del files[FRONT_PAGE]
    return {**files, **pages, "README.md": move_up(front)}


def move_up(page: bytes) -> bytes:
    """Return a page of docs/ for the folder above, its links changed."""
    return LINK.sub(lambda link: b"](" + posixpath.normpath(b"docs/" + link[1]) + b")", page)


def tracked_files() -> dict[str, bytes]:
    """Return path -> content of the tracked files that are shipped, as they are in the work tree."""
    names = [name for name in git("ls-files", "-z").split("\0") if name and is_shipped(name)]
    if not names:
        raise PackageError("git tracks no file of the app here: commit, or at least `git add`, the files first.")
    missing = [name for name in names if not (ROOT / name).is_file()]
    if missing:
        raise PackageError(f"tracked by git but not in the work tree: {', '.join(missing)}")
    if "LICENSE" not in names:
        raise PackageError("git does not track the LICENSE of the app.")
    return {name: (ROOT / name).read_bytes() for name in names}


def read_conf(files: dict[str, bytes], name: str) -> configparser.RawConfigParser:
    """Return one conf file of the app, parsed."""
    parser = configparser.RawConfigParser(strict=True, delimiters=("=",), comment_prefixes=("#",))
    parser.read_string(files[name].decode(), name)
    return parser


def versions(files: dict[str, bytes]) -> dict[str, str]:
    """Return place -> version for every place that states the version."""
    conf = read_conf(files, "default/app.conf")
    source = files[f"lib/{APP}/__init__.py"].decode()
    stated = re.search(r"^__version__(?:\s*:\s*\w+)?\s*=\s*[\"']([^\"']+)[\"']", source, re.MULTILINE)
    return {
        "app.manifest": json.loads(files["app.manifest"])["info"]["id"]["version"],
        "default/app.conf [launcher]": conf["launcher"]["version"],
        "default/app.conf [id]": conf["id"]["version"],
        f"lib/{APP}/__init__.py": stated[1] if stated else "none",
    }


def read_version(files: dict[str, bytes]) -> str:
    """Return the version of the app, which all places must state alike."""
    try:
        stated = versions(files)
    except KeyError as error:
        raise PackageError(f"not tracked by git, or without its version: {error.args[0]}") from error
    if len(set(stated.values())) > 1:
        raise PackageError("the version differs: " + ", ".join(f"{place} has {v}" for place, v in stated.items()))
    return stated["app.manifest"]


# -- third-party files


def read_requirements(text: str) -> dict[str, tuple[str, set[str]]]:
    """Return name -> (version, sha256 sums) of a pinned and hashed requirements file."""
    requirements = {}
    for line in re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*$", "", text)).splitlines():
        pinned = re.match(r"([\w.-]+)==(\S+)", line.strip())
        if pinned:
            requirements[pinned[1]] = (pinned[2], set(re.findall(r"--hash=sha256:([0-9a-f]{64})", line)))
    return requirements


def find_downloads(cache: Path, requirements: dict[str, tuple[str, set[str]]]) -> dict[str, Path]:
    """Return name -> archive for the requirements whose archive, by its hash, is in the cache."""
    archives = sorted(path for path in cache.glob("*") if path.name.endswith((".whl", ".tar.gz")))
    sums = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in archives}
    return {
        name: sums[digest]
        for name, (_, digests) in requirements.items()
        for digest in sorted(digests)
        if digest in sums
    }


def download(cache: Path) -> None:
    """Fill the cache with pip, which checks the hashes too."""
    cache.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-qq", "--no-deps"]
    wanted = ["--require-hashes", "--requirement", str(ROOT / "requirements.txt"), "--dest", str(cache)]
    if subprocess.run([*command, *wanted]).returncode:
        raise PackageError("pip could not download the packages of requirements.txt (see above).")


def fetch(cache: Path) -> dict[str, Path]:
    """Return name -> archive of every run-time requirement; pip is started only when one is not in the cache."""
    requirements = read_requirements((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    if set(requirements) != set(VENDORED):
        raise PackageError("requirements.txt and VENDORED in tools/package.py do not name the same packages.")
    if len(find_downloads(cache, requirements)) < len(requirements):
        download(cache)
    found = find_downloads(cache, requirements)
    if len(found) < len(requirements):
        raise PackageError(f"not downloaded: {', '.join(sorted(set(requirements) - set(found)))}")
    return found


def read_archive(path: Path) -> dict[str, bytes]:
    """Return path -> content of a wheel, or of a source archive without its top folder."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}
    with tarfile.open(path) as source:
        members = ((member, source.extractfile(member)) for member in source.getmembers())
        return {member.name.split("/", 1)[1]: content.read() for member, content in members if content}


def licences(project: str, content: dict[str, bytes], apache: bytes) -> dict[str, bytes]:
    """Return path -> text of a project's licence files; the Apache licence where it is declared but not enclosed."""
    texts = {
        f"lib/licences/{project}/{PurePosixPath(name).name}": text
        for name, text in content.items()
        if LICENCE_NAME.fullmatch(PurePosixPath(name).name)
    }
    if texts:
        return texts
    if b"Apache Software License" in content.get("PKG-INFO", b""):
        return {f"lib/licences/{project}/LICENSE": apache}
    raise PackageError(f"{project}: no licence text in its archive.")


def vendored_files(cache: Path, apache: bytes) -> dict[str, bytes]:
    """Return path -> content of everything third-party that goes into lib/, licences included."""
    files: dict[str, bytes] = {}
    for project, archive in fetch(cache).items():
        content = read_archive(archive)
        wanted = [name for name in content if name.startswith(VENDORED[project]) and name not in LEFT_OUT]
        files.update({f"lib/{name}": content[name] for name in wanted if not name.endswith(".pyc")})
        files.update(licences(project, content, apache))
    return files


# -- writing


def build_time() -> int:
    """Return the time that every entry gets: SOURCE_DATE_EPOCH, else that of the commit, else a constant."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given:
        if not given.isdigit():
            raise PackageError(f"SOURCE_DATE_EPOCH={given}: give a whole number of seconds.")
        return int(given)
    try:
        return int(git("log", "-1", "--format=%ct"))
    except PackageError:  # no commit yet
        return OLDEST


def write_tree(files: dict[str, bytes], folder: Path) -> None:
    """Write the files below a folder that is emptied first, with the modes of the archive."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in sorted(files):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[name])
        path.chmod(0o644)
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)


def with_folders(files: dict[str, bytes]) -> list[str]:
    """Return the paths of all files and of the folders that they are in, below the app's folder, sorted."""
    paths = [PurePosixPath(APP, name) for name in files]
    folders = {parent for path in paths for parent in path.parents if parent.parts}
    return sorted(map(str, [*paths, *folders]), key=lambda name: name.split("/"))


def tar(files: dict[str, bytes], mtime: int) -> bytes:
    """Return a tar archive of the files, every header fixed."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in with_folders(files):
            entry = tarfile.TarInfo(path)
            content = files.get(path[len(APP) + 1 :])
            entry.mtime = mtime
            entry.type = tarfile.DIRTYPE if content is None else tarfile.REGTYPE
            entry.mode = 0o755 if content is None else 0o644
            entry.size = len(content or b"")
            archive.addfile(entry, io.BytesIO(content or b""))
    return buffer.getvalue()


def compress(content: bytes) -> bytes:
    """Return content as one gzip member without name or time; by hand, since gzip's header differs between Pythons."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    body = deflate.compress(content) + deflate.flush()
    return header + body + struct.pack("<LL", zlib.crc32(content), len(content) & 0xFFFFFFFF)


def write_archive(content: bytes, version: str, dist: Path) -> Path:
    """Write the package as the only one in dist; return where it is."""
    dist.mkdir(parents=True, exist_ok=True)
    for old in dist.glob(f"{APP}-*.tar.gz"):
        old.unlink()
    path = dist / f"{APP}-{version}.tar.gz"
    path.write_bytes(content)
    path.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH)
    return path


def build(dist: Path, work: Path, cache: Path) -> Path:
    """Build the package; return where it is."""
    own = own_files()
    version = read_version(own)
    vendored = vendored_files(cache, own["LICENSE"])
    clash = sorted(set(own) & set(vendored))
    if clash:
        raise PackageError(f"tracked by git, but vendored at build: {', '.join(clash)}")
    files = {**own, **vendored}
    write_tree(files, work / APP)
    return write_archive(compress(tar(files, build_time())), version, dist)


def main() -> int:
    """Read the command line, build, return the exit code."""
    parser = argparse.ArgumentParser(description="Builds the Splunk package from the files that git tracks.")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="where the package goes (default: dist)")
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="where the tree goes (default: build)")
    parser.add_argument(
        "--cache", type=Path, default=ROOT / "build" / "downloads", help="downloads (default: build/downloads)"
    )
    arguments = parser.parse_args()
    try:
        path = build(arguments.dist, arguments.build, arguments.cache)
    except PackageError as error:
        print(f"package.py: {error}", file=sys.stderr)
        return 1
    print(f"{path} ({path.stat().st_size:,} bytes, sha256 {hashlib.sha256(path.read_bytes()).hexdigest()})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
