"""Suppressed since it was accepted? Asked again before an attempt (X05).

An entry is looked up in the transaction that accepts or claims it, so one that goes on its way within seconds needs
nothing more. One that waited longer in memory is looked up here, together with others, and only if its account
suppresses anybody at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from postroom.deliver.batched import Batched
from postroom.runtime.clock import Clock
from postroom.store import suppressions
from postroom.store.batches.rows import Entry
from postroom.store.database import Database
from postroom.tenancy.entries import AccountState
from postroom.types.suppression import Lists, Suppressed, Suppressing

FRESH = 5.0  # seconds for which a look-up is good
MOST = 200

Key = tuple[str, str]


class SuppressionCheck:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._found: Batched[Key, list[Suppressing]] = Batched(self._read, most=MOST)

    async def lists(self, entry: Entry, account: AccountState | None) -> Lists:
        """The lists for which nothing is sent to this recipient. Raises StorageUnavailableError."""
        now = self._clock.monotonic()
        if entry.suppressed or now - entry.checked_at < FRESH or account is None or not account.suppresses:
            return entry.suppressed
        found = await self._found.get((entry.account_id, entry.recipient))
        suppressed = Suppressed(found or (), self._clock.now_ms())
        entry.checked_at = now
        entry.suppressed = suppressed.lists(entry.account_id, entry.recipient, entry.domain_id, entry.stream)
        return entry.suppressed

    async def _read(self, keys: Sequence[Key]) -> Mapping[Key, list[Suppressing]]:
        async with self._database.read() as connection:
            rows = await suppressions.suppressing(connection, keys)
        exact: dict[Key, list[Suppressing]] = {}
        patterns: dict[str, list[Suppressing]] = {}
        for row in rows:
            if row.pattern:
                patterns.setdefault(row.account_id, []).append(row)
            else:
                exact.setdefault((row.account_id, row.address), []).append(row)
        return {key: [*exact.get(key, ()), *patterns.get(key[0], ())] for key in keys}
