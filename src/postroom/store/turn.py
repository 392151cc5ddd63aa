"""The writer's turn: a lock for which nobody waits longer than he said.

Made of one future for each who waits, in their order, instead of asyncio's lock inside asyncio's timeout: between being
woken and being cancelled there is no moment in which a turn could get lost.
"""

from __future__ import annotations

import asyncio
from collections import deque

from postroom.errors import StorageUnavailableError


class Turn:
    """`await take(seconds)`, then `give_back()`."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self, seconds: float) -> None:
        """Raises StorageUnavailableError when it did not come within that time."""
        if not self._taken:
            self._taken = True
            return
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[None] = loop.create_future()
        self._waiting.append(mine)
        timer = loop.call_later(seconds, _too_late, mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled() and mine.exception() is None:
                self.give_back()  # it had come already
            raise
        finally:
            timer.cancel()

    def give_back(self) -> None:
        """The next one who still waits has it now, before anybody new can come."""
        while self._waiting:
            mine = self._waiting.popleft()
            if not mine.done():
                mine.set_result(None)
                return
        self._taken = False


def _too_late(mine: asyncio.Future[None]) -> None:
    if not mine.done():
        mine.set_exception(StorageUnavailableError("the database is busy"))
