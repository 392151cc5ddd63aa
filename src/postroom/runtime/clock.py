"""Time, in one place, so that tests can drive it (Q07). Nothing outside `runtime` asks the system for the time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from datetime import UTC, datetime

_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)


class Clock:
    """The system's clocks. Use the wall clock for what people see, never to measure how long something took."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 (UTC). May jump either way."""
        return time.time_ns() // 1_000_000

    def now(self) -> datetime:
        """The same moment, to the millisecond, in UTC."""
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    def monotonic(self) -> float:
        """Seconds since some moment; never jumps, and may stand still while the machine is suspended."""
        return time.monotonic()

    def boottime(self) -> float:
        """Seconds since some moment; runs on while the machine is suspended. Leases are measured with it."""
        return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class FakeClock(Clock):
    """A clock that stands still until a test moves it."""

    def __init__(self, now_ms: int = 1_767_225_600_000) -> None:
        self._wall_ms = float(now_ms)
        self._monotonic = 1000.0
        self._boottime = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now_ms(self) -> int:
        return int(self._wall_ms)

    def monotonic(self) -> float:
        return self._monotonic

    def boottime(self) -> float:
        return self._boottime

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._order), future))
        await future

    def advance(self, seconds: float) -> None:
        """Let time pass at once: sleepers that are due wake when the event loop runs next."""
        self._wall_ms += seconds * 1000
        self._monotonic += seconds
        self._boottime += seconds
        while self._sleepers and self._sleepers[0][0] <= self._monotonic + 1e-9:
            _, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)

    async def run(self, seconds: float) -> None:
        """Let time pass from one sleeper's end to the next, and each of them act at its moment."""
        end = self._monotonic + seconds
        await self._settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.advance(max(0.0, self._sleepers[0][0] - self._monotonic))
            await self._settle()
        self.advance(max(0.0, end - self._monotonic))
        await self._settle()

    def jump(self, seconds: float) -> None:
        """Somebody sets the wall clock; nothing else moves."""
        self._wall_ms += seconds * 1000

    def suspend(self, seconds: float) -> None:
        """The machine stands still: the wall clock and the boot clock run on, the monotonic one does not."""
        self._wall_ms += seconds * 1000
        self._boottime += seconds

    @staticmethod
    async def _settle() -> None:
        for _ in range(20):
            await asyncio.sleep(0)
