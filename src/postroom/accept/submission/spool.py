"""Content as it arrives: in memory while it is small, in the blob store from `spool_above` on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from postroom.runtime.blobs import Blobs, BlobWriter
from postroom.types.draft import Content
from postroom.wire.smtp.events import EndOfData

BEHIND = 512 * 1024  # octets that wait for the disk before reading stops


class Spool:
    """`behind` is called when the disk does not keep up, `caught_up` when it does again.

    A fault of the disk is remembered and raised by `store`; until then the content is thrown away.
    """

    def __init__(
        self, above: int, blobs: Blobs, behind: Callable[[], None], caught_up: Callable[[], None]
    ) -> None:
        self._above = above
        self._blobs = blobs
        self._behind = behind
        self._caught_up = caught_up
        self._head: list[bytes] = []
        self._size = 0
        self._waiting: list[bytes] = []
        self._waiting_size = 0
        self._writer: BlobWriter | None = None
        self._writing: asyncio.Task[None] | None = None
        self._fault: Exception | None = None

    @property
    def large(self) -> bool:
        return self._writer is not None

    @property
    def head(self) -> bytes:
        """All of small content, else what came before the limit was passed; at least the whole header."""
        return b"".join(self._head)

    def add(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._writer is None:
            self._head.append(chunk)
            if self._size > self._above:
                self._writer = self._blobs.writer()
                self._queue(self.head)
        else:
            self._queue(chunk)

    def content(self, end: EndOfData) -> Content:
        """What came, when it is small."""
        return Content(self.head, end.size, end.header_size, eight_bit=end.eight_bit)

    async def store(self, end: EndOfData) -> Content:
        """What came, when it is large; on stable storage. Raises what the disk raised; then call `abort`."""
        assert self._writer is not None
        if self._writing is not None:
            await self._writing
        if self._fault is not None:
            raise self._fault
        key = await self._writer.commit()
        return Content(self.head, end.size, end.header_size, blob=key, eight_bit=end.eight_bit)

    async def abort(self) -> None:
        """Leave nothing behind."""
        if self._writing is not None:
            await self._writing
        if self._writer is not None:
            await self._writer.abort()

    def _queue(self, chunk: bytes) -> None:
        if self._fault is not None:
            return
        self._waiting.append(chunk)
        self._waiting_size += len(chunk)
        if self._waiting_size > BEHIND:
            self._behind()
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        assert self._writer is not None
        try:
            while self._waiting:
                data = b"".join(self._waiting)
                self._waiting.clear()
                self._waiting_size = 0
                await self._writer.write(data)
                if self._waiting_size <= BEHIND:
                    self._caught_up()
        except Exception as fault:  # whatever it is, content with a hole must not be stored
            self._fault = fault
        finally:
            self._writing = None
            self._caught_up()
