from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from postroom.errors import ConfigError
from postroom.store import database as database_module
from postroom.store.checkpoint import Checkpointer
from postroom.store.database import Database
from support.mail import accepted, rows


def _log_size(database: Database) -> int:
    return Path(f"{database.url.database}-wal").stat().st_size


async def test_a_passive_checkpoint_lets_the_log_start_over(sqlite_database: Database) -> None:
    checkpointer = Checkpointer(sqlite_database)
    await accepted(sqlite_database, 200)
    size = _log_size(sqlite_database)
    for _ in range(5):
        await checkpointer.checkpoint()
        await accepted(sqlite_database, 200)
    assert _log_size(sqlite_database) < 2 * size
    await checkpointer.stop()


async def test_above_the_limit_the_log_starts_over_in_the_writers_turn(sqlite_database: Database) -> None:
    checkpointer = Checkpointer(sqlite_database, limit=1000)
    await accepted(sqlite_database, 2000)
    before = await _octets_in_log(checkpointer)
    async with sqlite_database.turn():
        waiting = asyncio.create_task(checkpointer.checkpoint())
        done, _ = await asyncio.wait({waiting}, timeout=0.05)
        assert not done  # it waits for its turn
    await waiting
    await accepted(sqlite_database)
    assert await _octets_in_log(checkpointer) < before / 2  # the last commit only
    assert len(await rows(sqlite_database, "emails")) == 2001
    await checkpointer.stop()


async def test_the_log_keeps_its_size_under_load(sqlite_database: Database) -> None:
    checkpointer = Checkpointer(sqlite_database, limit=100_000)
    sizes = []
    for _ in range(6):
        await accepted(sqlite_database, 200)
        await checkpointer.checkpoint()
        sizes.append(_log_size(sqlite_database))
    assert sizes[-1] < 2 * sizes[0]
    await checkpointer.stop()


async def _octets_in_log(checkpointer: Checkpointer) -> int:
    return (await checkpointer._in_thread("PASSIVE"))[1]


async def test_start_and_stop_leave_nothing_running(sqlite_database: Database) -> None:
    checkpointer = Checkpointer(sqlite_database)
    checkpointer.start()
    await asyncio.sleep(0)
    await checkpointer.stop()
    await checkpointer.stop()


async def test_free_pages_are_given_back(sqlite_database: Database) -> None:
    checkpointer = Checkpointer(sqlite_database)
    async with sqlite_database.write() as connection:
        await connection.execute(text("INSERT INTO contents VALUES ('a', 'b', zeroblob(2000000))"))
    async with sqlite_database.write() as connection:
        await connection.execute(text("DELETE FROM contents"))
    await checkpointer.vacuum()
    async with sqlite_database.read() as connection:
        free = await connection.scalar(text("PRAGMA freelist_count"))
        pages = await connection.scalar(text("PRAGMA page_count"))
    assert free * 4 < pages or free < 64
    assert pages < 300


async def test_an_old_sqlite_is_refused_in_plain_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))
    monkeypatch.setattr(sqlite3, "sqlite_version", "3.37.2")
    with pytest.raises(ConfigError, match=r"SQLite 3\.37\.2"):
        await database_module.Database.open(f"sqlite:///{tmp_path / 'x.db'}")
