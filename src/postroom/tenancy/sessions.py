"""Signing in and out. What a browser holds is a random 256-bit secret; the table has its SHA-256.

A session opens something only in the state `signed_in`. Who needs a second step (`second_factor`) has a session in the
state `second_step` after the first one: it lives five minutes, opens nothing but that step, and ends with it, for the
step makes a new session (U03, U05). So does every change of how somebody signs in (`renew`), and ends all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import NotFoundError
from postroom.runtime import ids
from postroom.runtime.secrets import SecretBox
from postroom.store import memberships, users
from postroom.store import sessions as store
from postroom.store.database import Database
from postroom.store.sessions import Session
from postroom.store.users import User
from postroom.tenancy import audit, passwords, second_factor
from postroom.tenancy.second_factor import WrongCode
from postroom.types import refusals
from postroom.types.actor import Actor, ActorKind
from postroom.types.refusals import Refused

MOST = {store.SIGNED_IN: 50, store.SECOND_STEP: 5}
"""Sessions of one person, by state. The one that was not used for longest makes room."""
SECOND_STEP_LASTS = 300.0
"""Seconds."""
LONGEST_AGENT = 255


@dataclass(frozen=True, slots=True)
class Browser:
    """Where somebody signs in from: the client's address, and what it says of itself."""

    client: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Renewal:
    """How somebody goes on after a change of how they sign in: in this browser and account, from `now` (milliseconds)
    on for `lifetime` seconds."""

    browser: Browser
    account_id: str
    now: int
    lifetime: float


@dataclass(frozen=True, slots=True)
class NewSession:
    """The only place where the secret is ever seen."""

    session: Session
    user: User
    secret: str = field(repr=False)

    @property
    def complete(self) -> bool:
        """Whether the person is signed in; False: their second step is missing."""
        return self.session.state == store.SIGNED_IN


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
        return await first_step(connection, user, browser, now=now, lifetime=lifetime, instead_of=instead_of)


async def first_step(
    connection: AsyncConnection,
    user: User,
    browser: Browser,
    *,
    now: int,
    lifetime: float,
    instead_of: str | None = None,
) -> NewSession:
    """What somebody gets for their password or a link: signed in, or asked for the second step."""
    if not await second_factor.is_on(connection, user.id):
        return await begin(connection, user, browser, now=now, lifetime=lifetime, instead_of=instead_of)
    await _end(connection, instead_of)
    made = await _make(
        connection, user, browser, store.SECOND_STEP, now=now, lifetime=SECOND_STEP_LASTS, account_id=""
    )
    await _record(connection, _self(user, browser), "session.begun", made.session, after=made.session)
    return made


async def second_step(
    db: Database,
    box: SecretBox,
    secret: str,
    code: str,
    browser: Browser,
    *,
    now: int,
    lifetime: float,
) -> NewSession | WrongCode:
    """A session that is signed in, in place of the one that waited for this code.

    WrongCode: SESSION_INVALID (there is none that waits, or not any more), SECOND_FACTOR_WRONG, SECOND_FACTOR_LOCKED.
    """
    async with db.write() as connection:
        half = await store.by_hash(connection, passwords.digest(secret))
        user = None if half is None else await users.get(connection, half.user_id)
        if half is None or user is None or half.state != store.SECOND_STEP or now >= half.expires_at:
            return WrongCode(Refused(refusals.SESSION_INVALID))
        wrong = await second_factor.check(connection, box, user, code, now=now, by=_self(user, browser))
        if wrong is None:
            return await begin(connection, user, browser, now=now, lifetime=lifetime, instead_of=secret)
        if (
            wrong.locks is not None
        ):  # whoever guesses needs the password again, which its owner may have changed by then
            await store.remove_all(connection, user.id, store.SECOND_STEP)
        return wrong


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
    await _end(connection, instead_of)
    if account_id is None:
        joined = await memberships.of_user(connection, user.id)
        account_id = joined[0].account_id if joined else ""
    made = await _make(
        connection, user, browser, store.SIGNED_IN, now=now, lifetime=lifetime, account_id=account_id
    )
    await _record(connection, _self(user, browser), "session.created", made.session, after=made.session)
    return made


async def renew(connection: AsyncConnection, user: User, renewal: Renewal) -> NewSession:
    """A new session in place of all of this person: part of a change of how they sign in, which has its audit entry."""
    await store.remove_all(connection, user.id)
    return await _make(
        connection,
        user,
        renewal.browser,
        store.SIGNED_IN,
        now=renewal.now,
        lifetime=renewal.lifetime,
        account_id=renewal.account_id,
    )


async def _end(connection: AsyncConnection, secret: str | None) -> None:
    session = await store.by_hash(connection, passwords.digest(secret)) if secret else None
    if session is not None:
        await store.remove(connection, session.id, session.user_id)


async def _make(
    connection: AsyncConnection,
    user: User,
    browser: Browser,
    state: str,
    *,
    now: int,
    lifetime: float,
    account_id: str,
) -> NewSession:
    for old in (await store.of_user(connection, user.id, state))[MOST[state] - 1 :]:
        await store.remove(connection, old.id, user.id)
    secret = ids.secret()
    session = Session(
        id=ids.object_id(),
        user_id=user.id,
        account_id=account_id,
        secret_hash=passwords.digest(secret),
        state=state,
        client=browser.client[:64],
        user_agent=browser.user_agent[:LONGEST_AGENT],
        created_at=now,
        last_used_at=now,
        expires_at=now + round(lifetime * 1000),
    )
    await store.add(connection, session)
    return NewSession(session, user, secret)


def _self(user: User, browser: Browser) -> Actor:
    """Who signs in is who does it."""
    return Actor(ActorKind.USER, user.id, user.email, browser.client)


async def list_all(db: Database, user_id: str) -> list[Session]:
    """Where a person is signed in, the last used first."""
    async with db.read() as connection:
        return await store.of_user(connection, user_id, store.SIGNED_IN)


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
