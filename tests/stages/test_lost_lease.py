"""A node that loses its lease and goes on: what it knows is recorded, what it has sent is not sent again (Q14, I3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from postroom.deliver.courier import OneRecipient
from postroom.deliver.ticker import Ticker
from postroom.errors import StorageUnavailableError
from postroom.runtime import killpoints
from postroom.store import batches, nodes
from postroom.store.database import Database
from postroom.store.schema import emails, queue
from postroom.types.composed import Composed
from postroom.types.outcome import Outcome
from support.engine import Engine, FakeCarrier
from support.mail import ACCOUNT, NOW, accepted, rows

LEASE = 1


class SlowServer(FakeCarrier):
    """Has the message, and answers when `heard` is set."""

    heard = asyncio.Event()

    async def deliver(
        self, envelope: OneRecipient, composed: Composed, before_dot: Callable[[], Awaitable[bool]]
    ) -> Outcome:
        outcome = await super().deliver(envelope, composed, before_dot)
        await self.heard.wait()
        return outcome


@pytest.fixture
async def engine(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Engine]:
    engine = await Engine.start(sqlite_database, tmp_path, lease=LEASE)
    yield engine
    engine.post.gate.set()
    await engine.stop()


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.01)


async def lose(engine: Engine) -> int:
    """Somebody else could claim its rows from now on; its number until now."""
    old = engine.lease.incarnation
    async with engine.database.write() as connection:
        await nodes.expire(connection, old)
    return old


async def mark(engine: Engine) -> int:
    async with engine.database.read() as connection:
        return await connection.scalar(select(queue.c.mark)) or 0


async def ends(engine: Engine) -> list[tuple[str, bool, int]]:
    """(status, possible duplicate, attempts) of each email."""
    async with engine.database.read() as connection:
        found = await connection.execute(
            select(emails.c.status, emails.c.possible_duplicate, emails.c.attempts)
        )
        return [(status, flagged, attempts) for status, flagged, attempts in found]


async def delivered_once(engine: Engine) -> None:
    async def final() -> bool:
        return [status for status, *_ in await ends(engine)] == ["delivered"]

    await until(final)
    assert await ends(engine) == [("delivered", False, 1)]
    assert engine.post.recipients() == ["you@x.test"]


async def test_q14_outcomes_that_wait_for_the_database_outlive_the_lease(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database is away for longer than the lease, and comes back: the outcomes are older than the new number."""
    engine.post.gate.clear()
    await engine.accept("you@x.test")
    await until(lambda: mark(engine))
    real = batches.tick
    away = True

    async def tick(*arguments: object) -> batches.Ticked:
        if away:
            raise StorageUnavailableError("away")
        return await real(*arguments)

    monkeypatch.setattr(batches, "tick", tick)
    engine.post.gate.set()

    async def waits() -> bool:
        return engine.ticker.backlog == 1

    await until(waits)
    old = await lose(engine)
    await asyncio.sleep(2 * LEASE)
    assert engine.lease.incarnation == old, "a new number before the old one's outcomes are written"
    away = False
    await delivered_once(engine)


async def test_q14_a_reply_that_comes_after_the_lease_is_lost_still_counts(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = asyncio.Event()
    monkeypatch.setattr(SlowServer, "heard", heard)
    engine.scheduler._connect = lambda _: SlowServer(engine.post)
    await engine.accept("you@x.test")

    async def sent() -> bool:
        return bool(engine.post.delivered)

    await until(sent)
    await lose(engine)

    async def noticed() -> bool:
        return not engine.lease.held and engine.scheduler.owner_for(engine.account) == 0

    await until(noticed)
    heard.set()
    await delivered_once(engine)


async def test_q14_a_lost_lease_marks_nothing(sqlite_database: Database) -> None:
    """Its rows are the new number's by now, and only an attempt of that one may mark them."""
    await accepted(sqlite_database)
    [entry] = await batches.claim(sqlite_database, 1, [0], ACCOUNT, NOW, 10)
    await batches.claim(sqlite_database, 2, [1], ACCOUNT, NOW, 10)
    ticker = Ticker(sqlite_database, lambda: 2)
    ticker.start()
    assert not await ticker.mark(entry)
    await ticker.stop(1)
    assert [(row["owner"], row["mark"]) for row in await rows(sqlite_database, "queue")] == [(2, 0)]


@pytest.mark.parametrize("place", ["lease.lost", "lease.before_start", "lease.started"])
async def test_a_fault_while_it_begins_again_does_not_leave_a_node_that_never_delivers(
    engine: Engine, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch = {killpoints.SWITCH: f"{place}:raise"}
    monkeypatch.setattr(killpoints, "_plan", killpoints.plan(switch))
    old = await lose(engine)

    async def regained() -> bool:
        return engine.lease.incarnation > old and engine.lease.held

    await until(regained)
    await engine.accept("you@x.test")
    await delivered_once(engine)
