"""deliver.census: what waits for whom, counted from the table in slices."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from postroom.deliver import census
from postroom.deliver.census import Census
from postroom.runtime import metrics
from postroom.runtime.clock import FakeClock
from postroom.store.database import Database
from postroom.store.schema import queue


async def fill(database: Database, account: str, sites: dict[str, int]) -> None:
    names = [site for site, count in sites.items() for _ in range(count)]
    rows = [
        {
            "account_id": account, "email_id": f"{number:024x}", "message_id": "m", "domain_id": "d", "site": site,
            "lane": 0, "owner": 0, "due_at": 1, "expires_at": 2,
        }
        for number, site in enumerate(names)
    ]  # fmt: skip
    async with database.write() as connection:
        await connection.execute(insert(queue), rows)


def shown() -> dict[str, int]:
    [metric] = metrics.QUEUE_SITES.collect()
    return {sample.labels["site"]: int(sample.value) for sample in metric.samples}


async def test_the_longest_queues_are_named_and_the_rest_counted_together(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(census, "SLICE", 4)  # neither sites nor accounts end where slices do
    monkeypatch.setattr(census, "NAMED", 3)
    await fill(sqlite_database, "a" * 16, {"one.test": 5, "two.test": 4, "three.test": 3, "few.test": 1})
    await fill(sqlite_database, "b" * 16, {"one.test": 3, "two.test": 1})
    await fill(sqlite_database, "c" * 16, {f"site{number}.test": 1 for number in range(7)})
    await Census(sqlite_database, FakeClock()).run()
    assert shown() == {"one.test": 8, "two.test": 5, "three.test": 3, "other": 8}


async def test_a_site_whose_queue_is_gone_is_gone(sqlite_database: Database) -> None:
    count = Census(sqlite_database, FakeClock())
    await fill(sqlite_database, "a" * 16, {"one.test": 1})
    await count.run()
    async with sqlite_database.write() as connection:
        await connection.execute(queue.delete())
    await count.run()
    assert shown() == {"other": 0}


async def test_memory_is_bounded(sqlite_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(census, "SLICE", 10)
    monkeypatch.setattr(census, "MOST_SITES", 20)
    many = {f"site{number}.test": 1 for number in range(100)}
    await fill(sqlite_database, "a" * 16, {"large.test": 30, **many})
    counted, total = await Census(sqlite_database, FakeClock())._count()
    assert (counted["large.test"], total) == (30, 130)
    assert len(counted) <= 30


async def test_the_longer_it_takes_the_less_often_it_is_done(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = FakeClock()
    count, counted = Census(sqlite_database, clock), []

    async def slow() -> tuple[object, int]:
        counted.append(clock.monotonic())
        clock.advance(2)
        return census.Counter(), 0

    monkeypatch.setattr(count, "_count", slow)
    for _ in range(30):
        await count.run()
        clock.advance(census.EVERY)
    # Two seconds each, then two hundred of rest, and its turn comes every fifteen.
    assert [at - counted[0] for at in counted] == [0, 212, 424]
