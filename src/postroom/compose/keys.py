"""The keys that sign: loaded when first needed, each parsed once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from postroom.compose.lru import Lru
from postroom.wire.dkim import SigningKey
from postroom.wire.dkim_keys import load_private_key

MOST = 10_000


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """The active key of a domain: the selector it is published under and the private key, PEM or DER, decrypted."""

    selector: str
    private: bytes = field(repr=False)


Load = Callable[[str], Awaitable[KeyMaterial | None]]
"""The active key of a domain of this name, or None if it has none."""


class Keys:
    """`get` and `invalidate`. That a domain has no key is not remembered: the next attempt asks again."""

    def __init__(self, load: Load, *, most: int = MOST) -> None:
        self._load = load
        self._parsed: Lru[str, SigningKey] = Lru(most)
        self._generation = 0

    async def get(self, domain: str) -> SigningKey | None:
        """Raises what `load` raises, and ValueError if the key is no key that can sign."""
        key = self._parsed.get(domain)
        if key is not None:
            return key
        generation = self._generation
        material = await self._load(domain)
        if material is None:
            return None
        key = SigningKey(domain, material.selector, load_private_key(material.private, trusted=True))
        if generation == self._generation:  # else it may be the key of before the change
            self._parsed.put(domain, key)
        return key

    def invalidate(self, domain: str | None = None) -> None:
        """Forget the key of a domain, or all: keys were made, switched or taken away."""
        self._generation += 1
        if domain is None:
            self._parsed.clear()
        else:
            self._parsed.discard(domain)
