"""What accounts ask the operator for. Of one kind an account has one open request at most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import changed, columns, every, first, values
from postroom.store.schema import account_requests

SUBMITTED = "submitted"


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """`answers` is JSON, an object; `reason` is the operator's, `decided_by` who that was. `told_at` None: who is concerned
    by the state it has now (the operator, then the account's Admins) was not told of it yet."""

    id: str
    account_id: str
    kind: str
    state: str
    answers: str
    reason: str
    decided_by: str
    created_at: int
    decided_at: int | None
    told_at: int | None


_ALL = select(*columns(AccountRequest, account_requests))


async def add(connection: AsyncConnection, request: AccountRequest) -> None:
    """Raises ConflictError when the account has an open one of this kind."""
    await connection.execute(insert(account_requests).values(values(request)))


async def get(connection: AsyncConnection, request_id: str) -> AccountRequest | None:
    return await first(connection, AccountRequest, _ALL.where(account_requests.c.id == request_id))


async def newest(connection: AsyncConnection, account_id: str, kind: str) -> AccountRequest | None:
    """The last one of an account."""
    mine = (account_requests.c.account_id == account_id, account_requests.c.kind == kind)
    last = _ALL.where(*mine).order_by(account_requests.c.created_at.desc(), account_requests.c.id.desc())
    return await first(connection, AccountRequest, last.limit(1))


async def page(
    connection: AsyncConnection, *, state: str | None, kind: str | None, offset: int, limit: int
) -> list[AccountRequest]:
    """The oldest first: who waits longest is next."""
    ordered = _ALL.where(*_fitting(state, kind)).order_by(
        account_requests.c.created_at, account_requests.c.id
    )
    return await every(connection, AccountRequest, ordered.offset(offset).limit(limit))


async def count(connection: AsyncConnection, *, state: str | None, kind: str | None) -> int:
    statement = select(func.count()).select_from(account_requests).where(*_fitting(state, kind))
    return int(await connection.scalar(statement) or 0)


async def decide(connection: AsyncConnection, request_id: str, **new: Any) -> bool:
    """Set these columns of an open request. False when it is not open: of two who decide one is quicker."""
    mine = (account_requests.c.id == request_id, account_requests.c.state == SUBMITTED)
    return await changed(connection, update(account_requests).where(*mine).values(**new)) == 1


async def untold(connection: AsyncConnection, limit: int) -> list[AccountRequest]:
    """Those of whose state somebody has to be told."""
    waiting = _ALL.where(account_requests.c.told_at.is_(None)).order_by(account_requests.c.id)
    return await every(connection, AccountRequest, waiting.limit(limit))


async def tell(connection: AsyncConnection, request: AccountRequest, told_at: int) -> None:
    """Note that its state was told, unless it has another one by now."""
    which = (account_requests.c.id == request.id, account_requests.c.state == request.state)
    await connection.execute(update(account_requests).where(*which).values(told_at=told_at))


def _fitting(state: str | None, kind: str | None) -> list[ColumnElement[bool]]:
    wanted = ((account_requests.c.state, state), (account_requests.c.kind, kind))
    return [column == value for column, value in wanted if value is not None]
