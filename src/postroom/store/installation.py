"""Facts about this installation. `version` rises with every change of a configuration object, so that the caches of
all processes notice it (`tenancy.directory`)."""

from __future__ import annotations

from sqlalchemy import Integer, String, cast, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import is_sqlite
from postroom.store.schema import installation

VERSION = "version"


async def get(connection: AsyncConnection, name: str) -> str | None:
    value: str | None = await connection.scalar(
        select(installation.c.value).where(installation.c.name == name)
    )
    return value


async def put(connection: AsyncConnection, name: str, value: str) -> None:
    await connection.execute(delete(installation).where(installation.c.name == name))
    await connection.execute(insert(installation).values(name=name, value=value))


async def lock(connection: AsyncConnection, name: str) -> None:
    """One at a time among all nodes, until the connection's transaction ends. SQLite has one node anyway."""
    if not is_sqlite(connection):
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(name))))


async def version(connection: AsyncConnection) -> int:
    return int(await get(connection, VERSION) or 0)


async def bump(connection: AsyncConnection) -> None:
    """Call it in the transaction of the change: whoever sees the new version sees the change."""
    number = cast(installation.c.value, Integer) + 1
    await connection.execute(
        update(installation).where(installation.c.name == VERSION).values(value=cast(number, String))
    )
