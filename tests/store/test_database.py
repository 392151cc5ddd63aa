"""store.database: what a connection is set to."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from sqlalchemy import text

from postroom.store.database import Database

KIB, MIB = 1024, 1024 * 1024


async def test_all_page_caches_together_have_a_bound(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path / 'mail.db'}", pool=4, cache=16 * MIB)
    cache_size = text("PRAGMA cache_size")
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(database.read()) for _ in range(4)]
        opened.append(await stack.enter_async_context(database.write()))
        sizes = [-KIB * await connection.scalar(cache_size) for connection in opened]
    assert sizes == [2 * MIB] * 4 + [8 * MIB]
    await database.close()
