"""API tokens. Only a hash of the secret is kept; the preview is for people who have several."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values, within
from postroom.store.schema import tokens


@dataclass(frozen=True, slots=True)
class Token:
    """`scopes` are separated by spaces, `allowed_addresses` are networks, one a line; empty: any client address.

    `domain_id` None: for all domains of the account. `expires_at` None: never.
    """

    id: str
    account_id: str
    domain_id: str | None
    name: str
    secret_hash: bytes = field(repr=False)
    preview: str
    scopes: str
    paused: bool
    expires_at: int | None
    allowed_addresses: str
    last_used_at: int | None
    created_at: int
    updated_at: int


_ALL = select(*columns(Token, tokens))


async def add(connection: AsyncConnection, token: Token) -> None:
    await connection.execute(insert(tokens).values(values(token)))
    await installation.bump(connection)


async def get(connection: AsyncConnection, token_id: str, account_id: str | None = None) -> Token | None:
    """With `account_id` only if it is that account's."""
    return await first(connection, Token, _ALL.where(*_which(token_id, account_id)))


async def by_hash(connection: AsyncConnection, secret_hash: bytes) -> Token | None:
    return await first(connection, Token, _ALL.where(tokens.c.secret_hash == secret_hash))


async def page(
    connection: AsyncConnection,
    account_id: str | None = None,
    *,
    domains: Collection[str] | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[Token]:
    """In the order they were made, those of one account or all; `domains`: only those that are for one of these."""
    statement = _ALL.order_by(tokens.c.created_at, tokens.c.id).offset(offset).limit(limit)
    if account_id is not None:
        statement = statement.where(tokens.c.account_id == account_id)
    return await every(connection, Token, statement.where(within(tokens.c.domain_id, domains)))


async def count(
    connection: AsyncConnection, account_id: str, *, domains: Collection[str] | None = None
) -> int:
    mine = (tokens.c.account_id == account_id, within(tokens.c.domain_id, domains))
    return int(await connection.scalar(select(func.count()).select_from(tokens).where(*mine)) or 0)


async def change(connection: AsyncConnection, account_id: str, token_id: str, **new: Any) -> bool:
    """Set these columns. False when there is no such token."""
    count = await changed(connection, update(tokens).where(*_which(token_id, account_id)).values(**new))
    await installation.bump(connection)
    return count == 1


async def remove(connection: AsyncConnection, account_id: str, token_id: str) -> bool:
    """False when there is no such token."""
    gone = await changed(connection, delete(tokens).where(*_which(token_id, account_id)))
    await installation.bump(connection)
    return gone == 1


async def touch(connection: AsyncConnection, used: Mapping[str, int]) -> None:
    """Note when tokens were last used (id -> time). No cache depends on it, so the version stays."""
    statement = update(tokens).where(tokens.c.id == bindparam("which")).values(last_used_at=bindparam("at"))
    await connection.execute(statement, [{"which": token, "at": at} for token, at in sorted(used.items())])


def _which(token_id: str, account_id: str | None) -> list[ColumnElement[bool]]:
    which = [tokens.c.id == token_id]
    return which if account_id is None else [*which, tokens.c.account_id == account_id]
