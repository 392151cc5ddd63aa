"""`BulkWorker`: works off the batches that were accepted, one group after the other."""

from __future__ import annotations

import asyncio
import contextlib
import os

import structlog

from postroom.errors import StorageUnavailableError
from postroom.runtime import metrics
from postroom.runtime.blobs import BlobMissingError
from postroom.runtime.killpoints import reach
from postroom.store import bulk_emails, idempotency_keys
from postroom.store.bulk_emails import BulkEmail
from postroom.web.bulk.body import unpack
from postroom.web.bulk.group import Group, kept_before, keys
from postroom.web.bulk.results import Results
from postroom.web.bulk.tools import Tools

log = structlog.get_logger()

BUSY_MS = 120_000
"""A batch whose worker has died is free again after this. It takes as long to do the largest object many times over."""
AGAIN_MS = 5_000
"""When a group is tried again that could not be stored."""
MISSING_MS = 3_600_000
"""For so long a body is looked for that is not in the blob store: somebody may have forgotten to mount it, or only another
node has it."""
LOST = "The storage has lost this request. Of the emails from message.{first} on only those in messages_id were sent."
LOOK_EVERY = 5.0
"""Seconds; other nodes accept batches, too, and die."""
KEY_KEPT_MS = 24 * 3600 * 1000
"""How long the keys of a group that is done stay: nobody stands still for longer and then goes on with it."""


class BulkWorker:
    """`start`, `wake` whenever a batch was accepted here, `stop`."""

    def __init__(self, tools: Tools) -> None:
        self.tools = tools
        self._database = tools.database
        self._clock = tools.clock
        self._name = os.urandom(16).hex()
        self._after = ""
        self._missing: dict[str, tuple[int, int]] = {}
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Raises StorageUnavailableError."""
        if self._database.sqlite:
            async with self._database.write() as connection:
                await bulk_emails.free_all(connection)
        self._task = asyncio.create_task(self._run(), name="bulk emails")

    def wake(self) -> None:
        self._woken.set()

    async def stop(self, grace: float) -> None:
        """The group under way has so many seconds; if it is cut off it is done anew later, and nothing twice."""
        self._stopping = True
        self.wake()
        if self._task is None:
            return
        _, late = await asyncio.wait({self._task}, timeout=grace)
        for task in late:
            task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def turn(self) -> bool:
        """One group of the next account that has one. False when there is nothing to do now.

        Raises StorageUnavailableError.
        """
        bulk = await self._claim()
        if bulk is None:
            return False
        self._after = bulk.account_id
        reach("bulk.claimed")
        try:
            await self._group(bulk)
            self._missing.pop(bulk.id, None)
        except BlobMissingError as error:
            await self._body_missing(bulk, str(error))
        except StorageUnavailableError as error:
            log.warning("a group of a bulk email waits", bulk_email=bulk.id, reason=str(error))
            await self._postpone(bulk)
        return True

    async def _run(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                busy = await self.turn()
            except StorageUnavailableError as error:
                busy = False
                log.warning("bulk emails wait for the database", reason=str(error))
            except Exception:
                busy = False
                log.exception("a group of a bulk email failed")
            if not busy and not self._stopping:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), LOOK_EVERY)

    async def _claim(self) -> BulkEmail | None:
        now = self._clock.steady_ms()
        async with self._database.read() as connection:
            if not await bulk_emails.waiting(connection, now):
                return None
        async with self._database.write() as connection:
            return await bulk_emails.claim(connection, self._name, self._after, now, now + BUSY_MS)

    async def _group(self, bulk: BulkEmail) -> None:
        async with self._database.read() as connection:
            stored = await bulk_emails.group(connection, bulk)
        if stored is None:
            return  # somebody else has moved it on
        objects = await unpack(stored, bulk.blob, self.tools.blobs)
        results = await Group(self.tools, bulk, stored.first, objects).run()
        reach("bulk.group_kept")
        await self._advance(bulk, keys(bulk, stored.first, len(objects)), results)

    async def _postpone(self, bulk: BulkEmail) -> None:
        async with self._database.write() as connection:
            until = self._clock.steady_ms() + AGAIN_MS
            await bulk_emails.postpone(connection, bulk, self._name, until)

    async def _body_missing(self, bulk: BulkEmail, reason: str) -> None:
        """Look again later; when it was missing for long, and nobody else has moved the batch on, that has failed."""
        now = self._clock.steady_ms()
        done, since = self._missing.get(bulk.id, (bulk.done, now))
        if done != bulk.done:
            since = now
        self._missing[bulk.id] = bulk.done, since
        if now - since < MISSING_MS:
            log.warning(
                "the body of a bulk email is missing; looking again", bulk_email=bulk.id, reason=reason
            )
            await self._postpone(bulk)
            return
        del self._missing[bulk.id]
        await self._fail(bulk, reason)

    async def _fail(self, bulk: BulkEmail, reason: str) -> None:
        """Somebody may have died in the middle of the group at which it stands: what was kept is in its result."""
        async with self._database.read() as connection:
            group = await bulk_emails.group(connection, bulk)
        if group is None:
            return  # somebody else has moved it on
        used = keys(bulk, group.first, bulk.objects - group.first)
        before = await kept_before(self.tools, bulk, used)
        sent = {
            group.first + at: before[key].message_id
            for at, key in enumerate(used)
            if key in before and before[key].message_id
        }
        failure, result = LOST.format(first=group.first), Results(sent).encode()
        now = self._clock.now_ms()
        async with self._database.write() as connection:
            failed = await bulk_emails.fail(connection, bulk, self._name, failure, result, now)
        if failed:
            metrics.BULK_FAILED.inc()
            log.error(
                "a bulk email failed: its body is lost",
                bulk_email=bulk.id,
                account_id=bulk.account_id,
                unsent=len(used) - len(sent),
                reason=reason,
            )

    async def _advance(self, bulk: BulkEmail, used: list[str], results: Results) -> None:
        now, result = self._clock.now_ms(), results.encode()
        counted = {"suppressed": results.suppressed_count, "invalid": len(results.errors)}
        async with self._database.write() as connection:
            moved = await bulk_emails.advance(connection, bulk, self._name, result, now, **counted)
            if moved:
                until = self._clock.steady_ms() + KEY_KEPT_MS
                await idempotency_keys.expire(connection, bulk.account_id, used, until)
            reach("bulk.before_advance")
        reach("bulk.advanced")
        if moved and bulk.blob and bulk.done + 1 == bulk.groups:
            await self.tools.blobs.delete(bulk.blob)
