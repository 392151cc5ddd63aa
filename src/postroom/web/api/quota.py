"""The daily quota of requests: counted in memory, written every few seconds, so a crash forgets no more than those.

A day runs from 00:00 to 00:00 UTC. Several nodes learn of each other's counts when they write theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from postroom.runtime.clock import Clock
from postroom.store import request_days
from postroom.store.database import Database
from postroom.tenancy.quotas import day_number


@lru_cache(maxsize=2)
def quota_reset(at_ms: int) -> str:
    """The moment as quotas write it: `2026-01-31T00:00:00Z`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class _Count:
    """`written` is the day's sum in the database as last seen, of all nodes, or None; `unwritten` is ours since then."""

    written: int | None = None
    unwritten: int = 0

    @property
    def used(self) -> int | None:
        return None if self.written is None else self.written + self.unwritten


class RequestQuota:
    """`count` and `used` answer from memory once `load` has read the account's day; call `flush` every few seconds."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._day = 0
        self._counts: dict[str, _Count] = {}
        self._late: tuple[int, dict[str, int]] = (0, {})

    def count(self, account_id: str, number: int = 1) -> int | None:
        """Count so many; returns the day's sum with them, or None when it is known only after `load`."""
        count = self._today().setdefault(account_id, _Count())
        count.unwritten += number
        return count.used

    def used(self, account_id: str) -> int | None:
        """The day's sum, or None when it is known only after `load`."""
        return self._today().get(account_id, _Count()).used

    async def load(self, account_id: str) -> int:
        """The day's sum. Raises StorageUnavailableError."""
        day = day_number(self._clock.now_ms())
        async with self._database.read() as connection:
            written = await request_days.used(connection, account_id, day)
        count = self._today().setdefault(account_id, _Count())
        if count.written is None:
            count.written = written
        return count.written + count.unwritten

    async def flush(self) -> None:
        """Write down what was counted; once more before the end. What cannot be written now is written next time."""
        self._today()
        await self._write(*self._late)
        self._late = (0, {})
        day, counts = self._day, self._counts
        written = await self._write(day, {key: count.unwritten for key, count in counts.items()})
        for account_id, (sent, total) in written.items():
            counts[account_id].unwritten -= sent
            counts[account_id].written = total

    async def _write(self, day: int, counted: dict[str, int]) -> dict[str, tuple[int, int]]:
        """Account -> what was written and the sum it made."""
        counted = {account_id: number for account_id, number in counted.items() if number}
        if not counted:
            return {}
        async with self._database.write() as connection:
            sums = await request_days.add(connection, day, counted)
        return {account_id: (counted[account_id], total) for account_id, total in sums.items()}

    def _today(self) -> dict[str, _Count]:
        day = day_number(self._clock.now_ms())
        if day != self._day:
            unwritten = {account_id: count.unwritten for account_id, count in self._counts.items()}
            self._late = (self._day, unwritten)
            self._day, self._counts = day, {}
        return self._counts
