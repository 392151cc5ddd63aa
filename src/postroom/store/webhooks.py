"""Webhooks: whom the events of a domain are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values
from postroom.store.schema import webhooks


@dataclass(frozen=True, slots=True)
class Webhook:
    """`events` are separated by spaces, `secret` is sealed, `version` is that of the payload."""

    account_id: str
    id: str
    domain_id: str
    url: str
    name: str
    events: str
    enabled: bool
    editable: bool
    version: int
    secret: bytes = field(repr=False)
    created_at: int
    updated_at: int


_ALL = select(*columns(Webhook, webhooks))


async def add(connection: AsyncConnection, webhook: Webhook) -> None:
    """Raises ConflictError when the domain has one with this URL."""
    await connection.execute(insert(webhooks).values(values(webhook)))
    await installation.bump(connection)


async def get(connection: AsyncConnection, account_id: str, webhook_id: str) -> Webhook | None:
    return await first(connection, Webhook, _ALL.where(*_which(account_id, webhook_id)))


async def page(
    connection: AsyncConnection, account_id: str, domain_id: str, *, offset: int = 0, limit: int | None = None
) -> list[Webhook]:
    """Of one domain, in the order they were made."""
    statement = _ALL.where(*_of(account_id, domain_id)).order_by(webhooks.c.created_at, webhooks.c.id)
    return await every(connection, Webhook, statement.offset(offset).limit(limit))


async def count(connection: AsyncConnection, account_id: str, domain_id: str) -> int:
    statement = select(func.count()).select_from(webhooks).where(*_of(account_id, domain_id))
    return int(await connection.scalar(statement) or 0)


async def taken(connection: AsyncConnection, account_id: str, domain_id: str, url: str) -> bool:
    """Whether the domain has a webhook with this URL."""
    statement = select(webhooks.c.id).where(*_of(account_id, domain_id), webhooks.c.url == url)
    return await connection.scalar(statement) is not None


async def change(connection: AsyncConnection, account_id: str, webhook_id: str, **new: Any) -> bool:
    """Set these columns. False when there is no such webhook; raises ConflictError as `add`."""
    count = await changed(connection, update(webhooks).where(*_which(account_id, webhook_id)).values(**new))
    await installation.bump(connection)
    return count == 1


async def remove(connection: AsyncConnection, account_id: str, webhook_id: str) -> bool:
    """False when there is no such webhook."""
    count = await changed(connection, delete(webhooks).where(*_which(account_id, webhook_id)))
    await installation.bump(connection)
    return count == 1


def _which(account_id: str, webhook_id: str) -> list[ColumnElement[bool]]:
    return [webhooks.c.account_id == account_id, webhooks.c.id == webhook_id]


def _of(account_id: str, domain_id: str) -> list[ColumnElement[bool]]:
    return [webhooks.c.account_id == account_id, webhooks.c.domain_id == domain_id]
