"""Sender identities: an address of somebody else's domain, whose owner agreed by a link that an account sends from it.

Only exactly this address, and only while the domain it belongs to here is verified: that one signs. The link is good
once, for seven days; only its hash is kept. What cannot be one says `identity_rules`; who looks daily is
`identity_watch`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.runtime.dns import Resolver
from postroom.store import accounts, domains, installation
from postroom.store import audit as audit_store
from postroom.store import sender_identities as store
from postroom.store.accounts import Account
from postroom.store.database import Database
from postroom.store.sender_identities import IdentityFilter, SenderIdentity
from postroom.tenancy import audit, identity_rules, passwords
from postroom.types import refusals
from postroom.types.actor import Actor, ActorKind
from postroom.types.refusals import Refused

LIFETIME_DAYS = 7
DAY = 24 * 3600 * 1000
HOUR = 3600 * 1000
PER_HOUR, PER_ADDRESS = 100, 5
"""Mails that an account may send in an hour, and to one address in a day."""
MOST = 2000
"""Of one account."""
SENT = ("sender_identity.created", "sender_identity.resent")


@dataclass(frozen=True, slots=True)
class NewIdentity:
    """What the account says; each field is right by itself. `email` as `str(Address)` writes it."""

    domain_id: str
    email: str
    name: str = ""
    reply_to_email: str = ""
    reply_to_name: str = ""
    add_note: bool = False
    personal_note: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody is to be asked. The only place where the secret of the link is ever seen."""

    identity: SenderIdentity
    account: Account
    secret: str = field(repr=False)


async def add(
    db: Database,
    resolver: Resolver,
    account_id: str,
    new: NewIdentity,
    *,
    most: int | None = None,
    by: Actor,
) -> Asked | Refused:
    """`most`: how many the account may have. Refused as by `identity_rules`, and IDENTITY_LIMIT.

    Raises ConflictError when the account has one with this address, NotFoundError when the domain is gone, PostroomError
    when there are too many.
    """
    domain = new.email.rpartition("@")[2]
    refused = await identity_rules.refusal(db, resolver, account_id, domain)
    if refused is not None:
        return refused
    organisation = await identity_rules.organisation(domain)
    now, secret = Clock().now_ms(), ids.secret()
    identity = SenderIdentity(
        account_id=account_id,
        id=ids.object_id(),
        domain_id=new.domain_id,
        email=new.email,
        organisation=organisation,
        name=new.name,
        reply_to_email=new.reply_to_email,
        reply_to_name=new.reply_to_name,
        add_note=new.add_note,
        personal_note=new.personal_note,
        resends=0,
        secret_hash=passwords.digest(secret),
        expires_at=now + LIFETIME_DAYS * DAY,
        verified_at=None,
        problem="",
        checked_at=now,
        created_at=now,
        updated_at=now,
    )
    async with db.write() as connection:
        account = await _account(connection, account_id)
        await _lock(connection, account_id)
        if await domains.owned(connection, account_id, new.domain_id) is None:
            raise NotFoundError(f"there is no domain {new.domain_id}")
        full = await room(connection, account_id, most)
        if full is not None:
            raise PostroomError(full.text)
        refused = await _too_many(connection, account_id, new.email, now)
        if refused is not None:
            return refused
        await store.add(connection, identity)
        await _record(connection, by, "created", None, identity)
    return Asked(identity, account, secret)


async def room(connection: AsyncConnection, account_id: str, most: int | None = None) -> Refused | None:
    """Why there is none for another identity, or None."""
    most = MOST if most is None else min(most, MOST)
    if await store.count(connection, IdentityFilter(account_id)) < most:
        return None
    return Refused(refusals.TOO_MANY_IDENTITIES, {"most": str(most)})


async def resend(db: Database, account_id: str, identity_id: str, *, by: Actor) -> Asked | Refused:
    """A new link, good for seven days from now; the one before is dead. Refused: IDENTITY_CONFIRMED, IDENTITY_LIMIT.

    Raises NotFoundError.
    """
    now, secret = Clock().now_ms(), ids.secret()
    async with db.write() as connection:
        account = await _account(connection, account_id)
        await _lock(connection, account_id)
        before = await _locked(connection, account_id, identity_id)
        if before.verified_at is not None:
            return Refused(refusals.IDENTITY_CONFIRMED, {"address": before.email})
        refused = await _too_many(connection, account_id, before.email, now)
        if refused is not None:
            return refused
        new: dict[str, Any] = {
            "secret_hash": passwords.digest(secret),
            "expires_at": now + LIFETIME_DAYS * DAY,
            "resends": before.resends + 1,
            "updated_at": now,
        }
        after = replace(before, **new)
        await store.change(connection, account_id, identity_id, **new)
        await _record(connection, by, "resent", before, after)
    return Asked(after, account, secret)


