"""Brings stored messages to the composer: freshly accepted ones from memory, the others from the database in batches."""

from __future__ import annotations

import asyncio

import zstandard

from postroom.compose.compose import Stored
from postroom.compose.lru import Lru
from postroom.store import messages
from postroom.store.database import Database

Key = tuple[str, str]
MOST = 100
RECENT_OCTETS = 32 * 1024 * 1024
OVERHEAD = 1024  # octets a message costs besides its content


class Loader:
    """`remember` what was just accepted, `load` what is to be sent. Memory is bounded."""

    def __init__(self, database: Database, *, hostname: str) -> None:
        self._database = database
        self._hostname = hostname
        self._recent: Lru[Key, Stored] = Lru(
            RECENT_OCTETS, lambda stored: len(stored.content.data) + OVERHEAD
        )
        self._wanted: dict[Key, asyncio.Future[Stored | None]] = {}
        self._reader: asyncio.Task[None] | None = None

    def remember(self, stored: Stored) -> None:
        self._recent.put((stored.account_id, stored.id), stored)

    async def load(self, account_id: str, message_id: str) -> Stored | None:
        """The message, or None when its content is gone. Calls that come together share one query.

        Raises StorageUnavailableError.
        """
        key = account_id, message_id
        recent = self._recent.get(key)
        if recent is not None:
            return recent
        future = self._wanted.get(key)
        if future is None:
            future = self._wanted[key] = asyncio.get_running_loop().create_future()
            if self._reader is None:
                self._reader = asyncio.create_task(self._read(), name="load messages")
        return await asyncio.shield(future)

    async def _read(self) -> None:
        """A new task runs only after the callers of this turn of the loop, so what they want goes into one query."""
        while self._wanted:
            wanted = {key: self._wanted.pop(key) for key in list(self._wanted)[:MOST]}
            try:
                async with self._database.read() as connection:
                    found = await messages.load(connection, wanted)
            except Exception as error:  # it belongs to those who wait
                for future in wanted.values():
                    _fail(future, error)
                continue
            for key, future in wanted.items():
                self._answer(future, found.get(key))
        self._reader = None

    def _answer(self, future: asyncio.Future[Stored | None], row: messages.Stored | None) -> None:
        try:
            stored = Stored.from_row(row, self._hostname) if row is not None else None
        except zstandard.ZstdError as error:
            _fail(future, error)  # damaged on disk: this message's trouble, not its neighbours'
            return
        if stored is not None:
            self.remember(stored)
        if not future.done():
            future.set_result(stored)


def _fail(future: asyncio.Future[Stored | None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # whoever waited may be gone; then nobody else will look at it
