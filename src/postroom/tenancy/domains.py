"""Sending domains: add, find, show with the DNS records to publish. Checking them is `dns_check`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.errors import ConflictError, NotFoundError, PostroomError
from postroom.runtime import ids
from postroom.runtime.clock import Clock
from postroom.runtime.secrets import SecretBox
from postroom.store import accounts, dkim_keys
from postroom.store import domains as store
from postroom.store.database import Database
from postroom.store.dkim_keys import DkimKey
from postroom.store.domains import Domain
from postroom.tenancy import keys
from postroom.wire.smtp.address import AddressError, parse_domain

LIVE, SANDBOX = "live", "sandbox"


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record the customer publishes. `required`: without it the domain is not verified."""

    name: str
    type: str
    value: str
    purpose: str
    required: bool


@dataclass(frozen=True, slots=True)
class DomainDetails:
    domain: Domain
    records: list[DnsRecord]


async def add(
    db: Database, box: SecretBox, name: str, *, account_id: str, trusted: bool = False, mode: str = LIVE
) -> Domain:
    """A new domain with its two DKIM keys. Sandbox and trusted ones are verified at once.

    `name` may be in U-labels. Raises ConflictError when the domain exists, whoever has it.
    """
    if mode not in (LIVE, SANDBOX):
        raise PostroomError(f"{mode!r} is no mode; choose {LIVE} or {SANDBOX}")
    name = _valid_name(name, mode)
    now = Clock().now_ms()
    domain = Domain(
        id=ids.object_id(),
        account_id=account_id,
        name=name,
        mode=mode,
        verified_at=now if trusted or mode == SANDBOX else None,
        trusted=trusted,
        return_path_host=f"bounces.{name}",
        return_path_verified_at=None,
        smtp_enabled=True,
        strict_envelope=False,
        keep_content=False,
        check_result="",
        checked_at=None,
        created_at=now,
        updated_at=now,
    )
    pair = await keys.make_pair(box, domain)
    async with db.write() as connection:
        if await accounts.get(connection, account_id) is None:
            raise NotFoundError(f"there is no account {account_id}")
        if await store.get(connection, name) is not None:
            raise ConflictError(f"the domain {name} exists already")
        await store.add(connection, domain)
        for key in pair:
            await dkim_keys.add(connection, key)
    return domain


async def find(db: Database, name_or_id: str) -> Domain:
    """By id, or by name in any case and in U- or A-labels. Raises NotFoundError."""
    async with db.read() as connection:
        domain = await store.get(connection, _folded(name_or_id))
    if domain is None:
        raise NotFoundError(f"there is no domain {name_or_id}")
    return domain


async def owned_id(connection: AsyncConnection, account_id: str, name_or_id: str | None) -> str | None:
    """The id of a domain of this account; None for None. Raises NotFoundError, also for somebody else's."""
    if name_or_id is None:
        return None
    domain = await store.get(connection, _folded(name_or_id))
    if domain is None or domain.account_id != account_id:
        raise NotFoundError(f"the account has no domain {name_or_id}")
    return domain.id


async def show(db: Database, name_or_id: str, *, bounce_host: str = "") -> DomainDetails:
    """`bounce_host` is `server.bounce_host`; without it there is no return path of the domain's own."""
    domain = await find(db, name_or_id)
    async with db.read() as connection:
        pair = await dkim_keys.of_domain(connection, domain.id)
    return DomainDetails(domain, records(domain, pair, bounce_host))


async def list_all(db: Database, *, account_id: str | None = None) -> list[Domain]:
    async with db.read() as connection:
        return await store.list_all(connection, account_id)


def records(domain: Domain, pair: list[DkimKey], bounce_host: str) -> list[DnsRecord]:
    """What to publish, the required first."""
    signing = [
        DnsRecord(
            keys.record_name(key, domain.name),
            "TXT",
            keys.record_value(key),
            "DKIM: signs the mail and proves the domain"
            if key.active
            else "DKIM: the next key, ready to change to",
            key.active,
        )
        for key in sorted(pair, key=lambda key: not key.active)
    ]
    bounces = [
        DnsRecord(
            domain.return_path_host,
            "CNAME",
            bounce_host,
            "return path: bounces come back, and SPF aligns",
            False,
        )
    ]
    policy = DnsRecord(
        f"_dmarc.{domain.name}", "TXT", "v=DMARC1; p=none", "DMARC: large receivers ask for it", False
    )
    return [*signing, *(bounces if bounce_host else []), policy]


def _valid_name(name: str, mode: str) -> str:
    try:
        folded = parse_domain(name.strip().removesuffix("."))
    except AddressError as error:
        raise PostroomError(f"{name!r} is no domain name: {error}") from None
    labels = folded.split(".")
    if labels[-1].isdigit():
        raise PostroomError(f"{name!r} is no domain name: it looks like an address")
    if len(labels) < 2 and mode != SANDBOX:
        raise PostroomError(
            f"{name!r} is no domain that can be verified; only sandbox domains may have one label"
        )
    return folded


def _folded(name_or_id: str) -> str:
    try:
        return parse_domain(name_or_id.strip().removesuffix("."))
    except AddressError:
        return name_or_id
