"""Who is signed in. Only a hash of what the browser holds is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, bindparam, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.store import installation
from postroom.store.query import changed, columns, every, first, values
from postroom.store.schema import sessions

SIGNED_IN = "signed_in"
SECOND_STEP = "second_step"
"""The password or the link was right, and a code is missing."""


@dataclass(frozen=True, slots=True)
class Session:
    """`account_id` is the current account, "" for a person without one. `expires_at` holds however much it is used."""

    id: str
    user_id: str
    account_id: str
    secret_hash: bytes = field(repr=False)
    state: str
    client: str
    user_agent: str
    created_at: int
    last_used_at: int
    expires_at: int


_ALL = select(*columns(Session, sessions))


async def add(connection: AsyncConnection, session: Session) -> None:
    """No cache knows it yet, so the version stays."""
    await connection.execute(insert(sessions).values(values(session)))


async def by_hash(connection: AsyncConnection, secret_hash: bytes) -> Session | None:
    return await first(connection, Session, _ALL.where(sessions.c.secret_hash == secret_hash))


async def get(connection: AsyncConnection, session_id: str, user_id: str) -> Session | None:
    """Only if it is that user's."""
    return await first(connection, Session, _ALL.where(*_which(session_id, user_id)))


async def of_user(connection: AsyncConnection, user_id: str, state: str | None = None) -> list[Session]:
    """All, or those in this state; the last used first."""
    mine = _ALL.where(sessions.c.user_id == user_id)
    if state is not None:
        mine = mine.where(sessions.c.state == state)
    return await every(connection, Session, mine.order_by(sessions.c.last_used_at.desc(), sessions.c.id))


async def switch(connection: AsyncConnection, session_id: str, user_id: str, account_id: str) -> bool:
    """False when there is no such session of this user."""
    statement = update(sessions).where(*_which(session_id, user_id)).values(account_id=account_id)
    count = await changed(connection, statement)
    await installation.bump(connection)
    return count == 1


async def remove(connection: AsyncConnection, session_id: str, user_id: str) -> bool:
    """False when there is no such session of this user."""
    count = await changed(connection, delete(sessions).where(*_which(session_id, user_id)))
    await installation.bump(connection)
    return count == 1


async def remove_all(connection: AsyncConnection, user_id: str, state: str | None = None) -> int:
    """All of this user, or those in this state; how many there were."""
    statement = delete(sessions).where(sessions.c.user_id == user_id)
    if state is not None:
        statement = statement.where(sessions.c.state == state)
    count = await changed(connection, statement)
    await installation.bump(connection)
    return count


async def remove_ended(connection: AsyncConnection, now: int, unused_since: int) -> int:
    """Those whose time is over, and those not used any more. No cache admits one, so the version stays."""
    ended = or_(sessions.c.expires_at <= now, sessions.c.last_used_at <= unused_since)
    return await changed(connection, delete(sessions).where(ended))


async def touch(connection: AsyncConnection, used: Mapping[str, int]) -> None:
    """Note when sessions were last used (id -> time). No cache depends on it, so the version stays."""
    statement = (
        update(sessions)
        .where(sessions.c.id == bindparam("which"), sessions.c.last_used_at < bindparam("at"))
        .values(last_used_at=bindparam("at"))
    )
    await connection.execute(statement, [{"which": one, "at": at} for one, at in sorted(used.items())])


def _which(session_id: str, user_id: str) -> list[ColumnElement[bool]]:
    return [sessions.c.id == session_id, sessions.c.user_id == user_id]
