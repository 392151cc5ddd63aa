"""The stage's face: a stored message in, signed bytes out; the same bytes for every recipient and retry."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from postroom.compose.compose import OpenBlob, Render, Stored, Uncomposed, compose
from postroom.compose.keys import Keys
from postroom.compose.lru import Lru
from postroom.compose.personal import personalise
from postroom.compose.signer import Signer
from postroom.errors import PostroomError
from postroom.runtime.clock import Clock
from postroom.types.composed import Composed
from postroom.types.reply import Reply
from postroom.wire.dkim import SigningKey
from postroom.wire.template import TemplateCache

log = structlog.get_logger()

CACHE_OCTETS = 32 * 1024 * 1024
DAY = 86400
LEAST_VALID = 7 * DAY  # K03: long enough for any queue behind us, too short for a replay to pay
BEYOND_QUEUE = 2 * DAY

Key = tuple[str, str]
Result = Composed | Uncomposed


class Composer:
    """`lifetime` is how long a message is tried, in seconds: its signature must outlive that."""

    def __init__(
        self,
        keys: Keys,
        open_blob: OpenBlob,
        clock: Clock,
        *,
        lifetime: float,
        cache_octets: int = CACHE_OCTETS,
    ) -> None:
        self._keys = keys
        self._open_blob = open_blob
        self._clock = clock
        self._valid = max(LEAST_VALID, int(lifetime) + BEYOND_QUEUE)
        self._signer: Signer[Result] = Signer()
        self._composed: Lru[Key, Composed] = Lru(cache_octets, _weigh)
        self._running: dict[Key, asyncio.Future[Result]] = {}
        self._templates = TemplateCache()

    async def compose(self, stored: Stored) -> Result:
        """The bytes to send, or why there are none yet. Calls for one message that come together share one signature.

        Not for personalised content: each recipient has its own.
        """
        name = stored.account_id, stored.id
        composed = self._composed.get(name)
        if composed is not None:
            return composed
        running = self._running.get(name)
        if running is None:
            key = await self._key(stored)
            if isinstance(key, Uncomposed):
                return key
            running = self._running.get(name) or self._start(name, stored, key)
        return await asyncio.shield(running)

    async def compose_for(self, stored: Stored, personalization: bytes) -> Result:
        """What one recipient of personalised content gets (`personal.personalise`). Nobody shares it: it is not kept."""
        key = await self._key(stored)
        if isinstance(key, Uncomposed):
            return key
        render = partial(personalise, personalization=personalization, templates=self._templates)
        return await self._submit(stored, key, render)

    def invalidate(self, domain: str | None = None) -> None:
        """The key of a domain, or any key, has changed: forget it and everything that was signed."""
        self._keys.invalidate(domain)
        self._composed.clear()
        self._running.clear()

    async def close(self) -> None:
        await self._signer.close()

    async def _key(self, stored: Stored) -> SigningKey | Uncomposed:
        """Never without a signature: what cannot be signed waits, and the operator hears of it."""
        domain = stored.signing_domain
        try:
            key = await self._keys.get(domain)
        except (PostroomError, ValueError) as error:
            return _unsigned(stored, f"the signing key of {domain} cannot be used", str(error))
        return key if key is not None else _unsigned(stored, f"no signing key for {domain}")

    def _start(self, name: Key, stored: Stored, key: SigningKey) -> asyncio.Future[Result]:
        running = self._running[name] = self._submit(stored, key)
        running.add_done_callback(partial(self._finished, name))
        return running

    def _submit(
        self, stored: Stored, key: SigningKey, render: Render | None = None
    ) -> asyncio.Future[Result]:
        at = self._clock.now_ms() // 1000
        expires = at + self._valid
        work = partial(compose, stored, key, self._open_blob, at=at, expires=expires, render=render)
        return self._signer.submit(work, stored.content.size)

    def _finished(self, name: Key, running: asyncio.Future[Result]) -> None:
        if self._running.get(name) is not running:
            return  # a key has changed meanwhile: good for who waits for it, not to be kept
        del self._running[name]
        if not running.cancelled() and running.exception() is None:
            result = running.result()
            if isinstance(result, Composed):
                self._composed.put(name, result)


def _unsigned(stored: Stored, text: str, reason: str = "") -> Uncomposed:
    """X.3.5: system incorrectly configured (RFC 3463). The customer is told what, the operator also why."""
    log.error(text, message_id=stored.id, reason=reason)
    return Uncomposed(Reply.of(451, "4.3.5", text))


def _weigh(composed: Composed) -> int:
    return len(composed.head) + len(composed.body) + 512
