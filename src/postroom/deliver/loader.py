"""Brings stored messages to the composer: freshly accepted ones from memory, the others from the database in batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from postroom.compose.compose import Stored
from postroom.compose.lru import Lru
from postroom.deliver.batched import Batched
from postroom.store import messages, personalizations
from postroom.store.batches.rows import PersonalizationRow
from postroom.store.database import Database

Key = tuple[str, str]
MOST = 100
RECENT_OCTETS = 32 * 1024 * 1024
RECENT_PERSONAL_OCTETS = 8 * 1024 * 1024
OVERHEAD = 1024  # octets a message costs besides its content


class Loader:
    """`remember` what was just accepted, `load` what is to be sent. Memory is bounded."""

    def __init__(self, database: Database, *, hostname: str) -> None:
        self._database = database
        self._hostname = hostname
        self._recent: Lru[Key, Stored] = Lru(
            RECENT_OCTETS, lambda stored: len(stored.content.data) + OVERHEAD
        )
        self._recent_personal: Lru[Key, bytes] = Lru(
            RECENT_PERSONAL_OCTETS, lambda data: len(data) + OVERHEAD
        )
        self._messages = Batched(self._read_messages, most=MOST)
        self._personalizations = Batched(self._read_personalizations, most=MOST)

    def remember(self, stored: Stored, personal: Iterable[PersonalizationRow] = ()) -> None:
        self._recent.put((stored.account_id, stored.id), stored)
        for row in personal:
            self._recent_personal.put((row.account_id, row.email_id), row.data)

    async def load(self, account_id: str, message_id: str) -> Stored | None:
        """The message, or None when its content is gone. Calls that come together share one query.

        Raises StorageUnavailableError, and ZstdError for content that is damaged on disk.
        """
        key = account_id, message_id
        recent = self._recent.get(key)
        if recent is not None:
            return recent
        row = await self._messages.get(key)
        stored = self._recent.get(key)  # by another call for the same message
        if stored is None and row is not None:
            stored = Stored.from_row(row, self._hostname)
            if stored is not None:
                self.remember(stored)
        return stored

    async def personalization(self, account_id: str, email_id: str) -> bytes:
        """What this recipient's message is rendered with; b"" for who has nothing of the kind.

        Raises StorageUnavailableError.
        """
        key = account_id, email_id
        recent = self._recent_personal.get(key)
        return recent if recent is not None else await self._personalizations.get(key) or b""

    async def _read_messages(self, keys: Sequence[Key]) -> dict[Key, messages.Stored]:
        async with self._database.read() as connection:
            return await messages.load(connection, keys)

    async def _read_personalizations(self, keys: Sequence[Key]) -> dict[Key, bytes]:
        async with self._database.read() as connection:
            return await personalizations.load(connection, keys)
