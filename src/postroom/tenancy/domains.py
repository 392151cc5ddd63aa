"""Sending domains: add, find, show with the DNS records to publish, set, pause and resume.

Checking the records is `dns_check`, what follows from that `verification`, deleting one `domain_removal`.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.config import DomainDefaults, Domains
from postroom.errors import ConflictError, NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.runtime.secrets import SecretBox
from postroom.store import accounts, dkim_keys
from postroom.store import domains as store
from postroom.store.database import Database
from postroom.store.domains import Domain, DomainFilter
from postroom.tenancy import audit, dns_records, domain_names, holds, keys
from postroom.tenancy.dns_records import DnsRecord, Hosts
from postroom.tenancy.domain_settings import DomainSettings
from postroom.types import refusals
from postroom.types.actor import Actor
from postroom.types.refusals import Refused

LIVE, SANDBOX = "live", "sandbox"
MOST = 5000
"""Domains of one account, when its plan says nothing."""

RULES, NOWHERE = Domains(), Hosts()
"""As without settings."""
DNS, LOST = "dns", "lost"
"""Why sending is paused, when it was not the owner."""


@dataclass(frozen=True, slots=True)
class DomainDetails:
    domain: Domain
    records: list[DnsRecord]


async def add(
    db: Database,
    box: SecretBox,
    name: str,
    *,
    account_id: str,
    by: Actor,
    trusted: bool = False,
    mode: str = LIVE,
    rules: Domains = RULES,
    most: int | None = None,
) -> Domain:
    """A new domain with its two DKIM keys. Sandbox and trusted ones are verified at once.

    `name` may be in U-labels; `rules.defaults` are what is set at first, `most` is how many the account may have.
    Raises ConflictError when the name is taken (see `taken`), PostroomError when it cannot be one or is one too many.
    """
    if mode not in (LIVE, SANDBOX):
        raise PostroomError(f"{mode!r} is no mode; choose {LIVE} or {SANDBOX}")
    name = _valid_name(name, mode)
    organisation = await asyncio.to_thread(domain_names.organisation, name)
    proved = trusted or mode == SANDBOX
    if organisation is None and not proved:
        raise PostroomError(Refused(refusals.PUBLIC_SUFFIX, {"name": name}).text)
    domain = _new(
        name, account_id, mode, organisation or name, rules.defaults, trusted=trusted, proved=proved
    )
    pair = await keys.make_pair(box, domain)
    async with db.write() as connection:
        if await accounts.get(connection, account_id) is None:
            raise NotFoundError(f"there is no account {account_id}")
        if await taken(connection, account_id, name, grace=rules.grace):
            raise ConflictError(f"the domain {name} exists already")
        await accounts.adding_to(connection, account_id)
        full = None if mode == SANDBOX else await room(connection, account_id, most)
        if full is not None:
            raise PostroomError(full.text)
        await store.add(connection, domain)
        for key in pair:
            await dkim_keys.add(connection, key)
        await record(connection, by, "created", None, domain)
    return domain


async def taken(connection: AsyncConnection, account_id: str, name: str, *, grace: float) -> bool:
    """Whether the account has this name, or another one has it verified and did not let it lapse (X06).

    That somebody has added a name without having verified it keeps it from nobody.
    """
    if await store.owned(connection, account_id, name) is not None:
        return True
    holder = await store.holder(connection, name)
    return holder is not None and not lapsed(holder, Clock().now_ms(), grace)


def lapsed(domain: Domain, now: int, grace: float) -> bool:
    """Whether what proves it has been missing for longer than `grace` (seconds)."""
    watched = domain.mode == LIVE and not domain.trusted
    return watched and domain.failing_since is not None and now - domain.failing_since >= grace * 1000


async def room(connection: AsyncConnection, account_id: str, most: int | None) -> Refused | None:
    """Why there is no space for another domain, or None. Sandboxes take none."""
    most = MOST if most is None else most
    if await store.count(connection, DomainFilter(account_id, mode=LIVE)) < most:
        return None
    return Refused(refusals.DOMAIN_SPACES, {"most": str(most)})


async def find(db: Database, name_or_id: str) -> Domain:
    """By id, or by name in any case and in U- or A-labels. Raises NotFoundError, and ConflictError when several accounts
    have added the name and none has verified it."""
    async with db.read() as connection:
        domain = await store.get(connection, name_or_id)
        if domain is not None:
            return domain
        found = await store.named(connection, _folded(name_or_id))
    if not found:
        raise NotFoundError(f"there is no domain {name_or_id}")
    if len(found) > 1 and found[0].verified_at is None:
        raise ConflictError(f"{len(found)} accounts have added {name_or_id}; name its id instead")
    return found[0]


async def owned_id(connection: AsyncConnection, account_id: str, name_or_id: str | None) -> str | None:
    """The id of a domain of this account; None for None. Raises NotFoundError, also for somebody else's."""
    if name_or_id is None:
        return None
    domain = await store.owned(connection, account_id, _folded(name_or_id))
    if domain is None:
        raise NotFoundError(f"the account has no domain {name_or_id}")
    return domain.id


async def show(db: Database, name_or_id: str, hosts: Hosts = NOWHERE) -> DomainDetails:
    """With the records to publish, which lead to `hosts`."""
    domain = await find(db, name_or_id)
    async with db.read() as connection:
        pair = await dkim_keys.of_domain(connection, domain.id)
    return DomainDetails(domain, dns_records.records(domain, pair, hosts))


async def list_all(db: Database, *, account_id: str | None = None) -> list[Domain]:
    async with db.read() as connection:
        return await store.list_all(connection, account_id)


# -- changing -------------------------------------------------------------------------------------------------------


