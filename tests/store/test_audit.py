"""The audit log: one entry for each change, in its transaction, without secrets."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import text

from postroom.errors import ConflictError
from postroom.runtime import ids
from postroom.store import audit as store
from postroom.store.database import Database
from postroom.tenancy import audit
from postroom.types.actor import SYSTEM, Actor, ActorKind

ACCOUNT = ids.object_id()
ANN = Actor(ActorKind.USER, ids.object_id(), "ann@example.com", "192.0.2.7")


@dataclass(frozen=True)
class Thing:
    id: str
    name: str
    secret: str = field(repr=False)
    updated_at: int = 0


BEFORE = Thing("a" * 16, "Old", "hunter2")


async def entries(database: Database, **filters: object) -> list[store.Entry]:
    async with database.read() as connection:
        return await store.page(connection, ACCOUNT, limit=100, **filters)  # type: ignore[arg-type]


async def changed(
    database: Database, before: object, after: object, by: Actor = ANN, action: str = "thing.updated"
) -> None:
    async with database.write() as connection:
        await audit.record(
            connection,
            by,
            action,
            account_id=ACCOUNT,
            object_id="a" * 16,
            name="Thing",
            before=before,
            after=after,
        )


async def test_only_what_differs_is_kept_and_never_a_secret(database: Database) -> None:
    await changed(database, BEFORE, replace(BEFORE, name="New", secret="hunter3", updated_at=9))
    [entry] = await entries(database)
    assert json.loads(entry.before or "") == {"name": "Old", "secret": audit.SECRET}
    assert json.loads(entry.after or "") == {"name": "New", "secret": audit.SECRET}
    assert (entry.actor_kind, entry.actor_id, entry.actor_name, entry.client) == (
        "user", ANN.id, "ann@example.com", "192.0.2.7",
    )  # fmt: skip


async def test_what_is_made_or_deleted_is_told_whole(database: Database) -> None:
    await changed(database, None, BEFORE, action="thing.created")
    await changed(database, BEFORE, None, SYSTEM, "thing.deleted")
    deleted, created = await entries(database)
    told = {"id": BEFORE.id, "name": "Old", "secret": audit.SECRET}
    assert (created.before, json.loads(created.after or "")) == (None, told)
    assert (json.loads(deleted.before or ""), deleted.after) == (told, None)
    assert deleted.actor_kind == "system"


async def test_no_change_no_entry(database: Database) -> None:
    async def fails() -> None:
        async with database.write() as connection:
            await audit.record(connection, ANN, "thing.created", account_id=ACCOUNT, after=BEFORE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert await entries(database) == []


async def test_the_newest_first_and_by_what_one_looks_for(database: Database) -> None:
    await changed(database, None, BEFORE, action="thing.created")
    await changed(database, BEFORE, None, SYSTEM, "thing.deleted")
    await changed(database, None, BEFORE, action="things.created")
    every = [entry.action for entry in await entries(database)]
    assert every == ["things.created", "thing.deleted", "thing.created"]
    assert [entry.action for entry in await entries(database, action="thing.")] == every[1:]
    assert [entry.action for entry in await entries(database, actor_id=ANN.id)] == every[::2]
    newest, *older = await entries(database)
    assert await entries(database, older_than=newest.id) == older
    assert await entries(database, until=older[-1].at) == []
    assert len(await entries(database, since=older[-1].at)) == 3


async def test_pages_by_actor_and_time(database: Database) -> None:
    for number in range(5):
        await changed(database, None, BEFORE, ANN if number % 2 else SYSTEM, f"thing.done{number}")
    every = await entries(database)
    assert await entries(database, offset=1) == every[1:]
    async with database.read() as connection:
        assert await store.page(connection, ACCOUNT, offset=2, limit=2) == every[2:4]
    assert await entries(database, actor_id=ANN.id) == every[1::2]
    assert await entries(database, actor_id="", actor_kind="system") == every[::2]
    assert await entries(database, actor_id="", actor_kind="command") == []
    assert await entries(database, since=every[0].at + 1) == []
    assert await entries(database, since=every[-1].at, until=every[0].at + 1) == every


async def test_what_is_written_stays(database: Database) -> None:
    """Whoever tries, also by SQL of their own."""
    await changed(database, None, BEFORE)
    before = await entries(database)
    tried = ["UPDATE audit SET action = 'thing.else'", "DELETE FROM audit"]
    for statement in tried if database.sqlite else [*tried, "TRUNCATE audit"]:
        with pytest.raises(ConflictError, match="append-only"):
            async with database.write() as connection:
                await connection.execute(text(statement))
    assert await entries(database) == before


async def test_anything_else_than_a_record_is_a_mistake(database: Database) -> None:
    with pytest.raises(TypeError, match="list"):
        await changed(database, None, ["a"])
