from __future__ import annotations

from sqlalchemy import update

from postroom.store import nodes
from postroom.store.database import Database
from postroom.store.schema import nodes as table
from support.mail import NOW, accepted, rows

LEASE = 60_000


async def _start(database: Database) -> int:
    async with database.write() as connection:
        return await nodes.start(connection, "mail.example.com", NOW, LEASE)


async def _lapse(database: Database, incarnation: int) -> None:
    """On PostgreSQL its time is over; on SQLite time ends nothing, the next start does."""
    until = 0 if database.sqlite else NOW - 1
    async with database.write() as connection:
        await connection.execute(update(table).where(table.c.incarnation == incarnation).values(until=until))


async def _dead(database: Database) -> list[int]:
    async with database.read() as connection:
        return await nodes.dead(connection)


async def test_incarnations_rise_and_are_never_used_again(database: Database) -> None:
    first, second = await _start(database), await _start(database)
    assert second > first > 0
    await _lapse(database, second)
    async with database.write() as connection:
        assert await nodes.forget(connection) == 1
    assert await _start(database) > second


async def test_a_lapsed_lease_is_not_renewed(database: Database) -> None:
    incarnation = await _start(database)
    async with database.write() as connection:
        assert await nodes.renew(connection, incarnation, NOW + 1000, LEASE)
    await _lapse(database, incarnation)
    async with database.write() as connection:
        assert not await nodes.renew(connection, incarnation, NOW, LEASE)
        assert not await nodes.renew(connection, 999, NOW, LEASE)


async def test_dead_are_owners_without_a_lease(database: Database) -> None:
    alive, lapsed, idle = await _start(database), await _start(database), await _start(database)
    for owner in (alive, lapsed, 0):
        await accepted(database, owner=owner)
    assert await _dead(database) == []
    for incarnation in (lapsed, idle):
        await _lapse(database, incarnation)
    assert await _dead(database) == [lapsed]
    async with database.write() as connection:
        assert await nodes.forget(connection) == 1  # the idle one; the other still owns a row
    assert len(await rows(database, "nodes")) == 2


async def test_rows_of_an_owner_nobody_remembers_are_free(database: Database) -> None:
    await accepted(database, owner=77)
    assert await _dead(database) == [77]


async def test_a_lease_given_back_is_dead_at_once(database: Database) -> None:
    incarnation = await _start(database)
    await accepted(database, owner=incarnation)
    async with database.write() as connection:
        await nodes.expire(connection, incarnation)
    assert await _dead(database) == [incarnation]


async def test_a_starting_node_takes_all_on_sqlite(database: Database) -> None:
    first, second = await _start(database), await _start(database)
    await accepted(database, owner=first)
    await accepted(database, owner=second)
    async with database.write() as connection:
        assert await nodes.expire_others(connection, second) == 1
    assert await _dead(database) == [first]


async def test_q07_a_clock_that_jumps_ends_no_lease(database: Database) -> None:
    """PostgreSQL uses its own clock, SQLite none."""
    async with database.write() as connection:
        incarnation = await nodes.start(connection, "a", 0, LEASE)  # this node's clock says 1970
        assert await nodes.renew(connection, incarnation, 2**52, LEASE)  # and now it is far ahead
    await accepted(database, owner=incarnation)
    assert await _dead(database) == []
