"""Inviting somebody, joining, roles, removing."""

from __future__ import annotations

from playwright.sync_api import Browser, Page, expect

from support.dashboard import PASSWORD, Postroom, Visit, opened, picture, violations, watch
from support.screen import choose, row


def test_from_the_invitation_to_the_role_and_out_again(
    page: Page, postroom: Postroom, browser: Browser, visit: Visit
) -> None:
    visit("/users")
    page.get_by_role("button", name="Invite somebody").click()
    assert violations(page) == []
    page.get_by_role("textbox", name="Email").fill("dora@example.com")
    page.get_by_role("combobox", name="Role").click()
    page.get_by_role("option", name="Designer").click()
    page.get_by_role("button", name="Invite", exact=True).click()
    link = page.get_by_role("dialog").locator("code").inner_text()  # no mail can leave a fresh installation
    page.get_by_role("button", name="Done").click()
    expect(row(page, "dora@example.com")).to_contain_text("Designer")

    with opened(browser, postroom) as theirs:
        join(theirs.new_page(), link[link.index("/invite") :])

    page.reload()
    expect(page.get_by_role("region", name="Invited")).to_have_count(0)
    choose(page, "Dora Diaz", "Change the role")
    page.get_by_role("combobox", name="Role").click()
    page.get_by_role("option", name="Custom User").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("dialog")).to_contain_text("The permissions field is required")
    page.get_by_role("combobox", name="Permissions").fill("read act")
    page.get_by_role("option", name="read activity").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Save").click()
    expect(row(page, "Dora Diaz")).to_contain_text("1 permissions")

    choose(page, "Dora Diaz", "Remove")
    page.get_by_role("button", name="Remove", exact=True).click()
    expect(row(page, "Dora Diaz")).to_have_count(0)


def test_a_custom_user_sees_chosen_templates(page: Page, postroom: Postroom, visit: Visit) -> None:
    headers = postroom.sign_in(page.context)
    body = {"name": "Order <b>1</b>", "html": "<p>Hello</p>", "text": "Hello"}
    made = page.context.request.post("/v1/templates", data=body, headers=headers)
    assert made.status == 201, made.text()
    visit("/users")
    page.get_by_role("button", name="Invite somebody").click()
    page.get_by_role("textbox", name="Email").fill("tess@example.com")
    page.get_by_role("combobox", name="Role").click()
    page.get_by_role("option", name="Custom User").click()
    expect(page.get_by_role("combobox", name="Templates")).to_have_count(0)
    page.get_by_role("combobox", name="Permissions").fill("own templ")
    page.get_by_role("option", name="read own templates").click()
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="Templates").click()
    page.get_by_role("option", name="Order <b>1</b>").click()
    page.keyboard.press("Escape")
    picture(page, "users-templates-1280")
    assert violations(page) == []
    page.get_by_role("button", name="Invite", exact=True).click()
    page.get_by_role("button", name="Done").click()
    invited = page.context.request.get("/v1/invites").json()["data"]
    (tess,) = [one for one in invited if one["email"] == "tess@example.com"]
    assert tess["data"]["templates"] == [made.json()["data"]["id"]]


def join(page: Page, path: str) -> None:
    errors = watch(page)
    page.goto(path)
    page.get_by_label("First name").fill("Dora")
    page.get_by_label("Last name").fill("Diaz")
    page.get_by_role("textbox", name="Password").fill("short")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("at least 10 characters").last).to_be_visible()
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    page.get_by_role("textbox", name="Email").fill("dora@example.com")
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Hello, Dora")).to_be_visible()
    expect(page.get_by_role("link", name="Users")).to_have_count(0)
    page.goto("/users")
    expect(page.get_by_role("heading", name="Your role does not include this")).to_be_visible()
    assert errors == []


def test_what_the_server_says_about_a_field_stands_at_the_field(page: Page, visit: Visit) -> None:
    visit("/users")
    page.get_by_role("button", name="Invite somebody").click()
    field = page.get_by_role("textbox", name="Email")
    field.fill("anna@example.com")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(page.get_by_text("The email has already been taken.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_refusal_says_how_to_mend_it(page: Page, postroom: Postroom, visit: Visit) -> None:
    for user in postroom.relay.json("user", "list"):
        if postroom.account in str(user["roles"]) and user["email"] != postroom.email:
            postroom.relay.json("user", "remove", user["email"], "--account", postroom.account)
    visit("/users")
    choose(page, postroom.email, "Remove")
    page.get_by_role("button", name="Remove", exact=True).click()
    notification = page.get_by_role("alert").filter(has_text="last-admin")
    expect(notification).to_be_visible()
    expect(notification.get_by_role("link")).to_have_attribute("href", "/refusals#last-admin")
