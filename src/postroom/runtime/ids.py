"""Identifiers as the API shows them, and random secrets."""

from __future__ import annotations

import secrets
from base64 import b32encode
from os import urandom


def object_id() -> str:
    """16 lower-case letters and digits (80 random bits): accounts, domains, SMTP users and other settings."""
    return b32encode(urandom(10)).decode("ascii").lower()


def mail_id(now_ms: int) -> str:
    """24 hex digits that sort by time: 12 of the milliseconds, 12 random. Messages, emails and their events."""
    return f"{now_ms:012x}{urandom(6).hex()}"


def secret(octets: int = 32) -> str:
    """A random secret of so many octets in URL-safe base64 without padding (32 octets: 43 characters)."""
    return secrets.token_urlsafe(octets)
