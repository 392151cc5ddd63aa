"""The days of `events` and `attempts` on PostgreSQL: one partition each, so that old days go in one piece.

Rows of a day that has no partition go to the DEFAULT one; `ensure` makes their day and moves them, so it stays empty.
SQLite has no partitions; there these functions do nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.database import Database

Partitioned = Literal["events", "attempts"]

TABLES: tuple[Partitioned, ...] = ("events", "attempts")
DAY = 86_400_000
LOCK = 0x506F7375
"""Of PostgreSQL's advisory locks: two nodes never make the same day at once."""


async def ensure(database: Database, now_ms: int, days_ahead: int = 3) -> None:
    """Make the days from yesterday to `days_ahead`, and those of which rows came too early or too late."""
    if database.sqlite:
        return
    today = now_ms // DAY
    for table in TABLES:
        async with database.write() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            strays = await connection.scalars(text(f"SELECT DISTINCT at / {DAY} FROM {table}_default"))  # noqa: S608
            wanted = {*range(today - 1, today + days_ahead + 1), *(int(day) for day in strays)}
            for day in sorted(wanted - set(await _days(connection, table))):
                await _make(connection, table, day)


async def drop_before(database: Database, table: Partitioned, at_ms: int) -> list[str]:
    """Drop the days that ended before this time; their partitions' names."""
    if database.sqlite:
        return []
    async with database.write() as connection:
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        gone = [_name(table, day) for day in await _days(connection, table) if (day + 1) * DAY <= at_ms]
        for name in gone:
            await connection.execute(text(f"DROP TABLE {name}"))
    return gone


async def _make(connection: AsyncConnection, table: str, day: int) -> None:
    """Filled first and attached then: that does not keep others from writing to the days that exist."""
    name, start, end = _name(table, day), day * DAY, (day + 1) * DAY
    await connection.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING STORAGE)"))
    await connection.execute(
        text(
            f"WITH moved AS (DELETE FROM {table}_default WHERE at >= {start} AND at < {end} RETURNING *) "  # noqa: S608
            f"INSERT INTO {name} SELECT * FROM moved"
        )
    )
    await connection.execute(
        text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({start}) TO ({end})")
    )


async def _days(connection: AsyncConnection, table: str) -> list[int]:
    names = await connection.scalars(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = CAST(:table AS regclass)"),
        {"table": table},
    )
    stamps = [name.rpartition("_")[2] for name in names]
    return [_day(stamp) for stamp in stamps if stamp.isdigit()]


def _name(table: str, day: int) -> str:
    return f"{table}_{datetime.fromtimestamp(day * 86_400, UTC):%Y%m%d}"


def _day(stamp: str) -> int:
    return int(datetime.strptime(stamp, "%Y%m%d").replace(tzinfo=UTC).timestamp()) // 86_400
