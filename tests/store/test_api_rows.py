"""Rows that only messages of the API have: how they come, what is taken, and when they go."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import text

from postroom.config import Config
from postroom.events.retention import Retention
from postroom.runtime.blobs import MemoryBlobs
from postroom.runtime.clock import FakeClock
from postroom.store import batches
from postroom.store.batches.rows import ApiMessageRow, IdempotencyRow, Inserts, MetadataRow
from postroom.store.database import Database
from postroom.store.timescale import Timescale
from support.mail import (
    ACCOUNT,
    DAY_MS,
    NOW,
    OTHER,
    accepted,
    add_account,
    insert,
    lay_out,
    message_row,
    rows,
)

DAY = NOW // DAY_MS


async def test_h04_taken_keys_are_told_and_expired_ones_are_free(database: Database) -> None:
    """Keys of one account; another's do not matter."""
    seen: list[set[tuple[str, str]]] = []

    async def accept(*inserted: IdempotencyRow, now: int = NOW) -> None:
        def plan(_used: object, _gone: object, taken: Collection[tuple[str, str]], *_: object) -> Inserts:
            seen.append(set(taken))
            return Inserts(idempotency=list(inserted), counts={ACCOUNT: 0})

        keys = [(ACCOUNT, "a"), (ACCOUNT, "b"), (OTHER, "a")]
        await batches.accept(database, DAY, [], [], plan, keys, now)

    await accept(IdempotencyRow(ACCOUNT, "a", b"f", "{}", NOW + 10))
    await accept()
    await accept(IdempotencyRow(ACCOUNT, "a", b"f", "{}", NOW + 20), now=NOW + 10)
    assert seen == [set(), {(ACCOUNT, "a")}, set()]


async def test_what_only_api_messages_have_comes_with_them(database: Database) -> None:
    inserts = lay_out(message_row())
    message_id = inserts.messages[0].id
    inserts.api_messages.append(ApiMessageRow(ACCOUNT, message_id, None, None, "[]", '{"a": "b"}', NOW, None))
    inserts.metadata.append(MetadataRow(ACCOUNT, "a", "b", message_id))
    await insert(database, inserts)
    (kept,) = await rows(database, "api_messages")
    assert (kept["id"], kept["template_id"], kept["send_at"]) == (message_id, None, NOW)
    (named,) = await rows(database, "message_metadata")
    assert (named["name"], named["value"], named["message_id"]) == ("a", "b", message_id)


async def test_they_go_with_their_messages_and_keys_after_a_day(database: Database) -> None:
    await add_account(database)
    old = message_row(at=NOW - 400 * DAY_MS)
    inserts = Inserts(messages=[old])
    inserts.api_messages.append(ApiMessageRow(ACCOUNT, old.id, None, None, None, '{"a": "b"}', None, None))
    inserts.metadata.append(MetadataRow(ACCOUNT, "a", "b", old.id))
    inserts.idempotency += [
        IdempotencyRow(ACCOUNT, name, b"f", "{}", at) for name, at in (("old", NOW), ("new", NOW + 1))
    ]
    await insert(database, inserts)
    clock = FakeClock(NOW)

    async def now() -> int:
        return clock.now_ms()

    async def sleep(_seconds: float) -> None:
        return

    clock.sleep = sleep  # type: ignore[method-assign]
    gone = await Retention(database, MemoryBlobs(clock), Config(), clock, now).run_once()
    assert (gone["messages"], gone["idempotency_keys"]) == (1, 1)
    assert await rows(database, "api_messages") == await rows(database, "message_metadata") == []
    assert [row["key"] for row in await rows(database, "idempotency_keys")] == ["new"]


async def test_q07_what_is_scheduled_moves_with_the_wall_clock(sqlite_database: Database) -> None:
    clock = FakeClock(NOW)
    timescale = Timescale(sqlite_database, clock)
    await timescale.start()
    await accepted(sqlite_database, due_at=NOW + 60_000, hold="scheduled")
    clock.jump(3600)
    await timescale.keep()
    (row,) = await rows(sqlite_database, "queue")
    assert row["due_at"] == NOW + 60_000 - 3_600_000  # on a scale that did not jump


async def test_searching_by_metadata_uses_its_key(sqlite_database: Database) -> None:
    query = "SELECT message_id FROM message_metadata WHERE account_id = 'a' AND name = 'b' AND value = 'c'"
    async with sqlite_database.read() as connection:
        plan = str((await connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))).all())
    assert "SEARCH" in plan
