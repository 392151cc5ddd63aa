"""Every page, wide and narrow, light and dark: nothing fails, nothing overflows, nothing is out of reach; with pictures,
full and empty.

A new page is a line in PAGES, or in ENTRY if nobody has to be signed in; in EMPTY if it says something without data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import APIResponse, Browser, BrowserContext, Page

from support.dashboard import EMAIL, NARROW, ROOT, WIDE, Postroom, inspect, opened, settled, watch

PAGES = {
    "home": "/",
    "domains": "/domains",
    "identities": "/identities",
    "activity": "/activity",
    "refused": "/refused",
    "inbox": "/inbox",
    "compose": "/compose",
    "users": "/users",
    "profile": "/profile",
    "first-run": "/first-run",
    "approval": "/approval",
    "audit-log": "/audit-log",
    "requests": "/operator/requests",
    "accounts": "/operator/accounts",
    "plans": "/operator/plans",
    "suppressions": "/suppressions",
    "tokens": "/tokens",
    "not-found": "/no/such/page",
}
ENTRY = {
    "sign-in": "/sign-in",
    "sign-in-link": "/sign-in#link=abc",
    "sign-up": "/sign-up",
    "reset": "/reset",
    "invite": "/invite",
    "confirm-email": "/confirm-email#abc",
}
EMPTY = (
    "home",
    "domains",
    "identities",
    "activity",
    "refused",
    "inbox",
    "compose",
    "suppressions",
    "tokens",
    "approval",
    "audit-log",
)
WIDTHS = {"1280": WIDE, "390": NARROW}
LONG = "The-quarterly-report-of-the-department-with-the-longest-name-there-is " * 2


@dataclass
class Look:
    """One width, with a page of each who may look: a member, a stranger, and who has just got an account."""

    name: str
    member: Page
    stranger: Page
    newcomer: Page


@pytest.fixture(scope="module", params=WIDTHS)
def look(browser: Browser, postroom: Postroom, life: str, request: pytest.FixtureRequest) -> Iterator[Look]:
    viewport = WIDTHS[request.param]
    options = {"viewport": viewport, "has_touch": viewport is NARROW}
    with (
        opened(browser, postroom, **options) as member,
        opened(browser, postroom, **options) as stranger,
        opened(browser, postroom, **options) as newcomer,
    ):
        postroom.sign_in(member)
        postroom.sign_in(newcomer, life)
        yield Look(request.param, member.new_page(), stranger.new_page(), newcomer.new_page())


@pytest.fixture(scope="module")
def life(browser: Browser, postroom: Postroom) -> str:
    """Something to see on the pages; the address of somebody whose account has nothing."""
    with opened(browser, postroom) as context:
        post = poster(context, postroom)
        domain = context.request.get("/v1/domains").json()["data"][0]
        for number, (subject, name) in enumerate((("Your order", "Shop"), (LONG, LONG), ("", ""))):
            message = {
                "from": {"email": f"shop@{domain['name']}", "name": name or "Shop"},
                "to": [{"email": f"{'a-buyer-with-a-long-name.' * number}{number}@example.com"}],
                "subject": subject or "-",
                "text": "Thank you.",
                "tags": ["order", "a-tag-that-is-rather-long"],
            }
            post("/v1/email", message, 202)
        post("/v1/email", message | {"from": {"email": f"x@{'long.' * 12}example.org"}}, 422)
        post("/console/invites", {"email": "ben@example.com", "role": "Designer"}, 201)
        post("/v1/domains", {"name": f"{'a-rather-long-name.' * 3}shop.example.org"})
        asked = {"domain_id": domain["id"], "email": f"ben@news.{domain['name']}", "name": LONG[:100]}
        post("/v1/identities", asked, 201)
        hard = {"domain_id": domain["id"], "recipients": [f"{'gone.' * 10}{n}@example.org" for n in range(3)]}
        post("/v1/suppressions/hard-bounces", hard)
        account = post("/console/operator/accounts", {"name": "A new shop"}).json()["data"]["id"]
    email = "newcomer@example.com"
    arguments = ("--account", account, "--role", "Admin", "--password-stdin")
    postroom.relay.json("user", "add", email, *arguments, input=f"{postroom.password}\n")
    with opened(browser, postroom) as context:
        request = {
            "company": "A new shop",
            "website": "https://example.com",
            "content": "Receipts, and a newsletter to those who asked for it.",
            "daily_volume": 500,
            "consent": "A form with a link in a mail.",
            "contact": email,
        }
        poster(context, postroom, email)("/console/approval", request)
    return email


def poster(context: BrowserContext, postroom: Postroom, email: str = EMAIL) -> Callable[..., APIResponse]:
    """A function (path, body, status it has to have: any of success)."""
    headers = postroom.sign_in(context, email)

    def post(path: str, body: object, status: int = 0) -> APIResponse:
        answer = context.request.post(path, data=body, headers=headers)
        assert answer.status == status if status else answer.ok, (path, answer.status, answer.text())
        return answer

    return post


@pytest.mark.parametrize("name", PAGES)
def test_a_page(look: Look, name: str) -> None:
    look_at(look.member, PAGES[name], f"{name}-{look.name}")


@pytest.mark.parametrize("name", ENTRY)
def test_a_page_of_a_stranger(look: Look, name: str) -> None:
    look_at(look.stranger, ENTRY[name], f"{name}-{look.name}")


@pytest.mark.parametrize("name", EMPTY)
def test_a_page_without_data(look: Look, name: str) -> None:
    look_at(look.newcomer, PAGES[name], f"{name}-empty-{look.name}")


def look_at(page: Page, path: str, name: str) -> None:
    errors = watch(page)
    page.emulate_media(color_scheme="light")
    page.goto(path)
    settled(page)
    inspect(page, name)
    assert errors == []


def test_no_page_is_forgotten() -> None:
    """Pages of single objects have tests of their own."""
    listed = (ROOT / "ui/src/pages.tsx").read_text("utf-8")
    paths = set(re.findall(r'path: ("[^"]+")', listed))
    missing = {json.loads(path) for path in paths} - set(PAGES.values())
    assert {path for path in missing if ":" not in path} == set()
