"""The five lists of addresses that are not sent to."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from support.dashboard import Postroom, Visit
from support.screen import row

EVIL = "<img/src=x/onerror=alert(1)>"


def test_addresses_are_added_found_and_taken_off(page: Page, visit: Visit) -> None:
    visit("/suppressions")
    expect(page.get_by_role("heading", name="Nobody is on this list")).to_be_visible()
    page.get_by_role("button", name="Add addresses").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Addresses").fill("ada@example.com\nno address")
    dialog.get_by_role("button", name="Add them").click()
    expect(dialog.get_by_label("Addresses")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Addresses").fill("ada@example.com\nben@example.org")
    dialog.get_by_role("button", name="Add them").click()
    expect(page.get_by_role("row")).to_have_count(3)

    page.get_by_label("Search for an address").fill("ORG")
    expect(page.get_by_role("row")).to_have_count(2)
    row(page, "ben@example.org").get_by_role("button", name="Take ben@example.org off").click()
    page.get_by_role("button", name="Take it off", exact=True).click()
    expect(page.get_by_role("heading", name="No such address here")).to_be_visible()

    page.get_by_role("tab", name="On hold").click()
    expect(page.get_by_role("heading", name="Nobody is on this list")).to_be_visible()
    expect(page.get_by_role("button", name="Add addresses")).to_have_count(0)
    page.get_by_role("tab", name="Blocklist").click()
    page.get_by_role("button", name="Add addresses").click()
    dialog.get_by_label("Addresses or patterns").fill("*@spam.example")
    dialog.get_by_role("button", name="Add them").click()
    expect(row(page, "*@spam.example")).to_contain_text("All domains")


def test_the_list_that_is_shown_as_a_file(page: Page, postroom: Postroom, visit: Visit) -> None:
    headers = postroom.sign_in(page.context)
    domain = page.context.request.get("/v1/domains").json()["data"][0]["id"]
    body = {"domain_id": domain, "recipients": ["=1+1@example.com", "cleo@example.com"]}
    added = page.context.request.post("/v1/suppressions/spam-complaints", data=body, headers=headers)
    assert added.status == 201, added.text()
    visit("/suppressions?list=spam-complaints")
    assert exported(page)[1:] == ["cleo@example.com", "'=1+1@example.com"]
    page.get_by_label("Search for an address").fill("cleo")
    expect(page.get_by_role("row")).to_have_count(2)
    assert exported(page)[1:] == ["cleo@example.com"]
    visit("/audit-log?action=suppression.exported")
    expect(row(page, "suppression exported")).not_to_have_count(0)


def exported(page: Page) -> list[str]:
    """The column of addresses in the file, with its heading."""
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert download.value.suggested_filename.startswith("spam-complaints-")
    lines = download.value.path().read_text("utf-8").splitlines()
    return [line.split(",")[2] for line in lines]


def test_u02_addresses_of_strangers_are_text(page: Page, postroom: Postroom, visit: Visit) -> None:
    foul: list[str] = []
    page.on("dialog", lambda dialog: foul.append(dialog.message))
    headers = postroom.sign_in(page.context)
    body = {"recipients": [f'"{EVIL}"@example.com'], "patterns": ["*@example.net"]}
    answer = page.context.request.post("/v1/suppressions/blocklist", data=body, headers=headers)
    assert answer.status == 201, answer.text()
    visit("/suppressions?list=blocklist&search=onerror")
    expect(row(page, EVIL)).to_be_visible()
    row(page, EVIL).get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_contain_text(EVIL)
    page.get_by_role("button", name="Take it off", exact=True).click()
    expect(row(page, EVIL)).to_have_count(0)
    assert foul == []
