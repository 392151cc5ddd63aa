"""API tokens. Only a hash of the secret is kept; the preview is for people who have several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values
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
    connection: AsyncConnection, account_id: str | None = None, *, offset: int = 0, limit: int | None = None
) -> list[Token]:
    """In the order they were made, those of one account or all."""
    statement = _ALL.order_by(tokens.c.created_at, tokens.c.id).offset(offset).limit(limit)
    if account_id is not None:
        statement = statement.where(tokens.c.account_id == account_id)
    return await every(connection, Token, statement)


async def count(connection: AsyncConnection, account_id: str) -> int:
    statement = select(func.count()).select_from(tokens).where(tokens.c.account_id == account_id)
    return int(await connection.scalar(statement) or 0)


async def set_paused(
    connection: AsyncConnection, token_id: str, paused: bool, now: int, account_id: str | None = None
) -> bool:
    """False when there is no such token (of this account)."""
    return await _change(connection, token_id, account_id, paused=paused, updated_at=now)


async def rename(
    connection: AsyncConnection, token_id: str, name: str, now: int, account_id: str | None = None
) -> bool:
    """False when there is no such token (of this account)."""
    return await _change(connection, token_id, account_id, name=name, updated_at=now)


async def remove(connection: AsyncConnection, token_id: str, account_id: str | None = None) -> bool:
    """False when there is no such token (of this account)."""
    gone = await changed(connection, delete(tokens).where(*_which(token_id, account_id)))
    await installation.bump(connection)
    return gone == 1


async def touch(connection: AsyncConnection, used: Mapping[str, int]) -> None:
    """Note when tokens were last used (id -> time). No cache depends on it, so the version stays."""
    statement = update(tokens).where(tokens.c.id == bindparam("which")).values(last_used_at=bindparam("at"))
    await connection.execute(statement, [{"which": token, "at": at} for token, at in sorted(used.items())])


async def _change(connection: AsyncConnection, token_id: str, account_id: str | None, **new: object) -> bool:
    statement = update(tokens).where(*_which(token_id, account_id)).values(**new)
    count = await changed(connection, statement)
    await installation.bump(connection)
    return count == 1


def _which(token_id: str, account_id: str | None) -> list[ColumnElement[bool]]:
    which = [tokens.c.id == token_id]
    return which if account_id is None else [*which, tokens.c.account_id == account_id]
