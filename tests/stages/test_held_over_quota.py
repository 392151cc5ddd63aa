"""What was held for the next day goes on when the quota is raised: as much as that allows, the oldest first."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from postroom.accept.commit import GroupCommit
from postroom.config import Config
from postroom.runtime.clock import Clock
from postroom.runtime.ids import mail_id
from postroom.store import interventions
from postroom.store.database import Database
from postroom.store.schema import emails, events, queue, quota_days
from postroom.tenancy import accounts, approvals
from postroom.tenancy.quotas import day_number
from postroom.types.actor import SYSTEM
from postroom.types.draft import Content, Draft
from postroom.types.envelope import Address, Envelope, Recipient
from postroom.types.refusals import Refused

CONFIG = Config(plans={"small": {"daily_quota": 3}, "large": {"daily_quota": 7}})  # type: ignore[arg-type]
CONTENT = b"From: a@sender.test\r\nSubject: hi\r\n\r\nbody\r\n"


class Desk:
    """An account on the plan `small`, with mail."""

    def __init__(self, database: Database, account_id: str) -> None:
        self.database = database
        self.account_id = account_id
        self.clock = Clock()
        self.commit = GroupCommit(
            database,
            self.clock,
            lifetime=3600,
            owner_for=lambda _: 0,
            handed=lambda _: None,
            counted=lambda _day, _used: None,
        )

    async def send(self, number: int, *, quota: int = 3) -> list[str]:
        """The ids of those that are kept, in order."""
        kept = []
        for _ in range(number):
            answer = await self.commit.submit(self._draft(), quota=quota, hold_over_quota=True)
            if isinstance(answer, str):
                kept.append(answer)
        return kept

    def _draft(self) -> Draft:
        return Draft(
            id=mail_id(self.clock.now_ms()),
            account_id=self.account_id,
            domain_id="d" * 16,
            credential_id="c" * 16,
            envelope=Envelope(Address("a", "sender.test"), [Recipient(Address("r", "x.test"))]),
            content=Content(CONTENT, len(CONTENT), 35),
            signing_domain="sender.test",
            header_from="a@sender.test",
            subject="hi",
            message_id="<1@sender.test>",
            received_at=self.clock.now_ms(),
        )

    async def held(self) -> list[str]:
        """The messages that still are."""
        async with self.database.read() as connection:
            rows = select(queue.c.message_id).where(queue.c.hold == "quota").order_by(queue.c.email_id)
            return list(await connection.scalars(rows))

    async def counted(self) -> list[int]:
        """Today, and for tomorrow."""
        today = day_number(self.clock.now_ms())
        async with self.database.read() as connection:
            rows = (await connection.execute(select(quota_days.c.day, quota_days.c.used))).all()
        by_day = dict(map(tuple, rows))
        return [by_day.get(today, 0), by_day.get(today + 1, 0)]


@pytest.fixture
async def desk(database: Database) -> Desk:
    made = await accounts.add(database, "Shop", approved=True, plan="small", by=SYSTEM)
    return Desk(database, made.id)


async def test_a_larger_plan_lets_the_oldest_go(desk: Desk) -> None:
    kept = await desk.send(9)
    assert (len(kept), await desk.counted()) == (6, [3, 3])
    await accounts.set_quota(desk.database, CONFIG, desk.account_id, 5, by=SYSTEM)
    assert await desk.held() == kept[5:]
    assert await desk.counted() == [5, 1]
    await accounts.set_plan(desk.database, CONFIG, desk.account_id, "large", by=SYSTEM)
    assert await desk.held() == kept[5:]  # its own quota holds still
    await accounts.set_quota(desk.database, CONFIG, desk.account_id, None, by=SYSTEM)
    assert (await desk.held(), await desk.counted()) == ([], [6, 0])
    async with desk.database.read() as connection:
        assert set(await connection.scalars(select(emails.c.status))) == {"queued"}
        told = list(await connection.scalars(select(events.c.type).order_by(events.c.type)))
        assert set(await connection.scalars(select(queue.c.due_at).where(queue.c.hold != ""))) == set()
    assert told == ["held"] * 3 + ["released"] * 3


async def test_a_smaller_one_and_the_same_let_nobody_go(desk: Desk) -> None:
    kept = await desk.send(6)
    for quota in (3, 1):
        await accounts.set_quota(desk.database, CONFIG, desk.account_id, quota, by=SYSTEM)
        assert await desk.held() == kept[3:]
    assert await desk.counted() == [3, 3]


async def test_without_a_limit_all_go_in_slices(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interventions, "SLICE", 2)
    await desk.send(10, quota=5)
    await accounts.set_quota(desk.database, CONFIG, desk.account_id, 0, by=SYSTEM)
    assert (await desk.held(), await desk.counted()) == ([], [10, 0])


async def test_a_request_that_is_approved_lets_them_go(desk: Desk) -> None:
    await desk.send(6)
    asked = await approvals.ask_for_quota(desk.database, desk.account_id, 100, "Sale", by=SYSTEM)
    assert not isinstance(asked, Refused)
    await approvals.approve(desk.database, CONFIG, asked.id, by=SYSTEM)
    assert (await desk.held(), await desk.counted()) == ([], [6, 0])


async def test_x04_released_while_others_come_in_it_never_exceeds_the_quota(desk: Desk) -> None:
    await desk.send(6)

    async def change(quota: int) -> None:
        await accounts.set_quota(desk.database, CONFIG, desk.account_id, quota, by=SYSTEM)

    async def come(number: int) -> None:
        await desk.send(number, quota=5)

    await asyncio.gather(change(5), come(3), change(5), come(3))
    today, tomorrow = await desk.counted()
    held = len(await desk.held())
    async with desk.database.read() as connection:
        kept = len(list(await connection.scalars(select(emails.c.id))))
    assert today == 5
    assert tomorrow == held
    assert kept == today + held
