"""Idempotency keys of API requests. The rows come with `batches.accept`, in the transaction of what they made.

All times are on the clock's steady scale: a wall clock that is set must not make a second message (Q07).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import among, columns, first, values
from postroom.store.schema import idempotency_keys


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """`fingerprint` is a digest of what was asked, `answer` JSON that the answer is made of."""

    fingerprint: bytes
    answer: str


async def get(connection: AsyncConnection, account_id: str, key: str, now: int) -> IdempotencyKey | None:
    """None when it was not used, or its time is over by `now` (milliseconds)."""
    which = (idempotency_keys.c.account_id == account_id, idempotency_keys.c.key == key)
    statement = select(*columns(IdempotencyKey, idempotency_keys))
    return await first(
        connection, IdempotencyKey, statement.where(*which, idempotency_keys.c.expires_at > now)
    )


async def of(
    connection: AsyncConnection, account_id: str, keys: Iterable[str], now: int
) -> dict[str, IdempotencyKey]:
    """Those of these keys that are used, as `get` finds them."""
    pairs = [(account_id, key) for key in keys]
    mine = among(connection, pairs, idempotency_keys.c.account_id, idempotency_keys.c.key)
    statement = select(idempotency_keys.c.key, *columns(IdempotencyKey, idempotency_keys))
    rows = await connection.execute(statement.where(mine, idempotency_keys.c.expires_at > now))
    return {key: IdempotencyKey(*found) for key, *found in rows}


async def add(
    connection: AsyncConnection, account_id: str, key: str, used: IdempotencyKey, now: int, expires_at: int
) -> None:
    """Beside what it made, in one transaction. Raises ConflictError when somebody else was quicker."""
    which = (idempotency_keys.c.account_id == account_id, idempotency_keys.c.key == key)
    await connection.execute(delete(idempotency_keys).where(*which, idempotency_keys.c.expires_at <= now))
    row = {"account_id": account_id, "key": key, "expires_at": expires_at}
    await connection.execute(insert(idempotency_keys).values(row | values(used)))


async def expire(connection: AsyncConnection, account_id: str, keys: Iterable[str], at: int) -> None:
    """They are good until `at` (milliseconds)."""
    pairs = [(account_id, key) for key in keys]
    mine = among(connection, pairs, idempotency_keys.c.account_id, idempotency_keys.c.key)
    await connection.execute(update(idempotency_keys).where(mine).values(expires_at=at))
