"""Counters of SMTP users with a cap: exact, whoever counts at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from postroom.store import batches, smtp_user_counts
from postroom.store.batches.rows import CapCounter, Inserts
from postroom.store.database import Database
from support.mail import ACCOUNT, DAY_MS, NOW, OTHER

DAY = NOW // DAY_MS
USER = "u" * 16
HOURLY = CapCounter(ACCOUNT, USER, "hour", NOW)
DAILY = CapCounter(ACCOUNT, USER, "day", NOW)


async def count(database: Database, *counters: CapCounter, most: int, emails: int = 1) -> bool:
    """One batch that adds to all counters unless one is full."""
    kept = False

    def plan(_used: object, _gone: object, _taken: object, capped: Mapping[CapCounter, int]) -> Inserts:
        nonlocal kept
        kept = all(capped[counter] + emails <= most for counter in counters)
        return Inserts(
            counts={ACCOUNT: emails} if kept else {},
            capped=dict.fromkeys(counters, emails) if kept else {},
        )

    await batches.accept(database, DAY, [], [], plan, capped=counters)
    return kept


async def used(database: Database, counter: CapCounter) -> int:
    async with database.read() as connection:
        return await smtp_user_counts.used(connection, counter)


async def test_each_span_user_and_account_has_its_own(database: Database) -> None:
    assert await used(database, HOURLY) == 0
    for _ in range(3):
        assert await count(database, HOURLY, DAILY, most=10, emails=2)
    assert await count(database, HOURLY, most=10, emails=4)
    assert (await used(database, HOURLY), await used(database, DAILY)) == (10, 6)
    assert not await count(database, HOURLY, DAILY, most=10)
    assert (await used(database, HOURLY), await used(database, DAILY)) == (10, 6)
    for other in (
        HOURLY._replace(account_id=OTHER),
        HOURLY._replace(smtp_user_id="v" * 16),
        HOURLY._replace(began_at=NOW + 3_600_000),
    ):
        assert await used(database, other) == 0


async def test_x04_caps_hold_under_racing_batches(database: Database) -> None:
    """In whichever order a batch names the counters."""
    orders = [(HOURLY, DAILY), (DAILY, HOURLY)]
    kept = await asyncio.gather(
        *(count(database, *orders[number % 2], most=20, emails=3) for number in range(30))
    )
    assert sum(kept) == 6
    assert (await used(database, HOURLY), await used(database, DAILY)) == (18, 18)


async def test_a_batch_that_fails_counts_nothing(database: Database) -> None:
    def plan(*_: object) -> Inserts:
        raise ZeroDivisionError

    try:
        await batches.accept(database, DAY, [], [], plan, capped=[HOURLY])
    except ZeroDivisionError:
        assert await used(database, HOURLY) == 0
    else:
        raise AssertionError("it did not fail")


async def test_what_is_over_goes_in_slices(database: Database) -> None:
    for hour in range(5):
        await count(database, HOURLY._replace(began_at=NOW + hour), most=1)
    async with database.write() as connection:
        assert await smtp_user_counts.delete_old(connection, NOW + 3, 2) == 2
        assert await smtp_user_counts.delete_old(connection, NOW + 3, 2) == 1
        assert await smtp_user_counts.delete_old(connection, NOW + 3, 2) == 0
    left = [await used(database, HOURLY._replace(began_at=NOW + hour)) for hour in range(5)]
    assert left == [0, 0, 0, 1, 1]
