"""A list as a file, written while it is read: it may be longer than there is memory."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse


def file_of(pieces: AsyncIterator[str], name: str, media_type: str) -> StreamingResponse:
    """`name` is ours: nothing in it has to be escaped."""
    disposition = f'attachment; filename="{name}"'
    return StreamingResponse(
        _octets(pieces), media_type=media_type, headers={"content-disposition": disposition}
    )


async def _octets(pieces: AsyncIterator[str]) -> AsyncIterator[bytes]:
    async for piece in pieces:
        yield piece.encode()
