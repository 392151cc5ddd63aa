"""Our trace field (RFC 5321 section 4.4)."""

from __future__ import annotations

from postroom.wire.mime.date import format_date


def received(hostname: str, protocol: str, message_id: str, at: int) -> bytes:
    """The Received field, CRLF included. It does not say who the client was: that is nobody's business.

    `protocol` is a word of the "Mail Transmission Types" registry (RFC 3848, RFC 6531), `at` is in milliseconds.
    """
    return f"Received: by {hostname} (Postroom) with {protocol} id {message_id};\r\n\t{format_date(at)}\r\n".encode()
