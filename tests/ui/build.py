# SPDX-License-Identifier: Apache-2.0
"""The bundle that draws a view: Splunk's renderer from npm and the page, put into build/ui when something changed.

    python tests/ui/build.py

Writes page.js and page.css, schemas.js that checks a definition, and schemas.json with the options that the renderer
knows. Nothing of it is shipped.
"""

from __future__ import annotations

import fcntl
import html
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / "ui"
SOURCES = sorted((HERE / "src").iterdir())
MANIFESTS = [HERE / "package.json", HERE / "package-lock.json"]
ESBUILD = [
    "--bundle",
    "--format=iife",
    "--minify",
    "--jsx=automatic",
    '--define:process.env.NODE_ENV="production"',
    "--define:global=globalThis",
    "--loader:.png=dataurl",
    "--loader:.svg=dataurl",
    "--log-level=error",
]
CHROMIUM_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


def chromium() -> str:
    """The browser of the machine."""
    return shutil.which("chromium") or "/usr/bin/chromium"


def build() -> Path:
    """Make what is missing or older than its sources, and say where it is."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers of pytest may ask for it at once
        if not installed():
            install()
        if older(BUILD / "page.js", [*SOURCES, BUILD / "package-lock.json", Path(__file__)]):
            bundle()
    return BUILD


def installed() -> bool:
    """npm writes its hidden lock file last, so that an interrupted install does not count."""
    done = BUILD / "node_modules" / ".package-lock.json"
    return done.exists() and all(
        (BUILD / path.name).exists() and (BUILD / path.name).read_bytes() == path.read_bytes() for path in MANIFESTS
    )


def install() -> None:
    """The packages of the lock file, beside the bundle; none of their scripts runs."""
    for path in MANIFESTS:
        shutil.copyfile(path, BUILD / path.name)
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])


def older(target: Path, sources: list[Path]) -> bool:
    """Whether a file must be made again."""
    return not target.exists() or target.stat().st_mtime < max(source.stat().st_mtime for source in sources)


def bundle() -> None:
    """Both bundles; page.js, whose age counts, is put in place last."""
    esbuild = str(BUILD / "node_modules" / ".bin" / "esbuild")
    new = BUILD / "new"
    shutil.rmtree(new, ignore_errors=True)
    quick = f"--alias:@splunk/dashboard-validation={HERE / 'src' / 'validation.js'}"
    run([esbuild, str(HERE / "src" / "page.jsx"), quick, f"--outdir={new}", *ESBUILD])
    run([esbuild, str(HERE / "src" / "schemas.js"), f"--outdir={new}", *ESBUILD])
    (new / "schemas.html").write_text('<body><script src="schemas.js"></script></body>')
    (BUILD / "schemas.json").write_text(schemas(new / "schemas.html"))
    for name in ("schemas.js", "page.css", "page.js"):
        (new / name).replace(BUILD / name)
    shutil.rmtree(new)


def schemas(page: Path) -> str:
    """What the page of schemas.js wrote: the preset cannot be imported without a browser."""
    dumped = subprocess.run(
        [chromium(), *CHROMIUM_FLAGS, "--dump-dom", page.as_uri()], check=True, capture_output=True, text=True
    ).stdout
    body = re.search(r"<body>(\{.*\})\s*</body>", dumped, re.DOTALL)
    if body is None:
        sys.exit("the renderer's preset could not be read in the browser")
    return html.unescape(body.group(1)) + "\n"


def run(command: list[str]) -> None:
    """A tool, with the packages of the bundle in its reach."""
    subprocess.run(command, check=True, cwd=BUILD, env={**os.environ, "NODE_PATH": str(BUILD / "node_modules")})


if __name__ == "__main__":
    build()
