"""How many emails an account had accepted on a day, and what its Admins were told of that. The accept batch counts; here
it is read and waited for.

What is accepted beyond the quota and held for the next day is counted on that one.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import is_sqlite
from postroom.store.schema import quota_days, quota_notices


async def used(connection: AsyncConnection, account_id: str, day: int) -> int:
    which = (quota_days.c.account_id == account_id, quota_days.c.day == day)
    return int(await connection.scalar(select(quota_days.c.used).where(*which)) or 0)


async def used_by(connection: AsyncConnection, accounts: Iterable[str], day: int) -> dict[str, int]:
    """The same of several accounts; those that have none are not in the answer."""
    which = (quota_days.c.account_id.in_(sorted(set(accounts))), quota_days.c.day == day)
    rows = await connection.execute(select(quota_days.c.account_id, quota_days.c.used).where(*which))
    return {row.account_id: row.used for row in rows}


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


async def move(connection: AsyncConnection, account_id: str, day: int, emails: int) -> None:
    """Count so many emails on `day` instead of on the day after it. Both counters exist (see `settle`)."""
    for on, number in ((day, emails), (day + 1, -emails)):
        which = (quota_days.c.account_id == account_id, quota_days.c.day == on)
        await connection.execute(update(quota_days).where(*which).values(used=quota_days.c.used + number))


async def note(connection: AsyncConnection, account_id: str, day: int, percent: int) -> None:
    """Note that so many percent of a day's quota being used up is told. Doing it twice does no harm."""
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    row = {"account_id": account_id, "day": day, "percent": percent}
    await connection.execute(insert(quota_notices).values(row).on_conflict_do_nothing())


async def noted(connection: AsyncConnection, day: int) -> set[tuple[str, int]]:
    """(account id, percent) of what is noted for a day."""
    statement = select(quota_notices.c.account_id, quota_notices.c.percent).where(quota_notices.c.day == day)
    return {(account_id, percent) for account_id, percent in await connection.execute(statement)}
