"""The scale on which `queue.due_at` and `queue.expires_at` are stored: it runs evenly, whatever somebody does to a
wall clock (Q07).

It is the wall clock of whoever keeps the database (PostgreSQL's server; on SQLite that is us) plus a correction. If
that clock is set, every wait would be over at once, fresh mail would expire, or nothing would be due for days. So
each node counts on with a clock that cannot be set, and what it finds to be a step goes into the correction with the
opposite sign: the scale runs on as if nothing had happened. `installation` has the correction, for the next start and
for the other nodes, the last moment seen, so that the scale never runs backwards over a restart, and when the wall
clock was last set forward, since everything looks older then than it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import StorageUnavailableError
from postroom.runtime.clock import STEP_MS, Clock
from postroom.store import installation
from postroom.store.database import Database
from postroom.store.query import POSTGRESQL_NOW
from postroom.store.schema import queue
from postroom.types.status import Hold

CORRECTION, SEEN, FORWARD = "timescale_correction", "timescale_seen", "timescale_forward"
EVERY = 1.0
"""Seconds between two looks."""
NOTED_EVERY = 60.0
"""Seconds between two notes of the last moment seen."""
FRESH = 0.5
"""Seconds after which what a clock said is too old to be compared."""
FAR = 3_600_000
"""Milliseconds: a larger step forward may be a mistake that makes a lot look old."""
MENDED_WITHIN = 86_400_000
"""Milliseconds in which somebody will have mended it."""

log = structlog.get_logger(__name__)


async def correction(connection: AsyncConnection) -> int:
    """Milliseconds by which the scale is ahead of the wall clock."""
    return int(await installation.get(connection, CORRECTION) or 0)


class Timescale:
    """`start` puts the clock's steady scale in its place, `keep` (every second) looks after it.

    Listeners hear of each step: by how many seconds the wall clock was set.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._correction = 0
        self._noted_at = float("-inf")
        self._looking = asyncio.Lock()  # or one look takes what another one corrects for another node's
        self._listeners: list[Callable[[float], None]] = []

    def on_step(self, listener: Callable[[float], None]) -> None:
        self._listeners.append(listener)

    async def start(self) -> None:
        """Go on where the scale was left. If it is behind that now, the wall clock was set back meanwhile."""
        async with self._database.write() as connection:
            await installation.lock(connection, CORRECTION)
            now = await self._look(connection)
            seen = int(await installation.get(connection, SEEN) or 0)
            if now + STEP_MS <= seen:
                await self._correct(connection, now - seen)
        self._clock.set_steady(max(now, seen))

    async def keep(self) -> None:
        """Follow the database's clock as long as it runs evenly, and correct it where it was set."""
        async with self._looking:
            await self._keep()

    async def _keep(self) -> None:
        began, known = self._clock.boottime(), self._correction
        try:
            async with self._database.read() as connection:
                now = await self._look(connection)
                step = now - self._clock.steady_ms()
            if self._clock.boottime() - began > FRESH:
                return
            # Another node may have noticed before us; then we follow it.
            if abs(step) >= STEP_MS and self._correction == known:
                await self._stepped(step)
            else:
                self._clock.set_steady(now)
                await self._note(now)
        except StorageUnavailableError:
            return  # the scale runs on by itself

    async def trusted_wall_ms(self) -> int | None:
        """The wall clock of whoever keeps the database; None for a day after it was set far forward: what is deleted
        by mistake does not come back."""
        async with self._looking:
            await self._keep()
            return await self._trusted()

    async def _trusted(self) -> int | None:
        async with self._database.read() as connection:
            now = await self._look(connection)
            forward = await installation.get(connection, FORWARD)
        if forward is not None and now - int(forward) < MENDED_WITHIN:
            return None
        return now - self._correction

    async def _stepped(self, step: int) -> None:
        known = self._correction
        async with self._database.write() as connection:
            await installation.lock(connection, CORRECTION)
            await self._look(connection)
            if self._correction == known:
                await self._correct(connection, step)
            if step >= FAR:
                log.warning("nothing is deleted for a day, in case that was a mistake")
                await installation.put(connection, FORWARD, str(self._clock.steady_ms()))
        for listener in self._listeners:
            listener(step / 1000)

    async def _correct(self, connection: AsyncConnection, step: int) -> None:
        log.warning("the wall clock was set; what waits is not moved by that", seconds=step / 1000)
        self._correction -= step
        await installation.put(connection, CORRECTION, str(self._correction))
        # What waits for midnight, or was scheduled, waits for a moment of the wall clock.
        moved = {name: queue.c[name] - step for name in ("due_at", "expires_at")}
        waiting = queue.c.hold.in_([Hold.QUOTA.value, Hold.SCHEDULED.value])
        await connection.execute(update(queue).where(waiting).values(moved))

    async def _note(self, now: int) -> None:
        if self._clock.boottime() - self._noted_at < NOTED_EVERY:
            return
        self._noted_at = self._clock.boottime()
        async with self._database.write() as connection:
            await installation.lock(connection, CORRECTION)
            await installation.put(connection, SEEN, str(now))

    async def _look(self, connection: AsyncConnection) -> int:
        """Where the scale is by the database's clock and the correction that is known there."""
        self._correction = await correction(connection)
        if self._database.sqlite:
            return self._clock.now_ms() + self._correction
        return int((await connection.execute(select(POSTGRESQL_NOW))).scalar_one()) + self._correction
