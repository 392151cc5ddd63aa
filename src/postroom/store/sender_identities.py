"""Sender identities: addresses an account may send from though it has not verified their domain."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values, within
from postroom.store.schema import sender_identities as table


@dataclass(frozen=True, slots=True)
class SenderIdentity:
    """`email` has its local part as written and its domain in A-labels; `organisation` is the part of that domain that
    somebody registered. `domain_id` is the account's own domain that signs.

    `secret_hash` is that of the link, None when there is none any more; `expires_at` says how long it is good.
    `problem` says which policy stands against mail from here, "" while none does.
    """

    account_id: str
    id: str
    domain_id: str
    email: str
    organisation: str
    name: str
    reply_to_email: str
    reply_to_name: str
    add_note: bool
    personal_note: str
    resends: int
    secret_hash: bytes | None = field(repr=False)
    expires_at: int
    verified_at: int | None
    problem: str
    checked_at: int
    created_at: int
    updated_at: int


class Order(StrEnum):
    """What a list can be sorted by."""

    EMAIL = "email"
    CREATED_AT = "created_at"
    VERIFIED_AT = "verified_at"


@dataclass(frozen=True, slots=True)
class IdentityFilter:
    """`domains`: only those of these, None: of all. `query` stands anywhere in address or name."""

    account_id: str
    domains: frozenset[str] | None = None
    query: str = ""


_ALL = select(*columns(SenderIdentity, table))


async def add(connection: AsyncConnection, identity: SenderIdentity) -> None:
    """Raises ConflictError when the account has one with this address. Until it is verified no cache depends on it."""
    await connection.execute(insert(table).values(values(identity)))


async def get(connection: AsyncConnection, account_id: str, identity_id: str) -> SenderIdentity | None:
    return await first(connection, SenderIdentity, _ALL.where(*_which(account_id, identity_id)))


async def lock(connection: AsyncConnection, account_id: str, identity_id: str) -> SenderIdentity | None:
    """`get`, and nobody else changes it until the transaction ends."""
    statement = _ALL.where(*_which(account_id, identity_id)).with_for_update()
    return await first(connection, SenderIdentity, statement)


async def by_email(connection: AsyncConnection, account_id: str, email: str) -> SenderIdentity | None:
    which = (table.c.account_id == account_id, table.c.email == email)
    return await first(connection, SenderIdentity, _ALL.where(*which))


async def by_hash(connection: AsyncConnection, secret_hash: bytes) -> SenderIdentity | None:
    """The one that a link leads to."""
    return await first(connection, SenderIdentity, _ALL.where(table.c.secret_hash == secret_hash))


async def page(
    connection: AsyncConnection,
    wanted: IdentityFilter,
    *,
    offset: int,
    limit: int,
    order: Order = Order.CREATED_AT,
    descending: bool = False,
) -> list[SenderIdentity]:
    """What is not verified comes last when sorted by `verified_at`."""
    statement = _fitting(_ALL, wanted)
    if order is Order.VERIFIED_AT:
        statement = statement.order_by(table.c.verified_at.is_(None))
    by = (table.c[order], table.c.id)
    statement = statement.order_by(*(column.desc() if descending else column for column in by))
    return await every(connection, SenderIdentity, statement.offset(offset).limit(limit))


async def count(connection: AsyncConnection, wanted: IdentityFilter) -> int:
    statement = _fitting(select(func.count()).select_from(table), wanted)
    return int(await connection.scalar(statement) or 0)


async def verified(connection: AsyncConnection, account_id: str) -> list[SenderIdentity]:
    """All that may be sent from."""
    mine = (table.c.account_id == account_id, table.c.verified_at.is_not(None))
    return await every(connection, SenderIdentity, _ALL.where(*mine))


async def due(connection: AsyncConnection, checked_before: int, limit: int) -> list[SenderIdentity]:
    """Verified ones that were looked at before that time: the longest ago first."""
    old = (table.c.verified_at.is_not(None), table.c.checked_at <= checked_before)
    statement = _ALL.where(*old).order_by(table.c.checked_at, table.c.id).limit(limit)
    return await every(connection, SenderIdentity, statement)


async def change(connection: AsyncConnection, account_id: str, identity_id: str, **new: Any) -> None:
    """Set columns, for the caches to see."""
    await connection.execute(update(table).where(*_which(account_id, identity_id)).values(**new))
    await installation.bump(connection)


async def note_check(
    connection: AsyncConnection, account_id: str, identity_id: str, *, problem: str, checked_at: int
) -> None:
    """No cache depends on it, so the version stays."""
    new = {"problem": problem, "checked_at": checked_at}
    await connection.execute(update(table).where(*_which(account_id, identity_id)).values(**new))


async def remove(connection: AsyncConnection, account_id: str, identity_id: str) -> bool:
    """False when there is no such identity."""
    gone = await changed(connection, delete(table).where(*_which(account_id, identity_id)))
    await installation.bump(connection)
    return gone == 1


def _which(account_id: str, identity_id: str) -> list[ColumnElement[bool]]:
    return [table.c.account_id == account_id, table.c.id == identity_id]


def _fitting(statement: Select[Any], wanted: IdentityFilter) -> Select[Any]:
    statement = statement.where(
        table.c.account_id == wanted.account_id, within(table.c.domain_id, wanted.domains)
    )
    if not wanted.query:
        return statement
    found = [
        func.lower(column).contains(wanted.query.lower(), autoescape=True)
        for column in (table.c.email, table.c.name)
    ]
    return statement.where(or_(*found))
