"""The relay's credentials: each belongs to a domain. The password is shown once."""

from __future__ import annotations

from dataclasses import dataclass, field

from postroom.errors import NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import smtp_users as store
from postroom.store.database import Database
from postroom.store.smtp_users import SmtpUser
from postroom.tenancy import domains, passwords


@dataclass(frozen=True, slots=True)
class NewSmtpUser:
    """The only place where the password is ever seen."""

    id: str
    name: str
    username: str
    password: str = field(repr=False)
    account_id: str
    domain_id: str


async def add(db: Database, domain_name_or_id: str, *, name: str) -> NewSmtpUser:
    """A new SMTP user with a random username and password. Raises NotFoundError when there is no such domain."""
    name = name.strip()
    if not name or len(name) > 50:
        raise PostroomError("an SMTP user needs a name of 1 to 50 characters")
    domain = await domains.find(db, domain_name_or_id)
    now = Clock().now_ms()
    secret = ids.secret()
    keys = passwords.keys(secret)
    user = SmtpUser(
        id=ids.object_id(),
        account_id=domain.account_id,
        domain_id=domain.id,
        name=name,
        username=f"pr_{ids.object_id()[:8]}@{domain.name}",
        password_hash=keys.password_hash,
        enabled=True,
        refuse_suppressed=False,
        stream="transactional",
        allowed_addresses="",
        last_used_at=None,
        created_at=now,
        updated_at=now,
    )
    async with db.write() as connection:
        await store.add(connection, user, keys)
    return _shown(user, secret)


async def find(db: Database, username_or_id: str) -> SmtpUser:
    """Raises NotFoundError."""
    async with db.read() as connection:
        user = await store.get(connection, username_or_id)
    if user is None:
        raise NotFoundError(f"there is no SMTP user {username_or_id}")
    return user


async def list_all(db: Database, domain_name_or_id: str | None = None) -> list[SmtpUser]:
    """Those of one domain, or all."""
    domain = None if domain_name_or_id is None else await domains.find(db, domain_name_or_id)
    async with db.read() as connection:
        return await store.list_all(connection, None if domain is None else domain.id)


async def enable(db: Database, username_or_id: str) -> SmtpUser:
    return await _set_enabled(db, username_or_id, enabled=True)


async def disable(db: Database, username_or_id: str) -> SmtpUser:
    """Refuses further logins, and within a second ends the connections that are open."""
    return await _set_enabled(db, username_or_id, enabled=False)


async def reset_password(db: Database, username_or_id: str) -> NewSmtpUser:
    """A new password; the old one is refused at once."""
    user = await find(db, username_or_id)
    secret = ids.secret()
    async with db.write() as connection:
        if not await store.set_password(connection, user.id, passwords.keys(secret), Clock().now_ms()):
            raise NotFoundError(f"there is no SMTP user {username_or_id}")
    return _shown(user, secret)


async def delete(db: Database, username_or_id: str) -> SmtpUser:
    """The user as it was."""
    user = await find(db, username_or_id)
    async with db.write() as connection:
        await store.remove(connection, user.id)
    return user


async def _set_enabled(db: Database, username_or_id: str, *, enabled: bool) -> SmtpUser:
    user = await find(db, username_or_id)
    async with db.write() as connection:
        await store.set_enabled(connection, user.id, enabled, Clock().now_ms())
    return await find(db, user.id)


def _shown(user: SmtpUser, secret: str) -> NewSmtpUser:
    return NewSmtpUser(user.id, user.name, user.username, secret, user.account_id, user.domain_id)
