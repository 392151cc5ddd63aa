"""One database behind one URL.

`read()` gives a connection for queries, `write()` a connection inside a transaction that commits at the end of the
block, `batch(name, ...)` runs one of the hot functions of `store.batches` in a transaction of its own.

SQLite: its defaults lose updates silently (a deferred transaction that turns into a write fails or overwrites), so
there is one writer connection in the process, every write is BEGIN IMMEDIATE, `synchronous=FULL`, and readers are
a separate pool that cannot write. A batch runs as one call in the writer's thread. Checkpoints are made in the
background (`store.checkpoint`). PostgreSQL: a pool for everything, and a small one of raw connections for batches.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from postroom.errors import CommitUnknownError, ConfigError, ConflictError, StorageUnavailableError
from postroom.runtime.files import make_directory
from postroom.store.turn import Turn

T = TypeVar("T")

PAGE_SIZE = 8192
CACHE = 128 * 1024 * 1024
"""Octets for the page caches of SQLite: half for the writer, half for all readers together."""
BATCH_CONNECTIONS = 3
SQLITE_AT_LEAST = (3, 38, 0)  # UPDATE ... FROM, RETURNING, and the faults of WAL that were mended before it
_UNKNOWN = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # the server is told to stop while it waits for a standby
    asyncpg.InterfaceError,
)
"""After one of these a COMMIT may have happened or not."""
SERVER_SETTINGS = {"application_name": "postroom", "synchronous_commit": "on", "timezone": "UTC"}


class Database:
    """Open with `await Database.open(url)`, close with `await close()`. `sqlite` tells which kind it is.

    Every method raises StorageUnavailableError when the database cannot be reached or cannot write,
    CommitUnknownError when it went away during COMMIT, and ConflictError when a unique key is taken.
    """

    def __init__(self, url: URL, *, timeout: float, pool: int, cache: int) -> None:
        self.url = url
        self.timeout = timeout
        self.sqlite = url.get_backend_name() == "sqlite"
        self._turn = Turn()
        self._writer: AsyncConnection | None = None
        self._raw: Any = None
        self._batches: asyncpg.Pool | None = None
        self._write_engine = (
            _sqlite_engine(url, 1, cache // 2, writer=True) if self.sqlite else _postgres_engine(url, pool)
        )
        self._read_engine = (
            _sqlite_engine(url, pool, cache // 2, writer=False) if self.sqlite else self._write_engine
        )

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        timeout: float = 5.0,  # noqa: ASYNC109
        pool: int = 8,
        cache: int = CACHE,
    ) -> Database:
        database = cls(_parse(url), timeout=timeout, pool=pool, cache=cache)
        try:
            with _storage_errors():
                await database._connect()
        except BaseException:
            await database.close()
            raise
        return database

    async def _connect(self) -> None:
        if self.sqlite:
            _check_version()
            if self.url.database:
                make_directory(Path(self.url.database).parent)
            self._writer = await self._write_engine.connect()
            self._raw = (await self._writer.get_raw_connection()).driver_connection
        else:
            async with self._write_engine.connect() as connection:
                await connection.exec_driver_sql("SELECT 1")

    async def _batch_pool(self) -> asyncpg.Pool:
        if self._batches is None:
            self._batches = await asyncpg.create_pool(
                self.url.set(drivername="postgresql").render_as_string(hide_password=False),
                min_size=0,
                max_size=BATCH_CONNECTIONS,
                timeout=self.timeout,
                command_timeout=30,
                server_settings=SERVER_SETTINGS,
                reset=_nothing_to_reset,
            )
        return self._batches

    async def close(self) -> None:
        if self._batches is not None:
            await self._batches.close()
        if self._writer is not None:
            await self._writer.close()
        await self._write_engine.dispose()
        await self._read_engine.dispose()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        with _storage_errors():
            async with self._read_engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction; it commits at the end of the block and rolls back on an exception."""
        with _storage_errors():
            if self._writer is None:
                async with self._write_engine.begin() as connection:
                    yield connection
                return
            async with self.turn(), self._writer.begin():
                yield self._writer

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[InTurn]:
        """The writer's turn (SQLite; on PostgreSQL there is nothing to wait for). Batches within it run at once, so
        what goes into them can be gathered until then. Waiting longer than `timeout` is StorageUnavailableError."""
        if not self.sqlite:
            yield InTurn(self)
            return
        await self._turn.take(self.timeout)
        try:
            yield InTurn(self)
        finally:
            self._turn.give_back()

    async def sqlite_batch(self, function: Callable[..., T], *args: Any) -> T:
        """Run `function(sqlite3 connection, *args)` in the writer's thread inside one transaction."""
        async with self.turn() as ours:
            return await ours.sqlite_batch(function, *args)

    async def postgres_batch(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run `await function(asyncpg connection, *args)` inside one transaction."""
        with _storage_errors():
            pool = await self._batch_pool()
            async with pool.acquire(timeout=self.timeout) as connection:
                transaction = connection.transaction()
                await transaction.start()
                try:
                    result = await function(connection, *args)
                except BaseException:
                    await _roll_back(transaction)
                    raise
                try:
                    await transaction.commit()
                except _UNKNOWN as error:
                    raise CommitUnknownError(f"the connection died during COMMIT: {error}") from error
                return result


class InTurn:
    """A database whose writer waits for nobody but the one who has this; see `Database.turn`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.sqlite = database.sqlite

    async def sqlite_batch(self, function: Callable[..., T], *args: Any) -> T:
        raw = self._database._raw
        with _storage_errors():
            # One hop into the thread for the whole transaction; the public API has only one hop a statement.
            # A caller that goes away does not stop it: the thread finishes what it began, then serves the next.
            return await raw._execute(_in_transaction, raw._conn, function, args)  # type: ignore[no-any-return]

    async def postgres_batch(self, function: Callable[..., Any], *args: Any) -> Any:
        return await self._database.postgres_batch(function, *args)


def _in_transaction(connection: Any, function: Callable[..., T], args: tuple[Any, ...]) -> T:
    connection.execute("BEGIN IMMEDIATE")
    try:
        result = function(connection, *args)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


async def _nothing_to_reset(_connection: Any) -> None:
    """Batches leave nothing in a session but prepared statements; the default asks the server at each release."""


async def _roll_back(transaction: Any) -> None:
    try:
        await transaction.rollback()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return  # the connection is gone, and the transaction with it


def _parse(url: str) -> URL:
    """The kinds there are, `config` knows, too."""
    parsed = make_url(url)
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    return parsed.set(drivername=drivers[parsed.get_backend_name()])


def _check_version() -> None:
    if sqlite3.sqlite_version_info < SQLITE_AT_LEAST:
        wanted = ".".join(str(number) for number in SQLITE_AT_LEAST)
        raise ConfigError(
            f"this Python has SQLite {sqlite3.sqlite_version}; Postroom needs {wanted} or newer: "
            "use a newer Python, or PostgreSQL (database.url)"
        )


def _sqlite_engine(url: URL, size: int, cache: int, *, writer: bool) -> AsyncEngine:
    """`cache` is in octets, for all of its connections together."""
    engine = create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_reset_on_return="rollback",
        hide_parameters=True,
        connect_args={"timeout": 10, "cached_statements": 512},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        if writer:
            # Both must come before the first table; on an existing file they change nothing.
            cursor.execute(f"PRAGMA page_size={PAGE_SIZE}")
            cursor.execute("PRAGMA auto_vacuum=INCREMENTAL")
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.execute("PRAGMA wal_autocheckpoint=0")
        else:
            cursor.execute("PRAGMA query_only=ON")
        cursor.execute(f"PRAGMA cache_size=-{cache // size // 1024}")  # in KiB
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")

    return engine


def _postgres_engine(url: URL, size: int) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_pre_ping=True,
        pool_timeout=10,
        hide_parameters=True,
        connect_args={"server_settings": SERVER_SETTINGS, "timeout": 5, "command_timeout": 30},
    )


@contextmanager
def _storage_errors() -> Iterator[None]:
    """Translate what the drivers raise into the exceptions that cross this boundary."""
    try:
        yield
    except IntegrityError as error:
        raise ConflictError(str(error.orig)) from error
    except (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError) as error:  # of a batch
        raise ConflictError(str(error)) from error
    except (
        DBAPIError,
        sqlite3.Error,
        OSError,
        TimeoutError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
    ) as error:
        # The driver's own words: SQLAlchemy's would show the whole statement.
        reason = getattr(error, "orig", None) or error
        raise StorageUnavailableError(f"the database does not answer: {reason}") from error
    except SQLAlchemyError as error:
        if isinstance(error, TimeoutError) or "QueuePool" in str(error):
            raise StorageUnavailableError("the database is busy") from error
        raise
