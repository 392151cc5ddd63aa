"""How many emails an account had accepted on a day. The accept batch counts; this only reads."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.schema import quota_days


async def used(connection: AsyncConnection, account_id: str, day: int) -> int:
    which = (quota_days.c.account_id == account_id, quota_days.c.day == day)
    return int(await connection.scalar(select(quota_days.c.used).where(*which)) or 0)
