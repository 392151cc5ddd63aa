"""What is around every page."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from support.dashboard import NARROW, Postroom, Visit, opened, overflow, picture, settled, violations


def test_on_a_phone_the_navigation_is_a_drawer(browser: Browser, postroom: Postroom) -> None:
    with opened(browser, postroom, viewport=NARROW, has_touch=True) as context:
        postroom.sign_in(context)
        page = context.new_page()
        page.goto("/")
        settled(page)
        link = page.get_by_role("link", name="Profile")
        expect(link).not_to_be_in_viewport()
        page.get_by_role("button", name="Open the navigation").tap()
        expect(link).to_be_in_viewport()
        picture(page, "drawer-390")
        assert overflow(page) <= 0
        assert violations(page) == []
        link.tap()
        expect(page.get_by_role("heading", name="Profile")).to_be_visible()
        expect(link).not_to_be_in_viewport()


def test_the_search_finds_a_page_by_what_is_on_it(page: Page, visit: Visit) -> None:
    visit("/")
    page.keyboard.press("Control+k")
    page.get_by_placeholder("Jump to a page").fill("two-factor")
    picture(page, "search-1280")
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def test_a_chosen_appearance_stays(page: Page, visit: Visit) -> None:
    visit("/")
    scheme = page.locator("html")
    expect(scheme).to_have_attribute("data-mantine-color-scheme", "light")
    page.get_by_role("button", name="Menu of").click()
    page.get_by_role("menuitemradio", name="Dark").click()
    expect(scheme).to_have_attribute("data-mantine-color-scheme", "dark")
    picture(page, "menu-1280-dark")
    assert violations(page) == []
    page.reload()
    expect(scheme).to_have_attribute("data-mantine-color-scheme", "dark")


def test_work_in_another_account(page: Page, postroom: Postroom, visit: Visit) -> None:
    headers = postroom.sign_in(page.context)
    made = page.context.request.post("/console/accounts", data={"name": "Second shop"}, headers=headers)
    assert made.status == 201
    visit("/users")
    page.get_by_role("button", name="Switch account").click()
    page.get_by_role("menuitem", name="Second shop").click()
    expect(page.get_by_text("Today in Second shop")).to_be_visible()
    page.get_by_role("link", name="Users").click()
    expect(page.get_by_role("row")).to_have_count(2)  # the heading, and Anna alone


def test_a_new_account_to_work_in(page: Page, postroom: Postroom, visit: Visit) -> None:
    visit("/users")
    page.get_by_role("button", name=re.compile("Switch account|Accounts")).click()
    page.get_by_role("menuitem", name="New account").click()
    page.get_by_role("textbox", name="Name of the account").fill("Third <b>shop</b>")
    picture(page, "new-account-1280")
    assert violations(page) == []
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_text("Today in Third <b>shop</b>")).to_be_visible()
    expect(page.get_by_role("button", name="Switch account")).to_contain_text("Third <b>shop</b>")


def test_where_sign_up_is_closed_only_operators_make_accounts(browser: Browser, postroom: Postroom) -> None:
    postroom.add_user("olga@example.com")
    with opened(browser, postroom) as context:
        postroom.sign_in(context, "olga@example.com")
        page = context.new_page()
        page.goto("/")
        settled(page)
        expect(page.get_by_role("navigation").get_by_text("Admin", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name=re.compile("Switch account|Accounts"))).to_have_count(0)


def test_the_navigation_tells_where_one_is_also_below_its_pages(
    page: Page, postroom: Postroom, visit: Visit
) -> None:
    domain = page.context.request.get("/v1/domains").json()["data"][0]["id"]
    places = {
        "/": "Home",
        f"/domains/{domain}": "Domains",
        f"/activity/{'a' * 24}": "Activity",
        "/refused": "Activity",
        f"/operator/accounts/{postroom.account}": "Accounts",
        "/tokens": "API tokens",
    }
    here = page.get_by_role("navigation").locator("[aria-current=page]")
    for path, name in places.items():
        visit(path)
        expect(here).to_have_count(1)
        expect(here).to_have_text(name)


def test_a_time_is_exact_on_hover_in_the_zone_of_the_person(page: Page, visit: Visit) -> None:
    visit("/profile")
    page.get_by_role("combobox", name="Time zone").fill("Tokyo")
    page.get_by_role("option", name="Asia/Tokyo").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("row").last.locator("time").first.hover()
    expect(page.get_by_role("tooltip")).to_contain_text("GMT+9")
    page.goto("/")
    expect(page.get_by_text("Asia/Tokyo")).to_be_visible()


def test_a_session_that_another_tab_began_is_taken_over(page: Page, postroom: Postroom, visit: Visit) -> None:
    """U01: the token of the session before changes nothing any more."""
    visit("/profile")
    postroom.sign_in(page.context)
    page.get_by_label("First name").fill("Anna")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("X-CSRF-Token")
    settled(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def test_files_that_are_gone_after_an_update_are_told(browser: Browser, postroom: Postroom) -> None:
    with opened(browser, postroom) as context:
        postroom.sign_in(context)
        page = context.new_page()
        page.goto("/")
        settled(page)
        page.route("**/assets/users-*.js", lambda route: route.abort())
        page.get_by_role("link", name="Users").click()
        expect(page.get_by_role("heading", name="Postroom was updated")).to_be_visible()
        page.unroute("**/assets/users-*.js")
        page.get_by_role("button", name="Reload").click()
        expect(page.get_by_role("heading", name="Users")).to_be_visible()


def test_no_answer_from_postroom_is_told_and_can_be_tried_again(page: Page, visit: Visit) -> None:
    visit("/profile")
    page.route("**/v1/users**", lambda route: route.fulfill(status=418, body="<html>a proxy</html>"))
    page.get_by_role("link", name="Users").click()
    expect(page.get_by_role("alert")).to_contain_text("The answer was 418.")
    page.unroute("**/v1/users**")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("cell", name="You")).to_be_visible()
