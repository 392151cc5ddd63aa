"""Does the DNS say what a domain needs? Each record is looked up and compared; what is missing says how to mend it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from postroom.runtime.clock import Clock
from postroom.runtime.dns import DnsError, DnsUnavailableError, Resolver
from postroom.store import dkim_keys
from postroom.store import domains as store
from postroom.store.database import Database
from postroom.store.dkim_keys import DkimKey
from postroom.store.domains import Domain
from postroom.tenancy import domains, keys


@dataclass(frozen=True, slots=True)
class Finding:
    """One record: what it should be and what was found. `unknown`: the DNS did not answer, so nothing changes."""

    record: str
    wanted: str
    found: str
    ok: bool
    required: bool
    mend: str
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """All records of a domain; `return_path` is one of them."""

    findings: list[Finding]
    return_path: Finding


async def check(db: Database, resolver: Resolver, name_or_id: str, *, bounce_host: str) -> list[Finding]:
    """Look at a domain's records and note what follows.

    The domain becomes verified when the record of its active DKIM key matches, and stays so if it vanishes later:
    a slip in somebody's DNS must not stop their mail. The return path is used only while it is right, because mail
    from a name that does not exist is refused by many.
    """
    domain = await domains.find(db, name_or_id)
    looked = await look(db, resolver, domain, bounce_host=bounce_host)
    await _note(db, domain, looked.findings, looked.return_path)
    return looked.findings


async def look(db: Database, resolver: Resolver, domain: Domain, *, bounce_host: str) -> Looked:
    """Look at a domain's records; nothing follows."""
    async with db.read() as connection:
        pair = await dkim_keys.of_domain(connection, domain.id)
    signing = [await _check_dkim(resolver, domain, key) for key in pair]
    bounces = await _check_return_path(resolver, domain.return_path_host, bounce_host)
    return Looked([*signing, bounces, await _check_dmarc(resolver, domain)], bounces)


async def _note(db: Database, domain: Domain, findings: list[Finding], bounces: Finding) -> None:
    now = Clock().now_ms()
    changes: dict[str, Any] = {
        "checked_at": now,
        "check_result": json.dumps([asdict(finding) for finding in findings]),
    }
    if domain.verified_at is None and any(finding.ok for finding in findings if finding.required):
        changes |= {"verified_at": now, "updated_at": now}
    if not bounces.unknown and bounces.ok != (domain.return_path_verified_at is not None):
        changes |= {"return_path_verified_at": now if bounces.ok else None, "updated_at": now}
    async with db.write() as connection:
        await store.change(connection, domain.id, **changes)


async def _check_dkim(resolver: Resolver, domain: Domain, key: DkimKey) -> Finding:
    name, wanted = keys.record_name(key, domain.name), keys.record_value(key)
    mend = f"Publish the TXT record {name} with exactly this value."
    try:
        texts = await resolver.txt(name)
    except DnsError as error:
        return _not_found(f"{name} TXT", wanted, key.active, mend, error)
    ok = any(_public_key(text) == key.public_key for text in texts)
    if texts and not ok:
        mend = f"The TXT record {name} holds another key: replace its value (no second record)."
    return Finding(f"{name} TXT", wanted, " | ".join(texts), ok, key.active, "" if ok else mend)


def _public_key(record: str) -> str:
    """The p= of a key record, without the white space that control panels put into long values (RFC 6376 3.6.1)."""
    tags = (tag.partition("=") for tag in record.split(";"))
    return next(("".join(value.split()) for name, _, value in tags if name.strip() == "p"), "")


async def _check_return_path(resolver: Resolver, host: str, bounce_host: str) -> Finding:
    """A CNAME to ours, or an MX to ours beside an SPF record of the domain's own."""
    record, wanted = f"{host} CNAME", bounce_host
    if not bounce_host:
        mend = "Operator: set server.bounce_host; until then bounces go to the envelope sender."
        return Finding(record, wanted, "", False, False, mend)
    mend = f"Publish the CNAME record {host} pointing to {bounce_host}."
    ours = bounce_host.lower().removesuffix(".")
    try:
        aliases = await resolver.cname(host)
        if ours in aliases:
            return Finding(record, wanted, ", ".join(aliases), True, False, "")
        exchanges = [exchange for _, exchange in await resolver.mx(host)]
        texts = [text for text in await resolver.txt(host) if text.lower().startswith("v=spf1")]
    except DnsError as error:
        return _not_found(record, wanted, False, mend, error)
    found = ", ".join([*aliases, *(f"MX {exchange}" for exchange in exchanges), *texts])
    ok = ours in exchanges and bool(texts)
    return Finding(record, wanted, found, ok, False, "" if ok else mend)


async def _check_dmarc(resolver: Resolver, domain: Domain) -> Finding:
    record, wanted = f"_dmarc.{domain.name} TXT", "v=DMARC1; p=none"
    mend = "Publish a DMARC record; large receivers want one from everybody who sends much."
    try:
        texts = await resolver.txt(f"_dmarc.{domain.name}")
    except DnsError as error:
        return _not_found(record, wanted, False, mend, error)
    policies = [text for text in texts if text.startswith("v=DMARC1")]
    if len(policies) > 1:
        mend = "There is more than one DMARC record, so none counts (RFC 7489 section 6.6.3): keep one."
    ok = len(policies) == 1
    return Finding(record, wanted, " | ".join(policies), ok, False, "" if ok else mend)


def _not_found(record: str, wanted: str, required: bool, mend: str, error: DnsError) -> Finding:
    if isinstance(error, DnsUnavailableError):
        return Finding(
            record, wanted, str(error), False, required, "The DNS did not answer; check again later.", True
        )
    return Finding(record, wanted, "", False, required, mend)
