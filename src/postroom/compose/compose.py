"""The steps from a stored message to what goes over the wire. Everything here runs in a thread of the signer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import zstandard

from postroom.compose.received import received
from postroom.errors import StorageUnavailableError
from postroom.store import messages
from postroom.types.composed import Composed
from postroom.types.draft import Content, Draft
from postroom.types.reply import Reply
from postroom.wire.dkim import SigningKey, body_hash, sign
from postroom.wire.mime.date import format_date
from postroom.wire.mime.header import Header, HeaderProblem, read_header
from postroom.wire.mime.message_id import valid_message_id

PRIVATE = (b"Bcc", b"Resent-Bcc", b"Return-Path", b"X-MailerSend-Tags")
"""Never sent: who else got it, where bounces go, and what was meant for us."""
PRIVATE_PREFIX = b"X-Postroom-"

CHUNK = 64 * 1024

OpenBlob = Callable[[str, int], BinaryIO]
"""Large content by its key from an offset on, for a thread."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as it was accepted, with all that was fixed then.

    `message_id` is for content that has none or an invalid one, `received_at` is in milliseconds, `protocol` as in
    our Received. `sender`, `utf8` (SMTPUTF8 was declared), `dsn_ret` and `dsn_envid` are the envelope's; "" means not
    given, or the null reverse-path. `precedence_bulk`: the field is added unless there is one. Content in the blob
    store is read from there: `content.data` need hold nothing of it.
    """

    id: str
    account_id: str
    domain_id: str
    signing_domain: str
    content: Content
    message_id: str
    received_at: int
    protocol: str
    hostname: str
    sender: str = ""
    utf8: bool = False
    dsn_ret: str = ""
    dsn_envid: str = ""
    precedence_bulk: bool = False

    @classmethod
    def from_draft(cls, draft: Draft, hostname: str) -> Stored:
        """A message that was accepted just now."""
        envelope = draft.envelope
        return cls(
            id=draft.id,
            account_id=draft.account_id,
            domain_id=draft.domain_id,
            signing_domain=draft.signing_domain,
            content=draft.content,
            message_id=draft.message_id,
            received_at=draft.received_at,
            protocol=_protocol(draft.edge, utf8=envelope.utf8),
            hostname=hostname,
            sender=str(envelope.sender or ""),
            utf8=envelope.utf8,
            dsn_ret=envelope.ret or "",
            dsn_envid=envelope.envid or "",
            precedence_bulk=draft.precedence_bulk,
        )

    @classmethod
    def from_row(cls, row: messages.Stored, hostname: str) -> Stored | None:
        """A message out of the database, or None when its content is gone."""
        message = row.message
        if row.data is None and not message.blob:
            return None
        content = Content(
            data=zstandard.ZstdDecompressor().decompress(row.data) if row.data is not None else b"",
            size=message.size,
            header_size=message.header_size,
            blob=message.blob or None,
            eight_bit=message.eight_bit,
        )
        return cls(
            id=message.id,
            account_id=message.account_id,
            domain_id=message.domain_id,
            signing_domain=message.signing_domain,
            content=content,
            message_id=message.message_id,
            received_at=message.received_at,
            protocol=_protocol(message.edge, utf8=message.utf8),
            hostname=hostname,
            sender=message.sender,
            utf8=message.utf8,
            dsn_ret=message.dsn_ret,
            dsn_envid=message.dsn_envid,
            precedence_bulk=message.precedence_bulk,
        )


@dataclass(frozen=True, slots=True)
class Uncomposed:
    """Why there is nothing to send: a 4xx is our own fault and waiting may mend it, a 5xx stays as it is."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Message:
    """A header block and a body; behind what `body` holds come the octets of `blob` from `offset` on, `rest` of them."""

    header: bytes
    body: bytes
    blob: str | None = None
    offset: int = 0
    rest: int = 0
    eight_bit: bool = False


Render = Callable[[Content], Message | Uncomposed]
"""Makes one recipient's message of personalised content."""


def compose(
    stored: Stored,
    key: SigningKey,
    open_blob: OpenBlob,
    *,
    at: int,
    expires: int,
    render: Render | None = None,
) -> Composed | Uncomposed:
    """Run the steps. `at` and `expires` are the signature's times in seconds since 1970."""
    try:
        message = render(stored.content) if render is not None else _as_accepted(stored.content, open_blob)
        if isinstance(message, Uncomposed):
            return message
        header = read_header(message.header)
        if isinstance(header, HeaderProblem):
            reason = f"the stored header cannot be read: line {header.line}: {header.problem}"
            return Uncomposed(Reply.of(451, "4.3.0", reason))
        header = add_own(remove_private(header), stored)
        digest = body_hash(_body(message, open_blob))
    except (StorageUnavailableError, OSError):
        return Uncomposed(Reply.of(451, "4.3.0", "the stored content cannot be read now"))
    head = sign(header.fields, digest, key, at=at, expires=expires) + bytes(header) + b"\r\n"
    return _finish(message, head, utf8=stored.utf8 and not head.isascii())


def remove_private(header: Header) -> Header:
    return header.without(*PRIVATE, prefixes=(PRIVATE_PREFIX,))


def add_own(header: Header, stored: Stored) -> Header:
    """Our Received in front, then Message-ID and Date where they are missing, and Precedence where the domain wants it
    and nothing else was said. An invalid Message-ID is replaced."""
    raws = [received(stored.hostname, stored.protocol, stored.id, stored.received_at)]
    message_id = header.first(b"Message-ID")
    if message_id is None or not valid_message_id(message_id.unfolded):
        header = header.without(b"Message-ID")
        raws.append(f"Message-ID: {stored.message_id}\r\n".encode())
    if header.first(b"Date") is None:
        raws.append(f"Date: {format_date(stored.received_at)}\r\n".encode())
    if stored.precedence_bulk and header.first(b"Precedence") is None:
        raws.append(b"Precedence: bulk\r\n")
    return header.prepended(raws)


def _finish(message: Message, head: bytes, *, utf8: bool) -> Composed:
    large = message.blob is not None
    return Composed(
        head=head + message.body if large else head,
        body=b"" if large else message.body,
        size=len(head) + len(message.body) + message.rest,
        blob=message.blob,
        offset=message.offset,
        eight_bit=message.eight_bit,
        utf8=utf8,
    )


def _as_accepted(content: Content, open_blob: OpenBlob) -> Message:
    """The same for all recipients. A message without a body need not have the empty line before it."""
    offset = min(content.header_size + len(b"\r\n"), content.size)
    if content.blob is None:
        return Message(content.header, content.data[offset:], eight_bit=content.eight_bit)
    with open_blob(content.blob, 0) as file:
        header = file.read(content.header_size)
    return Message(header, b"", content.blob, offset, content.size - offset, content.eight_bit)


def _body(message: Message, open_blob: OpenBlob) -> Iterator[bytes]:
    yield message.body
    if message.blob is not None:
        with open_blob(message.blob, message.offset) as file:
            while chunk := file.read(CHUNK):
                yield chunk


def _protocol(edge: str, *, utf8: bool) -> str:
    """The word for "with" in Received: clients always use TLS and log in (RFC 3848, RFC 6531 section 4.3)."""
    if edge != "smtp":
        return "HTTP"
    return "UTF8SMTPSA" if utf8 else "ESMTPSA"
