"""People: each belongs to an account with a role; an operator may do everything on the installation."""

from __future__ import annotations

from dataclasses import dataclass

from postroom.errors import ConflictError, NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import accounts
from postroom.store import users as store
from postroom.store.database import Database
from postroom.store.users import Membership, User
from postroom.tenancy import passwords
from postroom.wire.smtp.address import AddressError, parse_mailbox

ROLES = ("Admin", "Manager", "Designer", "Accountant", "Custom User")


@dataclass(frozen=True, slots=True)
class UserDetails:
    """A person without the password's hash, and the role in each account (account id -> role)."""

    id: str
    email: str
    name: str
    operator: bool
    created_at: int
    roles: dict[str, str]


async def add(
    db: Database, email: str, *, account_id: str, role: str, operator: bool = False, password: str
) -> UserDetails:
    """A new person with a role in one account. Raises ConflictError when the address is taken."""
    if role not in ROLES:
        raise PostroomError(f"{role!r} is no role; choose one of {', '.join(ROLES)}")
    email = _folded(email)
    hashed = await passwords.hash_of_person(password)
    now = Clock().now_ms()
    user = User(ids.object_id(), email, "", hashed, operator, now, now)
    async with db.write() as connection:
        if await accounts.get(connection, account_id) is None:
            raise NotFoundError(f"there is no account {account_id}")
        if await store.by_email(connection, email) is not None:
            raise ConflictError(f"there is a user {email} already")
        await store.add(connection, user)
        await store.join(connection, Membership(account_id, user.id, role, now))
    return _details(user, [Membership(account_id, user.id, role, now)])


async def list_all(db: Database) -> list[UserDetails]:
    async with db.read() as connection:
        people = await store.list_all(connection)
        memberships = await store.list_memberships(connection)
    return [_details(user, [entry for entry in memberships if entry.user_id == user.id]) for user in people]


def _details(user: User, memberships: list[Membership]) -> UserDetails:
    roles = {membership.account_id: membership.role for membership in memberships}
    return UserDetails(user.id, user.email, user.name, user.operator, user.created_at, roles)


def _folded(email: str) -> str:
    """People sign in with any case, so addresses of people are kept in lower case."""
    try:
        return str(parse_mailbox(email.strip())).lower()
    except AddressError as error:
        raise PostroomError(f"{email!r} is no email address: {error}") from None
