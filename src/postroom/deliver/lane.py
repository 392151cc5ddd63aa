"""Everything that waits for one site, and the few workers that bring it there, each with a connection of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

import structlog

from postroom.deliver.delivery import FAILED_INSIDE, Carrier, Delivery, deferred
from postroom.deliver.fair import FairQueue
from postroom.deliver.verdict import QUARANTINE_AFTER
from postroom.store.batches.rows import Entry

log = structlog.get_logger()

SUSPECTED = QUARANTINE_AFTER - 1


class Connection(Carrier, Protocol):
    async def close(self) -> None: ...


class Lane:
    """`connect` makes a worker's courier for the site; `done` hears of each entry that left the lane.

    Workers come with the work, up to `most`, and go when they were idle for `idle` seconds. `slots` bounds the
    deliveries under way on the whole node; an idle connection holds no slot. Entries that may have ended the process
    twice have one slot for them all, `alone`: if one of them does it again, it is known which (Q15).
    """

    def __init__(
        self,
        delivery: Delivery,
        connect: Callable[[], Connection],
        *,
        most: int,
        idle: float,
        slots: asyncio.Semaphore,
        alone: asyncio.Semaphore,
        done: Callable[[Entry], None],
    ) -> None:
        self.queue = FairQueue()
        self.connect = connect
        self.most = most
        self._delivery = delivery
        self._idle = idle
        self._slots = slots
        self._alone = alone
        self._done = done
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._workers: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def workers(self) -> int:
        """Each has at most one connection."""
        return len(self._workers)

    @property
    def unused(self) -> bool:
        return not self._workers and not self.queue

    def push(self, entry: Entry) -> None:
        self.queue.push(entry)
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                return
        if len(self._workers) < self.most and not self._stopping:
            worker = asyncio.create_task(self._work(), name="delivery worker")
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)

    async def stop(self, seconds: float) -> None:
        """Finish the deliveries under way, for at most so many `seconds`; what waits stays in the queue."""
        self._stopping = True
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        if self._workers:
            _, late = await asyncio.wait(self._workers, timeout=seconds)
            for worker in late:
                worker.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _work(self) -> None:
        courier = self.connect()
        try:
            while not self._stopping:
                entry = self.queue.pop()
                if entry is not None:
                    await self._deliver(entry, courier)
                elif not await self._wait():
                    return
        finally:
            await courier.close()

    async def _wait(self) -> bool:
        """Wait for work; False when none came in time."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            async with asyncio.timeout(self._idle):
                await future
        except TimeoutError:
            return bool(self.queue)
        return True

    async def _deliver(self, entry: Entry, courier: Connection) -> None:
        try:
            async with self._alone if entry.suspect and entry.unfinished >= SUSPECTED else self._slots:
                await self._delivery.run(entry, courier)
        except Exception:
            # A bug of ours must not stop the lane, nor be repeated at once: it counts as an attempt.
            log.exception("delivery failed inside", message_id=entry.message_id, email_id=entry.email_id)
            self._delivery.settle(entry, deferred(FAILED_INSIDE))
        finally:
            self._done(entry)
