"""How late the event loop is: no callback may hold it for more than 20 ms, and this tells when one did."""

from __future__ import annotations

import asyncio

import structlog

from postroom.runtime.clock import Clock
from postroom.runtime.metrics import LOOP_LAG_SECONDS, TASKS

log = structlog.get_logger()

INTERVAL = 0.1
WARN_ABOVE = 0.5
WARN_EVERY = 60.0


class LoopLag:
    """Sleeps a tenth of a second and measures the rest. `worst` is the longest lag in seconds since the start."""

    def __init__(self, clock: Clock) -> None:
        self.worst = 0.0
        self._clock = clock
        self._warned_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        TASKS.set_function(lambda: len(asyncio.all_tasks(loop)))
        self._task = asyncio.create_task(self._watch(), name="loop-lag")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            asleep_at = self._clock.monotonic()
            await self._clock.sleep(INTERVAL)
            self._observe(max(0.0, self._clock.monotonic() - asleep_at - INTERVAL))

    def _observe(self, lag: float) -> None:
        LOOP_LAG_SECONDS.observe(lag)
        self.worst = max(self.worst, lag)
        now = self._clock.monotonic()
        if lag > WARN_ABOVE and now - self._warned_at > WARN_EVERY:
            self._warned_at = now
            log.warning("the event loop was held up", seconds=round(lag, 3))
