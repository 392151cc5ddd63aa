"""Addresses an account must not send to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, values
from postroom.store.schema import suppressions


@dataclass(frozen=True, slots=True)
class Suppression:
    """`domain_id` None: for the whole account. `list` names the list it is on."""

    account_id: str
    id: str
    domain_id: str | None
    list: str
    address: str
    reason: str
    created_at: int


_ALL = select(*columns(Suppression, suppressions))


async def add(connection: AsyncConnection, suppression: Suppression) -> None:
    await connection.execute(insert(suppressions).values(values(suppression)))
    await installation.bump(connection)


async def of_address(connection: AsyncConnection, account_id: str, address: str) -> list[Suppression]:
    which = (suppressions.c.account_id == account_id, suppressions.c.address == address)
    return await every(connection, Suppression, _ALL.where(*which))


async def page(
    connection: AsyncConnection, account_id: str, *, after: str = "", limit: int = 100
) -> list[Suppression]:
    """In order of their ids, those behind `after`."""
    which = (suppressions.c.account_id == account_id, suppressions.c.id > after)
    return await every(connection, Suppression, _ALL.where(*which).order_by(suppressions.c.id).limit(limit))


async def remove(connection: AsyncConnection, account_id: str, address: str) -> int:
    """Take an address off every list of the account; from how many."""
    which = (suppressions.c.account_id == account_id, suppressions.c.address == address)
    count = await changed(connection, delete(suppressions).where(*which))
    await installation.bump(connection)
    return count
