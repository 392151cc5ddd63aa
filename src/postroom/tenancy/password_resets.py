"""A new password by a link in the mail, for who has forgotten theirs: good once, for an hour (U10).

Whether an address is known is told to nobody but its owner. A new password ends every session and every other link; it
signs nobody in, so a second step stays in the way. An address gets few links an hour, counted in the audit log.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from postroom.runtime import ids
from postroom.store import audit as audit_store
from postroom.store import one_time_links as link_store
from postroom.store import sessions, users
from postroom.store.database import Database
from postroom.store.users import User
from postroom.tenancy import audit, one_time_links, passwords
from postroom.tenancy.one_time_links import Purpose
from postroom.types import refusals
from postroom.types.actor import Actor, ActorKind
from postroom.types.refusals import Refused

START, PAGE = "/reset", "/reset#"
"""Where somebody asks for a link, and where the link leads."""
HOUR = 3600 * 1000
PER_ADDRESS = 3
"""Links that an address gets in an hour."""
REQUESTED = "password_reset.requested"


@dataclass(frozen=True, slots=True)
class NewReset:
    """The only place where the secret of the link is ever seen."""

    user: User
    secret: str = field(repr=False)


async def request(db: Database, email: str, *, client: str, now: int) -> NewReset | None:
    """A link for who has this address; None when nobody has, or it got enough of them."""
    async with db.write() as connection:
        known = await users.by_email(connection, email.strip().lower())
        user = None if known is None else await users.lock(connection, known.id)
        if user is None:
            return None
        since = ids.earliest(now - HOUR)
        if await audit_store.count(connection, "", (REQUESTED,), since=since, name=user.email) >= PER_ADDRESS:
            return None
        secret = await one_time_links.add(connection, Purpose.RESET, user.email, user_id=user.id, now=now)
        by = Actor(ActorKind.USER, user.id, user.email, client)
        await audit.record(connection, by, REQUESTED, account_id="", object_id=user.id, name=user.email)
    return NewReset(user, secret)


async def look(db: Database, secret: str, *, now: int) -> str | None:
    """Whose password a link changes: the address; None when it is not valid any more."""
    async with db.read() as connection:
        link = await one_time_links.look(connection, Purpose.RESET, secret, now=now)
    return None if link is None else link.email


async def use(db: Database, secret: str, password: str, *, client: str, now: int) -> User | Refused:
    """The new password holds. Refused: LINK_INVALID, PASSWORD_UNFIT (the link stays good)."""
    email = await look(db, secret, now=now)
    if email is None:
        return Refused(refusals.LINK_INVALID)
    if (unfit := passwords.unfit(password, email)) is not None:
        return unfit
    hashed = await passwords.hash_of_person(password, email)
    async with db.write() as connection:
        link = await one_time_links.take(connection, Purpose.RESET, secret, now=now)
        user = None if link is None else await users.lock(connection, link.user_id)
        if user is None:
            return Refused(refusals.LINK_INVALID)
        # The sessions first: everybody takes the rows in this order, so nobody waits in a circle.
        await sessions.remove_all(connection, user.id)
        await users.change(connection, user.id, password_hash=hashed, updated_at=now)
        await link_store.remove_all(connection, user.id, user.email)
        by = Actor(ActorKind.USER, user.id, user.email, client)
        await audit.record(
            connection, by, "password_reset.used", account_id="", object_id=user.id, name=user.email
        )
    return user
