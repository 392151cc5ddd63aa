from __future__ import annotations

from dataclasses import replace

import pytest

from postroom.errors import ConflictError
from postroom.store import installation, sessions
from postroom.store.database import Database
from postroom.store.sessions import SIGNED_IN, Session

ANNA, BEN, ACCOUNT = "a" * 16, "b" * 16, "c" * 16
SESSION = Session(
    id="s" * 16,
    user_id=ANNA,
    account_id=ACCOUNT,
    secret_hash=b"\x00" * 32,
    state=SIGNED_IN,
    client="192.0.2.7",
    user_agent="test",
    created_at=10,
    last_used_at=10,
    expires_at=100,
)


def another(number: int, **facts: object) -> Session:
    values = {"id": f"{number:016}", "secret_hash": bytes([number]) * 32} | facts
    return replace(SESSION, **values)  # type: ignore[arg-type]


async def added(database: Database, *extra: Session) -> None:
    async with database.write() as connection:
        for session in (SESSION, *extra):
            await sessions.add(connection, session)


async def test_found_by_its_secret_and_by_its_owner(database: Database) -> None:
    later = another(1, last_used_at=20)
    await added(database, later, another(2, user_id=BEN))
    async with database.read() as connection:
        assert await sessions.by_hash(connection, SESSION.secret_hash) == SESSION
        assert await sessions.by_hash(connection, b"\x09" * 32) is None
        assert await sessions.get(connection, SESSION.id, ANNA) == SESSION
        assert await sessions.get(connection, SESSION.id, BEN) is None
        assert await sessions.of_user(connection, ANNA) == [later, SESSION]
    with pytest.raises(ConflictError):
        await added(database)


async def test_h01_nobody_else_can_end_or_switch_it(database: Database) -> None:
    await added(database)
    async with database.write() as connection:
        assert not await sessions.remove(connection, SESSION.id, BEN)
        assert not await sessions.switch(connection, SESSION.id, BEN, "d" * 16)
        assert await sessions.remove_all(connection, BEN) == 0
        assert await sessions.get(connection, SESSION.id, ANNA) == SESSION


async def test_what_ends_a_session_is_seen_by_the_caches_and_use_is_not(database: Database) -> None:
    await added(database, another(1), another(2))
    async with database.write() as connection:
        before = await installation.version(connection)
        await sessions.touch(connection, {SESSION.id: 50, "0" * 16: 5, "gone": 70})
        await sessions.touch(connection, {SESSION.id: 40})  # of a node that writes late
        found = await sessions.get(connection, SESSION.id, ANNA)
        assert found is not None
        assert found.last_used_at == 50
        assert await installation.version(connection) == before
        assert await sessions.switch(connection, SESSION.id, ANNA, "d" * 16)
        assert await sessions.remove(connection, SESSION.id, ANNA)
        assert await sessions.remove_all(connection, ANNA) == 2
        assert await installation.version(connection) > before + 2


async def test_those_that_have_ended_are_removed(database: Database) -> None:
    await added(database, another(1, expires_at=60), another(2, last_used_at=60), another(3, last_used_at=40))
    async with database.write() as connection:
        assert await sessions.remove_ended(connection, 60, 30) == 2  # too old, and not used since 30
        assert {one.id for one in await sessions.of_user(connection, ANNA)} == {f"{2:016}", f"{3:016}"}
