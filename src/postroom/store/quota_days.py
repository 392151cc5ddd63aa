"""How many emails an account had accepted on a day. The accept batch counts; here it is read and waited for."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import is_sqlite
from postroom.store.schema import quota_days


async def used(connection: AsyncConnection, account_id: str, day: int) -> int:
    which = (quota_days.c.account_id == account_id, quota_days.c.day == day)
    return int(await connection.scalar(select(quota_days.c.used).where(*which)) or 0)


async def settle(connection: AsyncConnection, day: int, accounts: Iterable[str]) -> None:
    """Wait until every accept batch that counts for these accounts has ended, and hold up the next ones.

    A batch holds the counters of its accounts from before its COMMIT to its end, so after this nobody can be about
    to commit one whose connection was lost. In account order, as the batches do it, so that nobody deadlocks.
    """
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    rows = [{"account_id": account_id, "day": day, "used": 0} for account_id in sorted(set(accounts))]
    key = (quota_days.c.account_id, quota_days.c.day)
    statement = insert(quota_days).values(rows)
    await connection.execute(
        statement.on_conflict_do_update(index_elements=key, set_={"used": quota_days.c.used})
    )
