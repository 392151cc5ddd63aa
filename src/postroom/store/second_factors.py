"""The second step of signing in: the secret of the codes, and the recovery codes that were not used yet.

`tenancy.second_factor` has the rules. Whoever checks a code holds the row until the transaction ends (`lock`), so
guesses at the same time count one after the other, and a code cannot be used twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import changed, columns, every, first, values
from postroom.store.schema import recovery_codes, second_factors


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """`secret` is sealed. `confirmed_at` None: begun, and not in force. `last_step` is that of the code used last.

    `failures` are wrong codes since the last right one; until `locked_until` none is taken. Times in milliseconds.
    """

    user_id: str
    secret: bytes = field(repr=False)
    confirmed_at: int | None
    last_step: int
    failures: int
    locked_until: int
    created_at: int


_ALL = select(*columns(SecondFactor, second_factors))


async def put(connection: AsyncConnection, factor: SecondFactor) -> None:
    """In place of what the user had."""
    await remove(connection, factor.user_id)
    await connection.execute(insert(second_factors).values(values(factor)))


async def get(connection: AsyncConnection, user_id: str) -> SecondFactor | None:
    return await first(connection, SecondFactor, _ALL.where(second_factors.c.user_id == user_id))


async def lock(connection: AsyncConnection, user_id: str) -> SecondFactor | None:
    """`get`, and nobody else changes it until the transaction ends."""
    mine = _ALL.where(second_factors.c.user_id == user_id)
    return await first(connection, SecondFactor, mine.with_for_update())


async def load(connection: AsyncConnection, user_ids: Iterable[str]) -> dict[str, SecondFactor]:
    """Those of these users, by user."""
    which = second_factors.c.user_id.in_(sorted(set(user_ids)))
    found = await every(connection, SecondFactor, _ALL.where(which))
    return {factor.user_id: factor for factor in found}


async def change(connection: AsyncConnection, user_id: str, **new: Any) -> None:
    """Set these columns."""
    await connection.execute(update(second_factors).where(second_factors.c.user_id == user_id).values(**new))


async def remove(connection: AsyncConnection, user_id: str) -> None:
    """With the recovery codes."""
    for table in (recovery_codes, second_factors):
        await connection.execute(delete(table).where(table.c.user_id == user_id))


# -- recovery codes -------------------------------------------------------------------------------------------


async def put_codes(connection: AsyncConnection, user_id: str, hashes: Iterable[bytes]) -> None:
    """In place of those the user had."""
    await connection.execute(delete(recovery_codes).where(recovery_codes.c.user_id == user_id))
    rows = [{"user_id": user_id, "code_hash": code_hash} for code_hash in hashes]
    await connection.execute(insert(recovery_codes), rows)


async def count_codes(connection: AsyncConnection, user_id: str) -> int:
    statement = select(func.count()).select_from(recovery_codes)
    return int(await connection.scalar(statement.where(recovery_codes.c.user_id == user_id)) or 0)


async def use_code(connection: AsyncConnection, user_id: str, code_hash: bytes) -> bool:
    """False when there is no such code: it is wrong, or was used."""
    mine = (recovery_codes.c.user_id == user_id, recovery_codes.c.code_hash == code_hash)
    return await changed(connection, delete(recovery_codes).where(*mine)) == 1
