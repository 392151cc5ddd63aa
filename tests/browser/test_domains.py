"""Domains: adding, DNS records, SMTP users, API tokens, pausing, settings, deleting; and foreign text that stays text."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from support.dashboard import NARROW, WIDE, Postroom, Visit, inspect, opened, settled, watch
from support.screen import alerts, choose, row

XSS = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "javascript:alert(1)",
    "{{7*7}}${7*7}",
)


@pytest.fixture
def sandbox(page: Page) -> str:
    """The id of the domain of the first run."""
    found = page.context.request.get("/v1/domains?limit=100").json()["data"]
    return str(next(one["id"] for one in found if one["mode"] == "sandbox"))


def test_a_new_domain_from_adding_to_its_records_and_away(page: Page, visit: Visit) -> None:
    visit("/domains")
    page.get_by_role("button", name="Add a domain").click()
    page.get_by_role("textbox", name="Name").fill("co.uk")
    page.get_by_role("button", name="Add the domain").click()
    expect(page.get_by_text("Everybody may register")).to_be_visible()
    page.get_by_role("textbox", name="Name").fill("mail.shop-of-anna.com")
    page.get_by_role("button", name="Add the domain").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("mail.shop-of-anna.com")
    expect(page.get_by_text("Not verified yet")).to_be_visible()

    dkim = page.get_by_role("region", name="DKIM: signs the mail")
    expect(dkim).to_contain_text("Required")
    expect(dkim.locator("code").first).to_have_text("pr1._domainkey.mail.shop-of-anna.com")
    page.get_by_role("combobox", name="Where is its DNS kept?").click()
    page.get_by_role("option", name="Amazon Route 53").click()
    expect(dkim.locator("code").first).to_have_text("pr1._domainkey.mail")
    dkim.get_by_role("button", name="Copy the value").click()
    assert re.fullmatch(r'"v=DKIM1[^"]+" "[^"]+"', page.evaluate("navigator.clipboard.readText()"))
    page.get_by_role("button", name="Check now").click()
    expect(dkim).to_contain_text(re.compile("Not found|No answer"))
    expect(dkim).to_contain_text("Mend it")

    page.get_by_role("tab", name="Settings").click()
    page.get_by_role("button", name="Delete mail.shop-of-anna.com").click()
    page.get_by_label("Type mail.shop-of-anna.com").fill("mail")
    page.get_by_role("button", name="Delete the domain").click()
    expect(page.get_by_text("Type mail.shop-of-anna.com.")).to_be_visible()
    page.get_by_label("Type mail.shop-of-anna.com").fill("mail.shop-of-anna.com")
    page.get_by_role("button", name="Delete the domain").click()
    expect(page.get_by_role("heading", name="Domains", level=1)).to_be_visible()
    expect(row(page, "mail.shop-of-anna.com")).to_have_count(0)


def test_an_smtp_user_is_disabled_limited_reset_and_deleted(page: Page, visit: Visit, sandbox: str) -> None:
    visit(f"/domains/{sandbox}?tab=smtp")
    page.get_by_role("button", name="Generate new user").click()
    page.get_by_role("textbox", name="Name").fill("Printer")
    page.get_by_role("button", name="Generate", exact=True).click()
    dialog = page.get_by_role("dialog", name="SMTP user Printer")
    first = dialog.locator("pre").first.inner_text()
    dialog.get_by_role("button", name="I have kept it").click()

    choose(page, "Printer", "Disable")
    expect(row(page, "Printer")).to_contain_text("Disabled")
    choose(page, "Printer", "Enable")
    expect(row(page, "Printer")).to_contain_text("Enabled")
    choose(page, "Printer", "Change name or limits")
    page.get_by_label("Most emails an hour").fill("20")
    page.get_by_label("Ends after").fill("2099-01-31")
    page.get_by_role("button", name="Save").click()
    expect(row(page, "Printer")).to_contain_text("20 an hour · ends on 2099-01-31")
    choose(page, "Printer", "Change name or limits")
    page.get_by_label("Most emails an hour").fill("")
    page.get_by_label("Ends after").fill("")
    page.get_by_role("button", name="Save").click()
    expect(row(page, "Printer")).not_to_contain_text("ends on")

    choose(page, "Printer", "Reset the password")
    page.get_by_role("button", name="Reset the password").click()
    expect(dialog.locator("pre").first).not_to_have_text(first)
    dialog.get_by_role("button", name="I have kept it").click()
    choose(page, "Printer", "Delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(row(page, "Printer")).to_have_count(0)


def test_an_api_token_is_shown_once_paused_and_deleted(page: Page, visit: Visit, sandbox: str) -> None:
    visit(f"/domains/{sandbox}?tab=tokens")
    expect(page.get_by_role("heading", name="No API token yet")).to_be_visible()
    page.get_by_role("button", name="Generate new token").first.click()
    page.get_by_role("textbox", name="Name").fill("Shop")
    page.get_by_label("Chosen scopes").check()
    page.get_by_role("combobox", name="Scopes").fill("see dom")
    page.get_by_role("option", name="See domains").click()
    page.get_by_role("textbox", name="Name").click()
    page.get_by_role("button", name="Generate", exact=True).click()
    token = page.get_by_role("dialog").locator("pre").inner_text()
    listed = page.request.get("/v1/domains", headers={"authorization": f"Bearer {token}"})
    assert [one["id"] for one in listed.json()["data"]] == [sandbox]
    page.get_by_role("button", name="I have kept it").click()
    expect(row(page, "Shop")).to_contain_text("See domains")
    choose(page, "Shop", "Pause")
    expect(row(page, "Shop")).to_contain_text("Paused")
    choose(page, "Shop", "Delete")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_role("heading", name="No API token yet")).to_be_visible()


def test_sending_is_paused_and_resumed_and_settings_stay(page: Page, visit: Visit, sandbox: str) -> None:
    visit(f"/domains/{sandbox}?tab=settings")
    page.get_by_role("button", name="Pause sending").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause sending").click()
    alert = page.get_by_role("alert").filter(has_text="Sending is paused")
    alert.get_by_role("button", name="Resume sending").click()
    expect(alert).to_have_count(0)
    page.get_by_role("switch", name="Precedence: bulk").check()
    page.get_by_role("textbox", name="Return path").fill("not a host")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("may only contain letters, digits and hyphens")).to_be_visible()
    page.get_by_role("textbox", name="Return path").fill("bounces")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    visit(f"/domains/{sandbox}?tab=settings")
    expect(page.get_by_role("switch", name="Precedence: bulk")).to_be_checked()
    expect(page.get_by_role("textbox", name="Return path")).to_have_value("bounces")


def test_tabs_by_keyboard(page: Page, visit: Visit, sandbox: str) -> None:
    visit(f"/domains/{sandbox}?tab=smtp")
    page.get_by_role("tab", name="SMTP").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="API tokens")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="Statistics")).to_be_visible()
    expect(page).to_have_url(re.compile(r"tab=statistics"))
    page.get_by_text("90 days").click()
    expect(page.get_by_role("region", name="Statistics")).to_contain_text("Processed")


def test_u02_foreign_text_stays_text(page: Page, postroom: Postroom, visit: Visit, sandbox: str) -> None:
    headers = postroom.sign_in(page.context)
    shown = alerts(page)
    for text in XSS:
        user = page.request.post(f"/v1/domains/{sandbox}/smtp-users", data={"name": text}, headers=headers)
        body = {"name": text, "scopes": ["email_full"], "domain_id": sandbox}
        token = page.request.post("/v1/token", data=body, headers=headers)
        assert (user.status, token.status) == (201, 200)
    for tab in ("smtp", "tokens"):
        visit(f"/domains/{sandbox}?tab={tab}")
        for text in XSS:
            expect(page.get_by_role("cell").get_by_text(text, exact=True)).to_be_visible()
        choose(page, XSS[0], "Delete")
        expect(page.get_by_role("dialog")).to_contain_text(XSS[0])
        page.get_by_role("button", name="Delete", exact=True).click()
        expect(page.get_by_text(f"{XSS[0]} is deleted.")).to_be_visible()
    assert shown == []


TABS = ("dns", "smtp", "tokens", "statistics", "settings")


@pytest.mark.parametrize(("name", "viewport"), [("1280", WIDE), ("390", NARROW)], ids=["1280", "390"])
def test_the_page_of_a_domain(
    browser: Browser, postroom: Postroom, name: str, viewport: dict[str, int]
) -> None:
    with opened(browser, postroom, viewport=viewport, has_touch=viewport is NARROW) as context:
        headers = postroom.sign_in(context)
        context.request.post("/v1/domains", data={"name": f"look{name}.example.org"}, headers=headers)
        domain = context.request.get("/v1/domains").json()["data"][-1]["id"]
        page = context.new_page()
        errors = watch(page)
        for tab in TABS:
            page.goto(f"/domains/{domain}?tab={tab}")
            settled(page)
            inspect(page, f"domain-{tab}-{name}")
            assert (tab, errors) == (tab, [])
