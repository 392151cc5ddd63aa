"""How many emails an SMTP user with a cap had accepted in an hour or a day. The accept batch counts; here it is read."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.batches.rows import CapCounter
from postroom.store.query import changed
from postroom.store.schema import smtp_user_counts

_KEY = [smtp_user_counts.c[name] for name in CapCounter._fields]


async def used(connection: AsyncConnection, counter: CapCounter) -> int:
    which = [column == value for column, value in zip(_KEY, counter, strict=True)]
    return int(await connection.scalar(select(smtp_user_counts.c.used).where(*which)) or 0)


async def of_users(
    connection: AsyncConnection, account_id: str, user_ids: Collection[str], began_at: Collection[int]
) -> dict[CapCounter, int]:
    """Of these SMTP users, in hours and days that began then; what was not counted is not in it."""
    which = (
        smtp_user_counts.c.account_id == account_id,
        smtp_user_counts.c.smtp_user_id.in_(user_ids),
        smtp_user_counts.c.began_at.in_(began_at),
    )
    rows = await connection.execute(select(*_KEY, smtp_user_counts.c.used).where(*which))
    return {CapCounter(*key): count for *key, count in rows}


async def delete_old(connection: AsyncConnection, before: int, limit: int) -> int:
    """Counters that began earlier than `before`, in milliseconds; how many."""
    old = select(*_KEY).where(smtp_user_counts.c.began_at < before).limit(limit)
    return await changed(connection, delete(smtp_user_counts).where(tuple_(*_KEY).in_(old)))
