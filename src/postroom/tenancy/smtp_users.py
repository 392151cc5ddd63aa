"""The relay's credentials: each belongs to a domain, and may do no more than it is given. The password is shown once.

What is changed counts within a second, also for connections that are open (`tenancy.directory`). Caps are counted by
the accept batch (`smtp_caps`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.store import domains as domain_store
from postroom.store import installation
from postroom.store import smtp_users as store
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.store.smtp_users import SmtpUser
from postroom.tenancy import audit, domain_names, domains, passwords, tokens
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.draft import Stream
from postroom.types.refusals import Refused

LONGEST_NAME = 50
MOST = 1000
"""Of one domain."""
MOST_LISTED = 100
"""Domains, and networks, that one is limited to."""

ORDINARY: Mapping[str, Any] = {
    "enabled": True,
    "stream": Stream.TRANSACTIONAL.value,
    "refuse_suppressed": False,
    "allowed_addresses": "",
    "from_domains": "",
    "hourly_cap": None,
    "daily_cap": None,
    "expires_at": None,
}
"""What an SMTP user may do unless something else is said."""


@dataclass(frozen=True, slots=True)
class NewSmtpUser:
    """The only place where the password is ever seen."""

    user: SmtpUser
    password: str = field(repr=False)

    @property
    def id(self) -> str:
        return self.user.id

    @property
    def username(self) -> str:
        return self.user.username


async def add(
    db: Database, domain_name_or_id: str, *, name: str, most: int | None = None, by: Actor, **may: Any
) -> NewSmtpUser:
    """A new SMTP user with a random username and password. `may` are fields of `ORDINARY`, as they are stored: see
    `networks` and `from_domains`. `most`: how many the domain may have.

    Raises NotFoundError when there is no such domain, PostroomError when it has too many or something is wrong.
    """
    domain = await domains.find(db, domain_name_or_id)
    now, secret = Clock().now_ms(), ids.secret()
    keys = passwords.keys(secret)
    _check(may, now)
    user = SmtpUser(
        id=ids.object_id(),
        account_id=domain.account_id,
        domain_id=domain.id,
        name=_valid_name(name),
        username=f"pr_{ids.object_id()[:8]}@{domain.name}",
        password_hash=keys.password_hash,
        last_used_at=None,
        created_at=now,
        updated_at=now,
        **{**ORDINARY, **may},
    )
    async with db.write() as connection:
        await installation.lock(connection, f"SMTP users {domain.id}")
        full = await room(connection, domain, most)
        if full is not None:
            raise PostroomError(full.text)
        await store.add(connection, user, keys)
        await _record(connection, by, "created", None, user)
    return NewSmtpUser(user, secret)


async def room(connection: AsyncConnection, domain: Domain, most: int | None = None) -> Refused | None:
    """Why there is none for another SMTP user of this domain, or None."""
    most = MOST if most is None else min(most, MOST)
    if await store.count(connection, domain.account_id, domain.id) < most:
        return None
    return Refused(refusals.TOO_MANY_SMTP_USERS, {"most": str(most)})


async def find(db: Database, username_or_id: str) -> SmtpUser:
    """Raises NotFoundError."""
    async with db.read() as connection:
        user = await store.get(connection, username_or_id)
    if user is None:
        raise _missing(username_or_id)
    return user


async def list_all(db: Database, domain_name_or_id: str | None = None) -> list[SmtpUser]:
    """Those of one domain, or all."""
    domain = None if domain_name_or_id is None else await domains.find(db, domain_name_or_id)
    async with db.read() as connection:
        return await store.list_all(connection, None if domain is None else domain.id)


async def change(db: Database, user: SmtpUser, *, by: Actor, **new: Any) -> SmtpUser:
    """Set the name or fields of `ORDINARY`, as they are stored. Without a change nothing happens.

    One that is switched off or expired logs in no more, and within a second its open connections end. Raises NotFoundError
    when it is gone meanwhile, PostroomError when something is wrong.
    """
    now = Clock().now_ms()
    if "name" in new:
        new["name"] = _valid_name(new["name"])
    async with db.write() as connection:
        before = await _found(connection, user)
        new = {name: value for name, value in new.items() if getattr(before, name) != value}
        if not new:
            return before
        _check(new, now)
        after = replace(before, **new, updated_at=now)
        await store.change(connection, user.account_id, user.id, **new, updated_at=now)
        await _record(connection, by, "updated", before, after)
    return after


async def reset_password(db: Database, user: SmtpUser, *, by: Actor) -> NewSmtpUser:
    """A new password; the old one is refused at once. Raises NotFoundError."""
    now, secret = Clock().now_ms(), ids.secret()
    keys = passwords.keys(secret)
    async with db.write() as connection:
        before = await _found(connection, user)
        after = replace(before, password_hash=keys.password_hash, updated_at=now)
        await store.change(connection, user.account_id, user.id, **asdict(keys), updated_at=now)
        await _record(connection, by, "password_reset", before, after)
    return NewSmtpUser(after, secret)


async def delete(db: Database, user: SmtpUser, *, by: Actor) -> None:
    """Raises NotFoundError when it is gone already."""
    async with db.write() as connection:
        before = await _found(connection, user)
        await store.remove(connection, user.account_id, user.id)
        await _record(connection, by, "deleted", before, None)


async def sweep(db: Database, name: str, *, by: Actor) -> None:
    """Delete those of this name whose time is over, of every account."""
    async with db.read() as connection:
        over = await store.expired(connection, name, Clock().now_ms())
    for user in over:
        with contextlib.suppress(NotFoundError):  # somebody else has swept it
            await delete(db, user, by=by)


def networks(written: Iterable[str]) -> str:
    """Addresses and networks as `allowed_addresses` is stored. Raises PostroomError for what is none."""
    return "\n".join(dict.fromkeys(tokens.network(one) for one in written))


async def from_domains(db: Database, account_id: str, names_or_ids: Iterable[str]) -> str:
    """Domains of the account as `from_domains` is stored. Raises NotFoundError for one that is not the account's."""
    found = []
    async with db.read() as connection:
        for name_or_id in names_or_ids:
            found.append((await _own_domain(connection, account_id, name_or_id)).id)
    return "\n".join(dict.fromkeys(found))


