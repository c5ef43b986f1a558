# SPDX-License-Identifier: Apache-2.0
"""Fixtures that draw a view: one browser and one bundle for all tests; what is broken in a page fails its test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from . import build
from .drawn import LIMIT_MS, Drawn
from .server import Search, Server

FLAGS = [
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of `make screenshots`."""
    parser.addoption("--update-pictures", action="store_true", help="take the README's pictures of the views anew")


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The folder of the built page."""
    return build.build()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=build.chromium(), args=FLAGS, chromium_sandbox=False, timeout=LIMIT_MS
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(bundle: Path) -> Iterator[Server]:
    """The server of all tests; `open_view` gives it the app and the search of each."""
    with Server(bundle.parent, bundle, lambda query, earliest, latest: []) as server:
        yield server


class Pages:
    """The page that tests use one after another, since loading it takes seconds; a broken one is thrown away."""

    def __init__(self, browser: Browser) -> None:
        """No page yet."""
        self.context = browser.new_context(timezone_id="UTC", locale="en-US")
        self.context.set_default_timeout(LIMIT_MS)
        self.page: Optional[Page] = None

    def take(self, viewport: tuple[int, int]) -> Page:
        """The page in this size."""
        if self.page is None:
            self.page = self.context.new_page()
        self.page.set_viewport_size({"width": viewport[0], "height": viewport[1]})
        return self.page

    def discard(self) -> None:
        """The next test gets a new page."""
        if self.page is not None:
            self.page.close()
            self.page = None


@pytest.fixture(scope="session")
def pages(browser: Browser) -> Pages:
    """The page of all tests."""
    return Pages(browser)


@pytest.fixture
def open_view(pages: Pages, server: Server, request: pytest.FixtureRequest) -> Iterator[Callable[..., Drawn]]:
    """open_view(view, search=..., app=None, theme="light", viewport=(1440, 900), tokens={}): the settled view.

    The app is the packaged one when none is given. A view ends with its test or when the test opens the next; then
    whatever is wrong in it fails the test, unless it was opened with `expect_problems=True`.
    """
    shown: list[Drawn] = []
    problems: list[str] = []

    def end() -> None:
        while shown:
            drawn = shown.pop()
            problems.extend([] if drawn.expect_problems else drawn.problems())
            if not drawn.close():
                pages.discard()

    def draw(
        view: str,
        *,
        search: Search,
        app: Optional[Path] = None,
        theme: str = "light",
        viewport: tuple[int, int] = (1440, 900),
        tokens: Optional[dict[str, str]] = None,
        expect_problems: bool = False,
    ) -> Drawn:
        end()
        server.use(app or request.getfixturevalue("app"), search)
        drawn = Drawn(pages.take(viewport), server, expect_problems)
        shown.append(drawn)
        drawn.open(view, theme, tokens or {})
        return drawn

    yield draw
    end()
    assert not problems, "\n".join(problems)


@pytest.fixture(scope="session")
def check_view(browser: Browser, server: Server) -> Iterator[Callable[[Any], list[str]]]:
    """check_view(definition): what the renderer's own schema says against the JSON of a view."""
    page = browser.new_page()
    page.goto(f"{server.url}/check", timeout=LIMIT_MS)
    yield lambda definition: page.evaluate("definition => window.__check(definition)", definition)
    page.close()
