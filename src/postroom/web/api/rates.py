"""Limits per minute, or another time: a window begins with its first request and lasts so long (H05)."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from math import ceil

SECONDS = 60.0
MOST = 20_000  # windows kept at once


@dataclass(slots=True)
class _Window:
    ends: float
    used: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """`allowed`: whether this one was within the limit; `remaining` after it; `seconds` until the window ends."""

    allowed: bool
    remaining: int
    seconds: int


class Windows:
    """Counts by key. Times are monotonic seconds, so a clock that is set changes nothing."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._windows: dict[Hashable, _Window] = {}

    def take(self, key: Hashable, limit: int, now: float) -> Taken:
        """Count one. What is refused is not counted."""
        window = self._current(key, now)
        allowed = window.used < limit
        if allowed:
            window.used += 1
        return Taken(allowed, max(limit - window.used, 0), max(ceil(window.ends - now), 1))

    def full(self, key: Hashable, limit: int, now: float) -> int:
        """Seconds until there is room again; 0 when there is now."""
        window = self._windows.get(key)
        if window is None or now >= window.ends or window.used < limit:
            return 0
        return max(ceil(window.ends - now), 1)

    def _current(self, key: Hashable, now: float) -> _Window:
        window = self._windows.get(key)
        if window is None or now >= window.ends:
            if len(self._windows) >= MOST:
                self._forget(now)
            window = self._windows[key] = _Window(now + self._seconds)
        return window

    def _forget(self, now: float) -> None:
        """Those that are over; under a flood of keys all of them."""
        self._windows = {key: window for key, window in self._windows.items() if now < window.ends}
        if len(self._windows) >= MOST:
            self._windows.clear()
