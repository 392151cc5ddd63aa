from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from postroom.config import Config
from postroom.errors import ConflictError, NotFoundError, PostroomError
from postroom.runtime.clock import Clock
from postroom.store import accounts as store
from postroom.store import audit, installation
from postroom.store.database import Database
from postroom.tenancy import accounts, holds, quotas, suppressions, users
from postroom.types import refusals
from postroom.types.actor import SYSTEM
from support.mail import insert, lay_out, message_row, rows


async def _version(database: Database) -> int:
    async with database.read() as connection:
        return await installation.version(connection)


async def test_an_account_begins_unapproved(sqlite_database: Database) -> None:
    account = await accounts.add(sqlite_database, "  Shop  ", daily_quota=100, by=SYSTEM)
    assert (account.name, account.state, account.daily_quota) == ("Shop", "unapproved", 100)
    assert (await accounts.approve(sqlite_database, account.id, by=SYSTEM)).state == "approved"
    assert [found.id for found in await accounts.list_all(sqlite_database)] == [account.id]


@pytest.mark.parametrize(("name", "quota"), [("", None), ("   ", None), ("x" * 192, None), ("Shop", -1)])
async def test_what_an_account_cannot_be(sqlite_database: Database, name: str, quota: int | None) -> None:
    with pytest.raises(PostroomError):
        await accounts.add(sqlite_database, name, daily_quota=quota, by=SYSTEM)


async def test_suspension_holds_what_is_queued_and_approval_releases_it(sqlite_database: Database) -> None:
    account = await accounts.add(sqlite_database, "Shop", approved=True, by=SYSTEM)
    await insert(sqlite_database, lay_out(message_row(account.id), 3))
    suspended = await accounts.suspend(sqlite_database, account.id, "complaints", by=SYSTEM)
    assert (suspended.state, suspended.state_reason) == ("suspended", "complaints")
    assert {row["hold"] for row in await rows(sqlite_database, "queue")} == {"suspended"}
    approved = await accounts.approve(sqlite_database, account.id, by=SYSTEM)
    assert (approved.state, approved.state_reason) == ("approved", "")
    assert {row["hold"] for row in await rows(sqlite_database, "queue")} == {""}
    types = [row["type"] for row in await rows(sqlite_database, "events")]
    assert sorted(types) == ["held"] * 3 + ["released"] * 3


async def test_a_row_that_was_held_too_late_is_released_by_the_job(database: Database) -> None:
    """By a node that did not know yet that the suspension was lifted, or whose process ended between two slices."""
    lifted, other = [(await accounts.add(database, "Shop", approved=True, by=SYSTEM)).id for _ in range(2)]
    for account_id in (lifted, other):
        await insert(database, lay_out(message_row(account_id), 3))
        await accounts.suspend(database, account_id, by=SYSTEM)
    async with database.write() as connection:
        await store.change(connection, lifted, state="approved")
    await holds.release_resumed(database)
    found = {(row["account_id"], row["hold"]) for row in await rows(database, "queue")}
    assert found == {(lifted, ""), (other, "suspended")}
    assert {row["status"] for row in await rows(database, "emails") if row["account_id"] == lifted} == {
        "queued"
    }


async def test_each_change_is_told_to_the_audit_log_and_what_changes_nothing_is_not(
    sqlite_database: Database,
) -> None:
    config = Config(plans={"small": {}})  # type: ignore[arg-type]
    account = await accounts.add(sqlite_database, "Shop", by=SYSTEM)
    for _ in range(2):
        await accounts.approve(sqlite_database, account.id, by=SYSTEM)
    for _ in range(2):
        await accounts.suspend(sqlite_database, account.id, "spam", by=SYSTEM)
    await accounts.unsuspend(sqlite_database, account.id, by=SYSTEM)
    for _ in range(2):
        await accounts.set_plan(sqlite_database, config, account.id, "small", by=SYSTEM)
        await accounts.set_quota(sqlite_database, config, account.id, 5, by=SYSTEM)
    async with sqlite_database.read() as connection:
        told = await audit.page(connection, account.id, limit=20)
    assert [entry.action.removeprefix("account.") for entry in reversed(told)] == [
        "created",
        "approved",
        "suspended",
        "unsuspended",
        "updated",
        "updated",
    ]


async def test_show_counts_today(sqlite_database: Database) -> None:
    account = await accounts.add(sqlite_database, "Shop", by=SYSTEM)
    async with sqlite_database.write() as connection:
        await connection.execute(
            text("INSERT INTO quota_days (account_id, day, used) VALUES (:account, :day, 12)"),
            {"account": account.id, "day": quotas.day_number(Clock().now_ms())},
        )
    details = await accounts.show(sqlite_database, account.id)
    assert (details.used_today, details.domains, details.account) == (12, [], account)


