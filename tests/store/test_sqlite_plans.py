"""The hot statements of SQLite find their rows by key: a plan that scans a table would be slow only once it is large."""

from __future__ import annotations

import sqlite3

import pytest

from postroom.store.batches import sqlite
from postroom.store.batches.rows import EmailChange, QueueChange
from postroom.store.database import Database
from postroom.store.retention import delete_events, expire_contents
from support.mail import NOW

KEYS = ("account_id", "id", "at")


def _claim() -> str:
    return sqlite.CLAIM.format(free="0, 7")


STATEMENTS = {
    "requeue": sqlite._with_values(sqlite.REQUEUE, QueueChange._fields, 3),
    "settle": sqlite._with_values(sqlite.SETTLE, EmailChange._fields, 3),
    "expire content": sqlite._with_values(sqlite.EXPIRE_CONTENT, KEYS, 3),
    "mark": sqlite._cached_in(sqlite.MARK, 3, 2) + " RETURNING email_id",
    "unmark": sqlite._cached_in(sqlite.UNMARK, 3, 2),
    "uncertain": sqlite._cached_in(sqlite.UNCERTAIN, 3, 2),
    "found": sqlite._cached_in(sqlite.FOUND, 3, 2),
    "delete": sqlite._cached_in("DELETE FROM queue WHERE (account_id, email_id) IN", 3, 2),
    "claim": _claim(),
    "entries": sqlite._cached_in(sqlite.ENTRIES, 3, 1),
    "suppressed": sqlite._cached_in(sqlite.SUPPRESSED, 3, 2),
    "patterns": sqlite._cached_in(sqlite.PATTERNS, 3, 1),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_hot_statements_search_by_key(sqlite_template: object, name: str) -> None:
    connection = sqlite3.connect(str(sqlite_template))
    sql = STATEMENTS[name]
    values = [0] * (4 if name == "claim" else sql.count("?"))
    plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + sql, values)]
    connection.close()
    scans = [line for line in plan if line.startswith("SCAN") and not _harmless(line)]
    assert not scans, plan
    assert any(line.startswith("SEARCH") for line in plan)


def _harmless(line: str) -> bool:
    """The list of values is walked through: that is what it is there for."""
    return (
        line.startswith("SCAN change") or line.startswith("SCAN (subquery") or line.endswith("CONSTANT ROWS")
    )


async def test_retention_finds_what_is_due_without_a_walk_through_the_table(
    sqlite_database: Database,
) -> None:
    plans: list[str] = []

    async with sqlite_database.write() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None
        statements: list[str] = []
        await raw.set_trace_callback(statements.append)
        await expire_contents(connection, NOW, 10)
        await delete_events(connection, NOW, 10)
        await raw.set_trace_callback(None)
        for sql in statements:
            if sql.split()[0] in {"SELECT", "DELETE", "UPDATE"}:
                cursor = await raw.execute("EXPLAIN QUERY PLAN " + sql)
                plans += [row[3] for row in await cursor.fetchall()]
    assert not [line for line in plans if line.startswith("SCAN messages")], plans
    assert any("ix_messages_content_expires_at" in line for line in plans), plans


@pytest.mark.parametrize("width", [1, 2, 21, 1000])
def test_batches_of_any_size_need_few_statements(width: int) -> None:
    sizes: set[int] = set()
    for rows in range(500):
        parts = list(sqlite._parts(range(rows), width))
        assert [row for part in parts for row in part] == list(range(rows))
        sizes.update(map(len, parts))
    assert len(sizes) < 30
    assert max(sizes) * width <= sqlite.VARIABLES
