"""Opening pages of the dashboard in Chromium, and reading the clock in the page itself.

A page is there with the last change of the screen that belongs to its coming: there is a heading, nothing waits
(skeletons, `aria-busy`), no request is under way, and nothing has changed for a while.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

QUIET = 400
"""Milliseconds without a change."""
PATIENCE = 30.0
"""Seconds."""
ASKED = {"fetch", "script", "stylesheet"}
"""What a page waits for."""
ELSEWHERE = "/no/such/page"
"""From where a page is opened by a click: it asks the server nothing of its own."""

WATCH = """
(() => {
  const busy = "[aria-busy=true], .mantine-Skeleton-root, .mantine-Loader-root";
  window.seen = { began: 0, changed: 0 };
  new MutationObserver(() => requestAnimationFrame(() => { window.seen.changed = performance.now(); }))
    .observe(document, { subtree: true, childList: true, characterData: true,
                         attributeFilter: ["aria-busy", "data-faded"] });
  window.open_page = (path) => {
    performance.clearResourceTimings();
    window.seen = { began: performance.now(), changed: 0 };
    history.pushState(null, "", path);
    dispatchEvent(new PopStateEvent("popstate", { state: null }));
  };
  window.is_there = (quiet) => window.seen.changed > 0 && performance.now() - window.seen.changed > quiet
    && document.querySelector("h1") !== null && document.querySelector(busy) === null;
  window.took = () => ({
    shown: window.seen.changed - window.seen.began,
    files: performance.getEntriesByType("resource").filter((one) => one.initiatorType !== "fetch")
      .reduce((sum, one) => sum + one.transferSize, 0),
    calls: performance.getEntriesByType("resource").filter((one) => one.initiatorType === "fetch")
      .map((one) => [new URL(one.name).pathname, one.responseEnd - one.requestStart]),
  });
})();
"""


@dataclass
class Opened:
    """`shown` in milliseconds from the click; `octets` of scripts, styles and fonts that had to be fetched; `calls` are
    (path, milliseconds) of what was asked of the API."""

    shown: float
    octets: int
    calls: list[tuple[str, float]] = field(default_factory=list)


def missing() -> str:
    return "" if _executable() else "Chromium is not installed (Debian: chromium)"


def _executable() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=_executable(), args=arguments)
        try:
            yield browser
        finally:
            browser.close()


class Visitor:
    """A browser without a cache of its own history: `cold`, then `again` and `click` as often as wanted."""

    def __init__(self, browser: Browser, url: str, state: Any = None) -> None:
        self.context: BrowserContext = browser.new_context(
            base_url=url, viewport={"width": 1280, "height": 900}, storage_state=state
        )
        self.context.add_init_script(WATCH)
        self.page: Page = self.context.new_page()
        self._under_way: set[Request] = set()
        self.page.on("request", self._begun)
        self.page.on("requestfinished", self._ended)
        self.page.on("requestfailed", self._ended)

    def _begun(self, request: Request) -> None:
        if request.resource_type in ASKED:
            self._under_way.add(request)

    def _ended(self, request: Request) -> None:
        self._under_way.discard(request)

    def load(self, path: str) -> Opened:
        """As the address bar does."""
        self.page.goto("about:blank")
        self._under_way.clear()
        self.page.goto(path, wait_until="commit")
        return self._shown(path)

    def click(self, path: str) -> Opened:
        """Within the dashboard, from another page."""
        self.load(ELSEWHERE)
        self.page.evaluate("(path) => window.open_page(path)", path)
        return self._shown(path)

    def close(self) -> None:
        self.context.close()

    def _shown(self, path: str) -> Opened:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
            there = self.page.evaluate(f"window.is_there !== undefined && window.is_there({QUIET})")
            if there and not self._under_way:
                took = self.page.evaluate("window.took()")
                return Opened(took["shown"], took["files"], [(path, ms) for path, ms in took["calls"]])
        raise RuntimeError(f"{path} was not there after {PATIENCE:g} s")
