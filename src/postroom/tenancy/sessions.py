"""Signing in and out. What a browser holds is a random 256-bit secret; the table has its SHA-256.

A session opens something only in the state `signed_in`. A second step of signing in begins in a state of its own and
ends by making a new session, so that what was held before it opens nothing (U03).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import NotFoundError
from postroom.runtime import ids
from postroom.store import memberships, users
from postroom.store import sessions as store
from postroom.store.database import Database
from postroom.store.sessions import Session
from postroom.store.users import User
from postroom.tenancy import audit, passwords
from postroom.types.actor import Actor, ActorKind

MOST = 50
"""Sessions of one person. The one that was not used for longest makes room."""
LONGEST_AGENT = 255


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody signs in from: the client's address, and what it says of itself."""

    client: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class NewSession:
    """The only place where the secret is ever seen."""

    session: Session
    user: User
    secret: str = field(repr=False)


async def sign_in(
    db: Database,
    email: str,
    password: str,
    browser: Browser,
    *,
    now: int,
    lifetime: float,
    instead_of: str | None = None,
) -> NewSession | None:
    """A new session for who knows the password, else None; it takes the same time whatever is wrong.

    `now` in milliseconds, `lifetime` in seconds. `instead_of` is the secret of a session that ends with it.
    """
    async with db.read() as connection:
        user = await users.by_email(connection, email.strip().lower())
    right = await passwords.is_right(user.password_hash if user is not None else "", password)
    if user is None or not right:
        return None
    async with db.write() as connection:
        if await users.get(connection, user.id) != user:
            return None  # the password was changed meanwhile
        return await begin(connection, user, browser, now=now, lifetime=lifetime, instead_of=instead_of)


async def begin(
    connection: AsyncConnection,
    user: User,
    browser: Browser,
    *,
    now: int,
    lifetime: float,
    instead_of: str | None = None,
    account_id: str | None = None,
) -> NewSession:
    """A session for somebody who has shown who they are, in the account named or the one they joined first."""
    before = await store.by_hash(connection, passwords.digest(instead_of)) if instead_of else None
    if before is not None:
        await store.remove(connection, before.id, before.user_id)
    if account_id is None:
        joined = await memberships.of_user(connection, user.id)
        account_id = joined[0].account_id if joined else ""
    for old in (await store.of_user(connection, user.id))[MOST - 1 :]:
        await store.remove(connection, old.id, user.id)
    secret = ids.secret()
    session = Session(
        id=ids.object_id(),
        user_id=user.id,
        account_id=account_id,
        secret_hash=passwords.digest(secret),
        state=store.SIGNED_IN,
        client=browser.client[:64],
        user_agent=browser.user_agent[:LONGEST_AGENT],
        created_at=now,
        last_used_at=now,
        expires_at=now + round(lifetime * 1000),
    )
    await store.add(connection, session)
    by = Actor(ActorKind.USER, user.id, user.email, browser.client)
    await _record(connection, by, "session.created", session, after=session)
    return NewSession(session, user, secret)


async def list_all(db: Database, user_id: str) -> list[Session]:
    """The last used first."""
    async with db.read() as connection:
        return await store.of_user(connection, user_id)


async def switch(db: Database, session_id: str, user_id: str, account_id: str, *, by: Actor) -> None:
    """Work in another account from now on. Raises NotFoundError when the person does not belong to it."""
    async with db.write() as connection:
        before = await store.get(connection, session_id, user_id)
        if before is None or await memberships.get(connection, account_id, user_id) is None:
            raise NotFoundError(f"there is no account {account_id}")
        await store.switch(connection, session_id, user_id, account_id)
        after = await store.get(connection, session_id, user_id)
        await audit.record(
            connection,
            by,
            "session.switched",
            account_id=account_id,
            object_id=session_id,
            name=by.name,
            before=before,
            after=after,
        )


async def revoke(db: Database, session_id: str, user_id: str, *, by: Actor) -> None:
    """End a session: this one, or another one of the same person. Raises NotFoundError."""
    async with db.write() as connection:
        session = await store.get(connection, session_id, user_id)
        if session is None:
            raise NotFoundError(f"there is no session {session_id}")
        await store.remove(connection, session_id, user_id)
        await _record(connection, by, "session.deleted", session, before=session)


async def revoke_all(db: Database, user_id: str, *, by: Actor) -> Sequence[Session]:
    """End every session of a person; those that there were."""
    async with db.write() as connection:
        ended = await store.of_user(connection, user_id)
        await store.remove_all(connection, user_id)
        await audit.record(
            connection,
            by,
            "sessions.deleted",
            account_id="",
            object_id=user_id,
            before={"sessions": [session.id for session in ended]},
        )
    return ended


async def _record(
    connection: AsyncConnection,
    by: Actor,
    action: str,
    session: Session,
    *,
    before: Session | None = None,
    after: Session | None = None,
) -> None:
    await audit.record(
        connection,
        by,
        action,
        account_id=session.account_id,
        object_id=session.id,
        name=by.name,
        before=before,
        after=after,
    )
