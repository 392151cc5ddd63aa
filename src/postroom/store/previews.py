"""HTML that somebody is writing, for as long as their browser takes to show it: one each."""

from __future__ import annotations

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store.schema import previews

LASTS = 60_000
"""Milliseconds."""


async def put(connection: AsyncConnection, user_id: str, preview_id: str, html: str, *, now: int) -> None:
    """In place of the one they had; those of others that are over go, too."""
    gone = or_(previews.c.user_id == user_id, previews.c.expires_at <= now)
    await connection.execute(delete(previews).where(gone))
    row = {"user_id": user_id, "id": preview_id, "html": html.encode("utf-8", "replace")}
    await connection.execute(insert(previews).values(row | {"expires_at": now + LASTS}))


async def get(connection: AsyncConnection, user_id: str, preview_id: str, *, now: int) -> str | None:
    """None when it is somebody else's, or over."""
    which = (previews.c.user_id == user_id, previews.c.id == preview_id, previews.c.expires_at > now)
    found: bytes | None = await connection.scalar(select(previews.c.html).where(*which))
    return None if found is None else found.decode()
