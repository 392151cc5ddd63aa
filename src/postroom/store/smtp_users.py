"""The credentials of the relay. One belongs to one domain; its password is a random secret, kept as hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import bindparam, delete, insert, or_, select, update
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
    """`allowed_addresses` are networks, one a line; empty: any client address."""

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


_ALL = select(*columns(SmtpUser, smtp_users))


async def add(connection: AsyncConnection, user: SmtpUser, keys: PasswordKeys) -> None:
    """`keys` go in as they are; the hash in `user` must be theirs."""
    await connection.execute(insert(smtp_users).values(values(user) | values(keys)))
    await installation.bump(connection)


async def get(connection: AsyncConnection, username_or_id: str) -> SmtpUser | None:
    which = or_(smtp_users.c.username == username_or_id, smtp_users.c.id == username_or_id)
    return await first(connection, SmtpUser, _ALL.where(which))


async def list_all(connection: AsyncConnection, domain_id: str | None = None) -> list[SmtpUser]:
    statement = _ALL.order_by(smtp_users.c.created_at, smtp_users.c.id)
    if domain_id is not None:
        statement = statement.where(smtp_users.c.domain_id == domain_id)
    return await every(connection, SmtpUser, statement)


async def set_enabled(connection: AsyncConnection, user_id: str, enabled: bool, now: int) -> bool:
    statement = update(smtp_users).where(smtp_users.c.id == user_id)
    count = await changed(connection, statement.values(enabled=enabled, updated_at=now))
    await installation.bump(connection)
    return count == 1


async def set_password(connection: AsyncConnection, user_id: str, keys: PasswordKeys, now: int) -> bool:
    statement = update(smtp_users).where(smtp_users.c.id == user_id)
    count = await changed(connection, statement.values(values(keys) | {"updated_at": now}))
    await installation.bump(connection)
    return count == 1


async def remove(connection: AsyncConnection, user_id: str) -> bool:
    count = await changed(connection, delete(smtp_users).where(smtp_users.c.id == user_id))
    await installation.bump(connection)
    return count == 1


async def touch(connection: AsyncConnection, used: Mapping[str, int]) -> None:
    """Note when users were last used (id -> time). No cache depends on it, so the version stays."""
    statement = (
        update(smtp_users).where(smtp_users.c.id == bindparam("which")).values(last_used_at=bindparam("at"))
    )
    await connection.execute(statement, [{"which": user, "at": at} for user, at in sorted(used.items())])
