"""How many API requests an account has made on a day. Each node adds what it has counted every few seconds."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import is_sqlite
from postroom.store.schema import request_days


async def used(connection: AsyncConnection, account_id: str, day: int) -> int:
    which = (request_days.c.account_id == account_id, request_days.c.day == day)
    return int(await connection.scalar(select(request_days.c.used).where(*which)) or 0)


async def add(connection: AsyncConnection, day: int, counted: Mapping[str, int]) -> dict[str, int]:
    """Add to the sums of accounts (id -> number); returns what they are now, over all nodes.

    In account order, so that nodes which write at the same time do not deadlock.
    """
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    rows = [
        {"account_id": account, "day": day, "used": number} for account, number in sorted(counted.items())
    ]
    statement = insert(request_days).values(rows)
    written = statement.on_conflict_do_update(
        index_elements=(request_days.c.account_id, request_days.c.day),
        set_={"used": request_days.c.used + statement.excluded.used},
    ).returning(request_days.c.account_id, request_days.c.used)
    return {row.account_id: row.used for row in await connection.execute(written)}
