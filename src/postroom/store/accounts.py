"""Accounts: who mail belongs to. `account_id` leads every key of mail data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values
from postroom.store.schema import accounts, quota_days


@dataclass(frozen=True, slots=True)
class Account:
    """`state` is unapproved, approved or suspended; `daily_quota` in emails, None: as the plan or the settings say, 0: no
    limit. `plan` "" is none. `approved_at` is there for a suspended account, too, if it was approved before."""

    id: str
    name: str
    state: str
    state_reason: str
    daily_quota: int | None
    created_at: int
    updated_at: int
    plan: str = ""
    approved_at: int | None = None


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """What is None does not matter. `search` is a part of the name in any case, or an id."""

    search: str | None = None
    state: str | None = None
    plan: str | None = None


@dataclass(frozen=True, slots=True)
class Used:
    """`emails` are those an account had counted on the day asked for, `ahead` on the day after it."""

    account: Account
    emails: int
    ahead: int


_ALL = select(*columns(Account, accounts))


async def add(connection: AsyncConnection, account: Account) -> None:
    await connection.execute(insert(accounts).values(values(account)))
    await installation.bump(connection)


async def get(connection: AsyncConnection, account_id: str) -> Account | None:
    return await first(connection, Account, _ALL.where(accounts.c.id == account_id))


async def lock(connection: AsyncConnection, account_id: str) -> Account | None:
    """The account as it is once nobody else changes it, until the transaction ends."""
    return await first(connection, Account, _ALL.where(accounts.c.id == account_id).with_for_update())


async def adding_to(connection: AsyncConnection, account_id: str) -> None:
    """Who adds objects to an account does so one after the other, until the transaction ends: what is counted is what
    there is."""
    await installation.lock(connection, f"objects {account_id}")


async def load(connection: AsyncConnection, ids: Iterable[str]) -> list[Account]:
    """Those with these ids."""
    return await every(connection, Account, _ALL.where(accounts.c.id.in_(sorted(set(ids)))))


async def list_all(connection: AsyncConnection) -> list[Account]:
    return await every(connection, Account, _ALL.order_by(accounts.c.created_at, accounts.c.id))


async def page(
    connection: AsyncConnection, wanted: AccountFilter, *, offset: int, limit: int
) -> list[Account]:
    """The newest first."""
    statement = _ALL.where(*_fitting(wanted)).order_by(accounts.c.created_at.desc(), accounts.c.id.desc())
    return await every(connection, Account, statement.offset(offset).limit(limit))


async def count(connection: AsyncConnection, wanted: AccountFilter) -> int:
    statement = select(func.count()).select_from(accounts).where(*_fitting(wanted))
    return int(await connection.scalar(statement) or 0)


async def used_on(connection: AsyncConnection, day: int, *, after: str, limit: int) -> list[Used]:
    """Accounts behind `after`, in the order of their ids, that had emails counted on a day, and how many."""
    today, ahead = quota_days.alias("today"), quota_days.alias("ahead")
    counted = (today.c.day == day, today.c.account_id == accounts.c.id, accounts.c.id > after)
    following = (ahead.c.account_id == accounts.c.id) & (ahead.c.day == day + 1)
    source = accounts.join(today, today.c.account_id == accounts.c.id).outerjoin(ahead, following)
    numbers = (today.c.used, func.coalesce(ahead.c.used, 0))
    statement = select(*columns(Account, accounts), *numbers).select_from(source).where(*counted)
    rows = await connection.execute(statement.order_by(accounts.c.id).limit(limit))
    return [Used(Account(*row[:-2]), row[-2], row[-1]) for row in rows]


async def change(connection: AsyncConnection, account_id: str, **new: Any) -> bool:
    """Set these columns. False when there is no such account."""
    count = await changed(connection, update(accounts).where(accounts.c.id == account_id).values(**new))
    await installation.bump(connection)
    return count == 1


def _fitting(wanted: AccountFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.search is not None:
        named = func.lower(accounts.c.name).contains(wanted.search.lower(), autoescape=True)
        found.append(or_(named, accounts.c.id == wanted.search))
    if wanted.state is not None:
        found.append(accounts.c.state == wanted.state)
    if wanted.plan is not None:
        found.append(accounts.c.plan == wanted.plan)
    return found
