"""From a fresh installation to a real message: the operator's way."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from support.dashboard import Postroom, Visit


def step(page: Page, title: str) -> Locator:
    """Its panel, opened."""
    control = page.get_by_role("button", name=title)
    if control.get_attribute("aria-expanded") != "true":
        control.click()
    return page.get_by_role("region", name=title)


def test_home_leads_there_and_the_sandbox_takes_one_click(page: Page, visit: Visit) -> None:
    visit("/")
    page.get_by_role("region", name="First run").get_by_role("link", name="Continue").click()
    sandbox = step(page, "Try the sandbox")  # the next one to be done is open
    sandbox.get_by_role("button", name="Send a message to the sandbox").click()
    expect(page.get_by_role("button", name="Try the sandbox")).to_contain_text("Done")


def test_a_step_is_left_out_and_resumed(page: Page, visit: Visit) -> None:
    visit("/first-run?step=host_name")
    control = page.get_by_role("button", name="Host name and PTR")
    step(page, "Host name and PTR").get_by_role("button", name="Leave it out for now").click()
    expect(control).to_contain_text("Left out")
    page.reload()
    expect(control).to_contain_text("Left out")
    step(page, "Host name and PTR").get_by_role("button", name="Put it back on the list").click()
    expect(control).to_contain_text("To do")


def test_the_network_is_checked_and_a_smarthost_is_written_down(page: Page, visit: Visit) -> None:
    visit("/first-run?step=port_25")
    panel = step(page, "The way out: port 25")
    panel.get_by_role("button", name="Run the network checks").click()
    expect(panel.get_by_role("button", name="Check again")).to_be_enabled()
    panel.get_by_role("button", name="Use a smarthost instead").click()
    panel.get_by_label("Server").fill('smtp.example.com"\nx')
    panel.get_by_role("button", name="Show what to write").click()
    panel.get_by_label("Username").fill("relay")
    panel.get_by_role("textbox", name="Password").fill("<b>secret</b>")
    panel.get_by_role("button", name="Show what to write").click()
    expect(panel.locator("pre")).to_contain_text('password = "<b>secret</b>"')


def test_the_first_domain_says_what_receivers_will_find(page: Page, visit: Visit, postroom: Postroom) -> None:
    visit("/first-run?step=domain")
    panel = step(page, "Your first domain")
    panel.get_by_label("Domain").fill("not a domain")
    panel.get_by_role("button", name="Add the domain").click()
    expect(panel.get_by_label("Domain")).to_have_attribute("aria-invalid", "true")
    panel.get_by_label("Domain").fill("shop.example.com")
    panel.get_by_role("button", name="Add the domain").click()
    panel.get_by_role("button", name="Check its records now").click()
    expect(panel.get_by_role("row").filter(has_text="DKIM")).to_contain_text("Fails")
    step(page, "An SMTP user").get_by_role("link", name="Generate one on its page").click()
    expect(page.get_by_role("heading", name="shop.example.com", level=1)).to_be_visible()


def test_a_real_message_is_sent_and_followed(page: Page, visit: Visit, postroom: Postroom) -> None:
    postroom.relay.json("domain", "add", "real.example.com", "--account", postroom.account, "--trusted")
    visit("/first-run?step=message")
    panel = step(page, "A real message")
    panel.get_by_role("textbox", name="To", exact=True).fill("nobody at all")
    panel.get_by_role("button", name="Send the message").click()
    expect(panel.get_by_role("textbox", name="To", exact=True)).to_have_attribute("aria-invalid", "true")
    panel.get_by_role("textbox", name="To", exact=True).fill("ada@nowhere.example.net")
    panel.get_by_role("button", name="Send the message").click()
    expect(panel.get_by_text("ada@nowhere.example.net").first).to_be_visible()
    expect(panel.get_by_role("table", name="What receivers will find")).to_be_visible()
    panel.get_by_role("link", name="See it in Activity").click()
    expect(page.get_by_text("ada@nowhere.example.net").first).to_be_visible()


def test_who_is_no_operator_does_not_see_it(stranger: Page, postroom: Postroom) -> None:
    postroom.add_user("ben@example.com")
    postroom.sign_in(stranger.context, "ben@example.com")
    stranger.goto("/first-run")
    expect(stranger.get_by_role("heading", name="Your role does not include this")).to_be_visible()
    navigation = stranger.get_by_role("navigation").first
    expect(navigation.get_by_role("link", name="Home")).to_be_visible()
    expect(navigation.get_by_text("Operator")).to_have_count(0)
