"""Requests with an idempotency key: they take turns, and who comes again hears what the first one was told (H04)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from postroom.accept.accepted import Accepted
from postroom.runtime.clock import Clock
from postroom.store import idempotency_keys
from postroom.store.batches.rows import Key
from postroom.store.database import Database
from postroom.types import refusals
from postroom.types.draft import Idempotency
from postroom.types.refusals import Refused


class IdempotencyKeys:
    """Keys of all accounts. Between nodes the transaction that stores a message decides (`accept.commit`)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._locks: dict[Key, asyncio.Lock] = {}
        self._waiting: Counter[Key] = Counter()

    @asynccontextmanager
    async def turn(self, account_id: str, idempotency: Idempotency) -> AsyncIterator[None]:
        """Wait until nobody else on this node works on a request with this key."""
        key = account_id, idempotency.key
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._waiting[key] += 1
        try:
            async with lock:
                yield
        finally:
            self._waiting[key] -= 1
            if not self._waiting[key]:
                del self._waiting[key], self._locks[key]

    async def answered(self, account_id: str, idempotency: Idempotency) -> Accepted | Refused | None:
        """What the request was answered before, or None. Refused when the key belongs to another request.

        Raises StorageUnavailableError.
        """
        async with self._database.read() as connection:
            now = self._clock.steady_ms()
            found = await idempotency_keys.get(connection, account_id, idempotency.key, now)
        if found is None:
            return None
        if found.fingerprint != idempotency.fingerprint:
            return Refused(refusals.IDEMPOTENCY_KEY_REUSED)
        return Accepted.decode(found.answer)
