"""Inbound routes: which mail they take, and where that goes."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, values, within
from postroom.store.schema import domains, inbounds
from postroom.types.inbound import Comparer, Condition, Filter, Forward, ForwardKind


@dataclass(frozen=True, slots=True)
class Inbound:
    """`mailbox` is what stands before the @ of its own address. `inbound_domain`: mail to any address of this name, too;
    `priority` decides between routes that have the same. `catch_type` and `match_type` as in `types.inbound.Needed`."""

    account_id: str
    id: str
    domain_id: str
    name: str
    mailbox: str
    inbound_domain: str | None
    priority: int
    enabled: bool
    catch_filter: Filter
    catch_type: str
    match_filter: Filter
    match_type: str
    forwards: tuple[Forward, ...]
    created_at: int
    updated_at: int


_ALL = select(*columns(Inbound, inbounds))


async def add(connection: AsyncConnection, inbound: Inbound) -> None:
    """Raises ConflictError when the mailbox is taken."""
    await connection.execute(insert(inbounds).values(_encoded(values(inbound))))
    await installation.bump(connection)


async def get(connection: AsyncConnection, account_id: str, inbound_id: str) -> Inbound | None:
    row = (await connection.execute(_ALL.where(*_which(account_id, inbound_id)))).first()
    return None if row is None else _decoded(row)


async def lock(connection: AsyncConnection, account_id: str, inbound_id: str) -> Inbound | None:
    """`get`, and nobody else changes it until the transaction ends."""
    statement = _ALL.where(*_which(account_id, inbound_id)).with_for_update()
    row = (await connection.execute(statement)).first()
    return None if row is None else _decoded(row)


async def page(
    connection: AsyncConnection,
    account_id: str,
    *,
    domain_ids: Collection[str] | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[Inbound]:
    """Those of an account, or only of some of its domains, in the order they were made."""
    statement = _ALL.where(*_of(account_id, domain_ids)).order_by(inbounds.c.created_at, inbounds.c.id)
    return [_decoded(row) for row in await connection.execute(statement.offset(offset).limit(limit))]


async def count(
    connection: AsyncConnection, account_id: str, *, domain_ids: Collection[str] | None = None
) -> int:
    statement = select(func.count()).select_from(inbounds).where(*_of(account_id, domain_ids))
    return int(await connection.scalar(statement) or 0)


async def claimed(connection: AsyncConnection, inbound_domain: str, domain_id: str) -> bool:
    """Whether a route of another verified domain, of whichever account, takes the mail of this name."""
    statement = (
        select(inbounds.c.id)
        .join(domains, domains.c.id == inbounds.c.domain_id)
        .where(
            inbounds.c.inbound_domain == inbound_domain,
            inbounds.c.domain_id != domain_id,
            domains.c.verified_at.is_not(None),
            domains.c.deleted_at.is_(None),
        )
    )
    return await connection.scalar(statement.limit(1)) is not None


async def change(connection: AsyncConnection, account_id: str, inbound_id: str, **new: Any) -> bool:
    """Set these fields. False when there is no such route."""
    statement = update(inbounds).where(*_which(account_id, inbound_id)).values(_encoded(new))
    count = await changed(connection, statement)
    await installation.bump(connection)
    return count == 1


async def remove(connection: AsyncConnection, account_id: str, inbound_id: str) -> bool:
    """False when there is no such route."""
    count = await changed(connection, delete(inbounds).where(*_which(account_id, inbound_id)))
    await installation.bump(connection)
    return count == 1


def _which(account_id: str, inbound_id: str) -> list[ColumnElement[bool]]:
    return [inbounds.c.account_id == account_id, inbounds.c.id == inbound_id]


def _of(account_id: str, domain_ids: Collection[str] | None) -> list[ColumnElement[bool]]:
    return [inbounds.c.account_id == account_id, within(inbounds.c.domain_id, domain_ids)]


# -- filters and forwards are kept as JSON --------------------------------------------------------------------------


def _encoded(new: dict[str, Any]) -> dict[str, Any]:
    return {name: _text(value) if isinstance(value, Filter | tuple) else value for name, value in new.items()}


def _text(value: Filter | tuple[Forward, ...]) -> str:
    kept = asdict(value) if isinstance(value, Filter) else [asdict(forward) for forward in value]
    return json.dumps(kept, default=lambda sealed: b64encode(sealed).decode(), ensure_ascii=False)


def _decoded(row: Any) -> Inbound:
    kept = Inbound(*row)
    return replace(
        kept,
        catch_filter=_filter(row.catch_filter),
        match_filter=_filter(row.match_filter),
        forwards=tuple(_forward(**one) for one in json.loads(row.forwards)),
    )


def _filter(text: str) -> Filter:
    kept = json.loads(text)
    found = [Condition(Comparer(one["comparer"]), one["value"], one["key"]) for one in kept["conditions"]]
    return Filter(kept["kind"], tuple(found))


def _forward(*, id: str, kind: str, value: str, secret: str | None) -> Forward:
    return Forward(id, ForwardKind(kind), value, None if secret is None else b64decode(secret))
