"""Return-path tokens: which email a bounce message is about, in a form only we can make and read (VERP).

A token is `base32(tag | masked ids)` in lower case, 56 characters: account and email id are packed into 23 octets, the
tag is 96 bits of HMAC-SHA-256 over them, and they are masked with a stream that depends on the tag (the SIV
construction, RFC 5297). So the ids cannot be read from it, two tokens have nothing in common, none can be made or
changed without the key (S34, T02), and the same email always has the same one.

Tokens do not expire by themselves: an email id tells its age, and a bounce of an email that is no longer kept says
nothing.
"""

from __future__ import annotations

import re
from base64 import b32decode, b32encode
from hmac import compare_digest, digest

PREFIX = "b-"
"""What stands before a token in a local part: 58 octets together, of the 64 that are allowed (RFC 5321)."""

_ACCOUNT, _EMAIL, _TAG = 11, 12, 12  # octets; together 35, which base32 fills without padding
_IDS = re.compile(r"[a-z0-9]{16} [0-9a-f]{24}")
_TOKEN = re.compile(r"[A-Za-z2-7]{56}")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def token(key: bytes, account_id: str, email_id: str) -> str:
    """The token of an email. Raises ValueError unless the ids are 16 of [a-z0-9] and 24 of [0-9a-f]."""
    if _IDS.fullmatch(f"{account_id} {email_id}") is None:
        raise ValueError(f"not an account id and an email id: {account_id!r}, {email_id!r}")
    ids = int(account_id, 36).to_bytes(_ACCOUNT) + bytes.fromhex(email_id)
    tag = _tag(key, ids)
    return b32encode(tag + _mask(key, tag, ids)).decode("ascii").lower()


def parse(key: bytes, token: str) -> tuple[str, str] | None:
    """(account id, email id), or None if it is not one of our tokens. Letter case does not matter: servers change it."""
    if _TOKEN.fullmatch(token) is None:
        return None
    octets = b32decode(token.upper())
    tag, masked = octets[:_TAG], octets[_TAG:]
    ids = _mask(key, tag, masked)
    if not compare_digest(tag, _tag(key, ids)):
        return None
    return _account_id(ids[:_ACCOUNT]), ids[_ACCOUNT:].hex()


def _tag(key: bytes, ids: bytes) -> bytes:
    return digest(key, b"tag" + ids, "sha256")[:_TAG]


def _mask(key: bytes, tag: bytes, octets: bytes) -> bytes:
    """Its own inverse."""
    stream = digest(key, b"mask" + tag, "sha256")[: len(octets)]
    return (int.from_bytes(octets) ^ int.from_bytes(stream)).to_bytes(len(octets))


def _account_id(octets: bytes) -> str:
    number, digits = int.from_bytes(octets), ""
    for _ in range(16):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits
