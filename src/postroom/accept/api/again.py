"""A message that is kept, sent once more: as a new message, by the rules of today.

The bytes stay as they are but for what made the old message that one: its Message-ID (programs hide a second copy of
the same), its date, and a signature over either.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from postroom.types.draft import ApiDetails, Stream
from postroom.types.envelope import Address
from postroom.wire.mime.header import Header, read_header

OLD = (b"Message-ID", b"Date", b"DKIM-Signature")


@dataclass(frozen=True, slots=True)
class Again:
    """`source` is the message as one recipient got it, before our fields and signature; `sender` the envelope's, None is
    the null reverse-path."""

    source: bytes = field(repr=False)
    sender: Address | None
    recipient: Address
    stream: Stream
    tags: tuple[str, ...]
    details: ApiDetails | None


def renewed(source: bytes) -> tuple[bytes, int]:
    """The message without what is old, and the size of its header block. A header that cannot be read stays as it is:
    the rules refuse it."""
    end = source.find(b"\r\n\r\n")
    size = len(source) if end < 0 else end + len(b"\r\n")
    block = source[:size]
    header = read_header(block)
    if isinstance(header, Header):
        block = bytes(header.without(*OLD))
    return block + source[size:], len(block)
