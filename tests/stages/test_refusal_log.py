"""What becomes of refusals while the database cannot take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from postroom.accept import refused
from postroom.accept.refused import RefusalLog
from postroom.errors import CommitUnknownError, StorageUnavailableError
from postroom.runtime.clock import Clock
from postroom.store import refusals
from postroom.store.database import Database
from postroom.types.refusals import AUTH_REQUIRED, Refused

Failing = Callable[[Exception], None]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """The next write meets this error, and the one after it none."""
    record = refusals.record

    def fail(error: Exception) -> None:
        async def once(*_: Any) -> None:
            monkeypatch.setattr(refusals, "record", record)
            raise error

        monkeypatch.setattr(refusals, "record", once)

    return fail


async def recorded(database: Database) -> dict[str, int]:
    """How often each client was refused, as the log has it."""
    async with database.read() as connection:
        return {row.client: row.count for row in await refusals.page(connection)}


async def test_refusals_wait_while_the_database_is_away(sqlite_database: Database, failing: Failing) -> None:
    log = RefusalLog(sqlite_database, Clock())
    log.add(Refused(AUTH_REQUIRED), client="192.0.2.1")
    failing(StorageUnavailableError("away"))
    await log.stop()
    assert await recorded(sqlite_database) == {}
    log.add(Refused(AUTH_REQUIRED), client="192.0.2.2")
    await log.stop()
    assert await recorded(sqlite_database) == {"192.0.2.1": 1, "192.0.2.2": 1}


async def test_what_may_be_recorded_is_not_counted_twice(sqlite_database: Database, failing: Failing) -> None:
    log = RefusalLog(sqlite_database, Clock())
    log.add(Refused(AUTH_REQUIRED), client="192.0.2.1")
    failing(CommitUnknownError("lost within COMMIT"))
    await log.stop()
    await log.stop()
    assert await recorded(sqlite_database) == {}


async def test_so_many_wait_and_the_rest_is_counted(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused, "MOST", 3)
    log = RefusalLog(sqlite_database, Clock())

    async def away(*_: Any) -> None:
        for number in (3, 4):  # these come while the others are written
            log.add(Refused(AUTH_REQUIRED), client=f"192.0.2.{number}")
        raise StorageUnavailableError("away")

    for number in range(3):
        log.add(Refused(AUTH_REQUIRED), client=f"192.0.2.{number}")
    with monkeypatch.context() as patch:
        patch.setattr(refusals, "record", away)
        await log.stop()
    await log.stop()
    assert sorted(await recorded(sqlite_database)) == ["192.0.2.0", "192.0.2.1", "192.0.2.2"]


async def test_nothing_waits_for_ever(
    sqlite_database: Database, failing: Failing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refused, "LONGEST", -1)
    log = RefusalLog(sqlite_database, Clock())
    log.add(Refused(AUTH_REQUIRED), client="192.0.2.1")
    failing(StorageUnavailableError("a row that it never takes"))
    await log.stop()
    await log.stop()
    assert await recorded(sqlite_database) == {}
