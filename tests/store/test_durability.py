"""Q08: a database that is set up to forget is found out."""

from __future__ import annotations

import pytest

from postroom.errors import ConfigError
from postroom.store import durability
from postroom.store.database import Database


async def test_q08_a_database_as_it_is_opened_keeps_what_it_commits(database: Database) -> None:
    assert await durability.weakness(database) == ""
    await durability.check(database)


async def test_q08_a_setting_or_a_table_that_forgets_is_named(database: Database) -> None:
    if database.sqlite:
        sql, said = "PRAGMA synchronous=NORMAL", "synchronous is 1"
        async with database.turn():
            await database._raw.execute(sql)  # it cannot be changed inside a transaction
    else:
        sql, said = "ALTER TABLE suppressions SET UNLOGGED", "table suppressions is unlogged"
        async with database.write() as connection:
            await connection.exec_driver_sql(sql)
    assert await durability.weakness(database) == said
    with pytest.raises(ConfigError, match=said):
        await durability.check(database)
