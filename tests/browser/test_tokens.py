"""The tokens of the whole account: made, looked at, renamed, paused, deleted; and names that stay text."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from support.dashboard import NARROW, Postroom, Visit, opened, overflow, picture, settled, violations
from support.screen import choose, row

EVIL = "<img src=x onerror=alert(1)>"


def generate(page: Page, name: str) -> Locator:
    """The dialog, with its name filled in."""
    page.get_by_role("button", name="Generate new token").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill(name)
    return dialog


def test_a_token_of_the_whole_account_from_its_making_to_its_end(page: Page, visit: Visit) -> None:
    visit("/tokens")
    expect(page.get_by_role("heading", name="No API token yet")).to_be_visible()
    dialog = generate(page, "Shop")
    dialog.get_by_role("radio", name="Chosen scopes").check()
    dialog.get_by_role("combobox", name="Scopes").fill("users")
    page.get_by_role("option", name="See users and the audit log").click()
    page.keyboard.press("Escape")
    picture(page, "tokens-new-1280")
    assert violations(page) == []
    dialog.get_by_role("button", name="Generate").click()
    secret = dialog.locator("pre").inner_text()
    answer = page.context.request.get("/v1/users", headers={"authorization": f"Bearer {secret}"})
    assert answer.status == 200
    dialog.get_by_role("button", name="I have kept it").click()
    expect(row(page, "Shop")).to_contain_text("The whole account")

    choose(page, "Shop", "Rename")
    page.get_by_role("textbox", name="Name").fill("Back office")
    page.get_by_role("button", name="Rename").click()
    choose(page, "Back office", "What it may do")
    details = page.get_by_role("dialog", name="Back office")
    expect(details.get_by_role("listitem")).to_have_text("See users and the audit log")
    picture(page, "tokens-details-1280")
    assert violations(page) == []
    page.keyboard.press("Escape")
    choose(page, "Back office", "Pause")
    expect(row(page, "Back office")).to_contain_text("Paused")
    choose(page, "Back office", "Let it go on")
    expect(row(page, "Back office")).to_contain_text("Active")
    choose(page, "Back office", "Delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="No API token yet")).to_be_visible()


def test_u02_one_for_a_domain_is_in_both_places_and_its_name_is_text(page: Page, visit: Visit) -> None:
    foul: list[str] = []
    page.on("dialog", lambda dialog: foul.append(dialog.message))
    domain = page.context.request.get("/v1/domains").json()["data"][0]
    visit("/tokens")
    dialog = generate(page, EVIL)
    dialog.get_by_role("combobox", name="For").click()
    page.get_by_role("option", name=domain["name"]).click()
    dialog.get_by_role("button", name="Generate").click()
    dialog.get_by_role("button", name="I have kept it").click()
    expect(row(page, EVIL)).to_contain_text(domain["name"])
    visit(f"/domains/{domain['id']}?tab=tokens")
    choose(page, EVIL, "Rename")
    expect(page.get_by_role("dialog")).to_contain_text(EVIL)
    page.get_by_role("textbox", name="Name").fill(f"{EVIL}2")
    page.get_by_role("button", name="Rename").click()
    expect(row(page, f"{EVIL}2")).to_be_visible()
    choose(page, f"{EVIL}2", "What it may do")
    expect(page.get_by_role("dialog")).to_contain_text(f"{domain['name']} alone")
    assert foul == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone(browser: Browser, postroom: Postroom, scheme: str) -> None:
    with opened(browser, postroom, viewport=NARROW, has_touch=True, color_scheme=scheme) as context:
        headers = postroom.sign_in(context)
        body = {"name": "Phone", "scopes": ["email_full", "domains_read"]}
        assert context.request.post("/v1/token", data=body, headers=headers).status == 200
        page = context.new_page()
        page.goto("/tokens")
        settled(page)
        picture(page, f"tokens-list-390-{scheme}")
        generate(page, "Shop")
        picture(page, f"tokens-new-390-{scheme}")
        assert overflow(page) <= 0
        assert violations(page) == []
