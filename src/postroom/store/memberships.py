"""Which account a person belongs to, and with which role. Every change empties the caches of who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values
from postroom.store.schema import memberships


@dataclass(frozen=True, slots=True)
class Membership:
    """`permissions`, `domains` and `templates` are those of a Custom User, separated by spaces.

    `domains` None: all of the account.
    """

    account_id: str
    user_id: str
    role: str
    permissions: str
    domains: str | None
    templates: str
    requires_periodic_password_change: bool
    created_at: int
    updated_at: int


_ALL = select(*columns(Membership, memberships))


async def add(connection: AsyncConnection, membership: Membership) -> None:
    """Raises ConflictError when the person belongs to the account already."""
    await connection.execute(insert(memberships).values(values(membership)))
    await installation.bump(connection)


async def get(connection: AsyncConnection, account_id: str, user_id: str) -> Membership | None:
    return await first(connection, Membership, _ALL.where(*_which(account_id, user_id)))


async def page(connection: AsyncConnection, account_id: str, *, offset: int, limit: int) -> list[Membership]:
    """In the order they joined."""
    mine = _ALL.where(memberships.c.account_id == account_id)
    ordered = mine.order_by(memberships.c.created_at, memberships.c.user_id)
    return await every(connection, Membership, ordered.offset(offset).limit(limit))


async def count(connection: AsyncConnection, account_id: str, *, role: str | None = None) -> int:
    """How many belong to the account, or have this role in it."""
    statement = select(func.count()).select_from(memberships).where(memberships.c.account_id == account_id)
    if role is not None:
        statement = statement.where(memberships.c.role == role)
    return int(await connection.scalar(statement) or 0)


async def of_user(connection: AsyncConnection, user_id: str) -> list[Membership]:
    """In the order the person joined."""
    mine = _ALL.where(memberships.c.user_id == user_id)
    return await every(
        connection, Membership, mine.order_by(memberships.c.created_at, memberships.c.account_id)
    )


async def list_all(connection: AsyncConnection) -> list[Membership]:
    return await every(connection, Membership, _ALL.order_by(memberships.c.account_id))


async def change(connection: AsyncConnection, account_id: str, user_id: str, **new: Any) -> bool:
    """Set these columns. False when there is no such membership."""
    count = await changed(connection, update(memberships).where(*_which(account_id, user_id)).values(**new))
    await installation.bump(connection)
    return count == 1


async def remove(connection: AsyncConnection, account_id: str, user_id: str) -> bool:
    """False when there is no such membership."""
    count = await changed(connection, delete(memberships).where(*_which(account_id, user_id)))
    await installation.bump(connection)
    return count == 1


async def lock(connection: AsyncConnection, account_id: str) -> None:
    """Who changes the members of an account does so one after the other, until the transaction ends (U08)."""
    await installation.lock(connection, f"members {account_id}")


def _which(account_id: str, user_id: str) -> list[ColumnElement[bool]]:
    return [memberships.c.account_id == account_id, memberships.c.user_id == user_id]
