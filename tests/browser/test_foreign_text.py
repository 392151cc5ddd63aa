"""U02: text of others stays text, wherever it is shown. What emails and servers say is in `test_activity`, what stands in
the sandbox in `test_inbox`, names of SMTP users and tokens in `test_domains`, answers of applicants in `test_approval`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from support.dashboard import EMAIL, Postroom, Visit, injected, installed, opened, settled, watch
from support.net import Net, small_internet

EVIL = "<img src=x onerror=alert(1)>"
LOCAL_PART = '"<img/src=x/onerror=alert(1)>"'


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with small_internet() as net:
        yield net


@pytest.fixture(scope="module")
def postroom(
    installation: tuple[Path, str], net: Net, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Postroom]:
    with installed(installation, tmp_path_factory.mktemp("foreign"), net.settings) as made:
        yield made


def test_what_the_dns_says(page: Page, postroom: Postroom, net: Net, visit: Visit) -> None:
    name = "shop-of-eve.com"
    net.publish(f"pr1._domainkey.{name}", TXT=[f'"v=DKIM1; p={EVIL}"'])
    net.publish(f"_dmarc.{name}", TXT=[f'"v=DMARC1; p={EVIL}"', f'"v=DMARC1; {EVIL}"'])
    headers = postroom.sign_in(page.context)
    domain = page.context.request.post("/v1/domains", data={"name": name}, headers=headers).json()["data"][
        "id"
    ]
    visit(f"/domains/{domain}?tab=dns")
    page.get_by_role("button", name="Check now").click()
    for record in ("DKIM", "DMARC"):
        expect(page.get_by_role("region", name=re.compile(f"^{record}")).first).to_contain_text(EVIL)
    assert injected(page) == 0


def test_names_of_domains(page: Page, visit: Visit) -> None:
    visit("/domains")
    page.get_by_role("button", name="Add a domain").click()
    field = page.get_by_role("textbox", name="Name")
    field.fill(f"{EVIL}.com")
    page.get_by_role("button", name="Add the domain").click()
    expect(field).to_have_attribute("aria-invalid", "true")
    assert injected(page) == 0


def test_recipients(page: Page, postroom: Postroom, visit: Visit) -> None:
    headers = postroom.sign_in(page.context)
    domain = page.context.request.get("/v1/domains?limit=100").json()["data"]
    sandbox = next(one["name"] for one in domain if one["mode"] == "sandbox")
    message = {
        "from": {"email": f"shop@{sandbox}"},
        "to": [{"email": f"{LOCAL_PART}@example.com", "name": EVIL}],
        "subject": "For Eve",
        "text": "Hello",
    }
    assert page.context.request.post("/v1/email", data=message, headers=headers).status == 202
    shown = f"{LOCAL_PART}@example.com"
    visit("/activity")
    page.get_by_role("link", name=shown).click()
    expect(page.get_by_role("definition").filter(has_text=shown).first).to_be_visible()
    settled(page)
    assert injected(page) == 0
    visit("/inbox")
    expect(page.get_by_role("link", name=re.compile("For Eve"))).to_contain_text(shown)
    assert injected(page) == 0


def test_names_of_people_and_their_browsers(
    page: Page, browser: Browser, postroom: Postroom, visit: Visit
) -> None:
    with opened(browser, postroom, user_agent=EVIL) as odd:
        postroom.sign_in(odd)
        visit("/profile")
        row = page.get_by_role("row").filter(has_text=EVIL)
        expect(row).to_be_visible()
        page.get_by_label("First name").fill(EVIL)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        assert injected(page) == 0
    visit("/")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Hello, {EVIL}")
    page.get_by_role("button", name="Menu of").click()
    expect(page.get_by_role("menu")).to_contain_text(EMAIL)
    assert injected(page) == 0
    visit("/users")
    expect(page.get_by_role("row").filter(has_text=EVIL)).to_be_visible()
    page.get_by_role("button", name=f"What to do with {EVIL}").click()
    page.get_by_role("menuitem", name="Remove").click()
    expect(page.get_by_role("dialog")).to_contain_text(EVIL)
    assert injected(page) == 0


def test_names_of_accounts_and_the_invitation_to_one(
    page: Page, browser: Browser, postroom: Postroom, visit: Visit
) -> None:
    headers = postroom.sign_in(page.context)
    made = page.context.request.post("/console/accounts", data={"name": EVIL}, headers=headers)
    assert made.status == 201, made.text()
    visit("/")
    page.get_by_role("button", name="Switch account").click()
    page.get_by_role("menuitem", name=EVIL).click()
    expect(page.get_by_text(f"Today in {EVIL}")).to_be_visible()
    visit("/users")
    page.get_by_role("button", name="Invite somebody").click()
    page.get_by_role("textbox", name="Email").fill("fay@example.com")
    page.get_by_role("combobox", name="Role").click()
    page.get_by_role("option", name="Designer").click()
    page.get_by_role("button", name="Invite", exact=True).click()
    link = page.get_by_role("dialog").locator("code").inner_text()
    assert injected(page) == 0
    with opened(browser, postroom) as theirs:
        other = theirs.new_page()
        errors = watch(other)
        other.goto(link[link.index("/invite") :])
        expect(other.get_by_text(f"the account {EVIL} as Designer")).to_be_visible()
        assert (injected(other), errors) == (0, [])


def test_what_stands_in_the_address(page: Page, visit: Visit) -> None:
    evil = quote(EVIL)
    for path in (f"/activity?recipient={evil}&tag={evil}", f"/refused?search={evil}", f"/{evil}"):
        visit(path)
        assert (path, injected(page)) == (path, 0)
