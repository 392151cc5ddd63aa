"""Invitations into an account: bound to an address, a role and the account, good once and for three days (U06).

The link holds a random 256-bit secret; the table has its SHA-256. Sending an invitation again makes a new secret, so the
link before is dead. How many are sent is counted in the audit log, which nobody can empty: deleting an invitation makes
no room for another.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import ConflictError, NotFoundError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import accounts, installation, memberships
from postroom.store import audit as audit_store
from postroom.store import invites as store
from postroom.store import users as user_store
from postroom.store.accounts import Account
from postroom.store.database import Database
from postroom.store.invites import Invite
from postroom.store.users import User
from postroom.tenancy import audit, passwords, users
from postroom.tenancy.grants import Grant
from postroom.tenancy.users import Member
from postroom.types import refusals
from postroom.types.actor import Actor, ActorKind
from postroom.types.refusals import Refused

LIFETIME = 72 * 3600 * 1000
"""Milliseconds."""
HOUR = 3600 * 1000
PER_HOUR, PER_ADDRESS = 100, 5
"""Invitations that an account may send in an hour, in all and to one address."""
MOST = 2000
"""Users and invitations of one account."""
SENT = ("invite.created", "invite.resent")


@dataclass(frozen=True, slots=True)
class NewInvite:
    """The only place where the secret of the link is ever seen."""

    invite: Invite
    account: Account
    secret: str = field(repr=False)


async def add(
    db: Database,
    account_id: str,
    email: str,
    grant: Grant,
    *,
    within: Grant,
    most: int | None = None,
    by: Actor,
) -> NewInvite | Refused:
    """Invite somebody; `most`: how many users and invitations there may be. Refused: MORE_THAN_OWN, PLAN_LIMIT,
    INVITE_LIMIT.

    Raises ConflictError when the address is a member's or is invited already, PostroomError when it is none.
    """
    email = users.folded(email)
    if not within.covers(grant):
        return Refused(refusals.MORE_THAN_OWN)
    now, secret = Clock().now_ms(), ids.secret()
    invite = Invite(
        account_id=account_id,
        id=ids.object_id(),
        email=email,
        **grant.columns(),
        secret_hash=passwords.digest(secret),
        created_at=now,
        updated_at=now,
        expires_at=now + LIFETIME,
    )
    async with db.write() as connection:
        account = await _account(connection, account_id)
        await _lock(connection, account_id)
        most = MOST if most is None else min(most, MOST)
        if await _people(connection, account_id) >= most:
            return Refused(refusals.PLAN_LIMIT, {"most": str(most), "what": "users and invitations"})
        if await _is_taken(connection, account_id, email):
            raise ConflictError("the email has already been taken")
        refused = await _too_many(connection, account_id, email, now)
        if refused is not None:
            return refused
        await store.add(connection, invite)
        await _record(connection, by, "invite.created", invite, after=invite)
    return NewInvite(invite, account, secret)


async def resend(
    db: Database, account_id: str, invite_id: str, *, within: Grant, by: Actor
) -> NewInvite | Refused:
    """A new link, good for three days from now. Refused like `add`; raises NotFoundError."""
    now, secret = Clock().now_ms(), ids.secret()
    async with db.write() as connection:
        account = await _account(connection, account_id)
        await _lock(connection, account_id)
        before = await _found(connection, account_id, invite_id)
        if not within.covers(Grant.of(before)):
            return Refused(refusals.MORE_THAN_OWN)
        refused = await _too_many(connection, account_id, before.email, now)
        if refused is not None:
            return refused
        after = replace(
            before, secret_hash=passwords.digest(secret), updated_at=now, expires_at=now + LIFETIME
        )
        await store.renew(connection, after)
        await _record(connection, by, "invite.resent", before, before=before, after=after)
    return NewInvite(after, account, secret)


async def cancel(db: Database, account_id: str, invite_id: str, *, by: Actor) -> None:
    """The link is dead from now on. Raises NotFoundError."""
    async with db.write() as connection:
        await _lock(connection, account_id)
        before = await _found(connection, account_id, invite_id)
        await store.remove(connection, account_id, invite_id)
        await _record(connection, by, "invite.deleted", before, before=before)


async def look(db: Database, secret: str) -> tuple[Invite, Account, bool] | None:
    """What a link leads to, and whether there is a user with its address; None when it is not valid any more."""
    async with db.read() as connection:
        invite = await _valid(connection, secret, Clock().now_ms())
        if invite is None:
            return None
        account = await accounts.get(connection, invite.account_id)
        user = await user_store.by_email(connection, invite.email)
    return None if account is None else (invite, account, user is not None)


async def accept_as(db: Database, secret: str, user_id: str, *, by: Actor) -> Member | Refused:
    """Join as somebody who is signed in. Refused: INVITE_INVALID, INVITE_FOR_ANOTHER."""
    async with db.write() as connection:
        now = Clock().now_ms()
        invite = await _valid(connection, secret, now)
        user = await user_store.get(connection, user_id)
        if invite is None or user is None:
            return Refused(refusals.INVITE_INVALID)
        if user.email != invite.email:
            return Refused(refusals.INVITE_FOR_ANOTHER)
        if not await store.remove(connection, invite.account_id, invite.id):
            return Refused(
                refusals.INVITE_INVALID
            )  # of two who open the link at the same time one finds it gone
        member = await users.member(connection, invite.account_id, user.id)
        if member is not None:
            return member
        return await users.join(connection, invite.account_id, user, Grant.of(invite), now=now, by=by)


async def accept(
    db: Database, secret: str, *, name: str, last_name: str, password: str, client: str
) -> Member | Refused:
    """Join as a new user with this name and password. Refused: INVITE_INVALID, INVITE_NEEDS_SIGN_IN, PASSWORD_UNFIT."""
    found = await look(db, secret)
    if found is None:
        return Refused(refusals.INVITE_INVALID)
    if found[2]:
        return Refused(refusals.INVITE_NEEDS_SIGN_IN)
    if (refused := passwords.unfit(password, found[0].email)) is not None:
        return refused
    hashed = await passwords.hash_of_person(password, found[0].email)
    now = Clock().now_ms()
    user = User(ids.object_id(), found[0].email, name, last_name, hashed, False, now, now)
    by = Actor(ActorKind.USER, user.id, user.email, client)
    try:
        async with db.write() as connection:
            invite = await _valid(connection, secret, now)
            if invite is None:
                return Refused(refusals.INVITE_INVALID)
            if not await store.remove(connection, invite.account_id, invite.id):
                return Refused(refusals.INVITE_INVALID)
            await user_store.add(connection, user)
            return await users.join(connection, invite.account_id, user, Grant.of(invite), now=now, by=by)
    except ConflictError:  # the address has become a user's meanwhile
        return Refused(refusals.INVITE_NEEDS_SIGN_IN)


async def _valid(connection: AsyncConnection, secret: str, now: int) -> Invite | None:
    invite = await store.by_hash(connection, passwords.digest(secret))
    return invite if invite is not None and now < invite.expires_at else None


async def _lock(connection: AsyncConnection, account_id: str) -> None:
    await installation.lock(connection, f"invites {account_id}")


async def _account(connection: AsyncConnection, account_id: str) -> Account:
    account = await accounts.get(connection, account_id)
    if account is None:
        raise NotFoundError(f"there is no account {account_id}")
    return account


async def _found(connection: AsyncConnection, account_id: str, invite_id: str) -> Invite:
    invite = await store.get(connection, account_id, invite_id)
    if invite is None:
        raise NotFoundError(f"there is no invite {invite_id}")
    return invite


async def _people(connection: AsyncConnection, account_id: str) -> int:
    return await memberships.count(connection, account_id) + await store.count(connection, account_id)


async def _is_taken(connection: AsyncConnection, account_id: str, email: str) -> bool:
    """By a member, or by somebody who is invited."""
    if await store.by_email(connection, account_id, email) is not None:
        return True
    user = await user_store.by_email(connection, email)
    return user is not None and await memberships.get(connection, account_id, user.id) is not None


async def _too_many(connection: AsyncConnection, account_id: str, email: str, now: int) -> Refused | None:
    since = ids.earliest(now - HOUR)
    in_all = await audit_store.count(connection, account_id, SENT, since=since)
    to_them = await audit_store.count(connection, account_id, SENT, since=since, name=email)
    if in_all < PER_HOUR and to_them < PER_ADDRESS:
        return None
    return Refused(refusals.INVITE_LIMIT, {"minutes": "60"})


async def _record(
    connection: AsyncConnection,
    by: Actor,
    action: str,
    invite: Invite,
    *,
    before: Invite | None = None,
    after: Invite | None = None,
) -> None:
    await audit.record(
        connection,
        by,
        action,
        account_id=invite.account_id,
        object_id=invite.id,
        name=invite.email,
        before=before,
        after=after,
    )
