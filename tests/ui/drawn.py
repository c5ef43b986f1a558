# SPDX-License-Identifier: Apache-2.0
"""A view drawn in the browser: what a person can read and do in it, and what went wrong while it was drawn."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Optional
from urllib.parse import urlencode

from playwright.sync_api import ConsoleMessage, Error, Locator, Page, Request

from .server import Server

SETTLED = """() => {
    const quiet = performance.now() - window.__changed > 600;
    const {sent, answered} = window.__searches;
    return quiet && sent === answered && document.querySelector('[data-test="LayoutContainer"]') !== null
        && !document.querySelector('[data-test="icon-placeholder"]');
}"""
TIMEOUT_MS = 20_000
WRONG_WORDS = re.compile(r"is not defined|Invalid [Dd]ate|\bNaN\b|\bundefined\b|Cannot access splunkweb|\$[\w:.]+\$")
ROW = '[data-test="body"] [data-test="row"]'
STEP_PX = 6
STEPS = 8


class Drawn:
    """One view on one page; `problems()` says what a person would call broken."""

    def __init__(self, page: Page, server: Server, expect_problems: bool = False) -> None:
        """Listen to a page, which may have shown another view before."""
        self.page, self.server, self.expect_problems = page, server, expect_problems
        self.heard: list[str] = []
        self.listeners: dict[str, Callable[..., None]] = {
            "console": self._console,
            "pageerror": lambda error: self.heard.append(f"page error: {error}"),
            "request": self._request,
        }
        for event, listener in self.listeners.items():
            page.on(event, listener)  # type: ignore[call-overload]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.heard.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.server.url, "data:", "blob:")):
            self.heard.append(f"request to another host: {request.url}")

    def open(self, view: str, theme: str, tokens: dict[str, str]) -> None:
        """Draw a view and wait until it has settled."""
        preset = {f"form.{name}": value for name, value in tokens.items()}
        query = "?" + urlencode({"view": view, "theme": theme, **preset})
        if self.page.url.startswith(self.server.url):
            self.page.mouse.move(0, 0)
            self.page.evaluate("query => window.__show(query)", query)
        else:
            self.page.goto(f"{self.server.url}/{query}")
        self.settle()

    def close(self) -> bool:
        """Take the view off the page and stop listening; whether the page can show another view."""
        with suppress(Error):
            self.page.evaluate("window.__close()")
            self.page.wait_for_function("() => window.__searches.sent === window.__searches.answered")
            for event, listener in self.listeners.items():
                self.page.remove_listener(event, listener)
            return not any(heard.startswith("page error") for heard in self.heard)
        return False

    def settle(self) -> None:
        """Wait until every search is answered, no panel waits and nothing changes; what never settles is a problem."""
        self.page.evaluate("window.__changed = performance.now()")  # what a click brings about may begin a little later
        try:
            self.page.wait_for_function(SETTLED, timeout=TIMEOUT_MS, polling=50)
        except Error as error:
            waiting = self.page.locator('[data-test="viz-item"]:has([data-test="icon-placeholder"])')
            names = [item.get_attribute("data-id") for item in waiting.all()]
            self.heard.append(f"the page did not settle; waiting: {names} ({error.message.splitlines()[0]})")

    def problems(self) -> list[str]:
        """What was heard and refused so far, and what is wrong in the picture now."""
        items = self.page.locator('[data-test="viz-item"]')
        failed = items.filter(has=self.page.locator('svg[aria-label="Error"], [data-test="dashboard-message"]'))
        return [
            *self.heard,
            *(f"no answer for {request}" for request in self.server.unanswered),
            *(f"search failed: {error}" for error in self.server.errors),
            *(f"the panel {item.get_attribute('data-id')} shows an error" for item in failed.all()),
            *(f"in the text: {found!r}" for found in WRONG_WORDS.findall(self.text())),
        ]

    def text(self, panel: Optional[str] = None) -> str:
        """What can be read in the page, or in one panel."""
        return (self.panel(panel) if panel else self.page.locator("body")).inner_text()

    def panel(self, name: str) -> Locator:
        """A panel by its name in the definition (viz_...), or by its title."""
        if self.page.locator(f'[data-test="viz-item"][data-id="{name}"]').count():
            return self.page.locator(f'[data-test="viz-item"][data-id="{name}"]')
        title = self.page.locator(f'[data-test="viz-title"]:text-is({quoted(name)})')
        return self.page.locator('[data-test="viz-item"]').filter(has=title)

    def panels(self) -> list[str]:
        """The names of the panels that are shown, from the top."""
        return [str(item.get_attribute("data-id")) for item in self.page.locator('[data-test="viz-item"]').all()]

    def titles(self) -> list[str]:
        """The titles of the panels that are shown, from the top."""
        return self.page.locator('[data-test="viz-title"]').all_inner_texts()

    def header(self, panel: str) -> list[str]:
        """The column names of a table."""
        return [text.strip() for text in self.panel(panel).locator('[data-test="head-cell"]').all_inner_texts()]

    def rows(self, panel: str) -> list[list[str]]:
        """The cells of the rows that a table shows on this page."""
        rows = self.panel(panel).locator(ROW).all()
        return [[cell.strip() for cell in row.locator('[data-test="cell"]').all_inner_texts()] for row in rows]

    def appear(self, panel: str) -> None:
        """Wait until a table that was hidden has rows: it needs one search after another."""
        self.page.locator(f'[data-test="viz-item"][data-id="{panel}"] {ROW}').first.wait_for(timeout=TIMEOUT_MS)
        self.settle()

    def click_cell(self, panel: str, row: int, column: str) -> None:
        """Click a cell of a table."""
        cells = self.panel(panel).locator(ROW).nth(row).locator('[data-test="cell"]')
        cells.nth(self.header(panel).index(column)).click()
        self.settle()

    def value(self, panel: str) -> str:
        """The number of a single value."""
        return self.panel(panel).locator('[data-test="majorValue"]').inner_text().strip()

    def lanes(self, panel: str) -> list[str]:
        """The names of a timeline's lanes, from the top."""
        return self.panel(panel).locator('[data-test="timeline-lane"]').all_inner_texts()

    def legend(self, panel: str) -> list[str]:
        """What a timeline's legend shows; one that does not fit is hidden."""
        texts = self.panel(panel).locator('[data-test="legend-text"]').all()
        return [text.inner_text() for text in texts if text.is_visible()]

    def hover_bar(self, panel: str, lane: str, category: str = "") -> dict[str, str]:
        """Move over a lane from the left into the first bar or circle (of a category): its tooltip, label to value.

        The tooltip shows some pixels before a click hits, so the mouse goes on to the middle of what was found.
        """
        row = self.panel(panel).locator(f'[data-test="timeline-lane"]:text-is({quoted(lane)})')
        row.scroll_into_view_if_needed()
        mark, plot = row.bounding_box(), self.panel(panel).locator(".u-over").bounding_box()
        assert mark and plot
        height = mark["y"] + mark["height"] / 2
        seen: list[float] = []
        found: dict[str, str] = {}
        for x in range(int(plot["x"]) + 2, int(plot["x"] + plot["width"]), STEP_PX):
            self.page.mouse.move(x, height)
            tooltip = self.tooltip(panel)
            if found and (tooltip != found or len(seen) == STEPS):
                break
            if tooltip and category in ("", tooltip.get("Category")):
                found = tooltip
                seen.append(x)
        assert found, f"the lane {lane} shows no {category or 'bar'}"
        self.page.mouse.move((seen[0] + seen[-1]) / 2, height)
        return found

    def tooltip(self, panel: str) -> dict[str, str]:
        """What a timeline's tooltip says, label to value; empty where there is none."""
        text = self.panel(panel).locator('[data-test="timeline-tooltip"]').evaluate("element => element.innerText")
        lines = [line for line in text.split("\n") if line]
        return dict(zip(lines[::2], lines[1::2]))

    def click_bar(self, panel: str, lane: str, category: str = "") -> dict[str, str]:
        """Click the bar or circle that `hover_bar` finds; its tooltip."""
        found = self.hover_bar(panel, lane, category)
        self.page.mouse.down()
        self.page.mouse.up()
        self.settle()
        return found

    def input(self, title: str) -> Locator:
        """An input by its title."""
        label = self.page.locator('[data-test="input-title"]', has_text=re.compile(rf"^\s*{re.escape(title)}\s*$"))
        return self.page.locator('[data-test="input-item"]').filter(has=label)

    def set_text(self, title: str, value: str) -> None:
        """Type into a text input."""
        box = self.input(title).locator("input")
        box.fill(value)
        box.press("Enter")
        self.settle()

    def options(self, title: str) -> list[str]:
        """What a dropdown offers."""
        self.input(title).locator('[data-test="select"]').click()
        options = self.page.locator('[data-test="option"]')
        options.first.wait_for()
        names = [text.strip() for text in options.all_inner_texts()]
        self.page.keyboard.press("Escape")
        self.settle()
        return names

    def choose(self, title: str, option: str) -> None:
        """Choose from a dropdown."""
        self.input(title).locator('[data-test="select"]').click()
        self.page.locator(f'[data-test="option"]:has(:text-is({quoted(option)}))').click()
        self.settle()

    def tokens(self) -> dict[str, Any]:
        """The tokens of the dashboard as they are now."""
        tokens: dict[str, Any] = self.page.evaluate("window.__tokens?.default ?? {}")
        return tokens

    def opened(self) -> list[dict[str, Any]]:
        """The links that clicks would have followed: url, newTab, and followed = the renderer accepts the address."""
        opened: list[dict[str, Any]] = self.page.evaluate("window.__opened")
        return opened

    def screenshot(self, path: Path) -> None:
        """A picture of the whole view: the window is made as high as the view is."""
        size = self.page.viewport_size
        layout = self.page.locator('[data-test="LayoutContainer"]').evaluate(
            "element => Math.ceil(element.getBoundingClientRect().top + element.scrollHeight)"
        )
        if size:
            self.page.set_viewport_size({"width": size["width"], "height": max(size["height"], layout)})
            self.settle()
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(path))


def quoted(text: str) -> str:
    """A string in a selector."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
