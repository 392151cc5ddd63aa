"""People, and which accounts they belong to with which role."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import columns, every, first, values
from postroom.store.schema import memberships, users


@dataclass(frozen=True, slots=True)
class User:
    """`operator` may do everything on the installation. The hash is argon2id and never shown."""

    id: str
    email: str
    name: str
    password_hash: str = field(repr=False)
    operator: bool
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Membership:
    account_id: str
    user_id: str
    role: str
    created_at: int


async def add(connection: AsyncConnection, user: User) -> None:
    await connection.execute(insert(users).values(values(user)))


async def join(connection: AsyncConnection, membership: Membership) -> None:
    await connection.execute(insert(memberships).values(values(membership)))


async def by_email(connection: AsyncConnection, email: str) -> User | None:
    return await first(connection, User, select(*columns(User, users)).where(users.c.email == email))


async def list_all(connection: AsyncConnection) -> list[User]:
    return await every(connection, User, select(*columns(User, users)).order_by(users.c.email))


async def list_memberships(connection: AsyncConnection) -> list[Membership]:
    statement = select(*columns(Membership, memberships)).order_by(memberships.c.account_id)
    return await every(connection, Membership, statement)
