"""The content of an email, where it is kept: read off the loop, and handed out so that it can do no harm.

What strangers wrote is served from our own origin. So every such answer is a sandbox of its own (Content-Security-Policy):
whoever opens it, nothing in it runs, and nothing is loaded from elsewhere (U02).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from urllib.parse import quote

from fastapi.responses import StreamingResponse

from postroom.compose import Stored, Uncomposed, read_source
from postroom.runtime.blobs import BlobMissingError
from postroom.store import messages, personalizations
from postroom.store.emails import EmailDetails
from postroom.store.messages import Message
from postroom.types import refusals
from postroom.types.refusals import Refused
from postroom.web.api.api import Api
from postroom.web.api.body import off_loop
from postroom.web.api.errors import refused

INERT = "sandbox; default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
SAFE_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-dns-prefetch-control": "off",
    "cross-origin-resource-policy": "same-origin",
}
CHUNK = 64 * 1024
"""Octets written to the connection at once: to encrypt 25 MB takes longer than the loop may be held."""


async def message_of(api: Api, email: EmailDetails) -> Message | None:
    async with api.database.read() as connection:
        return await messages.get(connection, email.account_id, email.message_id)


async def source_of(api: Api, email: EmailDetails) -> bytes:
    """The message as this recipient got it, before our own fields and signature. Raises ApiError: 404, 422."""
    key, own = (email.account_id, email.message_id), (email.account_id, email.id)
    async with api.database.read() as connection:
        row = (await messages.load(connection, [key])).get(key)
        personalization = (await personalizations.load(connection, [own])).get(own, b"")
    try:
        source = None if row is None else await off_loop(_read, api, row, personalization)
    except BlobMissingError:
        source = None  # retention was quicker
    if source is None:
        raise refused(Refused(refusals.CONTENT_NOT_KEPT))
    if isinstance(source, Uncomposed):
        raise refused(Refused(refusals.CONTENT_UNMADE, {"problem": source.reply.text}), "email")
    return source


def _read(api: Api, row: messages.Stored, personalization: bytes) -> bytes | Uncomposed | None:
    stored = Stored.from_row(row, api.hostname)
    return None if stored is None else read_source(stored, personalization, api.blobs.open)


def download(pieces: Iterable[bytes], filename: str, media_type: str) -> StreamingResponse:
    """A file to be saved, never shown. The browser is told a safe name (RFC 6266)."""
    safe = safe_name(filename)
    plain = safe.encode("ascii", "replace").decode().replace("?", "_")
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(safe, safe='')}"
    headers = SAFE_HEADERS | {"content-security-policy": INERT, "content-disposition": disposition}
    return StreamingResponse(_chunks(pieces), headers=headers, media_type=media_type)


def safe_name(filename: str) -> str:
    """Without folders, and nothing that means something to a shell or file system; never empty or hidden."""
    last = filename.replace("\\", "/").rpartition("/")[2]
    kept = "".join(char if char.isalnum() or char in " ._-()+@" else "_" for char in last)
    return kept.strip(" .")[-100:].strip(" .") or "file"


async def _chunks(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    waiting = iter(pieces)
    while (piece := await off_loop(next, waiting, None)) is not None:
        for at in range(0, len(piece), CHUNK):
            yield piece[at : at + CHUNK]
