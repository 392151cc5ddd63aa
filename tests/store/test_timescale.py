"""Q07: waits and lifetimes are stored on a scale that no step of a wall clock moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from postroom.runtime.clock import FakeClock
from postroom.store import query, queue, timescale
from postroom.store.database import Database
from postroom.store.timescale import Timescale
from postroom.types.status import Hold
from support.mail import DAY_MS, accepted, add_account, rows

DAY = 86_400.0
NEAR = timescale.STEP_MS
"""On PostgreSQL real milliseconds pass during a test."""

SetWall = Callable[[float], None]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def set_wall(database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> SetWall:
    """Somebody sets the wall clock of whoever keeps the database, by so many seconds."""
    set_by = 0

    def step(seconds: float) -> None:
        nonlocal set_by
        set_by += round(seconds * 1000)
        clock.jump(seconds)
        monkeypatch.setattr(timescale, "POSTGRESQL_NOW", query.POSTGRESQL_NOW + set_by)

    return step


async def begun(database: Database, clock: FakeClock) -> Timescale:
    scale = Timescale(database, clock)
    await scale.start()
    return scale


async def corrected(database: Database) -> int:
    async with database.read() as connection:
        return await timescale.correction(connection)


@pytest.mark.parametrize("days", [3, -2])
async def test_q07_a_step_is_noticed_and_the_scale_runs_on(
    database: Database, clock: FakeClock, set_wall: SetWall, days: int
) -> None:
    scale = await begun(database, clock)
    steps: list[float] = []
    scale.on_step(steps.append)
    before = clock.steady_ms()
    set_wall(days * DAY)
    await scale.keep()
    await scale.keep()
    clock.advance(0.1)
    assert clock.steady_ms() - before == pytest.approx(100, abs=NEAR)
    assert await corrected(database) == pytest.approx(-days * DAY_MS, abs=NEAR)
    assert steps == [pytest.approx(days * DAY, abs=NEAR / 1000)]


@pytest.mark.parametrize("days", [3, -2])
async def test_q07_looks_at_the_same_time_see_one_step(
    database: Database, clock: FakeClock, set_wall: SetWall, days: int
) -> None:
    """Retention looks, too, before it trusts the wall clock."""
    scale = await begun(database, clock)
    steps: list[float] = []
    scale.on_step(steps.append)
    before = clock.steady_ms()
    set_wall(days * DAY)
    await asyncio.gather(scale.keep(), scale.keep(), scale.trusted_wall_ms(), scale.keep())
    assert clock.steady_ms() - before == pytest.approx(0, abs=NEAR)
    assert len(steps) == 1


async def test_q07_the_next_start_goes_on_from_there(
    database: Database, clock: FakeClock, set_wall: SetWall
) -> None:
    scale = await begun(database, clock)
    before = clock.steady_ms()
    set_wall(30 * DAY)
    await scale.keep()
    later = FakeClock(clock.now_ms())
    await begun(database, later)
    assert later.steady_ms() == pytest.approx(before, abs=NEAR)


async def test_q07_a_clock_set_back_while_nobody_ran_does_not_turn_the_scale_back(
    database: Database, clock: FakeClock, set_wall: SetWall
) -> None:
    await (await begun(database, clock)).keep()
    before = clock.steady_ms()
    set_wall(-5 * DAY)
    later = FakeClock(clock.now_ms())
    await begun(database, later)
    assert later.steady_ms() == pytest.approx(before, abs=NEAR)
    assert await corrected(database) == pytest.approx(5 * DAY_MS, abs=NEAR)


async def test_q07_what_one_node_notices_the_others_follow(
    database: Database, clock: FakeClock, set_wall: SetWall
) -> None:
    """A machine that was halted knows less than the others: they agree on a scale and do not fight about it."""
    other_clock = FakeClock(clock.now_ms())
    one, other = await begun(database, clock), await begun(database, other_clock)
    steps: list[float] = []
    other.on_step(steps.append)
    set_wall(DAY)
    other_clock.jump(DAY)
    for _ in range(3):
        await one.keep()
        await other.keep()
    assert steps == []
    assert other_clock.steady_ms() == pytest.approx(clock.steady_ms(), abs=NEAR)
    assert await corrected(database) == pytest.approx(-DAY_MS, abs=NEAR)


async def test_a_clock_that_is_merely_adjusted_is_followed(sqlite_database: Database) -> None:
    clock = FakeClock()
    scale = await begun(sqlite_database, clock)
    for _ in range(20):
        clock.jump(0.4)
        await scale.keep()
    assert clock.steady_ms() == clock.now_ms()
    assert await corrected(sqlite_database) == 0


async def test_q07_a_process_that_stood_still_while_it_looked_sees_no_step(sqlite_database: Database) -> None:
    class Halted(FakeClock):
        halt = 0.0

        def steady_ms(self) -> int:
            self.suspend(self.halt)
            return super().steady_ms()

    clock = Halted()
    scale = await begun(sqlite_database, clock)
    clock.halt = 600
    await scale.keep()
    clock.halt = 0
    await scale.keep()
    assert await corrected(sqlite_database) == 0
    assert clock.moment() == (clock.now_ms(), 0)


@pytest.mark.parametrize("hold", [Hold.QUOTA, Hold.SCHEDULED])
async def test_q07_what_waits_for_a_moment_of_the_wall_clock_moves_with_it(
    database: Database, clock: FakeClock, set_wall: SetWall, hold: Hold
) -> None:
    scale = await begun(database, clock)
    due = clock.steady_ms() + DAY_MS
    await accepted(database, due_at=due, hold=hold.value)
    await accepted(database, due_at=due)
    set_wall(DAY / 2)
    await scale.keep()
    held, waiting = sorted(await rows(database, "queue"), key=lambda row: row["due_at"])
    assert (held["hold"], waiting["due_at"]) == (hold.value, due)
    assert held["due_at"] == pytest.approx(due - DAY_MS / 2, abs=NEAR)


async def test_q07_people_are_shown_wall_time(
    database: Database, clock: FakeClock, set_wall: SetWall
) -> None:
    await add_account(database)
    scale = await begun(database, clock)
    inserts = await accepted(database, due_at=clock.steady_ms() + 60_000)
    set_wall(7 * DAY)
    await scale.keep()
    async with database.read() as connection:
        item = await queue.show(connection, inserts.emails[0].id)
        [listed] = await queue.soonest(connection)
        [site] = await queue.counts(connection, "site")
        wall = await scale._look(connection) - await timescale.correction(connection)
    assert item == listed
    assert item is not None
    assert item.due_at == site.next_due_at == pytest.approx(wall + 60_000, abs=NEAR)


async def test_q07_a_clock_set_far_forward_is_not_trusted_for_a_day(
    database: Database, clock: FakeClock, set_wall: SetWall
) -> None:
    scale = await begun(database, clock)
    wall = await scale.trusted_wall_ms()
    assert wall == pytest.approx(clock.steady_ms(), abs=NEAR)
    set_wall(-30 * DAY)
    set_wall(0.5 * 3600)
    assert await scale.trusted_wall_ms() is not None
    set_wall(40 * DAY)
    assert await scale.trusted_wall_ms() is None
    later = FakeClock(clock.now_ms())
    again = await begun(database, later)
    assert await again.trusted_wall_ms() is None


async def test_q07_and_then_it_is_trusted(sqlite_database: Database) -> None:
    clock = FakeClock()
    scale = await begun(sqlite_database, clock)
    clock.jump(40 * DAY)
    assert await scale.trusted_wall_ms() is None
    clock.advance(0.99 * DAY)
    assert await scale.trusted_wall_ms() is None
    clock.advance(0.02 * DAY)
    assert await scale.trusted_wall_ms() == clock.now_ms()
