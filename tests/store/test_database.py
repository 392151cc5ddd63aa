"""store.database: what a connection is set to."""

from __future__ import annotations

import traceback
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from sqlalchemy import text

from postroom.errors import StorageUnavailableError
from postroom.store.database import Database

KIB, MIB = 1024, 1024 * 1024
CANARY = "canary-4f1c9e77d2"


async def test_all_page_caches_together_have_a_bound(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path / 'mail.db'}", pool=4, cache=16 * MIB)
    cache_size = text("PRAGMA cache_size")
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(database.read()) for _ in range(4)]
        opened.append(await stack.enter_async_context(database.write()))
        sizes = [-KIB * await connection.scalar(cache_size) for connection in opened]
    assert sizes == [2 * MIB] * 4 + [8 * MIB]
    await database.close()


async def test_x02_an_error_does_not_show_the_values_of_its_statement(database: Database) -> None:
    """It is logged with all that it was caused by, and a value may be the hash of a password."""
    with pytest.raises(StorageUnavailableError) as failed:
        async with database.write() as connection:
            await connection.execute(text("INSERT INTO nowhere VALUES (:hash)"), {"hash": CANARY})
    said = "".join(traceback.format_exception(failed.value))
    assert "nowhere" in said
    assert CANARY not in said
