"""Passwords. An SMTP user's is a random 256-bit secret: one SHA-256 is enough, and it has to be quick. A person's
is argon2id, which is slow on purpose and so runs in a thread."""

from __future__ import annotations

import asyncio
import hmac
from concurrent.futures import ThreadPoolExecutor
from hashlib import pbkdf2_hmac, sha256
from os import urandom

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from postroom.errors import PostroomError
from postroom.store.smtp_users import PasswordKeys
from postroom.tenancy.common_passwords import COMMON
from postroom.types import refusals
from postroom.types.refusals import Refused

SCRAM_SALT, SCRAM_ITERATIONS = 16, 4096
SHORTEST = 10

NOBODYS_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$wjml2RtglxKUjMM32WaCGg$GyZPMppHtwoW+WvGO21N1ARd7XfeTa9fcJBOMuALJ78"
)
"""Of no password. Who does not exist, or has no password, is checked against it: that takes the same time."""

_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
"""Few: each check takes 64 MB and a processor."""


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


def unfit(password: str, email: str) -> Refused | None:
    """Why this cannot be the password of the person with this address: PASSWORD_UNFIT; None when it can."""
    plain = password.strip().lower()
    if len(password) < SHORTEST:
        return Refused(refusals.PASSWORD_UNFIT, {"problem": f"it needs at least {SHORTEST} characters"})
    if plain in COMMON:
        return Refused(refusals.PASSWORD_UNFIT, {"problem": "everybody tries this one first"})
    if plain in (email.lower(), email.lower().partition("@")[0]):
        return Refused(refusals.PASSWORD_UNFIT, {"problem": "it is your address"})
    return None


async def hash_of_person(password: str, email: str) -> str:
    """The argon2id hash of a person's password. Raises PostroomError when it is unfit."""
    if (refused := unfit(password, email)) is not None:
        raise PostroomError(refused.text)
    return await asyncio.get_running_loop().run_in_executor(_threads, PasswordHasher().hash, password)


async def is_right(password_hash: str, password: str) -> bool:
    """Whether this is the person's password. `password_hash` "": nobody's, which takes as long and is never right."""
    found = await asyncio.get_running_loop().run_in_executor(
        _threads, _matches, password_hash or NOBODYS_HASH, password
    )
    return found and bool(password_hash)


def _matches(password_hash: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(password_hash, password)
    except (Argon2Error, InvalidHashError):
        return False
