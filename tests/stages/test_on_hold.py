"""The on-hold rule: who bounces softly five times within thirty days is left alone for three days."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import update

from postroom.errors import NotFoundError
from postroom.events.on_hold import LASTS, REASON, WITHIN, OnHold
from postroom.events.recipients import Gathering
from postroom.runtime.clock import FakeClock
from postroom.store import audit
from postroom.store import suppressions as store
from postroom.store.database import Database
from postroom.store.schema import events
from postroom.store.suppressions import Listed, Suppression
from postroom.tenancy import suppressions
from postroom.types.actor import SYSTEM, ActorKind
from support.engine import FULL, GREYLISTED, UNKNOWN_USER, Engine, Post
from support.mail import rows

TO = "ada@x.test"
MINUTE = 60_000


class Scene:
    """A relay whose mail bounces softly, and the job some time later."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.database = engine, engine.database
        self.clock = FakeClock(engine.clock.now_ms() + MINUTE)
        self.job = OnHold(self.database, self.clock)

    @classmethod
    async def start(cls, database: Database, directory: Path) -> Scene:
        return cls(await Engine.start(database, directory, Post(answer=FULL)))

    async def send(self, times: int = 1, to: str = TO) -> None:
        """Each one ends before the next begins."""
        for _ in range(times):
            await self.engine.accept(to)
            async with asyncio.timeout(10):
                while await rows(self.database, "queue"):
                    await asyncio.sleep(0.01)

    async def run(self) -> list[Suppression]:
        """Who is on hold after the job has run."""
        for key in self.engine.soft_bounced:
            self.job.bounced(*key)
        self.engine.soft_bounced.clear()
        await Gathering(self.database, self.clock).run_once()
        await self.job.run_once()
        await self.job.run_once()
        listed, now = Listed(self.engine.account, "on_hold"), self.clock.now_ms()
        async with self.database.read() as connection:
            return await store.newest(connection, listed, now, offset=0, limit=10)


async def test_the_fifth_soft_bounce_puts_on_hold(database: Database, tmp_path: Path) -> None:
    scene = await Scene.start(database, tmp_path)
    await scene.send(4)
    assert await scene.run() == []
    await scene.send()
    [entry] = await scene.run()
    assert (entry.address, entry.domain_id, entry.stream) == (TO, scene.engine.domain, "")
    assert (entry.expires_at, entry.reason) == (scene.clock.now_ms() + LASTS, REASON)
    await scene.send(2)
    assert [row["status"] for row in await rows(database, "emails")].count("suppressed") == 2
    assert await scene.run() == [entry]  # what is not tried does not bounce
    async with database.read() as connection:
        [told] = await audit.page(connection, scene.engine.account, action="suppression.", limit=9)
    assert (told.action, told.actor_kind) == ("suppression.created", ActorKind.SYSTEM)
    await scene.engine.stop()


async def test_when_it_is_over_the_next_one_may_renew_it(sqlite_database: Database, tmp_path: Path) -> None:
    scene = await Scene.start(sqlite_database, tmp_path)
    await scene.send(5)
    [entry] = await scene.run()
    listed = Listed(scene.engine.account, "on_hold")
    await suppressions.clear(sqlite_database, listed, [entry.id], by=SYSTEM)
    assert await scene.run() == []  # taken off by hand, and nothing has happened since
    await scene.send()
    assert len(await scene.run()) == 1
    scene.clock.advance(LASTS / 1000)
    assert await scene.run() == []
    await scene.engine.stop()


async def test_what_does_not_count(sqlite_database: Database, tmp_path: Path) -> None:
    """Other addresses, hard bounces, mail that is only deferred, what was delivered, and what is too long ago."""
    scene = await Scene.start(sqlite_database, tmp_path)
    scene.engine.post.answers["gone@x.test"] = [UNKNOWN_USER] * 5
    scene.engine.post.answers["slow@x.test"] = [GREYLISTED] * 5
    for number in range(5):
        await scene.send(to=f"{number}@x.test")
        await scene.send(to="gone@x.test")
    await scene.send(to="slow@x.test")  # tried six times, and bounced once
    assert await scene.run() == []
    await scene.send(4)
    old = scene.clock.now_ms() - WITHIN - 1
    async with sqlite_database.write() as connection:
        await connection.execute(update(events).values(at=old))
    await scene.send(4)
    assert await scene.run() == []
    await scene.send()
    assert [entry.address for entry in await scene.run()] == [TO]
    await scene.engine.stop()


async def test_a_domain_that_is_gone_harms_nobody(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await Scene.start(sqlite_database, tmp_path)
    await scene.send(5)

    async def gone(*_: object, **__: object) -> None:
        raise NotFoundError("there is no domain")

    monkeypatch.setattr(suppressions, "put", gone)
    assert await scene.run() == []
    await scene.engine.stop()
