"""Personalised messages through accept and the delivery engine: each recipient's own, from memory or from the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from postroom.deliver.batched import Batched
from postroom.deliver.loader import Loader
from postroom.errors import StorageUnavailableError
from postroom.store.database import Database
from postroom.store.schema import attempts, emails, events, inbox, personalizations, queue, suppressions
from postroom.tenancy import domains
from postroom.types.actor import SYSTEM
from postroom.types.parts import Personalization
from support.engine import DELIVERED, GREYLISTED, Engine, Post
from support.parts import attached, parts, personalised

CONTENT = personalised(
    parts(subject="Hello {{ name }}", text="{{ day|date('Y') }}\n", attachments=(attached(),))
)
ANN = Personalization({"name": "Ann", "day": "2025-01-01"}).encode()
BOB = Personalization({"name": "Bob", "day": "2024-01-01"}).encode()
BAD = Personalization({"name": "Bad", "day": "no day"}).encode()


@pytest.fixture
async def engine(sqlite_database: Database, tmp_path: Path) -> AsyncIterator[Engine]:
    engine = await Engine.start(sqlite_database, tmp_path)
    yield engine
    engine.post.gate.set()
    await engine.stop()


async def settled(engine: Engine) -> dict[str, str]:
    """The state of each recipient once nothing is queued any more."""
    async with asyncio.timeout(10):
        while True:
            async with engine.database.read() as connection:
                if not await connection.scalar(select(func.count()).select_from(queue)):
                    found = await connection.execute(select(emails.c.recipient, emails.c.status))
                    return {row.recipient: row.status for row in found}
            await asyncio.sleep(0.01)


def subjects(post: Post) -> dict[str, bytes]:
    lines = {
        str(envelope.recipient): composed.head.partition(b"\r\nSubject: ")[2].partition(b"\r\n")[0]
        for envelope, composed in post.delivered
    }
    assert all(b"JVBERi0" in composed.body for _, composed in post.delivered)
    return lines


async def accept(engine: Engine, **personal: bytes) -> None:
    addresses = {f"{name}@x.test": data for name, data in personal.items() if data}
    await engine.accept(*[f"{name}@x.test" for name in personal], content=CONTENT, personalizations=addresses)


async def test_each_recipient_gets_its_own(engine: Engine) -> None:
    await accept(engine, ann=ANN, bob=BOB, cat=b"")
    assert await settled(engine) == dict.fromkeys(("ann@x.test", "bob@x.test", "cat@x.test"), "delivered")
    assert subjects(engine.post) == {
        "ann@x.test": b"Hello Ann", "bob@x.test": b"Hello Bob", "cat@x.test": b"Hello"
    }  # fmt: skip


async def test_i5_one_that_cannot_be_rendered_does_not_touch_the_others(engine: Engine) -> None:
    await accept(engine, ann=ANN, bad=BAD, bob=BOB)
    assert await settled(engine) == {
        "ann@x.test": "delivered",
        "bad@x.test": "bounced",
        "bob@x.test": "delivered",
    }
    assert set(subjects(engine.post)) == {"ann@x.test", "bob@x.test"}
    async with engine.database.read() as connection:
        failed = (await connection.execute(select(attempts).where(attempts.c.result == "failed"))).one()
    assert (failed.code, failed.enhanced, failed.host) == (550, "5.6.0", "")
    assert "[render-failed]" in failed.reply


async def test_i5_in_a_sandbox_too_one_that_cannot_be_rendered_is_rejected(engine: Engine) -> None:
    sandbox = await domains.add(
        engine.database, engine.box, "box.test", account_id=engine.account, mode=domains.SANDBOX, by=SYSTEM
    )
    engine.domain = sandbox.id
    await engine.directory.refresh()
    await accept(engine, ann=ANN, bad=BAD)
    assert await settled(engine) == {"ann@x.test": "delivered", "bad@x.test": "bounced"}
    async with engine.database.read() as connection:
        kept = list(await connection.scalars(select(inbox.c.recipient)))
        [bounce] = await connection.scalars(select(events.c.detail).where(events.c.type == "soft_bounced"))
    assert kept == ["ann@x.test"]
    assert "[render-failed]" in bounce


async def test_what_is_not_in_memory_any_more_comes_from_the_database(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forget(self: Loader, *_: Any) -> None:
        return None

    monkeypatch.setattr(Loader, "remember", forget)
    await accept(engine, ann=ANN, bob=BOB, cat=b"", bad=BAD)
    assert (await settled(engine))["bad@x.test"] == "bounced"
    assert subjects(engine.post) == {
        "ann@x.test": b"Hello Ann", "bob@x.test": b"Hello Bob", "cat@x.test": b"Hello"
    }  # fmt: skip


async def test_a_retry_is_rendered_to_the_same_bytes(engine: Engine) -> None:
    engine.post.answers["ann@x.test"] = [GREYLISTED, DELIVERED]
    await accept(engine, ann=ANN)
    assert await settled(engine) == {"ann@x.test": "delivered"}
    first, second = (composed for _, composed in engine.post.delivered)
    assert first is not second
    assert first.body == second.body
    assert first.head.partition(b"Received:")[2] == second.head.partition(b"Received:")[2]


async def test_only_who_will_be_sent_something_has_a_row(engine: Engine) -> None:
    async with engine.database.write() as connection:
        values = {"account_id": engine.account, "id": "1" * 24, "list": "blocklist", "created_at": 0}
        await connection.execute(suppressions.insert().values(values | {"address": "bob@x.test"}))
    await accept(engine, ann=ANN, bob=BOB, cat=b"")
    assert (await settled(engine))["bob@x.test"] == "suppressed"
    async with engine.database.read() as connection:
        rows = (await connection.execute(select(personalizations))).all()
        ann = await connection.scalar(select(emails.c.id).where(emails.c.recipient == "ann@x.test"))
    assert [(row.account_id, row.email_id, row.data) for row in rows] == [(engine.account, ann, ANN)]


async def test_ordinary_messages_have_no_rows(engine: Engine) -> None:
    await engine.accept("ann@x.test")
    await settled(engine)
    async with engine.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(personalizations)) == 0


# -- look-ups that come together ---------------------------------------------------------------------------------


async def test_look_ups_share_queries() -> None:
    asked: list[list[int]] = []

    async def query(keys: list[int]) -> dict[int, str]:
        asked.append(sorted(keys))
        await asyncio.sleep(0)
        return {key: str(key) for key in keys if key != 2}

    batched: Batched[int, str] = Batched(query, most=3)  # type: ignore[arg-type]
    found = await asyncio.gather(*[batched.get(key) for key in (1, 2, 3, 4, 1)])
    assert found == ["1", None, "3", "4", "1"]
    assert asked == [[1, 2, 3], [4]]
    assert await batched.get(5) == "5"
    assert asked[2:] == [[5]]


async def test_a_look_up_that_fails_concerns_those_who_wait_for_it() -> None:
    away = True

    async def query(keys: list[int]) -> dict[int, str]:
        if away:
            raise StorageUnavailableError("gone")
        return dict.fromkeys(keys, "here")

    batched: Batched[int, str] = Batched(query, most=3)  # type: ignore[arg-type]
    failed = await asyncio.gather(batched.get(1), batched.get(2), return_exceptions=True)
    assert all(isinstance(error, StorageUnavailableError) for error in failed)
    away = False
    assert await batched.get(1) == "here"


async def test_who_stops_waiting_does_not_disturb_the_others() -> None:
    gate = asyncio.Event()

    async def query(keys: list[int]) -> dict[int, str]:
        await gate.wait()
        return dict.fromkeys(keys, "here")

    batched: Batched[int, str] = Batched(query, most=3)  # type: ignore[arg-type]
    first, second = (asyncio.create_task(batched.get(1)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    gate.set()
    assert await second == "here"
    assert first.cancelled()
