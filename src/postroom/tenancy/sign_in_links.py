"""Signing in by a link that an operator prints: the first sign-in of an installation, and the way back in for whoever has
lost a password where no mail can leave. Good once, for 15 minutes. Who has a second step is asked for it all the same:
the link stands for the password, and for nothing more (U05)."""

from __future__ import annotations

from postroom.store import users
from postroom.store.database import Database
from postroom.tenancy import audit, one_time_links, sessions
from postroom.tenancy import users as people
from postroom.tenancy.one_time_links import Purpose
from postroom.tenancy.sessions import Browser, NewSession
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.refusals import Refused

PAGE = "/sign-in#link="


async def add(db: Database, email_or_id: str, *, now: int, by: Actor) -> str:
    """The secret of a new link. Raises NotFoundError."""
    user = await people.find(db, email_or_id)
    async with db.write() as connection:
        secret = await one_time_links.add(connection, Purpose.SIGN_IN, user.email, user_id=user.id, now=now)
        await audit.record(
            connection, by, "sign_in_link.created", account_id="", object_id=user.id, name=user.email
        )
    return secret


async def use(
    db: Database,
    secret: str,
    browser: Browser,
    *,
    now: int,
    lifetime: float,
    instead_of: str | None = None,
) -> NewSession | Refused:
    """What the right password would have given (`sessions.first_step`). Refused: LINK_INVALID."""
    async with db.write() as connection:
        link = await one_time_links.take(connection, Purpose.SIGN_IN, secret, now=now)
        user = None if link is None else await users.get(connection, link.user_id)
        if user is None:
            return Refused(refusals.LINK_INVALID)
        return await sessions.first_step(
            connection, user, browser, now=now, lifetime=lifetime, instead_of=instead_of
        )
