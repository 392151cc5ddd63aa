"""The header fields of a message from its parts, in the order in which people read them.

The parts are safe by now (`check.ensure_safe`): nothing here looks for control characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from postroom.types.parts import Mailbox, Parts
from postroom.wire.mime.build.encoded_words import encode_words
from postroom.wire.mime.build.fold import LONGEST_TOKEN, fold, fold_text
from postroom.wire.mime.date import format_date

LONGEST_NAME_WORD = 60
"""Octets: with it behind "Reply-To:" a line is full."""

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]++)*+")


def message_fields(parts: Parts) -> Iterator[str]:
    """Every field but those of MIME, CRLF included. Only local parts of addresses hold anything beyond ASCII."""
    yield addresses("From", [parts.from_])
    if parts.to:
        yield addresses("To", parts.to)
    if parts.cc:
        yield addresses("Cc", parts.cc)
    if not parts.to and not parts.cc:
        yield "To: undisclosed-recipients:;\r\n"
    if parts.reply_to:
        yield addresses("Reply-To", parts.reply_to)
    yield fold_text("Subject", parts.subject)
    yield f"Date: {format_date(parts.date)}\r\n"
    yield f"Message-ID: {parts.message_id}\r\n"
    if parts.in_reply_to:
        yield f"In-Reply-To: {parts.in_reply_to}\r\n"
    if parts.references:
        yield fold("References", [f" {reference}" for reference in parts.references])
    if parts.list_unsubscribe:
        yield from _unsubscribe(parts.list_unsubscribe)
    if parts.precedence_bulk:
        yield "Precedence: bulk\r\n"
    for name, value in parts.headers:
        yield fold_text(name, value, LONGEST_TOKEN)


def international(parts: Parts) -> bool:
    """Whether the header holds a local part beyond ASCII, so that the message needs SMTPUTF8 (RFC 6531)."""
    mailboxes = (parts.from_, *parts.to, *parts.cc, *parts.reply_to)
    return not all(mailbox.address.local.isascii() for mailbox in mailboxes)


def addresses(name: str, mailboxes: Sequence[Mailbox]) -> str:
    """A field of mailboxes (RFC 5322 section 3.4); it may be folded before a name, within it and before an address."""
    pieces: list[str] = []
    for mailbox in mailboxes:
        words = _phrase(mailbox.name.strip(" "))
        pieces += [f" {word}" for word in words]
        pieces.append(f" <{mailbox.address}>," if words else f" {mailbox.address},")
    pieces[-1] = pieces[-1][:-1]
    return fold(name, pieces)


def _phrase(name: str) -> list[str]:
    """A display name as atoms, as a quoted string, or as encoded-words."""
    if not name:
        return []
    if not name.isascii() or "=?" in name or len(name) > LONGEST_NAME_WORD:
        return encode_words(name, LONGEST_NAME_WORD)
    if _ATOMS.fullmatch(name):
        return [name]
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return [f'"{quoted}"']


def _unsubscribe(uris: Sequence[str]) -> Iterator[str]:
    """RFC 2369; one click needs HTTPS (RFC 8058 section 3.1)."""
    pieces = [f" <{uri}>," for uri in uris]
    pieces[-1] = pieces[-1][:-1]
    yield fold("List-Unsubscribe", pieces)
    if any(uri.lower().startswith("https:") for uri in uris):
        yield "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
