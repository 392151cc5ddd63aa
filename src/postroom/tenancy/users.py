"""People: each belongs to accounts with a role; an operator may do everything on the installation.

An account keeps at least one Admin: who changes or removes a member waits for whoever is doing so in the same account
(U08). Nobody gives or takes what they do not have themselves: `within` is what the one who asks has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import ConflictError, NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import accounts, memberships
from postroom.store import users as store
from postroom.store.database import Database
from postroom.store.memberships import Membership
from postroom.store.users import User
from postroom.tenancy import audit, passwords
from postroom.tenancy.grants import Grant
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.addresses import AddressError, parse_mailbox
from postroom.types.permissions import Role
from postroom.types.refusals import Refused

EVERYTHING = Grant(Role.ADMIN)
"""What an Admin has, and the operator at the command line."""


@dataclass(frozen=True, slots=True)
class UserDetails:
    """A person without the password's hash, and the role in each account (account id -> role)."""

    id: str
    email: str
    name: str
    operator: bool
    created_at: int
    roles: dict[str, str]


@dataclass(frozen=True, slots=True)
class Member:
    """A person in one account."""

    user: User
    membership: Membership


async def add(
    db: Database,
    email: str,
    *,
    account_id: str,
    grant: Grant,
    operator: bool = False,
    password: str | None,
    by: Actor,
) -> UserDetails:
    """A new person in one account; without a password they sign in by a link first.

    Raises ConflictError when the address is taken, PostroomError when the password is unfit."""
    email = folded(email)
    hashed = await passwords.hash_of_person(password, email) if password is not None else ""
    now = Clock().now_ms()
    async with db.write() as connection:
        if await accounts.get(connection, account_id) is None:
            raise NotFoundError(f"there is no account {account_id}")
        if await store.by_email(connection, email) is not None:
            raise ConflictError(f"there is a user {email} already")
        user = User(ids.object_id(), email, "", "", hashed, operator, now, now)
        await store.add(connection, user)
        member = await join(connection, account_id, user, grant, now=now, by=by)
    return _details(user, [member.membership])


async def join(
    connection: AsyncConnection, account_id: str, user: User, grant: Grant, *, now: int, by: Actor
) -> Member:
    """Let a person into an account. Raises ConflictError when they are in it already."""
    membership = Membership(
        account_id=account_id, user_id=user.id, **grant.columns(), created_at=now, updated_at=now
    )
    await memberships.add(connection, membership)
    await audit.record(
        connection,
        by,
        "user.created",
        account_id=account_id,
        object_id=user.id,
        name=user.email,
        after=asdict(membership) | {"operator": user.operator},
    )
    return Member(user, membership)


async def find(db: Database, email_or_id: str) -> User:
    """Raises NotFoundError."""
    async with db.read() as connection:
        found = await store.get(connection, email_or_id) or await store.by_email(
            connection, email_or_id.strip().lower()
        )
    if found is None:
        raise NotFoundError(f"there is no user {email_or_id}")
    return found


async def list_all(db: Database) -> list[UserDetails]:
    async with db.read() as connection:
        people = await store.list_all(connection)
        joined = await memberships.list_all(connection)
    return [_details(user, [entry for entry in joined if entry.user_id == user.id]) for user in people]


# -- the members of an account ------------------------------------------------------------------------------


async def member(connection: AsyncConnection, account_id: str, user_id: str) -> Member | None:
    membership = await memberships.get(connection, account_id, user_id)
    user = None if membership is None else await store.get(connection, user_id)
    return None if membership is None or user is None else Member(user, membership)


async def page(connection: AsyncConnection, account_id: str, *, offset: int, limit: int) -> list[Member]:
    """In the order they joined."""
    joined = await memberships.page(connection, account_id, offset=offset, limit=limit)
    people = await store.load(connection, [membership.user_id for membership in joined])
    return [Member(people[one.user_id], one) for one in joined if one.user_id in people]


async def change(
    db: Database, account_id: str, user_id: str, grant: Grant, *, within: Grant, by: Actor
) -> Member | Refused:
    """Give a member another role. Refused: MORE_THAN_OWN, LAST_ADMIN. Raises NotFoundError."""
    async with db.write() as connection:
        found = await _locked(connection, account_id, user_id)
        refused = await _refusal(connection, found.membership, grant, within)
        if refused is not None:
            return refused
        now = Clock().now_ms()
        await memberships.change(connection, account_id, user_id, **grant.columns(), updated_at=now)
        changed = await member(connection, account_id, user_id)
        assert changed is not None, "a member who is locked cannot vanish"
        await audit.record(
            connection,
            by,
            "user.updated",
            account_id=account_id,
            object_id=user_id,
            name=found.user.email,
            before=found.membership,
            after=changed.membership,
        )
    return changed


async def remove(
    db: Database, account_id: str, user_id: str, *, within: Grant, by: Actor
) -> Member | Refused:
    """Take a member out of the account; the person stays, and their other accounts. Refused and raises like `change`."""
    async with db.write() as connection:
        found = await _locked(connection, account_id, user_id)
        refused = await _refusal(connection, found.membership, None, within)
        if refused is not None:
            return refused
        await memberships.remove(connection, account_id, user_id)
        await audit.record(
            connection,
            by,
            "user.deleted",
            account_id=account_id,
            object_id=user_id,
            name=found.user.email,
            before=found.membership,
        )
    return found


async def _locked(connection: AsyncConnection, account_id: str, user_id: str) -> Member:
    """The member as they are once nobody else changes members of the account."""
    await memberships.lock(connection, account_id)
    found = await member(connection, account_id, user_id)
    if found is None:
        raise NotFoundError(f"the account has no user {user_id}")
    return found


async def _refusal(
    connection: AsyncConnection, before: Membership, after: Grant | None, within: Grant
) -> Refused | None:
    """Why a member cannot become this, or go (None)."""
    if not within.covers(Grant.of(before)) or (after is not None and not within.covers(after)):
        return Refused(refusals.MORE_THAN_OWN)
    if before.role != Role.ADMIN or (after is not None and after.role is Role.ADMIN):
        return None
    admins = await memberships.count(connection, before.account_id, role=Role.ADMIN)
    return Refused(refusals.LAST_ADMIN) if admins <= 1 else None


def _details(user: User, joined: Iterable[Membership]) -> UserDetails:
    roles = {membership.account_id: membership.role for membership in joined}
    return UserDetails(user.id, user.email, user.name, user.operator, user.created_at, roles)


def folded(email: str) -> str:
    """People sign in with any case, so addresses of people are kept in lower case. Raises PostroomError."""
    try:
        return str(parse_mailbox(email.strip())).lower()
    except AddressError as error:
        raise PostroomError(f"{email!r} is no email address: {error}") from None
