"""Incarnations of nodes: one row per start of a process.

The number owns queue rows and is the fence; `until` is the heartbeat. On PostgreSQL all times come from the
database's clock, so nodes whose own clocks disagree still agree about who is alive. On SQLite there is one node, and
what it has not ended is alive whatever a clock that jumps may say (Q07).
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    delete,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import POSTGRESQL_NOW, changed, is_sqlite
from postroom.store.schema import nodes, queue


def _now(connection: AsyncConnection, now: int) -> ColumnElement[int]:
    return literal(now, BigInteger) if is_sqlite(connection) else POSTGRESQL_NOW


def _alive(connection: AsyncConnection) -> ColumnElement[bool]:
    return nodes.c.until > 0 if is_sqlite(connection) else nodes.c.until >= POSTGRESQL_NOW


async def start(connection: AsyncConnection, name: str, now: int, lease: int) -> int:
    """A new incarnation, alive for `lease` milliseconds."""
    at = _now(connection, now)
    statement = (
        insert(nodes).values(name=name, started_at=at, until=at + lease).returning(nodes.c.incarnation)
    )
    return int((await connection.execute(statement)).scalar_one())


async def renew(connection: AsyncConnection, incarnation: int, now: int, lease: int) -> bool:
    """Prolong a lease. False when it has lapsed: others may own the rows by now, and nothing may be sent."""
    at = _now(connection, now)
    mine = (nodes.c.incarnation == incarnation, _alive(connection))
    return await changed(connection, update(nodes).where(*mine).values(until=at + lease)) == 1


async def expire(connection: AsyncConnection, incarnation: int) -> None:
    """Give a lease back: what the node still owned may be claimed at once."""
    await connection.execute(update(nodes).where(nodes.c.incarnation == incarnation).values(until=0))


async def expire_others(connection: AsyncConnection, incarnation: int) -> int:
    """SQLite: whoever holds the data directory's lock is alone, so every other incarnation is dead."""
    others = (nodes.c.incarnation != incarnation, nodes.c.until > 0)
    return await changed(connection, update(nodes).where(*others).values(until=0))


async def dead(connection: AsyncConnection) -> list[int]:
    """Owners of queue rows that are not alive, forgotten ones too."""
    owners = list(await connection.scalars(_OWNERS))
    alive = set(await connection.scalars(select(nodes.c.incarnation).where(_alive(connection))))
    return [owner for owner in owners if owner not in alive]


# Distinct owners by hopping along ix_queue_claim, as in `queue`.
_OWNERS = text("""
WITH RECURSIVE hop(owner) AS (
    SELECT min(owner) FROM queue WHERE owner > 0
    UNION ALL
    SELECT (SELECT min(owner) FROM queue WHERE owner > hop.owner) FROM hop WHERE hop.owner IS NOT NULL)
SELECT owner FROM hop WHERE owner IS NOT NULL
""")


async def forget(connection: AsyncConnection) -> int:
    """Drop the rows of incarnations that are dead and own nothing; how many."""
    owned = select(queue.c.owner).where(queue.c.owner == nodes.c.incarnation)
    statement = delete(nodes).where(~_alive(connection), ~owned.exists())
    return await changed(connection, statement)