async def test_accounts_that_do_not_exist(sqlite_database: Database) -> None:
    for change in (accounts.approve, accounts.suspend, accounts.unsuspend):
        with pytest.raises(NotFoundError, match="no account nobody"):
            await change(sqlite_database, "nobody", by=SYSTEM)
    for look in (accounts.show, accounts.get):
        with pytest.raises(NotFoundError, match="no account nobody"):
            await look(sqlite_database, "nobody")


async def test_every_change_raises_the_version(sqlite_database: Database) -> None:
    seen = [await _version(sqlite_database)]
    account = await accounts.add(sqlite_database, "Shop", by=SYSTEM)
    seen.append(await _version(sqlite_database))
    await accounts.suspend(sqlite_database, account.id, by=SYSTEM)
    seen.append(await _version(sqlite_database))
    await suppressions.add(sqlite_database, account.id, "a@example.org", by=SYSTEM)
    seen.append(await _version(sqlite_database))
    assert seen == sorted(set(seen))


async def test_people(sqlite_database: Database) -> None:
    account = await accounts.add(sqlite_database, "Shop", by=SYSTEM)
    added = await users.add(
        sqlite_database,
        "Ada@Example.com",
        account_id=account.id,
        grant=users.EVERYTHING,
        operator=True,
        password="x" * 10,
        by=SYSTEM,
    )
    assert (added.email, added.operator, added.roles) == ("ada@example.com", True, {account.id: "Admin"})
    assert await users.list_all(sqlite_database) == [added]
    [stored] = await rows(sqlite_database, "users")
    assert stored["password_hash"].startswith("$argon2id$")
    with pytest.raises(ConflictError, match=r"ada@example\.com"):
        await users.add(
            sqlite_database,
            "ADA@example.com",
            account_id=account.id,
            grant=users.EVERYTHING,
            password="y" * 10,
            by=SYSTEM,
        )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"password": "123456789"}, "at least 10"),
        ({"email": "nobody"}, "no email address"),
        ({"account_id": "nobody"}, "no account"),
    ],
)
async def test_what_a_person_cannot_be(sqlite_database: Database, changes: dict[str, Any], why: str) -> None:
    account = await accounts.add(sqlite_database, "Shop", by=SYSTEM)
    facts: dict[str, Any] = {
        "email": "a@example.com",
        "account_id": account.id,
        "grant": users.EVERYTHING,
        "password": "x" * 10,
        "by": SYSTEM,
    } | changes
    with pytest.raises(PostroomError, match=why):
        await users.add(sqlite_database, facts.pop("email"), **facts)
    assert await users.list_all(sqlite_database) == []


async def test_suppressions(sqlite_database: Database) -> None:
    account = await accounts.add(sqlite_database, "Shop", by=SYSTEM)
    first = await suppressions.add(sqlite_database, account.id, "Bob@EXAMPLE.org", reason="asked", by=SYSTEM)
    assert (first.address, first.list) == ("Bob@example.org", "blocklist")
    with pytest.raises(ConflictError):
        await suppressions.add(sqlite_database, account.id, "Bob@example.org", by=SYSTEM)
    second = await suppressions.add(
        sqlite_database, account.id, "Bob@example.org", on="unsubscribes", by=SYSTEM
    )
    assert await suppressions.list_all(sqlite_database, account.id) == [first, second]
    assert await suppressions.list_all(sqlite_database, account.id, after=first.id) == [second]
    assert await suppressions.remove(sqlite_database, account.id, "Bob@example.org", by=SYSTEM) == 2
    with pytest.raises(NotFoundError):
        await suppressions.remove(sqlite_database, account.id, "Bob@example.org", by=SYSTEM)
    for address, on in (("nobody", "blocklist"), ("a@example.org", "spam")):
        with pytest.raises(PostroomError):
            await suppressions.add(sqlite_database, account.id, address, on=on, by=SYSTEM)
    with pytest.raises(NotFoundError):
        await suppressions.add(sqlite_database, "nobody", "a@example.org", by=SYSTEM)


def test_days_run_from_midnight_to_midnight_utc() -> None:
    midnight = 20_000 * 86_400_000
    assert quotas.day_number(midnight) == quotas.day_number(midnight + 86_399_999) == 20_000
    assert quotas.day_number(midnight - 1) == 19_999
    assert quotas.next_day_ms(midnight) == midnight + 86_400_000
    assert quotas.seconds_left(midnight) == 86_400
    assert quotas.seconds_left(midnight - 1) == 1


@pytest.mark.parametrize(
    ("left_ms", "wait"), [(1, "1 min"), (3_600_000, "1 h 0 min"), (3_660_001, "1 h 2 min")]
)
def test_the_quota_refusal_says_when_to_come_back(left_ms: int, wait: str) -> None:
    refused = quotas.quota_refusal(100, 98, 20_000 * 86_400_000 - left_ms)
    assert refused.rule is refusals.DAILY_QUOTA
    assert refused.facts == {"quota": "100", "used": "98", "wait": wait}
