"""Who belongs to an account, and that one Admin always remains."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from postroom.errors import ConflictError
from postroom.runtime import ids
from postroom.store import accounts, installation, memberships
from postroom.store import users as user_store
from postroom.store.accounts import Account
from postroom.store.database import Database
from postroom.store.memberships import Membership
from postroom.store.users import User
from postroom.tenancy import users
from postroom.tenancy.grants import Grant
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from postroom.types.permissions import Role
from postroom.types.refusals import Refused

ACCOUNT, OTHER = "a" * 16, "b" * 16
ADMIN, MANAGER = Grant(Role.ADMIN), Grant(Role.MANAGER)
ROUNDS = 200


def membership(user_id: str, grant: Grant = ADMIN, account_id: str = ACCOUNT, at: int = 1) -> Membership:
    return Membership(account_id, user_id, **grant.columns(), created_at=at, updated_at=at)


async def made(database: Database, count: int) -> list[str]:
    """The ids of new Admins."""
    people = [
        User(ids.object_id(), f"a{number}@example.com", "", "", "", False, 1, 1) for number in range(count)
    ]
    async with database.write() as connection:
        await accounts.add(connection, Account(ACCOUNT, "Shop", "approved", "", None, 1, 1))
        for user in people:
            await user_store.add(connection, user)
            await memberships.add(connection, membership(user.id))
    return [user.id for user in people]


async def test_pages_counts_and_changes(database: Database) -> None:
    rows = [membership(f"{number:016}", at=9 - number) for number in range(5)]
    async with database.write() as connection:
        for row in (
            *rows,
            membership("z" * 16, MANAGER),
            membership(rows[0].user_id, account_id=OTHER, at=0),
        ):
            await memberships.add(connection, row)
    async with database.write() as connection:
        version = await installation.version(connection)
        found = await memberships.page(connection, ACCOUNT, offset=2, limit=3)
        assert found == [rows[3], rows[2], rows[1]]
        assert await memberships.count(connection, ACCOUNT) == 6
        assert await memberships.count(connection, ACCOUNT, role="Admin") == 5
        first = await memberships.of_user(connection, rows[0].user_id)
        assert [one.account_id for one in first] == [OTHER, ACCOUNT]
        assert await memberships.change(connection, ACCOUNT, rows[1].user_id, role="Manager", updated_at=5)
        changed = replace(rows[1], role="Manager", updated_at=5)
        assert await memberships.get(connection, ACCOUNT, rows[1].user_id) == changed
        assert not await memberships.change(connection, OTHER, rows[1].user_id, role="Manager")
        assert not await memberships.remove(connection, OTHER, rows[1].user_id)
        assert await memberships.remove(connection, ACCOUNT, rows[1].user_id)
        assert await memberships.get(connection, ACCOUNT, rows[1].user_id) is None
        assert await installation.version(connection) > version  # the caches notice


async def test_nobody_joins_twice(database: Database) -> None:
    (user_id,) = await made(database, 1)
    with pytest.raises(ConflictError):
        async with database.write() as connection:
            await memberships.add(connection, membership(user_id))


async def test_u08_two_admins_who_demote_each_other(database: Database) -> None:
    """Two hundred times at once; every time exactly one of them is refused."""
    anna, ben = await made(database, 2)

    async def demote(user_id: str) -> users.Member | Refused:
        return await users.change(database, ACCOUNT, user_id, MANAGER, within=ADMIN, by=SYSTEM)

    for _ in range(ROUNDS):
        answers = await asyncio.gather(demote(ben), demote(anna))
        refused = [answer for answer in answers if isinstance(answer, Refused)]
        assert [why.rule for why in refused] == [refusals.LAST_ADMIN]
        async with database.write() as connection:
            assert await memberships.count(connection, ACCOUNT, role="Admin") == 1
            for user_id in (anna, ben):
                await memberships.change(connection, ACCOUNT, user_id, role="Admin")


async def test_u08_one_goes_while_the_other_is_demoted(database: Database) -> None:
    for _ in range(5):
        anna, ben = await made(database, 2)
        answers = await asyncio.gather(
            users.remove(database, ACCOUNT, anna, within=ADMIN, by=SYSTEM),
            users.change(database, ACCOUNT, ben, MANAGER, within=ADMIN, by=SYSTEM),
        )
        assert sum(isinstance(answer, Refused) for answer in answers) == 1
        async with database.write() as connection:
            assert await memberships.count(connection, ACCOUNT, role="Admin") == 1
            for table in ("memberships", "users", "accounts"):
                await connection.exec_driver_sql(f"DELETE FROM {table}")


async def test_u08_with_a_third_admin_both_may(database: Database) -> None:
    anna, ben, _ = await made(database, 3)
    answers = await asyncio.gather(
        *[users.remove(database, ACCOUNT, one, within=ADMIN, by=SYSTEM) for one in (anna, ben)]
    )
    assert not any(isinstance(answer, Refused) for answer in answers)
