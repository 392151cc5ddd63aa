"""SQLite's write-ahead log, kept short from the background, and its file, given back in small slices.

A checkpoint inside a commit would make that commit wait for it. So the writer never makes one: a connection of its
own makes a passive one every half second, which waits for nobody. Under load that alone never lets the log start
over, since there is always a commit behind the last page copied; so when the log has grown, a second one takes the
writer's turn. It finds nearly everything copied and holds up accept for some milliseconds. The file keeps its size and
is written again from its beginning: truncating it would only make the disk find new blocks.
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
LIMIT = 32 * 1024 * 1024
"""Octets in the log above which it has to start over."""
ALARM = 128 * 1024 * 1024
"""Octets in the log that mean that the disk, or a reader with an old snapshot, holds us up."""
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
        self._page_size = 0

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
        """A passive one; when the log is above its limit, one in the writer's turn after which it starts over."""
        _, octets = await self._in_thread("PASSIVE")
        if octets <= self._limit:
            return
        async with self._database.turn():
            busy, _ = await self._in_thread("RESTART")
        if busy or octets > ALARM:
            log.warning("the write-ahead log is long; accept waited", octets=octets, readers_in_the_way=busy)

    async def vacuum(self) -> None:
        """Give free pages back while they are more than a quarter of the file: new mail uses those that stay."""
        while await self._database.sqlite_batch(_vacuum):  # noqa: ASYNC110 - waits for nobody, lets others write
            await asyncio.sleep(0.02)

    async def _in_thread(self, kind: str) -> tuple[bool, int]:
        # Shielded: a thread cannot be cancelled, and the connection must not be closed under it.
        work = asyncio.ensure_future(asyncio.to_thread(self._run_checkpoint, kind))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait({work})
            raise

    def _run_checkpoint(self, kind: str) -> tuple[bool, int]:
        """Whether somebody was in the way, and how many octets the log held."""
        if self._connection is None:
            self._connection = sqlite3.connect(self._path, timeout=BUSY_MS / 1000, check_same_thread=False)
            self._connection.execute("PRAGMA synchronous=FULL")
            (self._page_size,) = self._connection.execute("PRAGMA page_size").fetchone()
        reach("checkpoint.before")
        busy, pages, _ = self._connection.execute(f"PRAGMA wal_checkpoint({kind})").fetchone()
        reach("checkpoint.after")
        return bool(busy), pages * self._page_size


def _vacuum(connection: sqlite3.Connection) -> bool:
    """One slice; whether it is worth another one."""
    free = connection.execute("PRAGMA freelist_count").fetchone()[0]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    if free * 4 < pages or free < VACUUM_PAGES:
        return False
    for _ in range(VACUUM_PAGES):  # asked for several, Python's module stops after the first
        connection.execute("PRAGMA incremental_vacuum(1)")
    return True
