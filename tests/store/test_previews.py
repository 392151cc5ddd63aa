from __future__ import annotations

from sqlalchemy import func, select

from postroom.store import previews as store
from postroom.store.database import Database
from postroom.store.schema import previews

ANN, BEN, FIRST, SECOND = "a" * 16, "b" * 16, "1" * 16, "2" * 16


async def test_one_for_each_for_a_minute(database: Database) -> None:
    async with database.write() as connection:
        await store.put(connection, ANN, FIRST, "<p>Grüße \0 \ud800</p>", now=1)
        assert await store.get(connection, ANN, FIRST, now=2) == "<p>Grüße \0 ?</p>"
        assert await store.get(connection, BEN, FIRST, now=2) is None
        assert await store.get(connection, ANN, FIRST, now=1 + store.LASTS) is None
        await store.put(connection, ANN, SECOND, "", now=3)
        assert await store.get(connection, ANN, FIRST, now=4) is None
        assert await store.get(connection, ANN, SECOND, now=4) == ""
        await store.put(connection, BEN, FIRST, "", now=3 + store.LASTS)
        assert await connection.scalar(select(func.count()).select_from(previews)) == 1
