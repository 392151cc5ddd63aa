"""Another address to sign in with.

    request    somebody who is signed in names it, with a code if they have a second step (whoever calls has asked for the
               password); a link goes there, and the address of before is told
    confirm    the link: the address changes; sessions, accounts and password stay

Whether the new address is known is told to nobody but its owner (U10). The link lasts a day, until a newer one is asked
for or the password changes: so whoever is told of a change that is not theirs can stop it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import ConflictError, NotFoundError
from postroom.runtime import ids
from postroom.runtime.secrets import SecretBox
from postroom.store import audit as audit_store
from postroom.store import one_time_links as link_store
from postroom.store import users as user_store
from postroom.store.database import Database
from postroom.store.users import User
from postroom.tenancy import audit, one_time_links, second_factor, users
from postroom.tenancy.one_time_links import Purpose
from postroom.tenancy.second_factor import WrongCode
from postroom.types import refusals
from postroom.types.actor import Actor, ActorKind
from postroom.types.refusals import Refused

PAGE = "/confirm-email#"
HOUR = 3600 * 1000
PER_PERSON = 3
"""Links that one person may ask for in an hour."""
REQUESTED = "email_change.requested"


@dataclass(frozen=True, slots=True)
class Requested:
    """The only place where the secret of the link is ever seen. `secret` None: there is a user with the new address."""

    email: str
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a link would change."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changed:
    user_id: str
    before: str
    after: str


async def request(
    db: Database, box: SecretBox, user_id: str, email: str, code: str, *, now: int, by: Actor
) -> Requested | WrongCode | Refused:
    """`code` is of the app or a recovery code; who has no second step needs none.

    Refused: LINK_RATE. Raises NotFoundError, ConflictError for the address they have, PostroomError for what is none.
    """
    email = users.folded(email)
    async with db.write() as connection:
        user = await user_store.lock(connection, user_id)
        if user is None:
            raise NotFoundError(f"there is no user {user_id}")
        if user.email == email:
            raise ConflictError("this is your address already")
        since = ids.earliest(now - HOUR)
        asked = await audit_store.count(connection, "", (REQUESTED,), since=since, name=user.email)
        if asked >= PER_PERSON:
            return Refused(refusals.LINK_RATE, {"minutes": "60"})
        wrong = await second_factor.check(connection, box, user, code, now=now, by=by)
        if wrong is not None:
            return wrong
        return await _made(connection, user, email, now=now, by=by)


async def _made(connection: AsyncConnection, user: User, email: str, *, now: int, by: Actor) -> Requested:
    """In place of any link before."""
    await link_store.remove_of(connection, Purpose.EMAIL, user.id)
    secret = None
    if await user_store.by_email(connection, email) is None:
        secret = await one_time_links.add(connection, Purpose.EMAIL, email, user_id=user.id, now=now)
    await audit.record(
        connection,
        by,
        REQUESTED,
        account_id="",
        object_id=user.id,
        name=user.email,
        after={"email": email},
    )
    return Requested(email, secret)


async def look(db: Database, secret: str, *, now: int) -> Wanted | None:
    """What a link would change; None when it is not valid any more."""
    async with db.read() as connection:
        link = await one_time_links.look(connection, Purpose.EMAIL, secret, now=now)
        user = None if link is None else await user_store.get(connection, link.user_id)
    return None if link is None or user is None else Wanted(user.email, link.email)


async def confirm(db: Database, secret: str, *, client: str, now: int) -> Changed | Refused:
    """They sign in with the new address from now on. Refused: LINK_INVALID."""
    try:
        async with db.write() as connection:
            link = await one_time_links.take(connection, Purpose.EMAIL, secret, now=now)
            user = None if link is None else await user_store.lock(connection, link.user_id)
            if link is None or user is None:
                return Refused(refusals.LINK_INVALID)
            await user_store.change(connection, user.id, email=link.email, updated_at=now)
            await link_store.remove_all(connection, user.id, user.email)
            await audit.record(
                connection,
                Actor(ActorKind.USER, user.id, user.email, client),
                "email_change.confirmed",
                account_id="",
                object_id=user.id,
                name=link.email,
                before={"email": user.email},
                after={"email": link.email},
            )
    except ConflictError:  # the address has become somebody else's meanwhile
        return Refused(refusals.LINK_INVALID)
    return Changed(user.id, user.email, link.email)
