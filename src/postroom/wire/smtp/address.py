"""Paths as SMTP writes them, in angle brackets (RFC 5321 section 4.1.2)."""

from __future__ import annotations

from postroom.types.addresses import AddressError, parse_mailbox, quoted_end
from postroom.types.envelope import Address


def parse_path(text: str, *, literal: bool = False) -> tuple[Address | None, str]:
    """Read `<local@domain>` or `<>` at the start of `text`; return the mailbox (None for `<>`) and what follows.

    `literal` allows an address literal (`[192.0.2.1]`) as the domain. Raises AddressError.
    """
    if not text.startswith("<"):
        raise AddressError("it must be in angle brackets")
    end = text.find(">", quoted_end(text, 1) if text.startswith('"', 1) else 1)
    if end < 0:
        raise AddressError('the closing ">" is missing')
    if end == 1:
        return None, text[2:]
    return parse_mailbox(text[1:end], literal=literal), text[end + 1 :]