async def _own_domain(connection: AsyncConnection, account_id: str, name_or_id: str) -> Domain:
    domain = await domain_store.get(connection, name_or_id)
    if domain is None:
        with contextlib.suppress(ValueError):  # then it is no name either
            domain = await domain_store.owned(connection, account_id, domain_names.folded(name_or_id))
    if domain is None or domain.account_id != account_id:
        raise NotFoundError(f"the account has no domain {name_or_id}")
    return domain


def _check(may: Mapping[str, Any], now: int) -> None:
    """What the types of the columns do not say."""
    expires_at = may.get("expires_at")
    if expires_at is not None and expires_at <= now:
        raise PostroomError("an SMTP user cannot expire in the past")
    for name in ("hourly_cap", "daily_cap"):
        cap = may.get(name)
        if cap is not None and cap < 1:
            raise PostroomError(f"{name}: a cap is at least 1; to stop an SMTP user, switch it off")


def _valid_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise PostroomError(f"an SMTP user needs a name of 1 to {LONGEST_NAME} characters")
    return name


async def _found(connection: AsyncConnection, user: SmtpUser) -> SmtpUser:
    """As it is now."""
    found = await store.owned(connection, user.account_id, user.id)
    if found is None:
        raise _missing(user.username)
    return found


async def _record(
    connection: AsyncConnection, by: Actor, verb: str, before: SmtpUser | None, after: SmtpUser | None
) -> None:
    user = after or before
    assert user is not None, "an entry about nothing"
    await audit.record(
        connection,
        by,
        f"smtp_user.{verb}",
        account_id=user.account_id,
        object_id=user.id,
        name=user.username,
        before=before,
        after=after,
    )


def _missing(username_or_id: str) -> NotFoundError:
    return NotFoundError(f"there is no SMTP user {username_or_id}")
