"""tenancy.quota_watch: the Admins hear once a day of 80 and of 100 %."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert

from postroom.config import Config
from postroom.errors import StorageUnavailableError
from postroom.notify import MemorySystemMail
from postroom.runtime.clock import FakeClock
from postroom.store import quota_days as store
from postroom.store.database import Database
from postroom.store.schema import quota_days
from postroom.tenancy import accounts
from postroom.tenancy.grants import Grant
from postroom.tenancy.quota_watch import QuotaWatch
from postroom.tenancy.quotas import day_number
from postroom.types.actor import SYSTEM
from postroom.types.notices import Notice, QuotaNotice, Sent
from postroom.types.permissions import Role
from support import people

CONFIG = Config(limits={"daily_quota": 10}, plans={"held": {"over_quota": "hold"}})  # type: ignore[arg-type]


class Desk:
    """A watch and what it has told."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FakeClock()
        self.mail = MemorySystemMail()
        self.watch = self.another()

    def another(self) -> QuotaWatch:
        return QuotaWatch(self.database, self.mail, CONFIG, self.clock)

    async def account(self, **options: Any) -> str:
        made = await accounts.add(self.database, "Shop", approved=True, by=SYSTEM, **options)
        for number, role in enumerate((Role.ADMIN, Role.ADMIN, Role.MANAGER)):
            email = f"{role.value.lower()}{number}@x.test"
            await people.make(self.database, made.id, Grant(role), email=email)
        return made.id

    async def use(self, account_id: str, emails: int, *, ahead: int = 0) -> None:
        """What was counted today and for tomorrow until now."""
        day = day_number(self.clock.now_ms())
        async with self.database.write() as connection:
            await connection.execute(quota_days.delete().where(quota_days.c.account_id == account_id))
            for on, used in ((day, emails), (day + 1, ahead)):
                row = {"account_id": account_id, "day": on, "used": used}
                await connection.execute(insert(quota_days).values(row))

    async def told(self) -> list[tuple[str, int]]:
        await self.watch.run_once()
        notices, self.mail.notices = self.mail.notices, []
        assert all(isinstance(notice, QuotaNotice) for notice in notices)
        return sorted((notice.to, notice.percent) for notice in notices if isinstance(notice, QuotaNotice))


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def both(percent: int) -> list[tuple[str, int]]:
    return [("admin0@x.test", percent), ("admin1@x.test", percent)]


async def test_once_a_day_each(desk: Desk) -> None:
    account_id = await desk.account()
    for used, told in ((7, []), (8, both(80)), (9, []), (10, both(100)), (10, [])):
        await desk.use(account_id, used)
        assert await desk.told() == told, used
    desk.clock.jump(86_400)
    assert await desk.told() == []
    await desk.use(account_id, 8)
    assert await desk.told() == both(80)


async def test_a_jump_to_the_end_is_told_as_that(desk: Desk) -> None:
    await desk.use(await desk.account(), 10)
    assert await desk.told() == both(100)


async def test_who_has_something_held_has_used_it_up(desk: Desk) -> None:
    account_id = await desk.account(plan="held")
    await desk.use(account_id, 9, ahead=2)
    await desk.watch.run_once()
    assert QuotaNotice("admin0@x.test", "Shop", 100, 10, held=True) in desk.mail.notices


async def test_own_quotas_and_none(desk: Desk) -> None:
    large = await desk.account(daily_quota=1000)
    endless = (await accounts.add(desk.database, "Endless", daily_quota=0, by=SYSTEM)).id
    await desk.use(large, 799)
    await desk.use(endless, 10_000)
    assert await desk.told() == []
    await desk.use(large, 800)
    assert await desk.told() == both(80)


async def test_of_many_nodes_one_tells(desk: Desk) -> None:
    await desk.use(await desk.account(), 8)
    await asyncio.gather(*[desk.another().run_once() for _ in range(5)])
    assert await desk.told() == both(80)


async def test_who_was_told_before_the_end_of_a_process_hears_it_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the others do hear it."""
    await desk.use(await desk.account(), 8)
    send = desk.mail.send

    async def die(notice: Notice, *, once: str = "") -> Sent:
        if desk.mail.notices:
            raise asyncio.CancelledError
        return await send(notice, once=once)

    with monkeypatch.context() as patch:
        patch.setattr(desk.mail, "send", die)
        with pytest.raises(asyncio.CancelledError):
            await desk.watch.run_once()
    desk.watch = desk.another()
    assert await desk.told() == both(80)


async def test_what_cannot_be_kept_now_is_told_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.use(await desk.account(), 8)

    async def fail(_: Notice, **__: str) -> Sent:
        raise StorageUnavailableError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(desk.mail, "send", fail)
        with pytest.raises(StorageUnavailableError):
            await desk.watch.run_once()
    async with desk.database.read() as connection:
        assert await store.noted(connection, day_number(desk.clock.now_ms())) == set()
    assert await desk.told() == both(80)


async def test_more_accounts_than_one_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postroom.tenancy.quota_watch.MOST", 2)
    made = [(await accounts.add(desk.database, "Shop", by=SYSTEM)).id for _ in range(5)]
    for account_id in made:
        await desk.use(account_id, 10)
    await desk.watch.run_once()
    async with desk.database.read() as connection:
        noted = await store.noted(connection, day_number(desk.clock.now_ms()))
    assert noted == {(account_id, 100) for account_id in made}
