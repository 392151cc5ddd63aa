"""Records what was refused, so that the customer who wonders why nothing arrived finds it.

Never in the way: refusals gather in memory and are written every second, aggregated. While the database is away they wait
there; beyond MOST the rest is only counted.
"""

from __future__ import annotations

import asyncio

import structlog

from postroom.errors import CommitUnknownError, StorageUnavailableError
from postroom.runtime import metrics
from postroom.runtime.clock import Clock
from postroom.store import refusals as rows
from postroom.store.database import Database
from postroom.types.envelope import Envelope
from postroom.types.refusals import Refused

log = structlog.get_logger()

EVERY = 1.0
MOST = 2000  # refusals kept between two writes
LONGEST = 600_000  # milliseconds for which a refusal waits for the database
NAMED = 10  # recipients named in one entry


class RefusalLog:
    """`add` at any time; `start` writes in the background, `stop` writes what is left."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[rows.Refusal] = []
        self._dropped = 0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="refusal log")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        await self._write()

    def add(
        self,
        refused: Refused,
        *,
        client: str,
        account_id: str = "",
        credential: str = "",
        envelope: Envelope | None = None,
        header_from: str = "",
    ) -> None:
        metrics.REFUSED.labels(refused.rule.id).inc()
        if len(self._waiting) >= MOST:
            self._dropped += 1
            return
        recipients = envelope.recipients if envelope is not None else []
        self._waiting.append(
            rows.new(
                refused.rule.id,
                self._clock.now_ms(),
                reply=str(refused.reply()) if refused.rule.code else refused.text,
                account_id=account_id,
                credential=credential,
                client=client,
                sender=str(envelope.sender) if envelope is not None and envelope.sender else "",
                header_from=header_from,
                recipients=", ".join(str(recipient.address) for recipient in recipients[:NAMED]),
            )
        )

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            await self._write()

    async def _write(self) -> None:
        if not self._waiting:
            return
        if self._dropped:
            log.warning("too many refusals to record them all", dropped=self._dropped)
            self._dropped = 0
        waiting, self._waiting = self._waiting, []
        try:
            async with self._database.write() as connection:
                await rows.record(connection, waiting)
        except CommitUnknownError as error:  # once more would count them twice if they are there
            log.warning("refusals may not be recorded", refusals=len(waiting), reason=str(error))
        except StorageUnavailableError as error:
            log.warning("refusals wait for the database", refusals=len(waiting), reason=str(error))
            self._keep(waiting)

    def _keep(self, waiting: list[rows.Refusal]) -> None:
        """For the next write; but nothing that it never takes may wait there for ever."""
        waiting += self._waiting
        since = self._clock.now_ms() - LONGEST
        self._waiting = [refusal for refusal in waiting if refusal.last_at >= since][:MOST]
        self._dropped += len(waiting) - len(self._waiting)
