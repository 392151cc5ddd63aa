"""The dashboard in a real browser: a running Postroom, Debian's Chromium, and a page that fails the test by its errors.

    def test_something(page: Page, visit: Visit) -> None:
        visit("/users")                                    # signed in as an Admin and operator
        page.get_by_role("button", name="Invite somebody").click()

`stranger` is a page that nobody is signed in to. Tests of one file share a relay. Every error in the browser's console
fails the test; answers of 4xx, which browsers log as errors, too, do not. Nothing here waits for a time: every wait ends
with what it waits for, and WITHIN is only where a busy machine is given up.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from support.net import Net, small_internet
from support.process import Relay, starting
from support.tools import unavailable

ROOT = Path(__file__).parents[2]
BUILT = ROOT / "src/postroom/web/dashboard/dist/index.html"
AXE = ROOT / "ui/node_modules/axe-core/axe.min.js"
SCREENSHOTS = ROOT / "build" / "screenshots"
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
WITHIN = 60_000
"""Milliseconds until something has to be there: the machine may be busy."""

EMAIL, PASSWORD = "anna@example.com", "correct horse battery"
_REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")

_WALL = re.compile(r"/v1/email/[0-9a-f]{24}/preview|/console/previews/[0-9a-z]{16}")
"""There the browser reports what a stranger's mail wanted to do and was not let: as it should be."""

SETTINGS = {
    "POSTROOM_HTTP__TRUSTED_PROXIES": '["127.0.0.1", "::1"]',
    "POSTROOM_DATABASE__TIMEOUT": "60s",
}
"""Every browser can have an address of its own, so that the limits for strangers count each for itself; and a busy machine
is no reason to answer 503."""
_addresses = count(1)

_ASKING = """{
    const ask = window.fetch;
    window.asking = 0;
    window.fetch = (...words) => {
        window.asking += 1;
        return ask(...words).finally(() => { window.asking -= 1; });
    };
}"""
_CALM = """async (within) => {
    const busy = () => document.querySelector("h1") === null || window.asking > 0
        || document.querySelector("[aria-busy=true], .mantine-Skeleton-root") !== null;
    const until = performance.now() + within;
    for (let calm = 0; calm < 4; calm = busy() ? 0 : calm + 1) {
        if (performance.now() > until) return false;
        await new Promise(requestAnimationFrame);
    }
    await document.fonts.ready;
    return true;
}"""

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
    """Chromium's path; a skip without it, or without a built dashboard. The shell has no windows, and is quicker."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        unavailable("Chromium is not installed (scripts/test-packages.sh installs what the tests use)")
    if not BUILT.exists() or not AXE.exists():
        unavailable("the dashboard is not built (make ui)")
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests of a file, not of a process: its event loop would be in the way of all asynchronous tests."""
    path = executable()
    expect.set_options(timeout=WITHIN)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"]
        started = playwright.chromium.launch(executable_path=path, args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """What a first run leaves, with Anna added, and the id of its account: made once, to be copied."""
    executable()  # without one nothing has to be started
    data = tmp_path_factory.mktemp("installation") / "data"
    with starting(data, "--first-run", settings=SETTINGS) as relay:
        (account,) = relay.json("account", "list")
        made = Postroom(relay, str(account["id"]), "")
        made.add_user(EMAIL, "Admin", "--operator")
        relay.stop()
    return data, made.account


@contextmanager
def installed(
    installation: tuple[Path, str], place: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Postroom]:
    """A relay on a copy of it in `place`."""
    made, account = installation
    data = shutil.copytree(made, place / "data")
    with starting(data, settings={**SETTINGS, **(settings or {})}) as relay:
        yield Postroom(relay, account, f"http://localhost:{relay.addresses['http']['port']}")


@pytest.fixture(scope="session")
def nowhere() -> Iterator[Net]:
    """A DNS that knows no name, and says so at once."""
    with small_internet() as net:
        yield net


@pytest.fixture(scope="module")
def postroom(
    installation: tuple[Path, str], nowhere: Net, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Postroom]:
    """After its first run."""
    with installed(installation, tmp_path_factory.mktemp("dashboard"), nowhere.settings) as made:
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
    """A browser of its own, without cookies, at an address of its own."""
    number = next(_addresses)
    context = browser.new_context(
        **{
            "base_url": postroom.url,
            "viewport": WIDE,
            "locale": "en-GB",
            "timezone_id": "Europe/Berlin",
            "permissions": ["clipboard-read", "clipboard-write"],
            "reduced_motion": "reduce",
            "extra_http_headers": {"x-forwarded-for": f"198.18.{number // 250}.{number % 250 + 1}"},
        }
        | options
    )
    context.set_default_timeout(WITHIN)
    context.add_init_script(_ASKING)
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
    """Until there is a heading, nothing is asked or loads any more, and it is drawn."""
    page.locator("h1").first.wait_for()
    assert page.evaluate(_CALM, WITHIN), f"{page.url} does not come to rest"


@cache
def _axe() -> str:
    return AXE.read_text("utf-8")


def violations(page: Page, *rules: str) -> list[str]:
    """What axe-core finds that is serious, with all its rules or these: "rule at where: how to mend it"."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())  # not as a script of the page: its policy forbids that
    # Frames hold mail of strangers: not ours to mend, and they may not answer.
    options: dict[str, Any] = {"resultTypes": ["violations"], "iframes": False}
    if rules:
        options["runOnly"] = list(rules)
    found: Sequence[dict[str, Any]] = page.evaluate(
        "async (options) => (await axe.run(document, options)).violations", options
    )
    return [
        f"{one['id']} at {node['target']}: {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def inspect(page: Page, name: str) -> None:
    """The page as it stands, in light and in dark: pictures, nothing beyond the window's edge, nothing out of reach."""
    page.emulate_media(color_scheme="light")
    settled(page)
    picture(page, name)
    assert overflow(page) <= 0
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    settled(page)
    picture(page, f"{name}-dark")
    assert violations(page, "color-contrast") == []


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def injected(page: Page) -> int:
    """Elements that can only come from somebody's text: none, unless that has become markup.

    A script in it would not tell: the policy of the pages keeps it from running.
    """
    return page.locator(
        "img[src='x'], img[onerror], script:not([src]), svg[onload], [href^='javascript:']"
    ).count()


def picture(page: Page, name: str) -> None:
    """Into build/screenshots, the whole page."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
