"""Time, in one place, so that tests can drive it (Q07). Nothing outside `runtime` asks the system for the time.

POSTROOM_TEST_CLOCK=file    fault tests: the wall clock is wrong by the seconds that stand in this file
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import os
import time
from datetime import UTC, datetime
from pathlib import Path

SWITCH = "POSTROOM_TEST_CLOCK"
STEP_MS = 1000
"""A smaller difference between two clocks is no step: it is drift, or the time it took to look."""

_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)


class Clock:
    """The system's clocks. Use the wall clock for what people see and what goes over the wire, never to measure how
    long something took. What is stored to happen later is on the steady scale (`moment`)."""

    def __init__(self) -> None:
        self._origin = self.now_ms() - self.boottime() * 1000

    def now_ms(self) -> int:
        """Milliseconds since 1970 (UTC). May jump either way."""
        now = time.time_ns() // 1_000_000
        return now if _wrong_by is None else now + _read(_wrong_by)

    def now(self) -> datetime:
        """The same moment, to the millisecond, in UTC."""
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)

    def monotonic(self) -> float:
        """Seconds since some moment; never jumps, and may stand still while the machine is suspended."""
        return time.monotonic()

    def boottime(self) -> float:
        """Seconds since some moment; runs on while the machine is suspended. Leases are measured with it."""
        return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)

    def steady_ms(self) -> int:
        """Milliseconds on a scale that runs evenly, whatever is done to the wall clock. It begins there, or where
        `store.timescale` says: that keeps it across restarts, and the same on all nodes."""
        return int(self._origin + self.boottime() * 1000)

    def set_steady(self, milliseconds: int) -> None:
        """The steady scale is here now."""
        self._origin = milliseconds - self.boottime() * 1000

    def moment(self) -> tuple[int, int]:
        """`now_ms`, and by how much the steady scale is ahead of it: 0 unless somebody has set the wall clock. What
        has to happen after a wait is stored as the sum of the two and the wait."""
        now = self.now_ms()
        ahead = self.steady_ms() - now
        return now, ahead if abs(ahead) >= STEP_MS else 0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _read(path: Path) -> int:
    """In milliseconds; a test writes the file anew while we look."""
    return round(float(path.read_text() or "0") * 1000)


_wrong_by = Path(os.environ[SWITCH]) if SWITCH in os.environ else None


class FakeClock(Clock):
    """A clock that stands still until a test moves it."""

    def __init__(self, now_ms: int = 1_767_225_600_000) -> None:
        self._wall_ms = float(now_ms)
        self._monotonic = 1000.0
        self._boottime = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        super().__init__()

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
