"""Identifiers as the API shows them, and random secrets."""

from __future__ import annotations

import secrets
from base64 import b32encode
from itertools import count
from os import urandom
from random import Random


def object_id() -> str:
    """16 lower-case letters and digits (80 random bits): accounts, domains, SMTP users and other settings."""
    return b32encode(urandom(10)).decode("ascii").lower()


_number = count(int.from_bytes(urandom(3)))
_chance = Random(urandom(32))  # noqa: S311 - tells processes apart; nobody has to be unable to guess it


def mail_id(now_ms: int) -> str:
    """24 hex digits that sort by time: of the milliseconds (12), of a counter (6), random (6).

    Messages, emails and their events. The counter keeps what a process does within a millisecond in order: an email
    is `sent`, then `delivered`.
    """
    return f"{now_ms:012x}{next(_number) & 0xFFFFFF:06x}{_chance.getrandbits(24):06x}"


def earliest(at_ms: int) -> str:
    """No mail id made at this time or later sorts before this one; all that were made earlier do."""
    return f"{at_ms:012x}{0:012x}"


def made_at(mail_id: str) -> int:
    """When the wall clock of its maker said that a `mail_id` was made, in milliseconds."""
    return int(mail_id[:12], 16)


def secret(octets: int = 32) -> str:
    """A random secret of so many octets in URL-safe base64 without padding (32 octets: 43 characters).

    It never begins with a dash: on a command line it would be taken for an option.
    """
    while (made := secrets.token_urlsafe(octets)).startswith("-"):
        pass
    return made
