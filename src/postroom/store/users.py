"""People, wherever they belong. What they may do in an account is in `memberships`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values
from postroom.store.schema import users


@dataclass(frozen=True, slots=True)
class User:
    """`operator` may do everything on the installation. The hash is argon2id and never shown; empty: no password.

    `time_zone` is a name of the IANA database or empty; `preferences` is a JSON object that only the dashboard reads.
    """

    id: str
    email: str
    name: str
    last_name: str
    password_hash: str = field(repr=False)
    operator: bool
    created_at: int
    updated_at: int
    time_zone: str = ""
    preferences: str = "{}"


_ALL = select(*columns(User, users))


async def add(connection: AsyncConnection, user: User) -> None:
    await connection.execute(insert(users).values(values(user)))


async def get(connection: AsyncConnection, user_id: str) -> User | None:
    return await first(connection, User, _ALL.where(users.c.id == user_id))


async def by_email(connection: AsyncConnection, email: str) -> User | None:
    """Addresses are kept in lower case."""
    return await first(connection, User, _ALL.where(users.c.email == email))


async def lock(connection: AsyncConnection, user_id: str) -> User | None:
    """`get`, and nobody else changes them until the transaction ends."""
    return await first(connection, User, _ALL.where(users.c.id == user_id).with_for_update())


async def change(connection: AsyncConnection, user_id: str, **new: Any) -> bool:
    """Set these columns. False when there is no such user."""
    count = await changed(connection, update(users).where(users.c.id == user_id).values(**new))
    await installation.bump(connection)
    return count == 1


async def load(connection: AsyncConnection, ids: Iterable[str]) -> dict[str, User]:
    """Those with these ids."""
    found = await every(connection, User, _ALL.where(users.c.id.in_(sorted(set(ids)))))
    return {user.id: user for user in found}


async def list_all(connection: AsyncConnection) -> list[User]:
    return await every(connection, User, _ALL.order_by(users.c.email))
