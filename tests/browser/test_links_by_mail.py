"""What strangers ask for by mail: the link is read where the mail arrived, and opened as it stands there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from support.dashboard import PASSWORD, Postroom, installed, opened, settled
from support.net import Net, small_internet
from support.peer import Peer
from support.waiting import until

DOMAIN, THERE = "postroom.test", "there.test"
NEW = "another battery horse"


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with small_internet() as net:
        yield net


@pytest.fixture(scope="module")
def receiver(net: Net) -> Iterator[Peer]:
    """The mail server of everybody here."""
    with net.peer(THERE) as peer:
        yield peer


@pytest.fixture(scope="module")
def postroom(
    installation: tuple[Path, str], net: Net, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Postroom]:
    """Its own mail leaves, and people may sign up."""
    settings = net.settings | {
        "POSTROOM_SYSTEM__FROM": f"Postroom <postroom@{DOMAIN}>",
        "POSTROOM_SERVER__SIGN_UP": "approval",
    }
    with installed(installation, tmp_path_factory.mktemp("mail"), settings) as made:
        made.relay.json("domain", "add", DOMAIN, "--account", made.account, "--trusted")
        yield made


def link_to(receiver: Peer, email: str, about: str) -> str:
    """The only link of the newest mail to `email` whose subject holds `about`."""

    def look() -> list[EmailMessage]:
        letters = [message_from_bytes(one, policy=default) for one in receiver.messages]
        return [one for one in letters if email in one["To"] and about in one["Subject"].lower()]

    text = until(look, 60, what=f"mail to {email}")[-1].get_body(("plain",))
    assert text is not None
    (link,) = re.findall(r"https?://\S+#\S+", text.get_content())
    return link


def sign_in(page: Page, email: str, password: str) -> None:
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_role("textbox", name="Email").fill(email)
    page.get_by_role("textbox", name="Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_u10_a_forgotten_password_is_set_anew(
    stranger: Page, browser: Browser, postroom: Postroom, receiver: Peer
) -> None:
    email = f"carla@{THERE}"
    postroom.add_user(email)
    stranger.goto("/sign-in")
    stranger.get_by_role("link", name="Forgot the password?").click()
    expect(stranger.get_by_role("heading", name="Forgot the password?")).to_be_visible()
    stranger.get_by_role("textbox", name="Email").fill(email)
    stranger.get_by_role("button", name="Send the link").click()
    expect(stranger.get_by_role("heading", name="Look into your mail")).to_be_visible()
    link = link_to(receiver, email, "password")
    assert link.startswith(f"{postroom.url}/reset#")

    with opened(browser, postroom) as elsewhere:  # where she is still signed in
        postroom.sign_in(elsewhere, email)
        stranger.goto("about:blank")
        stranger.goto(link)
        expect(stranger.get_by_text(f"For {email}.")).to_be_visible()
        expect(stranger).to_have_url(f"{postroom.url}/reset")  # the secret is in no history
        field = stranger.get_by_role("textbox", name="New password")
        field.fill("short")
        stranger.get_by_role("button", name="Set the password").click()
        expect(field).to_have_attribute("aria-invalid", "true")
        field.fill(NEW)
        stranger.get_by_role("button", name="Set the password").click()
        expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()
        assert elsewhere.request.get("/console/session").status == 401

    sign_in(stranger, email, PASSWORD)
    expect(stranger.get_by_role("alert").filter(has_text="is wrong")).to_be_visible()
    sign_in(stranger, email, NEW)
    expect(stranger.get_by_role("heading", name="Home")).to_be_visible()
    stranger.goto(link)
    expect(stranger.get_by_role("alert").filter(has_text="not valid any more")).to_be_visible()


def test_u10_an_account_is_signed_up_for(stranger: Page, postroom: Postroom, receiver: Peer) -> None:
    email = f"dora@{THERE}"
    stranger.goto("/sign-in")
    stranger.get_by_role("link", name="Sign up").click()
    expect(stranger.get_by_role("heading", name="Sign up")).to_be_visible()
    stranger.get_by_role("textbox", name="Email").fill(email)
    stranger.get_by_role("button", name="Send the link").click()
    expect(stranger.get_by_text(f"A link is on its way to {email}.")).to_be_visible()
    link = link_to(receiver, email, "")
    assert link.startswith(f"{postroom.url}/sign-up#")

    stranger.goto("about:blank")
    stranger.goto(link)
    expect(stranger.get_by_text(f"For {email}")).to_be_visible()
    stranger.get_by_role("textbox", name="Name of the account").fill("Dora's <b>bakery</b>")
    stranger.get_by_role("textbox", name="First name").fill("Dora")
    stranger.get_by_role("textbox", name="Password").fill("short")
    stranger.get_by_role("button", name="Make the account").click()
    expect(stranger.get_by_text("at least 10 characters").last).to_be_visible()
    stranger.get_by_role("textbox", name="Password").fill(PASSWORD)
    stranger.get_by_role("button", name="Make the account").click()
    sign_in(stranger, email, PASSWORD)
    expect(stranger.get_by_role("heading", name="Hello, Dora")).to_be_visible()
    expect(stranger.get_by_text("Today in Dora's <b>bakery</b>")).to_be_visible()
    stranger.goto("/approval")  # it sends once an operator has said yes
    settled(stranger)
    expect(stranger.get_by_role("heading", name="What works meanwhile")).to_be_visible()


def test_u10_who_signs_up_twice_is_told_by_mail_only(
    stranger: Page, postroom: Postroom, receiver: Peer
) -> None:
    email = f"ella@{THERE}"
    postroom.add_user(email)
    stranger.goto("/sign-up")
    stranger.get_by_role("textbox", name="Email").fill(email)
    stranger.get_by_role("button", name="Send the link").click()
    expect(stranger.get_by_text(f"A link is on its way to {email}.")).to_be_visible()

    def told() -> list[str]:
        letters = [message_from_bytes(one, policy=default) for one in receiver.messages]
        bodies = [one.get_body(("plain",)) for one in letters if email in one["To"]]
        return [body.get_content() for body in bodies if body is not None]

    (text,) = until(told, 60)
    assert f"{postroom.url}/sign-in" in text
    assert "#" not in text
