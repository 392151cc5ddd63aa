"""What people change about themselves."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from support.dashboard import PASSWORD, Postroom, Visit, opened, picture, settled, violations


def test_a_name_is_shown_at_once(page: Page, visit: Visit) -> None:
    visit("/profile")
    page.get_by_label("First name").fill("Anna <b>Bell</b>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("link", name="Home").click()
    expect(page.get_by_role("heading", name="Hello, Anna <b>Bell</b>")).to_be_visible()


def test_a_new_password_ends_the_other_sessions(
    page: Page, postroom: Postroom, browser: Browser, visit: Visit
) -> None:
    visit("/profile")
    with opened(browser, postroom) as elsewhere:
        postroom.sign_in(elsewhere)
        other = elsewhere.new_page()
        other.goto("/profile")
        settled(other)
        change(page, "wrong password", "another battery horse")
        expect(page.get_by_text("The password is wrong.")).to_be_visible()
        change(page, PASSWORD, "another battery horse")
        expect(page.get_by_role("textbox", name="New password")).to_have_value("")
        other.get_by_role("link", name="Home").click()
        expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
    change(page, "another battery horse", PASSWORD)  # with the token of the new session
    expect(page.get_by_role("textbox", name="New password")).to_have_value("")


def change(page: Page, old: str, new: str) -> None:
    page.get_by_role("textbox", name="Present password").fill(old)
    page.get_by_role("textbox", name="New password").fill(new)
    page.get_by_role("button", name="Change the password").click()


def test_signing_out_elsewhere_and_everywhere(
    page: Page, postroom: Postroom, browser: Browser, visit: Visit
) -> None:
    with opened(browser, postroom) as elsewhere:
        postroom.sign_in(elsewhere)
        visit("/profile")
        rows = page.get_by_role("region", name="Sessions").get_by_role("row")
        before = rows.count()
        rows.last.get_by_role("button", name="Sign out").click()
        expect(page.get_by_text("Signed out there.")).to_be_visible()
        expect(rows).to_have_count(before - 1)
    page.get_by_role("button", name="Sign out everywhere").click()
    page.get_by_role("dialog").get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_another_address_by_a_link(page: Page, postroom: Postroom, visit: Visit) -> None:
    """No mail can leave a fresh installation, so an operator is given the link."""
    postroom.add_user("old@example.com", "Admin", "--operator")
    postroom.sign_in(page.context, "old@example.com")
    visit("/profile")
    page.get_by_role("button", name="Change it").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="New email address").fill("old@example.com")
    dialog.get_by_role("textbox", name="Your password").fill("wrong password")
    picture(page, "email-change-1280")
    assert violations(page) == []
    dialog.get_by_role("button", name="Send the link").click()
    expect(dialog.get_by_text("The email is your address already.")).to_be_visible()
    dialog.get_by_role("textbox", name="New email address").fill("brand-new@example.com")
    dialog.get_by_role("button", name="Send the link").click()
    expect(dialog.get_by_text("The password is wrong.")).to_be_visible()
    dialog.get_by_role("textbox", name="Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Send the link").click()
    link = dialog.locator("code").inner_text()
    picture(page, "email-change-link-1280")
    expect(dialog).to_contain_text("brand-new@example.com")

    page.goto(link[link.index("/confirm-email") :])
    settled(page)
    assert "#" not in page.url
    picture(page, "email-change-confirm-1280")
    assert violations(page) == []
    page.get_by_role("button", name="Change the address").click()
    expect(page.get_by_text("You sign in with brand-new@example.com,")).to_be_visible()
    page.goto(link[link.index("/confirm-email") :])
    expect(page.get_by_role("alert")).to_contain_text("not valid any more")
    page.context.clear_cookies()
    postroom.sign_in(page.context, "brand-new@example.com")


def test_who_is_no_operator_is_told_whom_to_ask_for_the_link(
    page: Page, postroom: Postroom, visit: Visit
) -> None:
    postroom.add_user("plain@example.com")
    postroom.sign_in(page.context, "plain@example.com")
    visit("/profile")
    page.get_by_role("button", name="Change it").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="New email address").fill("plainer@example.com")
    dialog.get_by_role("textbox", name="Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Send the link").click()
    expect(dialog).to_contain_text("Ask the operator")
    expect(dialog.locator("code")).to_have_count(0)
