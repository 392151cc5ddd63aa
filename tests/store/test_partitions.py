"""The days of events and attempts on PostgreSQL."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from postroom.runtime.clock import Clock
from postroom.store import partitions
from postroom.store.batches.rows import EventRow, Inserts
from postroom.store.database import Database
from support.mail import ACCOUNT, DAY_MS, NOW, insert, mail_id, message_row, rows

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


async def _where(database: Database) -> dict[int, str]:
    async with database.read() as connection:
        found = await connection.execute(text("SELECT at, tableoid::regclass::text FROM events"))
        return {at: name for at, name in found}  # noqa: C416


async def _put(database: Database, *times: int) -> None:
    rows = [EventRow(ACCOUNT, mail_id(), at, mail_id(), mail_id(), "queued", "{}") for at in times]
    await insert(database, Inserts(messages=[message_row()], events=rows))


async def test_rows_go_to_their_day(database: Database) -> None:
    await partitions.ensure(database, NOW)
    day = NOW // DAY_MS * DAY_MS
    await _put(database, day - 1, day, day + DAY_MS - 1, day + 3 * DAY_MS)
    assert list((await _where(database)).values()) == [
        "events_20260527",
        "events_20260528",
        "events_20260528",
        "events_20260531",
    ]


async def test_migration_makes_the_days_around_now(database: Database) -> None:
    now = Clock().now_ms()
    await _put(database, now - DAY_MS, now, now + 3 * DAY_MS)
    assert not [name for name in (await _where(database)).values() if name.endswith("default")]


async def test_strays_are_moved_out_of_the_default_partition(database: Database) -> None:
    stray = NOW + 400 * DAY_MS
    await _put(database, stray)
    assert (await _where(database))[stray] == "events_default"
    await partitions.ensure(database, NOW)
    assert (await _where(database))[stray] == "events_20270702"
    await _put(database, stray + 1)
    assert (await _where(database))[stray + 1] == "events_20270702"


async def test_two_nodes_make_days_at_once(database: Database) -> None:
    await asyncio.gather(*(partitions.ensure(database, NOW) for _ in range(4)))
    await partitions.ensure(database, NOW)


async def test_days_that_ended_are_dropped_whole(database: Database) -> None:
    await partitions.ensure(database, NOW)
    day = NOW // DAY_MS * DAY_MS
    await _put(database, day - DAY_MS, day - 1, day)
    assert await partitions.drop_before(database, "events", day - 1) == []
    assert await partitions.drop_before(database, "events", day) == ["events_20260527"]
    assert [row["at"] for row in await rows(database, "events")] == [day]
    await partitions.ensure(database, NOW)
