"""The sandbox inbox: what applications sent, read, searched and deleted."""

from __future__ import annotations

import re
from base64 import b64encode

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from support.dashboard import NARROW, Postroom, Visit, headers, opened, overflow, picture, settled, violations

XSS = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>"


def send(context: BrowserContext, subject: str, name: str = "Shop", **more: object) -> None:
    domain = context.request.get("/v1/domains").json()["data"][0]["name"]
    file = {"filename": "bill.txt", "content": b64encode(b"12 EUR").decode(), "disposition": "attachment"}
    message = {
        "from": {"email": f"shop@{domain}", "name": name},
        "to": [{"email": "ada@example.com"}],
        "subject": subject,
        "html": "<h1>Thank you</h1><p>Your order is on its way.</p>",
        "text": "Thank you, in text.",
        "attachments": [file],
    } | more
    assert context.request.post("/v1/email", data=message, headers=headers(context)).status == 202


def test_read_search_and_delete(page: Page, postroom: Postroom, visit: Visit) -> None:
    visit("/inbox")
    send(page.context, "The first order")
    send(page.context, "The second order")
    page.get_by_role("link", name=re.compile("The first order")).click()  # it has come by itself
    letter = page.get_by_role("article", name="The first order")
    frame = letter.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="Thank you")).to_be_visible()
    settled(page)
    picture(page, "inbox-open-1280")
    assert violations(page) == []
    letter.get_by_role("tab", name="Text").click()
    expect(letter.get_by_text("Thank you, in text.")).to_be_visible()
    letter.get_by_role("tab", name="Attachments (1)").click()
    with page.expect_download() as download:
        letter.get_by_role("link", name="Download bill.txt").click()
    assert download.value.path().read_bytes() == b"12 EUR"

    page.get_by_role("textbox", name="Search the inbox").fill("second")
    expect(page.get_by_role("link", name=re.compile("The first order"))).to_have_count(0)
    page.get_by_role("link", name=re.compile("The second order")).click()
    page.get_by_role("article", name="The second order").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Deleted.")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("The second order"))).to_have_count(0)

    page.get_by_role("button", name="Clear the filter").click()
    page.get_by_role("button", name="Empty the inbox").click()
    page.get_by_role("dialog").get_by_role("button", name="Empty the inbox").click()
    expect(page.get_by_role("heading", name="Nothing was sent to the sandbox yet")).to_be_visible()


def test_on_a_phone_an_email_is_a_page(browser: Browser, postroom: Postroom) -> None:
    with opened(browser, postroom, viewport=NARROW, has_touch=True) as context:
        postroom.sign_in(context)
        send(context, "For the phone")
        page = context.new_page()
        page.goto("/inbox")
        page.get_by_role("link", name=re.compile("For the phone")).first.tap()
        expect(page.get_by_role("heading", name="For the phone", level=1)).to_be_visible()
        expect(page.frame_locator("iframe").get_by_role("heading", name="Thank you")).to_be_visible()
        settled(page)
        picture(page, "inbox-open-390")
        assert overflow(page) <= 0
        assert violations(page) == []
        page.go_back()
        expect(page.get_by_role("heading", name="Sandbox inbox", level=1)).to_be_visible()


def test_u02_foreign_text_is_only_text(page: Page, postroom: Postroom, visit: Visit) -> None:
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    send(page.context, XSS, name=XSS, html=f"<p>hostile {XSS}</p>", text=XSS)
    visit("/inbox")
    page.get_by_role("link").filter(has_text="onerror").first.click()
    expect(page.get_by_role("heading", level=2)).to_have_text(XSS)
    expect(page.frame_locator("iframe").get_by_text("hostile")).to_be_visible()
    page.get_by_role("tab", name="Text").click()
    expect(page.get_by_role("region", name="Text of the email")).to_have_text(XSS)
