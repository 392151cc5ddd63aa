"""Links that are good once and for a short time. Only a hash of what the link holds is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.query import changed, columns, first, values
from postroom.store.schema import one_time_links


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """`user_id` is empty where there is no user yet. Times in milliseconds."""

    secret_hash: bytes = field(repr=False)
    purpose: str
    user_id: str
    email: str
    created_at: int
    expires_at: int


_ALL = select(*columns(OneTimeLink, one_time_links))


async def put(connection: AsyncConnection, link: OneTimeLink) -> None:
    """In place of those the address had for this purpose; what is over goes, too."""
    same = (one_time_links.c.purpose == link.purpose) & (one_time_links.c.email == link.email)
    over = one_time_links.c.expires_at <= link.created_at
    await connection.execute(delete(one_time_links).where(or_(same, over)))
    await connection.execute(insert(one_time_links).values(values(link)))


async def get(connection: AsyncConnection, purpose: str, secret_hash: bytes, now: int) -> OneTimeLink | None:
    """None when there is no such link for this purpose, or its time is over."""
    mine = (one_time_links.c.secret_hash == secret_hash, one_time_links.c.purpose == purpose)
    return await first(connection, OneTimeLink, _ALL.where(*mine, one_time_links.c.expires_at > now))


async def take(connection: AsyncConnection, secret_hash: bytes) -> bool:
    """It is used. Of two who use it at the same time one gets False."""
    which = one_time_links.c.secret_hash == secret_hash
    return await changed(connection, delete(one_time_links).where(which)) == 1


async def remove_of(connection: AsyncConnection, purpose: str, user_id: str) -> None:
    """Those of a user for this purpose, wherever they were sent."""
    which = (one_time_links.c.purpose == purpose, one_time_links.c.user_id == user_id)
    await connection.execute(delete(one_time_links).where(*which))


async def remove_all(connection: AsyncConnection, user_id: str, email: str) -> None:
    """Every link for this user, and every one that was sent to this address, for whatever purpose."""
    which = or_(one_time_links.c.user_id == user_id, one_time_links.c.email == email)
    await connection.execute(delete(one_time_links).where(which))
