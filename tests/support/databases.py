"""Open databases for tests: migrated once, copied for each test. A plugin of all tests.

`database` is open and migrated, once on SQLite and once on PostgreSQL; `sqlite_database` is on SQLite only.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from postroom.store import migrate
from postroom.store.database import Database
from support.postgres import PostgresServer


async def _migrate(url: str) -> None:
    database = await Database.open(url, pool=2)
    await migrate.upgrade(database)
    await database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "postroom.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    shutil.copy(sqlite_template, tmp_path / "postroom.db")
    return f"sqlite:///{tmp_path / 'postroom.db'}"


@pytest.fixture
def migrated_postgres_url(postgres_server: PostgresServer) -> Iterator[str]:
    with postgres_server.fresh(postgres_server.template("postroom", _migrate)) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    name = "sqlite_url" if request.param == "sqlite" else "migrated_postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url, pool=4)
    yield opened
    await opened.close()


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(sqlite_url, pool=4)
    yield opened
    await opened.close()
