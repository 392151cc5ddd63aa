"""Accounts: add, show, approve, suspend, and set what each may use. All of it is the operator's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.config import Config
from postroom.errors import NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import accounts as store
from postroom.store import domains, quota_days
from postroom.store.accounts import Account
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.tenancy import account_requests, audit, held_over_quota, holds, quotas
from postroom.tenancy.account_requests import Kind
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.refusals import Refused

UNAPPROVED, APPROVED, SUSPENDED = "unapproved", "approved", "suspended"
LONGEST_NAME, LONGEST_REASON = 191, 2000
LARGEST_QUOTA = 10**12


@dataclass(frozen=True, slots=True)
class AccountDetails:
    """`used_today` counts the emails accepted since 00:00 UTC, `held` those that were held today for the next day."""

    account: Account
    used_today: int
    held: int
    domains: list[Domain]


async def add(
    db: Database,
    name: str,
    *,
    approved: bool = False,
    daily_quota: int | None = None,
    plan: str = "",
    by: Actor,
) -> Account:
    """`daily_quota` in emails; None: as the plan or the settings say, 0: no limit. Raises PostroomError."""
    async with db.write() as connection:
        return await create(connection, name, approved=approved, daily_quota=daily_quota, plan=plan, by=by)


async def create(
    connection: AsyncConnection,
    name: str,
    *,
    approved: bool = False,
    daily_quota: int | None = None,
    plan: str = "",
    by: Actor,
) -> Account:
    """`add` within a transaction that makes more than the account, as when somebody signs up. Raises PostroomError."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise PostroomError(f"an account needs a name of 1 to {LONGEST_NAME} characters")
    _check_quota(daily_quota)
    now = Clock().now_ms()
    account = Account(
        ids.object_id(),
        name,
        APPROVED if approved else UNAPPROVED,
        "",
        daily_quota,
        now,
        now,
        plan,
        now if approved else None,
    )
    await store.add(connection, account)
    await _record(connection, by, "created", None, account)
    return account


async def get(db: Database, account_id: str) -> Account:
    async with db.read() as connection:
        account = await store.get(connection, account_id)
    if account is None:
        raise _missing(account_id)
    return account


async def show(db: Database, account_id: str) -> AccountDetails:
    account = await get(db, account_id)
    day = quotas.day_number(Clock().now_ms())
    async with db.read() as connection:
        used = await quota_days.used(connection, account_id, day)
        held = await quota_days.used(connection, account_id, day + 1)
        return AccountDetails(account, used, held, await domains.list_all(connection, account_id))


async def list_all(db: Database) -> list[Account]:
    async with db.read() as connection:
        return await store.list_all(connection)


async def approve(db: Database, account_id: str, *, by: Actor) -> Account:
    """The account may send; a request for that is answered, and what a suspension held is queued again. Doing it twice
    does no harm."""
    async with db.write() as connection:
        before = await locked(connection, account_id)
        approved_at = before.approved_at or Clock().now_ms()
        account = await changed(connection, before, state=APPROVED, state_reason="", approved_at=approved_at)
        await _record(connection, by, "approved", before, account)
        await account_requests.answer_open(connection, account_id, Kind.APPROVAL, by=by)
    await holds.release_account(db, account_id)
    return account


async def suspend(db: Database, account_id: str, reason: str = "", *, by: Actor) -> Account:
    """The account may not send; what is queued is held, but for attempts under way."""
    reason = reason.strip()
    if len(reason) > LONGEST_REASON:
        raise PostroomError(f"a reason has at most {LONGEST_REASON} characters")
    async with db.write() as connection:
        before = await locked(connection, account_id)
        account = await changed(connection, before, state=SUSPENDED, state_reason=reason)
        await _record(connection, by, "suspended", before, account)
    await holds.hold_account(db, account_id)
    return account


async def unsuspend(db: Database, account_id: str, *, by: Actor) -> Account | Refused:
    """The account is what it was before, and what was held is queued again. Refused: NOT_SUSPENDED."""
    async with db.write() as connection:
        before = await locked(connection, account_id)
        if before.state != SUSPENDED:
            return Refused(refusals.NOT_SUSPENDED, {"account": before.name})
        state = UNAPPROVED if before.approved_at is None else APPROVED
        account = await changed(connection, before, state=state, state_reason="")
        await _record(connection, by, "unsuspended", before, account)
    await holds.release_account(db, account_id)
    return account


def unknown(config: Config, plan: str) -> Refused | None:
    """Why no account can be put on this plan, or None."""
    return Refused(refusals.PLAN_UNKNOWN, {"plan": plan}) if plan and plan not in config.plans else None


async def set_plan(
    db: Database, config: Config, account_id: str, plan: str, *, by: Actor
) -> Account | Refused:
    """With an empty name on none. What was held over the quota goes on as far as the new one lets it. Refused:
    PLAN_UNKNOWN."""
    refused = unknown(config, plan)
    if refused is not None:
        return refused
    async with db.write() as connection:
        before = await locked(connection, account_id)
        account = await changed(connection, before, plan=plan)
        await _record(connection, by, "updated", before, account)
    await held_over_quota.release(db, config, account_id)
    return account


async def set_quota(
    db: Database, config: Config, account_id: str, daily_quota: int | None, *, by: Actor
) -> Account:
    """In emails; None: as the plan or the settings say, 0: no limit. Releases what was held as `set_plan` does."""
    _check_quota(daily_quota)
    async with db.write() as connection:
        before = await locked(connection, account_id)
        account = await changed(connection, before, daily_quota=daily_quota)
        await _record(connection, by, "updated", before, account)
    await held_over_quota.release(db, config, account_id)
    return account


# -- within a transaction -------------------------------------------------------------------------------------------


async def locked(connection: AsyncConnection, account_id: str) -> Account:
    """The account as it is once nobody else changes it, until the transaction ends. Raises NotFoundError."""
    account = await store.lock(connection, account_id)
    if account is None:
        raise _missing(account_id)
    return account


async def changed(connection: AsyncConnection, before: Account, **new: Any) -> Account:
    """A locked account with these columns set. It is told to the audit log by who calls."""
    after = replace(before, **new)
    if after == before:
        return before
    new["updated_at"] = Clock().now_ms()
    await store.change(connection, before.id, **new)
    return replace(before, **new)


async def _record(
    connection: AsyncConnection, by: Actor, verb: str, before: Account | None, after: Account
) -> None:
    """Nothing happened, nothing is told."""
    if before == after:
        return
    await audit.record(
        connection,
        by,
        f"account.{verb}",
        account_id=after.id,
        object_id=after.id,
        name=after.name,
        before=before,
        after=after,
    )


def _check_quota(daily_quota: int | None) -> None:
    if daily_quota is not None and not 0 <= daily_quota <= LARGEST_QUOTA:
        raise PostroomError(f"a daily quota is between 0 and {LARGEST_QUOTA}")


def _missing(account_id: str) -> NotFoundError:
    return NotFoundError(f"there is no account {account_id}")
