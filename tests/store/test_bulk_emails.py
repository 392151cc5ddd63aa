"""Bulk emails are claimed by one worker at a time, account after account, and moved on by nobody else."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from postroom.errors import ConflictError
from postroom.store import bulk_emails, idempotency_keys, retention
from postroom.store.bulk_emails import COMPLETED, FAILED, PROCESSING, BulkEmail, BulkGroup
from postroom.store.database import Database
from postroom.store.idempotency_keys import IdempotencyKey
from support.mail import ACCOUNT, NOW, OTHER, mail_id, rows

LONG = 1000


def made(account: str = ACCOUNT, groups: int = 2, blob: str = "") -> BulkEmail:
    return BulkEmail(account, mail_id(), "t" * 16, "queued", 3, groups, 5, "{}", blob, NOW, NOW)


async def add(database: Database, *bulks: BulkEmail) -> None:
    async with database.write() as connection:
        for bulk in bulks:
            key = (bulk.account_id, bulk.id)
            groups = [BulkGroup(*key, number, number * 2, 0, 4, b"body") for number in range(bulk.groups)]
            await bulk_emails.add(connection, bulk, groups)


async def claim(database: Database, worker: str = "w", after: str = "", now: int = 1) -> BulkEmail | None:
    async with database.write() as connection:
        return await bulk_emails.claim(connection, worker, after, now, now + LONG)


async def advance(database: Database, bulk: BulkEmail, worker: str = "w", **counted: int) -> bool:
    async with database.write() as connection:
        return await bulk_emails.advance(connection, bulk, worker, b"result", NOW + 1, **counted)


async def read(database: Database, bulk: BulkEmail) -> BulkEmail:
    async with database.read() as connection:
        found = await bulk_emails.get(connection, bulk.account_id, bulk.id)
    assert found is not None
    return found


async def test_accounts_take_turns_and_the_oldest_batch_goes_first(database: Database) -> None:
    old, new, other = made(), made(), made(OTHER)
    await add(database, new, old, other)
    expected = sorted([old.id, new.id])
    first = await claim(database)
    assert first is not None
    assert first.id == expected[0]
    second = await claim(database, after=first.account_id)
    assert second is not None
    assert second.id == other.id
    third = await claim(database, after=second.account_id)
    assert third is not None
    assert third.id == expected[1]
    assert await claim(database, after=third.account_id) is None


async def test_a_batch_is_moved_on_group_by_group_until_it_is_completed(database: Database) -> None:
    bulk = made(blob="key")
    await add(database, bulk)
    for number in range(2):
        claimed = await claim(database)
        assert claimed is not None
        async with database.read() as connection:
            group = await bulk_emails.group(connection, claimed)
        assert group is not None
        assert (group.number, group.first, group.body) == (number, number * 2, b"body")
        assert await advance(database, claimed, suppressed=1, invalid=2)
    done = await read(database, bulk)
    assert (done.state, done.done, done.suppressed, done.invalid) == (COMPLETED, 2, 2, 4)
    assert (done.blob, done.updated_at) == ("", NOW + 1)
    async with database.read() as connection:
        assert await bulk_emails.results(connection, ACCOUNT, bulk.id) == [b"result", b"result"]
        assert await bulk_emails.results(connection, OTHER, bulk.id) == []
        assert await bulk_emails.get(connection, OTHER, bulk.id) is None
        assert not await bulk_emails.waiting(connection, NOW)
    assert [row["body"] for row in await rows(database, "bulk_groups")] == [None, None]


async def test_who_was_thought_dead_changes_nothing(database: Database) -> None:
    bulk = made()
    await add(database, bulk)
    late = await claim(database, "late")
    assert late is not None
    assert await claim(database, "quick") is None
    quick = await claim(database, "quick", now=1 + LONG)
    assert quick is not None
    assert quick.done == 0
    assert not await advance(database, late, "late", invalid=1)
    assert await advance(database, quick, "quick")
    assert not await advance(database, quick, "quick")
    async with database.write() as connection:
        await bulk_emails.postpone(connection, late, "late", 10**15)
    found = await read(database, bulk)
    assert (found.state, found.done, found.invalid, found.busy_until) == (PROCESSING, 1, 0, 0)


async def test_a_batch_that_failed_is_over(database: Database) -> None:
    bulk = made(blob="key")
    await add(database, bulk)
    claimed = await claim(database)
    assert claimed is not None
    async with database.write() as connection:
        assert not await bulk_emails.fail(connection, claimed, "another", "lost", b"", NOW)
        assert await bulk_emails.fail(connection, claimed, "w", "lost", b"sent", NOW + 1)
        assert not await bulk_emails.fail(connection, claimed, "w", "lost", b"", NOW)
    found = await read(database, bulk)
    assert (found.state, found.failure, found.blob, found.updated_at) == (FAILED, "lost", "", NOW + 1)
    assert not await advance(database, claimed)
    async with database.write() as connection:
        await bulk_emails.free_all(connection)
        assert not await bulk_emails.waiting(connection, NOW)
        assert await bulk_emails.results(connection, ACCOUNT, bulk.id) == [b"sent"]
    assert await claim(database) is None
    async with database.write() as connection:
        assert await bulk_emails.delete_old(connection, "f" * 24, 10) == 1


async def test_a_postponed_batch_waits_and_a_start_frees_all(database: Database) -> None:
    bulk = made()
    await add(database, bulk)
    claimed = await claim(database)
    assert claimed is not None
    async with database.write() as connection:
        await bulk_emails.postpone(connection, claimed, "w", 500)
    assert await claim(database, now=499) is None
    assert await claim(database, now=500) is not None
    async with database.write() as connection:
        await bulk_emails.free_all(connection)
    assert await claim(database, now=1) is not None


async def test_two_nodes_never_claim_one_batch(database: Database) -> None:
    await add(database, *(made() for _ in range(6)))
    claims = await asyncio.gather(*(claim(database, f"w{number}") for number in range(8)))
    taken = [found.id for found in claims if found is not None]
    assert len(taken) == len(set(taken)) <= 6
    if database.sqlite:
        assert len(taken) == 6


async def test_retention_keeps_what_is_not_completed(database: Database) -> None:
    waiting, done = made(blob="named"), made(groups=1)
    await add(database, waiting, done)
    claimed = await claim(database, after="")
    assert claimed is not None
    async with database.write() as connection:
        assert await retention.blobs_named(connection, ["named", "other"]) == {"named"}
        assert await bulk_emails.delete_old(connection, "f" * 24, 10) == 0
    second = await claim(database)
    assert second is not None
    assert second.id == done.id
    assert await advance(database, second)
    async with database.write() as connection:
        assert await bulk_emails.delete_old(connection, done.id, 10) == 0
        assert await bulk_emails.delete_old(connection, "f" * 24, 10) == 1
    assert [row["id"] for row in await rows(database, "bulk_emails")] == [waiting.id]
    assert {row["bulk_email_id"] for row in await rows(database, "bulk_groups")} == {waiting.id}


async def test_idempotency_keys_beside_what_they_made(database: Database) -> None:
    used = IdempotencyKey(b"digest", "{}")
    async with database.write() as connection:
        await idempotency_keys.add(connection, ACCOUNT, "key", used, NOW, NOW + 10)
        await idempotency_keys.add(connection, OTHER, "key", used, NOW, NOW + 10)
    with pytest.raises(ConflictError):
        async with database.write() as connection:
            await idempotency_keys.add(connection, ACCOUNT, "key", used, NOW + 9, NOW + 20)
    newer = replace(used, answer="[]")
    async with database.write() as connection:
        await idempotency_keys.add(connection, ACCOUNT, "key", newer, NOW + 10, NOW + 20)
    async with database.write() as connection:
        assert await idempotency_keys.of(connection, ACCOUNT, ["key", "none"], NOW) == {"key": newer}
        await idempotency_keys.expire(connection, ACCOUNT, ["key"], NOW + 5)
        assert await idempotency_keys.of(connection, ACCOUNT, ["key"], NOW + 5) == {}
        assert await idempotency_keys.of(connection, OTHER, ["key"], NOW + 5) == {"key": used}
