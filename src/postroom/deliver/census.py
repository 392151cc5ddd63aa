"""Counts what waits for whom, for the metrics: the sites with the longest queues by name, the rest together.

Only the table knows: what is deferred is in nobody's memory. It is read in slices, as no reader may stay long, and the
longer that takes the less often it is done: at most a hundredth of the time is spent on it.
"""

from __future__ import annotations

from collections import Counter

from postroom.runtime import metrics
from postroom.runtime.clock import Clock
from postroom.store import queue
from postroom.store.database import Database

EVERY = 15.0
"""Seconds between two counts, at least."""
SHARE = 100
"""A count is followed by a pause this many times as long."""
SLICE = 10_000
NAMED = 20
OTHER = "other"
MOST_SITES = 10_000
"""Sites counted one by one; beyond that the smallest are counted together, so that memory has a bound."""


class Census:
    """Give `run` a turn every `EVERY` seconds."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._not_before = 0.0

    async def run(self) -> None:
        began = self._clock.monotonic()
        if began < self._not_before:
            return
        sites, total = await self._count()
        _show(sites, total)
        ended = self._clock.monotonic()
        self._not_before = ended + SHARE * (ended - began)

    async def _count(self) -> tuple[Counter[str], int]:
        """Rows per site as far as they are counted one by one, and all rows."""
        counted: Counter[str] = Counter()
        total, account, after = 0, "", ""
        while True:
            async with self._database.read() as connection:
                slice_, after = await queue.sites(connection, account, after, SLICE)
                if sum(slice_.values()) < SLICE:
                    following = await queue.account_after(connection, account)
                    account, after = following or "", ""
            counted.update(slice_)
            total += sum(slice_.values())
            if len(counted) > MOST_SITES:
                counted = Counter(dict(counted.most_common(MOST_SITES // 2)))
            if not account:
                return counted, total


def _show(sites: Counter[str], total: int) -> None:
    named = sites.most_common(NAMED)
    metrics.QUEUE_SITES.clear()
    for site, count in named:
        metrics.QUEUE_SITES.labels(site).set(count)
    metrics.QUEUE_SITES.labels(OTHER).set(total - sum(count for _, count in named))
