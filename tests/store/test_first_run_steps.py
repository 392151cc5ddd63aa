"""What the first run looks at, and what it keeps, on both databases."""

from __future__ import annotations

import asyncio

from sqlalchemy import insert

from postroom.store import first_run_steps as store
from postroom.store import installation, users
from postroom.store.accounts import Account
from postroom.store.database import Database
from postroom.store.schema import inbox
from postroom.store.users import User
from postroom.tenancy import first_run_steps, network_checks, sign_up
from postroom.tenancy.first_run_steps import Step
from postroom.types.actor import SYSTEM
from postroom.types.check import OK, Check

ACCOUNT, OTHER, DOMAIN = "a" * 16, "b" * 16, "d" * 16


def item(number: int, account_id: str = ACCOUNT) -> dict[str, object]:
    return {
        "account_id": account_id,
        "email_id": f"{number:024x}",
        "message_id": f"{number + 100:024x}",
        "domain_id": DOMAIN,
        "recipient": "you@example.com",
        "received_at": number,
    }


async def test_the_newest_of_the_inbox_but_one(database: Database) -> None:
    rows = [item(1), item(2), item(3, OTHER)]
    async with database.write() as connection:
        await connection.execute(insert(inbox), rows)
        first, second = (str(row["message_id"]) for row in rows[:2])
        assert await store.newest_in_inbox(connection, ACCOUNT, [DOMAIN], but="") == second
        assert await store.newest_in_inbox(connection, ACCOUNT, [DOMAIN], but=second) == first
        assert await store.newest_in_inbox(connection, ACCOUNT, [OTHER], but="") is None
        assert await store.newest_message(connection, ACCOUNT, [DOMAIN]) is None


async def test_of_those_who_ask_for_a_check_at_the_same_time_one_begins_it(database: Database) -> None:
    asked = [network_checks.begin(database, now=10, by=SYSTEM) for _ in range(4)]
    assert sum(await asyncio.gather(*asked)) == 1
    found = [Check("resolver", OK, "answers")]
    await network_checks.end(database, found, now=20)
    run = await network_checks.last(database)
    assert run is not None
    assert (run.began_at, run.ended_at, run.checks) == (10, 20, tuple(found))


async def test_marks_are_kept_and_change_only_what_is_said(database: Database) -> None:
    await first_run_steps.mark(database, skipped=[Step.PORT_25, Step.DOMAIN], by=SYSTEM)
    await first_run_steps.mark(database, closed=True, by=SYSTEM)
    progress = await first_run_steps.look(database, "u" * 16, ACCOUNT)
    assert progress.marks.skipped == {Step.PORT_25, Step.DOMAIN}
    assert progress.marks.closed
    async with database.read() as connection:
        assert await installation.get(connection, first_run_steps.MARKS) is not None


async def test_a_person_changed_and_raced_for_the_last_account(database: Database) -> None:
    user = User("u" * 16, "anna@example.com", "", "", "", False, 1, 1)
    async with database.write() as connection:
        await users.add(connection, user)
        before = await installation.version(connection)
        assert await users.change(connection, user.id, name="Anna", time_zone="Europe/Berlin")
        assert not await users.change(connection, "x" * 16, name="Anna")
        found = await users.lock(connection, user.id)
        assert found is not None
        assert (found.name, found.time_zone, found.preferences) == ("Anna", "Europe/Berlin", "{}")
        assert await installation.version(connection) > before
    adding = [
        sign_up.add_account(database, user.id, f"A{number}", approved=False, most=2, now=1, by=SYSTEM)
        for number in range(5)
    ]
    made = await asyncio.gather(*adding)
    assert sum(isinstance(one, Account) for one in made) == 2
