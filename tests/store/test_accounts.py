"""store.accounts: found by name, and what was counted for whom."""

from __future__ import annotations

import pytest

from postroom.store import accounts, quota_days
from postroom.store.accounts import Account, AccountFilter, Used
from postroom.store.database import Database

DAY = 20_000


def account(number: int, name: str = "Shop", state: str = "approved", plan: str = "") -> Account:
    return Account(f"{number:016}", name, state, "", None, number, number, plan, None)


ALL = [
    account(1, "Shop Ärger", plan="small"),
    account(2, "shop_b"),
    account(3, "Other", "suspended", "small"),
    account(4, "Shopxb", "unapproved"),
]


@pytest.fixture
async def filled(database: Database) -> Database:
    async with database.write() as connection:
        for one in ALL:
            await accounts.add(connection, one)
    return database


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (AccountFilter(), [4, 3, 2, 1]),
        (AccountFilter(search="SHOP"), [4, 2, 1]),
        (AccountFilter(search="shop_b"), [2]),
        (AccountFilter(search=f"{3:016}"), [3]),
        (AccountFilter(plan="small"), [3, 1]),
        (AccountFilter(plan="small", state="approved"), [1]),
        (AccountFilter(search="nobody"), []),
    ],
)
async def test_page_and_count(filled: Database, wanted: AccountFilter, found: list[int]) -> None:
    async with filled.read() as connection:
        page = await accounts.page(connection, wanted, offset=0, limit=10)
        assert [int(one.id) for one in page] == found
        assert await accounts.count(connection, wanted) == len(found)
        assert await accounts.page(connection, wanted, offset=1, limit=1) == page[1:2]


async def test_who_used_how_much_of_a_day(filled: Database) -> None:
    async with filled.write() as connection:
        for day, number in ((DAY, 1), (DAY, 3), (DAY + 1, 3), (DAY + 1, 4)):
            await quota_days.settle(connection, day, [f"{number:016}"])
        await quota_days.move(connection, f"{3:016}", DAY, 5)
    async with filled.read() as connection:
        first = await accounts.used_on(connection, DAY, after="", limit=1)
        rest = await accounts.used_on(connection, DAY, after=first[-1].account.id, limit=9)
    assert first == [Used(ALL[0], 0, 0)]
    assert rest == [Used(ALL[2], 5, -5)]


async def test_notices_are_noted_by_day(database: Database) -> None:
    async with database.write() as connection:
        for day, percent in ((DAY, 80), (DAY, 80), (DAY, 100), (DAY + 1, 80)):
            await quota_days.note(connection, "a", day, percent)
        assert await quota_days.noted(connection, DAY) == {("a", 80), ("a", 100)}
