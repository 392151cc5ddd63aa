"""A message as its typed parts, the way the HTTP API takes it; `wire.mime.build` makes bytes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from postroom.types.envelope import Address


class Mailbox(NamedTuple):
    """An address with the name before it, decoded for display ("" if there is none)."""

    name: str
    address: Address


class Disposition(StrEnum):
    """RFC 2183: shown where the HTML refers to it, or offered as a file."""

    INLINE = "inline"
    ATTACHMENT = "attachment"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file. `content_type` is "type/subtype" without parameters, `content_id` what `cid:` in the HTML names or ""."""

    filename: str
    content_type: str
    disposition: Disposition
    content_id: str
    data: bytes = field(repr=False)


@dataclass(slots=True)  # made twice for each request: frozen, that takes five times as long
class Parts:
    """Everything a message is made of. There is no Bcc: who is not in `to` and `cc` is in the envelope only.

    `message_id`, `in_reply_to` and `references` have their angle brackets; `in_reply_to` is "" for none. `date` is in
    milliseconds since 1970. `seed`, 8 to 48 letters and digits, makes the boundaries: the same parts give the same
    bytes. `headers` are custom (name, value) pairs in their order, `list_unsubscribe` are URIs, the first preferred.
    Where the message is personalised `subject`, `text` and `html` are template sources.
    """

    from_: Mailbox
    to: tuple[Mailbox, ...]
    subject: str
    message_id: str
    date: int
    seed: str
    text: str | None = None
    html: str | None = None
    cc: tuple[Mailbox, ...] = ()
    reply_to: tuple[Mailbox, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    list_unsubscribe: tuple[str, ...] = ()
    precedence_bulk: bool = False


@dataclass(frozen=True, slots=True)
class Personalization:
    """What the templates are rendered with for one recipient: JSON values. `simple` are variables of the legacy syntax."""

    data: Mapping[str, object] = field(default_factory=dict)
    simple: Mapping[str, object] = field(default_factory=dict)

    def encode(self) -> bytes:
        """As it is stored."""
        return json.dumps([self.data, self.simple], ensure_ascii=False, separators=(",", ":")).encode("utf-8")

    @classmethod
    def decode(cls, stored: bytes) -> Personalization:
        """From what `encode` wrote; nothing stands for no variables at all."""
        return cls(*json.loads(stored)) if stored else cls()
