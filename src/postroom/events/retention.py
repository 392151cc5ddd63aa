"""The job that deletes what has been kept long enough."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.config import Config
from postroom.runtime import ids
from postroom.runtime.blobs import Blobs
from postroom.runtime.clock import Clock
from postroom.runtime.killpoints import reach
from postroom.store import bulk_emails, nodes, partitions, recipients, retention, smtp_user_counts
from postroom.store.database import Database

DAY = 86_400
SLICE_SECONDS = 0.02
"""A slice should hold the writer's turn no longer; the next one is smaller if it did."""
SMALLEST, LARGEST = 10, 500
KEEP_COUNTS = 2 * DAY
"""What SMTP users with a cap had in an hour or a day that is over matters only if somebody sets the clock back."""
PAUSE = 0.01

Step = Callable[[AsyncConnection, int], Awaitable[int]]

log = structlog.get_logger(__name__)


class Retention:
    """`run_once` does everything there is to do now; give it a turn every few minutes. `now` gives the wall clock in
    milliseconds, or None while that cannot be trusted (`store.timescale`)."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        config: Config,
        clock: Clock,
        now: Callable[[], Awaitable[int | None]],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._config = config
        self._clock = clock
        self._now = now
        self._size = 100
        self._swept_at: float | None = None

    async def run_once(self) -> dict[str, int]:
        """How many rows of what went (names for the log)."""
        keep = self._config.retention
        await partitions.ensure(self._database, self._clock.now_ms())
        now = await self._now()
        if now is None:
            return {}
        gone = {
            "strays": await self._sweep(now),
            "inbox": await self._inbox(now),
            "contents": await self._with_blobs(lambda db, size: retention.expire_contents(db, now, size)),
            "events": await self._events(now - _ms(keep.events)),
            "refusals": await self._slices(
                lambda db, size: retention.delete_refusals(db, now - _ms(keep.refusals), size)
            ),
            "suppressions": await self._slices(lambda db, size: retention.delete_suppressions(db, now, size)),
            "idempotency_keys": await self._slices(
                lambda db, size: retention.delete_idempotency_keys(db, self._clock.steady_ms(), size)
            ),
            "smtp_user_counts": await self._slices(
                lambda db, size: smtp_user_counts.delete_old(db, now - _ms(KEEP_COUNTS), size)
            ),
            "recipients": await self._slices(
                lambda db, size: recipients.delete_old(db, now - _ms(keep.emails), size)
            ),
            "bulk_emails": await self._slices(
                lambda db, size: bulk_emails.delete_old(db, ids.earliest(now - _ms(keep.emails)), size)
            ),
            "messages": await self._with_blobs(
                lambda db, size: retention.delete_messages(db, now - _ms(keep.emails), size)
            ),
        }
        async with self._database.write() as connection:
            before = (now - _ms(keep.emails)) // _ms(DAY)
            gone["quota_days"] = await retention.delete_quota_days(connection, before)
            gone["request_days"] = await retention.delete_request_days(connection, before)
            gone["nodes"] = await nodes.forget(connection)
        if any(gone.values()):
            log.info("retention", **{name: count for name, count in gone.items() if count})
        return gone

    async def _sweep(self, now: int) -> int:
        """Once a day: content that lost its expiry, and blobs that lost their row."""
        if self._swept_at is not None and self._clock.monotonic() - self._swept_at < DAY:
            return 0
        self._swept_at = self._clock.monotonic()
        await self._blobs.sweep(DAY, self._named)
        # Message ids begin with the time, so an id says "older than" without the message.
        before = f"{now - _ms(self._config.delivery.lifetime + DAY):012x}"
        return await self._slices(lambda db, size: retention.date_strays(db, before, now, size))

    async def _named(self, keys: list[str]) -> set[str]:
        async with self._database.read() as connection:
            return await retention.blobs_named(connection, keys)

    async def _inbox(self, now: int) -> int:
        before, most = now - _ms(self._config.retention.sandbox), self._config.retention.sandbox_messages
        async with self._database.read() as connection:
            domains = await retention.inbox_domains(connection)
        count = 0
        for domain in domains:

            async def trim(connection: AsyncConnection, size: int, domain: retention.Key = domain) -> int:
                return await retention.trim_inbox(connection, domain, before, most, now, size)

            count += await self._slices(trim)
        return count

    async def _events(self, before: int) -> int:
        if self._database.sqlite:
            return await self._slices(lambda db, size: retention.delete_events(db, before, size))
        return sum(
            [len(await partitions.drop_before(self._database, table, before)) for table in partitions.TABLES]
        )

    async def _with_blobs(
        self, step: Callable[[AsyncConnection, int], Awaitable[tuple[int, list[str]]]]
    ) -> int:
        """Slices whose blobs are deleted after all of them are committed."""
        blobs: list[str] = []

        async def rows(connection: AsyncConnection, size: int) -> int:
            count, keys = await step(connection, size)
            blobs.extend(keys)
            return count

        count = await self._slices(rows)
        for key in blobs:
            reach("retention.before_blobs")
            await self._blobs.delete(key)
            reach("retention.blob_deleted")
        return count

    async def _slices(self, step: Step) -> int:
        """Repeat a step, each time in a transaction of its own, until it finds nothing."""
        total = 0
        while True:
            began = self._clock.monotonic()
            async with self._database.write() as connection:
                count = await step(connection, self._size)
                reach("retention.before_commit")
            self._adapt(self._clock.monotonic() - began)
            if not count:
                return total
            total += count
            await self._clock.sleep(PAUSE)

    def _adapt(self, seconds: float) -> None:
        if seconds > SLICE_SECONDS:
            self._size = max(SMALLEST, self._size // 2)
        elif seconds < SLICE_SECONDS / 2:
            self._size = min(LARGEST, self._size + 10)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
