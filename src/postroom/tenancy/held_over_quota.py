"""What was accepted over the daily quota and held for the next day, when the quota is raised before that.

Without that nothing has to be done: held emails are due, and claimed, when the next day begins, and have been counted on
it from the start. Released ones count on today instead.
"""

from __future__ import annotations

from postroom.config import Config
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import accounts, interventions, quota_days
from postroom.store.database import Database
from postroom.tenancy.quotas import day_number, quota_of
from postroom.tenancy.spans import DAY_MS


async def release(db: Database, config: Config, account_id: str) -> None:
    """As many as today's quota lets go, the oldest first."""
    while await _slice(db, config, account_id) == interventions.SLICE:
        pass


async def _slice(db: Database, config: Config, account_id: str) -> int:
    now = Clock().now_ms()
    day = day_number(now)
    async with db.write() as connection:
        account = await accounts.get(connection, account_id)
        if account is None:
            return 0
        for each in (day, day + 1):  # in the order in which accept takes them
            await quota_days.settle(connection, each, [account_id])
        quota = quota_of(account.daily_quota, account.plan, config)
        free = interventions.SLICE
        if quota is not None:
            free = min(free, quota - await quota_days.used(connection, account_id, day))
        if free <= 0:
            return 0
        since = ids.earliest(day * DAY_MS)  # what was held yesterday counts on today already
        released = await interventions.release_over_quota(connection, account_id, since, now, free)
        await quota_days.move(connection, account_id, day, released)
        return released
