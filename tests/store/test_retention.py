"""Slices of what has to go, and the job that repeats them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import insert as insert_into
from sqlalchemy import text, update

from postroom.config import Config
from postroom.events.retention import Retention
from postroom.runtime.blobs import MemoryBlobs
from postroom.runtime.clock import FakeClock
from postroom.store import batches, nodes, refusals
from postroom.store.batches.rows import InboxRow
from postroom.store.database import Database
from postroom.store.schema import messages, smtp_user_counts
from support.mail import (
    ACCOUNT,
    DAY_MS,
    DOMAIN,
    NOW,
    accepted,
    add_account,
    insert,
    lay_out,
    message_row,
    outcome,
    rows,
    together,
)


class Job:
    """The job with a clock and blobs that the test holds."""

    def __init__(self, database: Database, **settings: Any) -> None:
        self.clock = FakeClock(NOW)
        self.blobs = MemoryBlobs(self.clock)
        self.trusted = True
        self.retention = Retention(database, self.blobs, Config(retention=settings), self.clock, self.now)

    async def now(self) -> int | None:
        return self.clock.now_ms() if self.trusted else None

    async def run(self, days: float = 0) -> dict[str, int]:
        """Run when so many days have passed; only what went."""
        self.clock.advance(days * 86_400)

        async def sleep(_seconds: float) -> None:
            return

        self.clock.sleep = sleep  # type: ignore[method-assign]
        gone = await self.retention.run_once()
        return {name: count for name, count in gone.items() if count}


@pytest.fixture(autouse=True)
async def _account(database: Database) -> None:
    await add_account(database)


async def _expire(database: Database, message_ids: Sequence[str], at: int) -> None:
    async with database.write() as connection:
        await connection.execute(
            update(messages).where(messages.c.id.in_(message_ids)).values(content_expires_at=at)
        )


async def test_content_goes_when_its_time_has_come(database: Database) -> None:
    job = Job(database)
    keys = [job.blobs.store(b"large"), job.blobs.store(b"kept")]
    parts = [lay_out(message_row()), lay_out(message_row(blob=keys[0])), lay_out(message_row(blob=keys[1]))]
    await insert(database, together(parts))
    ids = [part.messages[0].id for part in parts]
    await _expire(database, ids[:2], NOW)
    await _expire(database, ids[2:], NOW + 1)
    assert await job.run() == {"contents": 2}
    assert [row["content_gone"] for row in await rows(database, "messages")] == [True, True, False]
    assert await rows(database, "contents") == []
    with pytest.raises(Exception, match="no"):
        job.blobs.open(keys[0])
    assert job.blobs.open(keys[1]).read() == b"kept"
    assert await job.run() == {}


async def test_many_slices(database: Database) -> None:
    job = Job(database)
    parts = [lay_out(message_row()) for _ in range(350)]
    await insert(database, together(parts))
    await _expire(database, [part.messages[0].id for part in parts], NOW)
    assert await job.run() == {"contents": 350}


async def test_content_without_an_expiry_is_swept_once_nobody_waits_for_it(database: Database) -> None:
    job = Job(database)
    key, waited_for = job.blobs.store(b"large"), job.blobs.store(b"large, too")
    waiting = await insert(
        database, together([lay_out(message_row()), lay_out(message_row(blob=waited_for))])
    )
    await insert(database, together([lay_out(message_row(), 0), lay_out(message_row(blob=key), 0)]))
    assert await job.run(days=3) == {}  # younger than delivery.lifetime and a day
    assert await job.run(days=1.1) == {"strays": 2, "contents": 2}
    left = {row["id"] for row in await rows(database, "messages") if not row["content_gone"]}
    assert left == {row.id for row in waiting.messages}
    assert job.blobs.open(waited_for).read() == b"large, too"


async def test_events_and_attempts_of_old_days_go(database: Database) -> None:
    job = Job(database, events="2d")
    await accepted(database)
    [entry] = await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)
    await batches.tick(database, 1, [outcome(entry, at=NOW + DAY_MS)], [])
    assert "events" not in await job.run(days=1)
    await job.run(days=2)
    assert [row["type"] for row in await rows(database, "events")] == ["delivered"]
    assert len(await rows(database, "attempts")) == 1
    await job.run(days=1)
    await job.run(days=1)
    assert await rows(database, "events") == await rows(database, "attempts") == []


async def test_refusals_go(database: Database) -> None:
    job = Job(database, refusals="1d")
    async with database.write() as connection:
        old, new = (
            refusals.new("a", NOW - DAY_MS - 1, reply=""),
            refusals.new("b", NOW - DAY_MS + 1, reply=""),
        )
        await refusals.record(connection, [old, new])
    assert await job.run() == {"refusals": 1}
    assert [row["rule"] for row in await rows(database, "refusals")] == ["b"]


async def test_old_messages_go_with_their_emails_but_never_while_queued(database: Database) -> None:
    job = Job(database, emails="2d", events="2d")
    key = job.blobs.store(b"large")
    queued = await accepted(database)
    await insert(database, together([lay_out(message_row(), 0), lay_out(message_row(blob=key), 0)]))
    new = await insert(database, lay_out(message_row(at=NOW + 2 * DAY_MS), 0))
    gone = await job.run(days=3)
    assert gone["messages"] == 2
    assert [row["id"] for row in await rows(database, "messages")] == [
        queued.messages[0].id,
        new.messages[0].id,
    ]
    assert [row["id"] for row in await rows(database, "emails")] == [queued.emails[0].id]
    assert len(await rows(database, "contents")) == 2
    with pytest.raises(Exception, match="no"):
        job.blobs.open(key)


async def test_a_sandbox_keeps_the_newest(database: Database) -> None:
    job = Job(database, sandbox_messages=3, sandbox="10d")
    await insert(database, together([lay_out(message_row()) for _ in range(5)]))
    await _deliver_into_inbox(database)
    assert await job.run() == {"inbox": 2, "contents": 2}
    assert [row["received_at"] for row in await rows(database, "inbox")] == [NOW + 2, NOW + 3, NOW + 4]
    assert len(await rows(database, "contents")) == 3
    assert (await job.run(days=11))["inbox"] == 3


async def test_the_content_goes_with_the_last_email_in_the_inbox(database: Database) -> None:
    job = Job(database, sandbox_messages=1)
    await accepted(database, 2)
    await _deliver_into_inbox(database)
    assert await job.run() == {"inbox": 1}
    assert len(await rows(database, "contents")) == 1


async def _deliver_into_inbox(database: Database) -> None:
    for number, entry in enumerate(await batches.claim(database, 1, [0], ACCOUNT, NOW, 10)):
        record = outcome(entry)
        record.keep_content_until = NOW + 30 * DAY_MS
        record.inbox = InboxRow(*entry.key, entry.message_id, DOMAIN, entry.recipient, NOW + number)
        await batches.tick(database, 1, [record], [])


async def test_quota_days_and_dead_nodes_are_forgotten(database: Database) -> None:
    job = Job(database)
    async with database.write() as connection:
        for day in (NOW // DAY_MS - 200, NOW // DAY_MS):
            await connection.execute(
                text("INSERT INTO quota_days (account_id, day, used) VALUES (:account, :day, 1)"),
                {"account": ACCOUNT, "day": day},
            )
        incarnation = await nodes.start(connection, "a", NOW, 1000)
        await nodes.expire(connection, incarnation)
    assert await job.run() == {"quota_days": 1, "nodes": 1}


async def test_counters_of_smtp_users_are_forgotten(database: Database) -> None:
    job = Job(database)
    async with database.write() as connection:
        for days in (0, 1, 3):
            began_at = NOW - days * DAY_MS
            await connection.execute(
                insert_into(smtp_user_counts).values(
                    account_id=ACCOUNT, smtp_user_id="u" * 16, span="day", began_at=began_at, used=1
                )
            )
    assert await job.run() == {"smtp_user_counts": 1}


async def test_blobs_without_a_row_are_swept_and_named_ones_stay(database: Database) -> None:
    job = Job(database)
    named, garbage = job.blobs.store(b"named"), job.blobs.store(b"garbage")
    await insert(database, lay_out(message_row(blob=named)))
    await job.run(days=2)
    assert job.blobs.open(named).read() == b"named"
    with pytest.raises(Exception, match="no"):
        job.blobs.open(garbage)


async def test_q07_nothing_is_deleted_while_the_clock_cannot_be_trusted(database: Database) -> None:
    inserts = await accepted(database, 0)
    await _expire(database, [inserts.messages[0].id], NOW - 1)
    job = Job(database)
    job.trusted = False
    assert await job.run() == {}
    job.trusted = True
    assert await job.run() == {"contents": 1}
