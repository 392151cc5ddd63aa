"""What goes into one delivery transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from postroom.deliver.ticker import Ticker
from postroom.errors import StorageUnavailableError
from postroom.store import batches
from postroom.store.batches.rows import OutcomeRecord, Ticked
from postroom.store.database import Database, InTurn
from support.mail import ACCOUNT, NOW, accepted, outcome, rows

OWNER = 1


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Outcomes and marks of each transaction."""
    sizes: list[tuple[int, int]] = []
    real = batches.tick

    async def spy(
        database: InTurn, owner: int, records: Sequence[OutcomeRecord], marks: Sequence[tuple[str, str]]
    ) -> Ticked:
        sizes.append((len(records), len(marks)))
        return await real(database, owner, records, marks)

    monkeypatch.setattr(batches, "tick", spy)
    return sizes


async def test_what_comes_before_the_writers_turn_travels_together(
    sqlite_database: Database, ticks: list[tuple[int, int]]
) -> None:
    await accepted(sqlite_database, 3)
    first, second, third = await batches.claim(sqlite_database, OWNER, [0], ACCOUNT, NOW, 10)
    ticker = Ticker(sqlite_database, lambda: OWNER)
    ticker.start()
    async with sqlite_database.turn():
        marks = [ticker.mark(first)]
        await asyncio.sleep(0)  # the ticker waits for its turn now
        marks.append(ticker.mark(second))
        ticker.record(outcome(third))
    assert await asyncio.gather(*marks) == [True, True]
    await ticker.stop(5)
    assert ticks == [(1, 2)]
    assert {row["mark"] for row in await rows(sqlite_database, "queue")} == {1}


async def test_q09_a_turn_that_does_not_come_loses_nothing(
    sqlite_database: Database, ticks: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_database, "timeout", 0.01)
    await accepted(sqlite_database)
    [entry] = await batches.claim(sqlite_database, OWNER, [0], ACCOUNT, NOW, 10)
    ticker = Ticker(sqlite_database, lambda: OWNER)
    ticker.record(outcome(entry))
    async with sqlite_database.turn():
        with pytest.raises(StorageUnavailableError):
            await ticker.flush()
    assert (ticks, ticker.backlog) == ([], 1)
    await ticker.flush()
    assert (ticks, ticker.backlog) == ([(1, 0)], 0)
