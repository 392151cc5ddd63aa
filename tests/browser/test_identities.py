"""Sender identities: asking an owner, what is refused and why, asking again, deleting; foreign text stays text."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from support.dashboard import Visit
from support.screen import alerts, choose, row

XSS = "<img src=x onerror=alert(1)>"


def ask(page: Page, email: str, name: str = "") -> None:
    """The owner of this address, from the open dialog."""
    page.get_by_role("textbox", name="Address").fill(email)
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_role("button", name="Ask its owner").click()


def test_u02_from_asking_the_owner_to_deleting(page: Page, visit: Visit) -> None:
    shown = alerts(page)
    visit("/identities")
    expect(page.get_by_role("heading", name="No sender identity yet")).to_be_visible()
    page.get_by_role("button", name="New identity").first.click()
    page.get_by_role("combobox", name="Signed by").click()
    page.get_by_role("option").first.click()
    domain = page.get_by_role("combobox", name="Signed by").input_value()
    ask(page, "ben@gmail.com")
    expect(page.get_by_role("dialog")).to_contain_text("gmail.com")  # the reason, at the field
    page.get_by_label("Note to the owner").fill(XSS)
    ask(page, f"ben@news.{domain}", XSS)
    expect(row(page, f"ben@news.{domain}")).to_contain_text(XSS)
    expect(row(page, f"ben@news.{domain}")).to_contain_text("Waits for its owner")

    search = page.get_by_label("Search for an address or a name")
    search.fill("onerror")
    expect(page).to_have_url(re.compile("query=onerror"))
    expect(row(page, XSS)).to_be_visible()
    search.fill(f"nobody{XSS}")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    search.fill("")

    choose(page, f"ben@news.{domain}", "Send the confirmation again")
    expect(row(page, f"ben@news.{domain}")).to_contain_text("asked 2 times")
    choose(page, f"ben@news.{domain}", "Delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="No sender identity yet")).to_be_visible()
    assert shown == []
