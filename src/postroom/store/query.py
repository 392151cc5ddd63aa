"""How ordinary functions read and write records: frozen dataclasses whose fields are named as the columns."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Executable,
    Table,
    Text,
    cast,
    func,
    literal_column,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

R = TypeVar("R")

POSTGRESQL_NOW: ColumnElement[int] = literal_column(
    "(extract(epoch FROM clock_timestamp()) * 1000)::bigint", BigInteger
)
"""The server's wall clock, in milliseconds."""


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


def among(
    connection: AsyncConnection, keys: Iterable[tuple[str, str]], first: Column[str], second: Column[str]
) -> ColumnElement[bool]:
    """The two columns are one of these pairs. All pairs travel in one value, so the statement is always the same.

    SQLite (3.40) searches no index for an IN on a list of pairs, but does so for an IN on a SELECT.
    """
    pairs = list(keys)
    if is_sqlite(connection):
        each = func.json_each(json.dumps(pairs)).table_valued("value")
        values = (func.json_extract(each.c.value, "$[0]"), func.json_extract(each.c.value, "$[1]"))
        return tuple_(first, second).in_(select(*values))
    columns = [cast([pair[at] for pair in pairs], ARRAY(Text)) for at in (0, 1)]
    listed = func.unnest(*columns).table_valued("first", "second").render_derived()
    return tuple_(first, second).in_(select(listed.c.first, listed.c.second))


def within(column: ColumnElement[Any], allowed: Collection[str] | None) -> ColumnElement[bool]:
    """The column is one of these; None: whatever it is."""
    return true() if allowed is None else column.in_(sorted(allowed))


def is_sqlite(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "sqlite"


def slices(rows: Iterable[R], size: int) -> list[list[R]]:
    listed = list(rows)
    return [listed[at : at + size] for at in range(0, len(listed), size)]
