"""Accounts: add, approve, suspend, show."""

from __future__ import annotations

from dataclasses import dataclass

from postroom.errors import NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import accounts as store
from postroom.store import domains, interventions, quota_days
from postroom.store.accounts import Account
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.tenancy import holds, quotas
from postroom.types.status import Hold

UNAPPROVED, APPROVED, SUSPENDED = "unapproved", "approved", "suspended"


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """`used_today` counts the emails accepted since 00:00 UTC."""

    account: Account
    used_today: int
    domains: list[Domain]


async def add(db: Database, name: str, *, approved: bool = False, daily_quota: int | None = None) -> Account:
    """`daily_quota` in emails; None: the installation's default, 0: none."""
    name = name.strip()
    if not name or len(name) > 191:
        raise PostroomError("an account needs a name of 1 to 191 characters")
    if daily_quota is not None and daily_quota < 0:
        raise PostroomError("a daily quota cannot be below 0")
    now = Clock().now_ms()
    state = APPROVED if approved else UNAPPROVED
    account = Account(ids.object_id(), name, state, "", daily_quota, now, now)
    async with db.write() as connection:
        await store.add(connection, account)
    return account


async def get(db: Database, account_id: str) -> Account:
    async with db.read() as connection:
        account = await store.get(connection, account_id)
    if account is None:
        raise NotFoundError(f"there is no account {account_id}")
    return account


async def approve(db: Database, account_id: str) -> Account:
    """The account may send; what a suspension held is queued again. Doing it twice does no harm."""
    account = await _set_state(db, account_id, APPROVED, "")
    await holds.in_slices(
        db,
        lambda connection, *at: interventions.release_account(connection, account_id, Hold.SUSPENDED, *at),
    )
    return account


async def suspend(db: Database, account_id: str, reason: str = "") -> Account:
    """The account may not send; what is queued is held, but for attempts under way."""
    account = await _set_state(db, account_id, SUSPENDED, reason)
    await holds.in_slices(
        db, lambda connection, *at: interventions.hold_account(connection, account_id, Hold.SUSPENDED, *at)
    )
    return account


async def show(db: Database, account_id: str) -> AccountDetails:
    account = await get(db, account_id)
    async with db.read() as connection:
        used = await quota_days.used(connection, account_id, quotas.day_number(Clock().now_ms()))
        return AccountDetails(account, used, await domains.list_all(connection, account_id))


async def list_all(db: Database) -> list[Account]:
    async with db.read() as connection:
        return await store.list_all(connection)


async def _set_state(db: Database, account_id: str, state: str, reason: str) -> Account:
    async with db.write() as connection:
        if not await store.set_state(connection, account_id, state, reason, Clock().now_ms()):
            raise NotFoundError(f"there is no account {account_id}")
    return await get(db, account_id)
