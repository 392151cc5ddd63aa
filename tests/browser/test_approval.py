"""Asking to be approved, the operator's answer, and a larger quota; accounts as their operator sees them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from support.dashboard import Postroom, Visit, opened, settled, watch
from support.screen import row

EVIL = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>"


@pytest.fixture
def applicant(browser: Browser, postroom: Postroom) -> Iterator[Page]:
    """Somebody whose account is new and not approved."""
    headers: dict[str, str]
    with opened(browser, postroom) as operator:
        headers = postroom.sign_in(operator)
        made = operator.request.post("/console/operator/accounts", data={"name": EVIL}, headers=headers)
        account = str(made.json()["data"]["id"])
    email = f"{account}@example.com"
    arguments = ("--account", account, "--role", "Admin", "--password-stdin")
    postroom.relay.json("user", "add", email, *arguments, input=f"{postroom.password}\n")
    with opened(browser, postroom) as context:
        postroom.sign_in(context, email)
        page = context.new_page()
        errors = watch(page)
        page.on("dialog", lambda dialog: errors.append(dialog.message))
        yield page
        assert errors == []


def ask(page: Page) -> None:
    page.get_by_label("Company or person").fill(EVIL)
    page.get_by_label("Website").fill(f"https://example.com/{EVIL}")
    page.get_by_label("What do you send?").fill(EVIL)
    page.get_by_label("How have recipients agreed").fill(EVIL)
    page.get_by_role("button", name="Ask for approval").click()


def decide(page: Page, visit: Visit, answer: str, words: str) -> None:
    visit("/operator/requests")
    row(page, EVIL).last.get_by_role("button", name="Decide").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(f"https://example.com/{EVIL}")).to_be_visible()
    dialog.get_by_role("button", name=f"{answer} ...").click()
    dialog.get_by_role("textbox").last.fill(words)
    dialog.get_by_role("button", name=answer, exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_u02_from_the_questionnaire_to_the_approval_whatever_is_written(
    applicant: Page, page: Page, visit: Visit
) -> None:
    foul: list[str] = []
    page.on("dialog", lambda dialog: foul.append(dialog.message))
    applicant.goto("/approval")
    settled(applicant)
    expect(applicant.get_by_role("heading", name="What works meanwhile")).to_be_visible()
    applicant.get_by_role("button", name="Ask for approval").click()
    expect(applicant.get_by_label("Company or person")).to_have_attribute("aria-invalid", "true")
    ask(applicant)
    expect(applicant.get_by_role("heading", name="The operator has your request")).to_be_visible()
    expect(applicant.get_by_text(EVIL, exact=True).first).to_be_visible()

    decide(page, visit, "Refuse", f"Who are you? {EVIL}")
    applicant.reload()
    expect(applicant.get_by_role("alert").filter(has_text="has refused")).to_contain_text(EVIL)
    ask(applicant)  # what was answered before stands there still
    decide(page, visit, "Approve", "Welcome.")
    applicant.reload()
    expect(applicant.get_by_role("heading", name="This account is approved")).to_be_visible()

    page.get_by_text("Approved", exact=True).first.click()
    expect(row(page, EVIL).first).to_be_visible()
    visit("/operator/accounts?search=onerror")
    expect(row(page, EVIL).first).to_be_visible()
    applicant.goto("/audit-log?action=approval_request.")
    row(applicant, "Approval request").first.get_by_role("button", name="Details").click()
    expect(applicant.get_by_role("dialog").get_by_role("row").nth(1)).to_be_visible()
    assert foul == []


def test_a_larger_quota_is_asked_for_and_given(applicant: Page, page: Page, visit: Visit) -> None:
    visit("/operator/accounts?search=onerror")
    page.get_by_role("link", name=EVIL).first.click()
    page.get_by_role("button", name="Change the quota").click()
    page.get_by_label("Emails a day").fill("10")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("0 of 10")).to_be_visible()

    applicant.goto("/approval")
    applicant.get_by_role("button", name="Ask for more").click()
    applicant.get_by_role("dialog").get_by_label("Emails a day").fill("5")
    applicant.get_by_label("What for?").fill(EVIL)
    applicant.get_by_role("button", name="Ask for it").click()
    expect(applicant.get_by_text("must be larger than the quota there is (10)")).to_be_visible()
    applicant.get_by_role("dialog").get_by_label("Emails a day").fill("5000")
    applicant.get_by_role("button", name="Ask for it").click()
    expect(applicant.get_by_role("alert").filter(has_text="Waits for the operator")).to_contain_text("5,000")

    visit("/operator/requests")
    row(page, "5,000 a day").get_by_role("button", name="Decide").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Approve ...").click()
    dialog.get_by_label("Emails a day").fill("100")
    dialog.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    applicant.reload()
    expect(applicant.get_by_text("0 of 100 today")).to_be_visible()


def test_an_account_is_added_approved_suspended_and_let_go_on(page: Page, visit: Visit) -> None:
    visit("/operator/accounts")
    page.get_by_role("button", name="Add an account").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Bakery")
    dialog.get_by_label("Approved").uncheck()
    dialog.get_by_role("button", name="Add it").click()
    expect(page.get_by_role("heading", name="Bakery", level=1)).to_be_visible()
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.locator("main").get_by_text("Approved", exact=True).first).to_be_visible()
    page.get_by_role("button", name="Suspend ...").click()
    page.get_by_label("Why").fill(EVIL)
    page.get_by_role("button", name="Suspend the account").click()
    expect(page.get_by_role("region", name="Note of the suspension")).to_contain_text(EVIL)
    page.get_by_role("button", name="Lift the suspension").click()
    expect(page.get_by_role("button", name="Suspend ...")).to_be_visible()
    page.get_by_role("link", name="Accounts").last.click()
    page.get_by_role("combobox", name="State").click()
    page.get_by_role("option", name="Suspended").click()
    expect(page.get_by_role("heading", name="No such account")).to_be_visible()
