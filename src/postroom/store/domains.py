"""Sending domains. One that is deleted stays as a row until its mail has left the queue; nothing here finds it then.

Several accounts may have added a name; at most one has verified it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values, within
from postroom.store.schema import domains


@dataclass(frozen=True, slots=True)
class Domain:
    """`name` in lower-case A-labels; `organisation` is the part of it that somebody registered; `mode` is live or
    sandbox; `check_result` is JSON, written by the last check; `settings` is JSON (`tenancy.domain_settings`).

    `failing_since`: since when what proves the domain is not in the DNS any more. `pause_reason` says why sending is
    paused: "" its owner, "dns" that has lasted too long, "lost" another account has verified the name.
    """

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
    send_paused: bool = False
    organisation: str = ""
    settings: str = "{}"
    pause_reason: str = ""
    failing_since: int | None = None
    tracking_verified_at: int | None = None
    inbound_verified_at: int | None = None
    deleted_at: int | None = None


@dataclass(frozen=True, slots=True)
class DomainFilter:
    """`ids`: only these. `verified` None: whether or not. `mode` None: any."""

    account_id: str
    ids: frozenset[str] | None = None
    verified: bool | None = None
    mode: str | None = None


_THERE = domains.c.deleted_at.is_(None)
_EVERY = select(*columns(Domain, domains))
_ALL = _EVERY.where(_THERE)


async def add(connection: AsyncConnection, domain: Domain) -> None:
    """Raises ConflictError when the account has the name, or another one has it verified and this one is, too."""
    await connection.execute(insert(domains).values(values(domain)))
    await installation.bump(connection)


async def get(connection: AsyncConnection, domain_id: str) -> Domain | None:
    return await first(connection, Domain, _ALL.where(domains.c.id == domain_id))


async def lock(connection: AsyncConnection, domain_id: str) -> Domain | None:
    """`get`, and nobody else changes it until the transaction ends."""
    return await first(connection, Domain, _ALL.where(domains.c.id == domain_id).with_for_update())


async def named(connection: AsyncConnection, name: str) -> list[Domain]:
    """All that have this name: the verified one first, then the oldest."""
    statement = _ALL.where(domains.c.name == name)
    ordered = statement.order_by(domains.c.verified_at.is_(None), domains.c.created_at, domains.c.id)
    return await every(connection, Domain, ordered)


async def holder(connection: AsyncConnection, name: str) -> Domain | None:
    """The one with this name that is verified."""
    which = (domains.c.name == name, domains.c.verified_at.is_not(None))
    return await first(connection, Domain, _ALL.where(*which))


async def owned(connection: AsyncConnection, account_id: str, name_or_id: str) -> Domain | None:
    """That of this account."""
    which = or_(domains.c.name == name_or_id, domains.c.id == name_or_id)
    return await first(connection, Domain, _ALL.where(domains.c.account_id == account_id, which))


async def list_all(connection: AsyncConnection, account_id: str | None = None) -> list[Domain]:
    statement = _ALL.order_by(domains.c.name, domains.c.created_at)
    if account_id is not None:
        statement = statement.where(domains.c.account_id == account_id)
    return await every(connection, Domain, statement)


async def page(connection: AsyncConnection, wanted: DomainFilter, *, offset: int, limit: int) -> list[Domain]:
    """In the order they were added."""
    statement = _fitting(_ALL, wanted).order_by(domains.c.created_at, domains.c.id)
    return await every(connection, Domain, statement.offset(offset).limit(limit))


async def count(connection: AsyncConnection, wanted: DomainFilter) -> int:
    statement = _fitting(select(func.count()).select_from(domains).where(_THERE), wanted)
    return int(await connection.scalar(statement) or 0)


async def any_in(connection: AsyncConnection, mode: str) -> bool:
    """Whether anybody has a domain in this mode."""
    statement = select(domains.c.id).where(_THERE, domains.c.mode == mode).limit(1)
    return await connection.scalar(statement) is not None


async def below(
    connection: AsyncConnection, account_id: str, organisations: Collection[str]
) -> frozenset[str]:
    """The names that other accounts have verified in these organisations."""
    which = (domains.c.organisation.in_(sorted(organisations)), domains.c.account_id != account_id)
    verified = domains.c.verified_at.is_not(None)
    return frozenset(await connection.scalars(select(domains.c.name).where(_THERE, verified, *which)))


async def due(connection: AsyncConnection, checked_before: int, limit: int) -> list[Domain]:
    """Verified by their records, which were looked at before that time: the longest ago first."""
    proved = and_(domains.c.verified_at.is_not(None), domains.c.mode == "live", ~domains.c.trusted)
    old = or_(domains.c.checked_at.is_(None), domains.c.checked_at <= checked_before)
    statement = _ALL.where(proved, old).order_by(domains.c.checked_at, domains.c.id).limit(limit)
    return await every(connection, Domain, statement)


async def leaving(connection: AsyncConnection) -> list[Domain]:
    """Whose mail is cancelled: deleted, or just lost to another account (`failing_since` is then since when)."""
    lost = and_(domains.c.send_paused, domains.c.pause_reason == "lost", domains.c.failing_since.is_not(None))
    return await every(connection, Domain, _EVERY.where(or_(domains.c.deleted_at.is_not(None), lost)))


async def change(connection: AsyncConnection, domain_id: str, **new: Any) -> bool:
    """Set columns; False when there is no such domain. Raises ConflictError as `add`."""
    which = (domains.c.id == domain_id, _THERE)
    count = await changed(connection, update(domains).where(*which).values(new))
    await installation.bump(connection)
    return count == 1


async def remove(connection: AsyncConnection, domain_id: str) -> None:
    """The row of one that is deleted."""
    which = (domains.c.id == domain_id, domains.c.deleted_at.is_not(None))
    await connection.execute(delete(domains).where(*which))


def _fitting(statement: Select[Any], wanted: DomainFilter) -> Select[Any]:
    verified: ColumnElement[bool] = true()
    if wanted.verified is not None:
        proved = domains.c.verified_at.is_not(None)
        verified = proved if wanted.verified else ~proved
    mode: ColumnElement[bool] = true() if wanted.mode is None else domains.c.mode == wanted.mode
    mine = domains.c.account_id == wanted.account_id
    return statement.where(mine, within(domains.c.id, wanted.ids), verified, mode)
