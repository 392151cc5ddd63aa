"""SQLite's write-ahead log, kept short from the background, and its file, given back in small slices.

A checkpoint inside a commit would make that commit wait for it. So the writer never makes one: a connection of its
own makes a passive one every half second, which waits for nobody. If the log grows nevertheless, because a reader
holds an old snapshot or the disk is slow, accept has to wait: the checkpoint takes the writer's turn and starts over.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import structlog

from postroom.errors import StorageUnavailableError
from postroom.runtime.killpoints import reach
from postroom.store.database import Database

PAUSE = 0.5
"""Seconds between two checkpoints."""
LIMIT = 128 * 1024 * 1024
"""Octets of the log above which accept waits."""
BUSY_MS = 2000
"""How long such a checkpoint waits for readers to end."""
VACUUM_EVERY = 120
"""Checkpoints between two looks at free pages."""
VACUUM_PAGES = 64
"""Free pages given back in one slice; a few milliseconds."""

log = structlog.get_logger(__name__)


class Checkpointer:
    """`start` and `stop` it with the database, which is open between the two."""

    def __init__(self, database: Database, *, limit: int = LIMIT) -> None:
        self._database = database
        self._limit = limit
        self._path = Path(database.url.database or "")
        self._connection: sqlite3.Connection | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="checkpoints")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._connection is not None:
            await asyncio.to_thread(self._connection.close)
            self._connection = None

    async def _run(self) -> None:
        rounds = 0
        while True:
            await asyncio.sleep(PAUSE)
            rounds += 1
            try:
                await self.checkpoint()
                if rounds % VACUUM_EVERY == 0:
                    await self.vacuum()
            except (sqlite3.Error, OSError, StorageUnavailableError) as error:
                log.warning("checkpoint failed", error=str(error))

    async def checkpoint(self) -> None:
        """A passive one; when the log is above its limit, one that holds up accept and empties the log."""
        await self._in_thread("PASSIVE")
        if self._log_size() > self._limit:
            async with self._database.turn():
                busy = await self._in_thread("TRUNCATE")
            log.warning("the write-ahead log was above its limit; accept waited", emptied=not busy)

    async def vacuum(self) -> None:
        """Give free pages back while they are more than a quarter of the file: new mail uses those that stay."""
        while await self._database.sqlite_batch(_vacuum):  # noqa: ASYNC110 - waits for nobody, lets others write
            await asyncio.sleep(0.02)

    def _log_size(self) -> int:
        try:
            return self._path.with_name(self._path.name + "-wal").stat().st_size
        except FileNotFoundError:
            return 0

    async def _in_thread(self, kind: str) -> bool:
        # Shielded: a thread cannot be cancelled, and the connection must not be closed under it.
        work = asyncio.ensure_future(asyncio.to_thread(self._run_checkpoint, kind))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait({work})
            raise

    def _run_checkpoint(self, kind: str) -> bool:
        """Whether somebody was in the way."""
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, timeout=BUSY_MS / 1000, check_same_thread=False)
            self._connection.execute("PRAGMA synchronous=FULL")
        reach("checkpoint.before")
        (busy, _, _) = self._connection.execute(f"PRAGMA wal_checkpoint({kind})").fetchone()
        reach("checkpoint.after")
        return bool(busy)


def _vacuum(connection: sqlite3.Connection) -> bool:
    """One slice; whether it is worth another one."""
    free = connection.execute("PRAGMA freelist_count").fetchone()[0]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    if free * 4 < pages or free < VACUUM_PAGES:
        return False
    for _ in range(VACUUM_PAGES):  # asked for several, Python's module stops after the first
        connection.execute("PRAGMA incremental_vacuum(1)")
    return True
