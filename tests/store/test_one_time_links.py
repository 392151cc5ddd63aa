"""Links that are good once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime.clock import Clock
from postroom.store import one_time_links as store
from postroom.store import users
from postroom.store.database import Database
from postroom.store.one_time_links import OneTimeLink
from postroom.store.schema import one_time_links
from postroom.store.users import User
from postroom.tenancy import password_resets
from postroom.tenancy.password_resets import NewReset

LINK = OneTimeLink(b"\x01" * 32, "reset", "a" * 16, "anna@example.com", 10, 100)
NOW = 1_800_000_000_000


async def left(connection: AsyncConnection) -> list[str]:
    """What the links there are are for."""
    return sorted(await connection.scalars(select(one_time_links.c.purpose)))


async def test_found_in_time_for_its_purpose_and_taken_once(database: Database) -> None:
    async with database.write() as connection:
        await store.put(connection, LINK)
        assert await store.get(connection, "reset", LINK.secret_hash, 99) == LINK
        assert await store.get(connection, "reset", LINK.secret_hash, 100) is None
        assert await store.get(connection, "sign_in", LINK.secret_hash, 99) is None
        assert await store.take(connection, LINK.secret_hash)
        assert not await store.take(connection, LINK.secret_hash)


async def test_a_new_one_takes_the_place_of_the_one_before_and_clears_away_what_is_over(
    database: Database,
) -> None:
    over = replace(LINK, secret_hash=b"\x02" * 32, email="ben@example.com", expires_at=20)
    other = replace(LINK, secret_hash=b"\x03" * 32, purpose="sign_in", expires_at=200)
    newer = replace(LINK, secret_hash=b"\x04" * 32, created_at=20, expires_at=200)
    async with database.write() as connection:
        for link in (LINK, over, other, newer):
            await store.put(connection, link)
        assert await left(connection) == ["reset", "sign_in"]
        assert await store.get(connection, "reset", newer.secret_hash, 20) == newer
        await store.remove_all(connection, "", LINK.email)
        assert await left(connection) == []


async def test_u10_raced_a_reset_is_used_once(database: Database) -> None:
    async with database.write() as connection:
        await users.add(connection, User("a" * 16, LINK.email, "", "", "", False, 1, 1))
    made = await password_resets.request(database, LINK.email, client="", now=NOW)
    assert isinstance(made, NewReset)
    uses = [
        password_resets.use(database, made.secret, f"password number {number}", client="", now=NOW)
        for number in range(3)
    ]
    answers = await asyncio.gather(*uses)
    assert sum(isinstance(answer, User) for answer in answers) == 1


async def test_the_limit_holds_when_many_ask_at_once(database: Database) -> None:
    async with database.write() as connection:
        await users.add(connection, User("a" * 16, LINK.email, "", "", "", False, 1, 1))
    now = Clock().now_ms()  # that of the audit log, which counts
    asked = [password_resets.request(database, LINK.email, client="", now=now) for _ in range(8)]
    made = [one for one in await asyncio.gather(*asked) if one is not None]
    assert len(made) == password_resets.PER_ADDRESS
