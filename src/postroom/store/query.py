"""How ordinary functions read and write records: frozen dataclasses whose fields are named as the columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Column, Executable, Table
from sqlalchemy.ext.asyncio import AsyncConnection

R = TypeVar("R")


def columns(record: type[Any], *tables: Table) -> list[Column[Any]]:
    """The columns that `record` has fields for, in their order, each from the first table that has it."""
    return [
        next(table.c[field.name] for table in tables if field.name in table.c) for field in fields(record)
    ]


def values(record: Any) -> dict[str, Any]:
    """The record as the values of an INSERT."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


async def every(connection: AsyncConnection, record: type[R], statement: Executable) -> list[R]:
    """All rows of a query as records; the query selects `columns(record, ...)`."""
    return [record(*row) for row in await connection.execute(statement)]


async def first(connection: AsyncConnection, record: type[R], statement: Executable) -> R | None:
    row = (await connection.execute(statement)).first()
    return None if row is None else record(*row)


async def changed(connection: AsyncConnection, statement: Executable) -> int:
    """Run a statement that changes rows; how many it changed."""
    return int((await connection.execute(statement)).rowcount)


def is_sqlite(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "sqlite"


def slices(rows: Iterable[R], size: int) -> list[list[R]]:
    listed = list(rows)
    return [listed[at : at + size] for at in range(0, len(listed), size)]
