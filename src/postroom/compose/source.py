"""A stored message in one piece, for people who want to read it."""

from __future__ import annotations

from postroom.compose.compose import OpenBlob, Stored, Uncomposed
from postroom.compose.personal import personalise
from postroom.wire.template import TemplateCache


def read_source(stored: Stored, personalization: bytes, open_blob: OpenBlob) -> bytes | Uncomposed:
    """What was accepted, for one recipient: before our fields and our signature.

    `personalization` as in `personal.personalise`. Raises what `open_blob` raises.
    """
    content = stored.content
    if not content.personalised:
        return content.data if content.blob is None else _read(content.blob, open_blob)
    message = personalise(content, personalization, TemplateCache())
    if isinstance(message, Uncomposed):
        return message
    tail = b"" if message.blob is None else _read(message.blob, open_blob)
    return b"".join((message.header, b"\r\n", message.body, tail))


def _read(blob: str, open_blob: OpenBlob) -> bytes:
    with open_blob(blob, 0) as file:
        return file.read()