async def change(db: Database, domain_id: str, *, by: Actor, **new: Any) -> Domain | Refused:
    """Set what the API calls the settings of a domain, by those names; each value is right by itself.

    A pause begins and ends at once: see `pause`. Refused: DOMAIN_RECORDS_GONE and DOMAIN_LOST, when sending is paused
    for that. Raises NotFoundError.
    """
    async with db.write() as connection:
        before = await store.lock(connection, domain_id)
        if before is None:
            raise NotFoundError(f"there is no domain {domain_id}")
        columns = _columns(before, new)
        if isinstance(columns, Refused):
            return columns
        after = replace(before, **columns)
        if after != before:
            columns["updated_at"] = Clock().now_ms()
            await store.change(connection, domain_id, **columns)
            await record(connection, by, "updated", before, after)
    if "send_paused" in new:  # also when nothing changed: it mends what a crash has left
        slices = holds.hold_domain if after.send_paused else holds.release_domain
        await slices(db, after.account_id, after.id)
    return replace(before, **columns)


async def pause(db: Database, name_or_id: str, *, by: Actor) -> Domain:
    """Send nothing from this domain until it is resumed. Messages are accepted and kept; what is queued is held, but for
    attempts under way. Doing it twice does no harm. Raises NotFoundError."""
    return await _set_paused(db, name_or_id, paused=True, by=by)


async def resume(db: Database, name_or_id: str, *, by: Actor) -> Domain:
    """Send again, first of all what was held. Doing it twice does no harm. Raises NotFoundError, and ConflictError when
    sending is paused because the records are gone."""
    return await _set_paused(db, name_or_id, paused=False, by=by)


async def _set_paused(db: Database, name_or_id: str, *, paused: bool, by: Actor) -> Domain:
    found = await find(db, name_or_id)
    changed = await change(db, found.id, by=by, send_paused=paused)
    if isinstance(changed, Refused):
        raise ConflictError(changed.text)
    return changed


def _columns(domain: Domain, new: dict[str, Any]) -> dict[str, Any] | Refused:
    """What to set in the table. A host that is another one now has to be verified anew."""
    columns: dict[str, Any] = {
        column: new[name]
        for name, column in (
            ("smtp_enabled", "smtp_enabled"),
            ("strict_envelope", "strict_envelope"),
            ("track_content", "keep_content"),
        )
        if name in new
    }
    kept = DomainSettings.decode(domain.settings)
    settings = replace(kept, **{name: value for name, value in new.items() if hasattr(kept, name)})
    if settings != kept:
        columns["settings"] = settings.encode()
    if settings.custom_tracking_subdomain != kept.custom_tracking_subdomain:
        columns["tracking_verified_at"] = None
    if settings.inbound_routing_subdomain != kept.inbound_routing_subdomain:
        columns["inbound_verified_at"] = None
    if "return_path_subdomain" in new:
        host = f"{new['return_path_subdomain']}.{domain.name}"
        if host != domain.return_path_host:
            columns |= {"return_path_host": host, "return_path_verified_at": None}
    if "send_paused" not in new:
        return columns
    if not new["send_paused"] and domain.pause_reason:
        rule = refusals.DOMAIN_LOST if domain.pause_reason == LOST else refusals.DOMAIN_RECORDS_GONE
        return Refused(rule, {"domain": domain.name})
    return columns | {"send_paused": new["send_paused"]}


# -- records --------------------------------------------------------------------------------------------------------


async def record(
    connection: AsyncConnection, by: Actor, verb: str, before: Domain | None, after: Domain | None
) -> None:
    """An entry in the audit log, of both or of the one there is."""
    domain = after or before
    assert domain is not None, "an entry about nothing"
    await audit.record(
        connection,
        by,
        f"domain.{verb}",
        account_id=domain.account_id,
        object_id=domain.id,
        name=domain.name,
        before=_told(before),
        after=_told(after),
    )


def _told(domain: Domain | None) -> dict[str, Any] | None:
    """Each setting by itself, so that only those show that changed."""
    if domain is None:
        return None
    told = asdict(domain) | asdict(DomainSettings.decode(domain.settings))
    del told["settings"]
    return told


def _new(
    name: str,
    account_id: str,
    mode: str,
    organisation: str,
    defaults: DomainDefaults,
    *,
    trusted: bool,
    proved: bool,
) -> Domain:
    now = Clock().now_ms()
    settings = DomainSettings(
        track_clicks=defaults.track_clicks,
        track_opens=defaults.track_opens,
        track_unsubscribe=defaults.track_unsubscribe,
        custom_tracking_subdomain=defaults.custom_tracking_subdomain,
        inbound_routing_subdomain=defaults.inbound_routing_subdomain,
    )
    return Domain(
        id=ids.object_id(),
        account_id=account_id,
        name=name,
        mode=mode,
        verified_at=now if proved else None,
        trusted=trusted,
        return_path_host=f"{defaults.return_path_subdomain}.{name}",
        return_path_verified_at=None,
        smtp_enabled=True,
        strict_envelope=False,
        keep_content=defaults.track_content,
        check_result="",
        checked_at=None,
        created_at=now,
        updated_at=now,
        organisation=organisation,
        settings=settings.encode(),
    )


def _valid_name(name: str, mode: str) -> str:
    try:
        found = domain_names.folded(name)
    except ValueError as error:
        raise PostroomError(f"{name!r} is no domain name: {error}") from None
    if "." not in found and mode != SANDBOX:
        raise PostroomError(
            f"{name!r} is no domain that can be verified; only sandbox domains may have one label"
        )
    return found


def _folded(name_or_id: str) -> str:
    try:
        return domain_names.folded(name_or_id)
    except ValueError:
        return name_or_id
