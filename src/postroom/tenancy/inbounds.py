"""Inbound routes: which mail is taken, and where it goes. Taking it is not done here.

Each webhook among the forwards has a secret of its own, which is sealed at rest and shown to those who manage the route.
A name whose mail a route takes lies under a verified domain of its account, and belongs to one domain in the whole
installation: whoever sets one waits for whoever is setting the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from string import ascii_lowercase, digits
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import NotFoundError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.runtime.secrets import SecretBox
from postroom.store import accounts, domains, installation
from postroom.store import inbounds as store
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.store.inbounds import Inbound
from postroom.tenancy import audit
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.inbound import CatchKind, Filter, Forward, ForwardKind, MatchKind, Needed
from postroom.types.refusals import Refused

MOST = 1000
"""Of one account."""
MAILBOX = 20
"""Characters of the generated address before the @: nobody guesses it."""

EVERYTHING, ANYTHING = Filter(CatchKind.ALL), Filter(MatchKind.ALL)


@dataclass(frozen=True, slots=True)
class Target:
    """A forward as its owner says it."""

    kind: ForwardKind
    value: str


@dataclass(frozen=True, slots=True)
class NewInbound:
    """What its owner says; each field is right by itself. `inbound_domain` in lower-case A-labels."""

    domain_id: str
    name: str
    targets: tuple[Target, ...]
    inbound_domain: str | None = None
    priority: int = 0
    enabled: bool = True
    catch_filter: Filter = EVERYTHING
    catch_type: str = Needed.ALL
    match_filter: Filter = ANYTHING
    match_type: str = Needed.ALL


async def add(
    db: Database, box: SecretBox, account_id: str, new: NewInbound, *, most: int | None = None, by: Actor
) -> Inbound | Refused:
    """`most`: how many routes the account may have. Refused: TOO_MANY_INBOUNDS, and what `claim` says. Raises NotFoundError when the account has no such domain."""
    now, inbound_id = Clock().now_ms(), ids.object_id()
    inbound = Inbound(
        account_id=account_id,
        id=inbound_id,
        domain_id=new.domain_id,
        name=new.name,
        mailbox="".join(secrets.choice(ascii_lowercase + digits) for _ in range(MAILBOX)),
        inbound_domain=new.inbound_domain,
        priority=new.priority,
        enabled=new.enabled,
        catch_filter=new.catch_filter,
        catch_type=new.catch_type,
        match_filter=new.match_filter,
        match_type=new.match_type,
        forwards=_forwards(box, inbound_id, new.targets),
        created_at=now,
        updated_at=now,
    )
    async with db.write() as connection:
        domain = await _locked(connection, account_id, new.domain_id)
        await accounts.adding_to(connection, account_id)
        refused = await room(connection, account_id, most) or await claim(
            connection, domain, new.inbound_domain
        )
        if refused is not None:
            return refused
        await store.add(connection, inbound)
        await _record(connection, by, "created", inbound, None, inbound)
    return inbound


async def change(
    db: Database, box: SecretBox, inbound: Inbound, *, by: Actor, **new: Any
) -> Inbound | Refused:
    """Set fields of the route; `targets` are its forwards, of which those that were there keep id and secret.

    Without a change nothing happens. Refused: what `claim` says. Raises NotFoundError when it is gone meanwhile.
    """
    async with db.write() as connection:
        domain = await _locked(connection, inbound.account_id, inbound.domain_id)
        before = await store.lock(connection, inbound.account_id, inbound.id)
        if before is None:
            raise _missing(inbound)
        if "targets" in new:
            new["forwards"] = _forwards(box, inbound.id, new.pop("targets"), before.forwards)
        after = replace(before, **new)
        if after == before:
            return before
        if after.inbound_domain != before.inbound_domain:
            refused = await claim(connection, domain, after.inbound_domain)
            if refused is not None:
                return refused
        new["updated_at"] = Clock().now_ms()
        await store.change(connection, before.account_id, before.id, **new)
        await _record(connection, by, "updated", inbound, before, after)
    return replace(before, **new)


async def delete(db: Database, inbound: Inbound, *, by: Actor) -> None:
    """Raises NotFoundError when it is gone already."""
    async with db.write() as connection:
        if not await store.remove(connection, inbound.account_id, inbound.id):
            raise _missing(inbound)
        await _record(connection, by, "deleted", inbound, inbound, None)


async def room(connection: AsyncConnection, account_id: str, most: int | None = None) -> Refused | None:
    """Why there is none for another route of this account, or None."""
    most = MOST if most is None else min(most, MOST)
    if await store.count(connection, account_id) < most:
        return None
    return Refused(refusals.TOO_MANY_INBOUNDS, {"most": str(most)})


async def claim(connection: AsyncConnection, domain: Domain, inbound_domain: str | None) -> Refused | None:
    """Why routes of this domain cannot take the mail of that name, or None. In a transaction that writes, nobody else
    can take the name until it ends."""
    if inbound_domain is None:
        return None
    facts = {"domain": domain.name}
    if not f".{inbound_domain}".endswith(f".{domain.name}"):
        return Refused(refusals.INBOUND_DOMAIN_ELSEWHERE, facts)
    if domain.verified_at is None:
        return Refused(refusals.INBOUND_DOMAIN_UNVERIFIED, facts)
    await installation.lock(connection, f"inbound:{inbound_domain}")
    if await store.claimed(connection, inbound_domain, domain.id):
        return Refused(refusals.INBOUND_DOMAIN_TAKEN)
    if await _lies_under_anothers(connection, domain, inbound_domain):
        return Refused(refusals.INBOUND_DOMAIN_TAKEN)
    return None


async def _lies_under_anothers(connection: AsyncConnection, domain: Domain, inbound_domain: str) -> bool:
    """Another account has verified a name between the two: the longest verified match wins, as for sending."""
    name = inbound_domain
    while len(name) > len(domain.name):
        holder = await domains.holder(connection, name)
        if holder is not None and holder.account_id != domain.account_id:
            return True
        name = name.partition(".")[2]
    return False


def secret(box: SecretBox, inbound: Inbound, forward: Forward) -> str | None:
    """What signs the requests to a webhook, None for email. Raises SecretError when it was sealed with another key file."""
    if forward.secret is None:
        return None
    return box.open(forward.secret, _context(inbound.id, forward.id)).decode()


def _forwards(
    box: SecretBox, inbound_id: str, targets: Iterable[Target], known: Iterable[Forward] = ()
) -> tuple[Forward, ...]:
    kept = {Target(forward.kind, forward.value): forward for forward in known}
    return tuple(kept.get(target) or _forward(box, inbound_id, target) for target in targets)


def _forward(box: SecretBox, inbound_id: str, target: Target) -> Forward:
    forward_id, sealed = ids.object_id(), None
    if target.kind is ForwardKind.WEBHOOK:
        sealed = box.seal(secrets.token_hex(16).encode(), _context(inbound_id, forward_id))
    return Forward(forward_id, target.kind, target.value, sealed)


async def _locked(connection: AsyncConnection, account_id: str, domain_id: str) -> Domain:
    """The domain, which cannot go while a route is made for it."""
    domain = await domains.lock(connection, domain_id)
    if domain is None or domain.account_id != account_id:
        raise NotFoundError(f"the account has no domain {domain_id}")
    return domain


async def _record(
    connection: AsyncConnection,
    by: Actor,
    verb: str,
    inbound: Inbound,
    before: Inbound | None,
    after: Inbound | None,
) -> None:
    await audit.record(
        connection,
        by,
        f"inbound.{verb}",
        account_id=inbound.account_id,
        object_id=inbound.id,
        name=inbound.name,
        before=before,
        after=after,
    )


def _missing(inbound: Inbound) -> NotFoundError:
    return NotFoundError(f"there is no inbound route {inbound.id}")


def _context(inbound_id: str, forward_id: str) -> str:
    return f"inbound:{inbound_id}:{forward_id}"
