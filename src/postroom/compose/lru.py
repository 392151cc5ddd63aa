"""A cache that forgets what was not used for longest, bounded by the weight of what it holds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lru(Generic[K, V]):
    """`weigh` says what a value counts towards `limit`. Something heavier than the limit is not kept at all."""

    def __init__(self, limit: int, weigh: Callable[[V], int] = lambda _: 1) -> None:
        self._limit = limit
        self._weigh = weigh
        self._held = 0
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        self.discard(key)
        self._values[key] = value
        self._held += self._weigh(value)
        while self._held > self._limit:
            _, oldest = self._values.popitem(last=False)
            self._held -= self._weigh(oldest)

    def discard(self, key: K) -> None:
        value = self._values.pop(key, None)
        if value is not None:
            self._held -= self._weigh(value)

    def clear(self) -> None:
        self._values.clear()
        self._held = 0
