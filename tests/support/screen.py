"""What a person looks for and does on any page of the dashboard."""

from __future__ import annotations

from playwright.sync_api import Dialog, Locator, Page


def row(page: Page, text: str) -> Locator:
    return page.get_by_role("row").filter(has_text=text)


def choose(page: Page, name: str, action: str) -> None:
    """From the menu of the row that has this name."""
    page.get_by_role("button", name=f"What to do with {name}").click()
    page.get_by_role("menuitem", name=action).click()


def alerts(page: Page) -> list[str]:
    """What scripts show from now on: nothing, unless somebody's text has become one."""
    shown: list[str] = []

    def heard(dialog: Dialog) -> None:
        shown.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", heard)
    return shown
