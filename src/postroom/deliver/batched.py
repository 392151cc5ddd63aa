"""Look-ups that come together share one query."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Batched(Generic[K, V]):
    """`query` answers for up to `most` keys at once; what it raises, all who wait for it get."""

    def __init__(self, query: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]], *, most: int) -> None:
        self._query = query
        self._most = most
        self._wanted: dict[K, asyncio.Future[V | None]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def get(self, key: K) -> V | None:
        """None when there is nothing of this key."""
        future = self._wanted.get(key)
        if future is None:
            future = self._wanted[key] = asyncio.get_running_loop().create_future()
            if self._reader is None:
                self._reader = asyncio.create_task(self._read(), name="batched look-ups")
        return await asyncio.shield(future)

    async def _read(self) -> None:
        """A new task runs only after the callers of this turn of the loop, so what they want goes into one query."""
        while self._wanted:
            wanted = {key: self._wanted.pop(key) for key in list(self._wanted)[: self._most]}
            try:
                found = await self._query(list(wanted))
            except Exception as error:  # it belongs to those who wait
                for future in wanted.values():
                    future.set_exception(error)
                    future.exception()  # whoever waited may be gone; then nobody else will look at it
                continue
            for key, future in wanted.items():
                future.set_result(found.get(key))
        self._reader = None
