"""The credentials of the relay. One belongs to one domain; its password is a random secret, kept as hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values
from postroom.store.schema import smtp_users


@dataclass(frozen=True, slots=True)
class PasswordKeys:
    """What is kept of a password: SHA-256, and the SCRAM-SHA-256 keys (RFC 5802 section 3)."""

    password_hash: bytes = field(repr=False)
    scram_salt: bytes = field(repr=False)
    scram_iterations: int
    scram_stored_key: bytes = field(repr=False)
    scram_server_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SmtpUser:
    """`allowed_addresses` are networks, one a line; empty: any client address. `from_domains` are the ids of the only
    domains it may send from, one a line; empty: all of the account. Caps count emails; None: no cap."""

    id: str
    account_id: str
    domain_id: str
    name: str
    username: str
    password_hash: bytes = field(repr=False)
    enabled: bool
    refuse_suppressed: bool
    stream: str
    allowed_addresses: str
    last_used_at: int | None
    created_at: int
    updated_at: int
    from_domains: str = ""
    hourly_cap: int | None = None
    daily_cap: int | None = None
    expires_at: int | None = None


_ALL = select(*columns(SmtpUser, smtp_users))


async def add(connection: AsyncConnection, user: SmtpUser, keys: PasswordKeys) -> None:
    """`keys` go in as they are; the hash in `user` must be theirs."""
    await connection.execute(insert(smtp_users).values(values(user) | values(keys)))
    await installation.bump(connection)


async def get(connection: AsyncConnection, username_or_id: str) -> SmtpUser | None:
    """Whatever account it belongs to: for a login, and for the operator."""
    which = or_(smtp_users.c.username == username_or_id, smtp_users.c.id == username_or_id)
    return await first(connection, SmtpUser, _ALL.where(which))


async def owned(connection: AsyncConnection, account_id: str, user_id: str) -> SmtpUser | None:
    return await first(connection, SmtpUser, _ALL.where(*_which(account_id, user_id)))


async def list_all(connection: AsyncConnection, domain_id: str | None = None) -> list[SmtpUser]:
    """Those of one domain, or all, in the order they were made."""
    statement = _ALL.order_by(smtp_users.c.created_at, smtp_users.c.id)
    if domain_id is not None:
        statement = statement.where(smtp_users.c.domain_id == domain_id)
    return await every(connection, SmtpUser, statement)


async def expired(connection: AsyncConnection, name: str, now: int) -> list[SmtpUser]:
    """Those of this name, of any account, that may log in no more."""
    which = [smtp_users.c.name == name, smtp_users.c.expires_at <= now]
    return await every(connection, SmtpUser, _ALL.where(*which))


async def page(
    connection: AsyncConnection, account_id: str, domain_id: str, *, offset: int, limit: int
) -> list[SmtpUser]:
    """Of one domain, in the order they were made."""
    statement = _ALL.where(*_of(account_id, domain_id)).order_by(smtp_users.c.created_at, smtp_users.c.id)
    return await every(connection, SmtpUser, statement.offset(offset).limit(limit))


async def count(connection: AsyncConnection, account_id: str, domain_id: str) -> int:
    statement = select(func.count()).select_from(smtp_users).where(*_of(account_id, domain_id))
    return int(await connection.scalar(statement) or 0)


async def change(connection: AsyncConnection, account_id: str, user_id: str, **new: Any) -> bool:
    """Set these columns. False when there is no such SMTP user."""
    count = await changed(connection, update(smtp_users).where(*_which(account_id, user_id)).values(**new))
    await installation.bump(connection)
    return count == 1


async def remove(connection: AsyncConnection, account_id: str, user_id: str) -> bool:
    """False when there is no such SMTP user."""
    count = await changed(connection, delete(smtp_users).where(*_which(account_id, user_id)))
    await installation.bump(connection)
    return count == 1


async def touch(connection: AsyncConnection, used: Mapping[str, int]) -> None:
    """Note when users were last used (id -> time). No cache depends on it, so the version stays."""
    statement = (
        update(smtp_users).where(smtp_users.c.id == bindparam("which")).values(last_used_at=bindparam("at"))
    )
    await connection.execute(statement, [{"which": user, "at": at} for user, at in sorted(used.items())])


def _which(account_id: str, user_id: str) -> list[ColumnElement[bool]]:
    return [smtp_users.c.account_id == account_id, smtp_users.c.id == user_id]


def _of(account_id: str, domain_id: str) -> list[ColumnElement[bool]]:
    return [smtp_users.c.account_id == account_id, smtp_users.c.domain_id == domain_id]
