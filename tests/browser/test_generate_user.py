"""The way of a new user: sign in by a link, Domains, Manage, SMTP, Generate new user; what it shows sends mail, and that is
seen in the activity."""

from __future__ import annotations

import re
import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from support.dashboard import EMAIL, Postroom, Visit, installed, picture, settled, violations
from support.waiting import free_port

CLICKS = 6


@pytest.fixture(scope="module")
def postroom(installation: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postroom]:
    """Its ports are in its settings: the page shows those."""
    settings = {
        "POSTROOM_SUBMISSION__LISTEN": f"127.0.0.1:{free_port()}",
        "POSTROOM_SUBMISSION__IMPLICIT_TLS_LISTEN": f"127.0.0.1:{free_port()}",
    }
    with installed(installation, tmp_path_factory.mktemp("generate"), settings) as made:
        yield made


class Hand:
    """Counts its clicks."""

    def __init__(self) -> None:
        self.clicks = 0

    def click(self, target: Locator) -> None:
        self.clicks += 1
        target.click()


def sign_in_by_link(page: Page, postroom: Postroom) -> None:
    printed = postroom.relay.command("user", "sign-in-link", EMAIL).stdout.split()
    link = next(word for word in printed if "/sign-in#link=" in word).partition("/sign-in")[2]
    page.goto(f"/sign-in{link}")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")


def value(dialog: Locator, label: str) -> str:
    """Of the field with this label."""
    return dialog.locator("dt", has_text=re.compile(f"^{label}$")).locator("+ dd").inner_text().strip()


def test_from_the_link_to_a_message_in_the_activity_in_at_most_six_clicks(
    stranger: Page, postroom: Postroom
) -> None:
    page, hand = stranger, Hand()
    sign_in_by_link(page, postroom)
    hand.click(page.get_by_role("link", name="Domains", exact=True))
    hand.click(page.get_by_role("link", name="Manage").first)
    expect(page.get_by_role("tab", name="SMTP")).to_have_attribute("aria-selected", "true")
    domain = page.get_by_role("heading", level=1).inner_text()
    hand.click(page.get_by_role("button", name="Generate new user"))
    page.get_by_role("textbox", name="Name").fill("Shop")  # it has the focus
    hand.click(page.get_by_role("button", name="Generate", exact=True))
    dialog = page.get_by_role("dialog", name="SMTP user Shop")
    expect(dialog.get_by_role("button", name="I have kept it")).to_be_visible()
    settled(page)
    picture(page, "generated-user-1280")
    assert violations(page) == []

    server, username = value(dialog, "Server"), value(dialog, "Username")
    ports = re.findall(r"(\d+) \((TLS|SSL)\)", value(dialog, "Ports"))
    password = dialog.locator("pre").first.inner_text().strip()
    assert [word for _, word in ports] == ["TLS", "SSL"]
    assert all(
        text in dialog.get_by_label("Code for swaks", exact=True).inner_text()
        for text in (username, password)
    )
    send(postroom, server, int(ports[0][0]), (username, password), domain)

    hand.click(dialog.get_by_role("button", name="I have kept it"))
    hand.click(page.get_by_role("link", name="Activity", exact=True))
    expect(page.get_by_role("row").filter(has_text="Hello from the shop")).to_contain_text("you@example.com")
    assert hand.clicks <= CLICKS


def test_the_same_way_by_keyboard_only(page: Page, visit: Visit) -> None:
    """Where the focus is can always be seen, and it comes back when a dialog closes."""
    visit("/")
    walk(page, page.get_by_role("link", name="Domains", exact=True))
    expect(page.get_by_role("heading", name="Domains", level=1)).to_be_focused()
    settled(page)
    walk(page, page.get_by_role("link", name="Manage").first)
    settled(page)
    generate = page.get_by_role("button", name="Generate new user")
    walk(page, generate)
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(generate).to_be_focused()

    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="Name")).to_be_focused()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="SMTP user By keyboard")
    walk(page, dialog.get_by_role("button", name="Copy", exact=True))
    password = dialog.locator("pre").first.inner_text().strip()
    assert page.evaluate("navigator.clipboard.readText()") == password
    walk(page, dialog.get_by_role("button", name="I have kept it"))
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(generate).to_be_focused()
    expect(page.get_by_role("row").filter(has_text="By keyboard")).to_be_visible()


FARTHEST = 60
_SEEN = """one => {
    const style = getComputedStyle(one);
    const drawn = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
    return one === document.activeElement && one.matches(":focus-visible") && (drawn || style.boxShadow !== "none");
}"""


def walk(page: Page, target: Locator) -> None:
    """Tab by tab to it, then Enter. Every step has to be seen."""
    expect(target).to_be_visible()
    wanted = target.element_handle()
    for _ in range(FARTHEST):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one === document.activeElement"):
            break
    else:
        pytest.fail(f"{FARTHEST} times Tab do not lead to {target}")
    assert wanted.evaluate(_SEEN), "nobody sees where the focus is"
    page.keyboard.press("Enter")


def send(postroom: Postroom, server: str, port: int, login: tuple[str, str], domain: str) -> None:
    message = EmailMessage()
    message["From"], message["To"] = f"shop@{domain}", "you@example.com"
    message["Subject"] = "Hello from the shop"
    message.set_content("It works.")
    with smtplib.SMTP(server, port, timeout=30) as relay:
        relay.starttls(context=postroom.relay.tls())
        relay.login(*login)
        assert relay.send_message(message) == {}


def test_what_is_shown_once_is_kept_by_copying_and_as_a_file(page: Page, postroom: Postroom) -> None:
    page.goto("/domains")
    page.get_by_role("link", name="Manage").first.click()
    page.get_by_role("tab", name="SMTP").click()
    page.get_by_role("button", name="Generate new user").click()
    page.get_by_role("textbox", name="Name").fill("Newsletter")
    page.get_by_role("button", name="Advanced").click()
    page.get_by_label("Most emails a day").fill("500")
    page.get_by_role("combobox", name="May log in from").fill("not a network")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.get_by_text("must be an IP address or a network")).to_be_visible()
    page.get_by_role("combobox", name="May log in from").press("Backspace")
    page.get_by_role("combobox", name="May log in from").fill("192.0.2.0/24")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Generate", exact=True).click()

    dialog = page.get_by_role("dialog", name="SMTP user Newsletter")
    password = dialog.locator("pre").first.inner_text().strip()
    dialog.get_by_role("button", name="Copy", exact=True).click()
    assert page.evaluate("navigator.clipboard.readText()") == password
    with page.expect_download() as kept:
        dialog.get_by_role("button", name="Download").click()
    text = kept.value.path().read_text("utf-8")
    assert password in text
    assert value(dialog, "Username") in text
    dialog.get_by_role("combobox", name="Ready to use in").click()
    page.get_by_role("option", name="Django").click()
    expect(dialog.get_by_label("Code for Django", exact=True)).to_contain_text(
        f'EMAIL_HOST_PASSWORD = "{password}"'
    )
    dialog.get_by_role("button", name="I have kept it").click()

    row = page.get_by_role("row").filter(has_text="Newsletter")
    expect(row).to_contain_text("500 a day · from 192.0.2.0/24")
    expect(page.get_by_text(password)).to_have_count(0)
