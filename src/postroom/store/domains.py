"""Sending domains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values
from postroom.store.schema import domains


@dataclass(frozen=True, slots=True)
class Domain:
    """`name` in lower-case A-labels; `mode` is live or sandbox; `check_result` is JSON, written by the last check."""

    id: str
    account_id: str
    name: str
    mode: str
    verified_at: int | None
    trusted: bool
    return_path_host: str
    return_path_verified_at: int | None
    smtp_enabled: bool
    strict_envelope: bool
    keep_content: bool
    check_result: str
    checked_at: int | None
    created_at: int
    updated_at: int


_ALL = select(*columns(Domain, domains))


async def add(connection: AsyncConnection, domain: Domain) -> None:
    """Raises ConflictError when the name is taken."""
    await connection.execute(insert(domains).values(values(domain)))
    await installation.bump(connection)


async def get(connection: AsyncConnection, name_or_id: str) -> Domain | None:
    which = or_(domains.c.name == name_or_id, domains.c.id == name_or_id)
    return await first(connection, Domain, _ALL.where(which))


async def list_all(connection: AsyncConnection, account_id: str | None = None) -> list[Domain]:
    statement = _ALL.order_by(domains.c.name)
    if account_id is not None:
        statement = statement.where(domains.c.account_id == account_id)
    return await every(connection, Domain, statement)


async def change(connection: AsyncConnection, domain_id: str, **columns: Any) -> bool:
    """Set columns; False when there is no such domain."""
    count = await changed(connection, update(domains).where(domains.c.id == domain_id).values(columns))
    await installation.bump(connection)
    return count == 1
