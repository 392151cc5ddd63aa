"""Every page, wide and narrow, light and dark: nothing fails, nothing overflows, nothing is out of reach; with pictures.

A new page is a line in PAGES, or in ENTRY if nobody has to be signed in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from support.dashboard import (
    NARROW,
    ROOT,
    WIDE,
    Postroom,
    opened,
    overflow,
    picture,
    settled,
    violations,
    watch,
)

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
    "not-found": "/no/such/page",
}
ENTRY = {
    "sign-in": "/sign-in",
    "sign-in-link": "/sign-in#link=abc",
    "sign-up": "/sign-up",
    "reset": "/reset",
    "invite": "/invite",
}
LOOKS = [
    ("1280", WIDE, "light"),
    ("1280-dark", WIDE, "dark"),
    ("390", NARROW, "light"),
    ("390-dark", NARROW, "dark"),
]


@pytest.fixture(scope="module", params=LOOKS, ids=[name for name, _, _ in LOOKS])
def look(
    browser: Browser, postroom: Postroom, request: pytest.FixtureRequest
) -> Iterator[tuple[str, Page, Page]]:
    """(name of the look, a page of who is signed in, one of a stranger)."""
    name, viewport, scheme = request.param
    options = {"viewport": viewport, "color_scheme": scheme, "has_touch": viewport is NARROW}
    with opened(browser, postroom, **options) as member, opened(browser, postroom, **options) as stranger:
        postroom.sign_in(member)
        yield name, member.new_page(), stranger.new_page()


@pytest.fixture(scope="module", autouse=True)
def life(browser: Browser, postroom: Postroom) -> None:
    """Something to see on the pages."""
    with opened(browser, postroom) as context:
        headers = postroom.sign_in(context)
        domain = context.request.get("/v1/domains").json()["data"][0]["name"]
        for number in range(3):
            message = {
                "from": {"email": f"shop@{domain}", "name": "Shop"},
                "to": [{"email": f"buyer{number}@example.com"}],
                "subject": f"Your order {number}",
                "text": "Thank you.",
            }
            assert context.request.post("/v1/email", data=message, headers=headers).status == 202
        invited = {"email": "ben@example.com", "role": "Designer"}
        assert context.request.post("/console/invites", data=invited, headers=headers).status == 201


@pytest.mark.parametrize("name", PAGES)
def test_a_page(look: tuple[str, Page, Page], name: str) -> None:
    looks, page, _ = look
    inspect(page, PAGES[name], f"{name}-{looks}")


@pytest.mark.parametrize("name", ENTRY)
def test_a_page_of_a_stranger(look: tuple[str, Page, Page], name: str) -> None:
    looks, _, page = look
    inspect(page, ENTRY[name], f"{name}-{looks}")


def inspect(page: Page, path: str, name: str) -> None:
    errors = watch(page)
    page.goto(path)
    settled(page)
    picture(page, name)
    assert overflow(page) <= 0
    assert violations(page) == []
    assert errors == []


def test_no_page_is_forgotten() -> None:
    """Pages of single objects have tests of their own."""
    listed = (ROOT / "ui/src/pages.tsx").read_text("utf-8")
    paths = set(re.findall(r'path: ("[^"]+")', listed))
    missing = {json.loads(path) for path in paths} - set(PAGES.values())
    assert {path for path in missing if ":" not in path} == set()
