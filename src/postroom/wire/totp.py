"""One-time codes by time: TOTP (RFC 6238) over HOTP (RFC 4226), as every authenticator app makes them: SHA-1, six digits,
a new code every 30 seconds. Other settings are in the RFC, and apps ignore them."""

from __future__ import annotations

import hmac
from base64 import b32encode
from urllib.parse import quote, urlencode

STEP = 30
"""Seconds for which a code is the current one."""
DIGITS = 6
SECRET_OCTETS = 20
"""As long as what SHA-1 gives (RFC 4226 section 4, R6)."""
DRIFT = 1
"""Steps by which the clock of a phone may be wrong, either way (RFC 6238 section 5.2)."""


def step_at(now_ms: int) -> int:
    """The number of the step that this moment is in."""
    return now_ms // 1000 // STEP


def code(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """The code of one step (RFC 4226 section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}}"


def matching_step(secret: bytes, given: str, now_ms: int) -> int | None:
    """The step that this code belongs to, if that is the current one or a neighbour; None for a wrong code.

    Whoever accepts it remembers the step, and takes only later ones: a code is good once (RFC 6238 section 5.2).
    """
    if len(given) != DIGITS or not given.isascii() or not given.isdigit():
        return None
    now = step_at(now_ms)
    steps = range(max(now - DRIFT, 0), now + DRIFT + 1)
    found = [step for step in steps if hmac.compare_digest(code(secret, step), given)]
    return found[-1] if found else None


def base32(secret: bytes) -> str:
    """As people type it into an app that cannot scan."""
    return b32encode(secret).decode("ascii").rstrip("=")


def url(secret: bytes, *, issuer: str, name: str) -> str:
    """What the QR code says (the key URI format of Google Authenticator, which the other apps read, too)."""
    label = quote(f"{issuer}:{name}", safe="@:")
    query = urlencode({"secret": base32(secret), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"
