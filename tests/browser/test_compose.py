"""Writing a test in the browser, checking and sending it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from support.dashboard import Visit, picture, violations


def test_check_send_and_follow(page: Page, visit: Visit) -> None:
    visit("/compose")
    page.get_by_role("textbox", name="To").fill("ada@example.com")
    page.get_by_role("textbox", name="Subject").fill("From the browser")
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("heading", name="It would be accepted")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Signature")).to_be_visible()
    picture(page, "compose-checked-1280")
    assert violations(page) == []
    page.get_by_role("button", name="Send the test").click()
    page.get_by_role("link", name="Follow it in Activity").click()
    expect(page.get_by_role("row").filter(has_text="From the browser")).to_be_visible()


def test_what_is_wrong_stands_at_its_field(page: Page, visit: Visit) -> None:
    visit("/compose")
    field = page.get_by_role("textbox", name="To")
    field.fill("<script>alert(1)</script>")
    page.get_by_role("button", name="Send the test").click()
    expect(field).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Check it").click()
    expect(page.get_by_role("heading", name="It would be refused")).to_be_visible()
