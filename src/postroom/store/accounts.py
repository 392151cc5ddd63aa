"""Accounts: who mail belongs to. `account_id` leads every key of mail data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values
from postroom.store.schema import accounts


@dataclass(frozen=True, slots=True)
class Account:
    """`state` is unapproved, approved or suspended; `daily_quota` None means the installation's default."""

    id: str
    name: str
    state: str
    state_reason: str
    daily_quota: int | None
    created_at: int
    updated_at: int


_ALL = select(*columns(Account, accounts))


async def add(connection: AsyncConnection, account: Account) -> None:
    await connection.execute(insert(accounts).values(values(account)))
    await installation.bump(connection)


async def get(connection: AsyncConnection, account_id: str) -> Account | None:
    return await first(connection, Account, _ALL.where(accounts.c.id == account_id))


async def load(connection: AsyncConnection, ids: Iterable[str]) -> list[Account]:
    """Those with these ids."""
    return await every(connection, Account, _ALL.where(accounts.c.id.in_(sorted(set(ids)))))


async def list_all(connection: AsyncConnection) -> list[Account]:
    return await every(connection, Account, _ALL.order_by(accounts.c.created_at, accounts.c.id))


async def set_state(connection: AsyncConnection, account_id: str, state: str, reason: str, now: int) -> bool:
    """False when there is no such account."""
    statement = update(accounts).where(accounts.c.id == account_id)
    count = await changed(connection, statement.values(state=state, state_reason=reason, updated_at=now))
    await installation.bump(connection)
    return count == 1
