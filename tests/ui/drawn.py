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

#: How long anything may take, on the slowest machine. Every wait is for what is to be seen; no test depends on speed.
LIMIT_MS = 120_000
#: $ip$ is the argument of a macro whose definition the view Check shows.
WRONG_WORDS = re.compile(
    r"is not defined|Invalid [Dd]ate|\bNaN\b|\bundefined\b|Cannot access splunkweb|\$(?!ip\$)[\w:.]+\$"
)
ROW = '[data-test="body"] [data-test="row"]'
STEP_PX = 6


class Drawn:
    """One view on one page; `problems()` says what a person would call broken."""

    def __init__(self, page: Page, server: Server, expect_problems: bool = False) -> None:
        """Listen to a page, which may have shown another view before."""
        self.page, self.server, self.expect_problems = page, server, expect_problems
        self.heard: list[str] = []
        self.mouse = (0.0, 0.0)
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
            self.page.evaluate("limit => window.__rest(limit)", LIMIT_MS)
            for event, listener in self.listeners.items():
                self.page.remove_listener(event, listener)
            return not any(heard.startswith("page error") for heard in self.heard)
        return False

    def settle(self) -> None:
        """Wait until the page rests; a panel that still waits then waits for nothing, which is a problem."""
        outstanding = self.page.evaluate("limit => window.__rest(limit)", LIMIT_MS)
        panels = self.page.locator('[data-test="viz-item"]:has([data-test="icon-placeholder"])').all()
        if not self.page.locator('[data-test="LayoutContainer"]').count():
            outstanding.append("the layout")
        waiting = [*outstanding, *(item.get_attribute("data-id") for item in panels)]
        if waiting:
            self.heard.append(f"the page did not settle; waiting: {waiting}")

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
        """What can be read in the page, or in one panel; a mark of direction cannot."""
        return (self.panel(panel) if panel else self.page.locator("body")).inner_text().replace("\u200e", "")

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

    def lane(self, panel: str, lane: str) -> Locator:
        """The name of a timeline's lane, at its left."""
        return self.panel(panel).locator(f'[data-test="timeline-lane"]:text-is({quoted(lane)})')

    def legend(self, panel: str) -> list[str]:
        """What a timeline's legend shows; one that does not fit is hidden."""
        texts = self.panel(panel).locator('[data-test="legend-text"]').all()
        return [text.inner_text() for text in texts if text.is_visible()]

    def hover_bar(self, panel: str, lane: str, category: str = "") -> dict[str, str]:
        """Move over a lane from the left onto the first bar or circle (of a category): its tooltip, label to value."""
        self.page.mouse.move(0, 0)
        row = self.lane(panel, lane)
        row.scroll_into_view_if_needed()
        mark, plot = row.bounding_box(), self.panel(panel).locator(".u-over").bounding_box()
        assert mark and plot
        for x in range(int(plot["x"]) + 2, int(plot["x"] + plot["width"]), STEP_PX):
            self.mouse = (x, mark["y"] + mark["height"] / 2)
            tooltip = self.move(panel)
            if tooltip and category in ("", tooltip.get("Category")):
                return tooltip
        raise AssertionError(f"the lane {lane} shows no {category or 'bar'}")

    def move(self, panel: str, right_px: int = 0) -> dict[str, str]:
        """Move the mouse to the right of where it is, or only to there; the tooltip that is shown then."""
        self.mouse = (self.mouse[0] + right_px, self.mouse[1])
        self.page.mouse.move(*self.mouse)
        self.page.evaluate("window.__drawn()")
        return self.tooltip(panel)

    def tooltip(self, panel: str) -> dict[str, str]:
        """What a timeline's tooltip says, label to value; empty where there is none."""
        text = self.panel(panel).locator('[data-test="timeline-tooltip"]').evaluate("element => element.innerText")
        lines = [line for line in text.replace("\u200e", "").split("\n") if line]
        return dict(zip(lines[::2], lines[1::2]))

    def click_bar(self, panel: str, lane: str, category: str = "") -> dict[str, str]:
        """Click the bar or circle that `hover_bar` finds, or the next if this one is narrow; its tooltip.

        Splunk's timeline draws itself anew when the mouse comes onto another bar, and what is drawn anew takes no click
        before the mouse has moved on that same bar. A hand moves that much; this mouse does it here.
        """
        found, bar = self.hover_bar(panel, lane, category), {}
        while found != bar:
            bar, found = found, self.move(panel, 1)
        assert found and category in ("", found.get("Category")), f"the lane {lane}: too narrow a bar to be clicked"
        self.page.mouse.down()
        self.page.mouse.up()
        self.settle()
        return found

    def click_lane(self, panel: str, lane: str) -> None:
        """Click the name of a timeline's lane."""
        self.lane(panel, lane).click()
        self.settle()

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
