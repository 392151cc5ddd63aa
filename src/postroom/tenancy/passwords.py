"""Passwords. An SMTP user's is a random 256-bit secret: one SHA-256 is enough, and it has to be quick. A person's
is argon2id, which is slow on purpose and so runs in a thread."""

from __future__ import annotations

import asyncio
import hmac
from hashlib import pbkdf2_hmac, sha256
from os import urandom

from argon2 import PasswordHasher

from postroom.errors import PostroomError
from postroom.store.smtp_users import PasswordKeys

SCRAM_SALT, SCRAM_ITERATIONS = 16, 4096
SHORTEST = 10


def digest(secret: str) -> bytes:
    return sha256(secret.encode("utf-8", "surrogateescape")).digest()


def keys(secret: str) -> PasswordKeys:
    """What is stored of an SMTP user's password: SHA-256 and the SCRAM-SHA-256 keys (RFC 5802 section 3, RFC 7677).

    The secret is ASCII, so SASLprep leaves it as it is.
    """
    salt = urandom(SCRAM_SALT)
    salted = pbkdf2_hmac("sha256", secret.encode("ascii"), salt, SCRAM_ITERATIONS)
    stored_key = sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return PasswordKeys(digest(secret), salt, SCRAM_ITERATIONS, stored_key, server_key)


async def hash_of_person(password: str) -> str:
    """The argon2id hash of a person's password. Raises PostroomError when it is too short."""
    if len(password) < SHORTEST:
        raise PostroomError(f"a password needs at least {SHORTEST} characters")
    return await asyncio.to_thread(PasswordHasher().hash, password)
