"""accept.usage: what a node remembers of today's counts."""

from __future__ import annotations

from sqlalchemy import insert

from postroom.accept.usage import Usage
from postroom.store.batches.rows import CapCounter
from postroom.store.database import Database
from postroom.store.schema import quota_days

ACCOUNT = "a" * 16
TODAY, TOMORROW = 20_000, 20_001


async def test_it_asks_the_database_once_a_day(sqlite_database: Database) -> None:
    async with sqlite_database.write() as connection:
        await connection.execute(insert(quota_days).values(account_id=ACCOUNT, day=TODAY, used=5))
    usage = Usage(sqlite_database)
    assert usage.known(ACCOUNT, TODAY) is None
    assert await usage.load(ACCOUNT, TODAY) == 5
    usage.count(TODAY, {ACCOUNT: 6})
    assert usage.known(ACCOUNT, TODAY) == 6
    assert usage.known(ACCOUNT, TOMORROW) is None
    assert await usage.load(ACCOUNT, TOMORROW) == 0
    usage.count(TODAY, {ACCOUNT: 7})  # of a commit that began before midnight
    assert usage.known(ACCOUNT, TOMORROW) == 0


async def test_q07_after_the_clock_was_set_back_todays_count_is_todays(sqlite_database: Database) -> None:
    usage = Usage(sqlite_database)
    await usage.load(ACCOUNT, TOMORROW)
    usage.count(TOMORROW, {ACCOUNT: 1000})
    assert usage.known(ACCOUNT, TODAY) is None
    assert await usage.load(ACCOUNT, TODAY) == 0
    assert usage.known(ACCOUNT, TODAY) == 0


async def test_counters_of_smtp_users_are_those_of_their_span(sqlite_database: Database) -> None:
    usage = Usage(sqlite_database)
    hour = CapCounter(ACCOUNT, "u" * 16, "hour", 7_200_000)
    usage.count_capped({hour: 5, hour._replace(span="day", began_at=0): 9})
    assert usage.known_capped(hour) == 5
    assert usage.known_capped(hour._replace(span="day", began_at=0)) == 9
    for other in (hour._replace(began_at=10_800_000), hour._replace(smtp_user_id="v" * 16)):
        assert usage.known_capped(other) == 0
    usage.count_capped({hour._replace(began_at=10_800_000): 1})
    assert usage.known_capped(hour) == 0
