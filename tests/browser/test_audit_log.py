"""Who changed what: filters, details, the file."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from support.dashboard import Postroom, Visit

EVIL = "<img src=x onerror=alert(1)>"


def test_u02_changes_are_found_looked_at_and_exported(page: Page, postroom: Postroom, visit: Visit) -> None:
    foul: list[str] = []
    page.on("dialog", lambda dialog: foul.append(dialog.message))
    headers = postroom.sign_in(page.context)
    domain = page.context.request.get("/v1/domains").json()["data"][0]["id"]
    path = f"/v1/domains/{domain}/smtp-users"
    assert page.context.request.post(path, data={"name": EVIL}, headers=headers).status == 201

    visit("/audit-log")
    page.get_by_role("combobox", name="About").click()
    page.get_by_role("option", name="SMTP users").click()
    newest = page.get_by_role("row").nth(1)
    expect(newest).to_contain_text("SMTP user created")
    newest.get_by_role("button", name="Details").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("cell", name=EVIL)).to_be_visible()
    page.keyboard.press("Escape")

    page.get_by_role("button", name="Export").click()
    with page.expect_download() as file:
        page.get_by_role("menuitem", name="CSV").click()
    lines = Path(file.value.path()).read_text("utf-8").splitlines()
    assert lines[0].startswith("id,created_at")
    assert all("smtp_user." in line for line in lines[1:])

    page.get_by_role("combobox", name="By").click()
    page.get_by_role("option", name="Postroom itself").click()
    expect(page.get_by_text(EVIL)).to_have_count(0)
    page.get_by_label("Until").fill("2020-01-01")
    expect(page.get_by_role("heading", name="Nothing like that")).to_be_visible()
    assert foul == []
