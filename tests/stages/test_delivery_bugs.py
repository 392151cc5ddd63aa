"""A fault nobody has thought of, anywhere in the delivery engine: it counts once, is said, and stops nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from postroom.errors import ConflictError, StorageUnavailableError
from postroom.runtime import killpoints
from postroom.store import interventions, nodes
from postroom.store.batches.rows import Entry
from postroom.store.database import Database
from postroom.store.schema import emails, queue
from support.engine import Engine

AFTER_THE_DOT = ("deliver.marked", "deliver.before_outcome")
ANYWHERE = (
    *AFTER_THE_DOT,
    "accept.after_commit",
    "accept.before_answers",
    "accept.before_hand_over",
    "deliver.before_mark",
    "deliver.composed",
    "tick.taken",
    "tick.outcomes_written",
    "tick.before_commit",
    "tick.after_commit",
    "lease.before_renewal",
    "lease.renewed",
    "claim.before_commit",
    "claim.after_commit",
)


def arm(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Raise something at a place, once."""
    switch = {killpoints.SWITCH: f"{name}:raise=ZeroDivisionError"}
    monkeypatch.setattr(killpoints, "_plan", killpoints.plan(switch))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await condition():
            await asyncio.sleep(0.02)


async def waiting(database: Database) -> list[tuple[str, str, int]]:
    """(email id, status, due at) of what is not final."""
    mine = (emails.c.account_id == queue.c.account_id) & (emails.c.id == queue.c.email_id)
    wanted = select(emails.c.id, emails.c.status, queue.c.due_at).join_from(queue, emails, mine)
    async with database.read() as connection:
        return [(email_id, status, due_at) for email_id, status, due_at in await connection.execute(wanted)]


async def drained(engine: Engine) -> bool:
    """What is uncertain waits a quarter of an hour; not here."""
    left = await waiting(engine.database)
    now = engine.clock.now_ms()
    for email_id, status, due_at in left:
        if status == "uncertain" and due_at > now:
            with suppress(ConflictError):  # it has become final meanwhile
                async with engine.database.write() as connection:
                    await interventions.retry_now(connection, email_id, now)
    return not left


@pytest.mark.parametrize("name", ANYWHERE)
async def test_an_exception_anywhere_loses_nothing_and_ends_no_loop(
    name: str, sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await Engine.start(sqlite_database, tmp_path, lease=1)
    try:
        arm(monkeypatch, name)
        await engine.accept("first@x.test")
        if name.startswith("claim."):
            async with sqlite_database.write() as connection:
                await connection.execute(queue.update().values(owner=0))
        await until(lambda: drained(engine))
        await engine.accept("second@x.test", "third@y.test")
        await until(lambda: drained(engine))
        async with sqlite_database.read() as connection:
            rows = (
                await connection.execute(
                    select(emails.c.recipient, emails.c.status, emails.c.possible_duplicate)
                )
            ).all()
    finally:
        await engine.stop()
    assert {status for _, status, _ in rows} == {"delivered"}
    copies = engine.post.recipients()
    assert set(copies) == {recipient for recipient, _, _ in rows}
    twice = {recipient for recipient in copies if copies.count(recipient) > 1}
    assert twice <= {recipient for recipient, _, flagged in rows if flagged}
    assert (name == "deliver.before_outcome") == bool(twice)


async def test_q09_a_database_that_is_away_at_the_gate_defers_and_forgets_nobody(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = await Engine.start(sqlite_database, tmp_path)
    away = StorageUnavailableError("away")
    try:
        with monkeypatch.context() as patch:

            def fail(_: str) -> None:
                raise away

            patch.setattr(engine.directory, "account", fail)
            await engine.accept("first@x.test", "second@x.test")

            async def deferred() -> bool:
                return {status for _, status, _ in await waiting(sqlite_database)} == {"deferred"}

            await until(deferred)
        await until(lambda: drained(engine))
    finally:
        await engine.stop()
    assert sorted(engine.post.recipients()) == ["first@x.test", "second@x.test"]


async def test_q14_a_node_whose_lease_has_lapsed_does_not_claim_what_it_is_working_on(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """It would count its own attempts as unfinished, and put messages into quarantine for nothing."""
    engine = await Engine.start(sqlite_database, tmp_path)
    try:
        engine.post.gate.clear()
        await engine.accept("first@x.test")

        async def marked() -> bool:
            async with sqlite_database.read() as connection:
                return bool(await connection.scalar(select(queue.c.mark)))

        await until(marked)
        async with sqlite_database.write() as connection:
            await nodes.expire(connection, engine.lease.incarnation)
        assert not await engine.scheduler._claim()
        async with sqlite_database.read() as connection:
            row = (await connection.execute(select(queue))).one()
        assert (row.owner, row.mark, row.unfinished) == (engine.lease.incarnation, 1, 0)
    finally:
        engine.post.gate.set()
        await engine.stop()


async def test_q14_what_was_accepted_under_a_lost_lease_is_left_to_its_next_owner(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """The lease is lost while a message is being committed: the scheduler gets it with a number that is no more."""
    engine = await Engine.start(sqlite_database, tmp_path)
    try:
        old = engine.lease.incarnation
        await engine.scheduler.restart()
        stale = Entry(
            engine.account, "e" * 24, "e" * 24, engine.domain, "x.test", 0, 0, 1, 0, 0, "a@x.test", "", ""
        )
        engine.scheduler.take([stale], old)
        assert engine.scheduler.in_memory == 0
        await engine.lease._begin()
        await engine.scheduler.start(engine.lease.incarnation)
        engine.scheduler.take([stale], old)
        assert engine.scheduler.in_memory == 0
    finally:
        await engine.stop()


async def test_q14_an_attempt_begun_under_a_lost_lease_sends_nothing(
    sqlite_database: Database, tmp_path: Path
) -> None:
    engine = await Engine.start(sqlite_database, tmp_path)
    try:
        engine.post.gate.clear()
        await engine.accept("first@x.test")

        async def marked() -> bool:
            async with sqlite_database.read() as connection:
                return bool(await connection.scalar(select(queue.c.mark)))

        await until(marked)
        engine.lease.incarnation += 1  # the number of the next one, and this attempt was not cancelled
        engine.post.gate.set()

        async def asked() -> bool:
            return bool(engine.post.refused_by_us)

        await until(asked)
        assert engine.post.recipients() == []
    finally:
        await engine.stop()
