"""Signing in and out, as people do it."""

from __future__ import annotations

import re
from base64 import b32decode

import pytest
from playwright.sync_api import Page, expect

from postroom.runtime.clock import Clock
from postroom.wire import totp
from support.dashboard import EMAIL, PASSWORD, Postroom, Visit, settled, violations


def fill_in(page: Page, email: str = EMAIL, password: str = PASSWORD) -> None:
    page.get_by_role("textbox", name="Email").fill(email)
    page.get_by_role("textbox", name="Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_whoever_is_not_signed_in_comes_back_to_the_page_they_wanted(stranger: Page) -> None:
    stranger.goto("/users?page=1")
    fill_in(stranger)
    expect(stranger.get_by_role("heading", name="Users", level=1)).to_be_visible()
    expect(stranger).to_have_url(re.compile(r"/users\?page=1$"))
    expect(stranger).to_have_title("Users · Postroom")


@pytest.mark.parametrize(
    "back", ["https://evil.test/", "//evil.test/", r"/\evil.test", "javascript:alert(1)"]
)
def test_u10_signing_in_leads_to_pages_of_ours_only(page: Page, postroom: Postroom, back: str) -> None:
    page.goto(f"/sign-in?back={back}")
    expect(page).to_have_url(f"{postroom.url}/")


def test_a_wrong_password_is_told_with_what_to_do(stranger: Page) -> None:
    stranger.goto("/sign-in")
    fill_in(stranger, password="not the password")
    alert = stranger.get_by_role("alert")
    expect(alert).to_contain_text("The email address or the password is wrong.")
    expect(alert.get_by_role("link", name="sign-in-failed")).to_have_attribute(
        "href", "/refusals#sign-in-failed"
    )


def test_signing_in_and_out_by_keyboard_only(stranger: Page) -> None:
    stranger.goto("/sign-in")
    settled(stranger)
    keyboard = stranger.keyboard
    keyboard.type(EMAIL)  # the first field has the focus
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    expect(stranger.get_by_role("heading", level=1)).to_have_text("Home")
    stranger.reload()  # the start of a visit; after a click the focus is at the heading
    settled(stranger)
    keyboard.press("Tab")
    expect(stranger.get_by_role("link", name="Skip to the page")).to_be_focused()
    keyboard.press("Enter")
    expect(stranger.locator("#main")).to_be_focused()

    keyboard.press("/")
    expect(stranger.get_by_placeholder("Jump to a page")).to_be_focused()
    keyboard.type("prof")
    keyboard.press("Enter")
    expect(stranger.get_by_role("heading", name="Profile")).to_be_focused()

    stranger.get_by_role("button", name="Menu of").focus()
    keyboard.press("Enter")
    expect(stranger.get_by_role("menuitem", name="Profile")).to_be_focused()
    keyboard.press("ArrowUp")
    expect(stranger.get_by_role("menuitem", name="Sign out")).to_be_focused()
    keyboard.press("Enter")
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()
    stranger.go_back()
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_link_of_the_operator_signs_in_once(stranger: Page, postroom: Postroom) -> None:
    link = postroom.relay.command("user", "sign-in-link", EMAIL).stdout.split()
    secret = next(word for word in link if "/sign-in#link=" in word).partition("/sign-in")[2]
    stranger.goto("/sign-in")
    settled(stranger)
    stranger.goto(f"/sign-in{secret}")  # in the tab where the page is open already: nothing is loaded
    expect(stranger.get_by_role("heading", name="Sign in by a link")).to_be_visible()
    expect(stranger).to_have_url(f"{postroom.url}/sign-in")  # the secret is in no history
    stranger.get_by_role("button", name="Sign in", exact=True).click()
    expect(stranger.get_by_role("heading", name="Home")).to_be_visible()

    stranger.context.clear_cookies()
    stranger.goto("about:blank")
    stranger.goto(f"/sign-in{secret}")
    stranger.get_by_role("button", name="Sign in", exact=True).click()
    expect(stranger.get_by_role("alert")).to_contain_text("This link is not valid any more.")
    stranger.get_by_role("button", name="Sign in with a password instead").click()
    fill_in(stranger)
    expect(stranger.get_by_role("heading", name="Home")).to_be_visible()


def test_a_session_that_ends_leads_to_the_sign_in_page_and_back(
    page: Page, postroom: Postroom, visit: Visit
) -> None:
    visit("/users")
    postroom.relay.json("user", "sign-out", EMAIL)
    page.get_by_role("link", name="Home").click()
    fill_in(page)
    expect(page.get_by_role("heading", name="Home")).to_be_visible()


def test_u05_a_second_step_by_app_and_by_recovery_code(stranger: Page, postroom: Postroom) -> None:
    email = "carla@example.com"
    postroom.add_user(email)
    postroom.sign_in(stranger.context, email)
    stranger.goto("/profile")
    stranger.get_by_role("button", name="Switch it on").click()
    dialog = stranger.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Your password").fill(PASSWORD)
    dialog.get_by_role("button", name="Continue").click()
    expect(dialog.get_by_alt_text("QR code of the secret below")).to_be_visible()
    assert violations(stranger) == []
    secret = dialog.locator("code").inner_text()
    dialog.get_by_label("Code").fill("000000")
    dialog.get_by_role("button", name="Switch it on").click()
    expect(dialog.get_by_text("The code is wrong, or was used already.")).to_be_visible()
    dialog.get_by_label("Code").fill(code_now(secret))
    dialog.get_by_role("button", name="Switch it on").click()
    expect(dialog.get_by_role("button", name="I have kept them")).to_be_visible()
    recovery = dialog.locator("pre").inner_text().split()[0]
    dialog.get_by_role("button", name="I have kept them").click()
    expect(stranger.get_by_role("button", name="Switch it off")).to_be_visible()

    stranger.context.clear_cookies()
    stranger.goto("/profile")
    fill_in(stranger, email)
    expect(stranger.get_by_role("heading", name="Second step")).to_be_visible()
    stranger.get_by_role("button", name="Use a recovery code").click()
    stranger.get_by_label("Recovery code").fill(recovery)
    stranger.get_by_role("button", name="Continue").click()
    expect(stranger.get_by_role("heading", name="Profile")).to_be_visible()


def code_now(secret: str) -> str:
    """What an app shows for the secret as it is typed in."""
    return totp.code(b32decode(secret), totp.step_at(Clock().now_ms()))


def test_asking_for_a_new_password_tells_nobody_who_signs_in_here(stranger: Page) -> None:
    stranger.goto("/sign-in")
    stranger.get_by_role("link", name="Forgot the password?").click()
    expect(stranger.get_by_role("heading", name="Forgot the password?")).to_be_visible()
    stranger.get_by_role("textbox", name="Email").fill("nobody@example.com")
    stranger.get_by_role("button", name="Send the link").click()
    expect(stranger.get_by_text("If somebody signs in here with nobody@example.com")).to_be_visible()


@pytest.mark.parametrize("path", ["/reset#bad", "/invite#bad"])
def test_a_link_that_is_not_valid_says_so(stranger: Page, path: str) -> None:
    stranger.goto(path)
    expect(stranger.get_by_role("alert")).to_contain_text("valid")
    stranger.get_by_role("link", name="Go to sign-in").click()
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()
