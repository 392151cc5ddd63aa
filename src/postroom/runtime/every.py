"""Named periodic jobs: one run of each at a time, spread by jitter, an error logged and the next run as usual."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from postroom.runtime.clock import Clock
from postroom.runtime.metrics import JOB_FAILURES

log = structlog.get_logger()

JITTER = 0.1
GRACE = 5.0


@dataclass(eq=False, slots=True)
class _Job:
    name: str
    seconds: float
    run: Callable[[], Awaitable[object]]
    at_once: bool
    running: bool = False
    task: asyncio.Task[None] | None = None


class Every:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._jobs: list[_Job] = []
        self._stopping = False

    def add(
        self, name: str, seconds: float, run: Callable[[], Awaitable[object]], *, at_once: bool = False
    ) -> None:
        """Run so many seconds (give or take a tenth) after the start, or `at_once`, and after each end."""
        self._jobs.append(_Job(name, seconds, run, at_once))

    def start(self) -> None:
        for job in self._jobs:
            job.task = asyncio.create_task(self._loop(job), name=f"every:{job.name}")

    async def stop(self, grace: float = GRACE) -> None:
        """No further run; what runs has so many seconds to end before it is cancelled."""
        self._stopping = True
        tasks = [job.task for job in self._jobs if job.task is not None]
        for job in self._jobs:
            if job.task is not None and not job.running:
                job.task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _loop(self, job: _Job) -> None:
        if job.at_once:
            await self._once(job)
        while not self._stopping:
            await self._clock.sleep(job.seconds * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311
            await self._once(job)

    async def _once(self, job: _Job) -> None:
        job.running = True
        try:
            await job.run()
        except Exception:
            JOB_FAILURES.labels(job.name).inc()
            log.exception("a periodic job failed", job=job.name)
        finally:
            job.running = False
