"""The dashboard in a real browser: a running Postroom, Debian's Chromium, and a page that fails the test by its errors.

    def test_something(page: Page, visit: Visit) -> None:
        visit("/users")                                    # signed in as an Admin and operator
        page.get_by_role("button", name="Invite somebody").click()

`stranger` is a page that nobody is signed in to. Tests of one file share a relay. Every error in the browser's console
fails the test; answers of 4xx, which browsers log as errors, too, do not.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from support.process import Relay, starting
from support.tools import unavailable

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "src/postroom/web/dashboard/dist/index.html"
AXE = ROOT / "ui/node_modules/axe-core/axe.min.js"
SCREENSHOTS = ROOT / "build" / "screenshots"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WITHIN = 15_000
"""Milliseconds until something has to be there: the machine may be busy."""

EMAIL, PASSWORD = "anna@example.com", "correct horse battery"
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")

_WALL = re.compile(r"/v1/email/[0-9a-f]{24}/preview")
"""There the browser reports what a stranger's mail wanted to do and was not let: as it should be."""

Visit = Callable[[str], None]


@dataclass
class Postroom:
    """A relay with a person who is an Admin of `account` and an operator."""

    relay: Relay
    account: str
    url: str
    email: str = EMAIL
    password: str = PASSWORD

    def add_user(self, email: str, role: str = "Admin", *options: str) -> None:
        """Somebody else, with the same password."""
        arguments = ("--account", self.account, "--role", role, "--password-stdin", *options)
        self.relay.json("user", "add", email, *arguments, input=f"{self.password}\n")

    def sign_in(self, context: BrowserContext, email: str = EMAIL) -> dict[str, str]:
        """Without the sign-in page; the headers with which the context's own requests may change something."""
        origin = {"origin": self.url}
        body = {"email": email, "password": self.password}
        answer = context.request.post(f"{self.url}/console/session", data=body, headers=origin)
        assert answer.status == 201, answer.text()
        return origin | {"x-csrf-token": answer.json()["data"]["csrf_token"]}


def headers(context: BrowserContext) -> dict[str, str]:
    """With which requests of a context that is signed in may change something, beside its pages."""
    session = context.request.get("/console/session").json()["data"]
    return {"x-csrf-token": session["csrf_token"]}


def executable() -> str:
    """Chromium's path; a skip without it, or without a built dashboard."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        unavailable("Chromium is not installed (scripts/test-packages.sh installs what the tests use)")
    if not BUILT.exists() or not AXE.exists():
        unavailable("the dashboard is not built (make ui)")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests of this process."""
    path = executable()
    expect.set_options(timeout=WITHIN)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        started = playwright.chromium.launch(executable_path=path, args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="module")
def postroom(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postroom]:
    """After its first run."""
    del browser  # without one nothing has to be started
    with starting(tmp_path_factory.mktemp("dashboard") / "data", "--first-run") as relay:
        (account,) = relay.json("account", "list")
        port = relay.addresses["http"]["port"]
        made = Postroom(relay, str(account["id"]), f"http://localhost:{port}")
        made.add_user(EMAIL, "Admin", "--operator")
        yield made


def watch(page: Page) -> list[str]:
    """What goes wrong in it from now on."""
    errors: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        wall = _WALL.search(message.location.get("url", ""))
        if message.type in ("error", "warning") and not wall and not _REFUSED.match(message.text):
            errors.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    page.on("console", heard)
    page.on("pageerror", lambda error: errors.append(f"thrown: {error}"))
    return errors


def opened(browser: Browser, postroom: Postroom, **options: Any) -> BrowserContext:
    """A browser of its own, without cookies."""
    context = browser.new_context(
        **{
            "base_url": postroom.url,
            "viewport": WIDE,
            "locale": "en-GB",
            "timezone_id": "Europe/Berlin",
            "permissions": ["clipboard-read", "clipboard-write"],
            "reduced_motion": "reduce",
        }
        | options
    )
    context.set_default_timeout(WITHIN)
    return context


@pytest.fixture
def stranger(browser: Browser, postroom: Postroom) -> Iterator[Page]:
    """A page that nobody is signed in to."""
    with opened(browser, postroom) as context:
        page = context.new_page()
        errors = watch(page)
        yield page
        if errors:
            pytest.fail("\n".join(errors), pytrace=False)


@pytest.fixture
def page(stranger: Page, postroom: Postroom) -> Page:
    """Of somebody who is signed in."""
    postroom.sign_in(stranger.context)
    return stranger


@pytest.fixture
def visit(page: Page) -> Visit:
    """Opens a page and waits until it is there."""

    def go(path: str) -> None:
        page.goto(path)
        settled(page)

    return go


def settled(page: Page) -> None:
    """Until there is a heading and nothing loads any more."""
    page.locator("h1").first.wait_for()
    page.wait_for_load_state("networkidle")
    expect(page.locator("[aria-busy=true], .mantine-Skeleton-root")).to_have_count(0)


def violations(page: Page) -> list[str]:
    """What axe-core finds that is serious: "rule at where: how to mend it"."""
    page.evaluate(AXE.read_text("utf-8"))  # not as a script of the page: its policy forbids that
    found: Sequence[dict[str, Any]] = page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
    )
    return [
        f"{one['id']} at {node['target']}: {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def picture(page: Page, name: str) -> None:
    """Into build/screenshots, the whole page."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
