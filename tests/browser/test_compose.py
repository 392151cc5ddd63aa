"""Writing a test in the browser, checking and sending it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from support.dashboard import NARROW, Postroom, Visit, opened, overflow, picture, settled, violations


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


FOUL = """<style>h1 { color: rgb(1, 2, 3) } body { background: url(https://spy.test/a.png) }</style>
<h1 style="margin: 0">Hello</h1>
<script>alert(1)</script><script src="https://spy.test/a.js"></script>
<img src="https://spy.test/b.png" onerror="alert(1)"><svg onload="alert(1)"></svg>
<iframe srcdoc="<script>parent.alert(1)</script>"></iframe>
<form action="https://spy.test/"><input autofocus onfocus="alert(1)"></form>
<a href="javascript:alert(1)">away</a><base href="https://spy.test/">
<meta http-equiv="refresh" content="0;url=https://spy.test/">"""


def test_u02_a_preview_of_what_is_written(page: Page, visit: Visit) -> None:
    """Styled as people will see it, and nothing in it runs or is loaded."""
    foul: list[str] = []
    page.on("dialog", lambda dialog: foul.append(dialog.message))

    def asked(route: Route) -> None:
        foul.append(route.request.url)
        route.fulfill(content_type="image/png", body=b"")

    page.context.route("https://spy.test/**", asked)
    visit("/compose")
    page.get_by_role("textbox", name="HTML").fill(FOUL)
    page.get_by_role("tab", name="Preview").click()
    frame = page.frame_locator("iframe[title='Preview of the email']")
    heading = frame.get_by_role("heading", name="Hello")
    expect(heading).to_have_css("color", "rgb(1, 2, 3)")
    expect(heading).to_have_css("margin-top", "0px")
    frame.get_by_role("link", name="away").click()
    expect(page).to_have_url(re.compile("/compose$"))
    picture(page, "compose-preview-1280")
    assert foul == []

    page.get_by_role("button", name="Load pictures").click()
    expect(page.get_by_role("button", name="Without pictures")).to_be_visible()
    expect(heading).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert {url for url in foul if not url.endswith(".png")} == set()
    assert violations(page) == []

    page.get_by_role("tab", name="HTML").click()
    page.get_by_role("textbox", name="HTML").fill(" ")
    page.get_by_role("tab", name="Preview").click()
    expect(page.get_by_text("There is no HTML yet")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_preview_on_a_phone(browser: Browser, postroom: Postroom, scheme: str) -> None:
    with opened(browser, postroom, viewport=NARROW, has_touch=True, color_scheme=scheme) as context:
        postroom.sign_in(context)
        page = context.new_page()
        page.goto("/compose")
        settled(page)
        page.get_by_role("tab", name="Preview").tap()
        frame = page.frame_locator("iframe[title='Preview of the email']")
        expect(frame.get_by_role("heading", name="It works")).to_be_visible()
        picture(page, f"compose-preview-390-{scheme}")
        assert overflow(page) <= 0
        assert violations(page) == []