async def change(db: Database, account_id: str, identity_id: str, *, by: Actor, **new: str) -> SenderIdentity:
    """Set name, reply_to_email or reply_to_name. Without a change nothing happens. Raises NotFoundError."""
    async with db.write() as connection:
        before = await _locked(connection, account_id, identity_id)
        after = replace(before, **new)  # type: ignore[arg-type]
        if after == before:
            return before
        now = Clock().now_ms()
        await store.change(connection, account_id, identity_id, **new, updated_at=now)
        await _record(connection, by, "updated", before, after)
    return replace(after, updated_at=now)


async def delete(db: Database, account_id: str, identity_id: str, *, by: Actor) -> None:
    """Nothing more is sent from it within a second; a link that is under way is dead. Raises NotFoundError."""
    async with db.write() as connection:
        before = await _locked(connection, account_id, identity_id)
        await store.remove(connection, account_id, identity_id)
        await _record(connection, by, "deleted", before, None)


async def look(db: Database, secret: str) -> tuple[SenderIdentity, Account] | None:
    """What a link is about; None when it is not valid any more."""
    async with db.read() as connection:
        identity = await store.by_hash(connection, passwords.digest(secret))
        if identity is None or Clock().now_ms() >= identity.expires_at:
            return None
        account = await accounts.get(connection, identity.account_id)
    return None if account is None else (identity, account)


async def confirm(db: Database, resolver: Resolver, secret: str, *, client: str) -> SenderIdentity | Refused:
    """The owner of the address agrees, at the address `client`. The link is used up.

    Refused: IDENTITY_LINK, and as by `identity_rules`; then the link stays good, for the owner may mend it.
    """
    found = await look(db, secret)
    if found is None:
        return Refused(refusals.IDENTITY_LINK)
    identity = found[0]
    refused = await identity_rules.refusal(
        db, resolver, identity.account_id, identity.email.rpartition("@")[2]
    )
    if refused is not None:
        return refused
    now = Clock().now_ms()
    async with db.write() as connection:
        before = await store.lock(connection, identity.account_id, identity.id)
        if before is None or before.secret_hash != passwords.digest(secret):
            return Refused(refusals.IDENTITY_LINK)  # of two who press the button one finds it used
        new: dict[str, Any] = {
            "verified_at": now,
            "checked_at": now,
            "problem": "",
            "secret_hash": None,
            "updated_at": now,
        }
        after = replace(before, **new)
        await store.change(connection, before.account_id, before.id, **new)
        owner = Actor(ActorKind.SYSTEM, name=before.email, client=client)
        await _record(connection, owner, "verified", before, after)
    return after


async def _account(connection: AsyncConnection, account_id: str) -> Account:
    account = await accounts.get(connection, account_id)
    if account is None:
        raise NotFoundError(f"there is no account {account_id}")
    return account


async def _lock(connection: AsyncConnection, account_id: str) -> None:
    """So that the limits hold when many ask at once."""
    await installation.lock(connection, f"sender identities {account_id}")


async def _locked(connection: AsyncConnection, account_id: str, identity_id: str) -> SenderIdentity:
    identity = await store.lock(connection, account_id, identity_id)
    if identity is None:
        raise NotFoundError(f"there is no sender identity {identity_id}")
    return identity


async def _too_many(connection: AsyncConnection, account_id: str, email: str, now: int) -> Refused | None:
    """Mails of identities that were deleted count, too."""
    hour, day = ids.earliest(now - HOUR), ids.earliest(now - DAY)
    if await audit_store.count(connection, account_id, SENT, since=hour) >= PER_HOUR:
        return Refused(refusals.IDENTITY_LIMIT, {"minutes": "60"})
    if await audit_store.count(connection, account_id, SENT, since=day, name=email) >= PER_ADDRESS:
        return Refused(refusals.IDENTITY_LIMIT, {"minutes": "1440"})
    return None


async def _record(
    connection: AsyncConnection,
    by: Actor,
    verb: str,
    before: SenderIdentity | None,
    after: SenderIdentity | None,
) -> None:
    identity = after or before
    assert identity is not None, "an entry about nothing"
    await audit.record(
        connection,
        by,
        f"sender_identity.{verb}",
        account_id=identity.account_id,
        object_id=identity.id,
        name=identity.email,
        before=before,
        after=after,
    )
