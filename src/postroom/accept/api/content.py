"""What is stored of a request: a whole message, or a document that each recipient's message is rendered from.

Small content is built at once. What is larger than `AT_ONCE` is built in a thread, slice by slice, so that the
event loop never waits for it; what is larger than `above` goes to the blob store on the way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from postroom.accept.api.request import SendRequest
from postroom.runtime.blobs import Blobs, BlobWriter
from postroom.types.draft import Content
from postroom.types.parts import Parts
from postroom.wire.mime.build import Document, chunks, international, tail

AT_ONCE = 64 * 1024
"""Octets of texts and attachments that are built on the event loop."""
SLICE = 256 * 1024
"""Octets that one turn in a thread makes, or a little more."""


async def build(request: SendRequest, parts: Parts, blobs: Blobs, above: int) -> Content:
    """Content of more than `above` octets has its key in the blob store, of a document only the tail counts.

    Raises UnsafePartsError, StorageUnavailableError.
    """
    pieces = _document(parts, request) if request.personalised else chunks(parts)
    eight_bit = international(parts)
    if _octets(parts) <= AT_ONCE:
        first = next(pieces)
        data = first + b"".join(pieces)
        return Content(data, len(data), _header_size(first, request), eight_bit=eight_bit)
    first = await asyncio.to_thread(next, pieces)
    header_size = _header_size(first, request)
    store = _Store(blobs, above)
    try:
        if not request.personalised:
            await store.add(first)
        while piece := await asyncio.to_thread(_slice, pieces):
            await store.add(piece)
        key = await store.commit()
    except BaseException:
        await store.abort()
        raise
    head = first if request.personalised else b""
    if key is None:
        data = await asyncio.to_thread(b"".join, (head, *store.held))
        return Content(data, len(data), header_size, eight_bit=eight_bit)
    return Content(first, len(head) + store.size, header_size, blob=key, eight_bit=eight_bit)


async def keep(message: bytes, header_size: int, blobs: Blobs, above: int) -> Content:
    """A whole message that is there already. Raises StorageUnavailableError."""
    store, eight_bit = _Store(blobs, above), not message.isascii()
    try:
        for at in range(0, len(message), SLICE):
            await store.add(message[at : at + SLICE])
        key = await store.commit()
    except BaseException:
        await store.abort()
        raise
    data = message if key is None else message[:header_size]
    return Content(data, len(message), header_size, blob=key, eight_bit=eight_bit)


def _document(parts: Parts, request: SendRequest) -> Iterator[bytes]:
    yield Document.of(parts, twig=request.twig, simple=request.simple).encode()
    yield from tail(parts)


def _header_size(first: bytes, request: SendRequest) -> int:
    """Of a document its head counts as the header; the first piece has all of either."""
    return len(first) if request.personalised else first.index(b"\r\n\r\n") + 2


def _octets(parts: Parts) -> int:
    """About as many as there are to encode."""
    texts = len(parts.text or "") + len(parts.html or "")
    return texts + sum(len(attachment.data) for attachment in parts.attachments)


def _slice(pieces: Iterator[bytes]) -> bytes:
    """The next pieces, about `SLICE` octets; b"" at the end."""
    taken, size = [], 0
    for piece in pieces:
        taken.append(piece)
        size += len(piece)
        if size >= SLICE:
            break
    return b"".join(taken)


class _Store:
    """Holds what comes until it is too much, then writes it to the blob store."""

    def __init__(self, blobs: Blobs, above: int) -> None:
        self.held: list[bytes] = []
        self.size = 0
        self._blobs = blobs
        self._above = above
        self._writer: BlobWriter | None = None

    async def add(self, piece: bytes) -> None:
        self.size += len(piece)
        if self._writer is None and self.size <= self._above:
            self.held.append(piece)
            return
        if self._writer is None:
            self._writer = self._blobs.writer()
            for held in self.held:
                await self._writer.write(held)
            self.held.clear()
        await self._writer.write(piece)

    async def commit(self) -> str | None:
        """The key, or None when everything is held."""
        return None if self._writer is None else await self._writer.commit()

    async def abort(self) -> None:
        if self._writer is not None:
            await self._writer.abort()
