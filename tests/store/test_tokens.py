from __future__ import annotations

from dataclasses import replace

import pytest

from postroom.errors import ConflictError
from postroom.store import installation, request_days, retention, tokens
from postroom.store.database import Database
from postroom.store.tokens import Token

MINE, THEIRS = "a" * 16, "b" * 16
TOKEN = Token(
    id="t" * 16,
    account_id=MINE,
    domain_id=None,
    name="App",
    secret_hash=b"\x00" * 32,
    preview="mlsn.0000...0000",
    scopes="email_full domains_read",
    paused=False,
    expires_at=None,
    allowed_addresses="",
    last_used_at=None,
    created_at=1,
    updated_at=1,
)


async def version(database: Database) -> int:
    async with database.read() as connection:
        return await installation.version(connection)


async def added(database: Database, *extra: Token) -> None:
    async with database.write() as connection:
        for token in (TOKEN, *extra):
            await tokens.add(connection, token)


async def test_found_by_id_and_by_hash(database: Database) -> None:
    await added(database)
    async with database.read() as connection:
        assert await tokens.get(connection, TOKEN.id) == TOKEN
        assert await tokens.get(connection, TOKEN.id, MINE) == TOKEN
        assert await tokens.by_hash(connection, TOKEN.secret_hash) == TOKEN
        assert await tokens.by_hash(connection, b"\x01" * 32) is None


async def test_h01_another_account_cannot_see_or_change_it(database: Database) -> None:
    await added(database)
    async with database.write() as connection:
        assert await tokens.get(connection, TOKEN.id, THEIRS) is None
        assert not await tokens.change(connection, THEIRS, TOKEN.id, paused=True)
        assert not await tokens.change(connection, THEIRS, TOKEN.id, name="mine")
        assert not await tokens.remove(connection, THEIRS, TOKEN.id)
        assert await tokens.page(connection, THEIRS) == []
        assert await tokens.count(connection, THEIRS) == 0
        assert await tokens.get(connection, TOKEN.id) == TOKEN


async def test_every_change_is_seen_by_the_caches(database: Database) -> None:
    seen = [await version(database)]
    await added(database)
    seen.append(await version(database))
    async with database.write() as connection:
        assert await tokens.change(connection, MINE, TOKEN.id, paused=True, updated_at=2)
    seen.append(await version(database))
    async with database.write() as connection:
        assert await tokens.change(connection, MINE, TOKEN.id, name="New", updated_at=3)
        assert await tokens.get(connection, TOKEN.id) == replace(TOKEN, paused=True, name="New", updated_at=3)
    seen.append(await version(database))
    async with database.write() as connection:
        assert await tokens.remove(connection, MINE, TOKEN.id)
        assert not await tokens.remove(connection, MINE, TOKEN.id)
    seen.append(await version(database))
    assert seen == sorted(set(seen))


async def test_use_is_noted_and_no_cache_is_emptied_for_it(database: Database) -> None:
    other = replace(TOKEN, id="u" * 16, secret_hash=b"\x02" * 32)
    await added(database, other)
    before = await version(database)
    async with database.write() as connection:
        await tokens.touch(connection, {TOKEN.id: 50, other.id: 60, "gone": 70})
        assert [token.last_used_at for token in await tokens.page(connection)] == [50, 60]
    assert await version(database) == before


async def test_pages_are_in_the_order_they_were_made(database: Database) -> None:
    more = [
        replace(TOKEN, id=f"{number:016}", secret_hash=bytes([number]) * 32, created_at=10 - number)
        for number in range(1, 6)
    ]
    await added(database, *more)
    async with database.read() as connection:
        made = [token.created_at for token in await tokens.page(connection, MINE)]
        assert made == sorted(made)
        assert [token.created_at for token in await tokens.page(connection, MINE, offset=2, limit=2)] == made[
            2:4
        ]
        assert await tokens.count(connection, MINE) == 6


async def test_a_secret_is_there_once(database: Database) -> None:
    await added(database)
    with pytest.raises(ConflictError):
        await added(database)


async def test_requests_of_a_day_add_up(database: Database) -> None:
    async with database.write() as connection:
        assert await request_days.add(connection, 7, {MINE: 2, THEIRS: 1}) == {MINE: 2, THEIRS: 1}
        assert await request_days.add(connection, 7, {MINE: 3}) == {MINE: 5}
        assert await request_days.add(connection, 8, {MINE: 1}) == {MINE: 1}
        assert await request_days.used(connection, MINE, 7) == 5
        assert await request_days.used(connection, MINE, 9) == 0


async def test_old_days_of_requests_are_forgotten(database: Database) -> None:
    async with database.write() as connection:
        for day in (5, 6, 7):
            await request_days.add(connection, day, {MINE: 1})
        assert await retention.delete_request_days(connection, 7) == 2
        assert await request_days.used(connection, MINE, 7) == 1
