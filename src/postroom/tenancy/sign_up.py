"""People who make an account by themselves, where the operator lets them (`server.sign_up`).

    request    an address: a link in the mail, whoever it belongs to; who is known gets another mail, and the screen says
               the same to everybody (U10)
    confirm    the link, a name, a password: a user, and an account of theirs that an operator has to approve

The address is confirmed before anything is made. Whoever is signed in may add accounts, up to a limit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import ConflictError, NotFoundError
from postroom.runtime import ids
from postroom.store import audit as audit_store
from postroom.store import installation, memberships
from postroom.store import users as user_store
from postroom.store.accounts import Account
from postroom.store.database import Database
from postroom.store.users import User
from postroom.tenancy import accounts, audit, one_time_links, passwords, users
from postroom.tenancy.grants import Grant
from postroom.tenancy.one_time_links import Purpose
from postroom.tenancy.users import Member
from postroom.types import refusals
from postroom.types.actor import Actor, ActorKind
from postroom.types.permissions import Role
from postroom.types.refusals import Refused

PAGE = "/sign-up#"
DAY = 24 * 3600 * 1000
PER_ADDRESS = 3
"""Mails that an address gets in a day because of this."""
MOST = 10
"""Accounts of one person who makes them without an operator."""
REQUESTED = "sign_up.requested"


@dataclass(frozen=True, slots=True)
class Requested:
    """The only place where the secret of the link is ever seen. `secret` None: there is a user with this address."""

    email: str
    secret: str | None = field(repr=False)


async def request(db: Database, email: str, *, client: str, now: int) -> Requested | None:
    """What to write to this address; None when it got enough of these mails. Raises PostroomError for what is none."""
    email = users.folded(email)
    async with db.write() as connection:
        await installation.lock(connection, f"sign-up {email}")
        since = ids.earliest(now - DAY)
        if await audit_store.count(connection, "", (REQUESTED,), since=since, name=email) >= PER_ADDRESS:
            return None
        known = await user_store.by_email(connection, email)
        secret = None
        if known is None:
            secret = await one_time_links.add(connection, Purpose.SIGN_UP, email, now=now)
        by = Actor(ActorKind.USER, name=email, client=client)
        await audit.record(connection, by, REQUESTED, account_id="", name=email)
    return Requested(email, secret)


async def look(db: Database, secret: str, *, now: int) -> str | None:
    """The address a link confirms; None when it is not valid any more."""
    async with db.read() as connection:
        link = await one_time_links.look(connection, Purpose.SIGN_UP, secret, now=now)
    return None if link is None else link.email


async def confirm(
    db: Database,
    secret: str,
    *,
    name: str,
    last_name: str,
    account: str,
    password: str,
    client: str,
    now: int,
) -> Member | Refused:
    """A user who is the Admin of a new account. Refused: LINK_INVALID, PASSWORD_UNFIT (the link stays good).

    Raises PostroomError for a name that an account cannot have.
    """
    email = await look(db, secret, now=now)
    if email is None:
        return Refused(refusals.LINK_INVALID)
    if (unfit := passwords.unfit(password, email)) is not None:
        return unfit
    hashed = await passwords.hash_of_person(password, email)
    user = User(ids.object_id(), email, name, last_name, hashed, False, now, now)
    by = Actor(ActorKind.USER, user.id, email, client)
    try:
        async with db.write() as connection:
            if await one_time_links.take(connection, Purpose.SIGN_UP, secret, now=now) is None:
                return Refused(refusals.LINK_INVALID)
            await user_store.add(connection, user)
            made = await accounts.create(connection, account, by=by)
            return await users.join(connection, made.id, user, Grant(Role.ADMIN), now=now, by=by)
    except ConflictError:  # the address has become a user's meanwhile
        return Refused(refusals.LINK_INVALID)


async def add_account(
    db: Database, user_id: str, name: str, *, approved: bool, most: int | None, now: int, by: Actor
) -> Account | Refused:
    """Another account for somebody, with them as its Admin. `most` None: as many as they like.

    Refused: ACCOUNTS_LIMIT. Raises NotFoundError, and PostroomError for a name that an account cannot have.
    """
    async with db.write() as connection:
        user = await user_store.lock(connection, user_id)
        if user is None:
            raise NotFoundError(f"there is no user {user_id}")
        if most is not None and await _administered(connection, user_id) >= most:
            return Refused(refusals.ACCOUNTS_LIMIT, {"limit": str(most)})
        made = await accounts.create(connection, name, approved=approved, by=by)
        await users.join(connection, made.id, user, Grant(Role.ADMIN), now=now, by=by)
    return made


async def _administered(connection: AsyncConnection, user_id: str) -> int:
    joined = await memberships.of_user(connection, user_id)
    return sum(one.role == Role.ADMIN for one in joined)
