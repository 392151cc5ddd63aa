"""Invitations into an account. Only a hash of what the link holds is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import changed, columns, every, first, values
from postroom.store.schema import invites


@dataclass(frozen=True, slots=True)
class Invite:
    """What is granted is written as in a membership."""

    account_id: str
    id: str
    email: str
    role: str
    permissions: str
    domains: str | None
    templates: str
    requires_periodic_password_change: bool
    secret_hash: bytes = field(repr=False)
    created_at: int
    updated_at: int
    expires_at: int


_ALL = select(*columns(Invite, invites))


async def add(connection: AsyncConnection, invite: Invite) -> None:
    """Raises ConflictError when the address is invited already."""
    await connection.execute(insert(invites).values(values(invite)))


async def get(connection: AsyncConnection, account_id: str, invite_id: str) -> Invite | None:
    return await first(connection, Invite, _ALL.where(*_which(account_id, invite_id)))


async def by_email(connection: AsyncConnection, account_id: str, email: str) -> Invite | None:
    mine = (invites.c.account_id == account_id, invites.c.email == email)
    return await first(connection, Invite, _ALL.where(*mine))


async def by_hash(connection: AsyncConnection, secret_hash: bytes) -> Invite | None:
    return await first(connection, Invite, _ALL.where(invites.c.secret_hash == secret_hash))


async def page(connection: AsyncConnection, account_id: str, *, offset: int, limit: int) -> list[Invite]:
    """In the order they were made."""
    mine = _ALL.where(invites.c.account_id == account_id)
    return await every(
        connection, Invite, mine.order_by(invites.c.created_at, invites.c.id).offset(offset).limit(limit)
    )


async def count(connection: AsyncConnection, account_id: str) -> int:
    statement = select(func.count()).select_from(invites).where(invites.c.account_id == account_id)
    return int(await connection.scalar(statement) or 0)


async def renew(connection: AsyncConnection, invite: Invite) -> None:
    """It has another secret and time from now on."""
    new = {name: getattr(invite, name) for name in ("secret_hash", "updated_at", "expires_at")}
    await connection.execute(update(invites).where(*_which(invite.account_id, invite.id)).values(**new))


async def remove(connection: AsyncConnection, account_id: str, invite_id: str) -> bool:
    """False when there is no such invite: of two who take it at the same time one finds it gone."""
    return await changed(connection, delete(invites).where(*_which(account_id, invite_id))) == 1


def _which(account_id: str, invite_id: str) -> list[ColumnElement[bool]]:
    return [invites.c.account_id == account_id, invites.c.id == invite_id]
