"""Links that open something once and for a short time: a new password, a session, a new account, another address.

What a link holds is a random 256-bit secret, and stands behind the # of its URL, where neither logs nor Referers see it.
The table has its SHA-256. A new link for the same address and purpose takes the place of the one before.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.runtime import ids
from postroom.store import one_time_links as store
from postroom.store.one_time_links import OneTimeLink
from postroom.tenancy import passwords


class Purpose(StrEnum):
    RESET = "reset"
    SIGN_IN = "sign_in"
    SIGN_UP = "sign_up"
    EMAIL = "email"


MINUTE = 60 * 1000
DAY = 24 * 60 * MINUTE
LASTS = {
    Purpose.RESET: 60 * MINUTE,
    Purpose.SIGN_IN: 15 * MINUTE,
    Purpose.SIGN_UP: DAY,
    Purpose.EMAIL: DAY,
}
"""Milliseconds."""


async def add(
    connection: AsyncConnection, purpose: Purpose, email: str, *, user_id: str = "", now: int
) -> str:
    """The secret of a new link; nobody sees it again."""
    secret = ids.secret()
    link = OneTimeLink(passwords.digest(secret), purpose, user_id, email, now, now + LASTS[purpose])
    await store.put(connection, link)
    return secret


async def look(connection: AsyncConnection, purpose: Purpose, secret: str, *, now: int) -> OneTimeLink | None:
    """What a link is for; None when it is not valid any more."""
    return await store.get(connection, purpose, passwords.digest(secret), now)


async def take(connection: AsyncConnection, purpose: Purpose, secret: str, *, now: int) -> OneTimeLink | None:
    """The same, and it is used up. Of two who come at the same time one gets None."""
    link = await look(connection, purpose, secret, now=now)
    return link if link is not None and await store.take(connection, link.secret_hash) else None
