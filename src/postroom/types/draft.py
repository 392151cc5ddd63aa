"""A message on its way in: what an edge hands to `accept.admit`, and what the group commit stores."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from postroom.types.envelope import Envelope


class Stream(StrEnum):
    TRANSACTIONAL = "transactional"
    BROADCAST = "broadcast"


@dataclass(frozen=True, slots=True)
class Content:
    """The message as it will be kept: header and body, lines ending in CRLF, no bare CR, LF or NUL.

    Small content is in `data`; large content lies in the blob store under `blob`, and `data` then holds its first
    bytes only: at least the whole header. `size` is the whole in octets, `header_size` that of the header block
    (without the empty line). `eight_bit` tells whether any octet is over 127.
    """

    data: bytes
    size: int
    header_size: int
    blob: str | None = None
    eight_bit: bool = False

    @property
    def header(self) -> bytes:
        return self.data[: self.header_size]


@dataclass(slots=True)
class Draft:
    """One message with its envelope. `id` is the 24-hex message id that the client will be told.

    `header_from` and `subject` are for people (decoded, cut), `signing_domain` is the verified domain that covers
    From, `message_id` goes into the Message-ID field when the content has none. `received_at` is in milliseconds.
    """

    id: str
    account_id: str
    domain_id: str
    credential_id: str
    envelope: Envelope
    content: Content
    signing_domain: str
    header_from: str
    subject: str
    message_id: str
    received_at: int
    stream: Stream = Stream.TRANSACTIONAL
    tags: tuple[str, ...] = field(default=())
    refuse_suppressed: bool = False
