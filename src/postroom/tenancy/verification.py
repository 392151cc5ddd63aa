"""What follows from looking at a domain's records: verified, failing, paused, restored, taken over (X06).

1. The TXT record of the domain's active DKIM key proves it. Each account has its own key for a name, so the key is the
   account's token: what another account has published proves nothing, nor does a wildcard.
2. A verified domain whose key is gone is *failing*: mail goes on for the grace, for a slip in somebody's DNS must not
   stop it. Then sending is paused, until the key is back. When the DNS does not answer nothing changes.
3. Who has verified a name keeps it while the key is there, and for the grace after that. Then the domain has lapsed,
   and another account that proves the name takes it over: what the first one has queued is cancelled.
4. The return path, the tracking host and the inbound host are used only while their records are right.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.config import Config
from postroom.errors import ConflictError, NotFoundError
from postroom.runtime.clock import Clock
from postroom.runtime.dns import Resolver
from postroom.store import domains as store
from postroom.store.database import Database
from postroom.store.domains import Domain
from postroom.tenancy import dns_check, dns_records, domains, holds
from postroom.tenancy.dns_check import Looked
from postroom.tenancy.dns_records import Hosts
from postroom.tenancy.domains import DNS, LOST
from postroom.types.actor import SYSTEM, Actor


@dataclass(frozen=True, slots=True)
class Verifier:
    """`grace` in seconds: how long a verified domain may be without its key."""

    db: Database
    resolver: Resolver
    hosts: Hosts
    grace: float

    @classmethod
    def of(cls, db: Database, resolver: Resolver, config: Config) -> Verifier:
        return cls(db, resolver, Hosts.of(config.server), config.domains.grace)


@dataclass(frozen=True, slots=True)
class Checked:
    """`before` and `domain` are the domain as it was and is. `taken`: it is proved, but another account keeps the name.
    `lost`: the domain of another account that has been taken over."""

    before: Domain
    domain: Domain
    looked: Looked
    taken: bool = False
    lost: Domain | None = None

    @property
    def began_to_fail(self) -> bool:
        return self.before.failing_since is None and self.domain.failing_since is not None

    @property
    def restored(self) -> bool:
        return self.before.failing_since is not None and self.domain.failing_since is None


async def check(tools: Verifier, domain_id: str, *, by: Actor) -> Checked:
    """Look at a domain's records and note what follows. Raises NotFoundError."""
    domain = await domains.find(tools.db, domain_id)
    looked = await dns_check.look(tools.db, tools.resolver, domain, tools.hosts, fresh=True)
    if looked.proved and domain.verified_at is None:
        await _look_at_holder(tools, domain)
    try:
        checked = await _note(tools, domain, looked, by)
    except ConflictError:  # somebody else was quicker by a moment
        checked = await _note(tools, domain, looked, by)
    if checked.before.send_paused and not checked.domain.send_paused:
        await holds.release_domain(tools.db, domain.account_id, domain.id)
    elif checked.domain.send_paused and not checked.before.send_paused:
        await holds.hold_domain(tools.db, domain.account_id, domain.id)
    if checked.lost is not None:
        await holds.hold_domain(tools.db, checked.lost.account_id, checked.lost.id)
    return checked


async def _look_at_holder(tools: Verifier, domain: Domain) -> None:
    """Whether its key is gone is known from the last daily check only; now it matters."""
    async with tools.db.read() as connection:
        holder = await store.holder(connection, domain.name)
    if holder is not None:
        looked = await dns_check.look(tools.db, tools.resolver, holder, tools.hosts, fresh=True)
        await _note(tools, holder, looked, SYSTEM)


async def _note(tools: Verifier, domain: Domain, looked: Looked, by: Actor) -> Checked:
    now = Clock().now_ms()
    async with tools.db.write() as connection:
        before = await store.lock(connection, domain.id)
        if before is None:
            raise NotFoundError(f"there is no domain {domain.id}")
        holder = await _other_holder(connection, before, looked)
        taken = holder is not None and not domains.lapsed(holder, now, tools.grace)
        lost = None
        if holder is not None and not taken:
            lost = await _take_away(connection, holder, now)
        new = _hosts(before, domain, looked, now)
        if looked.proved:
            new |= {} if taken else _proved(before, now)
        elif looked.proved is False:
            new |= _missing(before, now, tools.grace)
        after = replace(before, **new)
        if after != before:
            new["updated_at"] = now
        findings = json.dumps([asdict(finding) for finding in looked.findings])
        await store.change(connection, domain.id, **new, checked_at=now, check_result=findings)
        if after != before:
            await domains.record(connection, by, _verb(before, after), before, after)
    shown = replace(before, **new, checked_at=now, check_result=findings)
    return Checked(before, shown, looked, taken, lost)


async def _other_holder(connection: AsyncConnection, domain: Domain, looked: Looked) -> Domain | None:
    """Who has the name verified, when this domain could be."""
    if domain.verified_at is not None or not looked.proved:
        return None
    return await store.holder(connection, domain.name)


async def _take_away(connection: AsyncConnection, holder: Domain, now: int) -> Domain:
    """It is not verified any more, and sends nothing. `domain_removal` cancels what it has queued."""
    gone: dict[str, Any] = {
        "verified_at": None,
        "return_path_verified_at": None,
        "tracking_verified_at": None,
        "inbound_verified_at": None,
        "send_paused": True,
        "pause_reason": LOST,
        "failing_since": now,
    }
    await store.change(connection, holder.id, **gone, updated_at=now)
    after = replace(holder, **gone)
    await domains.record(connection, SYSTEM, "lost", holder, after)
    return after


def _hosts(domain: Domain, seen: Domain, looked: Looked, now: int) -> dict[str, Any]:
    """When which host was verified first; None while its record is not right. `seen` is the domain as it was when its
    records were looked at: of a host that has another name by now nothing is known."""
    changes: dict[str, Any] = {}
    for key, column, host in (
        ("return_path", "return_path_verified_at", _return_path_host),
        ("tracking", "tracking_verified_at", dns_records.tracking_host),
        ("inbound", "inbound_verified_at", dns_records.inbound_host),
    ):
        if host(domain) != host(seen):
            continue
        found = looked.of(key)
        verified = getattr(domain, column) is not None
        if found is not None and not found.unknown and found.ok != verified:
            changes[column] = now if found.ok else None
    return changes


def _return_path_host(domain: Domain) -> str:
    return domain.return_path_host


def _proved(domain: Domain, now: int) -> dict[str, Any]:
    changes: dict[str, Any] = {"failing_since": None, "pause_reason": ""}
    if domain.pause_reason:
        changes["send_paused"] = False
    if domain.verified_at is None:
        changes["verified_at"] = now
    return changes


def _missing(domain: Domain, now: int, grace: float) -> dict[str, Any]:
    if domain.verified_at is None or domain.trusted or domain.mode != domains.LIVE:
        return {}
    failing = replace(domain, failing_since=domain.failing_since or now)
    changes: dict[str, Any] = {"failing_since": failing.failing_since}
    if domains.lapsed(failing, now, grace) and not domain.send_paused:
        changes |= {"send_paused": True, "pause_reason": DNS}
    return changes


def _verb(before: Domain, after: Domain) -> str:
    if before.verified_at is None and after.verified_at is not None:
        return "verified"
    if after.send_paused != before.send_paused:
        return "paused" if after.send_paused else "restored"
    if (after.failing_since is None) != (before.failing_since is None):
        return "restored" if after.failing_since is None else "failing"
    return "checked"
