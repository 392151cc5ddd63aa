"""A node's claim to its queue rows: an incarnation number and one heartbeat.

The number is also the fence: an outcome of an older incarnation is not recorded over a newer one's. The node counts
its lease on a clock that runs on while the process or the machine is stopped, from before the heartbeat was sent,
so it always believes the lease to end earlier than the database does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from postroom.errors import StorageUnavailableError
from postroom.runtime.clock import Clock
from postroom.runtime.killpoints import reach
from postroom.store import nodes, queue
from postroom.store.database import Database

log = structlog.get_logger()

Lost = Callable[[], Awaitable[None]]
Regained = Callable[[int], Awaitable[None]]


class Lease:
    """`incarnation` is the number under which this node owns rows; `held` tells whether it still may send a final dot.

    `lost` (see `start`) is called when the lease has lapsed, `regained` with the new number once there is one.
    """

    def __init__(self, database: Database, clock: Clock, *, name: str, seconds: float) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self._seconds = seconds
        self._until = 0.0
        self._task: asyncio.Task[None] | None = None
        self.incarnation = 0

    @property
    def held(self) -> bool:
        return self._clock.boottime() < self._until

    async def start(self, *, lost: Lost, regained: Regained) -> None:
        await self._begin()
        self._task = asyncio.create_task(self._beat(lost, regained), name="lease")

    async def stop(self) -> None:
        """Give the lease back: other nodes may claim at once what is still owned."""
        if self._task is not None:
            self._task.cancel()
        self._until = 0.0
        reach("drain.before_release")
        if self.incarnation:
            async with self._database.write() as connection:
                await queue.release_owner(connection, self.incarnation)
                await nodes.expire(connection, self.incarnation)

    async def _begin(self) -> None:
        reach("lease.before_start")
        began = self._clock.boottime()
        async with self._database.write() as connection:
            incarnation = await nodes.start(
                connection, self._name, self._clock.now_ms(), round(self._seconds * 1000)
            )
            if self._database.sqlite:
                # One `serve` holds the directory's lock, so whoever owned rows before is gone.
                await nodes.expire_others(connection, incarnation)
        reach("lease.started")
        # Only now: if the end of the commit was not heard, the next beat finds the old one lost, and begins once more.
        self.incarnation = incarnation
        self._until = began + self._seconds
        log.info("node started", incarnation=self.incarnation)

    async def _beat(self, lost: Lost, regained: Regained) -> None:
        while True:
            await asyncio.sleep(self._seconds / 3)
            try:
                if not await self._renew():
                    log.error("lease lost: starting over as a new incarnation", incarnation=self.incarnation)
                    reach("lease.lost")
                    await lost()
                    await self._begin()
                    await regained(self.incarnation)
            except StorageUnavailableError as error:
                log.warning("heartbeat failed", reason=str(error), held=self.held)
            except Exception:  # whatever it is: a node without a heartbeat never sends again
                log.exception("heartbeat failed inside", held=self.held)

    async def _renew(self) -> bool:
        began = self._clock.boottime()
        reach("lease.before_renewal")
        async with self._database.write() as connection:
            kept = await nodes.renew(
                connection, self.incarnation, self._clock.now_ms(), round(self._seconds * 1000)
            )
        reach("lease.renewed")
        self._until = began + self._seconds if kept else 0.0
        return kept
